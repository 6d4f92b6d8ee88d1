/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
#include "kafka_load.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t patience(void)
{
    return clock_monotonic_us() + KAFKA_PATIENCE_S * INT64_C(1000000);
}

/* ---- append ---- */

static bool settle(PGconn **connection, const struct testlog *log,
                   const struct append_command *command, struct append_answer *answer)
{
    struct ll_error err;

    if (*connection == NULL &&
        pg_connect(log->conninfo, "appender", connection, &err) != LL_OK)
        return false;
    if (referee_append(*connection, TEST_SERVICE, command, 1, answer, &err) != LL_OK) {
        PQfinish(*connection);
        *connection = NULL;
        return false;
    }
    return answer->verdict != APPEND_CLOSED;
}

static void *append_on(void *context)
{
    struct appender *a = context;
    unsigned seed = 1;
    PGconn *connection = NULL;

    while (!a->is_over) {
        struct record events[4];
        struct append_command command;
        struct append_answer answer;
        uint32_t partition = (uint32_t)rand_r(&seed) % THINGS_PARTITIONS;
        size_t n = (size_t)rand_r(&seed) % 4 + 1;
        bool is_settled = false;

        for (size_t i = 0; i < n; i++) events[i] = thing(a->log, partition, "load");
        command = command_of(events, n);
        while (!is_settled && !a->is_over) {
            is_settled = settle(&connection, a->log, &command, &answer);
            if (!is_settled) usleep(20000);
        }
        if (!is_settled) break;
        if (answer.verdict == APPEND_ACCEPTED)
            a->accepted++;
        else if (answer.verdict == APPEND_DUPLICATE)
            a->duplicates++;
        else
            suite_die("the appender got verdict %d", (int)answer.verdict);
        if (a->pause_us > 0) usleep(a->pause_us);
    }
    PQfinish(connection);
    return NULL;
}

void appender_start(struct appender *a, const struct testlog *log, unsigned pause_us)
{
    *a = (struct appender){.log = log, .pause_us = pause_us};
    if (pthread_create(&a->thread, NULL, append_on, a) != 0) suite_die("no thread");
}

void appender_stop(struct appender *a)
{
    a->is_over = true;
    pthread_join(a->thread, NULL);
}

void appender_await(struct appender *a, unsigned more)
{
    int64_t end = patience();
    unsigned want = a->accepted + more;

    while (a->accepted < want) {
        if (clock_monotonic_us() > end) suite_die("appends do not go on");
        usleep(5000);
    }
}

/* ---- read ---- */

static void take(struct follower *f, const struct record *r)
{
    uint32_t p = r->partition;

    if (r->sequence != f->seen[p].count + 1) {
        f->is_torn = true;
        return;
    }
    if (f->seen[p].count == f->seen[p].room) {
        f->seen[p].room = f->seen[p].room * 2 + 256;
        f->seen[p].ids =
            ll_realloc(f->seen[p].ids, f->seen[p].room * sizeof(*f->seen[p].ids));
    }
    f->seen[p].ids[f->seen[p].count++] = r->id;
    f->count++;
}

static ll_rc open_behind(struct follower *f, struct log_reader **out)
{
    struct log_cursor cursors[THINGS_PARTITIONS] = {0};

    for (uint32_t i = 0; i < THINGS_PARTITIONS; i++) {
        cursors[i].partition = i;
        cursors[i].sequence = f->seen[i].count;
        if (f->seen[i].count > 0) cursors[i].id = f->seen[i].ids[f->seen[i].count - 1];
    }
    return log_reader_open(f->log->settings, f->log->topic, cursors, THINGS_PARTITIONS,
                           out, &f->err);
}

static void *follow(void *context)
{
    struct follower *f = context;
    struct log_reader *reader = NULL;

    while (!f->is_over) {
        struct log_batch batch = {0};
        ll_rc rc = reader != NULL ? LL_OK : open_behind(f, &reader);

        if (rc == LL_OK) rc = log_reader_next(reader, 300, 100, &batch, &f->err);
        for (size_t i = 0; rc == LL_OK && i < batch.count; i++)
            take(f, &batch.records[i]);
        if (rc == LL_OK) f->void_records = batch.void_records;
        if (rc == LL_EBROKEN) {
            f->ended = rc;
            break;
        }
        if (rc == LL_ECONFLICT) {
            log_reader_close(reader);
            reader = NULL;
            f->switches++;
        } else if (rc != LL_OK) {
            usleep(50000);
        }
    }
    log_reader_close(reader);
    return NULL;
}

void follower_start(struct follower *f, const struct testlog *log)
{
    *f = (struct follower){.log = log};
    if (pthread_create(&f->thread, NULL, follow, f) != 0) suite_die("no thread");
}

static unsigned long long count_events(const struct testlog *log)
{
    char *n =
        testlog_ask(log, "select coalesce(sum(s), 0) from (select max(sequence) s from"
                         " landlog.event group by partition) e");
    unsigned long long count = strtoull(n, NULL, 10);

    free(n);
    return count;
}

void follower_await(const struct follower *f, unsigned long long count)
{
    int64_t end = patience();

    while (f->count < count && f->ended == LL_OK && clock_monotonic_us() < end)
        usleep(10000);
}

bool follower_await_switches(const struct follower *f, unsigned times)
{
    int64_t end = patience();

    while (f->switches < times && f->ended == LL_OK && clock_monotonic_us() < end)
        usleep(10000);
    return f->switches >= times;
}

/* Of the rows that are still there, each must be what was seen at its place. */
static void compare(struct follower *f, struct suite *s)
{
    PGconn *connection = testlog_connect(f->log);
    struct ll_error err;
    PGresult *rows;
    size_t differ = 0;

    if (pg_query(
            connection,
            "select p.number, e.sequence, e.id from landlog.event e"
            " join landlog.partition p on p.id = e.partition where p.topic = 'things'",
            NULL, 0, &rows, &err) != LL_OK)
        suite_die("%s", err.text);
    for (int row = 0; row < PQntuples(rows); row++) {
        unsigned long p = strtoul(PQgetvalue(rows, row, 0), NULL, 10);
        size_t sequence = strtoul(PQgetvalue(rows, row, 1), NULL, 10);
        struct uuid id;

        uuid_parse(text_of(PQgetvalue(rows, row, 2)), &id);
        differ += sequence > f->seen[p].count ||
                  !uuid_equal(&f->seen[p].ids[sequence - 1], &id);
    }
    OK(differ == 0);
    PQclear(rows);
    PQfinish(connection);
}

void follower_finish(struct follower *f, struct suite *s)
{
    unsigned long long all = count_events(f->log);

    follower_await(f, all);
    f->is_over = true;
    pthread_join(f->thread, NULL);
    if (f->ended != LL_OK) printf("the follower ended: %s\n", f->err.text);
    OK(f->ended == LL_OK && !f->is_torn);
    OK(f->count == all);
    compare(f, s);
    follower_free(f);
}

bool follower_await_end(struct follower *f)
{
    int64_t end = patience();
    bool has_ended;

    while (f->ended == LL_OK && clock_monotonic_us() < end) usleep(10000);
    has_ended = f->ended != LL_OK;
    f->is_over = true;
    pthread_join(f->thread, NULL);
    return has_ended;
}

void follower_free(struct follower *f)
{
    for (size_t i = 0; i < THINGS_PARTITIONS; i++) free(f->seen[i].ids);
}
