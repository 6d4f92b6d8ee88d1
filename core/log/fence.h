/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* fence.h - which records of one partition of Kafka count (DESIGN, section 2).
 *
 * A pure fold over the records in order of offset, the same in every reader and in a
 * relay that takes over, so that all agree:
 *
 *   - a fence raises the epoch in force; one that does not is void (the first wins);
 *   - an event of another epoch than the one in force is void when its epoch is lower,
 *     and damage when it is higher;
 *   - an event passed already is a double (a relay that crashed wrote a stretch again);
 *   - a command counts when all its events are there. Those of one that a fence cuts
 *     short are void: the next relay writes it again as a whole, with the same numbers;
 *   - an event that is not the next, or not of the command that is under way, opens a
 *     gap: it and all behind it are void until a fence. A relay that finds a gap writes
 *     from there on again; a reader that stays in one halts.
 */
#ifndef LL_FENCE_H
#define LL_FENCE_H

#include "core/log/kafka_envelope.h"

/* A place in a partition from which it can be read: an event that counts and ends its
 * command, and the epoch in force there. All zero: the very beginning. */
struct kafka_place {
    uint64_t sequence;
    struct uuid id; /* nil: not known */
    int64_t offset; /* of that event's record */
    uint64_t epoch;
    int64_t time; /* of the event; 0: not known */
};

enum { FENCE_MEMORY = 256 }; /* events whose doubles are compared */

struct fence {
    uint64_t epoch;    /* in force */
    uint64_t sequence; /* of the last event that counts */
    struct uuid id;    /* of it; nil where none was seen */
    uint32_t pending;  /* events behind it, of a command that is not complete */
    uint32_t size;     /* of that command */
    uint64_t gap;      /* the event that opened a gap; 0: there is none */
    struct uuid command;
    uint64_t void_records, doubles;
    struct {
        struct uuid id;
        int64_t time;       /* two databases may have accepted one key, and so one id */
    } recent[FENCE_MEMORY]; /* by sequence */
};

enum fence_verdict {
    FENCE_PENDING,  /* an event that counts once its command is complete */
    FENCE_COMPLETE, /* an event that completes one: it and those pending before it count
                     */
    FENCE_RAISED,   /* a fence: what was pending is void, a gap is closed */
    FENCE_VOID,     /* skip it; and what was pending, where it opens a gap */
    FENCE_DOUBLE,   /* skip it: it was passed already */
    FENCE_BROKEN    /* halt: the error says why */
};

/* Behind `place`. */
void fence_init(struct fence *f, const struct kafka_place *place);

/* Judge the next record. Its envelope is parsed only where it may count: `e` is to be
 * freed with kafka_envelope_fini() after FENCE_PENDING and FENCE_COMPLETE. */
enum fence_verdict fence_next(struct fence *f, const struct kafka_record *k,
                              struct kafka_envelope *e, struct ll_error *err);

/* Say what a gap is between. Returns LL_EBROKEN. */
ll_rc fence_explain_gap(const struct fence *f, struct ll_error *err);

#endif
