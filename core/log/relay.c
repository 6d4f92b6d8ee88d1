/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* relay.c - leases, and the loop around the sending. */
#include "core/log/relay_private.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/wake.h"
#include "core/pg/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TAGS_ARENA = 64 * 1024,
    MARK_US = 100 * 1000,
    RENEW_US = LEASE_RENEW_MS * 1000,
    HOUSEKEEPING_US = 60 * 1000 * 1000,
    DROP_ROWS = 20000,
    ROWS_FIRST = 128,
    LOOK_US = 3 * 1000 * 1000,
    LOOK_MS = 200,
    BROKEN_US = 10 * 1000 * 1000
};

static const char rows_session_sql[] = "set enable_seqscan = off;"
                                       "set plan_cache_mode = force_generic_plan;"
                                       "listen " WAKE_APPENDED;
static const char writer_session_sql[] = "set client_min_messages = warning;"
                                         "set lock_timeout = '10s';"
                                         "set synchronous_commit = off";

/* ---- open and close ---- */

static ll_rc connect_both(struct relay *r, struct ll_error *err)
{
    const char *conninfo = settings_string(r->options.settings, SETTING_POSTGRES);
    PGresult *prepared;
    ll_rc rc = pg_connect(conninfo, "relay", &r->writer, err);

    if (rc == LL_OK) rc = pg_script(r->writer, writer_session_sql, err);
    if (rc == LL_OK) rc = pg_connect(conninfo, "relay rows", &r->rows, err);
    if (rc == LL_OK) rc = pg_script(r->rows, rows_session_sql, err);
    if (rc != LL_OK) return rc;
    prepared = PQprepare(r->rows, "rows", relay_rows_sql, 0, NULL);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
        rc = pg_fail(r->rows, prepared, "prepare the relay", err);
    PQclear(prepared);
    return rc;
}

/* All partitions that a relay of these options may carry. */
static ll_rc ask_partitions(struct relay *r, PGresult **out, struct ll_error *err)
{
    const char *const values[] = {r->options.service,
                                  r->options.is_filling ? "postgres" : "kafka"};

    return pg_query(r->writer,
                    "select p.id, p.topic, p.number, t.partitions, p.service"
                    "  from landlog.partition p"
                    "  join landlog.topic t on t.name = p.topic"
                    "  join landlog.referee r on r.service = p.service"
                    " where r.store = $2 and ($1::text is null or p.service = $1)"
                    " order by p.topic, p.number",
                    values, 2, out, err);
}

static ll_rc add_topic(struct relay *r, const PGresult *rows, int row,
                       struct relay_topic **out, struct ll_error *err)
{
    struct relay_topic *t = &r->topics[r->topic_count++];
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(r->producer);
    ll_rc rc;

    snprintf(t->topic.name, sizeof(t->topic.name), "%s", PQgetvalue(rows, row, 1));
    snprintf(t->topic.service, sizeof(t->topic.service), "%s", PQgetvalue(rows, row, 4));
    t->topic.partitions = (uint32_t)strtoul(PQgetvalue(rows, row, 3), NULL, 10);
    LL_CHECK(t->topic.partitions <= TOPIC_PARTITIONS_MAX);
    rc = kafka_topic_name(r->options.settings, t->topic.name, t->name, err);
    rd_kafka_topic_conf_set_opaque(conf, t);
    if (rc == LL_OK) t->handle = rd_kafka_topic_new(r->producer, t->name, conf);
    if (rc == LL_OK && t->handle == NULL)
        rc =
            kafka_fail(err, LL_EDATABASE, rd_kafka_last_error(), "topic \"%s\"", t->name);
    if (rc != LL_OK) rd_kafka_topic_conf_destroy(conf);
    *out = t;
    return rc;
}

static ll_rc list_partitions(struct relay *r, struct ll_error *err)
{
    struct relay_topic *topic = NULL;
    PGresult *rows;
    ll_rc rc = ask_partitions(r, &rows, err);

    if (rc != LL_OK) return rc;
    r->part_count = (size_t)PQntuples(rows);
    r->parts = ll_calloc(r->part_count + 1, sizeof(*r->parts));
    r->topics = ll_calloc(r->part_count + 1, sizeof(*r->topics));
    for (size_t i = 0; i < r->part_count && rc == LL_OK; i++) {
        struct relay_part *p = &r->parts[i];
        int row = (int)i;

        if (topic == NULL || strcmp(topic->topic.name, PQgetvalue(rows, row, 1)) != 0)
            rc = add_topic(r, rows, row, &topic, err);
        if (rc != LL_OK) break;
        p->topic = topic;
        p->id = (int32_t)strtol(PQgetvalue(rows, row, 0), NULL, 10);
        p->number = (uint32_t)strtoul(PQgetvalue(rows, row, 2), NULL, 10);
        p->hole = -1;
        topic->parts[p->number] = p;
    }
    PQclear(rows);
    return rc;
}

