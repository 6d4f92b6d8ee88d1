/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* share.h - which partitions of a topic one worker projects.
 *
 * Workers of all processes that project a generation share its partitions through leases,
 * evenly: each says once a second that it is there (landlog.projector), counts the
 * others, gives back what it holds beyond its part and takes what is free up to it. To
 * take one is to raise the checkpoint's epoch to the lease's: from then on the flights of
 * whoever held it before raise.
 *
 * Threads: belongs to its worker. What it has is lost with the writer's connection.
 */
#ifndef LL_SHARE_H
#define LL_SHARE_H

#include "core/log/lease.h"
#include "core/log/worker.h"
#include "core/projection/generation.h"

enum { SHARE_BEAT_MS = LEASE_RENEW_MS, SHARE_HUNGRY_MS = 250 };

struct share_partition {
    uint32_t number;
    struct lease lease;
    uint64_t sequence; /* of the last event applied or under way */
    struct uuid id;
};

struct share {
    PGconn *control; /* its own: leases and heartbeats */
    const struct generation *generation;
    const struct topic *topic;
    size_t workers; /* of this process on this topic: known before they are all there */
    char owner[2 * WORKER_NAME];
    struct share_partition held[TOPIC_PARTITIONS_MAX];
    size_t count, part; /* held; wanted at the last beat */
};

/* What the generation has become, as the last beat saw it. */
struct share_news {
    bool is_over;   /* not building or live any more: stop */
    bool is_halted; /* another projector has halted it: stop */
    bool changed;   /* partitions came or went: read from `held` again */
};

/* `index` numbers the workers of the process. */
ll_rc share_open(struct share *s, const char *conninfo, const struct generation *g,
                 const struct topic *topic, size_t workers, size_t index,
                 struct ll_error *err) LL_MUST_CHECK;
/* Give everything back; the writer must be idle or gone. */
void share_close(struct share *s);

/* Say that we are there, renew, give back, take. `writer` is the backend that writes;
 * `is_idle`: no flight is under way, so partitions may be given back. */
ll_rc share_beat(struct share *s, PGconn *writer, bool is_idle, struct share_news *out,
                 struct ll_error *err) LL_MUST_CHECK;

#endif
