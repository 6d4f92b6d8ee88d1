/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* status_command.c - `landlog status`: topics, leases and workers, read from Postgres in
 * one snapshot; projections with their lag and reactors (core/projection/status.h); jobs.
 */
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/cli/command.h"
#include "core/pg/connect.h"
#include "core/projection/status.h"

#include <inttypes.h>
#include <stdarg.h>
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

static const char *state_of(const struct status_generation *g)
{
    static const char *const names[] = {[GENERATION_BUILDING] = "building",
                                        [GENERATION_LIVE] = "live",
                                        [GENERATION_OLD] = "old",
                                        [GENERATION_DROPPED] = "dropped"};

    return g->halted[0] != '\0' ? "halted" : names[g->state];
}

static json_t *text_printf(const char *fmt, ...) LL_PRINTF(1, 2);

static json_t *text_printf(const char *fmt, ...)
{
    char text[64];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return json_string(text);
}

struct listing {
    json_t *rows, *reactors;
    const char *projection;
};

static void list_generation(void *context, const struct status_generation *g)
{
    const struct listing *l = context;
    json_t *row = json_object();

    json_object_set_new(row, "projection", json_string(l->projection));
    json_object_set_new(row, "generation", json_string(g->generation.schema));
    json_object_set_new(row, "state", json_string(state_of(g)));
    json_object_set_new(row, "applied", text_printf("%" PRIu64, g->applied));
    json_object_set_new(row, "behind", text_printf("%" PRIu64, g->behind));
    json_object_set_new(row, "stalled_seconds", text_printf("%.1f", g->stalled_s));
    json_object_set_new(row, "projectors", text_printf("%zu", g->projectors));
    json_object_set_new(row, "why", json_string(g->halted));
    json_array_append_new(l->rows, row);
}

static void list_reactor(void *context, const struct status_generation *g)
{
    const struct listing *l = context;
    char next[CLOCK_TEXT] = "";
    json_t *row = json_object();

    list_generation(context, g);
    if (g->next_due > 0) clock_print(g->next_due, next);
    json_object_set_new(row, "reactor", json_string(l->projection));
    json_object_set_new(row, "generation", json_string(g->generation.schema));
    json_object_set_new(row, "state", json_string(state_of(g)));
    json_object_set_new(row, "pending", text_printf("%" PRIu64, g->pending));
    json_object_set_new(row, "timers", text_printf("%" PRIu64, g->timers));
    json_object_set_new(row, "next_due", json_string(next));
    json_array_append_new(l->reactors, row);
}

static void list_unknown(const struct listing *l, const char *why)
{
    struct status_generation none = {0};
    json_t *row;

    list_generation((void *)(uintptr_t)l, &none);
    row = json_array_get(l->rows, json_array_size(l->rows) - 1);
    json_object_set_new(row, "state", json_string("unknown"));
    json_object_set_new(row, "why", json_string(why));
}

/* What cannot be told (Kafka is away, say) is a row that says why. */
static void list_projections(PGconn *connection, const struct settings *settings,
                             json_t *status)
{
    struct listing l = {.rows = json_array(), .reactors = json_array()};
    struct registry *registry;
    struct ll_error err;

    if (registry_load(&registry, &err) != LL_OK) die("%s", err.text);
    for (size_t i = 0; (l.projection = projection_name_at(i)) != NULL; i++) {
        struct projection *p;

        if (projection_load(l.projection, registry, &p, &err) != LL_OK)
            die("%s", err.text);
        if (projection_status(connection, settings, p,
                              projection_is_reactor(p) ? list_reactor : list_generation,
                              &l, &err) != LL_OK)
            list_unknown(&l, err.text);
        projection_free(p);
    }
    registry_free(registry);
    json_object_set_new(status, "projections", l.rows);
    json_object_set_new(status, "reactors", l.reactors);
}

/* No process that does jobs may ever have run here. */
static json_t *jobs(PGconn *connection)
{
    PGresult *r = ask(connection, "select to_regclass('landlog.job') is null");
    bool is_there = PQgetvalue(r, 0, 0)[0] == 'f';
    json_t *rows;

    PQclear(r);
    if (!is_there) return json_array();
    r = ask(connection,
            "select name, runs, case when started > coalesce(ended, '-infinity')"
            " then 'begun' when error is null then 'done' else 'failed' end as state,"
            " to_char(ended at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
            " as ended, error as why from landlog.job order by name");
    rows = rows_of(r);
    PQclear(r);
    return rows;
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
    if (pg_script(connection, "commit", &err) != LL_OK) die("%s", err.text);
    list_projections(connection, line->settings, status);
    json_object_set_new(status, "jobs", jobs(connection));
    PQfinish(connection);

    if (command_option(line, "json") != NULL) {
        struct builder b;

        builder_init(&b, 16 * 1024 * 1024);
        json_write(status, &b);
        printf("%s\n", builder_view(&b).ptr);
        builder_fini(&b);
    } else {
        static const char *const order[] = {"log",  "topics", "projections", "reactors",
                                            "jobs", "leases", "workers"};

        for (size_t i = 0; i < LL_LENGTH(order); i++)
            print_table(order[i], json_object_get(status, order[i]));
    }
    json_decref(status);
    return 0;
}

const struct command status_command = {
    .name = "status",
    .summary = "show topics, projections, reactors and their lag, jobs, leases, workers",
    .arguments = "",
    .options = options,
    .run = status_run,
};
