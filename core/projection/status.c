/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* status.c - see status.h. */
#include "core/projection/status.h"

#include "core/pg/connect.h"
#include "core/projection/generation_row.h"
#include "core/projection/lag.h"

#include <stdio.h>
#include <stdlib.h>

static const char generations_sql[] =
    "select g.number, g.schema, g.state, g.identity, g.builder = 'replay',"
    "  coalesce(g.halted, ''),"
    "  (select count(*) from landlog.projector w"
    "     join pg_stat_get_activity(w.pid) b on b.backend_start = w.backend_start"
    "    where w.schema = g.schema and w.seen > clock_timestamp() - interval '5 s')"
    " from landlog.generation g where g.projection = $1 and g.state <> 'dropped'"
    " order by g.number";

/* Idle until the first event came that is not applied yet (where Postgres has it still).
 */
static const char partitions_sql[] =
    "select c.topic, c.partition, c.sequence, c.epoch,"
    "  extract(epoch from clock_timestamp() - greatest(c.updated,"
    "    (select timestamptz 'epoch' + e.time * interval '1 ms' from landlog.event e"
    "      where e.partition = p.id and e.sequence = c.sequence + 1)))::float8,"
    "  coalesce((select l.owner from landlog.lease l"
    "     join pg_stat_get_activity(l.pid) b on b.backend_start = l.backend_start"
    "    where l.name = 'project/%s/' || c.topic || '/' || c.partition"
    "      and l.expires > clock_timestamp()), '')"
    " from \"%s\".checkpoint c"
    " left join landlog.partition p on p.topic = c.topic and p.number = c.partition"
    " order by c.topic collate \"C\", c.partition";

static const char outgoing_sql[] =
    "with o as (select due, due <= floor(extract(epoch from clock_timestamp()) * 1000)"
    "    as is_due from \"%s\".outgoing limit %d)"
    " select count(*) filter (where is_due), count(*) filter (where not is_due),"
    "  coalesce(min(due) filter (where not is_due), 0) from o";

static ll_rc read_outgoing(PGconn *connection, struct status_generation *g,
                           struct ll_error *err)
{
    char sql[PROJECTION_SCHEMA + 16 + sizeof(outgoing_sql)];
    PGresult *row;
    ll_rc rc;

    snprintf(sql, sizeof(sql), outgoing_sql, g->generation.schema, STATUS_OUTGOING);
    rc = pg_query(connection, sql, NULL, 0, &row, err);
    if (rc != LL_OK) return rc;
    g->pending = strtoull(PQgetvalue(row, 0, 0), NULL, 10);
    g->timers = strtoull(PQgetvalue(row, 0, 1), NULL, 10);
    g->next_due = strtoll(PQgetvalue(row, 0, 2), NULL, 10);
    PQclear(row);
    return LL_OK;
}

static void read_partition(const PGresult *rows, int i, const struct lag_probe *probe,
                           struct status_generation *g, struct status_partition *out)
{
    *out = (struct status_partition){
        .topic = PQgetvalue(rows, i, 0),
        .partition = (uint32_t)strtoul(PQgetvalue(rows, i, 1), NULL, 10),
        .sequence = strtoull(PQgetvalue(rows, i, 2), NULL, 10),
        .epoch = strtoull(PQgetvalue(rows, i, 3), NULL, 10),
    };
    out->end = lag_probe_end(probe, out->topic, out->partition);
    out->behind = out->end > out->sequence ? out->end - out->sequence : 0;
    if (out->behind > 0) out->stalled_s = strtod(PQgetvalue(rows, i, 4), NULL);
    snprintf(out->owner, sizeof(out->owner), "%s", PQgetvalue(rows, i, 5));
    g->applied += out->sequence;
    g->behind += out->behind;
    if (out->stalled_s > g->stalled_s) g->stalled_s = out->stalled_s;
}

static ll_rc read_partitions(PGconn *connection, const struct lag_probe *probe,
                             struct status_generation *g,
                             void (*each)(void *, const struct status_generation *),
                             void *context, struct ll_error *err)
{
    char sql[2 * PROJECTION_SCHEMA + sizeof(partitions_sql)];
    struct status_partition *partitions;
    PGresult *rows;
    ll_rc rc;

    snprintf(sql, sizeof(sql), partitions_sql, g->generation.schema,
             g->generation.schema);
    rc = pg_query(connection, sql, NULL, 0, &rows, err);
    if (rc != LL_OK) return rc;
    g->partition_count = (size_t)PQntuples(rows);
    partitions = ll_calloc(g->partition_count + 1, sizeof(*partitions));
    for (int i = 0; i < PQntuples(rows); i++)
        read_partition(rows, i, probe, g, &partitions[i]);
    g->partitions = partitions;
    each(context, g);
    free(partitions);
    PQclear(rows);
    return LL_OK;
}

static void read_generation(const PGresult *rows, int i, const struct projection *p,
                            struct status_generation *out)
{
    struct uuid ours = projection_identity(p);

    *out = (struct status_generation){
        .state = generation_state_of(PQgetvalue(rows, i, 2)),
        .is_replay = PQgetvalue(rows, i, 4)[0] == 't',
        .projectors = strtoul(PQgetvalue(rows, i, 6), NULL, 10),
    };
    generation_read(rows, i, &out->generation);
    out->is_ours = uuid_equal(&out->generation.identity, &ours);
    snprintf(out->halted, sizeof(out->halted), "%s", PQgetvalue(rows, i, 5));
}

static ll_rc find_table(PGconn *connection, struct ll_error *err)
{
    PGresult *result;
    ll_rc rc = pg_query(connection, "select to_regclass('landlog.generation') is null",
                        NULL, 0, &result, err);

    if (rc != LL_OK) return rc;
    if (PQgetvalue(result, 0, 0)[0] == 't')
        rc = ll_fail(err, LL_ENOTFOUND, "no projector has ever run here");
    PQclear(result);
    return rc;
}

ll_rc projection_status(PGconn *connection, const struct settings *settings,
                        const struct projection *p,
                        void (*each)(void *context, const struct status_generation *g),
                        void *context, struct ll_error *err)
{
    const char *name = projection_name(p);
    struct lag_probe *probe = NULL;
    PGresult *rows = NULL;
    ll_rc rc = find_table(connection, err);

    if (rc == LL_OK) rc = lag_probe_open(settings, p, &probe, err);
    if (rc == LL_OK) rc = pg_query(connection, generations_sql, &name, 1, &rows, err);
    if (rc == LL_OK) rc = lag_probe_look(probe, err);
    for (int i = 0; rc == LL_OK && i < PQntuples(rows); i++) {
        struct status_generation g;

        read_generation(rows, i, p, &g);
        if (projection_is_reactor(p)) rc = read_outgoing(connection, &g, err);
        if (rc == LL_OK) rc = read_partitions(connection, probe, &g, each, context, err);
    }
    PQclear(rows);
    lag_probe_close(probe);
    return rc;
}
