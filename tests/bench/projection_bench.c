/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection_bench.c - the projector against raw libpq with the same statements, and a
 * replay of a million events.
 *
 * Requests of friendship, three statements each. The baseline has every parameter ready
 * in memory and sends batches of 1,000 down a pipeline with the same checkpoint statement
 * and session settings; the projector reads the log, decodes, binds, keeps leases. Both
 * start on fresh tables, in turn, and the better of two runs counts for each.
 */
#include "figure.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/referee.h"
#include "core/pg/connect.h"
#include "core/projection/bind.h"
#include "core/projection/generation.h"
#include "core/projection/handler.h"
#include "core/projection/replay.h"
#include "core/projection/runner.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 100000, BATCH = 1000, RUNS = 2, PAIRS = 20000, REPLAYED = 1000000 };

#define TYPE "social.friendship-requested"

struct bench {
    char conninfo[1024], database[64];
    struct settings *settings;
    struct registry *registry;
    struct projection *projection;
    PGconn *connection;
};

_Noreturn static void stop(const char *fmt, ...) LL_PRINTF(1, 2);
_Noreturn static void stop(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void must(ll_rc rc, const struct ll_error *err)
{
    if (rc != LL_OK) stop("%s", err->text);
}

/* ---- events ---- */

struct sample {
    char pair[90], actor[48], target[48];
    struct uuid friendship, action;
};

/* The n-th pair of addresses; with `partition` >= 0 only of that one. */
static void make_sample(const struct topic *topic, uint32_t *serial, int partition,
                        struct sample *out)
{
    do {
        snprintf(out->actor, sizeof(out->actor), "0x%040x", *serial * 2 + 1);
        snprintf(out->target, sizeof(out->target), "0x%040x", *serial * 2 + 2);
        snprintf(out->pair, sizeof(out->pair), "%s:%s", out->actor, out->target);
        ++*serial;
    } while (partition >= 0 &&
             topic_partition(topic, text_of(out->pair)) != (uint32_t)partition);
    out->friendship = uuid_v7(1);
    out->action = uuid_v7(2);
}

static json_t *make_data(const struct sample *s)
{
    char friendship[UUID_TEXT], action[UUID_TEXT];

    uuid_print(&s->friendship, friendship);
    uuid_print(&s->action, action);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "pair", s->pair,
                     "friendshipId", friendship, "actionId", action, "actor", s->actor,
                     "target", s->target, "message", "Hello, we met at the plaza",
                     "actorProof", "signed-fetch", "actorSigner", "dcl:explorer",
                     "authTimestamp", (json_int_t)1767607200000);
}

static void append(struct bench *b, struct sample *samples, size_t n)
{
    struct record *records = ll_calloc(n, sizeof(*records));
    struct arena arena;
    struct ll_error err;
    size_t duplicates;

    arena_init(&arena, 512 * 1024 * 1024);
    for (size_t i = 0; i < n; i++) {
        json_t *data = make_data(&samples[i]);

        records[i].id = uuid_v7(clock_now_ms());
        records[i].source = TEXT("bench");
        records[i].command_size = 1;
        records[i].command = records[i].id;
        must(event_make(b->registry, TEXT(TYPE), data, &arena, &records[i], &err), &err);
        json_decref(data);
    }
    must(referee_append_bulk(b->connection, "social", records, n, &duplicates, &err),
         &err);
    arena_fini(&arena);
    free(records);
}

static void append_many(struct bench *b, const struct sample *samples, size_t pairs,
                        size_t events)
{
    for (size_t done = 0; done < events;) {
        struct sample batch[5000];
        size_t n = 0;

        for (; n < LL_LENGTH(batch) && done < events; n++, done++) {
            batch[n] = samples[done % pairs];
            batch[n].action = uuid_v7(3);
        }
        append(b, batch, n);
    }
}

/* ---- the world ---- */

