/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* runner.h - threads that fold the log into one generation.
 *
 * For each topic of the projection so many worker threads, which share its partitions
 * among themselves and with those of other processes (share.h). Each has a reader, a
 * writer and a control connection; it reads a batch, sends it as a flight (apply.h), and
 * where there is a backlog reads and encodes the next one while Postgres works. Memory is
 * bounded by two batches a worker, whatever the log's length.
 *
 * Passing trouble (connections, deadlocks, a full disk) is retried with back-off, from
 * the checkpoints. An event that cannot be applied halts the generation in all processes:
 * the reason goes to landlog.generation and to the log. What a worker does not hold a
 * lease for, or what was fenced by a swap, it does not write.
 */
#ifndef LL_RUNNER_H
#define LL_RUNNER_H

#include "core/base/settings.h"
#include "core/log/wake.h"
#include "core/projection/projection.h"

#include <libpq-fe.h>

enum runner_state {
    RUNNER_WORKING,
    RUNNER_HALTED, /* here or by another process */
    RUNNER_OVER    /* the generation was replaced or dropped */
};

struct runner_options {
    const struct settings *settings;
    const struct projection *projection;
    struct generation generation;
    size_t workers;    /* threads a topic */
    size_t batch;      /* events a transaction, at most */
    uint64_t throttle; /* events a second, all workers together; 0: no limit */
    struct wake *wake; /* told of each commit; may be NULL */
    /* Called behind each commit, by the worker's thread: must be quick. May be NULL. */
    void (*landed)(void *context);
    void *context;
};

/* A partition that some worker of this runner holds. */
struct runner_partition {
    const struct topic *topic;
    uint32_t number;
    uint64_t epoch; /* of its lease, and of its checkpoint until another takes it over */
};

struct runner;

/* Start the threads. Settings, projection and wake must outlive the runner. */
struct runner *runner_start(const struct runner_options *options);
enum runner_state runner_state(struct runner *r);
/* Events applied since the start. */
uint64_t runner_applied(struct runner *r);
/* Why it was halted; "" when it was not, or not here. */
void runner_why(struct runner *r, struct ll_error *out);
/* What its workers hold now: at most `most`; returns how many. From any thread. */
size_t runner_held(struct runner *r, struct runner_partition *out, size_t most);
/* Halt the generation for `why`, as an event that cannot be applied does: here and, over
 * `connection`, in all processes. From any thread. */
void runner_halt(struct runner *r, PGconn *connection, const struct ll_error *why);
/* Let the flights under way land, give the leases back, end the threads, free. */
void runner_stop(struct runner *r);

#endif
