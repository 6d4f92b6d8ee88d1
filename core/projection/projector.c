/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projector.c - one worker: beat, read, send, wait, and again; after any trouble from the
 * start, with the checkpoints as the only memory. */
#include "core/projection/projector.h"

#include "core/base/note.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_MS = 1000, /* the longest wait: a beat is due then */
    BACK_OFF_MS = 100,
    BACK_OFF_MOST_MS = 5000
};

static bool is_working(const struct projector *w)
{
    return !atomic_load(&w->runner->stopping) &&
           atomic_load(&w->runner->state) == RUNNER_WORKING;
}

/* In short naps, so that a stop is not kept waiting. */
static void nap(const struct projector *w, int ms)
{
    for (; ms > 0 && is_working(w); ms -= 50) {
        struct timespec t = {.tv_nsec = (ms < 50 ? ms : 50) * 1000000L};

        nanosleep(&t, NULL);
    }
}

void projector_wake(struct projector *w)
{
    pthread_mutex_lock(&w->mutex);
    if (w->reader != NULL) log_reader_wake(w->reader);
    pthread_mutex_unlock(&w->mutex);
}

static void set_reader(struct projector *w, struct log_reader *reader)
{
    struct log_reader *was;

    pthread_mutex_lock(&w->mutex);
    was = w->reader;
    w->reader = reader;
    pthread_mutex_unlock(&w->mutex);
    log_reader_close(was);
}

/* To other threads. */
static void show_share(struct projector *w)
{
    pthread_mutex_lock(&w->mutex);
    for (size_t i = 0; i < w->share.count; i++)
        w->shown[i] = (struct runner_partition){w->topic, w->share.held[i].number,
                                                w->share.held[i].lease.epoch};
    w->shown_count = w->share.count;
    pthread_mutex_unlock(&w->mutex);
}

/* ---- flights ---- */

/* Wait for the oldest flight, a second at most. LL_ETIMEOUT: still under way. */
static ll_rc land(struct projector *w, struct ll_error *err)
{
    ll_rc rc = applier_wait(w->applier, WAIT_MS, err);

    if (rc != LL_OK) return rc;
    atomic_fetch_add(&w->runner->applied, w->batches[0]);
    w->landed++;
    w->batches[0] = w->batches[1];
    if (w->runner->options.wake != NULL) wake_send(w->runner->options.wake, WAKE_APPLIED);
    if (w->runner->options.landed != NULL)
        w->runner->options.landed(w->runner->options.context);
    return LL_OK;
}

static struct share_partition *find_held(struct share *s, uint32_t number)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->held[i].number == number) return &s->held[i];
    LL_BUG("a record of a partition that was not asked for");
    return NULL;
}

/* What each partition's checkpoint does in this batch. The share moves with it: after a
 * failure it is read again. */
static size_t list_moves(struct projector *w, const struct log_batch *batch,
                         struct apply_move *moves)
{
    size_t n = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct record *r = &batch->records[i];
        struct share_partition *p = find_held(&w->share, r->partition);
        size_t k = 0;

        while (k < n && moves[k].partition != r->partition) k++;
        if (k == n)
            moves[n++] = (struct apply_move){.topic = w->topic,
                                             .partition = r->partition,
                                             .epoch = p->lease.epoch,
                                             .was = p->sequence};
        LL_CHECK(r->sequence == p->sequence + 1);
        moves[k].is = p->sequence = r->sequence;
        moves[k].id = p->id = r->id;
        moves[k].time = r->time;
    }
    return n;
}

static ll_rc send_batch(struct projector *w, const struct log_batch *batch,
                        struct ll_error *err)
{
    struct apply_move *moves = ll_calloc(w->share.count, sizeof(*moves));
    size_t n = list_moves(w, batch, moves);
    ll_rc rc = applier_send(w->applier, batch->records, batch->count, moves, n, err);

    free(moves);
    if (rc == LL_OK) w->batches[applier_flying(w->applier) - 1] = batch->count;
    return rc;
}

/* ---- pace ---- */

static size_t batch_size(const struct runner_options *o)
{
    size_t tenth = (size_t)(o->throttle / 10);

    if (o->throttle == 0 || tenth >= o->batch) return o->batch;
    return tenth > 0 ? tenth : 1;
}

/* Have the workers together done more than the rate allows? */
static bool is_ahead(const struct projector *w)
{
    const struct runner *r = w->runner;
    int64_t passed = clock_monotonic_us() - r->start_us;

    return r->options.throttle > 0 &&
           atomic_load(&r->applied) > (uint64_t)passed * r->options.throttle / 1000000;
}

static int wait_ms(const struct projector *w)
{
    int64_t left = (w->next_beat_us - clock_monotonic_us()) / 1000;

    if (left < 1) return 1;
    return left < WAIT_MS ? (int)left : WAIT_MS;
}

/* ---- the loop ---- */

static ll_rc open_reader(struct projector *w, struct ll_error *err)
{
    struct log_cursor *cursors;
    struct log_reader *reader;
    ll_rc rc;

    set_reader(w, NULL);
    if (w->share.count == 0) return LL_OK;
    cursors = ll_calloc(w->share.count, sizeof(*cursors));
    for (size_t i = 0; i < w->share.count; i++)
        cursors[i] = (struct log_cursor){.partition = w->share.held[i].number,
                                         .sequence = w->share.held[i].sequence,
                                         .id = w->share.held[i].id};
    rc = log_reader_open(w->runner->options.settings, w->topic, cursors, w->share.count,
                         &reader, err);
    free(cursors);
    if (rc == LL_OK) set_reader(w, reader);
    return rc;
}

