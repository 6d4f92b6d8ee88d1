/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* generation.c - making and finding generations. Whoever changes the rows of
 * landlog.generation does it in a transaction that holds the projection's advisory lock,
 * so that two never make, swap or drop at the same time. */
#include "core/projection/generation.h"

#include "core/base/embedded.h"
#include "core/log/referee.h"
#include "core/pg/connect.h"
#include "core/projection/catalog_lint.h"
#include "core/projection/generation_row.h"
#include "core/projection/handler.h"
#include "core/projection/outgoing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- transactions ---- */

ll_rc generation_begin(PGconn *connection, const struct projection *p,
                       struct ll_error *err)
{
    const char *name = p->name;
    ll_rc rc = pg_script(connection, "begin", err);

    if (rc == LL_OK)
        rc = pg_query(connection,
                      "select pg_advisory_xact_lock("
                      "hashtext('landlog/generations'), hashtext($1))",
                      &name, 1, NULL, err);
    return rc;
}

ll_rc generation_end(PGconn *connection, ll_rc rc, struct ll_error *err)
{
    if (rc == LL_OK) return pg_script(connection, "commit", err);
    if (pg_script(connection, "rollback", NULL) != LL_OK) { /* its end rolls back too */
    }
    return rc;
}

ll_rc generation_install(PGconn *connection, struct ll_error *err)
{
    struct text script;
    ll_rc rc = pg_script(
        connection,
        "begin; set local client_min_messages = warning;" REFEREE_INSTALL_LOCK, err);

    LL_CHECK(embedded_find("core/projection/catalog.sql", &script));
    if (rc == LL_OK) rc = pg_script(connection, script.ptr, err);
    if (rc == LL_OK)
        rc = pg_script(connection,
                       "do $$ begin if exists (select from pg_roles where rolname = "
                       "'" REFEREE_QUERY_ROLE "') then"
                       " grant usage on schema landlog to " REFEREE_QUERY_ROLE ";"
                       " grant select on landlog.generation, landlog.projector"
                       " to " REFEREE_QUERY_ROLE "; end if; end $$",
                       err);
    return generation_end(connection, rc, err);
}

/* ---- rows ---- */

enum generation_state generation_state_of(const char *word)
{
    static const char *const words[] = {"building", "live", "old", "dropped"};

    for (size_t i = 0; i < LL_LENGTH(words); i++)
        if (strcmp(word, words[i]) == 0) return (enum generation_state)i;
    LL_BUG("a state that the table's check refuses");
    return GENERATION_DROPPED;
}

ll_rc generation_rows(PGconn *connection, const struct projection *p, const char *where,
                      PGresult **out, struct ll_error *err)
{
    char identity[UUID_TEXT], sql[1024];
    const char *const values[] = {p->name, identity};
    int n = snprintf(sql, sizeof(sql),
                     "select g.number, g.schema, g.state, g.identity"
                     " from landlog.generation g"
                     " where g.projection = $1 and ($2::uuid is not null) and %s",
                     where);

    LL_CHECK(n > 0 && (size_t)n < sizeof(sql));
    uuid_print(&p->identity, identity);
    return pg_query(connection, sql, values, 2, out, err);
}

void generation_read(const PGresult *rows, int i, struct generation *out)
{
    *out = (struct generation){.number =
                                   (uint32_t)strtoul(PQgetvalue(rows, i, 0), NULL, 10)};
    snprintf(out->schema, sizeof(out->schema), "%s", PQgetvalue(rows, i, 1));
    LL_CHECK(uuid_parse(text_of(PQgetvalue(rows, i, 3)), &out->identity));
}

ll_rc generation_run(PGconn *connection, struct ll_error *err, const char *fmt, ...)
{
    struct builder sql;
    va_list args;
    ll_rc rc;

    builder_init(&sql, 16 * 1024);
    va_start(args, fmt);
    builder_vprintf(&sql, fmt, args);
    va_end(args);
    LL_CHECK(!sql.full);
    rc = pg_script(connection, builder_view(&sql).ptr, err);
    builder_fini(&sql);
    return rc;
}

/* ---- making one ---- */

/* The last statement before an event's effects: it moves the checkpoint, or it raises and
 * nothing of the flight is applied. A statement that merely matched no row would let the
 * rest of the flight commit. */
static const char own_tables[] =
    "create schema \"%s\"; set local search_path = \"%s\";"
    "create table checkpoint ("
    " topic text not null, partition int not null,"
    " sequence bigint not null, event_id uuid," /* of the last event applied */
    " epoch bigint not null,"                   /* of the lease it was done under */
    " updated timestamptz not null,"
    " primary key (topic, partition)) with (fillfactor = 20);"
    "create function advance(a_topic text, a_partition int, was bigint, held bigint,"
    "                        now_at bigint, now_id uuid) returns void"
    " language plpgsql as $body$ begin"
    "  update \"%s\".checkpoint set sequence = now_at, event_id = now_id,"
    "         updated = clock_timestamp()"
    "   where topic = a_topic and partition = a_partition and sequence = was"
    "     and epoch = held;"
    "  if not found then"
    "   raise exception 'the checkpoint of %%/%% is not at %% under epoch %%',"
    "    a_topic, a_partition, was, held using errcode = 'LL001';"
    "  end if;"
    " end $body$";

