/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_items.c - wearables and emotes by their pointer: pictures, and the metadata
 * that marketplaces of ERC-721 tokens read (contract: catalyst, 3.2). */
#include "producers/content_service.h"

#include <string.h>

/* ---- pictures ---- */

static void answer_picture(struct http_request *r, const char *member)
{
    struct http_query_value values[] = {
        content_text("pointer", content_lower(r, http_path_parameter(r, "pointer"))),
        content_text("member", text_of(member)),
    };
    struct http_query_answer answer;
    struct text hash = TEXT("");
    struct ll_error err;
    json_t *found;

    if (!http_query(r, "item_picture", values, LL_LENGTH(values), &answer)) return;
    if (!answer.found) {
        content_refuse_as(r, 404, "Entity not found.");
        return;
    }
    LL_CHECK(json_parse(answer.body, JSON_DEPTH, &found, &err) == LL_OK);
    if (!json_member_text(found, "hash", &hash) || !http_respond_blob(r, hash, true))
        content_refuse_as(r, 404, "Entity has no %s.", member);
    json_decref(found);
}

void content_get_thumbnail(struct http_request *r)
{
    answer_picture(r, "thumbnail");
}

void content_get_image(struct http_request *r)
{
    answer_picture(r, "image");
}

/* ---- ERC-721 ---- */

static const struct {
    const char *id, *name;
} chains[] = {{"1", "ethereum"}, {"3", "ropsten"},    {"4", "rinkeby"},
              {"5", "goerli"},   {"42", "kovan"},     {"11155111", "sepolia"},
              {"137", "matic"},  {"80001", "mumbai"}, {"80002", "amoy"}};

static const struct {
    const char *rarity;
    int supply;
} supplies[] = {{"common", 100000}, {"uncommon", 10000}, {"rare", 5000}, {"epic", 1000},
                {"legendary", 100}, {"exotic", 50},      {"mythic", 10}, {"unique", 1}};

static const char *chain_name(struct text id)
{
    for (size_t i = 0; i < LL_LENGTH(chains); i++)
        if (text_is(id, chains[i].id)) return chains[i].name;
    return NULL;
}

static int supply_of(struct text rarity)
{
    for (size_t i = 0; i < LL_LENGTH(supplies); i++)
        if (text_is(rarity, supplies[i].rarity)) return supplies[i].supply;
    return 0;
}

/* The English name, else the first. */
static struct text name_of(const json_t *metadata)
{
    const json_t *names = json_object_get(metadata, "i18n"), *one;
    struct text name = TEXT(""), code;
    size_t i;

    json_array_foreach(names, i, one)
    {
        bool is_english = json_member_text(one, "code", &code) && text_is(code, "en");

        if (i == 0 || is_english) json_member_text(one, "text", &name);
        if (is_english) break;
    }
    return name;
}

static void add_trait(json_t *traits, const char *type, struct text value)
{
    json_array_append_new(traits, json_pack("{s:s, s:s%}", "trait_type", type, "value",
                                            value.ptr ? value.ptr : "", value.len));
}

static bool is_among(const json_t *traits, const char *type, struct text value)
{
    const json_t *trait;
    struct text seen;
    size_t i;

    json_array_foreach(traits, i, trait)
    {
        if (json_member_text(trait, "trait_type", &seen) && text_is(seen, type) &&
            json_member_text(trait, "value", &seen) && text_equal(seen, value))
            return true;
    }
    return false;
}

/* "urn:decentraland:off-chain:base-avatars:BaseMale" is the trait BaseMale. */
static void add_shapes(json_t *traits, const json_t *data)
{
    const json_t *representation, *shape;
    size_t i, k;

    json_array_foreach(json_object_get(data, "representations"), i, representation)
    {
        json_array_foreach(json_object_get(representation, "bodyShapes"), k, shape)
        {
            struct text urn = text_of(json_string_value(shape)), part;

            while (text_cut(&urn, ':', &part)) continue;
            if ((text_is(part, "BaseMale") || text_is(part, "BaseFemale")) &&
                !is_among(traits, "Body Shape", part))
                add_trait(traits, "Body Shape", part);
        }
    }
}

static json_t *traits_of(const json_t *data, struct text rarity)
{
    json_t *traits = json_array();
    const json_t *tag;
    struct text category;
    size_t i;

    add_trait(traits, "Rarity", rarity);
    if (json_member_text(data, "category", &category))
        add_trait(traits, "Category", category);
    json_array_foreach(json_object_get(data, "tags"), i, tag)
    {
        add_trait(traits, "Tag", text_of(json_string_value(tag)));
    }
    add_shapes(traits, data);
    return traits;
}

