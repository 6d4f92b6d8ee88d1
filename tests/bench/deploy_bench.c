/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* deploy_bench.c - deployments of a small profile, each signed, hashed, checked, synced
 * to disk, on the log and visible when it is answered; and the entities of one pointer
 * and of a hundred.
 *
 * The least that a deployment can be: a file written and synced, its folder synced, a row
 * committed. The least that a query can be: itself, by plain libpq (query_baseline.c). */
#include "client.h"
#include "core/base/clock.h"
#include "deployer.h"
#include "figure.h"
#include "http_load.h"
#include "query_baseline.h"
#include "world.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CLIENTS = 16,
    EACH = 60,
    SCENES = 140 /* on this side of the world's edge */,
    SECONDS = 3,
    REQUESTS = 64
};

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* ---- deployments ---- */

struct caller {
    const struct world *world;
    size_t number, count;
    int64_t *times; /* us */
};

/* One's own profile, over and over: never twice the same. */
static void *deploy_profiles(void *context)
{
    struct caller *c = context;
    struct client client;
    struct person who;

    client_init(&client, c->world->url);
    person_new(&who);
    for (size_t i = 0; i < c->count; i++) {
        struct deployable d;
        int64_t start;
        long status;

        deployable_make(&d, "profile", &who, clock_now_ms(), (int)i);
        start = clock_monotonic_us();
        status = deployable_send(&client, &d);
        c->times[i] = clock_monotonic_us() - start;
        if (status != 200)
            world_fail("a deployment got %ld: %s", status,
                       builder_view(&client.body).ptr);
        deployable_fini(&d);
    }
    client_fini(&client);
    return NULL;
}

/* What it cannot be without: a file and its folder on disk, a row committed. */
static void *write_files(void *context)
{
    static const char bytes[1500] = "{";
    struct caller *c = context;
    PGconn *connection = PQconnectdb(c->world->conninfo);
    int folder = open(c->world->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; i < c->count; i++) {
        char draft[800], name[800];
        int64_t start = clock_monotonic_us();
        PGresult *r;
        int fd;

        snprintf(draft, sizeof(draft), "%s/draft-%zu", c->world->folder, c->number);
        snprintf(name, sizeof(name), "%s/file-%zu-%zu", c->world->folder, c->number, i);
        fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes) ||
            fsync(fd) != 0 || close(fd) != 0 || rename(draft, name) != 0 ||
            fsync(folder) != 0)
            world_fail("cannot write %s", draft);
        r = PQexec(connection, "insert into bench_row default values");
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            world_fail("%s", PQerrorMessage(connection));
        PQclear(r);
        c->times[i] = clock_monotonic_us() - start;
        unlink(name);
    }
    close(folder);
    PQfinish(connection);
    return NULL;
}

/* A second, by so many at once; their times, sorted, where `p99` is wanted (ms). */
static double measure(const struct world *w, void *(*work)(void *), size_t callers,
                      size_t each, double *p99)
{
    struct caller *all = ll_calloc(callers, sizeof(*all));
    pthread_t *threads = ll_calloc(callers, sizeof(*threads));
    int64_t *times = ll_calloc(callers * each, sizeof(*times));
    int64_t start = clock_monotonic_us();
    size_t slow = callers * each * 99 / 100;
    double seconds;

    for (size_t i = 0; i < callers; i++) {
        all[i] = (struct caller){w, i, each, times + i * each};
        LL_CHECK(pthread_create(&threads[i], NULL, work, &all[i]) == 0);
    }
    for (size_t i = 0; i < callers; i++) pthread_join(threads[i], NULL);
    seconds = (double)(clock_monotonic_us() - start) / 1e6;
    qsort(times, callers * each, sizeof(*times), ascending);
    *p99 = (double)times[slow] / 1e3;
    free(times);
    free(threads);
    free(all);
    return (double)(callers * each) / seconds;
}

