/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_reader.c - following partitions on Kafka from a projection's own positions.
 *
 * Postgres says where on Kafka the last event seen is (nearly); the feed begins there,
 * and all up to that event is dropped once the event itself was found to be the same.
 *
 * Behind a fence that the relay of another database has written (a replica that was
 * promoted elsewhere, say), what comes is not ours to apply.
 */
#include "core/log/reader_store.h"

#include "core/base/clock.h"
#include "core/log/kafka_feed.h"
#include "core/log/kafka_places.h"
#include "core/log/referee.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { STORE_CHECK_US = 1000000 };

struct followed {
    struct log_cursor seen;
    bool is_verified; /* the event seen was found on Kafka, the same */
    struct kafka_known known;
};

struct kafka_reader {
    struct log_reader base;
    const struct settings *settings;
    const struct topic *topic;
    PGconn *connection;
    int64_t store_checked;
    size_t count;
    struct followed *followed;
    uint64_t void_records; /* of feeds before this one */
    struct record *records;
    size_t room;
    /* wake() is called by other threads. */
    pthread_mutex_t lock;
    struct kafka_feed *feed; /* changed under the lock */
    atomic_bool is_woken;
};

/* ---- connect ---- */

static void set_feed(struct kafka_reader *r, struct kafka_feed *feed)
{
    struct kafka_feed *old = r->feed;

    if (old != NULL) r->void_records += kafka_feed_void_records(old);
    pthread_mutex_lock(&r->lock);
    r->feed = feed;
    pthread_mutex_unlock(&r->lock);
    kafka_feed_close(old);
}

static void disconnect(struct kafka_reader *r)
{
    set_feed(r, NULL);
    PQfinish(r->connection);
    r->connection = NULL;
}

static ll_rc refresh_known(struct kafka_reader *r, struct ll_error *err)
{
    uint32_t numbers[TOPIC_PARTITIONS_MAX];
    uint64_t sequences[TOPIC_PARTITIONS_MAX];
    struct kafka_known known[TOPIC_PARTITIONS_MAX];
    ll_rc rc;

    for (size_t i = 0; i < r->count; i++) {
        numbers[i] = r->followed[i].seen.partition;
        sequences[i] = r->followed[i].seen.sequence;
    }
    rc = kafka_places_find(r->connection, r->topic->name, numbers, sequences, r->count,
                           known, err);
    for (size_t i = 0; i < r->count && rc == LL_OK; i++) r->followed[i].known = known[i];
    return rc;
}

static ll_rc check_store(struct kafka_reader *r, struct ll_error *err)
{
    char store[STORE_NAME];
    ll_rc rc;

    if (clock_monotonic_us() - r->store_checked < STORE_CHECK_US) return LL_OK;
    rc = referee_store(r->connection, r->topic->service, store, err);
    if (rc != LL_OK) return rc;
    if (strcmp(store, "kafka") != 0)
        return ll_fail(err, LL_ECONFLICT, "topic \"%s\" is on another store now: %s",
                       r->topic->name, store);
    r->store_checked = clock_monotonic_us();
    return LL_OK;
}

/* The feed passes a fence: it must be one of this database's relays. */
static ll_rc fenced(void *context, size_t index, const struct kafka_envelope *fence,
                    struct ll_error *err)
{
    struct kafka_reader *r = context;
    struct followed *f = &r->followed[index];
    char text[UUID_TEXT];
    ll_rc rc;

    if (!kafka_is_foreign(&f->known, fence)) return LL_OK;
    rc = refresh_known(r, err);
    if (rc != LL_OK || !kafka_is_foreign(&f->known, fence)) return rc;
    uuid_print(&fence->relay, text);
    return ll_fail(err, LL_EBROKEN,
                   "%s/%u: relay %s of another database has taken over (epoch %" PRIu64
                   ", this one has %" PRIu64 ")",
                   r->topic->name, f->seen.partition, text, fence->epoch,
                   f->known.claimed);
}

