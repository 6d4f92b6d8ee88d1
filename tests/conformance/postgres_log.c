/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* postgres_log.c - what the log in Postgres promises besides: install, gate, clock, keys
 * that are forgotten, who may write. */
#include "conformance.h"

#include "core/pg/connect.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct append_answer append_to(const struct testlog *log, uint32_t partition,
                                      struct uuid *id)
{
    PGconn *connection = testlog_connect(log);
    struct record event = thing(log, partition, "x");
    struct append_command command = command_of(&event, 1);
    struct append_answer answer = append_one(connection, &command);

    if (id != NULL) *id = event.id;
    PQfinish(connection);
    return answer;
}

static bool asks(const struct testlog *log, const char *sql, const char *expected)
{
    char *value = testlog_ask(log, sql);
    bool equal = strcmp(value, expected) == 0;

    if (!equal) printf("    %s: %s\n", sql, value);
    free(value);
    return equal;
}

/* ---- install ---- */

enum { STARTS = 6 };

static void *install_once(void *argument)
{
    const struct testlog *log = argument;
    PGconn *connection = testlog_connect(log);
    struct ll_error err;

    if (referee_install(connection, &log->topics, &err) != LL_OK)
        suite_die("install: %s", err.text);
    PQfinish(connection);
    return NULL;
}

static void many_starts_at_once_are_one(struct suite *s)
{
    pthread_t threads[STARTS];
    struct testlog log;

    testlog_open(&log, s);
    testlog_run(&log, "drop schema landlog cascade");
    for (size_t i = 0; i < STARTS; i++)
        LL_CHECK(pthread_create(&threads[i], NULL, install_once, &log) == 0);
    for (size_t i = 0; i < STARTS; i++) pthread_join(threads[i], NULL);
    OK(asks(&log, "select count(*) from landlog.partition", "9"));
    OK(append_to(&log, 0, NULL).verdict == APPEND_ACCEPTED);
    testlog_close(&log);
}

static void a_topic_does_not_change_its_partitions(struct suite *s)
{
    struct testlog log;
    struct topics changed;
    struct ll_error err;
    PGconn *connection;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    changed = log.topics;
    changed.topics[1].partitions = 16;
    OK(referee_install(connection, &changed, &err) == LL_EBROKEN);
    OK(strstr(err.text, "things") != NULL);
    changed = log.topics;
    snprintf(changed.topics[1].service, sizeof(changed.topics[1].service), "other");
    OK(referee_install(connection, &changed, &err) == LL_EBROKEN);
    OK(referee_install(connection, &log.topics, &err) == LL_OK);
    PQfinish(connection);
    testlog_close(&log);
}

static void the_query_role_reads_and_does_not_write(struct suite *s)
{
    static const char *const forbidden[] = {
        "delete from landlog.event",
        "insert into landlog.head values (gen_random_uuid(), 1, 1)",
        "update landlog.referee set store = 'kafka'",
        "select landlog.lock_referee('test', '{}')",
        "select landlog.reconcile('test')",
        "create table landlog.mine (n int)",
    };
    struct testlog log;
    struct ll_error err;
    PGconn *connection;

    testlog_open(&log, s);
    testlog_run(&log, "do $$ begin create role " REFEREE_QUERY_ROLE
                      "; exception when duplicate_object then null; end $$");
    connection = testlog_connect(&log);
    OK(referee_install(connection, &log.topics, &err) == LL_OK);
    OK(pg_script(connection, "set role " REFEREE_QUERY_ROLE, &err) == LL_OK);
    OK(pg_script(connection, "select from landlog.event, landlog.partition", &err) ==
       LL_OK);
    for (size_t i = 0; i < LL_LENGTH(forbidden); i++)
        OK(pg_script(connection, forbidden[i], &err) == LL_EDATABASE &&
           strstr(err.text, "42501") != NULL);
    PQfinish(connection);
    testlog_close(&log);
}

/* ---- time and keys ---- */

