/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_database_test.c - Postgres is not what it was: restored, promoted elsewhere
 * beside the old one, or lost. What Kafka has decides. */
#include "kafka_history.h"

#include "core/base/clock.h"
#include "core/log/rebuild.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Another database for the same topics: a copy of how `log` is at this moment, or empty.
 */
static char other_name[80];

static void other_open(const struct testlog *log, struct testlog *other, bool is_copy)
{
    static const enum setting same[] = {SETTING_KAFKA_BROKERS,
                                        SETTING_KAFKA_TOPIC_PREFIX};
    char sql[250];
    struct ll_error err;

    snprintf(other_name, sizeof(other_name), "%.60s_other", log->database);
    snprintf(sql, sizeof(sql), "create database %s template %s", other_name,
             is_copy ? log->database : "template0");
    testlog_run_on_server(sql);
    *other = *log;
    other->database = other_name;
    snprintf(other->conninfo, sizeof(other->conninfo), "%s dbname=%s",
             getenv("LANDLOG_TEST_POSTGRES"), other_name);
    if (settings_load("/dev/null", &other->settings, &err) != LL_OK ||
        settings_set(other->settings, TEXT("postgres"), text_of(other->conninfo), "test",
                     &err) != LL_OK)
        suite_die("%s", err.text);
    for (size_t i = 0; i < LL_LENGTH(same); i++)
        if (settings_set(other->settings, text_of(setting_table[same[i]].name),
                         text_of(settings_string(log->settings, same[i])), "test",
                         &err) != LL_OK)
            suite_die("%s", err.text);
}

static void other_close(struct testlog *other)
{
    char sql[120];

    settings_free(other->settings);
    snprintf(sql, sizeof(sql), "drop database %s with (force)", other_name);
    testlog_run_on_server(sql);
}

static char *incarnation_of(const struct testlog *log)
{
    return testlog_ask(log, "select incarnation from landlog.log");
}

/* Postgres from a backup: what it lacks comes back from Kafka before it is written to. */
static void a_restored_database_gets_back_what_it_lacks(struct suite *s)
{
    const struct text tag[] = {TEXT("name:x")};
    struct testlog log, restored;
    struct record event;
    struct append_command late, guarded;
    struct append_answer answer;
    struct position nothing = {0};
    struct follower f;
    PGconn *connection;
    char *before, *after;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 80);
    kafka_kind_end(relay, SIGTERM);
    other_open(&log, &restored, true);

    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 80);
    event = thing(&log, 2, "late");
    event.tags = tag;
    event.tag_count = 1;
    late = command_of(&event, 1);
    connection = testlog_connect(&log);
    answer = append_one(connection, &late);
    OK(answer.verdict == APPEND_ACCEPTED);
    PQfinish(connection);
    kafka_kind_await_relayed(&log);
    kafka_kind_end(relay, SIGTERM);

    OK(try_append(&restored) == APPEND_CLOSED);
    relay = kafka_kind_relay(&restored, restored.conninfo);
    await_gate(&restored);
    connection = testlog_connect(&restored);
    answer = append_one(connection, &late);
    OK(answer.verdict == APPEND_DUPLICATE && answer.sequence == 21);
    guarded = command_of(&event, 1);
    guarded.as_of = &nothing;
    guarded.guards = tag;
    guarded.guard_count = 1;
    answer = append_one(connection, &guarded);
    OK(answer.verdict == APPEND_CONFLICT && answer.sequence == 21);
    PQfinish(connection);

    before = incarnation_of(&log);
    after = incarnation_of(&restored);
    OK(strcmp(before, after) != 0);
    follower_start(&f, &restored);
    append_some(&restored, 80);
    follower_finish(&f, s);
    OK(f.count == 241);
    kafka_kind_end(relay, SIGTERM);
    free(before);
    free(after);
    other_close(&restored);
    close_on_kafka(&log);
}

/* A replica that lacks the newest events is promoted while the old primary, its relay and
 * its readers go on: the log goes on in one place only. */
static void the_old_primary_loses_the_log(struct suite *s)
{
    struct testlog old, promoted;
    struct follower of_old, of_promoted;
    struct ll_error err;
    char *count;
    pid_t old_relay, relay;

    open_on_kafka(&old, s);
    old_relay = kafka_kind_relay(&old, old.conninfo);
    append_some(&old, 40);
    kafka_kind_end(old_relay, SIGTERM);
    other_open(&old, &promoted, true);
    old_relay = kafka_kind_relay(&old, old.conninfo);
    append_some(&old, 40);
    follower_start(&of_old, &old);

    relay = kafka_kind_relay(&promoted, promoted.conninfo);
    await_gate(&promoted);
    append_some(&promoted, 40);
    OK(follower_await_end(&of_old) && of_old.ended == LL_EBROKEN);
    OK(says(&of_old.err, "another database has taken over"));
    OK(of_old.count == 80);
    follower_free(&of_old);

    /* The old relay has nothing to write; it looks, gives up, and closes the gate. */
    kafka_kind_await(
        &old,
        "select gate is null from landlog.referee where service = '" TEST_SERVICE "'",
        "t");
    OK(try_append(&old) == APPEND_CLOSED);
    kafka_kind_end(old_relay, SIGTERM);
    err = halt_of(&old);
    OK(says(&err, "a relay of another database has taken over"));

    follower_start(&of_promoted, &promoted);
    append_some(&promoted, 40);
    follower_finish(&of_promoted, s);
    count = testlog_ask(&promoted, "select count(*) from landlog.event");
    OK(strcmp(count, "160") == 0);
    kafka_kind_end(relay, SIGTERM);
    free(count);
    other_close(&promoted);
    close_on_kafka(&old);
}

