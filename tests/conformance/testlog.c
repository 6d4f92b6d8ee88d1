/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* testlog.c - the suite's bookkeeping, and a log of its own for each test. */
#include "conformance.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/pg/connect.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char topics_json[] =
    "{\"things\": {\"service\": \"test\", \"partitions\": 8, \"keyed-by\": \"nothing\"},"
    " \"others\": {\"service\": \"other\", \"partitions\": 1, \"keyed-by\": "
    "\"nothing\"}}";

/* The test that runs, for suite_die(). */
static const char *under_way = "";

bool suite_check(struct suite *s, bool holds, const char *file, int line,
                 const char *what)
{
    char *failure = s->failures[s->failed % SUITE_FAILURES], unkept[200];

    s->checks++;
    if (holds) return true;
    if (s->failed++ >= SUITE_FAILURES) failure = unkept;
    snprintf(failure, sizeof(unkept), "FAILED %s:%d in %s: %s", file, line, s->test,
             what);
    puts(failure);
    fflush(stdout);
    return false;
}

void suite_run(struct suite *s, const char *name, void (*test)(struct suite *))
{
    const char *only = getenv("LANDLOG_TEST_ONLY"); /* a part of the names to run */
    int64_t start = clock_monotonic_us();

    if (only != NULL && strstr(name, only) == NULL) return;
    s->test = under_way = name;
    note_setup("test", NOTE_ERROR); /* the relays in here are chatty */
    test(s);
    printf("%6.2f s  %s\n", (double)(clock_monotonic_us() - start) / 1e6, name);
    fflush(stdout);
}

void suite_die(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fprintf(stderr, "conformance: %s: ", under_way);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void must(ll_rc rc, const struct ll_error *err)
{
    if (rc != LL_OK) suite_die("%s", err->text);
}

static PGconn *connect_to(const char *conninfo)
{
    struct ll_error err;
    PGconn *connection;

    must(pg_connect(conninfo, "conformance", &connection, &err), &err);
    return connection;
}

static void run_on(const char *conninfo, const char *sql)
{
    PGconn *connection = connect_to(conninfo);
    struct ll_error err;

    must(pg_script(connection, sql, &err), &err);
    PQfinish(connection);
}

static const char *server(void)
{
    const char *conninfo = getenv("LANDLOG_TEST_POSTGRES");

    if (conninfo == NULL) suite_die("LANDLOG_TEST_POSTGRES is not set");
    return conninfo;
}

void testlog_run_on_server(const char *sql)
{
    run_on(server(), sql);
}

/* The one database; made by the process that drops it, not by a child. */
static struct {
    char name[64];
    pid_t owner;
} database;

static void drop_database(void)
{
    char sql[160];

    if (database.owner != getpid()) return;
    snprintf(sql, sizeof(sql), "drop database if exists %s with (force)", database.name);
    testlog_run_on_server(sql);
}

static void make_database(void)
{
    char sql[160];

    if (database.owner != 0) return;
    database.owner = getpid();
    snprintf(database.name, sizeof(database.name), "landlog_conformance_%d",
             (int)database.owner);
    snprintf(sql, sizeof(sql), "create database %s", database.name);
    testlog_run_on_server(sql);
    atexit(drop_database);
}

/* Whoever is left in it is put out, or would keep its locks. */
static const char empty_sql[] =
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid();"
    "do $$ declare s text; begin"
    "  for s in select nspname from pg_namespace"
    "            where nspname <> 'information_schema' and nspname !~ '^pg_' loop"
    "    execute format('drop schema %I cascade', s);"
    "  end loop;"
    "end $$;"
    "create schema public";

void testlog_open(struct testlog *log, const struct suite *s)
{
    struct ll_error err;
    PGconn *connection;

    make_database();
    *log = (struct testlog){.kind = s->kind, .database = database.name};
    snprintf(log->conninfo, sizeof(log->conninfo), "%s dbname=%s", server(),
             log->database);
    must(settings_load("/dev/null", &log->settings, &err), &err);
    must(settings_set(log->settings, TEXT("postgres"), text_of(log->conninfo), "test",
                      &err),
         &err);
    must(topics_parse(&log->topics, text_of(topics_json), &err), &err);
    log->topic = topics_find(&log->topics, TEXT("things"));
    connection = connect_to(log->conninfo);
    must(referee_install(connection, &log->topics, &err), &err);
    PQfinish(connection);
    if (log->kind->start != NULL) log->kind->start(log);
}

void testlog_close(struct testlog *log)
{
    if (log->kind->stop != NULL) log->kind->stop(log);
    testlog_run(log, empty_sql);
    settings_free(log->settings);
}

int suite_end(const struct suite *s)
{
    for (size_t i = 0; i < s->failed && i < SUITE_FAILURES; i++) puts(s->failures[i]);
    printf("%lu checks, %lu failed\n", s->checks, s->failed);
    return s->failed > 0 || s->checks == 0;
}

PGconn *testlog_connect(const struct testlog *log)
{
    return connect_to(log->conninfo);
}

void testlog_run(const struct testlog *log, const char *sql)
{
    run_on(log->conninfo, sql);
}

char *testlog_ask(const struct testlog *log, const char *sql)
{
    PGconn *connection = testlog_connect(log);
    struct ll_error err;
    PGresult *result;
    char *value;

    must(pg_query(connection, sql, NULL, 0, &result, &err), &err);
    if (PQntuples(result) != 1) suite_die("%d rows: %s", PQntuples(result), sql);
    value = ll_strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(connection);
    return value;
}

struct log_reader *testlog_reader(const struct testlog *log)
{
    struct log_cursor cursors[THINGS_PARTITIONS] = {0};
    struct log_reader *reader;
    struct ll_error err;

    for (uint32_t i = 0; i < THINGS_PARTITIONS; i++) cursors[i].partition = i;
    must(log_reader_open(log->settings, log->topic, cursors, THINGS_PARTITIONS, &reader,
                         &err),
         &err);
    return reader;
}

struct record thing(const struct testlog *log, uint32_t partition, const char *data)
{
    return (struct record){.topic = log->topic,
                           .partition = partition,
                           .id = uuid_v7(clock_now_ms()),
                           .type = TEXT("test.thing-happened"),
                           .version = 1,
                           .source = TEXT("conformance"),
                           .subject = TEXT("thing"),
                           .key = TEXT("thing"),
                           .data = text_of(data)};
}

struct append_command command_of(const struct record *events, size_t n)
{
    return (struct append_command){.key = uuid_v7(clock_now_ms()),
                                   .body = {{1}},
                                   .events = events,
                                   .event_count = n};
}

struct append_answer append_one(PGconn *connection, const struct append_command *command)
{
    struct append_answer answer;
    struct ll_error err;

    must(referee_append(connection, TEST_SERVICE, command, 1, &answer, &err), &err);
    return answer;
}

void testlog_append_data(PGconn *connection, const struct registry *registry,
                         struct text type, json_t **data, size_t n)
{
    struct record *records = ll_calloc(n, sizeof(*records));
    struct arena arena;
    struct ll_error err;
    size_t duplicates;

    arena_init(&arena, 256 * 1024 * 1024);
    for (size_t i = 0; i < n; i++) {
        records[i].id = uuid_v7(clock_now_ms());
        records[i].source = TEXT("conformance");
        must(event_make(registry, type, data[i], &arena, &records[i], &err), &err);
        records[i].command = records[i].id;
        records[i].command_size = 1;
        json_decref(data[i]);
    }
    must(referee_append_bulk(connection, TEST_SERVICE, records, n, &duplicates, &err),
         &err);
    arena_fini(&arena);
    free(records);
}
