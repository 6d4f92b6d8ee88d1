/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* traffic.c - see traffic.h. */
#include "traffic.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct sender {
    struct traffic *traffic;
    size_t number;
    unsigned seed;
    struct client client;
};

static unsigned dice(struct sender *s, unsigned sides)
{
    return (unsigned)rand_r(&s->seed) % sides;
}

static void count(struct traffic *t, long status)
{
    pthread_mutex_lock(&lock);
    t->statuses[status]++;
    if (status == 0) t->unanswered++;
    pthread_mutex_unlock(&lock);
}

/* As the server does: "key <address>\n<Idempotency-Key>". */
static struct uuid command_of(const struct person *who, const char *key)
{
    char name[256];

    snprintf(name, sizeof(name), "key %s\n%s", who->address, key);
    return uuid_v5(&uuid_landlog, text_of(name));
}

/* Something a stranger might send; what is wrong with it is in the request. */
static void spoil(struct sender *s, struct client_request *q)
{
    static const char *const bodies[] = {
        "{\"action\":\"request\"",
        "[]",
        "{\"action\":\"request\",\"to\":7}",
        "{\"action\":\"befriend\",\"to\":\"0x0000000000000000000000000000000000000001\"}",
        "{\"action\":\"request\",\"to\":\"0x12\"}",
        "",
        "{\"action\":\"request\",\"to\":\"me\",\"x\":1}",
    };

    switch (dice(s, 4)) {
    case 0: q->forged = true; return;
    case 1: q->skew_ms = dice(s, 2) ? 120000 : -120000; return;
    case 2: q->who = NULL; return;
    default: q->body = bodies[dice(s, LL_LENGTH(bodies))]; return;
    }
}

/* 2xx and the 4xx that a decision gives are final; the rest is asked again. */
static bool is_settled(long status)
{
    return status != 0 && status != 502 && status != 503 && status != 504 &&
           status != 409;
}

static bool is_conflict_of_state(const struct client *c)
{
    return strstr(builder_view(&c->body).ptr, "not valid for the current") != NULL;
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* Send until it is settled. A while without an answer is what killed processes cost. */
static long settle(struct sender *s, struct client_request *q)
{
    for (int i = 0; i < 600; i++) {
        long status = client_send(&s->client, q);

        count(s->traffic, status);
        if (is_settled(status)) return status;
        if (status == 409 && is_conflict_of_state(&s->client)) return status;
        if (i > 3) pause_ms(100);
    }
    world_fail("a command was not settled in a minute: %s", q->body);
}

/* The same command again gives the same answer. */
static void repeat(struct sender *s, struct client_request *q)
{
    char *first = ll_strdup(builder_view(&s->client.body).ptr);
    long status = settle(s, q);

    pthread_mutex_lock(&lock);
    s->traffic->repeated++;
    if (status != 200) s->traffic->differing++;
    pthread_mutex_unlock(&lock);
    if (status != 200)
        printf("a repeat of %s got %ld, first %s\n", q->body, status, first);
    free(first);
}

static void one_command(struct sender *s, size_t i, struct command_seen *seen)
{
    /* As often as they stand here: blocks are rare, or nothing else would happen. */
    static const char *const actions[] = {"request", "request", "request", "request",
                                          "accept",  "accept",  "accept",  "accept",
                                          "reject",  "cancel",  "cancel",  "delete",
                                          "delete",  "unblock", "unblock", "block"};
    struct traffic *t = s->traffic;
    const struct person *who = &t->people[dice(s, PEOPLE)];
    const struct person *to = &t->people[dice(s, PEOPLE)];
    char body[256], key[64];
    struct client_request q = {.who = who,
                               .method = "POST",
                               .path = "/social/v1/friendships",
                               .body = body,
                               .key = key};

    snprintf(key, sizeof(key), "%zu-%zu", s->number, i);
    snprintf(body, sizeof(body), "{\"action\":\"%s\",\"to\":\"%s\"%s}",
             actions[dice(s, LL_LENGTH(actions))], to->address,
             dice(s, 3) ? "" : ",\"message\":\"h\\u00e9llo\"");
    seen->command = command_of(who, key);
    seen->is_invalid = dice(s, 12) == 0;
    if (seen->is_invalid) spoil(s, &q);
    seen->status = settle(s, &q);
    if (seen->status == 200 && dice(s, 10) == 0) repeat(s, &q);
}

static void *send_all(void *context)
{
    struct sender *s = context;
    struct traffic *t = s->traffic;

    client_init(&s->client, t->world->url);
    for (size_t i = 0; i < t->commands; i++)
        one_command(s, i, &t->seen[s->number * t->commands + i]);
    client_fini(&s->client);
    return NULL;
}

void traffic_people(struct traffic *t)
{
    for (size_t i = 0; i < PEOPLE; i++) person_new(&t->people[i]);
}

void traffic_run(struct traffic *t)
{
    struct sender senders[CLIENTS];
    pthread_t threads[CLIENTS];

    t->seen = ll_calloc(CLIENTS * t->commands, sizeof(*t->seen));
    if (t->people[0].address[0] == '\0') traffic_people(t);
    for (size_t i = 0; i < CLIENTS; i++) {
        senders[i] = (struct sender){
            .traffic = t, .number = i, .seed = t->seed * 1000 + (unsigned)i};
        LL_CHECK(pthread_create(&threads[i], NULL, send_all, &senders[i]) == 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) pthread_join(threads[i], NULL);
}

void traffic_print(const struct traffic *t)
{
    printf("commands %zu; answers:", CLIENTS * t->commands);
    for (size_t i = 0; i < TRAFFIC_STATUSES; i++)
        if (t->statuses[i] > 0) printf(" %zu x %lu", i, t->statuses[i]);
    printf("; repeated %lu, of which answered differently %lu\n", t->repeated,
           t->differing);
}