/* Two databases that come to the same epoch, of which the other's fence is first: the
 * number alone would not tell them apart. */
static void two_that_claim_one_epoch_are_told_apart(struct suite *s)
{
    struct testlog old, promoted;
    struct follower f;
    struct ll_error err;
    char *claimed, *other;
    pid_t relay;

    open_on_kafka(&old, s);
    relay = kafka_kind_relay(&old, old.conninfo);
    append_some(&old, 40);
    kafka_kind_end(relay, SIGTERM);
    other_open(&old, &promoted, true);
    testlog_run(&old, "select landlog.claim_epoch(partition, claimed, gen_random_uuid())"
                      " from landlog.relayed");
    follower_start(&f, &old);
    follower_await(&f, 40);

    relay = kafka_kind_relay(&promoted, promoted.conninfo);
    await_gate(&promoted);
    append_some(&promoted, 40);
    claimed = testlog_ask(&old, "select max(claimed) from landlog.relayed");
    other = testlog_ask(&promoted, "select max(claimed) from landlog.relayed");
    OK(strcmp(claimed, other) == 0);
    OK(follower_await_end(&f) && f.ended == LL_EBROKEN && f.count == 40);
    OK(says(&f.err, "another database has taken over"));
    follower_free(&f);
    err = halt_of(&old);
    OK(says(&err, "a relay of another database has taken over"));
    OK(try_append(&old) == APPEND_CLOSED);

    kafka_kind_end(relay, SIGTERM);
    free(claimed);
    free(other);
    other_close(&promoted);
    close_on_kafka(&old);
}

/* A database that accepted on beside another, and is then copied: what it decided without
 * knowing the other's events is not sent. */
static void what_was_decided_beside_another_log_is_not_sent(struct suite *s)
{
    struct testlog log, other;
    struct ll_error err;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 40);
    kafka_kind_end(relay, SIGTERM);
    other_open(&log, &other, true);
    append_only(&log, THINGS_PARTITIONS);
    relay = kafka_kind_relay(&other, other.conninfo);
    await_gate(&other);
    kafka_kind_end(relay, SIGTERM);
    /* as if it had been restored just now: nothing says that it was the last to relay */
    testlog_run(&log, "update landlog.relayed set identity = 'another time'");
    err = halt_of(&log);
    OK(says(&err, "decided without knowing its events"));
    OK(try_append(&log) == APPEND_CLOSED);
    other_close(&other);
    close_on_kafka(&log);
}

static void hold(const struct testlog *log, const char *id)
{
    char sql[400];

    snprintf(sql, sizeof(sql),
             "select landlog.hold_against_referee('things', 1, e.sequence, %s)"
             " from landlog.event e join landlog.partition p on p.id = e.partition"
             " where p.topic = 'things' and p.number = 1 order by e.sequence",
             id);
    testlog_run(log, sql);
}

/* What a projector does with each batch: an event on Kafka that the referee lacks says
 * that another database has the log. */
static void an_event_that_the_referee_lacks_closes_the_gate(struct suite *s)
{
    static const char relay_epochs[] =
        "select sum(epoch) from landlog.lease where name like 'relay/%'";
    struct testlog log;
    char *before, *after;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 160);
    kafka_kind_end(relay, SIGTERM);
    before = testlog_ask(&log, relay_epochs);
    hold(&log, "e.id, e.time");
    OK(try_append(&log) == APPEND_ACCEPTED);
    drop_rows(&log);
    testlog_run(&log, "select landlog.hold_against_referee('things', 1, 3,"
                      " gen_random_uuid(), 0)"); /* long gone */
    OK(try_append(&log) == APPEND_ACCEPTED);
    hold(&log, "e.id, e.time + 1"); /* another that has its key */
    OK(try_append(&log) == APPEND_CLOSED);
    after = testlog_ask(&log, relay_epochs);
    OK(strtol(after, NULL, 10) == strtol(before, NULL, 10) + THINGS_PARTITIONS);

    /* Nothing of another is on Kafka: a relay that takes over opens it again. */
    relay = kafka_kind_relay(&log, log.conninfo);
    await_gate(&log);
    OK(try_append(&log) == APPEND_ACCEPTED);
    kafka_kind_end(relay, SIGTERM);
    free(before);
    free(after);
    close_on_kafka(&log);
}

/* The mark of an old relay whose record was acknowledged, though it lies behind another's
 * fence: nobody resumes at it. */