static ll_rc make_own_tables(PGconn *connection, const struct projection *p,
                             const char *schema, struct ll_error *err)
{
    ll_rc rc = generation_run(connection, err, own_tables, schema, schema, schema);

    if (rc == LL_OK && p->is_reactor) rc = pg_script(connection, outgoing_table_sql, err);
    for (size_t i = 0; i < p->topic_count && rc == LL_OK; i++)
        rc = generation_run(connection, err,
                            "insert into checkpoint select '%s', n, 0, null, 0,"
                            " clock_timestamp() from generate_series(0, %u) n",
                            p->topics[i]->name, p->topics[i]->partitions - 1);
    return rc;
}

static ll_rc make_tables(PGconn *connection, const struct projection *p,
                         struct ll_error *err)
{
    const struct sql_section *all = &p->files[SQL_FILE_SCHEMA]->sections[0];

    for (size_t i = 0; i < all->statement_count; i++) {
        ll_rc rc = pg_query(connection, all->statements[i].sql, NULL, 0, NULL, err);

        if (rc == LL_OK) continue;
        ll_error_prefix(err, "%s:%u", p->paths[SQL_FILE_SCHEMA], all->statements[i].line);
        return PQstatus(connection) == CONNECTION_OK ? LL_EINVAL : rc;
    }
    return LL_OK;
}

static ll_rc grant(PGconn *connection, const char *schema, struct ll_error *err)
{
    return generation_run(
        connection, err,
        "do $$ begin if exists (select from pg_roles where rolname = "
        "'" REFEREE_QUERY_ROLE "') then"
        " grant usage on schema \"%s\" to " REFEREE_QUERY_ROLE ";"
        " grant select on all tables in schema \"%s\" to " REFEREE_QUERY_ROLE ";"
        " end if; end $$;"
        "revoke execute on all functions in schema \"%s\" from public",
        schema, schema, schema);
}

static ll_rc insert_row(PGconn *connection, const struct projection *p,
                        enum generation_builder builder, struct generation *out,
                        struct ll_error *err)
{
    char identity[UUID_TEXT];
    const char *const values[] = {p->name, identity,
                                  builder == GENERATION_REPLAY ? "replay" : "project"};
    PGresult *row;
    ll_rc rc;

    uuid_print(&p->identity, identity);
    rc = pg_query(
        connection,
        "insert into landlog.generation"
        " select $1, n, replace($1, '-', '_') || '_g' || n, $2::uuid, 'building',"
        "        $3, null, clock_timestamp(), clock_timestamp()"
        "   from (select coalesce(max(number), 0) + 1 as n from landlog.generation"
        "          where projection = $1) next"
        " returning number, schema, state, identity",
        values, 3, &row, err);
    if (rc != LL_OK) return rc;
    generation_read(row, 0, out);
    PQclear(row);
    return LL_OK;
}

ll_rc generation_make(PGconn *connection, const struct projection *p,
                      enum generation_builder builder, struct generation *out,
                      struct ll_error *err)
{
    ll_rc rc = insert_row(connection, p, builder, out, err);

    if (rc == LL_OK) rc = make_own_tables(connection, p, out->schema, err);
    if (rc == LL_OK) rc = make_tables(connection, p, err);
    if (rc == LL_OK) rc = grant(connection, out->schema, err);
    if (rc == LL_OK)
        rc = pg_script(connection, "set local search_path = pg_catalog", err);
    if (rc == LL_OK) rc = catalog_lint(connection, p, out->schema, err);
    return rc;
}

ll_rc generation_create(PGconn *connection, const struct projection *p,
                        enum generation_builder builder, struct generation *out,
                        struct ll_error *err)
{
    ll_rc rc = generation_begin(connection, p, err);

    if (rc == LL_OK) rc = generation_make(connection, p, builder, out, err);
    return generation_end(connection, rc, err);
}

/* ---- finding one ---- */

/* Of a replay whose lease nobody holds. */
#define REPLAY_IS_ALIVE \
    "exists (select from landlog.lease l join pg_stat_get_activity(l.pid) b" \
    "   on b.backend_start = l.backend_start" \
    "  where l.name = 'replay/' || g.projection and l.expires > clock_timestamp())"

/* An old one whose checkpoints were fenced by a swap can never be written again. */
static ll_rc is_fenced(PGconn *connection, const struct generation *g, bool *out,
                       struct ll_error *err)
{
    char sql[256];
    PGresult *result;
    ll_rc rc;

