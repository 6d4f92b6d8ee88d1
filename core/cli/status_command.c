/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* status_command.c - `landlog status`: topics, projections and their lag, leases and
 * workers, read from Postgres in one snapshot. */
#include "core/base/json.h"
#include "core/cli/command.h"
#include "core/pg/connect.h"

#include <stdio.h>
#include <string.h>

static const struct command_option options[] = {
    {"json", NULL, "print one JSON object", 0},
    {0},
};

/* One section: a title and the query that fills it; every value is text. */
static const struct section {
    const char *name;
    const char *sql;
} sections[] = {
    {"log",
     "select l.incarnation, r.service, r.store,"
     " case when r.gate = landlog.gate() then 'open' else 'closed' end as gate, r.epoch"
     " from landlog.log l cross join landlog.referee r order by r.service"},
    {"topics",
     "select p.topic, count(*) as partitions, coalesce(sum(e.sequence), 0) as events,"
     " to_char(to_timestamp(max(e.time) / 1000.0) at time zone 'UTC',"
     " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as last"
     " from landlog.partition p left join lateral (select sequence, time from "
     "landlog.event"
     " where partition = p.id order by sequence desc limit 1) e on true"
     " group by p.topic order by p.topic"},
    {"leases",
     "select name, owner, epoch, case when pid is null then 'free'"
     " when expires < clock_timestamp() then 'expired' else 'held' end as state,"
     " round(extract(epoch from expires - clock_timestamp())::numeric, 1) as seconds"
     " from landlog.lease order by name"},
    {"workers", "select name, kind, detail,"
                " round(extract(epoch from clock_timestamp() - seen)::numeric, 1)"
                " as seen_seconds_ago from landlog.worker order by kind, name"},
};

static const char generations_sql[] =
    "select projection, schema, state, coalesce(halted, '') from landlog.generation"
    " where state in ('live', 'building', 'old') order by projection, number";

static PGresult *ask(PGconn *connection, const char *sql)
{
    struct ll_error err;
    PGresult *r;

    if (pg_query(connection, sql, NULL, 0, &r, &err) != LL_OK) die("%s", err.text);
    return r;
}

static json_t *rows_of(const PGresult *r)
{
    json_t *rows = json_array();

    for (int i = 0; i < PQntuples(r); i++) {
        json_t *row = json_object();

        for (int k = 0; k < PQnfields(r); k++)
            json_object_set_new(row, PQfname(r, k),
                                PQgetisnull(r, i, k) ? json_null()
                                                     : json_string(PQgetvalue(r, i, k)));
        json_array_append_new(rows, row);
    }
    return rows;
}

/* A generation's checkpoints against the ends of their partitions. */
static void generation_sql(const char *projection, const char *schema, const char *state,
                           const char *halted, struct builder *sql)
{
    builder_string(sql, "select ");
    pg_literal(sql, text_of(projection));
    builder_string(sql, " as projection, ");
    pg_literal(sql, text_of(schema));
    builder_string(sql, " as generation, case when ");
    pg_literal(sql, text_of(halted));
    builder_string(sql, " <> '' then 'halted' else ");
    pg_literal(sql, text_of(state));
    builder_string(sql, " end as state, sum(c.sequence) as applied,"
                        " sum(coalesce(e.sequence, 0) - c.sequence) as behind, ");
    pg_literal(sql, text_of(halted));
    builder_string(sql, " as why from ");
    pg_identifier(sql, text_of(schema));
    builder_string(sql,
                   ".checkpoint c join landlog.partition p"
                   " on p.topic = c.topic and p.number = c.partition"
                   " left join lateral (select sequence from landlog.event"
                   " where partition = p.id order by sequence desc limit 1) e on true");
}

static json_t *projections(PGconn *connection)
{
    PGresult *generations = ask(connection, generations_sql);
    json_t *all = json_array();

    for (int i = 0; i < PQntuples(generations); i++) {
        struct builder sql;
        json_t *rows;
        PGresult *r;

        builder_init(&sql, 16 * 1024);
        generation_sql(PQgetvalue(generations, i, 0), PQgetvalue(generations, i, 1),
                       PQgetvalue(generations, i, 2), PQgetvalue(generations, i, 3),
                       &sql);
        r = ask(connection, builder_view(&sql).ptr);
        rows = rows_of(r);
        json_array_extend(all, rows);
        json_decref(rows);
        PQclear(r);
        builder_fini(&sql);
    }
    PQclear(generations);
    return all;
}

static int width_of(const json_t *rows, const char *name)
{
    size_t width = strlen(name), i;
    json_t *row;

    json_array_foreach((json_t *)(uintptr_t)rows, i, row)
    {
        size_t n = json_string_length(json_object_get(row, name));

        if (n > width) width = n;
    }
    return (int)width;
}

static void print_table(const char *title, const json_t *rows)
{
    const json_t *first = json_array_get(rows, 0);
    const char *name;
    json_t *value, *row;
    size_t i;

    printf("%s\n", title);
    if (first == NULL) {
        printf("  none\n\n");
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)first, name, value)
        printf("  %-*s", width_of(rows, name), name);
    printf("\n");
    json_array_foreach((json_t *)(uintptr_t)rows, i, row)
    {
        json_object_foreach(row, name, value)
        {
            const char *text = json_string_value(value);

            printf("  %-*s", width_of(rows, name), text ? text : "");
        }
        printf("\n");
    }
    printf("\n");
}

static int status_run(const struct command_line *line)
{
    json_t *status = json_object();
    struct ll_error err;
    PGconn *connection;

    if (pg_connect(settings_string(line->settings, SETTING_POSTGRES), "landlog status",
                   &connection, &err) != LL_OK ||
        pg_script(connection, "begin isolation level repeatable read read only", &err) !=
            LL_OK)
        die("%s", err.text);
    for (size_t i = 0; i < LL_LENGTH(sections); i++) {
        PGresult *r = ask(connection, sections[i].sql);

        json_object_set_new(status, sections[i].name, rows_of(r));
        PQclear(r);
    }
    json_object_set_new(status, "projections", projections(connection));
    PQfinish(connection);

    if (command_option(line, "json") != NULL) {
        struct builder b;

        builder_init(&b, 16 * 1024 * 1024);
        json_write(status, &b);
        printf("%s\n", builder_view(&b).ptr);
        builder_fini(&b);
    } else {
        static const char *const order[] = {"log", "topics", "projections", "leases",
                                            "workers"};

        for (size_t i = 0; i < LL_LENGTH(order); i++)
            print_table(order[i], json_object_get(status, order[i]));
    }
    json_decref(status);
    return 0;
}

const struct command status_command = {
    .name = "status",
    .summary = "show topics, projections and their lag, leases and workers",
    .arguments = "",
    .options = options,
    .run = status_run,
};
