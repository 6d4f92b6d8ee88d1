/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_feed.c - see kafka_feed.h.
 *
 * librdkafka's simple consumer with one queue for all partitions: positions are ours, so
 * there is no group, and nothing is asked of a coordinator. A message waits in its
 * partition's `pending` until its command is complete, then in `ready` until a batch
 * takes it; `batch` has those whose views were handed out.
 */
#include "core/log/kafka_feed.h"

#include "core/base/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PULL = 512, GAP_US = 10 * 1000 * 1000, NUDGE_MS = 50 };

struct item {
    struct item *next;
    rd_kafka_message_t *message;
    struct kafka_envelope envelope;
    struct kafka_origin origin;
};

struct list {
    struct item *first, *last;
    size_t count;
};

struct part {
    uint32_t number;
    struct kafka_place place;
    bool is_verified; /* the record at `place` was seen */
    bool is_at_end;
    int64_t offset;    /* of the next record */
    int64_t end;       /* of the partition, at the opening */
    int64_t gap_since; /* monotonic us; 0: there is none */
    struct fence fence;
    struct list pending;
};

struct kafka_feed {
    struct kafka_feed_options options;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    size_t count;
    struct part *parts;
    size_t *index; /* of a partition's number */
    struct list ready, batch, unused;
    size_t nudged; /* the last partition */
    struct record *records;
    struct kafka_origin *origins;
    size_t room;
    ll_rc failed; /* latched: told once what was ready before has been handed out */
    struct ll_error failure;
};

/* ---- lists of items ---- */

static void push(struct list *l, struct item *i)
{
    i->next = NULL;
    if (l->last != NULL)
        l->last->next = i;
    else
        l->first = i;
    l->last = i;
    l->count++;
}

static struct item *pop(struct list *l)
{
    struct item *i = l->first;

    if (i == NULL) return NULL;
    l->first = i->next;
    if (l->first == NULL) l->last = NULL;
    l->count--;
    return i;
}

static struct item *item_new(struct kafka_feed *f)
{
    struct item *i = pop(&f->unused);

    return i != NULL ? i : ll_malloc(sizeof(*i));
}

static void empty(struct kafka_feed *f, struct list *l)
{
    struct item *i;

    while ((i = pop(l)) != NULL) {
        kafka_envelope_fini(&i->envelope);
        rd_kafka_message_destroy(i->message);
        push(&f->unused, i);
    }
}

static void append(struct list *to, struct list *from)
{
    struct item *i;

    while ((i = pop(from)) != NULL) push(to, i);
}

/* ---- one message ---- */

static ll_rc broken(const struct kafka_feed *f, const struct part *p,
                    struct ll_error *err)
{
    ll_error_prefix(err, "%s/%u on Kafka, offset %" PRId64, f->options.topic->name,
                    p->number, p->offset);
    return LL_EBROKEN;
}

static ll_rc is_gone(const struct kafka_feed *f, const struct part *p, const char *why,
                     struct ll_error *err)
{
    ll_fail(err, LL_EBROKEN, "event %" PRIu64 " is not there any more: %s",
            p->place.sequence, why);
    return broken(f, p, err);
}

static size_t read_headers(rd_kafka_message_t *m, struct kafka_header *out)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t n = 0, len;

    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
    while (n <= KAFKA_HEADERS &&
           rd_kafka_header_get_all(headers, n, &name, &value, &len) ==
               RD_KAFKA_RESP_ERR_NO_ERROR) {
        out[n].name = text_of(name);
        out[n++].value = (struct text){value, value == NULL ? 0 : len};
    }
    return n;
}

/* The first message must be the place's own event, or the log is not the one we knew. */
static ll_rc verify(struct kafka_feed *f, struct part *p, const rd_kafka_message_t *m,
                    const struct kafka_record *k, struct ll_error *err)
{
    struct kafka_envelope e = {0};
    bool is_it;

    p->is_verified = true;
    if (p->place.sequence == 0) return LL_OK;
    is_it = m->offset == p->place.offset && kafka_envelope_parse(k, &e, NULL) == LL_OK &&
            e.kind == KAFKA_EVENT && e.epoch == p->place.epoch &&
            e.record.sequence == p->place.sequence &&
            (uuid_is_nil(&p->place.id) || uuid_equal(&e.record.id, &p->place.id)) &&
            (p->place.time == 0 || e.record.time == p->place.time);
    kafka_envelope_fini(&e);
    if (is_it) return LL_OK;
    return is_gone(f, p, "the topic was recreated or truncated", err);
}

