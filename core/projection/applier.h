/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* applier.h - the inside of an applier; for apply.c and apply_open.c only. */
#ifndef LL_APPLIER_H
#define LL_APPLIER_H

#include "core/base/arena.h"
#include "core/projection/apply.h"
#include "core/projection/handler.h"

enum { STATEMENT_NAME = 48, APPLY_NO_EVENT = -1 };

/* A statement of apply.sql as this connection has prepared it. */
struct prepared {
    char name[STATEMENT_NAME];
    Oid types[SQL_PARAMETERS];
};

struct prepared_handler {
    const struct handler *handler;
    struct prepared *statements;
};

/* What of an event a message needs, after its record is gone. */
struct flight_event {
    const struct prepared_handler *handler;
    const struct topic *topic;
    uint32_t partition;
    uint64_t sequence;
    struct uuid id;
};

struct flight_step {
    int32_t event; /* APPLY_NO_EVENT: begin, a checkpoint, commit */
    uint32_t statement;
};

struct flight {
    struct flight_event *events;
    size_t event_count, event_room;
    struct flight_step *steps;
    size_t step_count, step_room;
    size_t answered; /* steps */
};

struct applier {
    PGconn *connection;
    const struct projection *p;
    struct prepared_handler *handlers; /* as the projection's */
    struct flight flights[APPLY_FLIGHTS];
    size_t oldest, flying;
    struct arena arena; /* of one event */
    ll_rc failed;       /* latched until the oldest flight's end */
    struct ll_error why;
};

#endif
