/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* position.h - how far a reader has come on the log.
 *
 * A sparse vector: for some topic partitions, the sequence of the last event
 * seen. It is the Landlog-Position header, the "as of" of an append condition
 * and what a query waits for. A partition that is absent was not read at all.
 *
 * Text:      "badges/0=77,social/3=1042", sorted, no spaces (DESIGN, Commands).
 * Invariant: entries ascend by topic name, then partition; no two are equal.
 * Memory:    all in place; copying a struct copies the position.
 * Threads:   none. One owner, one thread.
 */
#ifndef LL_POSITION_H
#define LL_POSITION_H

#include "core/base/base.h"

enum {
    POSITION_ENTRIES = 64,  /* more would not fit a proxy's header limit */
    POSITION_TOPIC = 24,    /* bytes of a topic's name, NUL included */
    POSITION_TEXT = 64 * 56 /* longest text, NUL included */
};

struct position_entry {
    char topic[POSITION_TOPIC];
    uint32_t partition;
    uint64_t sequence;
};

struct position {
    size_t len;
    struct position_entry entry[POSITION_ENTRIES];
};

/* Nothing read. */
static inline void position_init(struct position *p)
{
    p->len = 0;
}

/* Take `sequence` as seen; a smaller one than before changes nothing.
 * LL_EFULL when the partition is new and there is no room: `p` is as before. */
ll_rc position_raise(struct position *p, const char *topic, uint32_t partition,
                     uint64_t sequence) LL_MUST_CHECK;

/* The sequence seen in that partition, through `out`; false when none was. */
bool position_get(const struct position *p, const char *topic, uint32_t partition,
                  uint64_t *out);

/* True when whoever is at `p` has seen all that `q` asks for. */
bool position_covers(const struct position *p, const struct position *q);

/* Read the text form from a stranger. LL_EINVAL for anything but what
 * position_print() writes, LL_EFULL for too many entries; `p` is then empty. */
ll_rc position_parse(struct position *p, const char *text, size_t len) LL_MUST_CHECK;

/* Write the text form, NUL-terminated. Returns its length. */
size_t position_print(const struct position *p, char out[POSITION_TEXT]);

#endif
