/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_feed.h - the events of some partitions of one topic that count, as Kafka has
 * them: what the reader, a relay that takes over and a rebuild have in common.
 *
 * A feed begins behind a place and demands to find that very event there: a topic that
 * was recreated or truncated is LL_EBROKEN. Offsets are never reset. Void records are
 * judged away (core/log/fence.h); the events of a command come once all of it is there.
 *
 * Memory:  bounded by librdkafka's queue (kafka.queued.max.messages.kbytes), one fetch,
 *          and what was asked for.
 * Threads: one owner; only kafka_feed_wake() may be called by another.
 */
#ifndef LL_KAFKA_FEED_H
#define LL_KAFKA_FEED_H

#include "core/log/fence.h"
#include "core/log/kafka_client.h"

struct kafka_feed;

struct kafka_feed_options {
    const struct settings *settings;
    const struct topic *topic; /* outlives the feed */
    const char *purpose;
    /* Told of each fence that raises an epoch, as it is passed; `index` is the
     * partition's place among those that were opened. What it returns ends the call of
     * next(). */
    ll_rc (*fenced)(void *context, size_t index, const struct kafka_envelope *fence,
                    struct ll_error *err);
    void *context;
    /* It closes gaps. Others halt where one is left open for 10 s. */
    bool is_relay;
};

struct kafka_feed_partition {
    uint32_t number;
    struct kafka_place place;
};

/* Checks the topic's partition count. LL_ENOTFOUND when the topic is not there,
 * LL_EDATABASE is passing. */
ll_rc kafka_feed_open(const struct kafka_feed_options *options,
                      const struct kafka_feed_partition *partitions, size_t n,
                      struct kafka_feed **out, struct ll_error *err) LL_MUST_CHECK;
void kafka_feed_close(struct kafka_feed *feed);

/* Where a record of a batch came from. */
struct kafka_origin {
    size_t index;
    int64_t offset;
    uint64_t epoch;
};

struct kafka_feed_batch {
    const struct record *records;
    const struct kafka_origin *origins; /* of the same order */
    size_t count;
};

/* At most this many events and bytes of data (one event at least); waits for the first
 * record of any kind at most `timeout_ms`, so there may be none before. Valid until the
 * next call. After a failure the feed is of no more
 * use: LL_EBROKEN is final, LL_EDATABASE passing. */
ll_rc kafka_feed_next(struct kafka_feed *feed, size_t max_events, size_t max_bytes,
                      int timeout_ms, struct kafka_feed_batch *out,
                      struct ll_error *err) LL_MUST_CHECK;
/* End a wait early. */
void kafka_feed_wake(struct kafka_feed *feed);

/* What was judged so far. The events of the last batch are passed. */
const struct fence *kafka_feed_fence(const struct kafka_feed *feed, size_t index);
uint64_t kafka_feed_void_records(const struct kafka_feed *feed);
/* The offset behind the last record passed, whether it counted or not. */
int64_t kafka_feed_offset(const struct kafka_feed *feed, size_t index);
/* Whether the partition had nothing behind that, when last heard of. */
bool kafka_feed_is_at_end(const struct kafka_feed *feed, size_t index);
/* The offset that the next record had when the feed was opened. (Asking later would wait
 * for the fetch that is under way on the same connection.) */
int64_t kafka_feed_end(const struct kafka_feed *feed, size_t index);

#endif
