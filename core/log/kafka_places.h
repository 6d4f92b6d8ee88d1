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
    uint64_t claimed;     /* the newest epoch that this database has taken, */
    struct uuid claimant; /* and its relay that did; nil: not known */
    uint64_t agreed; /* up to this epoch, fences are of a history that it has taken for
                        its own when it last opened the gate, */
    struct uuid was; /* being of this lineage; nil: never */
    struct uuid lineage; /* as it is: another after a restore or a promotion */
};

/* Whether a fence was written by the relay of another database, which has the log from
 * there on. What comes from the lineage that this one continues is not another's. Two
 * that cannot be told apart (one is a cold copy) betray themselves by their epochs. */
bool kafka_is_foreign(const struct kafka_known *known,
                      const struct kafka_envelope *fence);

/* The nearest place at or before each event, the beginning where none is known.
 * LL_EBROKEN when the topic does not have these partitions here. */
ll_rc kafka_places_find(PGconn *connection, const char *topic, const uint32_t *numbers,
                        const uint64_t *sequences, size_t n, struct kafka_known *out,
                        struct ll_error *err) LL_MUST_CHECK;

#endif
