/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* apply.h - batches of events into one generation's tables, each batch one flight down
 * libpq's pipeline: BEGIN, the checkpoints, the statements of each event in order,
 * COMMIT, Sync.
 *
 * The checkpoint statements raise when the partition is not where we left it or not under
 * our epoch, so a flight is applied whole, once, by the right one, or not at all. Two
 * flights may be under way at a time: the second's checkpoints are behind the first's, so
 * it fails with it. Commits do not wait for the disk: what a crash of Postgres loses,
 * rows and checkpoint together, is folded from the log again.
 *
 * Threads: an applier belongs to one. After any failure it is of no further use: close
 * it.
 */
#ifndef LL_APPLY_H
#define LL_APPLY_H

#include "core/projection/projection.h"

#include <libpq-fe.h>

enum { APPLY_FLIGHTS = 2 };

/* One partition's part in a batch. */
struct apply_move {
    const struct topic *topic;
    uint32_t partition;
    uint64_t epoch;
    uint64_t was, is; /* sequences: the checkpoint's, and of the batch's last event */
    struct uuid id;   /* of that event */
    int64_t time;     /* of it */
};

struct applier;

/* Connect and prepare every statement of the projection for this generation. */
ll_rc applier_open(const char *conninfo, const struct projection *p,
                   const struct generation *g, struct applier **out,
                   struct ll_error *err) LL_MUST_CHECK;
void applier_close(struct applier *a);
/* The backend that a lease names. Not to be used for anything else. */
PGconn *applier_connection(struct applier *a);
/* How many flights are under way. */
size_t applier_flying(const struct applier *a);

/* Encode a batch and begin to send it; records may go when this returns. At most
 * APPLY_FLIGHTS under way. LL_EBROKEN: an event that cannot be applied, named. */
ll_rc applier_send(struct applier *a, const struct record *records, size_t n,
                   const struct apply_move *moves, size_t move_count,
                   struct ll_error *err) LL_MUST_CHECK;

/* Send and receive for at most `timeout_ms`, until the oldest flight has committed.
 * LL_ETIMEOUT: still under way. LL_ECONFLICT: a checkpoint is not ours any more.
 * LL_EDATABASE: passing trouble (connection, deadlock, disk full): what was committed is
 * in the checkpoints. LL_EBROKEN: an event that cannot be applied; the message names it,
 * its place, the statement's file and line, and the server's words. */
ll_rc applier_wait(struct applier *a, int timeout_ms, struct ll_error *err) LL_MUST_CHECK;

#endif
