/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_history_test.c - Kafka or Postgres is not what it was: a topic made anew, cut off
 * or grown; a database restored, promoted elsewhere or lost; the log on another store. */
#include "kafka_load.h"
#include "kafka_raw.h"

#include "core/base/clock.h"
#include "core/log/kafka_topics.h"
#include "core/log/log_copy.h"
#include "core/log/rebuild.h"
#include "core/log/relay.h"
#include "core/pg/connect.h"

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

static int64_t patience(void)
{
    return clock_monotonic_us() + KAFKA_PATIENCE_S * INT64_C(1000000);
}

/* n commands of one event each, over the partitions in turn. */
static void append_only(const struct testlog *log, unsigned n)
{
    PGconn *connection = testlog_connect(log);

    for (unsigned i = 0; i < n; i++) {
        struct record event = thing(log, i % THINGS_PARTITIONS, "some");
        struct append_command command = command_of(&event, 1);

        if (append_one(connection, &command).verdict != APPEND_ACCEPTED)
            suite_die("an append was not accepted");
    }
    PQfinish(connection);
}

/* ... and all is on Kafka afterwards. */
static void append_some(const struct testlog *log, unsigned n)
{
    append_only(log, n);
    kafka_kind_await_relayed(log);
}

/* Behind event `sequence` of partition 0; 0: at the beginning. */
static struct log_cursor cursor_at(const struct testlog *log, uint64_t sequence)
{
    struct log_cursor cursor = {.sequence = sequence};
    char sql[160], *id;

    if (sequence > 0) {
        snprintf(sql, sizeof(sql),
                 "select e.id from landlog.event e join landlog.partition p on p.id ="
                 " e.partition where p.topic = 'things' and p.number = 0"
                 " and e.sequence = %d",
                 (int)sequence);
        id = testlog_ask(log, sql);
        uuid_parse(text_of(id), &cursor.id);
        free(id);
    }
    return cursor;
}

/* What a reader says in the end, whose next events may be there or not. */
static ll_rc read_on(struct log_reader *reader, struct ll_error *err)
{
    int64_t end = patience();
    struct log_batch batch = {0};
    ll_rc rc = LL_OK;

    while ((rc == LL_OK || rc == LL_EDATABASE) && batch.count == 0) {
        if (clock_monotonic_us() > end) suite_die("a reader says nothing");
        rc = log_reader_next(reader, 10, 100, &batch, err);
    }
    return rc;
}

/* What a reader says that has seen `sequence` (0: none) of partition 0, and not all. */
static ll_rc read_from(const struct testlog *log, uint64_t sequence, struct ll_error *err)
{
    struct log_cursor cursor = cursor_at(log, sequence);
    int64_t end = patience();
    struct log_reader *reader;
    ll_rc rc;

    while ((rc = log_reader_open(log->settings, log->topic, &cursor, 1, &reader, err)) ==
           LL_EDATABASE)
        if (clock_monotonic_us() > end) suite_die("%s", err->text);
    if (rc != LL_OK) return rc;
    rc = read_on(reader, err);
    log_reader_close(reader);
    return rc;
}

static bool says(const struct ll_error *err, const char *words)
{
    if (strstr(err->text, words) != NULL) return true;
    printf("not \"%s\": %s\n", words, err->text);
    return false;
}

/* Relay in this process until it has halted a partition (what it says of it), or failed
 * in passing. */
static struct relay_progress halt_once(const struct testlog *log, int64_t end)
{
    struct relay_options options = {.settings = log->settings, .owner = "halting"};
    struct relay_progress p = {0};
    struct ll_error err;
    struct relay *relay;
    ll_rc rc = relay_open(&options, &relay, &err);

    while (rc == LL_OK && p.broken == 0) {
        if (clock_monotonic_us() > end) suite_die("the relay halts nothing");
        rc = relay_step(relay, 50, &err);
        relay_count(relay, &p);
    }
    if (rc != LL_OK && clock_monotonic_us() > end) suite_die("%s", err.text);
    relay_close(relay, 0);
    return p;
}

