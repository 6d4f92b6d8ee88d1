/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_moments.c - reactors that are killed, or stopped and overtaken and continued, at
 * any point of their work: each fact is on the log once. */
#include "react_subjects.h"
#include "stopping_proxy.h"

#include <signal.h>
#include <stdlib.h>

enum {
    KILLS = 60,
    ROUNDS = 4,     /* over the few messages of a mover, otherwise each time */
    MESSAGES = 120, /* more than any flight of two events has */
    PATIENCE_S = 60
};

void reactors_killed_at_random_moments(struct suite *s)
{
    struct reacted r;
    pid_t reactors[2];

    srand(1);
    reacted_open(&r, s);
    reactors[0] = reacted_start(&r, NULL, 2);
    reactors[1] = reacted_start(&r, NULL, 1);
    for (int i = 0; i < KILLS; i++) {
        int which = rand() % 2;

        reacted_append(&r, 1 + (size_t)(rand() % 100), -1);
        reacted_sleep(rand() % 120);
        reacted_end(reactors[which], SIGKILL);
        reactors[which] = reacted_start(&r, NULL, which == 0 ? 2 : 1);
    }
    OK(reacted_wait(&r, PATIENCE_S));
    OK(reacted_is_right(&r));
    OK(reacted_end(reactors[0], SIGTERM) == 0);
    OK(reacted_end(reactors[1], SIGTERM) == 0);
    reacted_close(&r);
}

/* ---- at each message ---- */

struct stopping {
    struct reacted r;
    struct stopping_proxy *proxy;
    char through_proxy[1200];
};

/* Wait for the stop, or for all to be done without one: only then had the work fewer
 * messages, however slow the machine is. */
static bool stops_before_it_is_done(struct stopping *t)
{
    for (int i = 0; i < 600 && !proxy_has_stopped(t->proxy); i++) {
        if (!reacted_wait(&t->r, 0.05)) continue;
        reacted_sleep(50); /* the last message may commit, and stop behind that */
        break;
    }
    return proxy_has_stopped(t->proxy);
}

/* As if the time of its leases had passed. */
static void expire(struct stopping *t)
{
    testlog_run(&t->r.log, "update landlog.lease set expires = now() - interval '1 s'"
                           " where name like 'project/%';"
                           "update landlog.projector set seen = '-infinity'");
}

/* Log time passes over all keys: who comes back finds none of them. */
static void forget_keys(struct suite *s, struct reacted *r)
{
    uint64_t forgotten;

    reacted_sleep(2);
    reacted_append(r, 1, -1);
    OK(referee_purge(r->connection, TEST_SERVICE, 0, 1000000, &forgotten, NULL) == LL_OK);
}

/* Who was stopped behind message n does nothing twice when it goes on. As `way` says,
 * another takes over while it stands still (bit 0), and keys are forgotten meanwhile (bit
 * 1). False when there were fewer messages. */
static bool stop_at(struct suite *s, struct stopping *t, size_t n, size_t way)
{
    struct reacted *r = &t->r;
    pid_t stopped = reacted_start(r, t->through_proxy, 1), other = 0;
    bool was_stopped;

    OK(reacted_wait(r, PATIENCE_S));
    proxy_arm(t->proxy, stopped, n);
    reacted_append(r, 2, 7);
    was_stopped = stops_before_it_is_done(t);
    if (was_stopped) {
        if (way & 1) {
            expire(t);
            other = reacted_start(r, NULL, 1);
            OK(reacted_wait(r, PATIENCE_S));
        }
        if (way & 2) forget_keys(s, r);
        proxy_release(t->proxy);
        kill(stopped, SIGCONT);
        reacted_append(r, 6, -1);
        OK(reacted_wait(r, PATIENCE_S));
        if (other > 0) reacted_end(other, SIGKILL);
    }
    proxy_release(t->proxy);
    reacted_end(stopped, SIGKILL);
    if (!reacted_is_right(r)) {
        printf("  stopped behind message %zu\n", n);
        OK(false);
    }
    return was_stopped;
}

static size_t stop_at_each(struct suite *s, const char *application, const char *first,
                           size_t rounds)
{
    struct stopping t;
    size_t n = 1;

    srand(2);
    reacted_open(&t.r, s);
    t.proxy = proxy_start(t.r.log.conninfo, application, t.through_proxy,
                          sizeof(t.through_proxy));
    proxy_count_from(t.proxy, first);
    for (size_t round = 0; round < rounds; round++)
        for (n = 1; n < MESSAGES && stop_at(s, &t, n, n + round);) n++;
    proxy_end(t.proxy);
    reacted_close(&t.r);
    return n - 1;
}

void a_reactor_stopped_at_each_message_of_a_flight(struct suite *s)
{
    size_t n = stop_at_each(s, "landlog projector writer", "begin", 1);

    printf("  a flight of two events has %zu messages\n", n);
    OK(n > 20 && n < MESSAGES);
}

/* The fetch, the append, the delete, and so on: each is one simple query. */
void a_reactor_stopped_at_each_message_of_its_mover(struct suite *s)
{
    size_t n = stop_at_each(s, "landlog mover", "landlog.append(", ROUNDS);

    printf("  from the append to the end there are %zu messages\n", n);
    OK(n >= 3 && n < MESSAGES);
    n = stop_at_each(s, "landlog mover", "execute \"fetch\"", 1);
    OK(n >= 3 && n < MESSAGES);
}

/* ---- longer than a key lives ---- */

/* Killed behind the append and before the delete, again and again, and back only when
 * log time has passed over its keys. */
void a_reactor_away_for_longer_than_a_key_lives(struct suite *s)
{
    struct reacted r;
    pid_t reactor;

    srand(3);
    reacted_open(&r, s);
    reactor = reacted_start(&r, NULL, 1);
    reacted_append(&r, 30, -1);
    OK(reacted_wait(&r, PATIENCE_S));
    for (int i = 0; i < 40; i++) {
        uint64_t before = reacted_number(&r, "select count(*) from landlog.event");

        reacted_append(&r, 20, -1);
        while (reacted_number(&r, "select count(*) from landlog.event") < before + 21)
            reacted_sleep(1);
        reacted_end(reactor, SIGKILL);
        forget_keys(s, &r);
        reactor = reacted_start(&r, NULL, 1);
    }
    OK(reacted_wait(&r, PATIENCE_S));
    OK(reacted_is_right(&r));
    OK(reacted_end(reactor, SIGTERM) == 0);
    reacted_close(&r);
}
