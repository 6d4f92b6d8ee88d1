/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* crowd.c - see crowd.h. Clients share two things: the next key, and how far each
 * partition is known to have come. */
#include "crowd.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH_MAX = 8, KEYS_A_TAG = 12 };

void crowd_init(struct crowd *c, struct testlog *log)
{
    *c = (struct crowd){.log = log,
                        .clients = 8,
                        .batch = 1,
                        .commands = 1000,
                        .hot = 24,
                        .lag = 4,
                        .next_key = 1};
}

void crowd_fini(struct crowd *c)
{
    for (unsigned i = 0; c->attempts != NULL && i < c->clients; i++)
        free(c->attempts[i].list);
    free(c->attempts);
}

/* ---- commands ---- */

struct append_command attempt_command(const struct testlog *log, const struct attempt *a,
                                      unsigned hot, struct arena *arena)
{
    unsigned seed = (unsigned)(a->key * 2654435761U);
    size_t n = 1 + (size_t)rand_r(&seed) % CROWD_EVENTS;
    size_t tag_count = 1 + (size_t)rand_r(&seed) % CROWD_TAGS;
    uint32_t partition = (uint32_t)rand_r(&seed) % THINGS_PARTITIONS;
    struct text *tags = arena_calloc(arena, tag_count, sizeof(*tags));
    struct record *events = arena_calloc(arena, n, sizeof(*events));
    struct position *as_of = arena_calloc(arena, 1, sizeof(*as_of));
    const char *data = arena_printf(arena, "c%u-%u", a->client, a->number);
    struct append_command command;

    /* A window of tags that moves on with the keys: one in use for a while, then new. */
    for (size_t i = 0; i < tag_count; i++)
        tags[i] =
            text_of(arena_printf(arena, "t%zu:%" PRIu64, i,
                                 a->key / KEYS_A_TAG + (uint64_t)rand_r(&seed) % hot));
    for (size_t i = 0; i < n; i++) {
        events[i] = thing(log, partition, data);
        events[i].id =
            uuid_hash(text_of(arena_printf(arena, "%" PRIu64 "/%zu", a->key, i)));
        events[i].tags = tags;
        events[i].tag_count = tag_count;
    }
    for (uint32_t i = 0; i < THINGS_PARTITIONS; i++)
        LL_CHECK(position_raise(as_of, log->topic->name, i, a->seen[i]) == LL_OK);
    command = command_of(events, n);
    command.key = uuid_hash(text_of(arena_printf(arena, "%" PRIu64, a->key)));
    command.body.bytes[0] = a->other_body ? 2 : 1;
    command.as_of = as_of;
    command.guards = tags;
    command.guard_count = tag_count;
    return command;
}

/* ---- one client ---- */

struct client {
    struct crowd *crowd;
    unsigned number, seed;
    PGconn *connection;
    struct arena arena;
};

static struct attempt *decide(struct client *client)
{
    struct crowd *c = client->crowd;
    struct attempts *all = &c->attempts[client->number];
    struct attempt *a;
    unsigned dice = (unsigned)rand_r(&client->seed) % 100;

    if (all->count == all->room) {
        all->room = all->room ? all->room * 2 : 256;
        all->list = ll_realloc(all->list, all->room * sizeof(*all->list));
    }
    a = &all->list[all->count++];
    *a = (struct attempt){.client = client->number, .number = (unsigned)all->count};
    a->key = atomic_fetch_add(&c->next_key, 1);
    if (dice < c->repeats + c->reuses) {
        uint64_t back = (uint64_t)rand_r(&client->seed) % 40;

        a->key = a->key > back ? a->key - back : a->key;
        a->other_body = dice < c->reuses;
    }
    for (size_t i = 0; i < THINGS_PARTITIONS; i++) {
        uint64_t end = atomic_load(&c->ends[i]);
        uint64_t lag = c->lag ? (uint64_t)rand_r(&client->seed) % c->lag : 0;

        a->seen[i] = end > lag ? end - lag : 0;
    }
    return a;
}

static enum history_answer answer_of(enum append_verdict verdict)
{
    static const enum history_answer answers[] = {
        [APPEND_ACCEPTED] = ANSWER_ACCEPTED,   [APPEND_CONFLICT] = ANSWER_CONFLICT,
        [APPEND_DUPLICATE] = ANSWER_DUPLICATE, [APPEND_RETRY] = ANSWER_RETRY,
        [APPEND_REUSED] = ANSWER_REUSED,       [APPEND_INVALID] = ANSWER_INVALID,
        [APPEND_CLOSED] = ANSWER_CLOSED};

    return answers[verdict];
}

static void take_answer(struct crowd *c, struct attempt *a, const struct append_answer *w)
{
    unsigned long seen = atomic_load(&c->ends[w->partition]);

    a->answer = answer_of(w->verdict);
    a->at = w->partition;
    a->sequence = w->sequence;
    a->time = w->time;
    atomic_fetch_add(&c->counts[a->answer], 1);
    if (a->answer != ANSWER_ACCEPTED && a->answer != ANSWER_CONFLICT) return;
    while (a->sequence > seen &&
           !atomic_compare_exchange_weak(&c->ends[a->at], &seen, a->sequence)) {
    }
}

