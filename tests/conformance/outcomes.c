/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* outcomes.c - answers that are lost, appenders that are killed, a lock that is kept: the
 * same commands sent again settle each, and nothing is there twice. */
#include "crowd.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- backends are terminated ---- */

struct killer {
    const struct testlog *log;
    atomic_bool ends;
};

static void *kill_backends(void *argument)
{
    struct killer *k = argument;
    PGconn *connection = testlog_connect(k->log);
    struct ll_error err;

    while (!atomic_load(&k->ends)) {
        if (pg_script(connection,
                      "select pg_terminate_backend(pid) from pg_stat_activity"
                      " where datname = current_database()"
                      "   and application_name = 'landlog crowd'"
                      " order by random() limit 1",
                      &err) != LL_OK)
            suite_die("%s", err.text);
        usleep(30000);
    }
    PQfinish(connection);
    return NULL;
}

static void lost_connections_are_settled_by_sending_again(struct suite *s)
{
    struct testlog log;
    struct crowd crowd;
    struct killer killer = {.log = &log};
    pthread_t thread;

    testlog_open(&log, s);
    crowd_init(&crowd, &log);
    crowd.commands = 1500;
    crowd.batch = 4;
    crowd.hot = 60;
    crowd.repeats = 5;
    LL_CHECK(pthread_create(&thread, NULL, kill_backends, &killer) == 0);
    crowd_run(&crowd);
    atomic_store(&killer.ends, true);
    pthread_join(thread, NULL);
    printf("    connections lost %lu, accepted %lu\n", crowd.lost,
           crowd.counts[ANSWER_ACCEPTED]);
    OK(crowd_keeps_promises(&crowd));
    OK(crowd.lost >= 5 && crowd.counts[ANSWER_ACCEPTED] >= 300);
    crowd_fini(&crowd);
    testlog_close(&log);
}

/* ---- the answer never arrives ---- */

enum { CUTS = 60 };

/* Send, wait a little, and cut the connection without having read the answer. */
static void send_and_cut(const struct testlog *log, const struct append_command *command,
                         unsigned us)
{
    PGconn *connection = testlog_connect(log);
    struct builder sql;

    builder_init(&sql, REFEREE_SQL);
    referee_encode(TEST_SERVICE, command, 1, &sql);
    if (PQsendQuery(connection, builder_view(&sql).ptr) != 1 || PQflush(connection) != 0)
        suite_die("send: %s", PQerrorMessage(connection));
    usleep(us);
    shutdown(PQsocket(connection), SHUT_RDWR);
    PQfinish(connection);
    builder_fini(&sql);
}

static void an_answer_that_never_came_is_asked_for_again(struct suite *s)
{
    struct testlog log;
    PGconn *connection;
    unsigned accepted = 0, duplicate = 0;
    uint64_t ends[THINGS_PARTITIONS] = {0}, end;
    struct log_reader *reader;
    struct ll_error err;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    for (unsigned i = 0; i < CUTS; i++) {
        struct record event = thing(&log, i % THINGS_PARTITIONS, "cut");
        struct append_command command = command_of(&event, 1);
        struct append_answer answer;

        send_and_cut(&log, &command, i % 2 == 0 ? 0 : i * 100);
        answer = append_one(connection, &command);
        accepted += answer.verdict == APPEND_ACCEPTED;
        duplicate += answer.verdict == APPEND_DUPLICATE;
        ends[answer.partition] = answer.sequence;
    }
    printf("    of %d cut off, %u were on the log\n", CUTS, duplicate);
    OK(accepted + duplicate == CUTS && duplicate > 0);
    reader = testlog_reader(&log);
    for (uint32_t i = 0, sum = 0; i < THINGS_PARTITIONS; i++) {
        end = 0; /* on Kafka the log ends there once the relay has brought it */
        for (int tries = 0; tries < 2000 && end != ends[i]; tries++) {
            if (tries > 0) usleep(10000);
            if (log_reader_end(reader, i, &end, &err) != LL_OK) break;
        }
        OK(end == ends[i]);
        sum += (uint32_t)end;
        OK(i < THINGS_PARTITIONS - 1 || sum == CUTS);
    }
    log_reader_close(reader);
    PQfinish(connection);
    testlog_close(&log);
}