static void open_bench(struct bench *b)
{
    const char *server = getenv("LANDLOG_TEST_POSTGRES");
    static unsigned serial;
    struct ll_error err;
    PGconn *c;
    char sql[128];

    *b = (struct bench){0};
    snprintf(b->database, sizeof(b->database), "landlog_bench_%d_%u", (int)getpid(),
             serial++);
    snprintf(b->conninfo, sizeof(b->conninfo), "%s dbname=%s", server, b->database);
    snprintf(sql, sizeof(sql), "create database %s", b->database);
    must(pg_connect(server, "bench", &c, &err), &err);
    must(pg_script(c, sql, &err), &err);
    PQfinish(c);
    must(settings_load("/dev/null", &b->settings, &err), &err);
    must(settings_set(b->settings, TEXT("postgres"), text_of(b->conninfo), "bench", &err),
         &err);
    must(registry_load(&b->registry, &err), &err);
    must(projection_load("social", b->registry, &b->projection, &err), &err);
    must(pg_connect(b->conninfo, "bench", &b->connection, &err), &err);
    must(referee_install(b->connection, registry_topics(b->registry), &err), &err);
    must(generation_install(b->connection, &err), &err);
}

static void close_bench(struct bench *b)
{
    char sql[128];
    struct ll_error err;
    PGconn *c;

    PQfinish(b->connection);
    projection_free(b->projection);
    registry_free(b->registry);
    settings_free(b->settings);
    snprintf(sql, sizeof(sql), "drop database %s with (force)", b->database);
    must(pg_connect(getenv("LANDLOG_TEST_POSTGRES"), "bench", &c, &err), &err);
    must(pg_script(c, sql, &err), &err);
    PQfinish(c);
}

static struct generation make_generation(struct bench *b)
{
    struct generation g;
    struct ll_error err;

    must(generation_create(b->connection, b->projection, GENERATION_PROJECT, &g, &err),
         &err);
    must(pg_script(b->connection, "checkpoint", &err), &err);
    return g;
}

/* ---- the projector ---- */

