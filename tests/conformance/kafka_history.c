/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
#include "kafka_history.h"

#include "core/base/clock.h"
#include "core/log/relay.h"

#include <stdlib.h>
#include <string.h>

void open_on_kafka(struct testlog *log, struct suite *s)
{
    testlog_open(log, s);
    kafka_kind_prepare(log);
    kafka_kind_move(log);
}

void close_on_kafka(struct testlog *log)
{
    kafka_kind_drop(log);
    testlog_close(log);
}

static int64_t patience(void)
{
    return clock_monotonic_us() + KAFKA_PATIENCE_S * INT64_C(1000000);
}

/* n commands of one event each, over the partitions in turn. */
void append_only(const struct testlog *log, unsigned n)
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
void append_some(const struct testlog *log, unsigned n)
{
    append_only(log, n);
    kafka_kind_await_relayed(log);
}

/* Behind event `sequence` of partition 0; 0: at the beginning. */
struct log_cursor cursor_at(const struct testlog *log, uint64_t sequence)
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
ll_rc read_on(struct log_reader *reader, struct ll_error *err)
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
ll_rc read_from(const struct testlog *log, uint64_t sequence, struct ll_error *err)
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

bool says(const struct ll_error *err, const char *words)
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

struct ll_error halt_of(const struct testlog *log)
{
    int64_t end = patience();
    struct relay_progress p;

    do p = halt_once(log, end);
    while (p.broken == 0);
    return p.why;
}

/* Rows whose relaying is long ago go, but for the last of each partition. */
void drop_rows(const struct testlog *log)
{
    testlog_run(log, "select landlog.purge('" TEST_SERVICE "', -100000, 1000000);"
                     "select landlog.drop_relayed(id, -100000, 1000000) from"
                     " (select id from landlog.partition where topic = 'things'"
                     "   order by id offset 0) p");
}

enum append_verdict try_append(const struct testlog *log)
{
    PGconn *connection = testlog_connect(log);
    struct record event = thing(log, 1, "try");
    struct append_command command = command_of(&event, 1);
    enum append_verdict verdict = append_one(connection, &command).verdict;

    PQfinish(connection);
    return verdict;
}

void await_gate(const struct testlog *log)
{
    kafka_kind_await(log,
                     "select gate = landlog.gate() from landlog.referee where service ="
                     " '" TEST_SERVICE "'",
                     "t");
}
