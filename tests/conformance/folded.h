/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* folded.h - a log with events that are counted, and a projection that counts them: what
 * is applied twice, or not at all, shows.
 *
 * Events are of type "test.counted" on topic "things", keyed by `key`. The projection
 * "counts" adds them up per key and keeps a row an event without a unique key. The test
 * adds them up itself, and the tables must say the same.
 */
#ifndef LL_FOLDED_H
#define LL_FOLDED_H

#include "conformance.h"

#include "core/projection/generation.h"
#include "core/projection/keeper.h"

#include <sys/types.h>

enum { FOLDED_KEYS = 40 };

struct folded {
    struct testlog log;
    struct registry *registry;
    struct projection *projection;
    PGconn *connection; /* of the test itself */
    uint64_t appended;
    int64_t count[FOLDED_KEYS], total[FOLDED_KEYS]; /* what the tables must say */
};

/* `apply` in the place of the projection's own apply.sql; NULL: its own. */
void folded_open(struct folded *f, const struct suite *s, const char *apply);
void folded_close(struct folded *f);
/* The projection with another apply.sql. The caller frees. */
struct projection *folded_projection(const struct folded *f, const char *apply);
/* Append n events with random keys (or all with key `only`, where it is >= 0). */
void folded_append(struct folded *f, size_t n, int only);
/* One that no statement can take: its `n` does not fit the column. */
void folded_append_poison(struct folded *f);

/* The live generation of the projection; false when there is none. */
bool folded_live(struct folded *f, struct generation *out);
/* Wait until the live generation has applied all; false after `seconds`. */
bool folded_wait(struct folded *f, double seconds);
/* Do the live generation's tables say what the test has added up, event by event? */
bool folded_is_right(struct folded *f);
/* One value, as a heap string; %s in `sql` is the generation's schema. */
char *folded_ask(struct folded *f, const struct generation *g, const char *sql);
/* A text that differs wherever the rows of the two tables or the positions do. */
char *folded_rows(struct folded *f, const struct generation *g);

/* A process that keeps the projection, as `landlog project` does, until SIGTERM;
 * `conninfo` NULL: the log's. */
pid_t folded_start(struct folded *f, const char *conninfo, size_t workers);
/* Signal and wait for its end. Returns what waitpid() says. */
int folded_end(pid_t pid, int signal);

/* Poll until `done` holds; false after `seconds`. */
bool wait_until(double seconds, bool (*done)(void *context), void *context);

#endif