static ll_rc judge(struct kafka_feed *f, struct part *p, rd_kafka_message_t *m,
                   const struct kafka_record *k, struct ll_error *err)
{
    struct item *i = item_new(f);
    enum fence_verdict verdict = fence_next(&p->fence, k, &i->envelope, err);

    if (verdict == FENCE_PENDING || verdict == FENCE_COMPLETE) {
        i->message = m;
        i->envelope.record.topic = f->options.topic;
        i->envelope.record.partition = p->number;
        i->origin =
            (struct kafka_origin){(size_t)(p - f->parts), m->offset, i->envelope.epoch};
        push(&p->pending, i);
        if (verdict == FENCE_COMPLETE) append(&f->ready, &p->pending);
        return LL_OK;
    }
    push(&f->unused, i);
    if (verdict == FENCE_BROKEN) return broken(f, p, err);
    if (p->fence.gap > 0 && p->gap_since == 0) p->gap_since = clock_monotonic_us();
    if (p->fence.gap > 0 || verdict == FENCE_RAISED) empty(f, &p->pending);
    if (verdict == FENCE_RAISED) {
        p->gap_since = 0;
        if (f->options.fenced != NULL)
            return f->options.fenced(f->options.context, (size_t)(p - f->parts),
                                     &i->envelope, err);
    }
    return LL_OK;
}

static ll_rc take_record(struct kafka_feed *f, struct part *p, rd_kafka_message_t *m,
                         bool *is_kept, struct ll_error *err)
{
    struct kafka_header headers[KAFKA_HEADERS + 1];
    struct kafka_record k = {.headers = headers,
                             .count = read_headers(m, headers),
                             .key = {m->key, m->key_len},
                             .value = {m->payload, m->len},
                             .timestamp = rd_kafka_message_timestamp(m, NULL)};
    bool was_verified = p->is_verified;
    size_t held = f->ready.count + p->pending.count;
    ll_rc rc = LL_OK;

    if (!was_verified) rc = verify(f, p, m, &k, err);
    if (rc == LL_OK && (was_verified || p->place.sequence == 0))
        rc = judge(f, p, m, &k, err);
    *is_kept = f->ready.count + p->pending.count > held;
    p->offset = m->offset + 1;
    p->is_at_end = false;
    return rc;
}

static ll_rc take_error(struct kafka_feed *f, struct part *p, const rd_kafka_message_t *m,
                        struct ll_error *err)
{
    switch (m->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        p->offset = m->offset > p->offset ? m->offset : p->offset;
        p->is_at_end = true;
        if (p->is_verified || p->place.sequence == 0) return LL_OK;
        return is_gone(f, p, "the topic was recreated or truncated", err);
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        ll_fail(err, LL_EBROKEN,
                "the topic was recreated or truncated: it does not have that offset");
        return broken(f, p, err);
    default:
        return kafka_fail(err, LL_EDATABASE, m->err, "read %s/%u from Kafka",
                          f->options.topic->name, p->number);
    }
}

/* Takes the message, whatever comes of it. */
static void take(struct kafka_feed *f, rd_kafka_message_t *m)
{
    struct part *p = &f->parts[f->index[m->partition]];
    struct ll_error err = {0};
    bool is_kept = false;
    ll_rc rc = LL_OK;

    if (f->failed != LL_OK)
        rc = LL_OK;
    else if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = take_error(f, p, m, &err);
    else
        rc = take_record(f, p, m, &is_kept, &err);
    if (!is_kept) rd_kafka_message_destroy(m);
    if (rc == LL_OK) return;
    f->failed = rc;
    f->failure = err;
}

/* ---- batches ---- */

/* Some messages; waits for the first. False when there was none. */
static bool pull(struct kafka_feed *f, int timeout_ms, size_t most)
{
    rd_kafka_message_t *m[PULL];
    ssize_t n;

    m[0] = rd_kafka_consume_queue(f->queue, timeout_ms);
    if (m[0] == NULL) return false;
    take(f, m[0]);
    n = rd_kafka_consume_batch_queue(f->queue, 0, m, most < PULL ? most : PULL);
    for (ssize_t i = 0; i < n; i++) take(f, m[i]);
    return true;
}