/* Every flight that is under way, before partitions change hands. */
static ll_rc land_all(struct projector *w, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    while (applier_flying(w->applier) > 0 && (rc == LL_OK || rc == LL_ETIMEOUT))
        rc = land(w, err);
    return rc;
}

static ll_rc beat(struct projector *w, struct ll_error *err)
{
    struct share *s = &w->share;
    bool is_idle = applier_flying(w->applier) == 0;
    struct share_news news;
    ll_rc rc = share_beat(s, applier_connection(w->applier), is_idle, &news, err);
    int ms = s->count < s->part ? SHARE_HUNGRY_MS : SHARE_BEAT_MS;

    show_share(w);
    w->next_beat_us = clock_monotonic_us() + (int64_t)ms * 1000;
    if (rc != LL_OK) return rc;
    if (news.is_over) runner_end(w->runner, RUNNER_OVER, NULL);
    if (news.is_halted) runner_end(w->runner, RUNNER_HALTED, NULL);
    /* a long backlog must not keep us from giving back */
    if (s->count > s->part) {
        rc = land_all(w, err);
        w->next_beat_us = 0;
    } else if (news.changed) {
        rc = land_all(w, err);
        if (rc == LL_OK) rc = open_reader(w, err);
    }
    return rc;
}

/* A batch, when there is one; without waiting when a flight is under way. */
static ll_rc read_and_send(struct projector *w, size_t *count, struct ll_error *err)
{
    bool flies = applier_flying(w->applier) > 0;
    size_t most = batch_size(&w->runner->options);
    struct log_batch batch;
    ll_rc rc;

    if (is_ahead(w)) {
        w->is_behind = false;
        nap(w, flies ? 0 : 20);
        return LL_OK;
    }
    rc = log_reader_next(w->reader, most, flies ? 0 : wait_ms(w), &batch, err);
    if (rc != LL_OK) return rc;
    *count = batch.count;
    w->is_behind = batch.count == most;
    return batch.count > 0 ? send_batch(w, &batch, err) : LL_OK;
}

static ll_rc step(struct projector *w, struct ll_error *err)
{
    size_t flying = applier_flying(w->applier), sent = 0;
    ll_rc rc = LL_OK;

    if (clock_monotonic_us() >= w->next_beat_us) return beat(w, err);
    if (w->share.count == 0) {
        nap(w, wait_ms(w) < 50 ? wait_ms(w) : 50);
        return LL_OK;
    }
    if (flying == 0 || (flying < APPLY_FLIGHTS && w->is_behind))
        rc = read_and_send(w, &sent, err);
    flying = applier_flying(w->applier);
    if (rc != LL_OK || flying == 0) return rc;
    if (flying < APPLY_FLIGHTS && w->is_behind && sent > 0) return LL_OK;
    rc = land(w, err);
    return rc == LL_ETIMEOUT ? LL_OK : rc;
}

static ll_rc start(struct projector *w, struct ll_error *err)
{
    const struct runner_options *o = &w->runner->options;
    const char *conninfo = settings_string(o->settings, SETTING_POSTGRES);
    ll_rc rc = applier_open(conninfo, o->projection, &o->generation, &w->applier, err);

    w->next_beat_us = 0;
    w->is_behind = false;
    if (rc == LL_OK)
        rc = share_open(&w->share, conninfo, &o->generation, w->topic, w->siblings,
                        w->index, err);
    return rc;
}

static void finish(struct projector *w)
{
    set_reader(w, NULL);
    applier_close(w->applier);
    w->applier = NULL;
    share_close(&w->share);
    show_share(w);
}

/* Until a stop or trouble. */
static ll_rc work(struct projector *w, struct ll_error *err)
{
    ll_rc rc = start(w, err);

    while (rc == LL_OK && is_working(w)) rc = step(w, err);
    if (rc == LL_OK) rc = land_all(w, err);
    if (rc == LL_EBROKEN) runner_halt(w->runner, w->share.control, err);
    finish(w);
    return rc;
}

static void report(const struct projector *w, ll_rc rc, const struct ll_error *err)
{
    if (rc != LL_EBROKEN) /* said by runner_halt() */
        note(NOTE_WARNING, "a projector begins again from its checkpoints",
             NOTE_S("schema", w->runner->options.generation.schema),
             NOTE_S("why", err->text));
}

void *projector_run(void *projector)
{
    struct projector *w = projector;
    int back_off = BACK_OFF_MS;

    while (is_working(w)) {
        struct ll_error err = {0};
        uint64_t landed = w->landed;
        ll_rc rc = work(w, &err);

        if (rc == LL_OK) break;
        report(w, rc, &err);
        if (rc == LL_EBROKEN) break;
        if (w->landed > landed) back_off = BACK_OFF_MS;
        nap(w, back_off / 2 + rand() % back_off);
        back_off = back_off * 2 < BACK_OFF_MOST_MS ? back_off * 2 : BACK_OFF_MOST_MS;
    }
    return NULL;
}
