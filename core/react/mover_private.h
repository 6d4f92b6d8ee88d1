/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* mover_private.h - between mover.c (the thread), mover_rows.c (one round of fetch,
 * append, delete) and mover_session.c (connections and statements). */
#ifndef LL_MOVER_PRIVATE_H
#define LL_MOVER_PRIVATE_H

#include "core/react/fact.h"
#include "core/react/mover.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    MOVER_ROWS = 1000,      /* of one fetch, about */
    MOVER_PARTITIONS = 512, /* held by one runner */
    MOVER_SERVICES = 32,
    MOVER_POLL_MS = 1000, /* the longest wait */
    ARRAYS_MAX = 64 * 1024 * 1024
};

/* May a service's log be written? Looked up once a second. */
struct mover_gate {
    const char *service;
    int64_t looked_us;
    bool is_shut;
};

struct mover {
    struct runner_options options; /* of the runner, whose settings and names it shares */
    pthread_t thread;
    pthread_mutex_t mutex; /* of the three below */
    pthread_cond_t told;
    struct runner *runner; /* NULL: not yet */
    bool is_woken, is_stopping;
    atomic_uint_fast64_t accepted, known;

    /* The thread's own. */
    PGconn *tables, *log; /* the second only appends */
    struct arena arena;
    struct runner_partition held[MOVER_PARTITIONS];
    size_t held_count;
    struct mover_gate gates[MOVER_SERVICES];
    size_t gate_count;
};

/* What one round came to. */
struct mover_round {
    size_t fetched;
    bool is_shut; /* some could not be appended now: wait before the next */
    int wait_ms;  /* where nothing was fetched: until the next is due, or a poll */
};

/* Connect and prepare, unless that is so. */
ll_rc mover_connect(struct mover *m, struct ll_error *err) LL_MUST_CHECK;
void mover_disconnect(struct mover *m);
/* "fetch", "next", "delete" or "gate" (mover_session.c). *out may be NULL. */
ll_rc mover_run(struct mover *m, const char *name, const char *const *values, size_t n,
                PGresult **out, struct ll_error *err) LL_MUST_CHECK;
/* LL_EBROKEN: a fact of which no event can be made. Else passing trouble; what was
 * appended and not deleted is found at the next round. */
ll_rc mover_move(struct mover *m, struct mover_round *out,
                 struct ll_error *err) LL_MUST_CHECK;

#endif