static void time_does_not_run_back_nor_far_ahead(struct suite *s)
{
    struct testlog log;
    struct append_answer first, second;
    struct ll_error err;
    PGconn *connection;

    testlog_open(&log, s);
    first = append_to(&log, 0, NULL);
    testlog_run(&log, "update landlog.event set time = time + 600000");
    second = append_to(&log, 0, NULL);
    OK(second.time == first.time + 600000); /* the clock has gone back ten minutes */
    OK(append_to(&log, 1, NULL).time < second.time); /* elsewhere it has not */

    connection = testlog_connect(&log);
    OK(pg_script(connection, "select landlog.check_clock(3600000, 0, 99999999999)",
                 &err) == LL_OK);
    OK(pg_script(connection, "select landlog.check_clock(3600001, 0, 3000001)", &err) ==
       LL_OK);
    OK(pg_script(connection, "select landlog.check_clock(3600001, 0, 3000000)", &err) ==
       LL_EDATABASE);
    OK(strstr(err.text, "clocks disagree") != NULL);
    PQfinish(connection);
    testlog_close(&log);
}

static void an_append_in_an_old_snapshot_is_refused(struct suite *s)
{
    struct testlog log;
    struct record event;
    struct append_command command;
    struct append_answer answer;
    struct ll_error err;
    PGconn *connection;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    event = thing(&log, 0, "x");
    command = command_of(&event, 1);
    OK(pg_script(connection, "begin isolation level repeatable read", &err) == LL_OK);
    OK(referee_append(connection, TEST_SERVICE, &command, 1, &answer, &err) ==
       LL_EDATABASE);
    OK(strstr(err.text, "READ COMMITTED") != NULL);
    PQfinish(connection);
    testlog_close(&log);
}

static void keys_are_forgotten_by_log_time(struct suite *s)
{
    struct testlog log;
    struct ll_error err;
    PGconn *connection;
    uint64_t forgotten;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    for (uint32_t i = 0; i < 30; i++) append_to(&log, i % 3, NULL);
    OK(referee_purge(connection, TEST_SERVICE, REFEREE_KEEP_MS, 100, &forgotten, &err) ==
           LL_OK &&
       forgotten == 0);
    /* Eight days pass in partitions 0 and 1, but for their last events. */
    testlog_run(&log,
                "update landlog.event set time = time - 8 * 86400000"
                " where sequence < 10 and partition % 256 < 2;"
                "update landlog.idempotency i set time = e.time from landlog.event e"
                " where e.command = i.key");
    OK(referee_purge(connection, TEST_SERVICE, REFEREE_KEEP_MS, 4, &forgotten, &err) ==
           LL_OK &&
       forgotten == 8);
    OK(referee_purge(connection, TEST_SERVICE, REFEREE_KEEP_MS, 100, &forgotten, &err) ==
           LL_OK &&
       forgotten == 10);
    OK(asks(&log, "select count(*) from landlog.idempotency", "12"));
    PQfinish(connection);
    testlog_close(&log);
}

/* ---- the gate ---- */

/* Make database `to` anew, as `from` is. */
static void copy_database(const char *from, const char *to)
{
    char sql[400];

    snprintf(sql, sizeof(sql),
             "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
             " where datname in ('%s', '%s')",
             from, to);
    testlog_run_on_server(sql);
    snprintf(sql, sizeof(sql), "drop database if exists %s", to);
    testlog_run_on_server(sql);
    snprintf(sql, sizeof(sql), "create database %s template %s", to, from);
    testlog_run_on_server(sql);
}

