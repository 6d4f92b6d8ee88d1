/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection.h - a read model as its folder says it: projections/<name>/, or that of a
 * reactor, which also emits events: consumers/<name>/ (consumers/README.md).
 *
 *   schema.sql   its tables, made in a schema of the generation's own
 *   apply.sql    `-- on <event type>` and the statements it causes, `:member` bound by
 *                name from the event's data, `:event.time` (ms), `:event.id`,
 *                `:event.sequence`, `:event.subject`, `:event.key`, `:event.topic`,
 *                `:event.partition`, `:event.type` from its envelope;
 *                `:blob.<member>` is the text of the blob (core/blob) that the member
 *                names: null where there is none, or it is larger than 1 MiB or no UTF-8
 *   queries.sql  `-- query <name>(<parameter> <type>, ...)` and one SELECT that returns
 *                one row with the columns `status` (int) and `body` (json text), or
 *                none; `volatile` behind the list lets it read the clock
 *
 * Names of tables are unqualified: each generation puts its schema before them. All is
 * linted on loading (sql_lint.h) and once more, with the catalog's help, when a
 * generation is made (DESIGN, section 5). Read-only after loading, so any thread may use
 * it.
 */
#ifndef LL_PROJECTION_H
#define LL_PROJECTION_H

#include "core/blob/blob_store.h"
#include "core/event/registry.h"

enum { PROJECTION_NAME = 32, PROJECTION_PARAMETERS = 32, PROJECTION_SCHEMA = 48 };

struct projection_parameter {
    const char *name;
    const char *type; /* SQL type, in queries only */
};

struct projection_query {
    const char *name;
    const char *sql;        /* for projection_query_sql(), which completes it */
    size_t parameter_count; /* in the order of $1, $2, ...; bound as text */
    struct projection_parameter parameters[PROJECTION_PARAMETERS];
    bool is_volatile;
};

struct projection;

/* The i-th one's name, of both kinds; NULL past the last. Embedded folders, sorted. */
const char *projection_name_at(size_t i);
/* Is that name a reactor's? Names are unique over both kinds. */
bool projection_name_is_reactor(const char *name);
ll_rc projection_load(const char *name, const struct registry *registry,
                      struct projection **out, struct ll_error *err) LL_MUST_CHECK;
/* The same from three texts that are not embedded; they and the name must outlive it. */
struct projection_files {
    struct text schema, apply, queries;
    bool is_reactor;
};
ll_rc projection_make(const char *name, const struct projection_files *files,
                      const struct registry *registry, struct projection **out,
                      struct ll_error *err) LL_MUST_CHECK;
void projection_free(struct projection *p);
/* Where `:blob.<member>` is read; needed before an applier is opened for a projection
 * that has one. The store must outlive it. */
void projection_use_blobs(struct projection *p, struct blob_store *blobs);
const char *projection_name(const struct projection *p);
bool projection_is_reactor(const struct projection *p);
const struct registry *projection_registry(const struct projection *p);
/* Hash of what makes its rows: schema.sql and apply.sql without their comments, and the
 * schemas it reads, all versions, with their upcasters. The same identity folds the same
 * log into the same rows. Queries are no part of it: they belong to the binary. */
struct uuid projection_identity(const struct projection *p);
/* The topics its events are on, sorted by name; NULL past the last. */
const struct topic *projection_topic_at(const struct projection *p, size_t i);
const struct projection_query *projection_query(const struct projection *p,
                                                const char *name);
const struct projection_query *projection_query_at(const struct projection *p, size_t i);

/* One generation of a projection's tables. */
struct generation {
    char schema[PROJECTION_SCHEMA]; /* "social_g7" */
    uint32_t number;
    struct uuid identity;
};

/* The statement to prepare for a query of a generation. Its one row is: position (text of
 * position.h, read in the same snapshot), status, body; the last two are null where the
 * query found nothing. Needs no search_path: it names the generation's schema. */
void projection_query_sql(const struct projection *p, const struct projection_query *q,
                          const struct generation *g, struct builder *sql);
/* The generation that answers the queries of a binary: the live one of its identity.
 * ($1 projection's name, $2 identity) -> schema, number. No row: none is ready, answer
 * 503 until WAKE_GENERATION. One statement, also fit for an asynchronous connection. */
extern const char *const projection_live_sql;
/* Say that this session answers queries from a generation, so that it is not dropped
 * until the session ends or says projection_unpin_sql: ($1 name, $2 number), both.
 * Without it a generation that was replaced still stays for GENERATION_KEEP_MS. */
extern const char *const projection_pin_sql, *const projection_unpin_sql;
enum { GENERATION_KEEP_MS = 60000 };
/* position text of a generation's checkpoints now: one row, one column. */
void projection_position_sql(const struct generation *g, struct builder *sql);

#endif
