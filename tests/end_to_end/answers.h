/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* answers.h - what queries answered, byte for byte, to be held against what the same
 * queries answer later. */
#ifndef LL_ANSWERS_H
#define LL_ANSWERS_H

#include "client.h"

enum { ANSWERS = 4000 };

struct answers {
    size_t count, unanswered;
    char *asked[ANSWERS], *bytes[ANSWERS];
};

/* Ask until it is 200, for ten seconds; one that never is counts as unanswered, and is
 * printed. `body` NULL: a GET. `who` NULL: unsigned. */
void answers_ask(struct answers *a, struct client *c, const struct person *who,
                 const char *path, const char *body);
/* Those that differ, which are printed. */
size_t answers_compare(const struct answers *before, const struct answers *after,
                       const char *what);
void answers_free(struct answers *a);

#endif
