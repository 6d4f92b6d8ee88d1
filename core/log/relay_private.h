/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* relay_private.h - what relay.c (leases and the loop), relay_takeover.c (fence, read
 * forward, import) and relay_send.c (rows to records, acknowledgements) share. */
#ifndef LL_RELAY_PRIVATE_H
#define LL_RELAY_PRIVATE_H

#include "core/log/kafka_feed.h"
#include "core/log/kafka_places.h"
#include "core/log/lease.h"
#include "core/log/relay.h"

#include <libpq-fe.h>

enum { RELAY_KEPT = 32, RELAY_DAYS_MS = 7 * 24 * 3600 * 1000 };

/* A partition is somebody else's (is_held false), or taken over from a fence on. Then
 * `sent` >= `delivered` >=
 * `acknowledged.sequence` >= `marked`. */
struct relay_part {
    struct relay_topic *topic;
    uint32_t number;
    int32_t id; /* of landlog.partition */
    bool is_held;
    struct lease lease;
    int64_t broken_until;            /* monotonic us; not tried again before */
    uint64_t epoch;                  /* in force since our fence */
    uint64_t sent;                   /* the last event given to librdkafka */
    uint64_t delivered;              /* the last event acknowledged */
    struct kafka_place acknowledged; /* the last of those that ends its command */
    uint64_t marked;
    int64_t next_offset; /* behind our last record: where the next should be */
    int64_t looked_at;   /* monotonic us: when Kafka was asked whether it is the end */
    int64_t hole; /* where it was not: others' records up to next_offset; -1: none */
    struct kafka_place hole_from;        /* what was acknowledged before it */
    struct kafka_place kept[RELAY_KEPT]; /* places for readers, not yet written */
    size_t kept_count;
    uint64_t last_kept;
};

struct relay_topic {
    struct topic topic;
    char name[KAFKA_TOPIC];
    rd_kafka_topic_t *handle;
    struct relay_part *parts[TOPIC_PARTITIONS_MAX]; /* by number */
};

struct relay {
    struct relay_options options;
    struct uuid id; /* in its fences */
    PGconn *writer; /* leases name its backend */
    PGconn *rows;   /* reads events, listens */
    rd_kafka_t *producer;
    rd_kafka_queue_t *events;
    int wake[2]; /* librdkafka writes when there are acknowledgements */
    size_t topic_count, part_count;
    struct relay_topic *topics;
    struct relay_part *parts;
    struct kafka_writer headers;
    struct relay_progress progress;

    /* relay_send.c: the rows that are being sent. */
    bool is_asking;
    PGresult *result;
    int row, rows_asked;
    size_t asked_turn, turn; /* the first partition of what is asked, of `result` */
    struct arena tags;
    bool has_more; /* the last answer was full, or a notification has come */
    int64_t asked_at;

    /* Of the last acknowledgement that was none. */
    ll_rc failed;
    struct ll_error failure;

    int64_t leases_at, marked_at, housekeeping_at; /* monotonic us */
    bool is_lost; /* a step has failed: send nothing more */
};

/* relay_takeover.c: take over those partitions of `topic` whose leases are new. */
ll_rc relay_take_over(struct relay *r, struct relay_topic *topic,
                      struct relay_part *const *parts, size_t n, struct ll_error *err);
/* Look at what others have written in between (`hole`). LL_ECONFLICT when it is a fence.
 */
ll_rc relay_inspect(struct relay *r, struct relay_part *part, struct ll_error *err);

/* relay_send.c */
extern const char *const relay_rows_sql; /* prepared on `rows` as "rows" */
ll_rc relay_ask(struct relay *r, struct ll_error *err);
ll_rc relay_receive(struct relay *r, struct ll_error *err);
ll_rc relay_send(struct relay *r, struct ll_error *err);
void relay_delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);
ll_rc relay_mark(struct relay *r, struct ll_error *err);
/* Give a record with the headers that `r->headers` holds to librdkafka. LL_EFULL when its
 * queue is full. `tag` comes back in relay_delivered(). */
ll_rc relay_produce(struct relay *r, struct relay_part *part, struct text key,
                    struct text value, int64_t time, uint64_t tag, struct ll_error *err);
enum { RELAY_FENCE_TAG = 0 };

/* relay.c */
ll_rc relay_renew(struct relay *r, struct ll_error *err);
/* Halt this partition; nothing of it behind `sent` is sent. */
void relay_break(struct relay *r, struct relay_part *part, const struct ll_error *why);

#endif
