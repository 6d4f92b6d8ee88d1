/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* runner.c - the threads' start, end and common state; what one does is in projector.c.
 */
#include "core/projection/runner.h"

#include "core/base/note.h"
#include "core/projection/projector.h"

#include <stdlib.h>
#include <string.h>

static void count_workers(const struct runner_options *o, size_t *topics)
{
    for (*topics = 0; projection_topic_at(o->projection, *topics) != NULL;) ++*topics;
}

struct runner *runner_start(const struct runner_options *options)
{
    struct runner *r = ll_calloc(1, sizeof(*r));
    size_t topics, n = 0;

    r->options = *options;
    r->start_us = clock_monotonic_us();
    pthread_mutex_init(&r->mutex, NULL);
    count_workers(options, &topics);
    r->workers = ll_calloc(topics * options->workers, sizeof(*r->workers));
    for (size_t t = 0; t < topics; t++) {
        const struct topic *topic = projection_topic_at(options->projection, t);
        size_t threads = options->workers;

        if (threads > topic->partitions) threads = topic->partitions;
        for (size_t i = 0; i < threads; i++) {
            struct projector *w = &r->workers[n++];

            *w = (struct projector){
                .runner = r, .topic = topic, .index = i, .siblings = threads};
            w->shown = ll_calloc(topic->partitions, sizeof(*w->shown));
            pthread_mutex_init(&w->mutex, NULL);
            LL_CHECK(pthread_create(&w->thread, NULL, projector_run, w) == 0);
        }
    }
    r->worker_count = n;
    return r;
}

enum runner_state runner_state(struct runner *r)
{
    return (enum runner_state)atomic_load(&r->state);
}

uint64_t runner_applied(struct runner *r)
{
    return atomic_load(&r->applied);
}

void runner_why(struct runner *r, struct ll_error *out)
{
    pthread_mutex_lock(&r->mutex);
    *out = r->why;
    pthread_mutex_unlock(&r->mutex);
}

void runner_end(struct runner *r, enum runner_state state, const struct ll_error *why)
{
    int working = RUNNER_WORKING;

    pthread_mutex_lock(&r->mutex);
    if (atomic_compare_exchange_strong(&r->state, &working, (int)state) && why != NULL)
        r->why = *why;
    pthread_mutex_unlock(&r->mutex);
}

void runner_halt(struct runner *r, PGconn *connection, const struct ll_error *why)
{
    const struct runner_options *o = &r->options;

    if (generation_set_halted(connection, &o->generation, why->text, NULL) != LL_OK)
        note(NOTE_WARNING, "the halt is not in landlog.generation");
    note(NOTE_ERROR, "the projection is halted",
         NOTE_S("projection", projection_name(o->projection)),
         NOTE_S("schema", o->generation.schema), NOTE_S("why", why->text));
    runner_end(r, RUNNER_HALTED, why);
}

size_t runner_held(struct runner *r, struct runner_partition *out, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < r->worker_count; i++) {
        struct projector *w = &r->workers[i];

        pthread_mutex_lock(&w->mutex);
        for (size_t k = 0; k < w->shown_count && n < most; k++) out[n++] = w->shown[k];
        pthread_mutex_unlock(&w->mutex);
    }
    return n;
}

void runner_stop(struct runner *r)
{
    if (r == NULL) return;
    atomic_store(&r->stopping, true);
    for (size_t i = 0; i < r->worker_count; i++) projector_wake(&r->workers[i]);
    for (size_t i = 0; i < r->worker_count; i++) {
        pthread_join(r->workers[i].thread, NULL);
        pthread_mutex_destroy(&r->workers[i].mutex);
        free(r->workers[i].shown);
    }
    pthread_mutex_destroy(&r->mutex);
    free(r->workers);
    free(r);
}
