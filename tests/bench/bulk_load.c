/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* bulk_load.c - bulk append of 1 KiB events, against binary COPY of the same rows into a
 * table like landlog.event, in transactions of the same size, in turns. COPY keeps no
 * idempotency keys, numbers nothing and takes no lock: that is what the ratio pays for.
 */
#include "bulk_load.h"

#include "append_load.h"
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "figure.h"

#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 2000, BATCHES = 10, ROUNDS = 3, DATA = 1024 };

static char data[DATA];

static void make_events(const struct topic *topic, struct arena *arena,
                        struct record *events, bool has_tags)
{
    static uint64_t serial;

    for (size_t i = 0; i < BATCH; i++) {
        struct text *tags = arena_calloc(arena, 1, sizeof(*tags));
        struct text key =
            text_of(arena_printf(arena, "thing:%" PRIu64, serial++ * 7919 % 50000));

        *tags = key;
        events[i] = (struct record){.topic = topic,
                                    .partition = topic_partition(topic, key),
                                    .id = uuid_v7(clock_now_ms()),
                                    .type = TEXT("bench.thing-imported"),
                                    .version = 1,
                                    .source = TEXT("bench"),
                                    .subject = key,
                                    .key = key,
                                    .tags = has_tags ? tags : NULL,
                                    .tag_count = has_tags ? 1 : 0,
                                    .data = {data, DATA}};
        events[i].body = events[i].id;
    }
}

/* ---- the baseline: COPY ---- */

struct copy {
    struct builder rows;
    uint64_t ends[LOAD_PARTITIONS];
};

static void put_null(struct builder *b)
{
    builder_add(b, "\xff\xff\xff\xff", 4);
}

static void put_bytes(struct builder *b, const void *bytes, size_t n)
{
    uint32_t length = htonl((uint32_t)n);

    builder_add(b, &length, 4);
    builder_add(b, bytes, n);
}

static void put_64(struct builder *b, uint64_t n)
{
    uint64_t wire = htobe64(n);

    put_bytes(b, &wire, 8);
}

static void put_32(struct builder *b, uint32_t n)
{
    uint32_t wire = htonl(n);

    put_bytes(b, &wire, 4);
}

static void put_16(struct builder *b, uint16_t n)
{
    uint16_t wire = htons(n);

    put_bytes(b, &wire, 2);
}

/* text[] of one element or none. */
static void put_tags(struct builder *b, const struct record *r)
{
    const uint32_t head[] = {htonl(1), 0, htonl(25), htonl(1), htonl(1)};
    struct builder array;

    if (r->tag_count == 0) {
        put_null(b);
        return;
    }
    builder_init(&array, 2048);
    builder_add(&array, head, sizeof(head));
    put_bytes(&array, r->tags[0].ptr, r->tags[0].len);
    put_bytes(b, array.ptr, array.len);
    builder_fini(&array);
}

/* In the order of landlog.event's columns. */
static void put_row(struct copy *c, const struct record *r, int64_t now_ms)
{
    struct builder *b = &c->rows;
    uint16_t columns = htons(18);

    builder_add(b, &columns, 2);
    put_64(b, ++c->ends[r->partition]);
    put_64(b, (uint64_t)now_ms);
    put_32(b, 256 + r->partition);
    put_32(b, r->version);
    put_bytes(b, r->id.bytes, 16);
    put_bytes(b, r->id.bytes, 16);
    put_bytes(b, r->body.bytes, 16);
    put_16(b, 0);
    put_16(b, 1);
    put_null(b);
    put_null(b);
    put_bytes(b, r->type.ptr, r->type.len);
    put_bytes(b, r->source.ptr, r->source.len);
    put_bytes(b, r->subject.ptr, r->subject.len);
    put_bytes(b, r->key.ptr, r->key.len);
    put_null(b);
    put_tags(b, r);
    put_bytes(b, r->data.ptr, r->data.len);
}

static void copy_batch(PGconn *connection, struct copy *c, const struct record *events)
{
    static const char head[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    int64_t now_ms = clock_now_ms();
    PGresult *result;

    builder_reset(&c->rows);
    builder_add(&c->rows, head, sizeof(head));
    for (size_t i = 0; i < BATCH; i++) put_row(c, &events[i], now_ms);
    builder_add(&c->rows, "\xff\xff", 2);
    result = PQexec(connection, "copy raw_event from stdin (format binary)");
    if (PQresultStatus(result) != PGRES_COPY_IN)
        bench_die("%s", PQerrorMessage(connection));
    PQclear(result);
    if (PQputCopyData(connection, c->rows.ptr, (int)c->rows.len) != 1 ||
        PQputCopyEnd(connection, NULL) != 1)
        bench_die("%s", PQerrorMessage(connection));
    while ((result = PQgetResult(connection)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            bench_die("%s", PQerrorMessage(connection));
        PQclear(result);
    }
}

/* ---- in turns ---- */

struct bulk {
    const struct topic *topic;
    PGconn *connection;
    struct arena arena;
    struct record *events;
    struct copy copy;
    int64_t our_us, their_us;
};

static void append_batch(struct bulk *b)
{
    struct ll_error err;
    size_t duplicates;

    if (referee_append_bulk(b->connection, "bench", b->events, BATCH, &duplicates,
                            &err) != LL_OK)
        bench_die("%s", err.text);
    LL_CHECK(duplicates == 0);
}

static void one_turn(struct bulk *b, bool ours, bool has_tags)
{
    for (int i = 0; i < BATCHES; i++) {
        int64_t start;

        arena_reset(&b->arena);
        make_events(b->topic, &b->arena, b->events, has_tags);
        start = clock_monotonic_us();
        if (ours)
            append_batch(b);
        else
            copy_batch(b->connection, &b->copy, b->events);
        *(ours ? &b->our_us : &b->their_us) += clock_monotonic_us() - start;
    }
}

static void compare(struct bulk *b, const char *figure, bool has_tags)
{
    const double events = (double)BATCH * BATCHES * ROUNDS;

    b->our_us = b->their_us = 0;
    for (int round = 0; round < ROUNDS; round++) {
        one_turn(b, round % 2 == 0, has_tags);
        one_turn(b, round % 2 != 0, has_tags);
    }
    figure_ratio(figure, events * 1e6 / (double)b->our_us, "events/s",
                 events * 1e6 / (double)b->their_us, 0.6);
}

void bulk_figures(const char *server)
{
    struct topics topics;
    struct bulk b = {0};
    char conninfo[1024];

    for (size_t i = 0; i < DATA; i++) data[i] = (char)(i * 31 + 7);
    bench_database(server, "landlog_bulk_bench", conninfo);
    b.topic = bench_install(conninfo, &topics);
    b.connection = bench_connect(conninfo);
    bench_run(b.connection,
              "create table public.raw_event (like landlog.event including all);"
              "set search_path = public");
    b.events = ll_calloc(BATCH, sizeof(*b.events));
    arena_init(&b.arena, 64 * 1024 * 1024);
    builder_init(&b.copy.rows, 64 * 1024 * 1024);

    compare(&b, "bulk append, 1 KiB events", false);
    compare(&b, "bulk append, 1 KiB events, each with a tag", true);
    PQfinish(b.connection);
    bench_drop(server, "landlog_bulk_bench");
    builder_fini(&b.copy.rows);
    arena_fini(&b.arena);
    free(b.events);
}
