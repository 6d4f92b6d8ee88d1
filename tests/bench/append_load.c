/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* append_load.c - workers that append for a while, and what they got done. */
#include "append_load.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"
#include "figure.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { TAGS = 200000, LAG = 4, REPEATS_PERCENT = 2, ROUNDS = 9 };

/* ---- databases ---- */

void bench_die(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

PGconn *bench_connect(const char *conninfo)
{
    struct ll_error err;
    PGconn *connection;

    if (pg_connect(conninfo, "bench", &connection, &err) != LL_OK)
        bench_die("%s", err.text);
    return connection;
}

void bench_run(PGconn *connection, const char *sql)
{
    struct ll_error err;

    if (pg_script(connection, sql, &err) != LL_OK) bench_die("%s", err.text);
}

static void on_server(const char *server, const char *before, const char *name,
                      const char *behind)
{
    char sql[160];
    PGconn *connection = bench_connect(server);

    snprintf(sql, sizeof(sql), "%s %s %s", before, name, behind);
    bench_run(connection, sql);
    PQfinish(connection);
}

void bench_drop(const char *server, const char *name)
{
    on_server(server, "drop database if exists", name, "with (force)");
}

void bench_database(const char *server, const char *name, char conninfo[1024])
{
    bench_drop(server, name);
    on_server(server, "create database", name, "");
    snprintf(conninfo, 1024, "%s dbname=%s", server, name);
}

const struct topic *bench_install(const char *conninfo, struct topics *topics)
{
    static const char json[] =
        "{\"bench\":{\"service\":\"bench\",\"partitions\":16,\"keyed-by\":\"nothing\"}}";
    PGconn *connection = bench_connect(conninfo);
    struct ll_error err;

    if (topics_parse(topics, text_of(json), &err) != LL_OK ||
        referee_install(connection, topics, &err) != LL_OK)
        bench_die("%s", err.text);
    PQfinish(connection);
    return &topics->topics[0];
}

/* ---- the load ---- */

struct load {
    const struct load_shape *shape;
    const char *conninfo;
    size_t batch;
    int64_t until; /* us */
    atomic_ulong *next_key;
    atomic_ulong *ends; /* a partition each: the largest sequence accepted */
    atomic_ulong done, accepted;
};

static void make_command(const struct load *l, unsigned *seed, struct load_command *c)
{
    c->key = atomic_fetch_add(l->next_key, 1);
    if (rand_r(seed) % 100 < REPEATS_PERCENT) c->key -= (unsigned)rand_r(seed) % 64;
    c->partition = (uint32_t)rand_r(seed) % LOAD_PARTITIONS;
    for (size_t i = 0; i < LOAD_GUARDS; i++) c->tags[i] = (uint64_t)rand_r(seed) % TAGS;
    for (size_t i = 0; i < LOAD_PARTITIONS; i++) {
        unsigned long end = atomic_load(&l->ends[i]), lag = (unsigned)rand_r(seed) % LAG;

        c->seen[i] = end > lag ? end - lag : 0;
    }
}

static void raise_end(atomic_ulong *end, unsigned long sequence)
{
    unsigned long seen = atomic_load(end);

    while (sequence > seen && !atomic_compare_exchange_weak(end, &seen, sequence)) {
    }
}

static void *work(void *argument)
{
    struct load *l = argument;
    struct load_command commands[APPEND_BATCH];
    struct load_verdict verdicts[APPEND_BATCH];
    unsigned seed = (unsigned)clock_monotonic_us();
    void *own = l->shape->open(l->conninfo);

    while (clock_monotonic_us() < l->until) {
        for (size_t i = 0; i < l->batch; i++) make_command(l, &seed, &commands[i]);
        l->shape->append(own, commands, l->batch, verdicts);
        for (size_t i = 0; i < l->batch; i++) {
            if (!verdicts[i].accepted) continue;
            raise_end(&l->ends[commands[i].partition], verdicts[i].sequence);
            atomic_fetch_add(&l->accepted, 1);
        }
        atomic_fetch_add(&l->done, l->batch);
    }
    l->shape->close(own);
    return NULL;
}

/* What a shape has come to: its log goes on from one run to the next. */
struct progress {
    const struct load_shape *shape;
    atomic_ulong next_key, ends[LOAD_PARTITIONS];
    double rates[ROUNDS]; /* commands a second */
    unsigned long done, accepted;
};

static double run_load(const char *conninfo, size_t workers, size_t batch, int64_t us,
                       struct progress *p)
{
    struct load load = {.shape = p->shape,
                        .conninfo = conninfo,
                        .batch = batch,
                        .next_key = &p->next_key,
                        .ends = p->ends};
    pthread_t threads[LOAD_WORKERS];
    int64_t start = clock_monotonic_us();

    load.until = start + us;
    for (size_t i = 0; i < workers; i++)
        LL_CHECK(pthread_create(&threads[i], NULL, work, &load) == 0);
    for (size_t i = 0; i < workers; i++) pthread_join(threads[i], NULL);
    p->done += load.done;
    p->accepted += load.accepted;
    return (double)load.done * 1e6 / (double)(clock_monotonic_us() - start);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double rates[ROUNDS])
{
    qsort(rates, ROUNDS, sizeof(rates[0]), by_size);
    return rates[ROUNDS / 2];
}

/* In short turns, and the median of them, so that a noisy moment is nobody's. */
static void compare(const char *conninfo, const char *figure, size_t workers,
                    size_t batch, int64_t us, struct progress *ours,
                    struct progress *theirs)
{
    ours->done = theirs->done = ours->accepted = theirs->accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct progress *first = round % 2 ? ours : theirs;
        struct progress *second = round % 2 ? theirs : ours;

        first->rates[round] = run_load(conninfo, workers, batch, us, first);
        second->rates[round] = run_load(conninfo, workers, batch, us, second);
    }
    figure_ratio(figure, median(ours->rates), "commands/s", median(theirs->rates), 0.9);
    fprintf(stderr, "%s: accepted %.1f %% of %lu, of the reference's %lu %.1f %%\n",
            figure, 100.0 * (double)ours->accepted / (double)ours->done, ours->done,
            theirs->done, 100.0 * (double)theirs->accepted / (double)theirs->done);
}

