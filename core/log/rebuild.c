/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* rebuild.c - see rebuild.h. The folding is that of a relay that takes over
 * (kafka_import.h), without its fence: the relay that comes afterwards writes it. */
#include "core/log/rebuild.h"

#include "core/base/clock.h"
#include "core/log/kafka_import.h"
#include "core/log/kafka_places.h"
#include "core/log/referee.h"
#include "core/pg/connect.h"

#include <stdlib.h>
#include <string.h>

enum {
    REPORT_US = 200 * 1000,
    READ_EVENTS = 5000,
    READ_BYTES = 4 << 20,
    NEWEST_RECORDS = 200,
    DAYS_MS = 7 * 24 * 3600 * 1000
};

struct folding {
    const struct settings *settings;
    const struct topic *topic;
    PGconn *connection;
    struct kafka_feed *feed;
    struct kafka_import imports[TOPIC_PARTITIONS_MAX];
    int64_t end[TOPIC_PARTITIONS_MAX];
    uint64_t start; /* sum of the offsets we began at */
    struct rebuild_progress progress;
    rebuild_report report;
    void *context;
    int64_t reported_at;
};

/* ---- the horizon ---- */

static bool is_event(rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;

    return m->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
           rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           rd_kafka_header_get_last(headers, "ce_landlogepoch", &value, &len) ==
               RD_KAFKA_RESP_ERR_NO_ERROR &&
           rd_kafka_header_get_last(headers, "ce_sequence", &value, &len) ==
               RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The time of the newest event among the last records of each partition; 0: none. Keys
 * live 7 days of log time, which may have ended long ago. */
static ll_rc newest_time(const struct settings *settings, const struct topic *topic,
                         int64_t *out, struct ll_error *err)
{
    struct kafka_options options = {.type = RD_KAFKA_CONSUMER, .purpose = "rebuild"};
    char name[KAFKA_TOPIC];
    rd_kafka_topic_t *handle = NULL;
    rd_kafka_queue_t *queue = NULL;
    rd_kafka_message_t *m;
    uint32_t ended = 0;
    rd_kafka_t *rk;
    ll_rc rc = kafka_topic_name(settings, topic->name, name, err);

    *out = 0;
    if (rc == LL_OK) rc = kafka_open(settings, &options, &rk, err);
    if (rc != LL_OK) return rc;
    rc = kafka_topic_check(rk, name, topic->partitions, err);
    if (rc == LL_OK) {
        handle = rd_kafka_topic_new(rk, name, NULL);
        queue = rd_kafka_queue_new(rk);
        for (uint32_t p = 0; p < topic->partitions; p++)
            rd_kafka_consume_start_queue(handle, (int32_t)p,
                                         RD_KAFKA_OFFSET_TAIL(NEWEST_RECORDS), queue);
    }
    while (rc == LL_OK && ended < topic->partitions) {
        m = rd_kafka_consume_queue(queue, KAFKA_TIMEOUT_MS);
        if (m == NULL) {
            rc = ll_fail(err, LL_EDATABASE, "topic \"%s\": Kafka does not answer", name);
            break;
        }
        if (is_event(m) && rd_kafka_message_timestamp(m, NULL) > *out)
            *out = rd_kafka_message_timestamp(m, NULL);
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            ended++;
        else if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            rc = kafka_fail(err, LL_EDATABASE, m->err, "read topic \"%s\"", name);
        rd_kafka_message_destroy(m);
    }
    if (handle != NULL) {
        for (uint32_t p = 0; p < topic->partitions; p++)
            rd_kafka_consume_stop(handle, (int32_t)p);
        rd_kafka_topic_destroy(handle);
        rd_kafka_queue_destroy(queue);
    }
    rd_kafka_destroy(rk);
    return rc;
}

/* ---- one topic ---- */

static void report(struct folding *f, bool is_last)
{
    uint64_t at = 0;

    if (f->report == NULL) return;
    if (!is_last && clock_monotonic_us() - f->reported_at < REPORT_US) return;
    f->reported_at = clock_monotonic_us();
    for (size_t i = 0; i < f->topic->partitions; i++)
        at += (uint64_t)kafka_feed_offset(f->feed, i);
    f->progress.records = at - f->start;
    f->report(f->context, &f->progress);
}

static ll_rc open_feed(struct folding *f, int64_t horizon, struct ll_error *err)
{
    struct kafka_feed_options options = {f->settings, f->topic, "rebuild",
                                         NULL,        NULL,     true};
    struct kafka_feed_partition parts[TOPIC_PARTITIONS_MAX];
    struct kafka_known known[TOPIC_PARTITIONS_MAX];
    uint32_t numbers[TOPIC_PARTITIONS_MAX] = {0};
    uint64_t sequences[TOPIC_PARTITIONS_MAX] = {0};
    size_t n = f->topic->partitions;
    ll_rc rc;

    for (uint32_t i = 0; i < n; i++) {
        numbers[i] = i;
        sequences[i] = INT64_MAX;
    }
    rc = kafka_places_find(f->connection, f->topic->name, numbers, sequences, n, known,
                           err);
    if (rc != LL_OK) return rc;
    for (uint32_t i = 0; i < n; i++) {
        parts[i] = (struct kafka_feed_partition){i, known[i].place};
        f->start += (uint64_t)known[i].place.offset;
        kafka_import_init(&f->imports[i], f->connection, known[i].id, horizon, false);
        f->imports[i].kept = known[i].place.sequence;
    }
    rc = kafka_feed_open(&options, parts, n, &f->feed, err);
    f->progress.total = 0;
    for (size_t i = 0; i < n && rc == LL_OK; i++) {
        f->end[i] = kafka_feed_end(f->feed, i);
        f->progress.total += (uint64_t)f->end[i];
    }
    f->progress.total -= f->start;
    return rc;
}

static bool is_read(const struct folding *f)
{
    for (size_t i = 0; i < f->topic->partitions; i++)
        if (kafka_feed_offset(f->feed, i) < f->end[i]) return false;
    return true;
}

static ll_rc take(struct folding *f, const struct kafka_feed_batch *batch,
                  struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < batch->count && rc == LL_OK; i++) {
        struct kafka_import *import = &f->imports[batch->origins[i].index];

        kafka_import_add(import, &batch->records[i], &batch->origins[i]);
        if (kafka_import_is_full(import)) rc = kafka_import_flush(import, err);
    }
    f->progress.events += batch->count;
    return rc;
}

