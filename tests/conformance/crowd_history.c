/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* crowd_history.c - what a crowd did and what is on the log, as model/promises.h has it.
 */
#include "crowd.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 60000 };

static uint32_t name_of(struct history *h, const char *fmt, ...) LL_PRINTF(2, 3);

static uint32_t name_of(struct history *h, const char *fmt, ...)
{
    char text[64];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return history_name(h, text_of(text));
}

static struct history_place place_of(struct history *h, uint32_t partition,
                                     uint64_t sequence)
{
    return (struct history_place){name_of(h, "things/%u", partition), sequence};
}

static void add_attempt(struct history *h, const struct crowd *c, const struct attempt *a,
                        struct arena *arena)
{
    struct append_command command = attempt_command(c->log, a, c->hot, arena);
    struct history_command out = {.answer = a->answer, .time = a->time};

    out.name = name_of(h, "c%u-%u", a->client, a->number);
    out.key = name_of(h, "k%" PRIu64, a->key);
    out.body = name_of(h, "b%" PRIu64 "-%d", a->key, a->other_body);
    out.guard_count = command.guard_count;
    for (size_t i = 0; i < command.guard_count; i++)
        out.guards[i] = history_name(h, command.guards[i]);
    out.as_of.count = THINGS_PARTITIONS;
    for (uint32_t i = 0; i < THINGS_PARTITIONS; i++)
        out.as_of.places[i] = place_of(h, i, a->seen[i]);
    if (a->answer != ANSWER_UNKNOWN && a->answer != ANSWER_INVALID &&
        a->answer != ANSWER_CLOSED)
        out.at = place_of(h, a->at, a->sequence);
    history_add_command(h, &out);
    arena_reset(arena);
}

static void add_event(struct history *h, const struct record *r)
{
    struct history_event e = {.command = history_name(h, r->data),
                              .index = r->command_index,
                              .size = r->command_size,
                              .at = place_of(h, r->partition, r->sequence),
                              .tag_count = r->tag_count,
                              .time = r->time};

    for (size_t i = 0; i < r->tag_count; i++) e.tags[i] = history_name(h, r->tags[i]);
    history_add_event(h, &e);
}

/* True when `seen` has come to all that clients were told of. */
static bool is_at_end(const struct crowd *c, const uint64_t *seen)
{
    for (size_t i = 0; i < THINGS_PARTITIONS; i++)
        if (seen[i] < atomic_load(&c->ends[i])) return false;
    return true;
}

void history_read_log(struct history *h, const struct crowd *c)
{
    struct log_reader *reader = testlog_reader(c->log);
    uint64_t seen[THINGS_PARTITIONS] = {0};
    struct log_batch batch;
    struct ll_error err;

    do {
        int patience = is_at_end(c, seen) ? 100 : PATIENCE_MS;

        if (log_reader_next(reader, 1000, patience, &batch, &err) != LL_OK)
            suite_die("read the log: %s", err.text);
        for (size_t i = 0; i < batch.count; i++) {
            add_event(h, &batch.records[i]);
            seen[batch.records[i].partition] = batch.records[i].sequence;
        }
    } while (batch.count > 0);
    log_reader_close(reader);
}

void crowd_history(const struct crowd *c, struct history *out)
{
    struct arena arena;

    arena_init(&arena, 1024 * 1024);
    for (unsigned i = 0; i < c->clients; i++)
        for (size_t k = 0; k < c->attempts[i].count; k++)
            add_attempt(out, c, &c->attempts[i].list[k], &arena);
    arena_fini(&arena);
    history_read_log(out, c);
    history_seal(out);
}

bool crowd_keeps_promises(const struct crowd *c)
{
    struct history h;
    struct ll_error err;
    bool holds;

    history_init(&h);
    crowd_history(c, &h);
    holds = promises_hold(&h, &err) == LL_OK;
    if (!holds) printf("    %s\n", err.text);
    history_fini(&h);
    return holds;
}