static ll_rc open_producer(struct relay *r, struct ll_error *err)
{
    struct kafka_options options = {.type = RD_KAFKA_PRODUCER,
                                    .purpose = "relay",
                                    .delivered = relay_delivered,
                                    .opaque = r};
    ll_rc rc = kafka_open(r->options.settings, &options, &r->producer, err);

    if (rc != LL_OK) return rc;
    if (pipe2(r->wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return ll_fail(err, LL_ESYSTEM, "pipe: %s", strerror(errno));
    r->events = rd_kafka_queue_get_main(r->producer);
    rd_kafka_queue_io_event_enable(r->events, r->wake[1], "1", 1);
    return LL_OK;
}

ll_rc relay_open(const struct relay_options *options, struct relay **out,
                 struct ll_error *err)
{
    struct relay *r = ll_calloc(1, sizeof(*r));
    ll_rc rc;

    r->options = *options;
    r->id = uuid_v7(clock_now_ms());
    r->wake[0] = r->wake[1] = -1;
    r->has_more = true;
    r->rows_asked = ROWS_FIRST;
    r->leases_at = -RENEW_US;
    kafka_writer_init(&r->headers);
    arena_init(&r->tags, TAGS_ARENA);
    rc = connect_both(r, err);
    if (rc == LL_OK) rc = open_producer(r, err);
    if (rc == LL_OK) rc = list_partitions(r, err);
    r->progress.partitions = r->part_count;
    r->housekeeping_at = clock_monotonic_us();
    *out = rc == LL_OK ? r : NULL;
    if (rc != LL_OK) {
        r->is_lost = true;
        relay_close(r, 0);
    }
    return rc;
}

static void settle(struct relay *r, int flush_ms)
{
    struct ll_error err;

    if (rd_kafka_flush(r->producer, flush_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (r->failed == LL_OK && relay_mark(r, &err) != LL_OK)
        note(NOTE_WARNING, "the last marks are not written", NOTE_S("why", err.text));
}

void relay_close(struct relay *r, int flush_ms)
{
    if (r == NULL) return;
    if (!r->is_lost) settle(r, flush_ms);
    for (size_t i = 0; i < r->part_count; i++)
        if (r->writer != NULL) lease_release(r->writer, &r->parts[i].lease);
    if (r->producer != NULL) {
        rd_kafka_purge(r->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_queue_io_event_enable(r->events, -1, NULL, 0);
        rd_kafka_queue_destroy(r->events);
        for (size_t i = 0; i < r->topic_count; i++)
            if (r->topics[i].handle != NULL) rd_kafka_topic_destroy(r->topics[i].handle);
        rd_kafka_destroy(r->producer);
    }
    for (size_t i = 0; i < LL_LENGTH(r->wake); i++)
        if (r->wake[i] >= 0) close(r->wake[i]);
    PQclear(r->result);
    PQfinish(r->rows);
    PQfinish(r->writer);
    kafka_writer_fini(&r->headers);
    arena_fini(&r->tags);
    free(r->parts);
    free(r->topics);
    free(r);
}

/* ---- leases ---- */

ll_rc relay_renew(struct relay *r, struct ll_error *err)
{
    int64_t now = clock_monotonic_us();
    ll_rc rc = LL_OK;

    if (now - r->leases_at < RENEW_US) return LL_OK;
    for (size_t i = 0; i < r->part_count && rc == LL_OK; i++)
        if (r->parts[i].lease.held) rc = lease_renew(r->writer, &r->parts[i].lease, err);
    if (rc == LL_OK) r->leases_at = now;
    return rc;
}

void relay_break(struct relay *r, struct relay_part *p, const struct ll_error *why)
{
    note(NOTE_ERROR, "relay halts a partition", NOTE_S("topic", p->topic->topic.name),
         NOTE_I("partition", p->number), NOTE_S("why", why->text));
    if (p->is_held) r->progress.held--;
    p->is_held = false;
    p->broken_until = clock_monotonic_us() + BROKEN_US;
    lease_release(r->writer, &p->lease);
    r->progress.broken++;
    r->progress.why = *why;
}

/* Those that are free, of one topic. */
static ll_rc take_leases(struct relay *r, struct relay_topic *topic,
                         struct relay_part **taken, size_t *n, struct ll_error *err)
{
    *n = 0;
    for (uint32_t i = 0; i < topic->topic.partitions; i++) {
        struct relay_part *p = topic->parts[i];
        char name[LEASE_NAME];
        ll_rc rc;

        if (p == NULL || p->lease.held) continue;
        if (p->broken_until > clock_monotonic_us()) continue;
        snprintf(name, sizeof(name), "relay/%s/%u", topic->topic.name, i);
        rc = lease_take(r->writer, r->writer, name, r->options.owner, &p->lease, err);
        if (rc == LL_ECONFLICT) continue;
        if (rc != LL_OK) return rc;
        if (p->broken_until > 0) r->progress.broken--;
        p->broken_until = 0;
        taken[(*n)++] = p;
    }
    return LL_OK;
}

/* Together, or one by one where that shows which of them is broken. */
static ll_rc take_over(struct relay *r, struct relay_topic *topic,
                       struct relay_part *const *parts, size_t n, struct ll_error *err)
{
    ll_rc rc = relay_take_over(r, topic, parts, n, err);

    if ((rc == LL_EBROKEN || rc == LL_ENOTFOUND) && n == 1) {
        relay_break(r, parts[0], err);
        return LL_OK;
    }
    if (rc == LL_EBROKEN || rc == LL_ENOTFOUND) {
        rc = LL_OK;
        for (size_t i = 0; i < n && rc == LL_OK; i++)
            if (!parts[i]->is_held) rc = take_over(r, topic, &parts[i], 1, err);
        return rc;
    }
    return rc;
}

static ll_rc take_free(struct relay *r, struct ll_error *err)
{
    struct relay_part *taken[TOPIC_PARTITIONS_MAX];
    ll_rc rc = LL_OK;
    size_t n;

    for (size_t i = 0; i < r->topic_count && rc == LL_OK; i++) {
        rc = take_leases(r, &r->topics[i], taken, &n, err);
        if (rc == LL_OK && n > 0) rc = take_over(r, &r->topics[i], taken, n, err);
    }
    return rc;
}

/* The partitions to carry are still those that were listed at the start. */
static ll_rc check_partitions(struct relay *r, struct ll_error *err)
{
    PGresult *rows;
    ll_rc rc = ask_partitions(r, &rows, err);

    if (rc != LL_OK) return rc;
    if ((size_t)PQntuples(rows) != r->part_count)
        rc = ll_fail(err, LL_ECONFLICT, "there are %d partitions to carry now, not %zu",
                     PQntuples(rows), r->part_count);
    PQclear(rows);
    return rc;
}

static ll_rc look_after_leases(struct relay *r, struct ll_error *err)
{
    ll_rc rc;

    if (clock_monotonic_us() - r->leases_at < RENEW_US) return LL_OK;
    rc = relay_renew(r, err);
    if (rc == LL_OK) rc = check_partitions(r, err);
    if (rc == LL_OK) rc = take_free(r, err);
    return rc;
}

/* ---- a step ---- */

static ll_rc housekeeping(struct relay *r, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    if (r->options.is_filling ||
        clock_monotonic_us() - r->housekeeping_at < HOUSEKEEPING_US)
        return LL_OK;
    r->housekeeping_at = clock_monotonic_us();
    for (size_t i = 0; i < r->part_count && rc == LL_OK; i++) {
        char id[16], keep[16], most[16];
        const char *const values[] = {id, keep, most};

        if (!r->parts[i].is_held) continue;
        snprintf(id, sizeof(id), "%" PRId32, r->parts[i].id);
        snprintf(keep, sizeof(keep), "%d", RELAY_DAYS_MS);
        snprintf(most, sizeof(most), "%d", DROP_ROWS);
        rc = pg_query(r->writer, "select landlog.drop_relayed($1, $2, $3)", values, 3,
                      NULL, err);
    }
    return rc;
}

static void drain_notifications(struct relay *r)
{
    PGnotify *n;

    if (PQconsumeInput(r->rows) != 1) return; /* the next query tells */
    while ((n = PQnotifies(r->rows)) != NULL) {
        r->has_more = true;
        PQfreemem(n);
    }
}

static ll_rc move_rows(struct relay *r, struct ll_error *err)
{
    int64_t now = clock_monotonic_us();
    ll_rc rc = LL_OK;

    drain_notifications(r);
    if (r->progress.held == 0) return LL_OK;
    if (r->is_asking && r->result == NULL && !PQisBusy(r->rows))
        rc = relay_receive(r, err);
    if (rc == LL_OK && !r->is_asking &&
        (r->has_more || now - r->asked_at >= WAKE_POLL_MS * 1000))
        rc = relay_ask(r, err);
    if (rc == LL_OK && r->result != NULL) rc = relay_send(r, err);
    return rc;
}

/* Others' records show between ours; where there are none of ours, for a while, the end
 * tells. One partition a step: each is a round trip. */
static void look_for_others(struct relay *r)
{
    int64_t now = clock_monotonic_us(), low, high;
    struct relay_part *p = NULL;

    for (size_t i = 0; i < r->part_count && p == NULL; i++) {
        struct relay_part *q = &r->parts[i];

        if (q->is_held && q->sent == q->delivered && q->hole < 0 &&
            now - q->looked_at >= LOOK_US)
            p = q;
    }
    if (p == NULL) return;
    p->looked_at = now;
    if (rd_kafka_query_watermark_offsets(r->producer, p->topic->name, (int32_t)p->number,
                                         &low, &high,
                                         LOOK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (size_t i = 0; i < r->part_count; i++) r->parts[i].looked_at = now;
        return;
    }
    if (high <= p->next_offset) return;
    p->hole = p->next_offset;
    p->hole_from = p->acknowledged;
    p->next_offset = high;
}

static ll_rc acknowledge(struct relay *r, struct ll_error *err)
{
    rd_kafka_poll(r->producer, 0);
    if (r->failed != LL_OK) {
        if (err != NULL) *err = r->failure;
        return r->failed;
    }
    if (clock_monotonic_us() - r->marked_at < MARK_US) return LL_OK;
    look_for_others(r);
    return relay_mark(r, err);
}

static ll_rc work(struct relay *r, struct ll_error *err)
{
    ll_rc rc = look_after_leases(r, err);

    if (rc == LL_OK) rc = housekeeping(r, err);
    if (rc == LL_OK) rc = move_rows(r, err);
    if (rc == LL_OK) rc = acknowledge(r, err);
    return rc;
}

/* For rows, notifications or acknowledgements. */
static void wait_for_more(struct relay *r, int timeout_ms)
{
    /* While rows wait for room in librdkafka's queue, the next ones may wait, too. */
    int rows = r->result == NULL ? PQsocket(r->rows) : -1;
    struct pollfd polled[] = {{.fd = rows, .events = POLLIN},
                              {.fd = r->wake[0], .events = POLLIN}};
    char drained[256];

    if (poll(polled, LL_LENGTH(polled), timeout_ms) <= 0) return;
    if (polled[1].revents & POLLIN)
        while (read(r->wake[0], drained, sizeof(drained)) > 0) {
        }
}

ll_rc relay_step(struct relay *r, int timeout_ms, struct ll_error *err)
{
    bool is_ready;
    ll_rc rc;

    LL_CHECK(!r->is_lost);
    rc = work(r, err);
    if (rc != LL_OK) {
        r->is_lost = true;
        return rc;
    }
    is_ready = r->result == NULL && r->has_more && r->progress.held > 0 && !r->is_asking;
    if (!is_ready)
        wait_for_more(r, timeout_ms < WAKE_POLL_MS ? timeout_ms : WAKE_POLL_MS);
    return LL_OK;
}

void relay_count(const struct relay *r, struct relay_progress *out)
{
    *out = r->progress;
}

ll_rc relay_progress(struct relay *r, struct relay_progress *out, struct ll_error *err)
{
    struct builder ids;
    const char *value;
    uint64_t last = 0;
    PGresult *result;
    ll_rc rc;

    size_t n = 0;

    *out = r->progress;
    builder_init(&ids, 256 * 1024);
    builder_char(&ids, '{');
    for (size_t i = 0; i < r->part_count; i++) {
        if (!r->parts[i].is_held) continue;
        out->relayed += r->parts[i].marked;
        builder_printf(&ids, "%s%" PRId32, n++ > 0 ? "," : "", r->parts[i].id);
    }
    builder_char(&ids, '}');
    value = ids.ptr;
    rc = pg_query(r->writer,
                  "select coalesce(sum(e.sequence), 0) from unnest($1::int[]) p(id)"
                  " cross join lateral (select e.sequence from landlog.event e"
                  "   where e.partition = p.id order by e.sequence desc limit 1) e",
                  &value, 1, &result, err);
    builder_fini(&ids);
    if (rc != LL_OK) return rc;
    last = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    out->lag = last > out->relayed ? last - out->relayed : 0;
    PQclear(result);
    return LL_OK;
}

ll_rc relay_drain(struct relay *r, int timeout_ms, struct ll_error *err)
{
    int64_t end = clock_monotonic_us() + timeout_ms * INT64_C(1000);
    struct relay_progress p = {.lag = 1};
    ll_rc rc = LL_OK;

    r->has_more = true;
    while (rc == LL_OK && p.lag > 0) {
        if (clock_monotonic_us() > end)
            return ll_fail(err, LL_ETIMEOUT, "Kafka took longer than %d ms", timeout_ms);
        rc = relay_step(r, 5, err);
        if (rc != LL_OK || r->is_asking || r->result != NULL || r->has_more ||
            rd_kafka_outq_len(r->producer) > 0)
            continue;
        rc = relay_mark(r, err);
        if (rc == LL_OK) rc = relay_progress(r, &p, err);
        r->is_lost = rc != LL_OK;
    }
    return rc;
}
