/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_item.c - what holds of wearables and emotes (contract: catalyst, 4.5). */
#include "producers/content/entity_hash.h"
#include "producers/content/entity_step.h"

#include <inttypes.h>
#include <string.h>

enum { OUTCOMES = 3 };

static bool check_representation(const struct entity_case *c,
                                 const json_t *representation)
{
    const json_t *files = json_object_get(representation, "contents");

    for (size_t i = 0; i < json_array_size(files); i++) {
        struct text file = entity_string(json_array_get(files, i));

        if (entity_find_file(c->entity, file) != NULL) continue;
        return entity_refuse(
            c->errors, "Representation content: '%.*s' is not one of the content files",
            TEXT_ARGS(file));
    }
    return true;
}

static bool check_representations(const struct entity_case *c, const char *data,
                                  const char *type)
{
    const json_t *list =
        json_object_get(json_object_get(c->entity->metadata, data), "representations");

    if (json_array_size(list) == 0)
        return entity_refuse(c->errors, "No %s representations found", type);
    if (c->entity->content_count == 0)
        return entity_refuse(c->errors, "No content found");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!check_representation(c, json_array_get(list, i))) return false;
    return true;
}

bool entity_is_third_party(const json_t *metadata)
{
    const json_t *proof = json_object_get(metadata, "merkleProof");
    const json_t *keys = json_object_get(proof, "hashingKeys");

    if (!json_is_object(json_object_get(metadata, "content")) || !json_is_array(keys) ||
        !json_is_string(json_object_get(proof, "entityHash")))
        return false;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *key = json_string_value(json_array_get(keys, i));

        if (key == NULL || json_object_get(metadata, key) == NULL) return false;
    }
    return true;
}

static bool check_id(const struct entity_case *c)
{
    struct text id = entity_string(json_object_get(c->entity->metadata, "id"));

    if (text_equal_ignoring_case(id, c->entity->pointers[0])) return true;
    return entity_refuse(c->errors, "The id '%.*s' does not match the pointer '%.*s'",
                         TEXT_ARGS(id), TEXT_ARGS(c->entity->pointers[0]));
}

/* Are the files that the metadata declares those of the entity, with their hashes? */
static bool content_matches(const struct entity *e)
{
    json_t *declared = json_object_get(e->metadata, "content"), *hash;
    const struct entity_content *found;
    const char *file;

    json_object_foreach(declared, file, hash)
    {
        found = entity_find_file(e, text_of(file));
        if (found == NULL || !text_equal(found->hash, entity_string(hash))) return false;
    }
    for (size_t i = 0; i < e->content_count; i++) {
        hash = json_object_getn(declared, e->content[i].file.ptr, e->content[i].file.len);
        if (!json_is_string(hash) || !text_equal(entity_string(hash), e->content[i].hash))
            return false;
    }
    return true;
}

static bool check_entity_hash(const struct entity_case *c)
{
    const json_t *proof = json_object_get(c->entity->metadata, "merkleProof");
    const json_t *names = json_object_get(proof, "hashingKeys");
    struct text given = entity_string(json_object_get(proof, "entityHash"));
    struct arena *arena = c->errors->arena;
    size_t n = json_array_size(names);
    struct text *keys = arena_calloc(arena, n + 1, sizeof(*keys));
    uint8_t hash[KECCAK_SIZE];
    struct builder hex;
    bool ok;

    for (size_t i = 0; i < n; i++) keys[i] = entity_string(json_array_get(names, i));
    LL_CHECK(entity_metadata_hash(c->entity->metadata_text, keys, n, hash, NULL) ==
             LL_OK);
    builder_init(&hex, 2 * KECCAK_SIZE);
    builder_hex(&hex, hash, sizeof(hash));
    ok = text_equal(given, builder_view(&hex)) ||
         entity_refuse(c->errors,
                       "The entity hash provided '%.*s' is different to the one "
                       "calculated from the metadata '%s'",
                       TEXT_ARGS(given), hex.ptr);
    builder_fini(&hex);
    return ok;
}

static bool check_third_party(const struct entity_case *c)
{
    if (!entity_is_third_party(c->entity->metadata)) return true;
    if (!check_id(c)) return false;
    if (!content_matches(c->entity))
        return entity_refuse(c->errors, "The content declared in the metadata does not "
                                        "match the files uploaded with the entity");
    return check_entity_hash(c);
}

bool entity_step_wearable(const struct entity_case *c)
{
    return check_representations(c, "data", "wearable") && check_third_party(c);
}

/* All of these, or none. */
static bool check_social(const struct entity_case *c)
{
    static const char *const names[] = {"startAnimation", "randomizeOutcomes",
                                        "outcomes"};
    const json_t *data = json_object_get(c->entity->metadata, "emoteDataADR74");
    const json_t *outcomes = json_object_get(data, "outcomes");
    struct text missing[LL_LENGTH(names)];
    size_t n = 0;

    for (size_t i = 0; i < LL_LENGTH(names); i++)
        if (json_object_get(data, names[i]) == NULL) missing[n++] = text_of(names[i]);
    if (n == LL_LENGTH(names)) return true;
    if (n > 0)
        return entity_refuse(
            c->errors,
            "For social emote definition, all properties must be present. "
            "Missing: %.*s",
            TEXT_ARGS(entity_join(missing, n, ", ", c->errors->arena)));
    if (!json_is_object(json_object_get(data, "startAnimation")))
        return entity_refuse(c->errors,
                             "Some properties of StartAnimation are not valid");
    if (json_array_size(outcomes) == 0)
        return entity_refuse(c->errors, "Outcomes array cannot be empty");
    if (json_array_size(outcomes) > OUTCOMES)
        return entity_refuse(c->errors, "Outcomes array can contain up to %d items",
                             OUTCOMES);
    return true;
}

bool entity_step_emote(const struct entity_case *c)
{
    if (!entity_is_since(c, ENTITY_ADR_74))
        return entity_refuse(c->errors,
                             "The emote timestamp %" PRId64
                             " is before ADR 74. Emotes did "
                             "not exist before ADR 74.",
                             c->entity->timestamp);
    return check_representations(c, "emoteDataADR74", "emote") && check_social(c);
}