static void make_reference(const char *conninfo)
{
    char sql[16 * 1024];
    FILE *file = fopen(LANDLOG_SOURCE_DIR "/tests/bench/reference_shape.sql", "r");
    PGconn *connection = bench_connect(conninfo);
    size_t n;

    if (file == NULL) bench_die("reference_shape.sql is not there");
    n = fread(sql, 1, sizeof(sql) - 1, file);
    fclose(file);
    sql[n] = '\0';
    bench_run(connection, sql);
    PQfinish(connection);
}

void append_figures(const char *server)
{
    static struct progress ours = {.shape = &landlog_shape, .next_key = 1000};
    static struct progress theirs = {.shape = &reference_shape, .next_key = 1000};
    const int64_t turn = 400000; /* us */
    struct topics topics;
    char conninfo[1024];
    PGconn *snapshot;

    bench_database(server, "landlog_append_bench", conninfo);
    bench_install(conninfo, &topics);
    make_reference(conninfo);
    run_load(conninfo, LOAD_WORKERS, 100, 5 * turn, &ours);
    run_load(conninfo, LOAD_WORKERS, 100, 5 * turn, &theirs);

    compare(conninfo, "guarded append, batches of 1", 1, 1, turn, &ours, &theirs);
    compare(conninfo, "guarded append, batches of 10", 1, 10, turn, &ours, &theirs);
    compare(conninfo, "guarded append, batches of 100", 1, 100, turn, &ours, &theirs);
    compare(conninfo, "guarded append, 4 workers, batches of 100", 4, 100, turn, &ours,
            &theirs);
    snapshot = bench_connect(conninfo);
    bench_run(snapshot, "begin isolation level repeatable read; select 1");
    compare(conninfo, "guarded append, batches of 1, behind a long snapshot", 1, 1,
            2 * turn, &ours, &theirs);
    compare(conninfo, "guarded append, 4 workers, batches of 100, behind a long snapshot",
            4, 100, 2 * turn, &ours, &theirs);
    PQfinish(snapshot);
    bench_drop(server, "landlog_append_bench");
}