/* librdkafka (before 2.2) stops fetching when its queue is full, and looks again only
 * when something else wakes the broker's thread, a second later at most. Any answer from
 * the broker does; this is the least that can be asked. Larger queues would hide it, at a
 * hundred megabytes a reader. */
static void nudge(struct kafka_feed *f)
{
    const char *name = rd_kafka_topic_name(f->topic);
    int64_t low, high;

    for (size_t i = 1; i <= f->count; i++) {
        size_t index = (f->nudged + i) % f->count;
        const struct part *p = &f->parts[index];

        /* As the last fetch had it: where nothing more is known of, one is waiting for
         * more, and would keep us waiting behind it. */
        if (rd_kafka_get_watermark_offsets(f->rk, name, (int32_t)p->number, &low,
                                           &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
            high <= p->offset)
            continue;
        (void)rd_kafka_query_watermark_offsets(f->rk, name, (int32_t)p->number, &low,
                                               &high, NUDGE_MS);
        f->nudged = index;
        return;
    }
}

static bool pull_or_wait(struct kafka_feed *f, int timeout_ms, size_t most)
{
    if (pull(f, 0, most)) return true;
    if (f->ready.count > 0 || timeout_ms == 0) return false;
    nudge(f);
    return pull(f, timeout_ms, most);
}

static void make_room(struct kafka_feed *f, size_t n)
{
    if (n <= f->room) return;
    f->room = n;
    f->records = ll_realloc(f->records, n * sizeof(*f->records));
    f->origins = ll_realloc(f->origins, n * sizeof(*f->origins));
}

static void hand_out(struct kafka_feed *f, size_t max_events, size_t max_bytes,
                     struct kafka_feed_batch *out)
{
    size_t n = 0, bytes = 0;

    make_room(f, max_events < f->ready.count ? max_events : f->ready.count);
    while (n < max_events && f->ready.first != NULL) {
        struct item *i = f->ready.first;

        bytes += i->envelope.record.data.len;
        if (n > 0 && bytes > max_bytes) break;
        f->records[n] = i->envelope.record;
        f->origins[n++] = i->origin;
        push(&f->batch, pop(&f->ready));
    }
    *out = (struct kafka_feed_batch){f->records, f->origins, n};
}

/* In a gap, at the end: a relay should have come and closed it. */
static ll_rc check_gaps(const struct kafka_feed *f, struct ll_error *err)
{
    if (f->options.is_relay) return LL_OK;
    for (size_t i = 0; i < f->count; i++) {
        const struct part *p = &f->parts[i];

        if (p->gap_since == 0 || !p->is_at_end ||
            clock_monotonic_us() - p->gap_since < GAP_US)
            continue;
        fence_explain_gap(&p->fence, err);
        return broken(f, p, err);
    }
    return LL_OK;
}

ll_rc kafka_feed_next(struct kafka_feed *f, size_t max_events, size_t max_bytes,
                      int timeout_ms, struct kafka_feed_batch *out, struct ll_error *err)
{
    *out = (struct kafka_feed_batch){0};
    empty(f, &f->batch);
    while (f->ready.count < max_events && f->failed == LL_OK)
        if (!pull_or_wait(f, timeout_ms, max_events - f->ready.count) ||
            f->ready.count == 0)
            break;
    if (f->ready.count < max_events) nudge(f); /* it fetches while the batch is used */
    if (f->ready.count == 0 && f->failed != LL_OK) {
        if (err != NULL) *err = f->failure;
        return f->failed;
    }
    hand_out(f, max_events, max_bytes, out);
    return out->count > 0 ? LL_OK : check_gaps(f, err);
}

void kafka_feed_wake(struct kafka_feed *f)
{
    rd_kafka_queue_yield(f->queue);
}

/* ---- open and close ---- */

static ll_rc start(struct kafka_feed *f, struct ll_error *err)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct part *p = &f->parts[i];

        if (rd_kafka_consume_start_queue(f->topic, (int32_t)p->number, p->offset,
                                         f->queue) != 0)
            return kafka_fail(err, LL_EDATABASE, rd_kafka_last_error(),
                              "read %s/%u from Kafka", f->options.topic->name, p->number);
    }
    return LL_OK;
}

