/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* traffic.h - random commands, valid and not, from several clients who really meet on the
 * same pairs; each is asked again until its outcome is known. */
#ifndef LL_TRAFFIC_H
#define LL_TRAFFIC_H

#include "core/base/uuid.h"

#include "client.h"
#include "world.h"

enum { PEOPLE = 12, CLIENTS = 8, TRAFFIC_STATUSES = 600 };

struct command_seen {
    struct uuid command; /* the idempotency key, as the server derives it */
    long status;         /* the settled answer */
    bool is_invalid;     /* it was malformed, forged or late on purpose */
};

struct traffic {
    const struct world *world;
    struct person people[PEOPLE];
    size_t commands;           /* a client */
    struct command_seen *seen; /* CLIENTS * commands */
    unsigned long statuses[TRAFFIC_STATUSES];
    unsigned long unanswered, repeated, differing;
    unsigned seed;
};

/* Make the people, where somebody else needs them too before it runs. */
void traffic_people(struct traffic *t);
/* Run it all; returns when every command is settled. */
void traffic_run(struct traffic *t);
void traffic_print(const struct traffic *t);

#endif
