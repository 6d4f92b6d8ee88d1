/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_client.h - librdkafka, set up alike everywhere.
 *
 * What the operator passes through (`kafka.<property>`: TLS, SASL, buffer sizes) goes
 * over our defaults; what the log's promises rest on (acks, idempotence, no reset of
 * offsets) cannot be changed, and trying is an error that names the setting.
 */
#ifndef LL_KAFKA_CLIENT_H
#define LL_KAFKA_CLIENT_H

#include "core/base/settings.h"
#include "core/log/topic.h"

#include <librdkafka/rdkafka.h>

enum { KAFKA_TOPIC = 256, KAFKA_TIMEOUT_MS = 10000 };

struct kafka_options {
    rd_kafka_type_t type;
    const char *purpose; /* in client.id and log lines: "relay", "reader" */
    /* Of a producer; called from rd_kafka_poll(). */
    void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);
    void *opaque;
};

/* A handle, which the caller destroys. Nothing is sent yet: a broker that is away shows
 * later. LL_EINVAL names the setting at fault. */
ll_rc kafka_open(const struct settings *settings, const struct kafka_options *options,
                 rd_kafka_t **out, struct ll_error *err) LL_MUST_CHECK;

/* The topic's name on Kafka: the prefix and its own. LL_EINVAL when that is no name. */
ll_rc kafka_topic_name(const struct settings *settings, const char *topic,
                       char out[KAFKA_TOPIC], struct ll_error *err) LL_MUST_CHECK;

/* How many partitions the topic has on Kafka; 0 when it is not there. LL_EDATABASE when
 * the cluster does not say. */
ll_rc kafka_topic_partitions(rd_kafka_t *rk, const char *name, uint32_t *out,
                             struct ll_error *err) LL_MUST_CHECK;
/* That it is there with this many. LL_EBROKEN names both counts; LL_ENOTFOUND when it is
 * not there. */
ll_rc kafka_topic_check(rd_kafka_t *rk, const char *name, uint32_t partitions,
                        struct ll_error *err) LL_MUST_CHECK;

/* The offset that the partition's next record will get. */
ll_rc kafka_end(rd_kafka_t *rk, const char *name, uint32_t partition, int64_t *out,
                struct ll_error *err) LL_MUST_CHECK;

/* Record what librdkafka said. Returns `rc`. */
ll_rc kafka_fail(struct ll_error *err, ll_rc rc, rd_kafka_resp_err_t code,
                 const char *fmt, ...) LL_PRINTF(4, 5);

#endif
