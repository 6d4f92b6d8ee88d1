/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* platform_types.h - which platform events are taken in, and what becomes of one.
 *
 * Contract: events-notifier, 9. A platform event is named by its type and subType, and by
 * its key at its source. Here it becomes an event of the topic `platform`, kept by one
 * wallet. Pure: no request, no clock, no database.
 */
#ifndef LL_PLATFORM_TYPES_H
#define LL_PLATFORM_TYPES_H

#include "core/base/json.h"
#include "core/base/uuid.h"

struct platform_type {
    const char *type, *sub_type;
    const char *event;     /* "platform.client-move-to-parcel" */
    const char *keeper[2]; /* members of metadata: the first that is there keeps it, or
                              the first of a list that it is */
};

/* NULL: nothing here listens to it. */
const struct platform_type *platform_type_find(struct text type, struct text sub_type);
/* The i-th; NULL past the last. */
const struct platform_type *platform_type_at(size_t i);

/* What names an event for ever: its source, type and key. */
struct uuid platform_event_id(const struct platform_type *t, struct text source,
                              struct text key);

/* Where a move says it led, as a pointer: "(10, -20)" is "10,-20". False for what is no
 * move, or one that leads nowhere. `room` holds what *out shows. */
enum { PLATFORM_POINTER = 32 };
bool platform_event_pointer(const struct platform_type *t, const json_t *sent,
                            char room[PLATFORM_POINTER], struct text *out);

/* The data of the log's event, from the platform event as it was sent; the caller owns
 * it. NULL: the wallet that should keep it is not there or none; `err` says which. What
 * else may be wrong is for the event's schema to find. `scenes` names the active scene of
 * each pointer that has one; a move says which scene lies where it led. */
json_t *platform_event_data(const struct platform_type *t, struct text source,
                            const json_t *sent, const json_t *scenes,
                            struct ll_error *err);

#endif