/* A backup is taken, the log goes on and is read, the backup is put in its place. */
static void a_restored_database_is_noticed(struct suite *s)
{
    struct testlog log;
    struct log_reader *reader;
    struct log_batch batch;
    struct uuid before, after;
    struct record event;
    struct append_command command;
    struct append_answer answer;
    struct ll_error err;
    PGconn *connection;
    char backup[80], sql[160];
    ll_rc rc;

    testlog_open(&log, s);
    append_to(&log, 3, NULL);
    snprintf(backup, sizeof(backup), "%s_backup", log.database);
    copy_database(log.database, backup);
    append_to(&log, 3, NULL);
    connection = testlog_connect(&log);
    OK(referee_incarnation(connection, &before, &err) == LL_OK);
    PQfinish(connection);
    reader = testlog_reader(&log);
    OK(log_reader_next(reader, 10, 1000, &batch, &err) == LL_OK && batch.count == 2);

    copy_database(backup, log.database);
    rc = log_reader_next(reader, 10, 0, &batch, &err);
    OK(rc == LL_EDATABASE); /* the connection went with the old one */
    rc = log_reader_next(reader, 10, 0, &batch, &err);
    OK(rc == LL_EBROKEN && batch.count == 0);
    log_reader_close(reader);

    event = thing(&log, 3, "y");
    command = command_of(&event, 1);
    connection = testlog_connect(&log);
    OK(referee_append(connection, TEST_SERVICE, &command, 1, &answer, &err) == LL_OK &&
       answer.verdict == APPEND_CLOSED);
    OK(referee_append_bulk(connection, TEST_SERVICE, &event, 1, &(size_t){0}, &err) ==
       LL_EDATABASE);
    OK(referee_reopen(connection, TEST_SERVICE, &err) == LL_EBROKEN);
    OK(referee_incarnation(connection, &after, &err) == LL_OK &&
       uuid_equal(&before, &after));
    OK(referee_install(connection, &log.topics, &err) == LL_OK); /* the next start */
    OK(referee_append(connection, TEST_SERVICE, &command, 1, &answer, &err) == LL_OK &&
       answer.verdict == APPEND_ACCEPTED && answer.sequence == 2);
    OK(referee_incarnation(connection, &after, &err) == LL_OK &&
       !uuid_equal(&before, &after));
    PQfinish(connection);
    testlog_close(&log);
    snprintf(sql, sizeof(sql), "drop database %s with (force)", backup);
    testlog_run_on_server(sql);
}

static void a_switched_store_is_noticed(struct suite *s)
{
    struct testlog log;
    struct log_reader *reader;
    struct log_batch batch;
    struct ll_error err;

    testlog_open(&log, s);
    append_to(&log, 0, NULL);
    reader = testlog_reader(&log);
    OK(log_reader_next(reader, 10, 1000, &batch, &err) == LL_OK && batch.count == 1);
    testlog_run(&log,
                "update landlog.referee set store = 'kafka' where service = 'test'");
    OK(log_reader_next(reader, 10, 0, &batch, &err) == LL_ECONFLICT);
    OK(strcmp(append_to(&log, 0, NULL).store, "kafka") == 0);
    log_reader_close(reader);
    testlog_close(&log);
}

enum { BACKLOG = 2000, SMALL_BATCH = 100 };

/* A partition with a backlog does not keep another one's event waiting. (On Kafka it may,
 * for one fetch.) */
static void a_backlog_is_shared_out(struct suite *s)
{
    struct record *events = ll_calloc(BACKLOG, sizeof(*events));
    struct testlog log;
    struct log_reader *reader;
    struct log_batch batch;
    struct ll_error err;
    PGconn *connection;
    size_t duplicates, rounds = 0;
    bool found = false;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    for (size_t i = 0; i < BACKLOG; i++)
        events[i] = thing(&log, i < BACKLOG - 1 ? 0 : 5, "backlog");
    OK(referee_append_bulk(connection, TEST_SERVICE, events, BACKLOG, &duplicates,
                           &err) == LL_OK);
    reader = testlog_reader(&log);
    for (; !found && rounds < BACKLOG / SMALL_BATCH; rounds++) {
        if (!OK(log_reader_next(reader, SMALL_BATCH, 5000, &batch, &err) == LL_OK)) break;
        OK(batch.count > 0 && batch.count <= SMALL_BATCH);
        for (size_t i = 0; i < batch.count; i++)
            if (batch.records[i].partition == 5) found = true;
    }
    OK(found && rounds <= THINGS_PARTITIONS);
    log_reader_close(reader);
    PQfinish(connection);
    testlog_close(&log);
    free(events);
}

void postgres_log_tests(struct suite *s)
{
    RUN(many_starts_at_once_are_one);
    RUN(a_topic_does_not_change_its_partitions);
    RUN(the_query_role_reads_and_does_not_write);
    RUN(time_does_not_run_back_nor_far_ahead);
    RUN(an_append_in_an_old_snapshot_is_refused);
    RUN(keys_are_forgotten_by_log_time);
    RUN(a_restored_database_is_noticed);
    RUN(a_switched_store_is_noticed);
    RUN(a_backlog_is_shared_out);
}
