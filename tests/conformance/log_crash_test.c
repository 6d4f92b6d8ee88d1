/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* log_crash_test.c - the log when its Postgres is killed, replaced by a copy that lacks
 * the newest events, or waits for a standby: on a server of the test's own. */
#include "crowd.h"
#include "own_postgres.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- killed under load ---- */

/* A reader that goes on through it all, and what it passed. */
struct tail {
    const struct crowd *crowd;
    struct log_reader *reader;
    struct history *history;
    atomic_bool ends;
    unsigned long passing; /* failures that were */
    bool is_broken;
    pthread_t thread;
};

static void pass(struct history *h, const struct record *r)
{
    char at[32];
    struct history_read read = {.reader = history_name(h, TEXT("tail")),
                                .command = history_name(h, r->data),
                                .index = r->command_index};

    snprintf(at, sizeof(at), "things/%u", r->partition);
    read.at = (struct history_place){history_name(h, text_of(at)), r->sequence};
    history_add_read(h, &read);
}

static void *follow(void *argument)
{
    struct tail *t = argument;
    struct log_batch batch;
    struct ll_error err;
    ll_rc rc;

    do {
        rc = log_reader_next(t->reader, 100, 200, &batch, &err);
        if (rc == LL_EDATABASE) {
            t->passing++;
            usleep(20000);
            continue;
        }
        t->is_broken = t->is_broken || rc != LL_OK;
        for (size_t i = 0; i < batch.count; i++) pass(t->history, &batch.records[i]);
    } while (!t->is_broken && (batch.count > 0 || rc != LL_OK || !atomic_load(&t->ends)));
    return NULL;
}

static void *run_crowd(void *crowd)
{
    crowd_run(crowd);
    return NULL;
}

/* Kill it in two ways while clients append and a reader follows. */
static void kill_under(struct crowd *crowd)
{
    static const char *const ways[] = {"kill", "stop immediate"};
    atomic_bool stops = false;
    pthread_t thread;

    crowd->stops = &stops;
    LL_CHECK(pthread_create(&thread, NULL, run_crowd, crowd) == 0);
    for (size_t i = 0; i < LL_LENGTH(ways); i++) {
        usleep(600000);
        own_postgres(ways[i]);
        own_postgres("start");
    }
    usleep(600000);
    atomic_store(&stops, true);
    pthread_join(thread, NULL);
    crowd->stops = NULL;
}

static void what_was_acknowledged_survives_a_crash(struct suite *s)
{
    struct testlog log;
    struct crowd crowd;
    struct history h;
    struct tail tail = {.crowd = &crowd, .history = &h};
    struct ll_error err;
    struct uuid before, after;
    PGconn *connection;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    OK(referee_incarnation(connection, &before, &err) == LL_OK);
    PQfinish(connection);
    crowd_init(&crowd, &log);
    crowd.commands = 100000; /* it is stopped before */
    crowd.batch = 4;
    crowd.hot = 80;
    crowd.repeats = 5;
    history_init(&h);
    tail.reader = testlog_reader(&log);
    LL_CHECK(pthread_create(&tail.thread, NULL, follow, &tail) == 0);
    kill_under(&crowd);
    atomic_store(&tail.ends, true);
    pthread_join(tail.thread, NULL);
    log_reader_close(tail.reader);

    printf("    accepted %lu, connections lost %lu, passing failures of the reader %lu\n",
           crowd.counts[ANSWER_ACCEPTED], crowd.lost, tail.passing);
    OK(!tail.is_broken && tail.passing >= 2 && crowd.lost >= 2);
    OK(h.read_count >= crowd.counts[ANSWER_ACCEPTED]);
    crowd_history(&crowd, &h);
    if (!OK(promises_hold(&h, &err) == LL_OK)) printf("    %s\n", err.text);
    history_fini(&h);
    /* A restart is no restore. */
    connection = testlog_connect(&log);
    OK(referee_incarnation(connection, &after, &err) == LL_OK &&
       uuid_equal(&before, &after));
    PQfinish(connection);
    crowd_fini(&crowd);
    testlog_close(&log);
}

