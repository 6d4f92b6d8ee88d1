/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_relay_test.c - relays and brokers that are killed, stopped and overtaken while
 * somebody appends and somebody reads: nothing is lost, nothing doubled. */
#include "kafka_load.h"
#include "kafka_raw.h"

#include "core/base/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void open_on_kafka(struct testlog *log, struct suite *s)
{
    testlog_open(log, s);
    kafka_kind_prepare(log);
    kafka_kind_move(log);
}

static void close_on_kafka(struct testlog *log)
{
    kafka_kind_drop(log);
    testlog_close(log);
}

/* Relays killed at any moment of their lives, that of their taking over among them. */
static void a_relay_killed_at_any_moment_doubles_nothing(struct suite *s)
{
    struct testlog log;
    struct appender a;
    struct follower f;
    pid_t relay = 0;

    open_on_kafka(&log, s);
    follower_start(&f, &log);
    appender_start(&a, &log, 0);
    srand(1);
    for (int i = 0; i < 25; i++) {
        relay = kafka_kind_relay(&log, log.conninfo);
        usleep((useconds_t)(rand() % 400) * 1000);
        kafka_kind_end(relay, SIGKILL);
    }
    relay = kafka_kind_relay(&log, log.conninfo);
    appender_await(&a, 50);
    appender_stop(&a);
    OK(a.accepted > 200);
    kafka_kind_await_relayed(&log);
    follower_finish(&f, s);
    kafka_kind_end(relay, SIGTERM);
    close_on_kafka(&log);
}

static int least_epoch(const struct testlog *log)
{
    char *text = testlog_ask(log, "select min(claimed) from landlog.relayed");
    int epoch = (int)strtol(text, NULL, 10);

    free(text);
    return epoch;
}

/* Until every partition was taken over since it had this epoch. */
static void await_take_over(const struct testlog *log, int epoch)
{
    char sql[120];

    snprintf(sql, sizeof(sql), "select min(claimed) > %d from landlog.relayed", epoch);
    kafka_kind_await(log, sql, "t");
}

/* One relay stopped in the middle of its work; another takes over when its lease has run
 * out; the first comes back and writes what it still has. */
static void a_relay_stopped_and_continued_is_void(struct suite *s)
{
    struct testlog log;
    struct appender a;
    struct follower f;
    pid_t first, second;

    open_on_kafka(&log, s);
    first = kafka_kind_relay(&log, log.conninfo);
    await_take_over(&log, 1);
    follower_start(&f, &log);
    appender_start(&a, &log, 0);
    for (int i = 0; i < 2; i++) {
        int epoch = least_epoch(&log);

        appender_await(&a, 100);
        kill(first, SIGSTOP);
        second = kafka_kind_relay(&log, log.conninfo);
        await_take_over(&log, epoch);
        appender_await(&a, 100);
        kill(first, SIGCONT);
        appender_await(&a, 300);
        kafka_kind_end(first, SIGKILL);
        first = second;
    }
    appender_stop(&a);
    kafka_kind_await_relayed(&log);
    follower_finish(&f, s);
    kafka_kind_end(first, SIGTERM);
    close_on_kafka(&log);
}

/* What a relay of an old epoch may still have on the wire. */
static void an_old_relay_behind_a_fence_is_void(struct suite *s)
{
    struct testlog log;
    struct appender a;
    struct follower f;
    struct record old;
    char *epoch;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    await_take_over(&log, 1);
    follower_start(&f, &log);
    appender_start(&a, &log, 1000);
    appender_await(&a, 50);
    epoch = testlog_ask(&log, "select max(claimed) from landlog.relayed");
    OK(strtol(epoch, NULL, 10) >= 2); /* that of log copy, and the relay's */
    for (uint32_t p = 0; p < THINGS_PARTITIONS; p++) {
        old = thing(&log, p, "old");
        old.sequence = 1000000;
        old.time = clock_now_ms();
        old.command_size = 1;
        raw_event(&log, &old, 1);
        raw_foreign(&log, p);
    }
    appender_await(&a, 100);
    appender_stop(&a);
    kafka_kind_await_relayed(&log);
    follower_finish(&f, s);
    OK(f.void_records >= 2ULL * THINGS_PARTITIONS);
    kafka_kind_end(relay, SIGTERM);
    free(epoch);
    close_on_kafka(&log);
}

/* A relay that died within a command, whose rest its database has lost: what is on Kafka
 * of it never happened, and its sequences are given again. */