static void a_void_copy_is_not_resumed_at(struct suite *s)
{
    struct testlog log;
    struct append_command command;
    struct append_answer answer;
    struct record event;
    struct ll_error err;
    PGconn *connection;
    int64_t offset;
    char sql[300];
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    connection = testlog_connect(&log);
    event = thing(&log, 0, "data");
    event.subject = TEXT("twice");
    command = command_of(&event, 1);
    answer = append_one(connection, &command);
    PQfinish(connection);
    kafka_kind_await_relayed(&log);
    event.sequence = answer.sequence;
    event.time = answer.time;
    event.command = command.key;
    event.body = command.body;
    event.command_size = 1;
    raw_event(&log, &event, 1); /* that of log copy; the relay has fenced since */
    offset = raw_end(&log, 0) - 1;
    append_some(&log, THINGS_PARTITIONS);
    kafka_kind_end(relay, SIGTERM);
    OK(read_from(&log, answer.sequence, &err) == LL_OK);
    snprintf(
        sql, sizeof(sql),
        "update landlog.relayed r set sequence = e.sequence, id = e.id, place = %lld,"
        " epoch = 1, time = e.time from landlog.event e where e.partition = r.partition"
        " and e.subject = 'twice'",
        (long long)offset);
    testlog_run(&log, sql);
    OK(read_from(&log, answer.sequence, &err) == LL_EBROKEN);
    OK(says(&err, "without that epoch's fence"));
    close_on_kafka(&log);
}

static char *digest(const struct testlog *log, const char *table)
{
    char sql[200];

    snprintf(sql, sizeof(sql),
             "select count(*) || '/' || md5(string_agg(t::text, ',' order by t::text))"
             " from landlog.%s t",
             table);
    return testlog_ask(log, sql);
}

/* Postgres is lost as a whole; a new one is made from the topics. */
static void a_lost_database_is_rebuilt(struct suite *s)
{
    static const char *const tables[] = {"event", "head", "idempotency"};
    const struct text tags[] = {TEXT("pair:a:b"), TEXT("odd % tag")};
    struct testlog log, rebuilt;
    struct record events[3];
    struct append_command command;
    struct ll_error err;
    struct follower f;
    PGconn *connection;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    connection = testlog_connect(&log);
    for (unsigned i = 0; i < 200; i++) {
        for (size_t k = 0; k < 3; k++) {
            events[k] = thing(&log, i % THINGS_PARTITIONS, "rebuild");
            events[k].tags = tags;
            events[k].tag_count = (i + k) % 3;
        }
        command = command_of(events, i % 3 + 1);
        OK(append_one(connection, &command).verdict == APPEND_ACCEPTED);
    }
    PQfinish(connection);
    kafka_kind_await_relayed(&log);
    kafka_kind_end(relay, SIGTERM);
    raw_foreign(&log, 3);

    other_open(&log, &rebuilt, false);
    OK(rebuild_run(rebuilt.settings, &log.topics, NULL, NULL, &err) == LL_OK);
    for (size_t i = 0; i < LL_LENGTH(tables); i++) {
        char *before = digest(&log, tables[i]), *after = digest(&rebuilt, tables[i]);

        if (!OK(strcmp(before, after) == 0))
            printf("%s: %s, rebuilt %s\n", tables[i], before, after);
        free(before);
        free(after);
    }
    OK(rebuild_run(rebuilt.settings, &log.topics, NULL, NULL, &err) == LL_OK);

    OK(try_append(&rebuilt) == APPEND_CLOSED);
    relay = kafka_kind_relay(&rebuilt, rebuilt.conninfo);
    await_gate(&rebuilt);
    connection = testlog_connect(&rebuilt);
    OK(append_one(connection, &command).verdict == APPEND_DUPLICATE);
    PQfinish(connection);
    follower_start(&f, &rebuilt);
    append_some(&rebuilt, 16);
    follower_finish(&f, s);
    kafka_kind_end(relay, SIGTERM);
    other_close(&rebuilt);
    close_on_kafka(&log);
}

static void a_database_with_a_log_of_its_own_is_not_rebuilt(struct suite *s)
{
    struct testlog log;
    struct ll_error err;

    testlog_open(&log, s);
    kafka_kind_prepare(&log);
    OK(try_append(&log) == APPEND_ACCEPTED);
    OK(rebuild_run(log.settings, &log.topics, NULL, NULL, &err) == LL_EINVAL);
    OK(says(&err, "the database is not empty"));
    OK(try_append(&log) == APPEND_ACCEPTED);
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
    RUN(a_restored_database_gets_back_what_it_lacks);
    RUN(the_old_primary_loses_the_log);
    RUN(two_that_claim_one_epoch_are_told_apart);
    RUN(what_was_decided_beside_another_log_is_not_sent);
    RUN(an_event_that_the_referee_lacks_closes_the_gate);
    RUN(a_void_copy_is_not_resumed_at);
    RUN(a_lost_database_is_rebuilt);
    RUN(a_database_with_a_log_of_its_own_is_not_rebuilt);
    return suite_end(s);
}