/* ---- a replica without the newest events ---- */

static struct append_answer append_to(const struct testlog *log, uint32_t partition)
{
    PGconn *connection = testlog_connect(log);
    struct record event = thing(log, partition, "x");
    struct append_command command = command_of(&event, 1);
    struct append_answer answer = append_one(connection, &command);

    PQfinish(connection);
    return answer;
}

static void a_promoted_replica_that_lacks_events_is_noticed(struct suite *s)
{
    struct testlog log;
    struct log_reader *reader;
    struct log_batch batch;
    struct ll_error err;
    struct uuid before, after;
    PGconn *connection;

    testlog_open(&log, s);
    append_to(&log, 2);
    own_postgres_shell("$bin/pg_basebackup -d \"$conninfo\" -D $data.copy -X stream"
                       " --checkpoint=fast && touch $data.copy/standby.signal");
    append_to(&log, 2);
    reader = testlog_reader(&log);
    OK(log_reader_next(reader, 10, 1000, &batch, &err) == LL_OK && batch.count == 2);
    connection = testlog_connect(&log);
    OK(referee_incarnation(connection, &before, &err) == LL_OK);
    PQfinish(connection);

    own_postgres("stop immediate");
    own_postgres_shell("mv $data $data.lost && mv $data.copy $data");
    own_postgres("start");
    own_postgres_shell("$bin/pg_ctl -D $data -w promote >/dev/null");
    OK(log_reader_next(reader, 10, 0, &batch, &err) == LL_EDATABASE);
    OK(log_reader_next(reader, 10, 0, &batch, &err) == LL_EBROKEN);
    log_reader_close(reader);
    OK(append_to(&log, 2).verdict == APPEND_CLOSED);

    connection = testlog_connect(&log);
    OK(referee_install(connection, &log.topics, &err) == LL_OK);
    OK(referee_incarnation(connection, &after, &err) == LL_OK &&
       !uuid_equal(&before, &after));
    PQfinish(connection);
    OK(append_to(&log, 2).sequence == 2);
    testlog_close(&log);
}

/* ---- a commit that waits for a standby ---- */

static void set_standby(const struct testlog *log, const char *names)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "alter system set synchronous_standby_names = '%s'",
             names);
    testlog_run(log, sql);
    testlog_run(log, "select pg_reload_conf()");
    usleep(200000);
}

static void *append_one_more(void *argument)
{
    struct append_answer answer = append_to(argument, 0);

    return answer.verdict == APPEND_ACCEPTED ? argument : NULL;
}

static void who_waits_for_a_standby_is_let_be(struct suite *s)
{
    struct testlog log;
    struct record event;
    struct append_command command;
    struct append_answer answer;
    struct ll_error err;
    pthread_t thread;
    PGconn *connection;
    void *accepted;
    char *waits;

    testlog_open(&log, s);
    event = thing(&log, 0, "y");
    command = command_of(&event, 1);
    set_standby(&log, "nobody");
    LL_CHECK(pthread_create(&thread, NULL, append_one_more, &log) == 0);
    usleep(500000);
    waits = testlog_ask(&log, "select count(*) from pg_stat_activity"
                              " where wait_event = 'SyncRep'");
    OK(strcmp(waits, "1") == 0);
    free(waits);
    connection = testlog_connect(&log);
    OK(referee_append(connection, TEST_SERVICE, &command, 1, &answer, &err) ==
       LL_ETIMEOUT);
    set_standby(&log, "");
    pthread_join(thread, &accepted);
    OK(accepted == &log);
    OK(referee_append(connection, TEST_SERVICE, &command, 1, &answer, &err) == LL_OK &&
       answer.verdict == APPEND_ACCEPTED && answer.sequence == 2);
    PQfinish(connection);
    testlog_close(&log);
}

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    own_postgres_start(LANDLOG_BINARY_DIR "/crash");
    atexit(own_postgres_remove);
    RUN(what_was_acknowledged_survives_a_crash);
    RUN(a_promoted_replica_that_lacks_events_is_noticed);
    RUN(who_waits_for_a_standby_is_let_be);
    return suite_end(s);
}