static ll_rc open_feed(struct kafka_reader *r, struct ll_error *err)
{
    struct kafka_feed_options options = {r->settings, r->topic, "reader",
                                         fenced,      r,        false};
    struct kafka_feed_partition parts[TOPIC_PARTITIONS_MAX];
    struct kafka_feed *feed;
    ll_rc rc;

    for (size_t i = 0; i < r->count; i++) {
        struct followed *f = &r->followed[i];

        parts[i] = (struct kafka_feed_partition){f->seen.partition, f->known.place};
        f->is_verified = f->seen.sequence == 0 || uuid_is_nil(&f->seen.id);
        if (f->known.place.sequence != f->seen.sequence || f->is_verified) continue;
        f->is_verified = uuid_equal(&f->known.place.id, &f->seen.id) &&
                         (f->seen.time == 0 || f->known.place.time == 0 ||
                          f->known.place.time == f->seen.time);
        if (!f->is_verified)
            return ll_fail(err, LL_EBROKEN,
                           "%s/%u: event %" PRIu64
                           " that was seen is another now: the log was replaced",
                           r->topic->name, f->seen.partition, f->seen.sequence);
    }
    rc = kafka_feed_open(&options, parts, r->count, &feed, err);
    if (rc == LL_OK) set_feed(r, feed);
    return rc;
}

static ll_rc connect_reader(struct kafka_reader *r, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    if (r->connection == NULL) {
        rc = pg_connect(settings_string(r->settings, SETTING_POSTGRES), "reader",
                        &r->connection, err);
        r->store_checked = -STORE_CHECK_US;
    }
    if (rc == LL_OK) rc = check_store(r, err);
    if (rc != LL_OK || r->feed != NULL) return rc;
    rc = refresh_known(r, err);
    if (rc == LL_OK) rc = open_feed(r, err);
    return rc == LL_ENOTFOUND ? LL_EDATABASE : rc; /* somebody may make the topic yet */
}

/* ---- one batch ---- */

static ll_rc vanished(const struct kafka_reader *r, const struct followed *f,
                      struct ll_error *err)
{
    return ll_fail(err, LL_EBROKEN,
                   "%s/%u: event %" PRIu64
                   " that was seen is not on Kafka: the topic was replaced or truncated",
                   r->topic->name, f->seen.partition, f->seen.sequence);
}

/* Take the next event of a partition, or drop one that was seen before. */
static ll_rc take(struct kafka_reader *r, struct followed *f, const struct record *record,
                  size_t *n, struct ll_error *err)
{
    if (record->sequence < f->seen.sequence) return LL_OK;
    if (record->sequence == f->seen.sequence) {
        f->is_verified = uuid_is_nil(&f->seen.id) ||
                         (uuid_equal(&record->id, &f->seen.id) &&
                          (f->seen.time == 0 || f->seen.time == record->time));
        return f->is_verified ? LL_OK : vanished(r, f, err);
    }
    LL_CHECK(f->is_verified && record->sequence == f->seen.sequence + 1);
    f->seen.sequence = record->sequence;
    f->seen.id = record->id;
    f->seen.time = record->time;
    r->records[(*n)++] = *record;
    return LL_OK;
}

static ll_rc filter(struct kafka_reader *r, const struct kafka_feed_batch *batch,
                    size_t *n, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    if (batch->count > r->room) {
        r->room = batch->count;
        r->records = ll_realloc(r->records, r->room * sizeof(*r->records));
    }
    for (size_t i = 0; i < batch->count && rc == LL_OK; i++)
        rc = take(r, &r->followed[batch->origins[i].index], &batch->records[i], n, err);
    return rc;
}

/* A partition that was read to its end must have had the event that was seen. */
static ll_rc check_ends(const struct kafka_reader *r, struct ll_error *err)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct followed *f = &r->followed[i];

        if (!f->is_verified && kafka_feed_is_at_end(r->feed, i) &&
            kafka_feed_fence(r->feed, i)->sequence < f->seen.sequence)
            return vanished(r, f, err);
    }
    return LL_OK;
}

static ll_rc read_batch(struct kafka_reader *r, size_t max_events, int ms, size_t *n,
                        struct ll_error *err)
{
    struct kafka_feed_batch batch;
    ll_rc rc = connect_reader(r, err);

    if (rc == LL_OK)
        rc = kafka_feed_next(r->feed, max_events, READER_BYTES, ms, &batch, err);
    if (rc == LL_OK) rc = filter(r, &batch, n, err);
    if (rc == LL_OK && batch.count == 0) rc = check_ends(r, err);
    return rc;
}

