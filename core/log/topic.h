/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* topic.h - the topics, declared in schemas/topics.json.
 *
 * A topic belongs to one service, whose referee orders it. Its partition count is fixed
 * at birth; the table in Postgres that remembers it is checked on every start.
 */
#ifndef LL_TOPIC_H
#define LL_TOPIC_H

#include "core/base/text.h"
#include "core/log/position.h"

enum { TOPICS_MAX = 64, TOPIC_PARTITIONS_MAX = 256, SERVICE_NAME = 24 };

struct topic {
    char name[POSITION_TOPIC];
    char service[SERVICE_NAME];
    char keyed_by[64]; /* what orders it, in words */
    uint32_t partitions;
    bool ephemeral; /* skips the referee; nothing durable may depend on it */
};

struct topics {
    size_t count;
    struct topic topics[TOPICS_MAX];
};

/* Read the text of topics.json. LL_EINVAL names the topic and the member. */
ll_rc topics_parse(struct topics *t, struct text json,
                   struct ll_error *err) LL_MUST_CHECK;
/* NULL when there is none of that name. */
const struct topic *topics_find(const struct topics *t, struct text name);

/* The partition of a key: Kafka's murmur2, as every Kafka producer computes it. */
uint32_t topic_partition(const struct topic *t, struct text key);

#endif
