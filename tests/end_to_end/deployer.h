/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* deployer.h - whoever deploys: entity files of the six types, signed and sent as the
 * published clients send them. */
#ifndef LL_DEPLOYER_H
#define LL_DEPLOYER_H

#include "core/blob/cid.h"

#include "client.h"

enum { DEPLOYER_PARTS = 16, DEPLOYER_TYPES = 6 };

struct deployer_part {
    struct text bytes;
    char hash[CID_TEXT];
    char file[64]; /* what the entity calls it */
};

/* An entity on its way: its file, its id, and the other files that go with it. */
struct deployable {
    struct builder file;
    char id[CID_TEXT];
    const char *type; /* "scene" */
    char pointer[200];
    struct deployer_part parts[DEPLOYER_PARTS];
    size_t part_count;
    json_t *chain;
};

/* A valid one of that type by `who`, of this timestamp (ms). `mark` makes its files and
 * pointers its own: a scene stands on the parcel mark,0. */
void deployable_make(struct deployable *d, const char *type, const struct person *who,
                     int64_t timestamp, int mark);
/* Any file: its id and the chain over it. */
void deployable_of(struct deployable *d, const struct person *who, struct text file);
void deployable_fini(struct deployable *d);

/* The six names; NULL past the last. */
extern const char *const deployer_types[DEPLOYER_TYPES + 1];

/* POST it, in the form of fields authChain[i][...]. The status; the answer is in `c`. */
long deployable_send(struct client *c, const struct deployable *d);
/* The same with the chain in one field of JSON. */
long deployable_send_json(struct client *c, const struct deployable *d);

#endif
