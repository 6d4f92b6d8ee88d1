/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* folded.c - see folded.h. */
#include "folded.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/event/registry.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROJECTION "counts"

static const char counted_schema[] =
    "{\"$schema\": \"http://json-schema.org/draft-07/schema#\","
    " \"title\": \"test.counted\", \"description\": \"Something was counted.\","
    " \"x-description\": \"Emitted by tests.\", \"x-topic\": \"things\","
    " \"x-key\": \"{key}\", \"x-subject\": \"{key}\", \"x-tags\": [],"
    " \"type\": \"object\", \"additionalProperties\": false,"
    " \"required\": [\"key\", \"n\"], \"properties\": {"
    "  \"key\": {\"type\": \"string\", \"pattern\": \"^[a-z0-9]+$\"},"
    "  \"n\": {\"type\": \"integer\"},"
    "  \"ratio\": {\"type\": \"number\"},"
    "  \"is_odd\": {\"type\": \"boolean\"},"
    "  \"note\": {\"type\": [\"string\", \"null\"], \"maxLength\": 100},"
    "  \"parts\": {\"type\": \"array\", \"items\": {\"type\": \"integer\"}}},"
    " \"examples\": [{\"key\": \"k1\", \"n\": 3}]}";

static const char topics_json[] =
    "{\"things\": {\"service\": \"test\", \"partitions\": 8, \"keyed-by\": \"nothing\"},"
    " \"others\": {\"service\": \"other\", \"partitions\": 1, \"keyed-by\": "
    "\"nothing\"}}";

static const struct embedded_file files[] = {
    {"schemas/test/test.counted.v1.json", counted_schema,
     counted_schema + sizeof(counted_schema) - 1},
    {"schemas/topics.json", topics_json, topics_json + sizeof(topics_json) - 1},
    {0},
};

static const char schema_sql[] =
    "create table tally (key text primary key, events bigint not null,"
    " total int not null, last_id uuid not null, last_at bigint not null, ratio float8,"
    " is_odd boolean, note text, parts jsonb);\n"
    "create table trace (id uuid not null, key text not null, at bigint not null);\n"
    "create index trace_id on trace (id);\n";

static const char apply_sql[] =
    "-- on test.counted\n"
    "insert into tally (key, events, total, last_id, last_at, ratio, is_odd, note, "
    "parts)\n"
    "values (:key, 1, :n, :event.id, :event.time, :ratio, :is_odd, :note, :parts)\n"
    "on conflict (key) do update set events = tally.events + 1,\n"
    " total = tally.total + excluded.total, last_id = excluded.last_id,\n"
    " last_at = excluded.last_at, ratio = excluded.ratio, is_odd = excluded.is_odd,\n"
    " note = excluded.note, parts = excluded.parts;\n"
    "insert into trace (id, key, at) values (:event.id, :event.key, :event.sequence);\n";

static const char queries_sql[] =
    "-- query tally(key text)\n"
    "select 200 as status, row_to_json(t)::text as body from tally t where key = :key;\n";

static void must(ll_rc rc, const struct ll_error *err)
{
    if (rc != LL_OK) suite_die("%s", err->text);
}

struct projection *folded_projection(const struct folded *f, const char *apply)
{
    const struct projection_files texts = {.schema = text_of(schema_sql),
                                           .apply = text_of(apply ? apply : apply_sql),
                                           .queries = text_of(queries_sql)};
    struct projection *p;
    struct ll_error err;

    must(projection_make(PROJECTION, &texts, f->registry, &p, &err), &err);
    return p;
}

void folded_open(struct folded *f, const struct suite *s, const char *apply)
{
    struct ll_error err;

    *f = (struct folded){0};
    testlog_open(&f->log, s);
    must(registry_load_files(files, &f->registry, &err), &err);
    f->projection = folded_projection(f, apply);
    f->connection = testlog_connect(&f->log);
    must(generation_install(f->connection, &err), &err);
}

void folded_close(struct folded *f)
{
    PQfinish(f->connection);
    projection_free(f->projection);
    registry_free(f->registry);
    testlog_close(&f->log);
}

/* ---- appending ---- */

static json_t *make_data(int key, int n)
{
    char name[16];

    snprintf(name, sizeof(name), "k%d", key);
    return json_pack("{s:s, s:i, s:f, s:b, s:s*, s:[i,i]}", "key", name, "n", n, "ratio",
                     n / 3.0, "is_odd", n % 2, "note", n % 5 ? "it's \xc3\xa9" : NULL,
                     "parts", n, n + 1);
}

static void append_data(struct folded *f, json_t **data, size_t n)
{
    testlog_append_data(f->connection, f->registry, TEXT("test.counted"), data, n);
    f->appended += n;
}

void folded_append(struct folded *f, size_t n, int only)
{
    json_t **data = ll_calloc(n, sizeof(json_t *));

    for (size_t i = 0; i < n; i++) {
        int key = only >= 0 ? only : rand() % FOLDED_KEYS, value = rand() % 1000;

        data[i] = make_data(key, value);
        f->count[key]++;
        f->total[key] += value;
    }
    append_data(f, data, n);
    free(data);
}

void folded_append_poison(struct folded *f)
{
    json_t *data = json_pack("{s:s, s:I}", "key", "k1", "n", (json_int_t)1 << 40);

    append_data(f, &data, 1);
}

/* ---- looking ---- */

