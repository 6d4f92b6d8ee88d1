/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_check.c - the steps in their order, and the short ones. */
#include "core/base/json_js.h"
#include "producers/content/entity_step.h"
#include "producers/content/metadata_schema.h"

#include <stdlib.h>

enum { LIST = 3000 }; /* bytes after which a list in a message is cut */

struct text entity_join(const struct text *texts, size_t count, const char *between,
                        struct arena *arena)
{
    struct builder list;
    struct text copy;

    builder_init(&list, ENTITY_FILE_SIZE + LIST);
    for (size_t i = 0; i < count && list.len < LIST; i++) {
        if (i > 0) builder_string(&list, between);
        builder_text(&list, texts[i]);
    }
    copy = arena_text(arena, builder_view(&list));
    builder_fini(&list);
    return copy;
}

struct text entity_number(double number, struct arena *arena)
{
    struct builder b;
    struct text copy;

    builder_init(&b, 40);
    json_js_number(number, &b);
    copy = arena_text(arena, builder_view(&b));
    builder_fini(&b);
    return copy;
}

struct text entity_string(const json_t *value)
{
    return (struct text){json_string_value(value), json_string_length(value)};
}

bool entity_check_pointers(const struct entity *e, struct entity_errors *errors)
{
    if (e->pointer_count > 0) return true;
    return entity_refuse(errors, "The entity does not have any pointer.");
}

static int by_bytes(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static bool step_pointers(const struct entity_case *c)
{
    size_t n = c->entity->pointer_count;
    struct text *sorted = arena_calloc(c->errors->arena, n + 1, sizeof(*sorted));

    if (n == 0)
        return entity_refuse(c->errors,
                             "The entity needs to be pointed by one or more pointers.");
    for (size_t i = 0; i < n; i++) sorted[i] = c->entity->pointers[i];
    qsort(sorted, n, sizeof(*sorted), by_bytes);
    for (size_t i = 1; i < n; i++)
        if (text_equal(sorted[i - 1], sorted[i]))
            return entity_refuse(c->errors,
                                 "There are repeated pointers in your request.");
    return true;
}

static bool step_metadata(const struct entity_case *c)
{
    const struct entity *e = c->entity;
    const char *type = entity_type_name(e->type);
    struct entity_errors found;

    if (!entity_is_since(c, ENTITY_ADR_45)) return true;
    entity_errors_init(&found, c->errors->arena);
    if (metadata_schema_check(c->rules->schemas[e->type], e->metadata, &found))
        return true;
    entity_refuse(c->errors, "The metadata for this entity type (%s) is not valid.",
                  type);
    for (size_t i = 0; i < found.count; i++)
        entity_refuse(c->errors, "%.*s", TEXT_ARGS(found.items[i]));
    return false;
}

static bool step_emote_field(const struct entity_case *c)
{
    if (c->entity->type != ENTITY_EMOTE || !entity_is_since(c, ENTITY_ADR_74) ||
        json_object_get(c->entity->metadata, "emoteDataADR74") != NULL)
        return true;
    return entity_refuse(c->errors, "'emoteData' field version is incorrect. It must be: "
                                    "'emoteDataADR74 but it is: [object Object] ");
}

static bool step_version(const struct entity_case *c)
{
    if (text_is(c->entity->version, "v3") ||
        c->entity->timestamp <= c->rules->dates[ENTITY_ADR_45])
        return true;
    return entity_refuse(c->errors,
                         "Only entities v3 are allowed after the ADR-45. Check "
                         "http://adr.decentraland.org/adr/ADR-45 for more information");
}

static bool step_signature(const struct entity_case *c)
{
    struct text problem = c->deployment->signature_problem;

    if (problem.len == 0) return true;
    return entity_refuse(c->errors, "The signature is invalid. %.*s", TEXT_ARGS(problem));
}

static bool step_type(const struct entity_case *c)
{
    switch (c->entity->type) {
    case ENTITY_SCENE: return entity_step_scene(c);
    case ENTITY_PROFILE: return entity_step_profile(c);
    case ENTITY_WEARABLE: return entity_step_wearable(c);
    case ENTITY_EMOTE: return entity_step_emote(c);
    case ENTITY_STORE:
    case ENTITY_OUTFITS: return true; /* theirs come after the content */
    case ENTITY_TYPES: break;
    }
    LL_BUG("an entity of no type");
}

static bool step_outfits(const struct entity_case *c)
{
    return c->entity->type != ENTITY_OUTFITS || entity_step_outfits(c);
}

bool entity_check(const struct entity_deployment *d, const struct entity_rules *rules,
                  struct entity_errors *errors)
{
    static bool (*const steps[])(const struct entity_case *c) = {
        step_pointers,    entity_step_hashes,  step_metadata,  entity_step_newer,
        step_emote_field, step_version,        step_signature, entity_step_size,
        step_type,        entity_step_content, step_outfits,   entity_step_access,
    };
    struct entity_case c = {d, d->entity, rules, errors};

    for (size_t i = 0; i < LL_LENGTH(steps); i++)
        if (!steps[i](&c)) return false;
    return true;
}

bool entity_check_arrival(const struct entity *e, const struct entity_arrival *arrival,
                          const struct entity_rules *rules, struct entity_errors *errors)
{
    const char *problem = NULL;
    int64_t age = arrival->now - e->timestamp;

    if (arrival->is_outdated)
        problem = "There is a newer entity pointed by one or more of the pointers you "
                  "provided";
    else if (arrival->is_limited)
        problem = "Entity rate limited";
    else if (age > rules->oldest)
        problem = "The request is not recent enough, please submit it again with a new "
                  "timestamp";
    else if (-age > rules->newest)
        problem = "The request is too far in the future, please submit it again with a "
                  "new timestamp";
    if (problem == NULL) return true;
    return entity_refuse(errors, "%s (entityId=%.*s pointers=%.*s).", problem,
                         TEXT_ARGS(e->id),
                         TEXT_ARGS(entity_pointer_list(e, errors->arena)));
}

bool entity_refuse_no_file(struct entity_errors *errors)
{
    return entity_refuse(errors, "Failed to find the entity file.");
}

bool entity_refuse_in_flight(const struct entity *e, struct entity_errors *errors)
{
    return entity_refuse(errors,
                         "The following pointers are currently being deployed: '%.*s'. "
                         "Please try again in a few seconds.",
                         TEXT_ARGS(entity_pointer_list(e, errors->arena)));
}
