/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* medals.h - a world whose badges are looked at: what its tests share. Trouble in here
 * ends the test with a message. One thread. */
#ifndef LL_MEDALS_H
#define LL_MEDALS_H

#include "client.h"
#include "world.h"

#include "core/base/json.h"

#define INTAKE_TOKEN "a-token-of-the-intake"
#define ADMIN_TOKEN  "a-token-of-administrators"

struct medals {
    struct world world;
    struct client client;
};

/* False when there is no Postgres: the test then exits 77. */
bool medals_start(struct medals *m, const char *name);
/* The exit status of `landlog up`. */
int medals_stop(struct medals *m);

/* The status. `token` NULL: none. */
long medals_ask(struct medals *m, const char *token, const char *method, const char *path,
                const char *body);
const char *medals_answer(const struct medals *m);
/* `says` prints the answer where the words are not in it. */
bool medals_says(const struct medals *m, const char *words);

/* One event, told with the intake's token: the status. `metadata` is the inside of an
 * object. */
long medals_tell(struct medals *m, const char *type, const char *sub_type,
                 const char *key, long long timestamp, const char *metadata);
/* An event of another service, as whoever has it would publish it. */
void medals_publish(struct medals *m, const char *type, const char *data);

/* An accepted deployment: its entity file as a blob, and the event. `pointer` is its only
 * one, `metadata` the inside of an object. */
void medals_deploy(struct medals *m, const char *type, const char *pointer,
                   long long timestamp, const char *who, const char *metadata);

/* What /users/:address/badges answers of one badge, of those achieved or of the others;
 * the caller releases it. NULL: not among them. As of the last answer's position. */
json_t *medals_of(struct medals *m, const char *address, const char *badge,
                  const char *list);
/* progress.stepsDone of that; -1 where it is not among them. */
long long medals_steps(struct medals *m, const char *address, const char *badge,
                       const char *list);

/* How many grants of this badge ("": of any) to this address are on the log. */
size_t medals_grants(const struct medals *m, const char *address, const char *badge);
/* Wait until they are as many; false when there are more, or not so many in 30 s. */
bool medals_wait(const struct medals *m, const char *address, const char *badge,
                 size_t n);
/* Wait until the reactor has nothing left to emit and has seen its own. */
void medals_settle(const struct medals *m);

#endif
