/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* mover_session.c - a mover's connections and its statements. */
#include "core/react/mover_private.h"

#include "core/pg/connect.h"

#include <stdio.h>

enum { STATEMENT_MAX = 4096 };

/* $1 topics and $2 partitions held, $3 rows of each at most. Due by Postgres' clock, so
 * that an event's time is never before the time it was due. */
#define NOW "(select floor(extract(epoch from clock_timestamp()) * 1000)::bigint)"

static const char fetch_sql[] =
    "select h.n, o.subject, o.type, o.data, o.input_id"
    " from unnest($1::text[], $2::int[]) with ordinality h(topic, number, n)"
    " cross join lateral (select * from \"%s\".outgoing o"
    "   where o.input_topic = h.topic and o.input_partition = h.number"
    "     and o.due <= " NOW
    "   order by o.due, o.input_sequence, o.place, o.subject limit $3::int) o"
    " where exists (select from landlog.generation g"
    "   where g.schema = '%s' and g.state = 'live')"
    " order by h.n, o.due, o.input_sequence, o.place, o.subject";

/* Milliseconds until the next is due. */
static const char next_sql[] =
    "select min(o.due) - " NOW " from unnest($1::text[], $2::int[]) h(topic, number)"
    " cross join lateral (select o.due from \"%s\".outgoing o"
    "   where o.input_topic = h.topic and o.input_partition = h.number"
    "   order by o.due limit 1) o";

/* $1 subjects, $2 for each the place of its partition in $3 topics, $4 numbers, $5
 * epochs.
 */
static const char delete_sql[] =
    "delete from \"%s\".outgoing o"
    " using unnest($1::text[], $2::int[]) d(subject, held)"
    " join unnest($3::text[], $4::int[], $5::bigint[]) with ordinality"
    "   h(topic, number, epoch, n) on h.n = d.held"
    " join \"%s\".checkpoint c"
    "   on c.topic = h.topic and c.partition = h.number and c.epoch = h.epoch"
    " where o.subject = d.subject";

/* $1 service, $2 events that its relay may be behind. */
static const char gate_sql[] =
    "select r.store = 'kafka' and (not landlog.is_open(r.service)"
    "   or landlog.relay_lag(r.service) > $2::bigint)"
    " from landlog.referee r where r.service = $1";

/* The table is small when plans are made, and large when it matters. */
static const char session_sql[] =
    "set synchronous_commit = off; set plan_cache_mode = force_generic_plan;"
    "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off;"
    "set lock_timeout = '5s'";

static ll_rc prepare(struct mover *m, const char *name, const char *fmt,
                     struct ll_error *err)
{
    const char *schema = m->options.generation.schema;
    char sql[STATEMENT_MAX];
    PGresult *result;
    ll_rc rc = LL_OK;
    int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    n = snprintf(sql, sizeof(sql), fmt, schema, schema);
#pragma GCC diagnostic pop
    LL_CHECK(n > 0 && (size_t)n < sizeof(sql));
    result = PQprepare(m->tables, name, sql, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = pg_fail(m->tables, result, "prepare", err);
    PQclear(result);
    return rc;
}

/* One simple query, which commits without the client: one that is stopped between Execute
 * and Sync would keep its locks, and who takes its partitions over does not end the
 * mover's backend. */
ll_rc mover_run(struct mover *m, const char *name, const char *const *values, size_t n,
                PGresult **out, struct ll_error *err)
{
    PGresult *result;
    struct builder sql;
    ll_rc rc = LL_OK;

    builder_init(&sql, 4 * ARRAYS_MAX);
    builder_printf(&sql, "execute \"%s\"", name);
    for (size_t i = 0; i < n; i++) {
        builder_string(&sql, i == 0 ? " (" : ", ");
        pg_literal(&sql, text_of(values[i]));
    }
    builder_char(&sql, ')');
    LL_CHECK(!sql.full);
    result = PQexec(m->tables, builder_view(&sql).ptr);
    builder_fini(&sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK &&
        PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = pg_fail(m->tables, result, name, err);
    if (rc == LL_OK && out != NULL)
        *out = result;
    else
        PQclear(result);
    return rc;
}

ll_rc mover_connect(struct mover *m, struct ll_error *err)
{
    const char *conninfo = settings_string(m->options.settings, SETTING_POSTGRES);
    ll_rc rc;

    if (m->tables != NULL && m->log != NULL) return LL_OK;
    mover_disconnect(m);
    rc = pg_connect(conninfo, "mover", &m->tables, err);
    if (rc == LL_OK) rc = pg_connect(conninfo, "mover append", &m->log, err);
    if (rc == LL_OK) rc = pg_script(m->tables, session_sql, err);
    if (rc == LL_OK) rc = prepare(m, "fetch", fetch_sql, err);
    if (rc == LL_OK) rc = prepare(m, "next", next_sql, err);
    if (rc == LL_OK) rc = prepare(m, "delete", delete_sql, err);
    if (rc == LL_OK) rc = prepare(m, "gate", gate_sql, err);
    if (rc != LL_OK) mover_disconnect(m);
    return rc;
}

void mover_disconnect(struct mover *m)
{
    PQfinish(m->tables);
    PQfinish(m->log);
    m->tables = m->log = NULL;
    m->gate_count = 0;
}
