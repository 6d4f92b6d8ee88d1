/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* mover_bench.c - what a reactor has decided onto the log: facts a second through a
 * mover, against the referee alone with the same commands, made beforehand, in batches.
 * Needs LANDLOG_TEST_POSTGRES. */
#include "append_load.h"
#include "figure.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/pg/connect.h"
#include "core/react/fact.h"
#include "core/react/mover.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FACTS = 50000, PATIENCE_S = 120 };

static const char schema[] =
    "{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"title\": \"b.said\","
    " \"description\": \"It was said.\", \"x-description\": \"Emitted by a bench.\","
    " \"x-topic\": \"things\", \"x-key\": \"{key}\", \"x-subject\": \"{key}\","
    " \"x-tags\": [], \"type\": \"object\", \"additionalProperties\": false,"
    " \"required\": [\"key\", \"n\", \"text\"], \"properties\": {"
    "  \"key\": {\"type\": \"string\", \"pattern\": \"^[a-z0-9]+$\"},"
    "  \"n\": {\"type\": \"integer\"}, \"text\": {\"type\": \"string\"}},"
    " \"examples\": [{\"key\": \"k\", \"n\": 3, \"text\": \"t\"}]}";
static const char topics[] =
    "{\"things\": {\"service\": \"b\", \"partitions\": 8, \"keyed-by\": \"nothing\"}}";

static const struct embedded_file files[] = {
    {"schemas/b/b.said.v1.json", schema, schema + sizeof(schema) - 1},
    {"schemas/topics.json", topics, topics + sizeof(topics) - 1},
    {0},
};

static struct {
    char conninfo[1024];
    struct settings *settings;
    struct registry *registry;
    struct projection *reactor;
    PGconn *connection;
} bench;

static void must(ll_rc rc, const struct ll_error *err)
{
    if (rc == LL_OK) return;
    fprintf(stderr, "mover_bench: %s\n", err->text);
    exit(1);
}

static long number(const char *sql)
{
    struct ll_error err;
    PGresult *r;
    long n;

    must(pg_query(bench.connection, sql, NULL, 0, &r, &err), &err);
    n = PQntuples(r) > 0 ? strtol(PQgetvalue(r, 0, 0), NULL, 10) : 0;
    PQclear(r);
    return n;
}

static void open_bench(const char *server)
{
    const struct projection_files texts = {
        .schema = TEXT("create table t (a text primary key);"),
        .apply =
            TEXT("-- on b.said\ninsert into t values (:key) on conflict do nothing;"),
        .queries = TEXT("-- query q()\nselect 200 as status, '{}' as body;"),
        .is_reactor = true};
    struct ll_error err;

    bench_database(server, "mover", bench.conninfo);
    must(settings_load("/dev/null", &bench.settings, &err), &err);
    must(settings_set(bench.settings, TEXT("postgres"), text_of(bench.conninfo), "bench",
                      &err),
         &err);
    must(registry_load_files(files, &bench.registry, &err), &err);
    must(projection_make("talker", &texts, bench.registry, &bench.reactor, &err), &err);
    must(pg_connect(bench.conninfo, "bench", &bench.connection, &err), &err);
    must(referee_install(bench.connection, registry_topics(bench.registry), &err), &err);
}

static void close_bench(const char *server)
{
    PQfinish(bench.connection);
    projection_free(bench.reactor);
    registry_free(bench.registry);
    settings_free(bench.settings);
    bench_drop(server, "mover");
}

/* ---- the referee alone ---- */

static void make_facts(struct fact *facts, struct arena *arena, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ll_error err;
        struct fact_row row = {
            .subject = text_of(arena_printf(arena, "raw-%zu", i)),
            .type = TEXT("b.said"),
            .data = text_of(arena_printf(arena,
                                         "{\"key\": \"k%zu\", \"n\": %zu, \"text\": "
                                         "\"something of some length, as they are\"}",
                                         i % 1000, i))};

        must(fact_make(bench.registry, "raw", &row, arena, &facts[i], &err), &err);
    }
}

static double measure_referee(void)
{
    struct fact *facts = ll_calloc(FACTS, sizeof(*facts));
    struct arena arena;
    int64_t start;

    arena_init(&arena, 512 * 1024 * 1024);
    make_facts(facts, &arena, FACTS);
    start = clock_monotonic_us();
    for (size_t i = 0; i < FACTS; i += APPEND_BATCH) {
        struct append_command commands[APPEND_BATCH];
        struct append_answer answers[APPEND_BATCH];
        struct ll_error err;

        for (size_t k = 0; k < APPEND_BATCH; k++) commands[k] = facts[i + k].command;
        must(referee_append(bench.connection, "b", commands, APPEND_BATCH, answers, &err),
             &err);
    }
    start = clock_monotonic_us() - start;
    arena_fini(&arena);
    free(facts);
    return FACTS * 1e6 / (double)start;
}

/* ---- the mover ---- */

static void step(struct keeper *k)
{
    struct ll_error err;

    must(keeper_step(k, 20, &err), &err);
}

/* From the moment that the rows are there. */
static double measure_mover(void)
{
    const struct projection *reactor = bench.reactor;
    struct keeper *k = keeper_new(&(struct keeper_options){.kind = "react",
                                                           .addition = &mover_addition,
                                                           .settings = bench.settings,
                                                           .registry = bench.registry,
                                                           .projections = &reactor,
                                                           .count = 1});
    int64_t start, end = clock_monotonic_us() + PATIENCE_S * INT64_C(1000000);
    struct ll_error err;

    while (clock_monotonic_us() < end &&
           (number("select count(*) from pg_tables where tablename = 'outgoing'") == 0 ||
            number("select count(*) from landlog.generation where state = 'live'") == 0 ||
            number("select coalesce(min(epoch), 0) from talker_g1.checkpoint") == 0 ||
            number("select sum(sequence) from talker_g1.checkpoint") < FACTS))
        step(k);
    must(pg_script(bench.connection,
                   "insert into talker_g1.outgoing (subject, type, data, input_topic,"
                   " input_partition, input_sequence) select 'fact-' || n, 'b.said',"
                   " jsonb_build_object('key', 'k' || n % 1000, 'n', n, 'text',"
                   " 'something of some length, as they are'), 'things', n % 8, n"
                   " from generate_series(1, 50000) n",
                   &err),
         &err);
    start = clock_monotonic_us();
    while (clock_monotonic_us() < end &&
           number("select count(*) from (select from talker_g1.outgoing limit 1) o") > 0)
        step(k);
    start = clock_monotonic_us() - start;
    keeper_free(k);
    return FACTS * 1e6 / (double)start;
}

int main(void)
{
    const char *server = getenv("LANDLOG_TEST_POSTGRES");
    double referee, mover;

    _Static_assert(FACTS == 50000, "the statement says so too");
    if (server == NULL) return 77;
    note_setup("bench", NOTE_ERROR);
    open_bench(server);
    referee = measure_referee();
    mover = measure_mover();
    figure_ratio("reactor.facts", mover, "1/s", referee, 0.7);
    close_bench(server);
    return 0;
}