static double run_projector(struct bench *b, size_t workers, size_t events)
{
    struct generation g = make_generation(b);
    int64_t start = clock_monotonic_us();
    struct runner *r = runner_start(&(struct runner_options){.settings = b->settings,
                                                             .projection = b->projection,
                                                             .generation = g,
                                                             .workers = workers,
                                                             .batch = BATCH});

    while (runner_applied(r) < events) {
        if (runner_state(r) != RUNNER_WORKING) stop("the runner ended");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    start = clock_monotonic_us() - start;
    runner_stop(r);
    return (double)events * 1e6 / (double)start;
}

/* ---- the baseline ---- */

/* All parameters of all events, as they go on the wire. */
struct ready {
    struct bound *bound; /* one a step: event by event, statement by statement */
    char (*time)[8], (*id)[16];
};

static void put(struct bound *b, size_t i, const char *value, size_t len)
{
    b->values[i] = value;
    b->lengths[i] = (int)len;
    b->formats[i] = 1;
}

static void make_ready(const struct handler *h, const struct sample *samples,
                       size_t events, struct ready *out)
{
    out->bound = ll_calloc(events * h->statement_count, sizeof(struct bound));
    out->time = ll_calloc(events, 8);
    out->id = ll_calloc(events, 16);
    for (size_t i = 0; i < events; i++) {
        const struct sample *s = &samples[i % PAIRS];
        struct uuid id = uuid_v7(4);

        bind_int8(1767607200000 + (int64_t)i, out->time[i]);
        memcpy(out->id[i], id.bytes, 16);
        for (size_t k = 0; k < h->statement_count; k++) {
            const struct sql_statement *text = h->statements[k].text;
            struct bound *b = &out->bound[i * h->statement_count + k];

            for (size_t n = 0; n < text->parameter_count; n++) {
                const char *name = text->parameters[n];

                if (strcmp(name, "event.time") == 0)
                    put(b, n, out->time[i], 8);
                else if (strcmp(name, "event.id") == 0)
                    put(b, n, out->id[i], 16);
                else if (strcmp(name, "pair") == 0)
                    put(b, n, s->pair, strlen(s->pair));
                else if (strcmp(name, "actor") == 0)
                    put(b, n, s->actor, strlen(s->actor));
                else if (strcmp(name, "friendshipId") == 0)
                    put(b, n, (const char *)s->friendship.bytes, 16);
                else if (strcmp(name, "actionId") == 0)
                    put(b, n, (const char *)s->action.bytes, 16);
                else if (strcmp(name, "message") == 0)
                    put(b, n, "Hello, we met at the plaza", 26);
                else
                    stop("the baseline does not know :%s", name);
            }
        }
    }
}

static void free_ready(struct ready *r)
{
    free(r->bound);
    free(r->time);
    free(r->id);
}

static void prepare(PGconn *c, const char *name, const char *sql, int n, const Oid *types)
{
    PGresult *result = PQprepare(c, name, sql, n, types);

    if (PQresultStatus(result) != PGRES_COMMAND_OK) stop("%s", PQerrorMessage(c));
    PQclear(result);
}

static PGconn *open_baseline(struct bench *b, const struct handler *h,
                             const struct generation *g)
{
    static const Oid types[] = {TYPE_TEXT, 23,        TYPE_INT8,
                                TYPE_INT8, TYPE_INT8, TYPE_UUID};
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    struct builder sql;
    struct ll_error err;
    PGconn *c;

    must(pg_connect(b->conninfo, "baseline", &c, &err), &err);
    must(pg_script(
             c,
             "set synchronous_commit = off; set plan_cache_mode = force_generic_plan;"
             "set enable_seqscan = off",
             &err),
         &err);
    builder_init(&sql, 1024 * 1024);
    builder_printf(&sql, "select \"%s\".advance($1, $2, $3, $4, $5, $6)", g->schema);
    prepare(c, "advance", builder_view(&sql).ptr, 6, types);
    prepare(c, "begin", "begin", 0, NULL);
    prepare(c, "commit", "commit", 0, NULL);
    for (size_t k = 0; k < h->statement_count; k++) {
        Oid own[SQL_PARAMETERS];

        for (size_t n = 0; n < SQL_PARAMETERS; n++)
            own[n] = h->statements[k].parameters[n].type;
        builder_reset(&sql);
        sql_expand(h->statements[k].text->sql, g->schema, &sql);
        prepare(c, names[k], builder_view(&sql).ptr,
                (int)h->statements[k].text->parameter_count, own);
    }
    builder_fini(&sql);
    if (PQsetnonblocking(c, 1) != 0 || PQenterPipelineMode(c) != 1) stop("pipeline mode");
    return c;
}

static void send(PGconn *c, const char *name, int n, const struct bound *b)
{
    if (PQsendQueryPrepared(c, name, n, n ? b->values : NULL, n ? b->lengths : NULL,
                            n ? b->formats : NULL, 0) != 1)
        stop("%s", PQerrorMessage(c));
}

static void collect(PGconn *c)
{
    for (;;) {
        int unsent = PQflush(c);
        struct pollfd polled = {.fd = PQsocket(c),
                                .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};

        if (PQconsumeInput(c) != 1) stop("%s", PQerrorMessage(c));
        while (PQisBusy(c) == 0) {
            PGresult *result = PQgetResult(c);
            ExecStatusType status = PQresultStatus(result);

            if (result == NULL) continue;
            if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
                status != PGRES_PIPELINE_SYNC)
                stop("%s", PQresultErrorMessage(result));
            PQclear(result);
            if (status == PGRES_PIPELINE_SYNC) return;
        }
        poll(&polled, 1, 1000);
    }
}

static void send_checkpoint(PGconn *c, size_t done, const char id[16])
{
    struct bound b;

    put(&b, 0, "social", 6);
    bind_int4(0, b.room[1]);
    put(&b, 1, b.room[1], 4);
    bind_int8((int64_t)done, b.room[2]);
    put(&b, 2, b.room[2], 8);
    bind_int8(0, b.room[3]);
    put(&b, 3, b.room[3], 8);
    bind_int8((int64_t)done + BATCH, b.room[4]);
    put(&b, 4, b.room[4], 8);
    put(&b, 5, id, 16);
    send(c, "advance", 6, &b);
}

