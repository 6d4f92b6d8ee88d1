/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_topics.h - making the topics of the log on Kafka.
 *
 * Events are kept for ever: no deletion by age or size, no compaction. The partition
 * count is fixed at birth, since a key's events must stay in one partition.
 */
#ifndef LL_KAFKA_TOPICS_H
#define LL_KAFKA_TOPICS_H

#include "core/base/settings.h"
#include "core/log/topic.h"

enum kafka_made {
    KAFKA_MADE,      /* it was not there */
    KAFKA_WAS_THERE, /* with the same partition count */
};

/* Make each topic that is not there, ephemeral ones with an hour's retention. LL_EBROKEN
 * where one has another partition count, naming both; those before it are made then.
 * `replication` 0: the broker's default. `made` (one a topic) may be NULL. */
ll_rc kafka_topics_create(const struct settings *settings, const struct topics *topics,
                          unsigned replication, enum kafka_made *made,
                          struct ll_error *err) LL_MUST_CHECK;
/* Delete them and all that is in them. Those not there are no error. */
ll_rc kafka_topics_delete(const struct settings *settings, const struct topics *topics,
                          struct ll_error *err) LL_MUST_CHECK;

#endif