static void deployments(const struct world *w)
{
    double p99, plain_p99, rate, plain;

    free(world_query(w, "create table bench_row (at timestamptz default now());"
                        " select 1"));
    rate = measure(w, deploy_profiles, 1, EACH, &p99);
    plain = measure(w, write_files, 1, EACH, &plain_p99);
    figure_ratio("deployments of a small profile, 1 client", rate, "1/s", plain, 0.2);
    figure_value("deployments, 1 client, p99", p99, "ms");
    rate = measure(w, deploy_profiles, CLIENTS, EACH, &p99);
    plain = measure(w, write_files, CLIENTS, EACH, &plain_p99);
    figure_ratio("deployments of a small profile, 16 clients", rate, "1/s", plain, 0.2);
    figure_value("deployments, 16 clients, p99", p99, "ms");
    figure_value("files synced and rows committed, 16 at once, p99", plain_p99, "ms");
}

/* ---- active entities ---- */

static char scene_pointers[SCENES][32];

static void fill(const struct world *w)
{
    struct client client;
    struct person who;

    client_init(&client, w->url);
    person_new(&who);
    for (int i = 0; i < SCENES; i++) {
        struct deployable d;

        deployable_make(&d, "scene", &who, clock_now_ms(), i);
        if (deployable_send(&client, &d) != 200)
            world_fail("a scene was refused: %s", builder_view(&client.body).ptr);
        snprintf(scene_pointers[i], sizeof(scene_pointers[i]), "%.31s", d.pointer);
        deployable_fini(&d);
    }
    client_fini(&client);
}

/* A JSON list of `n` pointers from the i-th on; the caller frees. */
static char *pointer_list(size_t i, size_t n)
{
    struct builder b;

    builder_init(&b, 64 * 1024);
    for (size_t k = 0; k < n; k++)
        builder_printf(&b, "%s\"%s\"", k == 0 ? "[" : ",",
                       scene_pointers[(i * 7 + k) % SCENES]);
    builder_char(&b, ']');
    return builder_take(&b);
}

static struct text request_of(const char *pointers)
{
    struct builder b;

    builder_init(&b, 64 * 1024);
    builder_printf(&b,
                   "POST /content/entities/active HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
                   "{\"pointers\":%s}",
                   strlen(pointers) + strlen("{\"pointers\":}"), pointers);
    return text_of(builder_take(&b));
}

static void active(const struct world *w, size_t pointers)
{
    static const char *values[REQUESTS][5];
    static struct text requests[REQUESTS];
    struct query_baseline b = {w,        "content", "active_entities", 5, values[0],
                               REQUESTS, SECONDS};
    struct http_load load = {(int)strtol(strrchr(w->url, ':') + 1, NULL, 10), 32, SECONDS,
                             requests, REQUESTS};
    struct http_load_result result;
    struct ll_error err;
    char figure[96];

    for (size_t i = 0; i < REQUESTS; i++) {
        values[i][0] = "[]";
        values[i][1] = pointer_list(i, pointers);
        values[i][2] = values[i][3] = values[i][4] = "t";
        requests[i] = request_of(values[i][1]);
    }
    if (http_load_run(&load, &result, &err) != LL_OK) world_fail("%s", err.text);
    if (result.refused > 0) world_fail("an answer other than 200");
    snprintf(figure, sizeof(figure), "POST /entities/active by %zu pointer%s, of libpq",
             pointers, pointers == 1 ? "" : "s");
    figure_ratio(figure, result.per_second, "requests/s", query_baseline_run(&b), 0.5);
    snprintf(figure, sizeof(figure), "POST /entities/active by %zu pointer%s, p99",
             pointers, pointers == 1 ? "" : "s");
    figure_value(figure, result.p99_us / 1000, "ms");
    for (size_t i = 0; i < REQUESTS; i++) {
        free((char *)(uintptr_t)values[i][1]);
        free((char *)(uintptr_t)requests[i].ptr);
    }
}

static bool start(struct world *w)
{
    FILE *f;

    if (!world_prepare(w, "bench_deploy", false)) return false;
    f = fopen(w->config, "ae");
    if (f == NULL) world_fail("cannot write %s", w->config);
    fprintf(f, "service.content.rate-limit-ttl-profile = 0\n");
    fclose(f);
    world_up(w);
    return true;
}

int main(void)
{
    struct world w;

    if (!start(&w)) return 77;
    deployments(&w);
    fill(&w);
    active(&w, 1);
    active(&w, 100);
    world_stop(&w);
    return 0;
}