    snprintf(sql, sizeof(sql),
             "select from \"%s\".checkpoint where epoch = " GENERATION_FENCED " limit 1",
             g->schema);
    rc = pg_query(connection, sql, NULL, 0, &result, err);
    if (rc != LL_OK) return rc;
    *out = PQntuples(result) > 0;
    PQclear(result);
    return LL_OK;
}

ll_rc generation_set_state(PGconn *connection, const struct generation *g,
                           const char *state, struct ll_error *err)
{
    return generation_run(connection, err,
                          "update landlog.generation set state = '%s',"
                          " changed = clock_timestamp() where schema = '%s'",
                          state, g->schema);
}

/* The best row that there is, best first; LL_ENOTFOUND when none will do. */
static ll_rc choose(PGconn *connection, const PGresult *rows, struct generation *out,
                    enum generation_state *state, struct ll_error *err)
{
    bool fenced = false;
    ll_rc rc;

    if (PQntuples(rows) == 0) return LL_ENOTFOUND;
    generation_read(rows, 0, out);
    *state = generation_state_of(PQgetvalue(rows, 0, 2));
    if (*state == GENERATION_LIVE) return LL_OK;
    if (*state == GENERATION_BUILDING)
        return generation_run(connection, err,
                              "update landlog.generation set builder = 'project'"
                              " where schema = '%s'",
                              out->schema);
    rc = is_fenced(connection, out, &fenced, err);
    if (rc != LL_OK || fenced) return fenced ? LL_ENOTFOUND : rc;
    *state = GENERATION_LIVE;
    return generation_set_state(connection, out, "live", err);
}

/* Is a replay at work, with nothing else live? */
static ll_rc check_replay(PGconn *connection, const struct projection *p,
                          struct ll_error *err)
{
    PGresult *rows;
    ll_rc rc = generation_rows(connection, p,
                               "g.identity = $2::uuid and g.state = 'building'"
                               " and g.builder = 'replay' and " REPLAY_IS_ALIVE,
                               &rows, err);

    if (rc != LL_OK) return rc;
    if (PQntuples(rows) > 0)
        rc = ll_fail(err, LL_ECONFLICT, "\"%s\" is being replayed into %s", p->name,
                     PQgetvalue(rows, 0, 1));
    PQclear(rows);
    return rc;
}

static ll_rc adopt(PGconn *connection, const struct projection *p, struct generation *out,
                   enum generation_state *state, struct ll_error *err)
{
    PGresult *rows;
    ll_rc rc = generation_rows(connection, p,
                               "g.identity = $2::uuid and (g.state = 'live'"
                               " or g.state = 'building' and (g.builder = 'project'"
                               "  or not " REPLAY_IS_ALIVE ")"
                               " or g.state = 'old')"
                               " order by case g.state when 'live' then 1"
                               "  when 'building' then 2 else 3 end, g.builder,"
                               " g.number desc",
                               &rows, err);

    if (rc != LL_OK) return rc;
    rc = LL_ENOTFOUND;
    if (PQntuples(rows) > 0 && strcmp(PQgetvalue(rows, 0, 2), "live") == 0)
        rc = choose(connection, rows, out, state, err);
    if (rc == LL_ENOTFOUND) {
        rc = check_replay(connection, p, err);
        if (rc == LL_OK) rc = choose(connection, rows, out, state, err);
    }
    PQclear(rows);
    if (rc != LL_ENOTFOUND) return rc;
    *state = GENERATION_BUILDING;
    return generation_make(connection, p, GENERATION_PROJECT, out, err);
}

ll_rc generation_adopt(PGconn *connection, const struct projection *p,
                       struct generation *out, enum generation_state *state,
                       struct ll_error *err)
{
    ll_rc rc = generation_begin(connection, p, err);

    if (rc == LL_OK) rc = adopt(connection, p, out, state, err);
    return generation_end(connection, rc, err);
}

ll_rc generation_find_replay(PGconn *connection, const struct projection *p,
                             struct generation *out, struct ll_error *err)
{
    PGresult *rows;
    ll_rc rc = generation_rows(connection, p,
                               "g.identity = $2::uuid and g.state = 'building'"
                               " and g.builder = 'replay' order by g.number desc",
                               &rows, err);

    if (rc != LL_OK) return rc;
    if (PQntuples(rows) > 0)
        generation_read(rows, 0, out);
    else
        rc = ll_fail(err, LL_ENOTFOUND, "no replay of \"%s\" was interrupted", p->name);
    PQclear(rows);
    return rc;
}

ll_rc generation_set_halted(PGconn *connection, const struct generation *g,
                            const char *why, struct ll_error *err)
{
    const char *const values[] = {g->schema, why};

    return pg_query(connection,
                    "update landlog.generation set halted = $2 where schema = $1"
                    " and halted is distinct from $2",
                    values, 2, NULL, err);
}
