/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* inbox.h - a world whose notifications are looked at: what its tests share. Trouble in
 * here ends the test with a message. One thread. */
#ifndef LL_INBOX_H
#define LL_INBOX_H

#include "client.h"
#include "world.h"

#include "core/base/json.h"

#define INBOX    "/notifications/notifications"
#define READ     INBOX "/read"
#define CHOICE   "/notifications/subscription"
#define OPT_OUTS CHOICE "/opt-outs"
#define TOKEN    "a-token-of-the-intake"

struct inbox {
    struct world world;
    struct client client;
};

/* False when there is no Postgres: the test then exits 77. */
bool inbox_start(struct inbox *b, const char *name);
/* The exit status of `landlog up`. */
int inbox_stop(struct inbox *b);

/* The status; who NULL: unsigned. */
long inbox_ask(struct inbox *b, const struct person *who, const char *method,
               const char *path, const char *body);
/* POST /notifications with the token. */
long inbox_post(struct inbox *b, const char *body);
/* Mark one as read. */
long inbox_mark(struct inbox *b, const struct person *who, const char *id);

/* Of the last answer. `says` prints it where the words are not in it; the JSON is the
 * caller's to release. */
const char *inbox_answer(const struct inbox *b);
bool inbox_says(const struct inbox *b, const char *words);
json_t *inbox_json(const struct inbox *b);

/* The notifications at `path`, for the caller to release; how many they are. */
json_t *inbox_list(struct inbox *b, const struct person *who, const char *path);
size_t inbox_count(struct inbox *b, const struct person *who, const char *path);
/* Ask until the inbox has `n`, which is what reactors need; the caller releases them. */
json_t *inbox_wait(struct inbox *b, const struct person *who, size_t n);

/* A member's string, or "". */
const char *inbox_member(const json_t *object, const char *name);

#endif
