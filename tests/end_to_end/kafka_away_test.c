/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_away_test.c - while nothing gets to Kafka queries are served, commands whose
 * outcome is not known say so, and past the limit they are refused before anything
 * happens; afterwards the unknown ones are settled by asking again. */
#include "client.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COMMANDS = 12, LIMIT = 3 };

static unsigned long checks, failed;

static void holds(bool is_true, const char *what)
{
    checks++;
    if (is_true) return;
    failed++;
    printf("FAILED %s\n", what);
}

static long ask_friendship(struct client *c, const struct person *me,
                           const struct person *other, const char *key)
{
    char body[160];
    struct client_request q = {.who = me,
                               .method = "POST",
                               .path = "/social/v1/friendships",
                               .body = body,
                               .key = key};

    snprintf(body, sizeof(body), "{\"action\":\"request\",\"to\":\"%s\"}",
             other->address);
    return client_send(c, &q);
}

static long number(const struct world *w, const char *sql)
{
    char *value = world_query(w, sql);
    long n = strtol(value, NULL, 10);

    free(value);
    return n;
}

/* What reactors make of them is on topics of its own. */
static long commands_on_log(const struct world *w)
{
    return number(w, "select count(*) from landlog.event e join landlog.partition p"
                     " on p.id = e.partition where p.topic = 'social'");
}

static void configure(const struct world *w)
{
    FILE *f = fopen(w->config, "ae");

    if (f == NULL) world_fail("cannot write %s", w->config);
    fprintf(f, "kafka.lag-limit = %d\nhttp.wait = 400\n", LIMIT);
    fclose(f);
}

/* Ask until it is done: each worker hears within a second of what has passed. */
static bool is_settled(struct client *c, const struct person *me,
                       const struct person *other, const char *key)
{
    long status = 0;

    for (int tries = 0; tries < 300 && status != 200; tries++) {
        struct timespec pause = {0, 100 * 1000000};

        if (tries > 0) nanosleep(&pause, NULL);
        status = ask_friendship(c, me, other, key);
    }
    return status == 200;
}

/* The key is there and so is its effect; but another database may have the log by now. */
static void with_a_closed_gate(const struct world *w, struct client *c,
                               const struct person *me, const struct person *other)
{
    pid_t relay = world_part(w, "relay");
    long status;

    holds(relay > 0 && kill(relay, SIGSTOP) == 0, "the relay is stopped again");
    holds(ask_friendship(c, me, other, "before") == 200, "a first answer is repeated");
    free(world_query(w, "with r as (update landlog.referee set gate = null returning 1),"
                        " p as (update landlog.relayed set gate = null returning 1)"
                        " select (select count(*) from r), (select count(*) from p)"));
    status = ask_friendship(c, me, other, "before");
    holds(status == 503 || status == 504, "a closed gate answers for nothing");
    kill(relay, SIGKILL);
    world_wait_healthy(w);
    holds(is_settled(c, me, other, "before"), "it is repeated when the gate is open");
}

int main(void)
{
    static struct person me, others[COMMANDS];
    long statuses[COMMANDS], unknown = 0, refused = 0;
    struct client c;
    struct world w;
    pid_t relay;

    if (!world_prepare(&w, "kafka_away", true)) {
        printf("skipped: LANDLOG_TEST_POSTGRES, LANDLOG_TEST_KAFKA are not set\n");
        return 77;
    }
    configure(&w);
    world_move_to_kafka(&w);
    world_up(&w);
    client_init(&c, w.url);
    person_new(&me);
    for (size_t i = 0; i < COMMANDS; i++) person_new(&others[i]);
    holds(ask_friendship(&c, &me, &others[0], "before") == 200,
          "a command is carried out");

    relay = world_part(&w, "relay");
    holds(relay > 0 && kill(relay, SIGSTOP) == 0, "the relay is stopped");
    for (size_t i = 0; i < COMMANDS; i++) {
        struct timespec pause = {0, 300 * 1000000};
        char key[16];

        snprintf(key, sizeof(key), "away-%zu", i);
        statuses[i] = i == 0 ? 0 : ask_friendship(&c, &me, &others[i], key);
        unknown += statuses[i] == 504;
        refused += statuses[i] == 503;
        nanosleep(&pause, NULL);
    }
    printf("without a relay: %ld unknown, %ld refused\n", unknown, refused);
    holds(unknown >= LIMIT && refused > 0 && unknown + refused == COMMANDS - 1,
          "commands are unknown up to the limit, then refused");
    holds(commands_on_log(&w) == 1 + unknown, "what was refused did not happen");
    holds(client_send(&c, &(struct client_request){.who = &me,
                                                   .method = "GET",
                                                   .path = "/social/v1/friends"}) == 200,
          "queries are served");

    kill(relay, SIGCONT);
    world_wait_healthy(&w);
    for (size_t i = 1; i < COMMANDS; i++) {
        char key[16];

        snprintf(key, sizeof(key), "away-%zu", i);
        holds(is_settled(&c, &me, &others[i], key), "asking again settles it");
    }
    holds(commands_on_log(&w) == COMMANDS, "each command is there once");
    with_a_closed_gate(&w, &c, &me, &others[0]);
    client_fini(&c);
    holds(world_stop(&w) == 0, "landlog up stops cleanly");
    printf("%lu checks, %lu failed\n", checks, failed);
    return failed > 0;
}