static ll_rc ask_ends(struct kafka_feed *f, const char *name, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < f->count && rc == LL_OK; i++) {
        struct part *p = &f->parts[i];

        rc = kafka_end(f->rk, name, p->number, &p->end, err);
        if (rc == LL_OK && p->place.sequence > 0 && p->end <= p->place.offset)
            rc = is_gone(f, p, "the topic was recreated or truncated", err);
    }
    return rc;
}

static ll_rc connect_feed(struct kafka_feed *f, struct ll_error *err)
{
    struct kafka_options options = {.type = RD_KAFKA_CONSUMER,
                                    .purpose = f->options.purpose};
    char name[KAFKA_TOPIC];
    ll_rc rc = kafka_topic_name(f->options.settings, f->options.topic->name, name, err);

    if (rc == LL_OK) rc = kafka_open(f->options.settings, &options, &f->rk, err);
    if (rc == LL_OK)
        rc = kafka_topic_check(f->rk, name, f->options.topic->partitions, err);
    if (rc == LL_OK) rc = ask_ends(f, name, err);
    if (rc != LL_OK) return rc;
    f->topic = rd_kafka_topic_new(f->rk, name, NULL);
    f->queue = rd_kafka_queue_new(f->rk);
    if (f->topic == NULL || f->queue == NULL)
        return kafka_fail(err, LL_EDATABASE, rd_kafka_last_error(), "topic \"%s\"", name);
    return start(f, err);
}

ll_rc kafka_feed_open(const struct kafka_feed_options *options,
                      const struct kafka_feed_partition *partitions, size_t n,
                      struct kafka_feed **out, struct ll_error *err)
{
    struct kafka_feed *f = ll_calloc(1, sizeof(*f));
    ll_rc rc;

    LL_CHECK(n >= 1);
    f->options = *options;
    f->count = n;
    f->parts = ll_calloc(n, sizeof(*f->parts));
    f->index = ll_calloc(options->topic->partitions, sizeof(*f->index));
    for (size_t i = 0; i < n; i++) {
        struct part *p = &f->parts[i];

        LL_CHECK(partitions[i].number < options->topic->partitions);
        p->number = partitions[i].number;
        p->place = partitions[i].place;
        p->offset = p->place.sequence > 0 ? p->place.offset : 0;
        fence_init(&p->fence, &p->place);
        f->index[p->number] = i;
    }
    rc = connect_feed(f, err);
    *out = rc == LL_OK ? f : NULL;
    if (rc != LL_OK) kafka_feed_close(f);
    return rc;
}

void kafka_feed_close(struct kafka_feed *f)
{
    struct item *i;

    if (f == NULL) return;
    if (f->topic != NULL)
        for (size_t p = 0; p < f->count; p++)
            rd_kafka_consume_stop(f->topic, (int32_t)f->parts[p].number);
    for (size_t p = 0; p < f->count; p++) empty(f, &f->parts[p].pending);
    empty(f, &f->ready);
    empty(f, &f->batch);
    while ((i = pop(&f->unused)) != NULL) free(i);
    if (f->queue != NULL) rd_kafka_queue_destroy(f->queue);
    if (f->topic != NULL) rd_kafka_topic_destroy(f->topic);
    if (f->rk != NULL) rd_kafka_destroy(f->rk);
    free(f->parts);
    free(f->index);
    free(f->records);
    free(f->origins);
    free(f);
}

/* ---- asked of it ---- */

const struct fence *kafka_feed_fence(const struct kafka_feed *f, size_t index)
{
    return &f->parts[index].fence;
}

uint64_t kafka_feed_void_records(const struct kafka_feed *f)
{
    uint64_t n = 0;

    for (size_t i = 0; i < f->count; i++) n += f->parts[i].fence.void_records;
    return n;
}

int64_t kafka_feed_offset(const struct kafka_feed *f, size_t index)
{
    return f->parts[index].offset;
}

bool kafka_feed_is_at_end(const struct kafka_feed *f, size_t index)
{
    return f->parts[index].is_at_end;
}

int64_t kafka_feed_end(const struct kafka_feed *f, size_t index)
{
    return f->parts[index].end;
}
