/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_history_test.c - Kafka is not what it was: a topic made anew, cut off or grown, a
 * record damaged; or the log is on another store. */
#include "kafka_history.h"

#include "core/base/clock.h"
#include "core/log/kafka_topics.h"
#include "core/log/log_copy.h"
#include "core/projection/generation.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static bool is_answer(const struct testlog *log, const char *sql, const char *expected)
{
    char *found = testlog_ask(log, sql);
    bool is_it = strcmp(found, expected) == 0;

    if (!is_it) printf("%s: %s, not %s\n", sql, found, expected);
    free(found);
    return is_it;
}

/* ---- topics ---- */

static void a_recreated_topic_is_not_resumed_into(struct suite *s)
{
    struct testlog log;
    struct follower f;
    struct ll_error err;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 80);
    follower_start(&f, &log);
    follower_await(&f, 80);
    kafka_kind_end(relay, SIGTERM);

    raw_recreate(&log);
    OK(follower_await_end(&f));
    OK(says(&f.err, "recreated or truncated"));
    follower_free(&f);
    OK(read_from(&log, 5, &err) == LL_EBROKEN);

    /* All rows are here still: a relay sends them again, and readers go on. (They are
     * marked as relayed until it has looked: new ones, which are not, are waited for.) */
    append_only(&log, THINGS_PARTITIONS);
    relay = kafka_kind_relay(&log, log.conninfo);
    kafka_kind_await_relayed(&log);
    OK(read_from(&log, 5, &err) == LL_OK);
    follower_start(&f, &log);
    append_some(&log, 16);
    follower_finish(&f, s);
    kafka_kind_end(relay, SIGTERM);
    close_on_kafka(&log);
}

static void what_kafka_lost_for_good_is_refused(struct suite *s)
{
    struct testlog log;
    struct ll_error err;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 80);
    kafka_kind_end(relay, SIGTERM);
    drop_rows(&log);
    OK(is_answer(&log, "select count(*) from landlog.event", "8"));

    raw_recreate(&log);
    err = halt_of(&log);
    OK(err.rc == LL_EBROKEN && says(&err, "Kafka ends at event 0"));
    OK(says(&err, "had relayed up to 10 and has rows from 10 on"));
    close_on_kafka(&log);
}

static void a_topic_without_its_beginning_is_refused(struct suite *s)
{
    struct testlog log;
    struct log_cursor cursor;
    struct log_reader *reader;
    struct ll_error err;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 80);
    raw_truncate(&log, 0, 5);
    OK(read_from(&log, 0, &err) == LL_EBROKEN && says(&err, "recreated or truncated"));
    cursor = cursor_at(&log, 10);
    OK(log_reader_open(log.settings, log.topic, &cursor, 1, &reader, &err) == LL_OK);
    append_some(&log, 8);
    OK(read_on(reader, &err) == LL_OK);
    log_reader_close(reader);
    kafka_kind_end(relay, SIGTERM);
    close_on_kafka(&log);
}

static void another_partition_count_is_refused(struct suite *s)
{
    struct testlog log;
    struct ll_error err;

    open_on_kafka(&log, s);
    raw_grow(&log, 9);
    OK(read_from(&log, 0, &err) == LL_EBROKEN);
    OK(says(&err, "9 partitions on Kafka and 8"));
    err = halt_of(&log);
    OK(says(&err, "9 partitions on Kafka and 8"));
    OK(kafka_topics_create(log.settings, &log.topics, 0, NULL, &err) == LL_EBROKEN);
    OK(says(&err, "9 partitions on Kafka and 8"));
    close_on_kafka(&log);
}

static void damage_halts(struct suite *s)
{
    struct testlog log;
    struct ll_error err;
    struct record bad;
    char *epoch;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 16);
    epoch = testlog_ask(&log, "select r.claimed from landlog.relayed r"
                              " join landlog.partition p on p.id = r.partition"
                              " where p.topic = 'things' and p.number = 0");
    bad = thing(&log, 0, "bad");
    bad.sequence = 3;
    bad.time = clock_now_ms();
    bad.command_size = 99;
    raw_event(&log, &bad, strtoull(epoch, NULL, 10));
    OK(read_from(&log, 2, &err) == LL_EBROKEN);
    OK(says(&err, "newer than this binary, or damaged: ce_commandsize"));
    kafka_kind_end(relay, SIGKILL);
    err = halt_of(&log);
    OK(says(&err, "newer than this binary, or damaged: ce_commandsize"));
    free(epoch);
    close_on_kafka(&log);
}