/* ---- the appender is killed ---- */

enum { LIVES = 6 };

/* Its n-th command has the same key in every life. */
static struct append_command nth_command(const struct testlog *log, uint32_t n,
                                         struct record *event, char data[16])
{
    struct append_command command;

    snprintf(data, 16, "%u", n);
    *event = thing(log, n % THINGS_PARTITIONS, data);
    event->id = uuid_hash(text_of(data));
    command = command_of(event, 1);
    command.key = event->id;
    return command;
}

/* Append from the `n`-th command on, and say of each that it was acknowledged. */
_Noreturn static void append_until_killed(const struct testlog *log, uint32_t n, int out)
{
    PGconn *connection = testlog_connect(log);

    for (;; n++) {
        struct record event;
        char data[16];
        struct append_command command = nth_command(log, n, &event, data);

        append_one(connection, &command);
        if (write(out, &n, sizeof(n)) != (ssize_t)sizeof(n)) _exit(1);
    }
}

/* The number of commands that one life got acknowledged, counted from 0. */
static uint32_t live_and_die(const struct testlog *log, uint32_t from, unsigned ms)
{
    uint32_t n, acknowledged = from;
    int ends[2];
    pid_t child;

    if (pipe(ends) != 0) suite_die("pipe");
    child = fork();
    if (child == 0) {
        close(ends[0]);
        append_until_killed(log, from, ends[1]);
    }
    close(ends[1]);
    usleep(ms * 1000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(ends[0], &n, sizeof(n)) == (ssize_t)sizeof(n)) acknowledged = n + 1;
    close(ends[0]);
    return acknowledged;
}

static void a_killed_appender_loses_and_doubles_nothing(struct suite *s)
{
    struct testlog log;
    struct log_reader *reader;
    struct log_batch batch;
    struct ll_error err;
    uint32_t acknowledged = 0, seen = 0;
    uint64_t next[THINGS_PARTITIONS] = {0};
    bool in_order = true;

    testlog_open(&log, s);
    for (unsigned life = 0; life < LIVES; life++)
        acknowledged = live_and_die(&log, acknowledged, 150 + life * 13);
    printf("    %d lives, %u acknowledged\n", LIVES, acknowledged);
    OK(acknowledged > LIVES);

    reader = testlog_reader(&log);
    do { /* all that must come, and a while longer for what may */
        if (log_reader_next(reader, 1000, seen < acknowledged ? 60000 : 300, &batch,
                            &err) != LL_OK)
            suite_die("read the log: %s", err.text);
        for (size_t i = 0; i < batch.count; i++) {
            const struct record *r = &batch.records[i];
            uint64_t n;

            /* Commands 0, 1, 2 ... went to the partitions in turn. */
            in_order = in_order && text_to_u64(r->data, UINT32_MAX, &n) &&
                       n == next[r->partition]++ * THINGS_PARTITIONS + r->partition;
            seen++;
        }
    } while (batch.count > 0);
    /* At most the one in flight when it was last killed was not acknowledged. */
    OK(in_order && (seen == acknowledged || seen == acknowledged + 1));
    log_reader_close(reader);
    testlog_close(&log);
}

/* ---- somebody keeps the lock ---- */

static void who_keeps_the_lock_is_ended(struct suite *s)
{
    struct testlog log;
    struct record event;
    struct append_command command;
    struct ll_error err;
    PGconn *connection, *holder;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    holder = testlog_connect(&log);
    OK(pg_script(holder,
                 "begin; select from landlog.referee where service = 'test' for update",
                 &err) == LL_OK);
    event = thing(&log, 0, "after");
    command = command_of(&event, 1);
    OK(append_one(connection, &command).verdict == APPEND_ACCEPTED);
    OK(pg_script(holder, "commit", &err) == LL_EDATABASE);
    PQfinish(holder);
    PQfinish(connection);
    testlog_close(&log);
}

void outcome_tests(struct suite *s)
{
    RUN(lost_connections_are_settled_by_sending_again);
    RUN(an_answer_that_never_came_is_asked_for_again);
    RUN(a_killed_appender_loses_and_doubles_nothing);
    RUN(who_keeps_the_lock_is_ended);
}