static double run_baseline(struct bench *b, const struct sample *samples)
{
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    const struct handler *h = projection_handler(b->projection, TEXT(TYPE));
    struct generation g = make_generation(b);
    PGconn *c = open_baseline(b, h, &g);
    struct ready ready;
    int64_t start;

    make_ready(h, samples, EVENTS, &ready);
    start = clock_monotonic_us();
    for (size_t done = 0; done < EVENTS; done += BATCH) {
        send(c, "begin", 0, NULL);
        send_checkpoint(c, done, ready.id[done + BATCH - 1]);
        for (size_t i = done; i < done + BATCH; i++)
            for (size_t k = 0; k < h->statement_count; k++)
                send(c, names[k], (int)h->statements[k].text->parameter_count,
                     &ready.bound[i * h->statement_count + k]);
        send(c, "commit", 0, NULL);
        if (PQpipelineSync(c) != 1) stop("%s", PQerrorMessage(c));
        collect(c);
    }
    start = clock_monotonic_us() - start;
    PQfinish(c);
    free_ready(&ready);
    return (double)EVENTS * 1e6 / (double)start;
}

static struct sample *make_samples(struct bench *b, int partition)
{
    const struct topic *topic = topics_find(registry_topics(b->registry), TEXT("social"));
    struct sample *samples = ll_calloc(PAIRS, sizeof(*samples));
    uint32_t serial = 1;

    for (size_t i = 0; i < PAIRS; i++)
        make_sample(topic, &serial, partition, &samples[i]);
    return samples;
}

static void bench_projector(void)
{
    struct bench b;
    struct sample *samples;
    double ours = 0, raw = 0;

    open_bench(&b);
    samples = make_samples(&b, 0);
    append_many(&b, samples, PAIRS, EVENTS);
    for (int i = 0; i < RUNS; i++) {
        double rate = run_baseline(&b, samples);

        raw = rate > raw ? rate : raw;
        rate = run_projector(&b, 1, EVENTS);
        ours = rate > ours ? rate : ours;
    }
    figure_ratio("projector, one partition, batches of 1,000", ours, "events/s", raw,
                 0.8);
    free(samples);
    close_bench(&b);
}

/* ---- replay ---- */

static bool keep_rate(void *context, const struct replay_progress *p)
{
    if (p->phase == REPLAY_DONE)
        *(double *)context = (double)p->folded * 1e3 / (double)p->elapsed_ms;
    return true;
}

/* In a process of its own, for its memory. */
static double replay(struct bench *b, long *rss_kib)
{
    struct rusage usage;
    int fds[2], status;
    double rate = 0;
    pid_t pid;

    if (pipe(fds) != 0) stop("pipe: %s", strerror(errno));
    pid = fork();
    if (pid == 0) {
        struct ll_error err;

        must(replay_run(&(struct replay_options){.settings = b->settings,
                                                 .registry = b->registry,
                                                 .projection = b->projection,
                                                 .workers = 2,
                                                 .batch = BATCH,
                                                 .progress = keep_rate,
                                                 .context = &rate},
                        &err),
             &err);
        _exit(write(fds[1], &rate, sizeof(rate)) == (ssize_t)sizeof(rate) ? 0 : 1);
    }
    if (read(fds[0], &rate, sizeof(rate)) != (ssize_t)sizeof(rate) ||
        wait4(pid, &status, 0, &usage) != pid || status != 0)
        stop("the replay failed");
    *rss_kib = usage.ru_maxrss;
    close(fds[0]);
    close(fds[1]);
    return rate;
}

static void bench_replay(void)
{
    struct bench b;
    struct sample *samples;
    long small_kib, large_kib;
    double rate;

    open_bench(&b);
    samples = make_samples(&b, -1);
    append_many(&b, samples, PAIRS, REPLAYED / 10);
    replay(&b, &small_kib);
    append_many(&b, samples, PAIRS, REPLAYED - REPLAYED / 10);
    rate = replay(&b, &large_kib);
    figure_value("replay of 1,000,000 events, postgres store, 2 workers", rate,
                 "events/s");
    figure_value("peak memory of that replay", (double)large_kib / 1024, "MiB");
    figure_value("peak memory of a replay of 100,000 events", (double)small_kib / 1024,
                 "MiB");
    free(samples);
    close_bench(&b);
}

/* `projector` or `replay` alone, for a profile of it. */
int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        fprintf(stderr, "LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    note_setup("bench", NOTE_WARNING);
    if (only == NULL || strcmp(only, "projector") == 0) bench_projector();
    if (only == NULL || strcmp(only, "replay") == 0) bench_replay();
    return 0;
}
