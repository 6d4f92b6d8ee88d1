/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* status.h - what `landlog status` and the metrics say about projections: which
 * generations there are, who works on them, and how far they are behind.
 *
 * Lag is told honestly: in events, and in seconds since the last progress while there was
 * something to do, so that "stuck" differs from "idle".
 */
#ifndef LL_PROJECTION_STATUS_H
#define LL_PROJECTION_STATUS_H

#include "core/base/settings.h"
#include "core/event/registry.h"
#include "core/projection/generation.h"

enum {
    STATUS_OWNER = 256,
    STATUS_OUTGOING = 100000 /* more are not counted */
};

struct status_partition {
    const char *topic;
    uint32_t partition;
    uint64_t sequence, end; /* applied, and on the log */
    uint64_t behind;        /* events */
    uint64_t epoch;
    double stalled_s; /* since the last progress, while behind; 0 when it is not */
    char owner[STATUS_OWNER]; /* who holds its lease; "" when nobody does */
};

struct status_generation {
    struct generation generation;
    enum generation_state state;
    bool is_ours;      /* of this binary's identity */
    bool is_replay;    /* built by a replay */
    char halted[1024]; /* why; "" when it is not */
    uint64_t applied, behind;
    double stalled_s;  /* the longest of its partitions */
    size_t projectors; /* worker threads seen in the last seconds */
    /* A reactor's rows that wait to be appended, and those whose time has not come, up to
     * STATUS_OUTGOING together; when the next of these is due (ms; 0: there is none). */
    uint64_t pending, timers;
    int64_t next_due;
    size_t partition_count;
    const struct status_partition *partitions;
};

/* Calls `each` for every generation of the projection that has tables, oldest first; what
 * it is given lasts as long as the call. LL_ENOTFOUND when no projector has ever run
 * here. */
ll_rc projection_status(PGconn *connection, const struct settings *settings,
                        const struct projection *p,
                        void (*each)(void *context, const struct status_generation *g),
                        void *context, struct ll_error *err) LL_MUST_CHECK;

#endif
