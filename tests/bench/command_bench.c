/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* command_bench.c - from a signed command to its effect being visible: what a person
 * waits for. The whole system as `landlog up` runs it; each answer is read-your-writes,
 * so the time of the answer is the time to visible. */
#include "figure.h"
#include "traffic.h"

#include "core/base/clock.h"

#include <pthread.h>
#include <stdlib.h>

enum { ALONE = 2000, MANY = 64, EACH = 40, WARM = 30 };

struct caller {
    const struct world *world;
    size_t count;
    int64_t *times; /* us */
    unsigned long refused;
};

/* Ask for a friendship and take it back, again and again, each time with a stranger. */
static void *call(void *context)
{
    struct caller *c = context;
    struct client client;
    struct person me, other;

    client_init(&client, c->world->url);
    person_new(&me);
    for (size_t i = 0; i < c->count + WARM; i++) {
        struct client_request q = {
            .who = &me, .method = "POST", .path = "/social/v1/friendships"};
        char body[160];
        int64_t start;

        if (i % 2 == 0) person_new(&other);
        snprintf(body, sizeof(body), "{\"action\":\"%s\",\"to\":\"%s\"}",
                 i % 2 == 0 ? "request" : "cancel", other.address);
        q.body = body;
        start = clock_monotonic_us();
        if (client_send(&client, &q) != 200) c->refused++;
        if (i >= WARM) c->times[i - WARM] = clock_monotonic_us() - start;
    }
    client_fini(&client);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Times of all callers, sorted; the caller frees. Dies on any refusal. */
static int64_t *measure(const struct world *w, size_t callers, size_t each,
                        double *seconds)
{
    struct caller *all = ll_calloc(callers, sizeof(*all));
    pthread_t *threads = ll_calloc(callers, sizeof(*threads));
    int64_t *times = ll_calloc(callers * each, sizeof(*times));
    int64_t start = clock_monotonic_us();

    for (size_t i = 0; i < callers; i++) {
        all[i] = (struct caller){.world = w, .count = each, .times = times + i * each};
        LL_CHECK(pthread_create(&threads[i], NULL, call, &all[i]) == 0);
    }
    for (size_t i = 0; i < callers; i++) {
        pthread_join(threads[i], NULL);
        if (all[i].refused > 0) world_fail("%lu commands were refused", all[i].refused);
    }
    *seconds = (double)(clock_monotonic_us() - start) / 1e6;
    qsort(times, callers * each, sizeof(*times), ascending);
    free(all);
    free(threads);
    return times;
}

static void report(const struct world *w, const char *store, size_t callers, size_t each,
                   double aim_ms)
{
    double seconds;
    int64_t *times = measure(w, callers, each, &seconds);
    size_t n = callers * each;
    char figure[96];

    snprintf(figure, sizeof(figure), "command to visible, %s, %zu client%s, p50", store,
             callers, callers == 1 ? "" : "s");
    figure_value(figure, (double)times[n / 2] / 1e3, "ms");
    snprintf(figure, sizeof(figure), "command to visible, %s, %zu client%s, p99", store,
             callers, callers == 1 ? "" : "s");
    if (aim_ms > 0)
        figure_below(figure, (double)times[n * 99 / 100] / 1e3, "ms", aim_ms);
    else
        figure_value(figure, (double)times[n * 99 / 100] / 1e3, "ms");
    snprintf(figure, sizeof(figure), "commands, %s, %zu client%s", store, callers,
             callers == 1 ? "" : "s");
    figure_value(figure, (double)(callers * (each + WARM)) / seconds, "1/s");
    free(times);
}

static bool on_store(const char *name, bool on_kafka, double aim_ms)
{
    struct world w;

    if (!world_start(&w, name, on_kafka)) return false;
    report(&w, on_kafka ? "kafka" : "postgres", 1, ALONE, aim_ms);
    report(&w, on_kafka ? "kafka" : "postgres", MANY, EACH, 0);
    world_stop(&w);
    return true;
}

int main(void)
{
    if (!on_store("bench_postgres", false, 10)) return 77;
    on_store("bench_kafka", true, 20);
    return 0;
}
