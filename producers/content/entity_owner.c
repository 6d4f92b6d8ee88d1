/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_owner.c - who may deploy what (contract: catalyst, 4.6). What only a blockchain
 * can tell is asked of rules->access, and is empty talk with entity_access_open. */
#include "core/auth/ethereum.h"
#include "core/auth/unicode_lower.h"
#include "producers/content/entity_hash.h"
#include "producers/content/entity_step.h"

#include <inttypes.h>

#define ASK(c, question, ...) \
    ((c)->rules->access->question((c)->rules->access_context, __VA_ARGS__, \
                                  (c)->entity->timestamp))

bool entity_refuse_unknown(const struct entity_case *c)
{
    return entity_refuse(c->errors, "Cannot validate deployment");
}

static struct text lower_deployer(const struct entity_case *c)
{
    return ascii_lower(c->deployment->deployer, c->errors->arena);
}

static bool is_deployer(const struct entity_case *c, struct text address)
{
    return text_equal_ignoring_case(address, c->deployment->deployer);
}

static bool is_by_decentraland(const struct entity_case *c)
{
    return entity_is_decentraland(c->rules, c->deployment->deployer);
}

static bool check_one_pointer(const struct entity_case *c, const char *what)
{
    if (c->entity->pointer_count == 1) return true;
    return entity_refuse(
        c->errors, "Only one pointer is allowed when you create %s. Received: %.*s", what,
        TEXT_ARGS(entity_pointer_list(c->entity, c->errors->arena)));
}

/* ---- scenes ---- */

static bool check_parcel(const struct entity_case *c, struct text pointer, bool *unknown)
{
    int64_t x, y;

    if (!urn_parcel(pointer, &x, &y))
        return entity_refuse(
            c->errors,
            "Scene pointers should only contain two integers separated by "
            "a comma, for example (10,10) or (120,-45). Invalid pointer: "
            "%.*s",
            TEXT_ARGS(pointer));
    switch (ASK(c, land, c->deployment->deployer, x, y)) {
    case ENTITY_ACCESS_YES: return true;
    case ENTITY_ACCESS_NO:
        return entity_refuse(c->errors,
                             "The provided Eth Address does not have access to the "
                             "following parcel: (%" PRId64 ",%" PRId64 ")",
                             x, y);
    case ENTITY_ACCESS_UNKNOWN: break;
    }
    *unknown = true;
    return true;
}

static bool check_scene(const struct entity_case *c)
{
    bool ok = true, unknown = false;

    for (size_t i = 0; i < c->entity->pointer_count; i++)
        ok = check_parcel(c, c->entity->pointers[i], &unknown) && ok;
    return ok && unknown ? entity_refuse_unknown(c) : ok;
}

/* ---- lists of what must be owned ---- */

struct claim {
    struct text *items;
    size_t count;
};

/* Those of `claim` that are not owned, in its order. */
static struct text failing(const struct entity_case *c, const struct claim *claim,
                           const bool *owned)
{
    struct text *list =
        arena_calloc(c->errors->arena, claim->count + 1, sizeof(struct text));
    size_t n = 0;

    for (size_t i = 0; i < claim->count; i++)
        if (!owned[i]) list[n++] = claim->items[i];
    return entity_join(list, n, ", ", c->errors->arena);
}

static bool check_owned(const struct entity_case *c, const struct claim *claim,
                        bool are_names, const char *what)
{
    bool *owned = arena_calloc(c->errors->arena, claim->count + 1, sizeof(bool));
    enum entity_access_answer (*ask)(void *, struct text, const struct text *, size_t,
                                     int64_t, bool *) =
        are_names ? c->rules->access->names : c->rules->access->items;

    if (claim->count == 0) return true;
    switch (ask(c->rules->access_context, c->deployment->deployer, claim->items,
                claim->count, c->entity->timestamp, owned)) {
    case ENTITY_ACCESS_YES: return true;
    case ENTITY_ACCESS_UNKNOWN: return entity_refuse_unknown(c);
    case ENTITY_ACCESS_NO: break;
    }
    return entity_refuse(
        c->errors, "The following %s (%.*s) are not owned by the address %.*s).", what,
        TEXT_ARGS(failing(c, claim, owned)), TEXT_ARGS(lower_deployer(c)));
}

