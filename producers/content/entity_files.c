/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_files.c - the files of an entity: their names, their sizes, that they are there.
 */
#include "core/blob/cid.h"
#include "producers/content/entity_step.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MIB = 1024 * 1024, SKIN_MIB = 9 };

/* MiB a pointer. */
static const uint64_t limits[ENTITY_TYPES] = {
    [ENTITY_SCENE] = 15, [ENTITY_PROFILE] = 2, [ENTITY_WEARABLE] = 3,
    [ENTITY_STORE] = 1,  [ENTITY_EMOTE] = 3,   [ENTITY_OUTFITS] = 1,
};

static bool check_hash(const struct entity_case *c, struct text hash)
{
    if (cid_form(hash) == CID_V1) return true;
    return entity_refuse(c->errors,
                         "This hash '%.*s' is not valid. It should be IPFS v2 format.",
                         TEXT_ARGS(hash));
}

bool entity_step_hashes(const struct entity_case *c)
{
    const struct entity *e = c->entity;
    bool ok;

    if (!entity_is_since(c, ENTITY_ADR_45)) return true;
    ok = check_hash(c, e->id);
    for (size_t i = 0; i < e->content_count; i++)
        ok = check_hash(c, e->content[i].hash) && ok;
    return ok;
}

static int by_upload(const void *a, const void *b)
{
    const struct entity_upload *x = a, *y = b;

    return text_compare(x->hash, y->hash);
}

const struct entity_upload *entity_find_upload(const struct entity_case *c,
                                               struct text hash)
{
    struct entity_upload key = {.hash = hash};

    if (c->deployment->upload_count == 0) return NULL;
    return bsearch(&key, c->deployment->uploads, c->deployment->upload_count, sizeof(key),
                   by_upload);
}

static bool is_stored(const struct entity_case *c, struct text hash, uint64_t *size)
{
    return c->deployment->is_stored(c->deployment->is_stored_context, hash, size);
}

static int by_hash(const void *a, const void *b)
{
    const struct entity_content *x = *(const struct entity_content *const *)a;
    const struct entity_content *y = *(const struct entity_content *const *)b;
    int order = text_compare(x->hash, y->hash);

    return order != 0 ? order : (x > y) - (x < y);
}

/* The content, sorted by hash; in the arena. */
static const struct entity_content **sorted_content(const struct entity_case *c)
{
    size_t n = c->entity->content_count;
    const struct entity_content **sorted =
        arena_calloc(c->errors->arena, n + 1, sizeof(*sorted));

    for (size_t i = 0; i < n; i++) sorted[i] = &c->entity->content[i];
    qsort(sorted, n, sizeof(*sorted), by_hash);
    return sorted;
}

/* Of each different hash; false, naming the first in the entity's order that is neither
 * uploaded nor stored. */
static bool content_size(const struct entity_case *c, uint64_t *total)
{
    const struct entity_content **sorted = sorted_content(c), *missing = NULL;

    *total = 0;
    for (size_t i = 0; i < c->entity->content_count; i++) {
        const struct entity_upload *upload = entity_find_upload(c, sorted[i]->hash);
        uint64_t size = 0;

        if (i > 0 && text_equal(sorted[i - 1]->hash, sorted[i]->hash)) continue;
        if (upload != NULL)
            size = upload->size;
        else if (!is_stored(c, sorted[i]->hash, &size) &&
                 (missing == NULL || sorted[i] < missing))
            missing = sorted[i];
        *total += size;
    }
    if (missing == NULL) return true;
    return entity_refuse(c->errors, "Couldn't fetch content file with hash: %.*s",
                         TEXT_ARGS(missing->hash));
}

static uint64_t limit_of(const struct entity *e)
{
    const json_t *data = json_object_get(e->metadata, "data");

    if (e->type == ENTITY_WEARABLE &&
        text_is(entity_string(json_object_get(data, "category")), "skin"))
        return SKIN_MIB;
    return limits[e->type];
}

bool entity_step_size(const struct entity_case *c)
{
    const struct entity *e = c->entity;
    uint64_t total = 0, limit = limit_of(e), most = e->pointer_count * limit * MIB;

    if (e->timestamp <= c->rules->dates[ENTITY_LAUNCH]) return true;
    if (e->timestamp <= c->rules->dates[ENTITY_ADR_45]) {
        for (size_t i = 0; i < c->deployment->upload_count; i++)
            total += c->deployment->uploads[i].size;
    } else if (!content_size(c, &total)) {
        return false;
    }
    if (total <= most) return true;
    return entity_refuse(
        c->errors,
        "The deployment is too big. The maximum allowed size per pointer is %" PRIu64
        " MB for %s. You can upload up to %" PRIu64
        " bytes but you tried to upload %" PRIu64 ".",
        limit, entity_type_name(e->type), most, total);
}

static bool is_referenced(const struct entity_case *c,
                          const struct entity_content **sorted, struct text hash)
{
    struct entity_content key = {.hash = hash};
    size_t low = 0, high = c->entity->content_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (text_compare(sorted[middle]->hash, key.hash) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->entity->content_count && text_equal(sorted[low]->hash, hash);
}

bool entity_step_content(const struct entity_case *c)
{
    const struct entity_content **sorted = sorted_content(c);
    const struct entity_deployment *d = c->deployment;
    uint64_t size;
    bool ok = true;

    for (size_t i = 0; i < c->entity->content_count; i++) {
        struct text hash = c->entity->content[i].hash;

        if (entity_find_upload(c, hash) != NULL || is_stored(c, hash, &size)) continue;
        ok =
            entity_refuse(c->errors,
                          "This hash is referenced in the entity but was not uploaded or "
                          "previously available: %.*s",
                          TEXT_ARGS(hash));
    }
    if (!ok) return false;
    for (size_t i = 0; i < d->upload_count; i++) {
        struct text hash = d->uploads[i].hash;

        if (text_equal(hash, c->entity->id) || is_referenced(c, sorted, hash)) continue;
        ok = entity_refuse(c->errors,
                           "This hash was uploaded but is not referenced in the entity: "
                           "%.*s",
                           TEXT_ARGS(hash));
    }
    return ok;
}