/* A record that was acknowledged may be void: its row stays until it was applied. */
static void rows_stay_until_they_are_applied(struct suite *s)
{
    static const char first[] = "select min(sequence) from landlog.event";
    struct testlog log;
    struct ll_error err;
    PGconn *connection;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 80);
    connection = testlog_connect(&log);
    OK(generation_install(connection, &err) == LL_OK);
    PQfinish(connection);
    testlog_run(&log, "create schema reading; create table reading.checkpoint as"
                      " select topic, number as partition, 3::bigint as sequence"
                      "   from landlog.partition where topic = 'things';"
                      "insert into landlog.generation values ('reading', 1, 'reading',"
                      " gen_random_uuid(), 'live', 'project', null, now(), now())");
    drop_rows(&log);
    OK(is_answer(&log, first, "4"));
    testlog_run(&log, "update reading.checkpoint set sequence = 7");
    drop_rows(&log);
    OK(is_answer(&log, first, "8"));
    testlog_run(&log, "update landlog.generation set state = 'dropped'");
    drop_rows(&log);
    OK(is_answer(&log, first, "10"));
    kafka_kind_end(relay, SIGTERM);
    close_on_kafka(&log);
}

/* ---- stores ---- */

/* To Kafka and back while somebody appends and somebody reads. */
static void a_log_moves_while_it_is_used(struct suite *s)
{
    struct testlog log;
    struct log_copy copy;
    struct appender a;
    struct follower f;
    struct ll_error err;
    pid_t relay;

    testlog_open(&log, s);
    kafka_kind_prepare(&log);
    copy = (struct log_copy){log.settings, TEST_SERVICE, "test", NULL, NULL};
    follower_start(&f, &log);
    appender_start(&a, &log, 2000);
    appender_await(&a, 200);
    OK(log_copy_to_kafka(&copy, &err) == LL_OK);
    relay = kafka_kind_relay(&log, log.conninfo);
    appender_await(&a, 200);
    OK(follower_await_switches(&f, 1));
    drop_rows(&log);
    OK(is_answer(&log, "select min(sequence) > 1 from landlog.event", "t"));

    OK(log_copy_to_postgres(&copy, &err) == LL_OK);
    appender_await(&a, 200);
    OK(follower_await_switches(&f, 2));
    OK(log_copy_to_kafka(&copy, &err) == LL_OK);
    appender_await(&a, 200);
    OK(log_copy_to_postgres(&copy, &err) == LL_OK);
    appender_await(&a, 50);
    appender_stop(&a);
    follower_finish(&f, s);
    OK(is_answer(&log,
                 "select bool_and(n = last) from (select count(*) n,"
                 " max(sequence) last from landlog.event group by partition) e",
                 "t"));
    kafka_kind_end(relay, SIGTERM);
    close_on_kafka(&log);
}

static void lag_is_what_is_not_on_kafka(struct suite *s)
{
    struct testlog log;

    open_on_kafka(&log, s);
    for (int i = 0; i < 5; i++) OK(try_append(&log) == APPEND_ACCEPTED);
    OK(is_answer(&log, "select landlog.relay_lag('" TEST_SERVICE "')", "5"));
    close_on_kafka(&log);
}

int main(void)
{
    static const struct testlog_kind plain = {.name = "kafka, relayed by the test"};
    struct suite suite = {.kind = &plain}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL || getenv("LANDLOG_TEST_KAFKA") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES or LANDLOG_TEST_KAFKA is not set\n");
        return 77;
    }
    RUN(a_recreated_topic_is_not_resumed_into);
    RUN(what_kafka_lost_for_good_is_refused);
    RUN(a_topic_without_its_beginning_is_refused);
    RUN(another_partition_count_is_refused);
    RUN(damage_halts);
    RUN(rows_stay_until_they_are_applied);
    RUN(a_log_moves_while_it_is_used);
    RUN(lag_is_what_is_not_on_kafka);
    return suite_end(s);
}
