/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_places.h - what Postgres knows of where events are on Kafka (relay.sql). */
#ifndef LL_KAFKA_PLACES_H
#define LL_KAFKA_PLACES_H

#include "core/log/fence.h"

#include <libpq-fe.h>

enum { PLACE_EVERY = 4096 }; /* events between two places that are kept for readers */

struct kafka_known {
    int32_t id; /* of landlog.partition */
    struct kafka_place place;
    uint64_t claimed; /* the newest epoch that this database has taken */
};

/* The nearest place at or before each event, the beginning where none is known.
 * LL_EBROKEN when the topic does not have these partitions here. */
ll_rc kafka_places_find(PGconn *connection, const char *topic, const uint32_t *numbers,
                        const uint64_t *sequences, size_t n, struct kafka_known *out,
                        struct ll_error *err) LL_MUST_CHECK;

#endif
