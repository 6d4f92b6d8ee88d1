/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_crash_test.c - the log on Kafka when its Postgres is killed, or replaced by a
 * replica that lacks the newest events, while appends, relay and readers go on. */
#include "kafka_load.h"
#include "own_postgres.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void a_killed_postgres_loses_nothing(struct suite *s)
{
    static const char *const ways[] = {"kill", "stop immediate"};
    struct testlog log;
    struct appender a;
    struct follower f;
    pid_t relay;

    testlog_open(&log, s);
    kafka_kind_prepare(&log);
    kafka_kind_move(&log);
    relay = kafka_kind_relay(&log, log.conninfo);
    follower_start(&f, &log);
    appender_start(&a, &log, 500);
    for (size_t i = 0; i < LL_LENGTH(ways); i++) {
        appender_await(&a, 200);
        own_postgres(ways[i]);
        own_postgres("start");
    }
    appender_await(&a, 200);
    appender_stop(&a);
    kafka_kind_await_relayed(&log);
    follower_finish(&f, s);
    kafka_kind_end(relay, SIGTERM);
    kafka_kind_drop(&log);
    testlog_close(&log);
}

/* What was acknowledged is on Kafka: it comes back from there before anything else is
 * accepted, and the follower, who has seen it, goes on behind it. */
static void a_promoted_replica_gets_back_what_it_lacks(struct suite *s)
{
    struct testlog log;
    struct appender a;
    struct follower f;
    unsigned long long lost;
    char *text;
    pid_t relay;

    testlog_open(&log, s);
    kafka_kind_prepare(&log);
    kafka_kind_move(&log);
    relay = kafka_kind_relay(&log, log.conninfo);
    follower_start(&f, &log);
    appender_start(&a, &log, 1000);
    appender_await(&a, 100);
    own_postgres_shell("$bin/pg_basebackup -d \"$conninfo\" -D $data.copy -X stream"
                       " --checkpoint=fast && touch $data.copy/standby.signal");
    appender_await(&a, 200);
    appender_stop(&a);
    kafka_kind_await_relayed(&log);
    text = testlog_ask(&log, "select sum(sequence) from landlog.relayed");
    follower_await(&f, strtoull(text, NULL, 10));
    free(text);

    own_postgres("stop immediate");
    own_postgres_shell("rm -rf $data && mv $data.copy $data");
    own_postgres("start");
    text = testlog_ask(&log, "select count(*) from landlog.event");
    lost = f.count - strtoull(text, NULL, 10);
    OK(lost >= 150);
    free(text);
    own_postgres_shell("$bin/pg_ctl -D $data -w promote >/dev/null");

    appender_start(&a, &log, 1000);
    appender_await(&a, 100);
    appender_stop(&a);
    kafka_kind_await_relayed(&log);
    follower_finish(&f, s);
    printf("    %llu events came back\n", lost);
    kafka_kind_end(relay, SIGTERM);
    kafka_kind_drop(&log);
    testlog_close(&log);
}

int main(void)
{
    static const struct testlog_kind plain = {.name = "kafka, relayed by the test"};
    struct suite suite = {.kind = &plain}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL || getenv("LANDLOG_TEST_KAFKA") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES or LANDLOG_TEST_KAFKA is not set\n");
        return 77;
    }
    own_postgres_start(LANDLOG_BINARY_DIR "/kafka_crash");
    atexit(own_postgres_remove);
    RUN(a_killed_postgres_loses_nothing);
    RUN(a_promoted_replica_gets_back_what_it_lacks);
    return suite_end(s);
}
