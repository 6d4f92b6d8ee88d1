/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata_keyword.c - what a JSON Schema cannot say of an item. */
#include "producers/content/mappings.h"
#include "producers/content/metadata_node.h"

#include <string.h>

/* urn:decentraland:<any>:<registry>:<name> */
static bool is_of_registry(const json_t *item, const char *registry)
{
    struct text rest, part[5];
    size_t count = 0;
    bool more = true;

    if (!json_member_text(item, "id", &rest)) return false;
    while (more && count < LL_LENGTH(part)) more = text_cut(&rest, ':', &part[count++]);
    return !more && count == LL_LENGTH(part) && text_is(part[1], "decentraland") &&
           text_is(part[3], registry);
}

static bool is_base_avatar(const json_t *item)
{
    return is_of_registry(item, "base-avatars");
}

static bool is_base_emote(const json_t *item)
{
    return is_of_registry(item, "base-emotes");
}

static bool contains_hashing_keys(const json_t *item)
{
    const json_t *proof = json_object_get(item, "merkleProof");
    const json_t *keys = json_object_get(proof, "hashingKeys");

    if (!json_is_array(keys)) return false;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *key = json_string_value(json_array_get(keys, i));

        if (key == NULL || json_object_get(item, key) == NULL) return false;
    }
    return true;
}

static bool from_is_not_beyond_to(const json_t *range)
{
    struct text from, to;

    return json_member_text(range, "from", &from) && json_member_text(range, "to", &to) &&
           decimal_compare(from, to) <= 0;
}

static const struct {
    const char *name;
    bool (*check)(const json_t *value);
} checks[] = {
    {"_isBaseAvatar", is_base_avatar},
    {"_isBaseEmote", is_base_emote},
    {"_containsHashingKeys", contains_hashing_keys},
    {"_fromLessThanOrEqualTo", from_is_not_beyond_to},
    {"_isMappingsValid", mappings_are_disjoint},
};

bool (*metadata_keyword_find(const char *name))(const json_t *value)
{
    for (size_t i = 0; i < LL_LENGTH(checks); i++)
        if (strcmp(checks[i].name, name) == 0) return checks[i].check;
    return NULL;
}