/* One append, seen as it is answered: `retry` too. */
static ll_rc send(struct client *client, const struct append_command *commands, size_t n,
                  struct append_answer *answers, struct ll_error *err)
{
    struct builder sql;
    PGresult *result;
    ll_rc rc;

    builder_init(&sql, REFEREE_SQL);
    referee_encode(TEST_SERVICE, commands, n, &sql);
    result = PQexec(client->connection, builder_view(&sql).ptr);
    if (PQstatus(client->connection) != CONNECTION_OK)
        rc = ll_fail(err, LL_EUNKNOWN, "lost");
    else
        rc = referee_decode(result, commands, answers, n, err);
    PQclear(result);
    builder_fini(&sql);
    return rc;
}

static void reconnect(struct client *client)
{
    struct ll_error err;

    PQfinish(client->connection);
    while (pg_connect(client->crowd->log->conninfo, "crowd", &client->connection, &err) !=
           LL_OK)
        usleep(20000); /* a server that restarts */
}

/* What to do where no answer came: true to send the same again. */
static bool goes_again(struct client *client, ll_rc rc, const struct ll_error *err)
{
    struct crowd *c = client->crowd;
    struct ll_error ignored;

    if (rc == LL_EUNKNOWN) {
        atomic_fetch_add(&c->lost, 1);
        reconnect(client);
        return true;
    }
    if (rc == LL_ETIMEOUT) {
        size_t ended;

        return referee_unblock(client->connection, &ended, &ignored) == LL_OK;
    }
    atomic_fetch_add(&c->errors, 1);
    if (!c->goes_on) suite_die("append: %s", err->text);
    return false;
}

/* Send until each is answered; `retry` is counted and sent again. */
static void settle(struct client *client, struct attempt *attempts,
                   struct append_command *commands, size_t n)
{
    struct crowd *c = client->crowd;
    struct append_answer answers[BATCH_MAX] = {0};
    struct attempt *places[BATCH_MAX];
    struct ll_error err;

    for (size_t i = 0; i < n; i++) places[i] = &attempts[i];
    while (n > 0) {
        size_t kept = 0;
        ll_rc rc = send(client, commands, n, answers, &err);

        if (rc == LL_OK && answers[0].verdict == APPEND_CLOSED &&
            referee_reopen(client->connection, TEST_SERVICE, &err) == LL_OK)
            continue;
        if (rc != LL_OK) {
            if (goes_again(client, rc, &err)) continue;
            return;
        }
        for (size_t i = 0; i < n; i++) {
            if (answers[i].verdict != APPEND_RETRY) {
                take_answer(c, places[i], &answers[i]);
                continue;
            }
            atomic_fetch_add(&c->counts[ANSWER_RETRY], 1);
            commands[kept] = commands[i];
            places[kept++] = places[i];
        }
        n = kept;
    }
}

void crowd_client(struct crowd *c, unsigned number)
{
    struct client client = {.crowd = c, .number = number, .seed = number * 7919 + 1};
    struct attempts *all = &c->attempts[number];

    arena_init(&client.arena, 16 * 1024 * 1024);
    reconnect(&client);
    while (atomic_fetch_add(&c->sent, 1) < c->commands &&
           (c->stops == NULL || !atomic_load(c->stops))) {
        size_t n = 1 + (size_t)rand_r(&client.seed) % c->batch;
        struct append_command commands[BATCH_MAX];

        LL_CHECK(c->batch <= BATCH_MAX);
        atomic_fetch_add(&c->sent, n - 1);
        arena_reset(&client.arena);
        for (size_t i = 0; i < n; i++)
            commands[i] = attempt_command(c->log, decide(&client), c->hot, &client.arena);
        settle(&client, &all->list[all->count - n], commands, n);
    }
    PQfinish(client.connection);
    arena_fini(&client.arena);
}

/* ---- all of them ---- */

struct place {
    struct crowd *crowd;
    unsigned number;
};

static void *run_client(void *argument)
{
    struct place *p = argument;

    crowd_client(p->crowd, p->number);
    return NULL;
}

void crowd_run(struct crowd *c)
{
    pthread_t *threads = ll_calloc(c->clients, sizeof(*threads));
    struct place *places = ll_calloc(c->clients, sizeof(*places));

    c->attempts = ll_calloc(c->clients, sizeof(*c->attempts));
    for (unsigned i = 0; i < c->clients; i++) {
        places[i] = (struct place){c, i};
        LL_CHECK(pthread_create(&threads[i], NULL, run_client, &places[i]) == 0);
    }
    for (unsigned i = 0; i < c->clients; i++) pthread_join(threads[i], NULL);
    free(places);
    free(threads);
}