static ll_rc next(struct log_reader *base, size_t max_events, int timeout_ms,
                  struct log_batch *out, struct ll_error *err)
{
    struct kafka_reader *r = (struct kafka_reader *)base;
    int64_t end = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    int64_t left = timeout_ms;
    size_t n = 0;

    LL_CHECK(max_events >= 1 && max_events <= READER_EVENTS);
    *out = (struct log_batch){0};
    do {
        int ms = left < STORE_CHECK_US / 1000 ? (int)left : STORE_CHECK_US / 1000;
        ll_rc rc = read_batch(r, max_events, ms > 0 ? ms : 0, &n, err);

        if (rc != LL_OK) {
            disconnect(r);
            return rc;
        }
        if (atomic_exchange(&r->is_woken, false)) break;
        left = (end - clock_monotonic_us() + 999) / 1000;
    } while (n == 0 && left > 0);
    out->records = r->records;
    out->count = n;
    out->void_records = r->void_records + kafka_feed_void_records(r->feed);
    return LL_OK;
}

/* ---- the rest of the interface ---- */

/* Read what is behind the last place that Postgres knows: a moment's events. */
static ll_rc scan_end(struct kafka_reader *r, uint32_t partition,
                      const struct kafka_place *from, uint64_t *sequence,
                      struct ll_error *err)
{
    struct kafka_feed_options options = {r->settings, r->topic, "end", NULL, NULL, false};
    struct kafka_feed_partition part = {partition, *from};
    struct kafka_feed_batch batch;
    struct kafka_feed *feed;
    ll_rc rc = kafka_feed_open(&options, &part, 1, &feed, err);

    if (rc != LL_OK) return rc;
    while (rc == LL_OK && kafka_feed_offset(feed, 0) < kafka_feed_end(feed, 0) &&
           !kafka_feed_is_at_end(feed, 0))
        rc = kafka_feed_next(feed, READER_EVENTS, READER_BYTES, 1000, &batch, err);
    if (rc == LL_OK) *sequence = kafka_feed_fence(feed, 0)->sequence;
    kafka_feed_close(feed);
    return rc;
}

static ll_rc end_of(struct log_reader *base, uint32_t partition, uint64_t *sequence,
                    struct ll_error *err)
{
    struct kafka_reader *r = (struct kafka_reader *)base;
    const uint64_t last = INT64_MAX;
    struct kafka_known known;
    ll_rc rc = LL_OK;

    if (r->connection == NULL)
        rc = pg_connect(settings_string(r->settings, SETTING_POSTGRES), "reader",
                        &r->connection, err);
    if (rc == LL_OK)
        rc = kafka_places_find(r->connection, r->topic->name, &partition, &last, 1,
                               &known, err);
    if (rc == LL_OK) rc = scan_end(r, partition, &known.place, sequence, err);
    if (rc != LL_OK) disconnect(r);
    return rc;
}

static void wake(struct log_reader *base)
{
    struct kafka_reader *r = (struct kafka_reader *)base;

    atomic_store(&r->is_woken, true);
    pthread_mutex_lock(&r->lock);
    if (r->feed != NULL) kafka_feed_wake(r->feed);
    pthread_mutex_unlock(&r->lock);
}

static void close_reader(struct log_reader *base)
{
    struct kafka_reader *r = (struct kafka_reader *)base;

    disconnect(r);
    pthread_mutex_destroy(&r->lock);
    free(r->followed);
    free(r->records);
    free(r);
}

static const struct log_reader_api api = {next, end_of, wake, close_reader};

ll_rc kafka_reader_open(const struct settings *settings, const struct topic *topic,
                        const struct log_cursor *cursors, size_t n,
                        struct log_reader **out, struct ll_error *err)
{
    struct kafka_reader *r = ll_calloc(1, sizeof(*r));
    ll_rc rc;

    LL_CHECK(n >= 1 && n <= TOPIC_PARTITIONS_MAX);
    r->base.api = &api;
    r->settings = settings;
    r->topic = topic;
    r->count = n;
    r->followed = ll_calloc(n, sizeof(*r->followed));
    for (size_t i = 0; i < n; i++) r->followed[i].seen = cursors[i];
    LL_CHECK(pthread_mutex_init(&r->lock, NULL) == 0);
    rc = connect_reader(r, err);
    *out = rc == LL_OK ? &r->base : NULL;
    if (rc != LL_OK) close_reader(&r->base);
    return rc;
}
