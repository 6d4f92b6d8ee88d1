/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* doings.h - what people do besides befriending each other: a platform tells that they
 * move, dance and look at passports, for which they get badges; they deploy profiles and
 * scenes; of badges and tips they are notified, and read some of that. Each doing is told
 * again until it is settled, some are told twice, and some are wrong. */
#ifndef LL_DOINGS_H
#define LL_DOINGS_H

#include "answers.h"
#include "world.h"

#define DOINGS_TOKEN "a-token-of-platforms"

enum { DOINGS_ENTITIES = 256 };

struct doings_entity {
    char id[64], pointer[64];
    const char *type;
};

struct doings {
    const struct world *world;
    const struct person *people;
    size_t people_count;
    size_t requests; /* to the intake */
    unsigned seed;
    unsigned long told, repeated, refused, marked;
    struct doings_entity entities[DOINGS_ENTITIES]; /* that were accepted */
    size_t entity_count;
};

/* Lines of configuration that all of it needs. */
void doings_allow(const struct world *w);

/* Do it all, from one thread; returns when everything is settled. */
void doings_run(struct doings *d);
/* Wait until every read model has all of the log and reactors have nothing to emit. */
void doings_settle(const struct world *w);
/* Every query about it. */
void doings_ask(const struct doings *d, struct client *c, struct answers *a);

#endif
