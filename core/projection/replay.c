/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* replay.c - a runner on a generation of its own, watched until it can be swapped in. */
#include "core/projection/replay.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/lease.h"
#include "core/log/referee.h"
#include "core/log/worker.h"
#include "core/pg/connect.h"
#include "core/projection/catch_up.h"
#include "core/projection/generation.h"
#include "core/projection/outgoing.h"
#include "core/projection/runner.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    LOOK_MS = 200,
    SWAP_PATIENCE_MS = 60000,
    RATE_MS = 5000, /* the window of the rate that is shown */
    TAKE_MS = 1500  /* until the backend of one that was killed is gone */
};

struct replay {
    const struct replay_options *o;
    PGconn *connection;
    struct lease lease;
    struct generation generation;
    struct wake *wake;
    struct runner *runner;
    struct catch_up catch_up;
    struct outgoing_broom broom;
    struct replay_progress progress;
    int64_t start_us, renewed_us, window_us, swapping_us;
    uint64_t window_folded;
};

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- the lease ---- */

/* Name who has it, in the place of the lease's name. */
static void name_holder(struct replay *r, const char *lease, struct ll_error *err)
{
    PGresult *row;

    if (pg_query(r->connection, "select owner from landlog.lease where name = $1", &lease,
                 1, &row, NULL) != LL_OK)
        return;
    if (PQntuples(row) > 0)
        ll_fail(err, LL_ECONFLICT, "projection \"%s\" is being replayed by %s",
                projection_name(r->o->projection), PQgetvalue(row, 0, 0));
    PQclear(row);
}

static ll_rc take_lease(struct replay *r, struct ll_error *err)
{
    char name[LEASE_NAME], owner[WORKER_NAME];
    int64_t end = clock_monotonic_us() + TAKE_MS * 1000LL;
    ll_rc rc;

    snprintf(name, sizeof(name), "replay/%s", projection_name(r->o->projection));
    worker_name("replay", owner);
    for (;;) {
        rc = lease_take(r->connection, r->connection, name, owner, &r->lease, err);
        if (rc != LL_ECONFLICT) break;
        if (clock_monotonic_us() > end) {
            name_holder(r, name, err);
            break;
        }
        sleep_ms(LOOK_MS);
    }
    r->renewed_us = clock_monotonic_us();
    return rc;
}

static ll_rc renew(struct replay *r, struct ll_error *err)
{
    if (clock_monotonic_us() - r->renewed_us < LEASE_RENEW_MS * 1000LL) return LL_OK;
    r->renewed_us = clock_monotonic_us();
    return lease_renew(r->connection, &r->lease, err);
}

/* ---- the generation ---- */

static ll_rc choose_generation(struct replay *r, struct ll_error *err)
{
    const struct projection *p = r->o->projection;
    ll_rc rc = generation_find_replay(r->connection, p, &r->generation, err);

    r->progress.is_resumed = rc == LL_OK;
    if (rc == LL_ENOTFOUND)
        rc = generation_create(r->connection, p, GENERATION_REPLAY, &r->generation, err);
    if (rc == LL_OK) rc = generation_set_halted(r->connection, &r->generation, NULL, err);
    if (rc == LL_OK && r->o->drop_first)
        rc = generation_drop_others(r->connection, p, &r->generation, err);
    if (rc == LL_OK && r->o->drop_first) wake_send(r->wake, WAKE_GENERATION);
    r->progress.schema = r->generation.schema;
    return rc;
}

static ll_rc open_replay(struct replay *r, struct ll_error *err)
{
    const struct replay_options *o = r->o;
    const char *conninfo = settings_string(o->settings, SETTING_POSTGRES);
    ll_rc rc = pg_connect(conninfo, "replay", &r->connection, err);

    if (rc == LL_OK)
        rc = referee_install(r->connection, registry_topics(o->registry), err);
    if (rc == LL_OK) rc = generation_install(r->connection, err);
    if (rc == LL_OK) rc = take_lease(r, err);
    if (rc != LL_OK) return rc;
    wake_open(conninfo, &r->wake);
    rc = choose_generation(r, err);
    if (rc != LL_OK) return rc;
    r->runner = runner_start(&(struct runner_options){
        .settings = o->settings,
        .projection = o->projection,
        .generation = r->generation,
        .workers = o->workers,
        .batch = o->batch,
        .throttle = o->throttle,
        .wake = r->wake,
    });
    r->start_us = r->window_us = clock_monotonic_us();
    return LL_OK;
}

