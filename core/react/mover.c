/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* mover.c - the thread: rounds while there is something to do, then a wait for a flight,
 * for what is due next, or for a second. */
#include "core/react/mover_private.h"

#include "core/base/clock.h"
#include "core/base/note.h"

#include <stdlib.h>
#include <time.h>

enum {
    BATCH_MEMORY = (RECORD_DATA + 64 * 1024) * (APPEND_BATCH + 1),
    SHUT_MS = 200,
    BACK_OFF_MS = 100,
    BACK_OFF_MOST_MS = 5000
};

/* Until told, stopped, or so long. */
static void wait_for_news(struct mover *m, int ms)
{
    int64_t end_us = clock_monotonic_us() + ms * 1000LL;
    struct timespec end = {end_us / 1000000, end_us % 1000000 * 1000};

    pthread_mutex_lock(&m->mutex);
    while (!m->is_woken && !m->is_stopping)
        if (pthread_cond_timedwait(&m->told, &m->mutex, &end) != 0) break;
    pthread_mutex_unlock(&m->mutex);
}

/* However often it is told something. */
static void pause(struct mover *m, int ms)
{
    int64_t end_us = clock_monotonic_us() + ms * 1000LL;
    struct timespec end = {end_us / 1000000, end_us % 1000000 * 1000};

    pthread_mutex_lock(&m->mutex);
    while (!m->is_stopping)
        if (pthread_cond_timedwait(&m->told, &m->mutex, &end) != 0) break;
    pthread_mutex_unlock(&m->mutex);
}

/* What it was told is known from here on. */
static bool begin_round(struct mover *m, struct runner **runner)
{
    bool goes_on;

    pthread_mutex_lock(&m->mutex);
    m->is_woken = false;
    *runner = m->runner;
    goes_on = !m->is_stopping;
    pthread_mutex_unlock(&m->mutex);
    return goes_on;
}

static ll_rc round_of(struct mover *m, struct runner *runner, struct ll_error *err)
{
    struct mover_round round;
    ll_rc rc = mover_connect(m, err);

    m->held_count = runner_held(runner, m->held, MOVER_PARTITIONS);
    if (rc != LL_OK) return rc;
    if (m->held_count == 0) {
        wait_for_news(m, SHUT_MS);
        return LL_OK;
    }
    rc = mover_move(m, &round, err);
    if (rc != LL_OK) return rc;
    if (round.is_shut)
        pause(m, SHUT_MS);
    else if (round.fetched == 0)
        wait_for_news(m, round.wait_ms);
    return LL_OK;
}

static void *run(void *mover)
{
    struct mover *m = mover;
    int back_off = BACK_OFF_MS;
    struct runner *runner;

    while (begin_round(m, &runner)) {
        struct ll_error err;
        ll_rc rc;

        if (runner == NULL || runner_state(runner) != RUNNER_WORKING) {
            wait_for_news(m, SHUT_MS);
            continue;
        }
        rc = round_of(m, runner, &err);
        if (rc == LL_OK) {
            back_off = BACK_OFF_MS;
        } else if (rc == LL_EBROKEN) {
            runner_halt(runner, m->tables, &err);
        } else {
            note(NOTE_WARNING, "a mover begins again",
                 NOTE_S("schema", m->options.generation.schema), NOTE_S("why", err.text));
            mover_disconnect(m);
            pause(m, back_off);
            back_off = back_off * 2 < BACK_OFF_MOST_MS ? back_off * 2 : BACK_OFF_MOST_MS;
        }
    }
    return NULL;
}

struct mover *mover_start(const struct runner_options *options)
{
    struct mover *m = ll_calloc(1, sizeof(*m));
    pthread_condattr_t monotonic;

    m->options = *options;
    arena_init(&m->arena, BATCH_MEMORY);
    pthread_mutex_init(&m->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&m->told, &monotonic);
    pthread_condattr_destroy(&monotonic);
    LL_CHECK(pthread_create(&m->thread, NULL, run, m) == 0);
    return m;
}

static void tell(struct mover *m, bool stops)
{
    pthread_mutex_lock(&m->mutex);
    m->is_woken = true;
    m->is_stopping = m->is_stopping || stops;
    pthread_cond_signal(&m->told);
    pthread_mutex_unlock(&m->mutex);
}

void mover_follow(struct mover *m, struct runner *runner)
{
    pthread_mutex_lock(&m->mutex);
    m->runner = runner;
    pthread_mutex_unlock(&m->mutex);
    mover_wake(m);
}

void mover_wake(struct mover *m)
{
    tell(m, false);
}

struct mover_counts mover_counts(struct mover *m)
{
    return (struct mover_counts){atomic_load(&m->accepted), atomic_load(&m->known)};
}

void mover_stop(struct mover *m)
{
    if (m == NULL) return;
    tell(m, true);
    pthread_join(m->thread, NULL);
    mover_disconnect(m);
    arena_fini(&m->arena);
    pthread_cond_destroy(&m->told);
    pthread_mutex_destroy(&m->mutex);
    free(m);
}

/* ---- for the keeper ---- */

static void *start_addition(const struct runner_options *runner)
{
    return mover_start(runner);
}

static void landed(void *mover)
{
    mover_wake(mover);
}

static void follow(void *mover, struct runner *runner)
{
    mover_follow(mover, runner);
}

static void stop_addition(void *mover)
{
    mover_stop(mover);
}

const struct keeper_addition mover_addition = {start_addition, landed, follow,
                                               stop_addition};
