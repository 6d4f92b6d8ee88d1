/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_newer.c - rules that published nodes are yet to have (contract: catalyst, 4.11),
 * on with the setting service.content.newer-rules. The words are ours. */
#include "producers/content/entity_step.h"

#include <stdlib.h>

/* KiB of an entity file; what is above ENTITY_FILE_SIZE is refused before. */
static const size_t caps[ENTITY_TYPES] = {
    [ENTITY_SCENE] = 2048,  [ENTITY_WEARABLE] = 512, [ENTITY_EMOTE] = 512,
    [ENTITY_PROFILE] = 256, [ENTITY_OUTFITS] = 256,  [ENTITY_STORE] = 128,
};

static bool check_file(const struct entity_case *c)
{
    size_t cap = caps[c->entity->type];

    if (!entity_is_since(c, ENTITY_FILE_CAPS) || c->entity->file_size <= cap * 1024)
        return true;
    return entity_refuse(
        c->errors,
        "The entity file is too big. The maximum allowed size for %s is %zu KB.",
        entity_type_name(c->entity->type), cap);
}

static int by_bytes(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/* Neither has a text twice, so that sorted they are the same or differ. */
static bool is_same_set(struct text *a, struct text *b, size_t n)
{
    qsort(a, n, sizeof(*a), by_bytes);
    qsort(b, n, sizeof(*b), by_bytes);
    for (size_t i = 0; i < n; i++)
        if (!text_equal(a[i], b[i])) return false;
    return true;
}

static bool check_parcels(const struct entity_case *c)
{
    const json_t *scene = json_object_get(c->entity->metadata, "scene");
    const json_t *list = json_object_get(scene, "parcels");
    size_t n = json_array_size(list);
    struct text *parcels = arena_calloc(c->errors->arena, n + 1, sizeof(*parcels));
    struct text *pointers = arena_calloc(c->errors->arena, n + 1, sizeof(*pointers));

    if (c->entity->type != ENTITY_SCENE) return true;
    for (size_t i = 0; i < n && n == c->entity->pointer_count; i++) {
        parcels[i] = entity_string(json_array_get(list, i));
        pointers[i] = c->entity->pointers[i];
    }
    if (n == c->entity->pointer_count && is_same_set(parcels, pointers, n)) return true;
    return entity_refuse(c->errors, "The parcels of the scene must be its pointers.");
}

static bool check_avatar(const struct entity_case *c, const json_t *avatar,
                         const char *member)
{
    const json_t *address = json_object_get(avatar, member);

    if (address == NULL ||
        text_equal_ignoring_case(entity_string(address), c->entity->pointers[0]))
        return true;
    return entity_refuse(c->errors, "The %s of an avatar must be the profile's pointer.",
                         member);
}

static bool check_avatars(const struct entity_case *c)
{
    const json_t *avatars = json_object_get(c->entity->metadata, "avatars");

    if (c->entity->type != ENTITY_PROFILE ||
        text_starts_with(c->entity->pointers[0], "default"))
        return true;
    for (size_t i = 0; i < json_array_size(avatars); i++) {
        const json_t *avatar = json_array_get(avatars, i);

        if (!check_avatar(c, avatar, "ethAddress") || !check_avatar(c, avatar, "userId"))
            return false;
    }
    return true;
}

bool entity_step_newer(const struct entity_case *c)
{
    if (!c->rules->has_newer_rules) return true;
    return check_file(c) && check_parcels(c) && check_avatars(c);
}