static void close_replay(struct replay *r)
{
    runner_stop(r->runner);
    catch_up_fini(&r->catch_up);
    wake_close(r->wake);
    if (r->connection != NULL) lease_release(r->connection, &r->lease);
    PQfinish(r->connection);
}

/* ---- watching ---- */

static void measure(struct replay *r)
{
    int64_t now = clock_monotonic_us(), passed = now - r->window_us;

    r->progress.folded = runner_applied(r->runner);
    r->progress.elapsed_ms = (now - r->start_us) / 1000;
    if (passed > 0)
        r->progress.rate =
            (double)(r->progress.folded - r->window_folded) * 1e6 / (double)passed;
    if (passed < RATE_MS * 1000LL) return;
    r->window_us = now;
    r->window_folded = r->progress.folded;
}

static ll_rc tell(struct replay *r, enum replay_phase phase, struct ll_error *err)
{
    measure(r);
    r->progress.phase = phase;
    if (r->o->progress == NULL || r->o->progress(r->o->context, &r->progress))
        return LL_OK;
    return ll_fail(err, LL_ETIMEOUT, "ended before it was done; run it again to go on");
}

static ll_rc check_runner(struct replay *r, struct ll_error *err)
{
    switch (runner_state(r->runner)) {
    case RUNNER_WORKING: return LL_OK;
    case RUNNER_HALTED: runner_why(r->runner, err); return LL_EBROKEN;
    case RUNNER_OVER: break;
    }
    return ll_fail(err, LL_ECONFLICT, "%s was replaced or dropped meanwhile",
                   r->generation.schema);
}

/* Folded to the end, and yet the live one has gone further: it was made from another log,
 * or from more of this one than there is now. */
static ll_rc check_swap(struct replay *r, struct ll_error *err)
{
    int64_t now = clock_monotonic_us();

    if (r->progress.lag.behind > 0 || r->swapping_us == 0) r->swapping_us = now;
    if (now - r->swapping_us < SWAP_PATIENCE_MS * 1000LL) return LL_OK;
    return ll_fail(err, LL_EBROKEN,
                   "%s has the whole log, but the live generation is further on: where "
                   "the log was replaced, use --drop-first",
                   r->generation.schema);
}

static ll_rc watch(struct replay *r, struct ll_error *err)
{
    for (;;) {
        ll_rc rc = check_runner(r, err);

        if (rc == LL_OK) rc = renew(r, err);
        if (rc == LL_OK)
            rc = outgoing_sweep(&r->broom, r->connection, r->o->projection,
                                &r->generation, err);
        if (rc != LL_OK) return rc;
        rc = catch_up_try(&r->catch_up, r->connection, r->o->settings, r->o->projection,
                          &r->generation, NULL, &r->progress.lag, err);
        if (rc == LL_OK) return tell(r, REPLAY_DONE, err);
        if (rc == LL_ETIMEOUT) rc = check_swap(r, err);
        if (rc != LL_OK) return rc;
        rc = tell(r, r->progress.lag.behind > 0 ? REPLAY_FOLDING : REPLAY_SWAPPING, err);
        if (rc != LL_OK) return rc;
        sleep_ms(LOOK_MS);
    }
}

ll_rc replay_run(const struct replay_options *options, struct ll_error *err)
{
    struct replay r = {.o = options};
    ll_rc rc = open_replay(&r, err);

    if (rc == LL_OK) rc = watch(&r, err);
    if (rc == LL_OK) {
        /* the projectors that are told find the partitions free */
        runner_stop(r.runner);
        r.runner = NULL;
        wake_send(r.wake, WAKE_GENERATION);
    }
    /* the generation that it replaced stays for those who still ask it */
    if (rc == LL_OK &&
        generation_sweep(r.connection, options->projection, &r.generation, NULL) != LL_OK)
        note(NOTE_WARNING, "old generations are not swept away");
    close_replay(&r);
    return rc;
}
