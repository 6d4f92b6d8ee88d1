/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* promises.h - what the log promises, as checks over a history of what happened.
 *
 * A history says what clients sent and were told, what is on the log in the end, what
 * readers passed and what a projection shows. It knows no store and no process: the
 * model fills one in memory, a test of the real system writes JSON lines and loads them,
 * in any order save that the events of a partition come as the log gives them:
 *
 *   {"command": "c7", "key": "k3", "body": "b3", "guards": ["pair:a:b"],
 *    "as_of": "social/0=3,social/2=9", "answer": "accepted", "at": "social/1=7",
 *    "time": 1764057600000}
 *   {"event": "c7", "index": 0, "size": 2, "at": "social/1=6", "tags": ["pair:a:b"],
 *    "time": 1764057600000}
 *   {"read": "reader 1", "event": "c7", "index": 0, "at": "social/1=6"}
 *   {"row": "pair:a:b", "events": 4, "sum": 17}
 *   {"view": "social/0=3,social/1=7"}
 *
 * command  One attempt: one decision on one position, sent until it was answered. To
 *          decide again, or to ask again under the same key, is another command. An
 *          event must tell which attempt wrote it, so a test carries that in its data.
 * answer   accepted, duplicate, conflict, retry, reused, invalid, closed, or unknown
 *          where the client never learnt; unknown claims nothing.
 * at       Of an answer: the command's last event (accepted), that of the command that
 *          has the key (duplicate, reused), or the event in conflict. Absent (and
 *          `time` absent or 0): not claimed.
 * row      A projection's count of events with this tag and sum of their sequences, as
 *          of the position in `view` (absent: all of the log).
 *
 * Ids, keys, bodies, tags, partitions and readers are names; each is a number here.
 */
#ifndef LL_PROMISES_H
#define LL_PROMISES_H

#include "core/log/record.h"

#include <stdio.h>

enum history_answer {
    ANSWER_UNKNOWN,
    ANSWER_ACCEPTED,
    ANSWER_DUPLICATE,
    ANSWER_CONFLICT,
    ANSWER_RETRY,
    ANSWER_REUSED,
    ANSWER_INVALID,
    ANSWER_CLOSED
};

struct history_place {
    uint32_t partition; /* a name; 0: nowhere */
    uint64_t sequence;
};

struct history_position {
    size_t count;
    struct history_place places[POSITION_ENTRIES];
};

struct history_command {
    uint32_t name, key, body;
    uint32_t guards[COMMAND_GUARDS];
    size_t guard_count;
    struct history_position as_of;
    enum history_answer answer;
    struct history_place at;
    int64_t time;
    /* Found by history_seal(): its events on the log, the first and last's index. */
    size_t first, last, events;
};

struct history_event {
    uint32_t command; /* a name */
    uint32_t index, size;
    struct history_place at;
    uint32_t tags[RECORD_TAGS];
    size_t tag_count;
    int64_t time;
    size_t owner; /* found by history_seal(): index of its command; SIZE_MAX: none */
};

struct history_read {
    uint32_t reader, command, index;
    struct history_place at;
};

struct history_row {
    uint32_t tag;
    uint64_t events, sum;
};

struct history {
    char **names; /* names[0] is "" */
    size_t name_count;
    uint32_t *slots; /* hash table of names */
    size_t slot_count;
    struct history_command *commands;
    size_t command_count;
    struct history_event *events;
    size_t event_count;
    struct history_read *reads;
    size_t read_count;
    struct history_row *rows;
    size_t row_count;
    bool has_view;
    struct history_position view;
};

void history_init(struct history *h);
void history_fini(struct history *h);
/* The number of a name; the same text has the same number. */
uint32_t history_name(struct history *h, struct text name);
const char *history_text(const struct history *h, uint32_t name);
/* Each takes a copy. */
void history_add_command(struct history *h, const struct history_command *c);
void history_add_event(struct history *h, const struct history_event *e);
void history_add_read(struct history *h, const struct history_read *r);
void history_add_row(struct history *h, const struct history_row *r);
/* The sequence of `partition` in `p`; 0 when absent. */
uint64_t history_seen(const struct history_position *p, uint32_t partition);
/* Add all lines of `in`. LL_EINVAL names the line. */
ll_rc history_load(struct history *h, FILE *in, struct ll_error *err) LL_MUST_CHECK;
/* Tie events to commands; after the last addition, before any check. */
void history_seal(struct history *h);

/* Each is LL_OK or LL_EBROKEN, with the first breach in `err`. */
struct promise {
    const char *text;
    ll_rc (*holds)(const struct history *h, struct ll_error *err);
};

/* Ends with a row of NULLs. */
extern const struct promise promises[];

/* The two that are in promises_order.c. */
ll_rc promise_tags_are_chains(const struct history *h, struct ll_error *err);
ll_rc promise_one_order_explains_all(const struct history *h, struct ll_error *err);

/* All of them, on a sealed history; `err` names the promise that is broken. */
ll_rc promises_hold(const struct history *h, struct ll_error *err) LL_MUST_CHECK;

#endif