static struct ll_error halt_of(const struct testlog *log)
{
    int64_t end = patience();
    struct relay_progress p;

    do p = halt_once(log, end);
    while (p.broken == 0);
    return p.why;
}

/* Rows whose relaying is long ago go, but for the last of each partition. */
static void drop_rows(const struct testlog *log)
{
    testlog_run(log, "select landlog.purge('" TEST_SERVICE "', -100000, 1000000);"
                     "select landlog.drop_relayed(id, -100000, 1000000) from"
                     " (select id from landlog.partition where topic = 'things'"
                     "   order by id offset 0) p");
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
    char *rows;
    pid_t relay;

    open_on_kafka(&log, s);
    relay = kafka_kind_relay(&log, log.conninfo);
    append_some(&log, 80);
    kafka_kind_end(relay, SIGTERM);
    drop_rows(&log);
    rows = testlog_ask(&log, "select count(*) from landlog.event");
    OK(strcmp(rows, "8") == 0);
    free(rows);

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

/* ---- databases ---- */

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

static enum append_verdict try_append(const struct testlog *log)
{
    PGconn *connection = testlog_connect(log);
    struct record event = thing(log, 1, "try");
    struct append_command command = command_of(&event, 1);
    enum append_verdict verdict = append_one(connection, &command).verdict;

    PQfinish(connection);
    return verdict;
}

static void await_gate(const struct testlog *log)
{
    kafka_kind_await(log,
                     "select gate = landlog.gate() from landlog.referee where service ="
                     " '" TEST_SERVICE "'",
                     "t");
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

    /* The old relay sees it when it writes, gives up, and closes the gate behind it. */
    while (try_append(&old) != APPEND_CLOSED) usleep(20000);
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

/* ---- stores ---- */

/* To Kafka and back while somebody appends and somebody reads. */
static void a_log_moves_while_it_is_used(struct suite *s)
{
    struct testlog log;
    struct log_copy copy;
    struct appender a;
    struct follower f;
    struct ll_error err;
    char *count;
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
    count = testlog_ask(&log, "select min(sequence) > 1 from landlog.event");
    OK(strcmp(count, "t") == 0);
    free(count);

    OK(log_copy_to_postgres(&copy, &err) == LL_OK);
    appender_await(&a, 200);
    OK(follower_await_switches(&f, 2));
    OK(log_copy_to_kafka(&copy, &err) == LL_OK);
    appender_await(&a, 200);
    OK(log_copy_to_postgres(&copy, &err) == LL_OK);
    appender_await(&a, 50);
    appender_stop(&a);
    follower_finish(&f, s);
    count =
        testlog_ask(&log, "select bool_and(n = last) from (select count(*) n,"
                          " max(sequence) last from landlog.event group by partition) e");
    OK(strcmp(count, "t") == 0);
    kafka_kind_end(relay, SIGTERM);
    free(count);
    close_on_kafka(&log);
}

static void lag_is_what_is_not_on_kafka(struct suite *s)
{
    struct testlog log;
    char *lag;

    open_on_kafka(&log, s);
    for (int i = 0; i < 5; i++) OK(try_append(&log) == APPEND_ACCEPTED);
    lag = testlog_ask(&log, "select landlog.relay_lag('" TEST_SERVICE "')");
    OK(strcmp(lag, "5") == 0);
    free(lag);
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
    RUN(a_restored_database_gets_back_what_it_lacks);
    RUN(the_old_primary_loses_the_log);
    RUN(a_lost_database_is_rebuilt);
    RUN(a_database_with_a_log_of_its_own_is_not_rebuilt);
    RUN(a_log_moves_while_it_is_used);
    RUN(lag_is_what_is_not_on_kafka);
    return suite_end(s);
}
