/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* event_type.h - one version of a type, between registry.c (loading, looking up) and
 * event.c (making and reading events). */
#ifndef LL_EVENT_TYPE_H
#define LL_EVENT_TYPE_H

#include "core/event/registry.h"
#include "core/event/schema.h"
#include "core/event/template.h"

struct event_type {
    struct text name;
    uint32_t version;
    const struct event_type *next; /* the version after this; NULL: the newest */
    const struct topic *topic;
    json_t *document;
    struct schema *schema;
    const struct template *key, *subject;
    size_t tag_count;
    const struct template *tags[RECORD_TAGS];
    const json_t *upcast; /* NULL in the first version */
    /* x-pair; NULL where there is none */
    const char *pair, *pair_of[2];
    struct uuid hash; /* of what decides */
};

/* The members that begin with `x-`, into a type whose document and schema are there.
 * Memory is the arena's. */
ll_rc event_type_read(struct event_type *t, const struct topics *topics,
                      struct arena *arena, struct ll_error *err) LL_MUST_CHECK;

/* Validate `data` and render key, subject, tags and partition of `t` into `out`. */
ll_rc event_type_render(const struct event_type *t, const json_t *data,
                        struct arena *arena, struct record *out,
                        struct ll_error *err) LL_MUST_CHECK;

/* Change `data` from version `t` to the newest and validate it. */
ll_rc event_type_upcast(const struct event_type *t, json_t *data,
                        struct ll_error *err) LL_MUST_CHECK;

#endif