/* Room for as many texts as the metadata can hold. */
static struct claim new_claim(const struct entity_case *c, size_t most)
{
    return (struct claim){
        .items = arena_calloc(c->errors->arena, most + 1, sizeof(struct text))};
}

static bool is_blank(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] != ' ' && t.ptr[i] != '\t' && t.ptr[i] != '\n' && t.ptr[i] != '\r')
            return false;
    return true;
}

/* ---- profiles ---- */

static const json_t *avatars_of(const struct entity_case *c)
{
    return json_object_get(c->entity->metadata, "avatars");
}

static bool check_names(const struct entity_case *c)
{
    const json_t *avatars = avatars_of(c);
    struct claim claim = new_claim(c, json_array_size(avatars));

    if (!entity_is_since(c, ENTITY_ADR_75)) return true;
    for (size_t i = 0; i < json_array_size(avatars); i++) {
        const json_t *avatar = json_array_get(avatars, i);
        struct text name = entity_string(json_object_get(avatar, "name"));

        if (json_is_true(json_object_get(avatar, "hasClaimedName")) && !is_blank(name))
            claim.items[claim.count++] = name;
    }
    return check_owned(c, &claim, true, "names");
}

/* A word of before the URNs names what everybody has. */
static bool is_word(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((t.ptr[i] | 0x20) < 'a' || (t.ptr[i] | 0x20) > 'z') return false;
    return t.len > 0;
}

static bool is_base(struct text t)
{
    struct urn urn;

    return is_word(t) || (urn_parse(t, &urn) && urn.kind == URN_OFF_CHAIN);
}

static void claim_item(const struct entity_case *c, struct claim *claim, struct text item)
{
    if (item.len > 0 && !is_base(item))
        claim->items[claim->count++] = urn_modern(item, c->errors->arena);
}

static size_t item_count(const struct entity_case *c)
{
    const json_t *avatars = avatars_of(c);
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(avatars); i++) {
        const json_t *avatar = json_object_get(json_array_get(avatars, i), "avatar");

        n += json_array_size(json_object_get(avatar, "wearables"));
        n += json_array_size(json_object_get(avatar, "emotes"));
    }
    return n;
}

static void claim_avatar(const struct entity_case *c, struct claim *claim,
                         const json_t *avatar)
{
    const json_t *wearables = json_object_get(avatar, "wearables");
    const json_t *emotes = json_object_get(avatar, "emotes");

    for (size_t i = 0;
         entity_is_since(c, ENTITY_ADR_75) && i < json_array_size(wearables); i++)
        claim_item(c, claim, entity_string(json_array_get(wearables, i)));
    for (size_t i = 0; entity_is_since(c, ENTITY_ADR_74) && i < json_array_size(emotes);
         i++)
        claim_item(c, claim,
                   entity_string(json_object_get(json_array_get(emotes, i), "urn")));
}

static bool check_items(const struct entity_case *c)
{
    const json_t *avatars = avatars_of(c);
    struct claim claim = new_claim(c, item_count(c));

    for (size_t i = 0; i < json_array_size(avatars); i++)
        claim_avatar(c, &claim, json_object_get(json_array_get(avatars, i), "avatar"));
    return check_owned(c, &claim, false, "items");
}

static bool check_profile_pointer(const struct entity_case *c)
{
    struct text pointer = c->entity->pointers[0];
    struct ethereum_address parsed;

    if (!check_one_pointer(c, "a Profile")) return false;
    if (text_starts_with(pointer, "default"))
        return is_by_decentraland(c) ||
               entity_refuse(c->errors,
                             "Only Decentraland can add or modify default profiles");
    if (!ethereum_address_parse(pointer, &parsed))
        return entity_refuse(c->errors,
                             "The given pointer is not a valid ethereum address.");
    if (is_deployer(c, pointer)) return true;
    return entity_refuse(
        c->errors,
        "You can only alter your own profile. The pointer address and the signer address "
        "are different (pointer:%.*s signer: %.*s).",
        TEXT_ARGS(pointer), TEXT_ARGS(lower_deployer(c)));
}