static ll_rc fold(struct folding *f, struct ll_error *err)
{
    struct kafka_feed_batch batch = {0};
    ll_rc rc = LL_OK;

    while (rc == LL_OK && (batch.count > 0 || !is_read(f))) {
        rc = kafka_feed_next(f->feed, READ_EVENTS, READ_BYTES, is_read(f) ? 0 : 500,
                             &batch, err);
        if (rc == LL_OK) rc = take(f, &batch, err);
        if (rc == LL_OK) report(f, false);
    }
    for (size_t i = 0; i < f->topic->partitions && rc == LL_OK; i++)
        rc = kafka_import_flush(&f->imports[i], err);
    if (rc == LL_OK) report(f, true);
    return rc;
}

static ll_rc rebuild_topic(const struct settings *settings, const struct topic *topic,
                           PGconn *connection, rebuild_report to, void *context,
                           struct ll_error *err)
{
    struct folding *f = ll_calloc(1, sizeof(*f));
    int64_t newest = 0;
    ll_rc rc;

    f->settings = settings;
    f->topic = topic;
    f->connection = connection;
    f->progress.topic = topic->name;
    f->report = to;
    f->context = context;
    rc = newest_time(settings, topic, &newest, err);
    if (rc == LL_OK) rc = open_feed(f, newest - DAYS_MS, err);
    if (rc == LL_OK) rc = fold(f, err);
    for (size_t i = 0; i < topic->partitions; i++) kafka_import_fini(&f->imports[i]);
    kafka_feed_close(f->feed);
    free(f);
    if (rc != LL_OK) ll_error_prefix(err, "rebuild \"%s\"", topic->name);
    return rc;
}

/* ---- all of it ---- */

/* Nothing is begun where a topic is missing. */
static ll_rc check_topics(const struct settings *settings, const struct topics *topics,
                          struct ll_error *err)
{
    struct kafka_options options = {.type = RD_KAFKA_CONSUMER, .purpose = "rebuild"};
    rd_kafka_t *rk;
    ll_rc rc = kafka_open(settings, &options, &rk, err);

    if (rc != LL_OK) return rc;
    for (size_t i = 0; i < topics->count && rc == LL_OK; i++) {
        const struct topic *t = &topics->topics[i];
        char name[KAFKA_TOPIC];

        if (t->ephemeral) continue;
        rc = kafka_topic_name(settings, t->name, name, err);
        if (rc == LL_OK) rc = kafka_topic_check(rk, name, t->partitions, err);
    }
    rd_kafka_destroy(rk);
    return rc;
}

/* Events in a database whose log is not on Kafka are somebody's log. */
static ll_rc claim_database(PGconn *connection, struct ll_error *err)
{
    PGresult *found;
    ll_rc rc = pg_query(connection,
                        "select r.service from landlog.referee r"
                        " where r.store <> 'kafka' and exists"
                        " (select from landlog.event e"
                        "    join landlog.partition p on p.id = e.partition"
                        "   where p.service = r.service)",
                        NULL, 0, &found, err);

    if (rc != LL_OK) return rc;
    if (PQntuples(found) > 0)
        rc = ll_fail(err, LL_EINVAL,
                     "the database is not empty: service \"%s\" has events in it that "
                     "did not come from Kafka",
                     PQgetvalue(found, 0, 0));
    PQclear(found);
    if (rc != LL_OK) return rc;
    return pg_script(connection,
                     "begin;"
                     "update landlog.log set incarnation = gen_random_uuid()"
                     " where not exists (select from landlog.event);"
                     "update landlog.referee set store = 'kafka', gate = null"
                     " where store <> 'kafka';"
                     "commit",
                     err);
}

ll_rc rebuild_run(const struct settings *settings, const struct topics *topics,
                  rebuild_report to, void *context, struct ll_error *err)
{
    PGconn *connection = NULL;
    ll_rc rc = pg_connect(settings_string(settings, SETTING_POSTGRES), "rebuild",
                          &connection, err);

    if (rc == LL_OK) rc = pg_script(connection, "set client_min_messages = warning", err);
    if (rc == LL_OK) rc = referee_install(connection, topics, err);
    if (rc == LL_OK) rc = check_topics(settings, topics, err);
    if (rc == LL_OK) rc = claim_database(connection, err);
    for (size_t i = 0; i < topics->count && rc == LL_OK; i++)
        if (!topics->topics[i].ephemeral)
            rc =
                rebuild_topic(settings, &topics->topics[i], connection, to, context, err);
    PQfinish(connection);
    return rc;
}