static void a_torn_command_is_void(struct suite *s)
{
    struct testlog log;
    struct follower f;
    struct record torn, whole;
    struct append_command command;
    PGconn *connection;
    char *epoch;
    pid_t relay;

    open_on_kafka(&log, s);
    connection = testlog_connect(&log);
    whole = thing(&log, 5, "whole");
    command = command_of(&whole, 1);
    relay = kafka_kind_relay(&log, log.conninfo);
    await_take_over(&log, 1);
    OK(append_one(connection, &command).verdict == APPEND_ACCEPTED);
    kafka_kind_await_relayed(&log);
    kafka_kind_end(relay, SIGKILL);

    epoch = testlog_ask(&log, "select claimed from landlog.relayed where partition ="
                              " (select id from landlog.partition where topic = 'things'"
                              "   and number = 5)");
    torn = thing(&log, 5, "torn");
    torn.sequence = 2;
    torn.time = clock_now_ms();
    torn.command_size = 2;
    raw_event(&log, &torn, strtoull(epoch, NULL, 10));

    follower_start(&f, &log);
    relay = kafka_kind_relay(&log, log.conninfo);
    command = command_of(&whole, 1);
    OK(append_one(connection, &command).sequence == 2);
    kafka_kind_await_relayed(&log);
    follower_finish(&f, s);
    OK(f.void_records >= 1);
    kafka_kind_end(relay, SIGTERM);
    free(epoch);
    PQfinish(connection);
    close_on_kafka(&log);
}

/* Records with the epoch in force that are not the relay's: what it writes behind them is
 * void, until it has seen them, fences and writes it again. */
static void a_gap_is_closed_by_a_fence(struct suite *s)
{
    struct testlog log;
    struct appender a;
    struct follower f;
    struct record odd;
    pid_t relay;
    int epoch;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    await_take_over(&log, 1);
    follower_start(&f, &log);
    appender_start(&a, &log, 1000);
    appender_await(&a, 50);
    epoch = least_epoch(&log);
    for (uint32_t p = 0; p < THINGS_PARTITIONS; p++) {
        odd = thing(&log, p, "odd");
        odd.sequence = 1000000;
        odd.time = clock_now_ms();
        odd.command_size = 1;
        raw_event(&log, &odd, (uint64_t)epoch);
    }
    appender_await(&a, 100);
    appender_stop(&a);
    kafka_kind_await_relayed(&log);
    follower_finish(&f, s);
    OK(f.void_records >= THINGS_PARTITIONS);
    OK(least_epoch(&log) > epoch);
    kafka_kind_end(relay, SIGTERM);
    close_on_kafka(&log);
}

static void run_script(const char *action)
{
    char command[600];

    snprintf(command, sizeof(command), "%s/scripts/kafka %s >/dev/null 2>&1",
             LANDLOG_SOURCE_DIR, action);
    if (system(command) != 0) suite_die("scripts/kafka %s", action);
}

static void what_is_acknowledged_survives_the_broker(struct suite *s)
{
    struct testlog log;
    struct appender a;
    struct follower f;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    follower_start(&f, &log);
    appender_start(&a, &log, 200);
    appender_await(&a, 300);
    run_script("kill");
    appender_await(&a, 100); /* the referee does not need Kafka */
    run_script("start");
    appender_await(&a, 200);
    appender_stop(&a);
    kafka_kind_await_relayed(&log);
    follower_finish(&f, s);
    kafka_kind_end(relay, SIGTERM);
    close_on_kafka(&log);
}

/* A broker that this test may kill: the one that scripts/kafka started on that port. */
static bool is_broker_ours(void)
{
    const char *port = getenv("LANDLOG_KAFKA_PORT");
    const char *address = getenv("LANDLOG_TEST_KAFKA");

    return getenv("LANDLOG_KAFKA") == NULL && port != NULL &&
           strncmp(address, "127.0.0.1:", 10) == 0 && strcmp(address + 10, port) == 0;
}

int main(void)
{
    static const struct testlog_kind plain = {.name = "kafka, relayed by the test"};
    struct suite suite = {.kind = &plain}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL || getenv("LANDLOG_TEST_KAFKA") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES or LANDLOG_TEST_KAFKA is not set\n");
        return 77;
    }
    RUN(a_torn_command_is_void);
    RUN(an_old_relay_behind_a_fence_is_void);
    RUN(a_gap_is_closed_by_a_fence);
    RUN(a_relay_killed_at_any_moment_doubles_nothing);
    RUN(a_relay_stopped_and_continued_is_void);
    if (is_broker_ours())
        RUN(what_is_acknowledged_survives_the_broker);
    else
        printf("left out, the broker is not ours to kill: "
               "what_is_acknowledged_survives_the_broker\n");
    return suite_end(s);
}
