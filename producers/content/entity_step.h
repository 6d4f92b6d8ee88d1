/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_step.h - the steps of entity_check(), each in a file of its own.
 *
 * Each is true, or false with its messages in `errors`. Metadata of before ADR-45 was
 * held against no schema, so that a step may rely on nothing about its shape.
 */
#ifndef LL_ENTITY_STEP_H
#define LL_ENTITY_STEP_H

#include "producers/content/entity_check.h"

struct entity_case {
    const struct entity_deployment *deployment;
    const struct entity *entity;
    const struct entity_rules *rules;
    struct entity_errors *errors;
};

static inline bool entity_is_since(const struct entity_case *c, enum entity_date date)
{
    return c->entity->timestamp >= c->rules->dates[date];
}

/* entity_files.c */
bool entity_step_hashes(const struct entity_case *c);
bool entity_step_size(const struct entity_case *c);
bool entity_step_content(const struct entity_case *c);

/* entity_newer.c: 4.11, where it is switched on */
bool entity_step_newer(const struct entity_case *c);

/* One file a type. */
bool entity_step_scene(const struct entity_case *c);
bool entity_step_profile(const struct entity_case *c);
bool entity_step_wearable(const struct entity_case *c);
bool entity_step_emote(const struct entity_case *c);
/* Has the metadata what items of third parties have, in its shape? */
bool entity_is_third_party(const json_t *metadata);
bool entity_step_outfits(const struct entity_case *c);

/* entity_owner.c, and for items entity_owner_item.c: 4.6 */
bool entity_step_access(const struct entity_case *c);
bool entity_step_item_access(const struct entity_case *c);
/* Nobody knows what must be known. */
bool entity_refuse_unknown(const struct entity_case *c);

/* The uploaded file of that hash; NULL when there is none. */
const struct entity_upload *entity_find_upload(const struct entity_case *c,
                                               struct text hash);

/* The texts joined by `between`; cut when that is long. */
struct text entity_join(const struct text *texts, size_t count, const char *between,
                        struct arena *arena);
/* A number as JavaScript prints it. */
struct text entity_number(double number, struct arena *arena);
/* A string's text; "" of anything else. */
struct text entity_string(const json_t *value);

#endif
