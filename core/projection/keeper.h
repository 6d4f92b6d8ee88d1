/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* keeper.h - keeps projections projected: what `landlog project` does.
 *
 * For each projection: adopt a generation, run its projectors, make it live when it has
 * caught up, move on when a replay has swapped in another, retry a halted one when this
 * process starts or another clears the halt, and sweep away what nobody uses.
 *
 * Threads: a keeper belongs to one; its runners have their own.
 */
#ifndef LL_KEEPER_H
#define LL_KEEPER_H

#include "core/base/settings.h"
#include "core/event/registry.h"
#include "core/projection/projection.h"
#include "core/projection/runner.h"

enum { KEEPER_PROJECTIONS = 64 };

/* What a keeper of reactors adds to each runner of a generation. */
struct keeper_addition {
    /* Made before the runner, so that `landed` may be called at once. */
    void *(*start)(const struct runner_options *runner);
    void (*landed)(void *addition); /* see runner.h */
    void (*follow)(void *addition, struct runner *runner);
    void (*stop)(void *addition); /* before the runner's end */
};

struct keeper_options {
    const char *kind; /* "project", "react": of its row in landlog.worker */
    const struct keeper_addition *addition; /* NULL: none */
    const struct settings *settings;
    const struct registry *registry;
    const struct projection *const *projections;
    size_t count;
};

struct keeper;

struct keeper *keeper_new(const struct keeper_options *options);
/* Do what is due, then wait at most `timeout_ms` for news. LL_EBROKEN when it is final:
 * every projection is halted, or the database is not this log's. Passing trouble is
 * noted, and retried at the next call. */
ll_rc keeper_step(struct keeper *k, int timeout_ms, struct ll_error *err) LL_MUST_CHECK;
/* Let the flights land, give the leases back, free. */
void keeper_free(struct keeper *k);

#endif
