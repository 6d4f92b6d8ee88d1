/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* order.c - what readers see while many append: every event once, in order. */
#include "conformance.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { APPENDERS = 16, APPENDS = 80, READERS = 3, PATIENCE_MS = 120000 };
enum { EVENTS = APPENDERS * APPENDS * 3 / 2 }; /* every second append has two */

struct appender {
    const struct testlog *log;
    unsigned number;
    pthread_t thread;
};

static void *append_all(void *argument)
{
    struct appender *a = argument;
    PGconn *connection = testlog_connect(a->log);
    char key[16], data[2][32];
    unsigned n = 0;

    snprintf(key, sizeof(key), "key %u", a->number);
    for (unsigned i = 0; i < APPENDS; i++) {
        struct record events[2];
        size_t count = 1 + i % 2;
        struct append_command command;

        for (size_t k = 0; k < count; k++) {
            snprintf(data[k], sizeof(data[k]), "%u:%u", a->number, n++);
            events[k] =
                thing(a->log, topic_partition(a->log->topic, text_of(key)), data[k]);
            events[k].key = text_of(key);
        }
        command = command_of(events, count);
        if (append_one(connection, &command).verdict != APPEND_ACCEPTED)
            suite_die("an unguarded command was not accepted");
    }
    PQfinish(connection);
    return NULL;
}

/* What a reader passed: of each appender how many, of each partition a digest. */
struct passed {
    unsigned next[APPENDERS];
    struct uuid digest[THINGS_PARTITIONS];
    uint64_t ends[THINGS_PARTITIONS];
    size_t count;
    bool in_order;
};

struct follower {
    struct log_reader *reader;
    size_t batch;
    struct passed passed;
    pthread_t thread;
};

static void pass(struct passed *p, const struct record *r)
{
    uint64_t appender, n;
    struct uuid chain[2] = {p->digest[r->partition], r->id};
    struct text rest = r->data, head;

    if (!text_cut(&rest, ':', &head) || !text_to_u64(head, APPENDERS - 1, &appender) ||
        !text_to_u64(rest, UINT32_MAX, &n) || p->next[appender]++ != n ||
        r->sequence != ++p->ends[r->partition])
        p->in_order = false;
    p->digest[r->partition] =
        uuid_hash((struct text){(const char *)chain, sizeof(chain)});
    p->count++;
}

static void *follow(void *argument)
{
    struct follower *f = argument;
    int64_t end = clock_monotonic_us() + (int64_t)PATIENCE_MS * 1000;
    struct log_batch batch;
    struct ll_error err;

    f->passed.in_order = true;
    while (f->passed.count < EVENTS && clock_monotonic_us() < end) {
        if (log_reader_next(f->reader, f->batch, 500, &batch, &err) != LL_OK)
            suite_die("a reader failed: %s", err.text);
        for (size_t i = 0; i < batch.count; i++) pass(&f->passed, &batch.records[i]);
    }
    return NULL;
}

static void run_all(const struct testlog *log, struct appender *appenders,
                    struct follower *followers)
{
    for (unsigned i = 0; i < READERS; i++)
        LL_CHECK(pthread_create(&followers[i].thread, NULL, follow, &followers[i]) == 0);
    for (unsigned i = 0; i < APPENDERS; i++) {
        appenders[i] = (struct appender){.log = log, .number = i};
        LL_CHECK(pthread_create(&appenders[i].thread, NULL, append_all, &appenders[i]) ==
                 0);
    }
    for (unsigned i = 0; i < APPENDERS; i++) pthread_join(appenders[i].thread, NULL);
    for (unsigned i = 0; i < READERS; i++) pthread_join(followers[i].thread, NULL);
}

/* Sixteen append, three follow with batches of their own, a fourth comes afterwards: all
 * see the same, each appender's events in their order. */
static void nothing_is_missed_and_nothing_comes_behind(struct suite *s)
{
    static const size_t batches[READERS + 1] = {7, 100, 5000, 1000};
    struct appender appenders[APPENDERS];
    struct follower followers[READERS + 1] = {0};
    struct testlog log;

    testlog_open(&log, s);
    for (unsigned i = 0; i < READERS + 1; i++) followers[i].batch = batches[i];
    for (unsigned i = 0; i < READERS; i++) followers[i].reader = testlog_reader(&log);
    run_all(&log, appenders, followers);
    followers[READERS].reader = testlog_reader(&log);
    follow(&followers[READERS]);
    for (unsigned i = 0; i < READERS + 1; i++) {
        OK(followers[i].passed.in_order && followers[i].passed.count == EVENTS);
        OK(memcmp(followers[i].passed.digest, followers[0].passed.digest,
                  sizeof(followers[0].passed.digest)) == 0);
        log_reader_close(followers[i].reader);
    }
    testlog_close(&log);
}

void order_tests(struct suite *s)
{
    RUN(nothing_is_missed_and_nothing_comes_behind);
}
