/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* referee.h - the one judge of what gets on the log (DESIGN, section 2).
 *
 * A batch of commands goes to Postgres as one simple-protocol query (so that it commits
 * without the client) on a connection that does nothing else, and each command comes
 * back with a verdict. Encoding and decoding are apart from sending, so that the
 * blocking callers here and the fibers of core/http share them.
 *
 * A lost connection leaves the outcome unknown: LL_EUNKNOWN. The one cure is to send the
 * same commands again; their keys make that harmless.
 */
#ifndef LL_REFEREE_H
#define LL_REFEREE_H

#include "core/log/record.h"

#include <libpq-fe.h>

enum { APPEND_BATCH = 100 }; /* commands; more gain nothing (reference/referee) */

struct append_command {
    struct uuid key;  /* idempotency: the same key is the same command */
    struct uuid body; /* hash of what was asked: another body under the key is refused */
    const struct position *as_of; /* what the decision was made on; NULL: no guards */
    const struct text *guards;    /* tags: refuse if one has an event beyond as_of */
    size_t guard_count;
    const struct record *events; /* at least one, all of one partition */
    size_t event_count;
};

enum append_verdict {
    APPEND_ACCEPTED,  /* on the log, at `partition` and `sequence` */
    APPEND_CONFLICT,  /* `guard` has an event at `topic`, `partition`, `sequence` */
    APPEND_DUPLICATE, /* accepted before, at `partition` and `sequence` */
    APPEND_RETRY,     /* an earlier command of this batch is in the way: send again */
    APPEND_REUSED,    /* the key was used for another body */
    APPEND_INVALID,   /* malformed: an unknown partition, no event */
    APPEND_CLOSED     /* the gate: this database is not the one last reconciled */
};

struct append_answer {
    enum append_verdict verdict;
    char topic[POSITION_TOPIC];
    uint32_t partition;
    uint64_t sequence; /* of the command's last event, or of the one in conflict */
    int64_t time;      /* event time, where accepted or duplicate */
    size_t guard;      /* index into guards, where conflict */
};

/* The query for at most APPEND_BATCH commands of one service. Latches in `sql`. */
void referee_encode(const char *service, const struct append_command *commands, size_t n,
                    struct builder *sql);
/* The answers, one a command in the order given. LL_EDATABASE when `result` is an error.
 */
ll_rc referee_decode(const PGresult *result, struct append_answer *answers, size_t n,
                     struct ll_error *err) LL_MUST_CHECK;
/* Send, wait, decode; commands answered `retry` are sent again until none is. Blocks. */
ll_rc referee_append(PGconn *connection, const char *service,
                     const struct append_command *commands, size_t n,
                     struct append_answer *answers, struct ll_error *err) LL_MUST_CHECK;
/* Unguarded events from outside, keyed by their own ids: same lock, a plain insert.
 * `duplicates` counts those that were there already. All or nothing. Blocks. */
ll_rc referee_append_bulk(PGconn *connection, const char *service,
                          const struct record *events, size_t n, size_t *duplicates,
                          struct ll_error *err) LL_MUST_CHECK;

/* Make or upgrade the tables and functions of schema `landlog`, the query role's grants
 * and the rows of `topics`; LL_EBROKEN where a topic's partition count has changed.
 * Safe to run at every start, by several processes at once. */
ll_rc referee_install(PGconn *connection, const struct topics *topics,
                      struct ll_error *err) LL_MUST_CHECK;

/* The log's incarnation: a new one after every restore. Tokens carry it. */
ll_rc referee_incarnation(PGconn *connection, struct uuid *out,
                          struct ll_error *err) LL_MUST_CHECK;

#endif