static bool check_profile(const struct entity_case *c)
{
    return check_names(c) && check_items(c) && check_profile_pointer(c);
}

/* ---- outfits; whose they are is among their own rules ---- */

static bool check_outfit_wearables(const struct entity_case *c)
{
    const json_t *outfits = json_object_get(c->entity->metadata, "outfits");
    struct claim claim;
    size_t most = 0;

    for (size_t i = 0; i < json_array_size(outfits); i++)
        most += json_array_size(json_object_get(
            json_object_get(json_array_get(outfits, i), "outfit"), "wearables"));
    claim = new_claim(c, most);
    for (size_t i = 0; i < json_array_size(outfits); i++) {
        const json_t *list = json_object_get(
            json_object_get(json_array_get(outfits, i), "outfit"), "wearables");

        for (size_t k = 0; k < json_array_size(list); k++)
            claim_item(c, &claim, entity_string(json_array_get(list, k)));
    }
    return check_owned(c, &claim, false, "wearables");
}

static bool check_outfits(const struct entity_case *c)
{
    const json_t *names = json_object_get(c->entity->metadata, "namesForExtraSlots");
    struct claim claim = new_claim(c, json_array_size(names));

    for (size_t i = 0; i < json_array_size(names); i++) {
        struct text name = entity_string(json_array_get(names, i));

        if (!is_blank(name)) claim.items[claim.count++] = name;
    }
    return check_outfit_wearables(c) && check_owned(c, &claim, true, "names");
}

/* ---- stores ---- */

static bool check_store(const struct entity_case *c)
{
    struct urn urn;

    if (!check_one_pointer(c, "a Store")) return false;
    if (!urn_parse(c->entity->pointers[0], &urn) || urn.kind != URN_OFF_CHAIN ||
        !text_is(urn.registry, "marketplace-stores"))
        return entity_refuse(
            c->errors,
            "Store pointers should be a urn, for example "
            "(urn:decentraland:off-chain:marketplace-stores:{address}). Invalid pointer: "
            "%.*s",
            TEXT_ARGS(c->entity->pointers[0]));
    if (is_deployer(c, urn.item)) return true;
    return entity_refuse(c->errors,
                         "You can only alter your own store. The pointer address and the "
                         "signer address are "
                         "different (address:%.*s signer: %.*s).",
                         TEXT_ARGS(urn.item), TEXT_ARGS(lower_deployer(c)));
}

/* ---- all ---- */

static bool has_default_pointer(const struct entity *e)
{
    for (size_t i = 0; i < e->pointer_count; i++)
        if (text_starts_with(e->pointers[i], "default")) return true;
    return false;
}

bool entity_step_access(const struct entity_case *c)
{
    const struct entity *e = c->entity;

    if (c->rules->access_level == ENTITY_ACCESS_NONE) return true;
    if (e->type == ENTITY_SCENE && has_default_pointer(e))
        return entity_refuse(
            c->errors, "Scene pointers should only contain two integers separated by "
                       "a comma, for example (10,10) or (120,-45).");
    if (e->timestamp <= c->rules->dates[ENTITY_LAUNCH] && is_by_decentraland(c))
        return true;
    switch (e->type) {
    case ENTITY_SCENE: return check_scene(c);
    case ENTITY_PROFILE: return check_profile(c);
    case ENTITY_WEARABLE:
    case ENTITY_EMOTE: return entity_step_item_access(c);
    case ENTITY_STORE: return check_store(c);
    case ENTITY_OUTFITS: return check_outfits(c);
    case ENTITY_TYPES: break;
    }
    LL_BUG("an entity of no type");
}
