/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* append_shapes.c - the two ways to append that append_load.c compares. */
#include "append_load.h"

#include "core/base/arena.h"
#include "core/log/referee_encode.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char event_data[LOAD_DATA + 1] = {[0 ... LOAD_DATA - 1] = 'a'};

/* A different UUID for each kind and number, spread over its space as a hash is. */
static struct uuid uuid_for(uint64_t kind, uint64_t n)
{
    uint64_t a = (n + kind * 0x51ed2701) * 0x9e3779b97f4a7c15, b = a ^ a >> 29;
    struct uuid u;

    b = (b + kind) * 0xbf58476d1ce4e5b9;
    a ^= b >> 32;
    memcpy(u.bytes, &a, 8);
    memcpy(u.bytes + 8, &b, 8);
    return u;
}

/* ---- landlog.append ---- */

struct landlog_worker {
    PGconn *connection;
    struct topics topics;
    struct arena arena;
};

static void *landlog_open(const char *conninfo)
{
    struct landlog_worker *w = ll_calloc(1, sizeof(*w));

    bench_install(conninfo, &w->topics);
    w->connection = bench_connect(conninfo);
    arena_init(&w->arena, 64 * 1024 * 1024);
    return w;
}

static void fill(struct landlog_worker *w, const struct load_command *c,
                 struct append_command *out)
{
    struct position *seen = arena_calloc(&w->arena, 1, sizeof(*seen));
    struct text *tags = arena_calloc(&w->arena, LOAD_GUARDS, sizeof(*tags));
    struct record *event = arena_calloc(&w->arena, 1, sizeof(*event));
    const struct topic *topic = &w->topics.topics[0];

    for (uint32_t i = 0; i < LOAD_PARTITIONS; i++)
        LL_CHECK(position_raise(seen, topic->name, i, c->seen[i]) == LL_OK);
    for (size_t i = 0; i < LOAD_GUARDS; i++)
        tags[i] = text_of(arena_printf(&w->arena, "pair:%" PRIx64, c->tags[i]));
    *event = (struct record){.topic = topic,
                             .partition = c->partition,
                             .id = uuid_for(3, c->key),
                             .type = TEXT("social.friendship-requested"),
                             .version = 1,
                             .source = TEXT("social"),
                             .subject = tags[0],
                             .key = tags[0],
                             .tags = tags,
                             .tag_count = LOAD_GUARDS,
                             .data = {event_data, LOAD_DATA}};
    *out = (struct append_command){.key = uuid_for(1, c->key),
                                   .body = uuid_for(2, c->key),
                                   .as_of = seen,
                                   .guards = tags,
                                   .guard_count = LOAD_GUARDS,
                                   .events = event,
                                   .event_count = 1};
}

static void landlog_append(void *own, const struct load_command *commands, size_t n,
                           struct load_verdict *verdicts)
{
    struct landlog_worker *w = own;
    struct append_command batch[APPEND_BATCH];
    struct append_answer answers[APPEND_BATCH];
    struct ll_error err;

    arena_reset(&w->arena);
    for (size_t i = 0; i < n; i++) fill(w, &commands[i], &batch[i]);
    if (referee_append(w->connection, "bench", batch, n, answers, &err) != LL_OK)
        bench_die("%s", err.text);
    for (size_t i = 0; i < n; i++)
        verdicts[i] = (struct load_verdict){answers[i].verdict == APPEND_ACCEPTED,
                                            answers[i].sequence};
}

static void landlog_close(void *own)
{
    struct landlog_worker *w = own;

    PQfinish(w->connection);
    arena_fini(&w->arena);
    free(w);
}

const struct load_shape landlog_shape = {"landlog", landlog_open, landlog_append,
                                         landlog_close};

/* ---- reference.append, with parameters of the extended protocol ---- */

enum {
    C_KEY,
    C_BODY,
    C_VEC,
    VEC,
    NP,
    G_CMD,
    G_TAG,
    E_CMD,
    E_PID,
    E_ID,
    E_TYPE,
    E_KEY,
    E_DATA,
    T_EV,
    T_TAG,
    REFERENCE_COLUMNS
};

static void *reference_open(const char *conninfo)
{
    PGconn *connection = bench_connect(conninfo);
    PGresult *prepared =
        PQprepare(connection, "append",
                  "select cmd, verdict, xpid, xseq from"
                  " reference.append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)",
                  0, NULL);

    if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
        bench_die("%s", PQerrorMessage(connection));
    PQclear(prepared);
    return connection;
}

static void reference_fill(struct columns *c, const struct load_command *command,
                           size_t i)
{
    struct uuid key = uuid_for(1, command->key), body = uuid_for(2, command->key);
    struct uuid id = uuid_for(3, command->key), tag;
    char text[32];

    columns_uuid(c, C_KEY, &key);
    columns_uuid(c, C_BODY, &body);
    columns_integer(c, C_VEC, (int64_t)i + 1);
    for (size_t k = 0; k < LOAD_PARTITIONS; k++)
        columns_integer(c, VEC, (int64_t)command->seen[k]);
    columns_integer(c, E_CMD, (int64_t)i + 1);
    columns_integer(c, E_PID, command->partition);
    columns_uuid(c, E_ID, &id);
    columns_text(c, E_TYPE, TEXT("social.friendship-requested"));
    snprintf(text, sizeof(text), "pair:%" PRIx64, command->tags[0]);
    columns_text(c, E_KEY, text_of(text));
    columns_text(c, E_DATA, (struct text){event_data, LOAD_DATA});
    for (size_t k = 0; k < LOAD_GUARDS; k++) {
        tag = uuid_for(4, command->tags[k]);
        columns_integer(c, G_CMD, (int64_t)i + 1);
        columns_uuid(c, G_TAG, &tag);
        columns_integer(c, T_EV, (int64_t)i + 1);
        columns_uuid(c, T_TAG, &tag);
    }
}

static void reference_append(void *own, const struct load_command *commands, size_t n,
                             struct load_verdict *verdicts)
{
    PGconn *connection = own;
    const char *values[REFERENCE_COLUMNS];
    struct columns c;
    PGresult *result;

    columns_init(&c, REFERENCE_COLUMNS);
    builder_u64(&c.column[NP], LOAD_PARTITIONS);
    for (size_t i = 0; i < n; i++) reference_fill(&c, &commands[i], i);
    for (size_t i = 0; i < REFERENCE_COLUMNS; i++) {
        if (i != NP) builder_char(&c.column[i], '}');
        values[i] = builder_view(&c.column[i]).ptr;
    }
    result =
        PQexecPrepared(connection, "append", REFERENCE_COLUMNS, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != (int)n)
        bench_die("%s", PQerrorMessage(connection));
    for (int i = 0; i < (int)n; i++) {
        size_t command = strtoul(PQgetvalue(result, i, 0), NULL, 10) - 1;

        verdicts[command].accepted = strcmp(PQgetvalue(result, i, 1), "accepted") == 0;
        verdicts[command].sequence = strtoull(PQgetvalue(result, i, 3), NULL, 10);
    }
    PQclear(result);
    columns_fini(&c);
}

static void reference_close(void *own)
{
    PQfinish(own);
}

const struct load_shape reference_shape = {"reference", reference_open, reference_append,
                                           reference_close};
