/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* reacted.h - a log with events that are counted, and a reactor that has something to say
 * about them: what it says twice, or not at all, shows.
 *
 * "test.counted" is folded.h's kind of event, on topic "things", keyed by `key`. The
 * reactor "levels" emits onto the same topic
 *   test.noted    one for each test.counted; its subject is that event's id
 *   test.reached  one for every third of a key: "k7-1", "k7-2" ...
 *   test.rang     a timer of RANG_MS, set by a test.counted with `rings` 1 and called off
 *                 by one with `rings` 2, of one bell
 * and folds what it has emitted. A check holds landlog.event against what must follow
 * from the test.counted that are in it.
 */
#ifndef LL_REACTED_H
#define LL_REACTED_H

#include "conformance.h"

#include "core/projection/generation.h"
#include "core/projection/keeper.h"

#include <sys/types.h>

enum { REACTED_KEYS = 20, RANG_MS = 400 };

struct reacted {
    struct testlog log;
    struct registry *registry;
    struct projection *reactor;
    PGconn *connection; /* of the test itself */
    uint64_t appended;  /* test.counted */
    uint64_t bells;     /* how many were named */
    char *texts[4];     /* apply.sql of the reactors made */
    size_t text_count;
};

void reacted_open(struct reacted *r, const struct suite *s);
void reacted_close(struct reacted *r);
/* The reactor with other SQL behind its own sections; the caller frees. */
struct projection *reacted_reactor(struct reacted *r, const char *more);

/* Append n events with random keys (or all with key `only`, where it is >= 0). */
void reacted_append(struct reacted *r, size_t n, int only);
/* Set a new bell; call off the one of that number. */
uint64_t reacted_set_bell(struct reacted *r);
void reacted_call_off(struct reacted *r, uint64_t bell);
/* An event of which a fact follows that its schema refuses. */
void reacted_append_poison(struct reacted *r);

bool reacted_live(struct reacted *r, struct generation *out);
/* One value, as a heap string; %s in `sql` is the live generation's schema. */
char *reacted_ask(struct reacted *r, const char *sql);
uint64_t reacted_number(struct reacted *r, const char *sql);
/* Wait until all facts that must follow are on the log and nothing is left to do; false
 * after `seconds`. */
bool reacted_wait(struct reacted *r, double seconds);
/* Is each fact on the log once, with the id that follows from its subject, and nothing
 * else, and does the live generation believe so? Prints what is wrong. */
bool reacted_is_right(struct reacted *r);

/* A process that keeps the reactor, as `landlog react` does, until SIGTERM. */
pid_t reacted_start(struct reacted *r, const char *conninfo, size_t workers);
pid_t reacted_start_as(struct reacted *r, const struct projection *reactor,
                       const char *conninfo, size_t workers);
int reacted_end(pid_t pid, int signal);
void reacted_sleep(long ms);

#endif
