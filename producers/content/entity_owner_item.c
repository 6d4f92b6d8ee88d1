/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_owner_item.c - who may deploy wearables and emotes (contract: catalyst, 4.6). */
#include "producers/content/entity_hash.h"
#include "producers/content/entity_step.h"

static bool refuse(const struct entity_case *c, const char *item)
{
    return entity_refuse(c->errors,
                         "The provided Eth Address '%.*s' does not have access to the "
                         "following item: %s",
                         TEXT_ARGS(c->deployment->deployer), item);
}

static bool is_ethereum(struct text network)
{
    return text_equal_ignoring_case(network, TEXT("ethereum")) ||
           text_equal_ignoring_case(network, TEXT("mainnet")) ||
           text_equal_ignoring_case(network, TEXT("sepolia")) ||
           text_equal_ignoring_case(network, TEXT("goerli"));
}

/* What is Decentraland's alone: off-chain items, and collections (v1) on Ethereum. */
static bool check_decentraland(const struct entity_case *c, bool may_be_deployed)
{
    if (may_be_deployed && entity_is_decentraland(c->rules, c->deployment->deployer))
        return true;
    return refuse(
        c, arena_printf(c->errors->arena, "'%.*s'", TEXT_ARGS(c->entity->pointers[0])));
}

static bool check_collection(const struct entity_case *c, const struct urn *urn)
{
    struct text item_text;
    struct ll_error err;

    if (is_ethereum(urn->network))
        return check_decentraland(c, urn->kind == URN_V1_ASSET &&
                                         text_is(urn->network, "ethereum"));
    if (entity_item_text(c->entity->content, c->entity->content_count,
                         c->entity->metadata_text, c->errors->arena, &item_text,
                         &err) != LL_OK)
        return entity_refuse_unknown(c);
    switch (c->rules->access->collection_item(c->rules->access_context,
                                              c->deployment->deployer, urn, item_text,
                                              c->entity->timestamp)) {
    case ENTITY_ACCESS_YES: return true;
    case ENTITY_ACCESS_UNKNOWN: return entity_refuse_unknown(c);
    case ENTITY_ACCESS_NO: break;
    }
    return refuse(c, arena_printf(c->errors->arena, "(%.*s, %.*s)",
                                  TEXT_ARGS(urn->collection), TEXT_ARGS(urn->item)));
}

static bool check_third_party(const struct entity_case *c, const struct urn *urn)
{
    const json_t *proof = json_object_get(c->entity->metadata, "merkleProof");
    enum entity_access_answer answer = ENTITY_ACCESS_NO;
    uint8_t root[KECCAK_SIZE];

    if (entity_is_third_party(c->entity->metadata) && merkle_root(proof, root))
        answer = c->rules->access->third_party(c->rules->access_context,
                                               urn_third_party_id(urn, c->errors->arena),
                                               root, c->entity->timestamp);
    if (answer == ENTITY_ACCESS_YES) return true;
    if (answer == ENTITY_ACCESS_UNKNOWN) return entity_refuse_unknown(c);
    return entity_refuse(c->errors,
                         "Couldn't verify merkle proofed entity for third-party "
                         "wearable");
}

static bool is_item(const struct urn *urn)
{
    return urn->kind == URN_OFF_CHAIN || urn->kind == URN_V1_ASSET ||
           urn->kind == URN_V2_ASSET || urn->kind == URN_THIRD_ASSET;
}

/* Is each a URN of an item? The first one's comes out. */
static bool check_pointers(const struct entity_case *c, struct urn *first)
{
    for (size_t i = 0; i < c->entity->pointer_count; i++) {
        struct urn urn;

        if (!urn_parse(c->entity->pointers[i], &urn) || !is_item(&urn))
            return entity_refuse(
                c->errors,
                "Item pointers should be a urn, for example "
                "(urn:decentraland:{protocol}:collections-v2:{contract(0x[a-fA-F0-9]+)}:"
                "{id}). Invalid pointer: (%.*s)",
                TEXT_ARGS(c->entity->pointers[i]));
        if (i == 0) *first = urn;
    }
    if (c->entity->pointer_count == 1) return true;
    return entity_refuse(c->errors,
                         "Only one pointer is allowed when you create an item. Received: "
                         "%.*s",
                         TEXT_ARGS(entity_pointer_list(c->entity, c->errors->arena)));
}

static bool check_kind(const struct entity_case *c, const struct urn *urn)
{
    bool is_emote = c->entity->type == ENTITY_EMOTE;

    if (!is_emote || urn->kind != URN_V1_ASSET) return true;
    return entity_refuse(c->errors,
                         "For the entity type: emote, the asset with urn type: %s is "
                         "invalid. Valid urn types for this entity: "
                         "off-chain,blockchain-collection-v2-asset,"
                         "blockchain-collection-third-party",
                         urn_kind_name(urn->kind));
}

bool entity_step_item_access(const struct entity_case *c)
{
    struct urn urn = {.kind = URN_OFF_CHAIN};

    if (!check_pointers(c, &urn) || !check_kind(c, &urn)) return false;
    if (urn.kind == URN_OFF_CHAIN) return check_decentraland(c, true);
    if (urn.kind == URN_THIRD_ASSET) return check_third_party(c, &urn);
    return check_collection(c, &urn);
}
