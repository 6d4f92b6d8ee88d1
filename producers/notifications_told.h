/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_told.h - what POST /notifications may bring (contract: notifications,
 * 3.9). Pure. */
#ifndef LL_NOTIFICATIONS_TOLD_H
#define LL_NOTIFICATIONS_TOLD_H

#include "core/base/arena.h"
#include "core/base/json.h"
#include "core/base/uuid.h"

enum {
    TOLD_MOST = 100,          /* of a request */
    TOLD_METADATA = 64 * 1024 /* bytes of its JSON */
};

struct told {
    struct uuid id, revision;
    struct text event_key, type;
    struct text address; /* lower case; empty: for everybody */
    const json_t *metadata;
    int64_t timestamp; /* ms */
};

/* Read the body's list; views into `body` and the arena. False: `why` has the contract's
 * message, about the first thing that is wrong. */
bool told_read(const json_t *body, struct arena *arena, struct told out[TOLD_MOST],
               size_t *n, const char **why);

/* The event's data: notifications.notification-created where `before` (what was told of
 * it, {metadata, timestamp}) is NULL, else -updated. The caller owns it. NULL: it is told
 * already. */
json_t *told_event(const struct told *t, const json_t *before, const char **type);

#endif
