/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_import.h - events that come back from Kafka into Postgres, in chunks.
 *
 * Events of one partition are added in order; a flush puts them into a temporary table by
 * binary COPY and calls the function of relay.sql that takes them from there, in one
 * transaction. A chunk ends where a command ends (but for a mere copy of rows), so that a
 * crash between two leaves a state from which the next import goes on.
 */
#ifndef LL_KAFKA_IMPORT_H
#define LL_KAFKA_IMPORT_H

#include "core/log/kafka_feed.h"

#include <libpq-fe.h>

enum { IMPORT_EVENTS = 5000, IMPORT_BYTES = 4 * 1024 * 1024 };

struct kafka_import {
    PGconn *connection;
    int32_t partition;      /* id of landlog.partition */
    int64_t horizon;        /* events of before leave heads only (ms) */
    bool is_copy;           /* rows only: the rest is there (log copy --to postgres) */
    struct builder rows;    /* in COPY's binary format */
    size_t events;          /* in it */
    bool is_whole;          /* the last of them ends its command */
    struct kafka_place end; /* of the last that does */
    uint64_t kept;          /* the last place kept for readers */
    uint64_t added;         /* events that Postgres lacked */
};

void kafka_import_init(struct kafka_import *m, PGconn *connection, int32_t partition,
                       int64_t horizon, bool is_copy);
void kafka_import_fini(struct kafka_import *m);
/* The next event that counts; `origin` says where on Kafka it is. */
void kafka_import_add(struct kafka_import *m, const struct record *r,
                      const struct kafka_origin *origin);
/* Enough has been added for a flush, and one may end here. */
bool kafka_import_is_full(const struct kafka_import *m);
/* Write it; the last event must end a chunk. Nothing added is nothing to do.
 * LL_EBROKEN when Kafka and Postgres contradict each other. */
ll_rc kafka_import_flush(struct kafka_import *m, struct ll_error *err) LL_MUST_CHECK;

#endif
