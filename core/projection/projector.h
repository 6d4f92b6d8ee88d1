/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projector.h - one worker thread of a runner; for runner.c and projector.c only. */
#ifndef LL_PROJECTOR_H
#define LL_PROJECTOR_H

#include "core/base/clock.h"
#include "core/log/reader.h"
#include "core/projection/apply.h"
#include "core/projection/runner.h"
#include "core/projection/share.h"

#include <pthread.h>
#include <stdatomic.h>

struct projector {
    struct runner *runner;
    const struct topic *topic;
    size_t index, siblings; /* among this process' workers on the topic */
    pthread_t thread;
    pthread_mutex_t mutex;          /* of `reader` and `shown`, for other threads */
    struct log_reader *reader;      /* NULL while no partition is held */
    struct runner_partition *shown; /* what `share` holds; one for each of the topic */
    size_t shown_count;
    struct applier *applier;
    struct share share;
    int64_t next_beat_us;
    size_t batches[APPLY_FLIGHTS]; /* events of the flights under way, oldest first */
    uint64_t landed;               /* flights, ever */
    bool is_behind;                /* the last batch was full: more is waiting */
};

struct runner {
    struct runner_options options;
    struct projector *workers;
    size_t worker_count;
    int64_t start_us;
    atomic_bool stopping;
    atomic_int state; /* enum runner_state */
    atomic_uint_fast64_t applied;
    pthread_mutex_t mutex; /* of `why` */
    struct ll_error why;
};

void *projector_run(void *projector);
/* End its wait for events early. From any thread. */
void projector_wake(struct projector *w);
/* The first reason to stop wins. */
void runner_end(struct runner *r, enum runner_state state, const struct ll_error *why);

#endif
