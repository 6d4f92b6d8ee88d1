/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* readers.c - waiting, waking, limits, and where a reader begins. */
#include "conformance.h"

#include "core/base/clock.h"
#include "core/log/wake.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- waking ---- */

enum { WAKES = 40, MEDIAN = WAKES / 2 };

struct waiter {
    struct log_reader *reader;
    atomic_llong woken; /* us; 0: not yet */
    atomic_bool ends;
    size_t count;
};

static void *wait_for_events(void *argument)
{
    struct waiter *w = argument;
    struct log_batch batch;
    struct ll_error err;

    while (!atomic_load(&w->ends)) {
        if (log_reader_next(w->reader, 10, 10000, &batch, &err) != LL_OK)
            suite_die("a reader failed: %s", err.text);
        if (batch.count > 0) atomic_store(&w->woken, clock_monotonic_us());
        w->count += batch.count;
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Append one at a time, and take how long the reader needs from the answer on. */
static void measure(const struct testlog *log, struct waiter *w, struct wake *wake,
                    int64_t *took)
{
    PGconn *connection = testlog_connect(log);

    for (size_t i = 0; i < WAKES; i++) {
        struct record event = thing(log, (uint32_t)i % THINGS_PARTITIONS, "wake");
        struct append_command command = command_of(&event, 1);
        int64_t start;

        atomic_store(&w->woken, 0);
        append_one(connection, &command);
        start = clock_monotonic_us();
        if (wake != NULL) wake_send(wake, WAKE_APPENDED);
        while (atomic_load(&w->woken) == 0 && clock_monotonic_us() < start + 60000000)
            usleep(100);
        took[i] = atomic_load(&w->woken) - start;
        usleep(2000);
    }
    qsort(took, WAKES, sizeof(*took), by_size);
    PQfinish(connection);
}

static void a_reader_is_woken(struct suite *s)
{
    int64_t woken[WAKES], polled[WAKES];
    struct testlog log;
    struct waiter w = {0};
    struct wake *wake;
    pthread_t thread;

    testlog_open(&log, s);
    w.reader = testlog_reader(&log);
    wake_open(log.conninfo, &wake);
    LL_CHECK(pthread_create(&thread, NULL, wait_for_events, &w) == 0);
    measure(&log, &w, wake, woken);
    measure(&log, &w, NULL, polled);
    atomic_store(&w.ends, true);
    log_reader_wake(w.reader); /* or this would last ten seconds */
    pthread_join(thread, NULL);
    printf("    woken after %.1f ms (median), %.1f (worst); by polling %.1f, %.1f\n",
           (double)woken[MEDIAN] / 1e3, (double)woken[WAKES - 1] / 1e3,
           (double)polled[MEDIAN] / 1e3, (double)polled[WAKES - 1] / 1e3);
    OK(w.count == 2 * WAKES);
    /* One that never came would be far below zero. */
    OK(woken[0] > -1000000 && polled[0] > -1000000);
    wake_close(wake);
    log_reader_close(w.reader);
    testlog_close(&log);
}

static void an_empty_log_times_out(struct suite *s)
{
    struct testlog log;
    struct log_reader *reader;
    struct log_batch batch;
    struct ll_error err;
    int64_t start, took;

    testlog_open(&log, s);
    reader = testlog_reader(&log);
    start = clock_monotonic_us();
    OK(log_reader_next(reader, 10, 120, &batch, &err) == LL_OK && batch.count == 0);
    took = clock_monotonic_us() - start;
    OK(took >= 119000);
    OK(log_reader_next(reader, 10, 0, &batch, &err) == LL_OK && batch.count == 0);
    log_reader_close(reader);
    testlog_close(&log);
}

/* ---- limits ---- */

enum { LARGE = 48 };

static void large_events_come_in_bounded_batches(struct suite *s)
{
    char *data = ll_malloc(RECORD_DATA);
    struct record events[LARGE];
    struct testlog log;
    struct log_reader *reader;
    struct log_batch batch;
    struct ll_error err;
    PGconn *connection;
    size_t duplicates, read = 0, most = 0;

    memset(data, 7, RECORD_DATA);
    testlog_open(&log, s);
    connection = testlog_connect(&log);
    for (size_t i = 0; i < LARGE; i++) {
        events[i] = thing(&log, 2, "");
        events[i].data = (struct text){data, RECORD_DATA};
    }
    OK(referee_append_bulk(connection, TEST_SERVICE, events, LARGE, &duplicates, &err) ==
       LL_OK);
    reader = testlog_reader(&log);
    while (read < LARGE) {
        size_t bytes = 0;

        if (!OK(log_reader_next(reader, 10000, 60000, &batch, &err) == LL_OK)) break;
        if (!OK(batch.count > 0)) break;
        for (size_t i = 0; i < batch.count; i++) bytes += batch.records[i].data.len;
        if (bytes > most) most = bytes;
        read += batch.count;
    }
    OK(read == LARGE && most <= READER_BYTES);
    log_reader_close(reader);
    PQfinish(connection);
    testlog_close(&log);
    free(data);
}

/* ---- where a reader begins ---- */

static ll_rc read_behind(const struct testlog *log, struct log_cursor cursor,
                         struct log_batch *batch, struct log_reader **reader,
                         struct ll_error *err)
{
    ll_rc rc = log_reader_open(log->settings, log->topic, &cursor, 1, reader, err);

    for (int i = 0; i < 60 && rc == LL_OK; i++) {
        rc = log_reader_next(*reader, 10, 1000, batch, err);
        if (batch->count > 0) break;
    }
    return rc;
}

static void a_reader_goes_on_behind_its_last_event_only(struct suite *s)
{
    struct record events[3];
    struct append_command command;
    struct testlog log;
    struct log_reader *reader;
    struct log_cursor cursor = {.partition = 4, .sequence = 2};
    struct log_batch batch = {0};
    struct ll_error err;
    PGconn *connection;
    ll_rc rc;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    for (size_t i = 0; i < 3; i++) events[i] = thing(&log, 4, "x");
    command = command_of(events, 3);
    OK(append_one(connection, &command).sequence == 3);

    /* On Kafka the events are there once the relay has brought them. */
    cursor.id = events[1].id;
    rc = read_behind(&log, cursor, &batch, &reader, &err);
    for (int i = 0; i < 100 && (rc != LL_OK || batch.count == 0); i++) {
        log_reader_close(reader);
        usleep(100 * 1000);
        rc = read_behind(&log, cursor, &batch, &reader, &err);
    }
    OK(rc == LL_OK);
    OK(batch.count == 1 && batch.records[0].sequence == 3 &&
       uuid_equal(&batch.records[0].id, &events[2].id));
    cursor.time = batch.records[0].time + 1; /* another has that sequence, and the key */
    log_reader_close(reader);
    OK(read_behind(&log, cursor, &batch, &reader, &err) == LL_EBROKEN);
    log_reader_close(reader);

    cursor.time = 0;
    cursor.id = events[2].id; /* another event has that sequence */
    OK(read_behind(&log, cursor, &batch, &reader, &err) == LL_EBROKEN);
    log_reader_close(reader);

    cursor.sequence = 9; /* the log is shorter */
    OK(read_behind(&log, cursor, &batch, &reader, &err) == LL_EBROKEN);
    log_reader_close(reader);
    PQfinish(connection);
    testlog_close(&log);
}

void reader_tests(struct suite *s)
{
    RUN(a_reader_is_woken);
    RUN(an_empty_log_times_out);
    RUN(large_events_come_in_bounded_batches);
    RUN(a_reader_goes_on_behind_its_last_event_only);
}
