/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_errors.h - the messages of one refused deployment, in order. */
#ifndef LL_ENTITY_ERRORS_H
#define LL_ENTITY_ERRORS_H

#include "core/base/arena.h"

enum {
    ENTITY_ERRORS = 100,     /* messages that are kept; later ones are dropped */
    ENTITY_ERROR_TEXT = 4096 /* bytes of one; a longer one is cut */
};

struct entity_errors {
    struct arena *arena;
    size_t count;
    struct text items[ENTITY_ERRORS];
};

void entity_errors_init(struct entity_errors *errors, struct arena *arena);
/* Add a message. Returns false, so that a check can end with it. */
bool entity_refuse(struct entity_errors *errors, const char *fmt, ...) LL_PRINTF(2, 3);
/* The answer's body: {"errors":["...","..."]}. */
void entity_errors_write(const struct entity_errors *errors, struct builder *out);

#endif