/* Where this server's files are from outside. */
static const char *public_url(struct http_request *r)
{
    const char *given =
        settings_service_string(http_settings(r), "content.public-url", "");

    if (given[0] != '\0') return given;
    return arena_printf(http_arena(r), "http://%.*s/content",
                        TEXT_ARGS(http_header(r, "host")));
}

/* The URL of the file that a member of the metadata names; "" when there is none. */
static const char *file_url(struct http_request *r, const json_t *entity,
                            const char *member)
{
    const json_t *metadata = json_object_get(entity, "metadata"), *item;
    struct text wanted, file, hash;
    size_t i;

    if (!json_member_text(metadata, member, &wanted)) return "";
    json_array_foreach(json_object_get(entity, "content"), i, item)
    {
        if (json_member_text(item, "file", &file) && text_equal(file, wanted) &&
            json_member_text(item, "hash", &hash))
            return arena_printf(http_arena(r), "%s/contents/%.*s", public_url(r),
                                TEXT_ARGS(hash));
    }
    return "";
}

/* `emission` may be empty. */
static const char *description_of(struct http_request *r, bool is_emote,
                                  struct text emission, struct text rarity)
{
    if (emission.len == 0) return "";
    return arena_printf(http_arena(r), "DCL %s %.*s/%d", is_emote ? "Emote" : "Wearable",
                        TEXT_ARGS(emission), supply_of(rarity));
}

static void answer_token(struct http_request *r, struct text urn, struct text emission,
                         const json_t *entity)
{
    const json_t *metadata = json_object_get(entity, "metadata");
    const json_t *emote = json_object_get(metadata, "emoteDataADR74");
    const json_t *data = emote != NULL ? emote : json_object_get(metadata, "data");
    struct text rarity, name = name_of(metadata);
    char *text;
    json_t *body;

    if (!json_member_text(metadata, "rarity", &rarity)) {
        content_refuse_as(r, 400, "Wearable is not standard.");
        return;
    }
    body = json_pack(
        "{s:s%, s:s%, s:s, s:s, s:s, s:s, s:o}", "id", urn.ptr, urn.len, "name", name.ptr,
        name.len, "description", description_of(r, emote != NULL, emission, rarity),
        "language", "en-US", "image", file_url(r, entity, "image"), "thumbnail",
        file_url(r, entity, "thumbnail"), "attributes", traits_of(data, rarity));
    text = json_dumps(body, JSON_COMPACT);
    http_respond_json(r, 200, text_of(arena_string(http_arena(r), text)));
    free(text);
    json_decref(body);
}

static void get_token(struct http_request *r, struct text emission)
{
    struct text chain = http_path_parameter(r, "chainId"), urn;
    struct text contract = http_path_parameter(r, "contract");
    const char *network = chain_name(chain);
    struct http_query_answer answer;
    struct ll_error err;
    json_t *found;

    if (network == NULL) {
        content_refuse_as(r, 400, "Invalid chainId '%.*s'", TEXT_ARGS(chain));
        return;
    }
    urn = text_of(
        arena_printf(http_arena(r), "urn:decentraland:%s:collections-v%c:%.*s:%.*s",
                     network, text_starts_with(contract, "0x") ? '2' : '1',
                     TEXT_ARGS(contract), TEXT_ARGS(http_path_parameter(r, "option"))));
    urn = content_lower(r, urn);
    struct http_query_value values[] = {
        content_text("ids", TEXT("[]")),     content_list(r, "pointers", &urn, 1),
        content_flag("with_content", true),  content_flag("with_pointers", true),
        content_flag("with_metadata", true),
    };
    if (!http_query(r, "active_entities", values, LL_LENGTH(values), &answer)) return;
    /* what a store may hold is not all that we can read: a number beyond 64 bits */
    if (json_parse(answer.body, 4 * JSON_DEPTH, &found, &err) != LL_OK)
        content_refuse_as(r, 400, "Wearable is not standard.");
    else if (json_array_size(found) == 0)
        content_refuse_as(r, 404, "Entity does not exist");
    else
        answer_token(r, urn, emission, json_array_get(found, 0));
    json_decref(found);
}

void content_get_erc721(struct http_request *r)
{
    get_token(r, TEXT(""));
}

void content_get_erc721_emission(struct http_request *r)
{
    get_token(r, http_path_parameter(r, "emission"));
}
