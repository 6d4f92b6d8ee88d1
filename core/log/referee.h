/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* referee.h - the one judge of what gets on the log (DESIGN, section 2).
 *
 * A batch of commands goes to Postgres as one simple-protocol query (so that it commits
 * without the client) on a connection that does nothing else, and each command comes
 * back with a verdict. Encoding and decoding are apart from sending, so that the
 * blocking callers here and the fibers of core/http share them.
 *
 * The connection must be outside of a transaction block, in READ COMMITTED.
 * A lost connection leaves the outcome unknown: LL_EUNKNOWN. The one cure is to send the
 * same commands again; their keys make that harmless.
 */
#ifndef LL_REFEREE_H
#define LL_REFEREE_H

#include "core/log/record.h"

#include <libpq-fe.h>

enum {
    APPEND_BATCH = 100,  /* commands; larger batches were measured to be slower */
    BULK_EVENTS = 10000, /* of one bulk append: others wait for its lock meanwhile */
    BULK_BYTES = 32 * 1024 * 1024,
    REFEREE_SQL = 256 * 1024 * 1024, /* bytes at which a query's builder may refuse */
    STORE_NAME = 16
};

struct append_command {
    struct uuid key;  /* idempotency: the same key is the same command */
    struct uuid body; /* hash of what was asked: another body under the key is refused */
    const struct position *as_of; /* what the decision was made on; NULL: nothing seen */
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
    APPEND_CLOSED     /* the gate: this database is not the one last reconciled. After a
                         mere restart of Postgres, referee_reopen() and send again */
};

struct append_answer {
    enum append_verdict verdict;
    char topic[POSITION_TOPIC];
    uint32_t partition;
    uint64_t sequence;      /* of the command's last event, or of the one in conflict */
    int64_t time;           /* event time, where accepted or duplicate */
    size_t guard;           /* index into guards, where conflict */
    char store[STORE_NAME]; /* who keeps the log now: "postgres" or "kafka" */
};

/* The query for at most APPEND_BATCH commands of one service, read on the caller's clock
 * (send it soon). Latches in `sql`, which should be born with REFEREE_SQL. */
void referee_encode(const char *service, const struct append_command *commands, size_t n,
                    struct builder *sql);
/* The answers, one a command in the order given. `commands` are those that were encoded.
 * Where `result` is an error nothing was appended: LL_ETIMEOUT when another held the lock
 * for 2 s (referee_unblock(), then send again), LL_EUNKNOWN where the error is libpq's
 * own (or `result` NULL) and so the outcome unknown, else LL_EDATABASE. An error that
 * left the connection bad is not for here: the outcome is unknown. */
ll_rc referee_decode(const PGresult *result, const struct append_command *commands,
                     struct append_answer *answers, size_t n,
                     struct ll_error *err) LL_MUST_CHECK;
/* Send, wait, decode; commands answered `retry` are sent again until none is, `closed`
 * once after referee_reopen(), all of them once after a lock time-out. Blocks. */
ll_rc referee_append(PGconn *connection, const char *service,
                     const struct append_command *commands, size_t n,
                     struct append_answer *answers, struct ll_error *err) LL_MUST_CHECK;
/* At most BULK_EVENTS unguarded events of one service from outside, keyed by their own
 * ids: the same lock, then COPY. `duplicates` counts those that were there already (or
 * twice in `events`). All or nothing; LL_EFULL past BULK_BYTES: split them. Blocks. */
ll_rc referee_append_bulk(PGconn *connection, const char *service,
                          const struct record *events, size_t n, size_t *duplicates,
                          struct ll_error *err) LL_MUST_CHECK;

/* The accepted command of an idempotency key, for a look-up before a refusal:
 * ($1 key) -> body, topic, partition, sequence, time. No row: none. */
extern const char *const referee_known_sql;

/* The role of the setting `postgres.query`, or one it is a member of: where it exists,
 * referee_install() grants it to read what is in schema `landlog`, and nothing else. */
#define REFEREE_QUERY_ROLE "landlog_query"

/* Taken first in any transaction that makes tables or grants in schema `landlog`: two
 * starts at once would meet in Postgres' own catalog. Any number that no other user of
 * the database takes. */
#define REFEREE_INSTALL_LOCK "select pg_advisory_xact_lock(7812358123761)"

/* Make or upgrade the tables and functions of schema `landlog`, the query role's grants
 * and the rows of `topics`; LL_EBROKEN where a topic's partition count or service has
 * changed. Opens the gates of all services that are on the postgres store, having begun
 * a new incarnation where the database was restored. Safe to run at every start, by
 * several processes at once. */
ll_rc referee_install(PGconn *connection, const struct topics *topics,
                      struct ll_error *err) LL_MUST_CHECK;

/* The log's incarnation: a new one after every restore. Tokens carry it.
 * A cold copy of the data folder that is put back looks like a restart: whoever restores
 * in that way has to begin a new one, with
 * UPDATE landlog.log SET incarnation = gen_random_uuid(). */
ll_rc referee_incarnation(PGconn *connection, struct uuid *out,
                          struct ll_error *err) LL_MUST_CHECK;

/* Open the gate after a restart of Postgres; on the kafka store only the relay may.
 * LL_EBROKEN when it is closed for more than that (or on kafka). */
ll_rc referee_reopen(PGconn *connection, const char *service,
                     struct ll_error *err) LL_MUST_CHECK;
/* After LL_ETIMEOUT: end the backends that hold the lock and wait for their client (a
 * stopped psql, say), never one that waits for a standby. `ended` counts them. */
ll_rc referee_unblock(PGconn *connection, size_t *ended,
                      struct ll_error *err) LL_MUST_CHECK;
/* Forget idempotency keys older than `keep_ms` of log time, looking at no more than
 * `most` events a partition: housekeeping of whoever projects the service. */
enum { REFEREE_KEEP_MS = 7 * 24 * 3600 * 1000 };
ll_rc referee_purge(PGconn *connection, const char *service, int64_t keep_ms,
                    uint32_t most, uint64_t *forgotten,
                    struct ll_error *err) LL_MUST_CHECK;
/* The store that keeps a service's log now. LL_ENOTFOUND for a service without topics. */
ll_rc referee_store(PGconn *connection, const char *service, char out[STORE_NAME],
                    struct ll_error *err) LL_MUST_CHECK;

#endif