bool folded_live(struct folded *f, struct generation *out)
{
    char identity[UUID_TEXT];
    const char *const values[] = {PROJECTION, identity};
    struct uuid id = projection_identity(f->projection);
    struct ll_error err;
    PGresult *row;
    bool found;

    uuid_print(&id, identity);
    must(pg_query(f->connection, projection_live_sql, values, 2, &row, &err), &err);
    found = PQntuples(row) == 1;
    if (found) {
        *out = (struct generation){
            .number = (uint32_t)strtoul(PQgetvalue(row, 0, 1), NULL, 10), .identity = id};
        snprintf(out->schema, sizeof(out->schema), "%s", PQgetvalue(row, 0, 0));
    }
    PQclear(row);
    return found;
}

char *folded_ask(struct folded *f, const struct generation *g, const char *sql)
{
    struct builder b;
    struct ll_error err;
    PGresult *row;
    char *value;

    builder_init(&b, 16 * 1024);
    for (const char *at; (at = strstr(sql, "%s")) != NULL; sql = at + 2) {
        builder_add(&b, sql, (size_t)(at - sql));
        builder_string(&b, g->schema);
    }
    builder_string(&b, sql);
    must(pg_query(f->connection, builder_view(&b).ptr, NULL, 0, &row, &err), &err);
    if (PQntuples(row) != 1) suite_die("%d rows: %s", PQntuples(row), b.ptr);
    value = ll_strdup(PQgetvalue(row, 0, 0));
    PQclear(row);
    builder_fini(&b);
    return value;
}

char *folded_rows(struct folded *f, const struct generation *g)
{
    return folded_ask(
        f, g,
        "select concat_ws(' ',"
        " (select md5(string_agg(t::text, '/' order by t::text)) from %s.tally t),"
        " (select md5(string_agg(t::text, '/' order by t::text)) from %s.trace t),"
        " (select string_agg(topic || '/' || partition || '=' || sequence || ' ' ||"
        "    coalesce(event_id::text, ''), ',' order by topic, partition)"
        "    from %s.checkpoint))");
}

static bool is_at_end(void *context)
{
    struct folded *f = context;
    struct generation g;
    char *applied;
    bool done;

    if (!folded_live(f, &g)) return false;
    applied = folded_ask(f, &g, "select coalesce(sum(sequence), 0) from %s.checkpoint");
    done = strtoull(applied, NULL, 10) == f->appended;
    free(applied);
    return done;
}

bool folded_wait(struct folded *f, double seconds)
{
    return wait_until(seconds, is_at_end, f);
}

bool folded_is_right(struct folded *f)
{
    struct generation g;
    bool right = folded_live(f, &g);
    char *events, *ids;

    if (!right) return false;
    for (int key = 0; key < FOLDED_KEYS && right; key++) {
        char sql[160], expected[64];
        char *is;

        if (f->count[key] == 0) continue;
        snprintf(sql, sizeof(sql),
                 "select coalesce((select events || ' ' || total from %%s.tally"
                 " where key = 'k%d'), 'none')",
                 key);
        snprintf(expected, sizeof(expected), "%" PRId64 " %" PRId64, f->count[key],
                 f->total[key]);
        is = folded_ask(f, &g, sql);
        right = strcmp(is, expected) == 0;
        if (!right) printf("k%d is %s, not %s\n", key, is, expected);
        free(is);
    }
    events = folded_ask(f, &g, "select count(*) from %s.trace");
    ids = folded_ask(f, &g, "select count(distinct id) from %s.trace");
    if (strtoull(events, NULL, 10) != f->appended || strcmp(events, ids) != 0) {
        printf("%s events, %s ids, of %" PRIu64 "\n", events, ids, f->appended);
        right = false;
    }
    free(events);
    free(ids);
    return right;
}

/* ---- processes ---- */

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
    (void)number;
    is_stopping = 1;
}

static int keep(const struct folded *f, const char *conninfo, size_t workers)
{
    const struct projection *const projections[] = {f->projection};
    const struct sigaction action = {.sa_handler = on_signal};
    char number[16];
    struct settings *settings;
    struct keeper *k;
    struct ll_error err;
    ll_rc rc = LL_OK;

    sigaction(SIGTERM, &action, NULL);
    note_setup("folded", NOTE_ERROR);
    snprintf(number, sizeof(number), "%zu", workers);
    must(settings_load("/dev/null", &settings, &err), &err);
    must(settings_set(settings, TEXT("postgres"), text_of(conninfo), "test", &err), &err);
    must(settings_set(settings, TEXT("project.workers"), text_of(number), "test", &err),
         &err);
    k = keeper_new(&(struct keeper_options){.kind = "project",
                                            .settings = settings,
                                            .registry = f->registry,
                                            .projections = projections,
                                            .count = 1});
    while (!is_stopping && rc == LL_OK) rc = keeper_step(k, 50, &err);
    keeper_free(k);
    settings_free(settings);
    return rc == LL_OK ? 0 : 3;
}

pid_t folded_start(struct folded *f, const char *conninfo, size_t workers)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0) suite_die("fork failed");
    if (pid > 0) return pid;
    _exit(keep(f, conninfo ? conninfo : f->log.conninfo, workers));
}

int folded_end(pid_t pid, int number)
{
    int status = 0;

    kill(pid, number);
    if (waitpid(pid, &status, 0) != pid) suite_die("no such child");
    return status;
}

bool wait_until(double seconds, bool (*done)(void *context), void *context)
{
    int64_t end = clock_monotonic_us() + (int64_t)(seconds * 1e6);

    while (!done(context)) {
        if (clock_monotonic_us() > end) return false;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return true;
}
