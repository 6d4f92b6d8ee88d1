/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* urn.c - the forms as a table: what each part between colons must be and where it goes.
 */
#include "producers/content/urn.h"

#include <stddef.h>
#include <string.h>

enum { PARTS = 9 };

/* What a part may be. */
enum part_rule {
    PART_END,
    PART_WORD,    /* exactly this */
    PART_NETWORK, /* one of `networks` */
    PART_ANY,     /* something */
    PART_HEX,     /* 0x and hexadecimal digits */
    PART_DECIMAL,
    PART_NUMBER, /* PART_HEX or PART_DECIMAL */
    PART_PARCEL  /* x,y */
};

struct part {
    enum part_rule rule;
    const char *word;
    size_t offset; /* of the text in struct urn that takes it */
};

struct form {
    enum urn_kind kind;
    struct part parts[PARTS];
};

#define WORD(w) \
    { \
        PART_WORD, w, 0 \
    }
#define NETWORK \
    { \
        PART_NETWORK, NULL, offsetof(struct urn, network) \
    }
#define TAKE(rule, f) \
    { \
        rule, NULL, offsetof(struct urn, f) \
    }

/* The first that fits counts. What follows `urn:decentraland:`. */
static const struct form forms[] = {
    {URN_OFF_CHAIN, {WORD("off-chain"), TAKE(PART_ANY, registry), TAKE(PART_ANY, item)}},
    {URN_ENTITY, {WORD("entity"), TAKE(PART_ANY, item)}},
    {URN_V1_ASSET,
     {NETWORK, WORD("collections-v1"), TAKE(PART_ANY, collection), TAKE(PART_ANY, item)}},
    {URN_V1_ITEM,
     {NETWORK, WORD("collections-v1"), TAKE(PART_ANY, collection), TAKE(PART_ANY, item),
      TAKE(PART_DECIMAL, token)}},
    {URN_V2_ASSET,
     {NETWORK, WORD("collections-v2"), TAKE(PART_HEX, collection),
      TAKE(PART_NUMBER, item)}},
    {URN_V2_ITEM,
     {NETWORK, WORD("collections-v2"), TAKE(PART_HEX, collection),
      TAKE(PART_NUMBER, item), TAKE(PART_DECIMAL, token)}},
    {URN_COLLECTION_V1, {NETWORK, WORD("collections-v1"), TAKE(PART_ANY, collection)}},
    {URN_COLLECTION_V2, {NETWORK, WORD("collections-v2"), TAKE(PART_HEX, collection)}},
    {URN_LAND, {NETWORK, WORD("LAND"), TAKE(PART_PARCEL, item)}},
    {URN_THIRD_PARTY,
     {NETWORK, WORD("collections-thirdparty"), TAKE(PART_ANY, third_party)}},
    {URN_THIRD_COLLECTION,
     {NETWORK, WORD("collections-thirdparty"), TAKE(PART_ANY, third_party),
      TAKE(PART_ANY, collection)}},
    {URN_THIRD_ASSET,
     {NETWORK, WORD("collections-thirdparty"), TAKE(PART_ANY, third_party),
      TAKE(PART_ANY, collection), TAKE(PART_ANY, item)}},
    {URN_THIRD_ITEM,
     {NETWORK, WORD("collections-thirdparty"), TAKE(PART_ANY, third_party),
      TAKE(PART_ANY, collection), TAKE(PART_ANY, item), TAKE(PART_ANY, chain),
      TAKE(PART_HEX, contract), TAKE(PART_DECIMAL, token)}},
    {URN_ERC721,
     {NETWORK, WORD("erc721"), TAKE(PART_HEX, contract), TAKE(PART_ANY, token)}},
};

static const char *const networks[] = {"ethereum", "mainnet", "sepolia", "goerli",
                                       "matic",    "amoy",    "mumbai"};

static const char *const kind_names[] = {
    [URN_OFF_CHAIN] = "off-chain",
    [URN_ENTITY] = "entity",
    [URN_COLLECTION_V1] = "blockchain-collection-v1",
    [URN_V1_ASSET] = "blockchain-collection-v1-asset",
    [URN_V1_ITEM] = "blockchain-collection-v1-item",
    [URN_COLLECTION_V2] = "blockchain-collection-v2",
    [URN_V2_ASSET] = "blockchain-collection-v2-asset",
    [URN_V2_ITEM] = "blockchain-collection-v2-item",
    [URN_THIRD_PARTY] = "blockchain-collection-third-party-name",
    [URN_THIRD_COLLECTION] = "blockchain-collection-third-party-collection",
    [URN_THIRD_ASSET] = "blockchain-collection-third-party",
    [URN_THIRD_ITEM] = "blockchain-collection-third-party-item",
    [URN_ERC721] = "blockchain-asset",
    [URN_LAND] = "blockchain-asset",
};

const char *urn_kind_name(enum urn_kind kind)
{
    return kind_names[kind];
}

static bool is_network(struct text t)
{
    for (size_t i = 0; i < LL_LENGTH(networks); i++)
        if (text_equal_ignoring_case(t, text_of(networks[i]))) return true;
    return false;
}

static bool is_decimal(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] < '0' || t.ptr[i] > '9') return false;
    return t.len > 0;
}

static bool is_hex(struct text t)
{
    if (t.len < 3 || t.ptr[0] != '0' || (t.ptr[1] != 'x' && t.ptr[1] != 'X'))
        return false;
    for (size_t i = 2; i < t.len; i++) {
        char c = t.ptr[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
            return false;
    }
    return true;
}

/* "-5" */
static bool take_coordinate(struct text t, int64_t *out)
{
    enum { FARTHEST = 100000 };
    uint64_t n;
    bool negative = t.len > 0 && t.ptr[0] == '-';

    if (negative) t = (struct text){t.ptr + 1, t.len - 1};
    if (!text_to_u64(t, FARTHEST, &n) || (negative && n == 0)) return false;
    *out = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

bool urn_parcel(struct text t, int64_t *x, int64_t *y)
{
    struct text head;

    return text_cut(&t, ',', &head) && take_coordinate(head, x) && take_coordinate(t, y);
}

static bool part_fits(const struct part *part, struct text t, struct urn *out)
{
    switch (part->rule) {
    case PART_END: return false;
    case PART_WORD: return text_is(t, part->word);
    case PART_NETWORK: return is_network(t);
    case PART_ANY: return t.len > 0;
    case PART_HEX: return is_hex(t);
    case PART_DECIMAL: return is_decimal(t);
    case PART_NUMBER: return is_hex(t) || is_decimal(t);
    case PART_PARCEL: return urn_parcel(t, &out->x, &out->y);
    }
    LL_BUG("a part of an unknown rule");
}

static bool form_fits(const struct form *form, const struct text *parts, size_t count,
                      struct urn *out)
{
    *out = (struct urn){.kind = form->kind};
    for (size_t i = 0; i < count; i++) {
        if (i == PARTS || !part_fits(&form->parts[i], parts[i], out)) return false;
        if (form->parts[i].rule != PART_WORD)
            *(struct text *)(void *)((char *)out + form->parts[i].offset) = parts[i];
    }
    return count == PARTS || form->parts[count].rule == PART_END;
}

/* Collections (v1) are told by name on Ethereum alone; only an entity has a query. */
static bool is_sound(const struct urn *u, bool has_query)
{
    bool is_v1 =
        u->kind == URN_COLLECTION_V1 || u->kind == URN_V1_ASSET || u->kind == URN_V1_ITEM;

    if (has_query && u->kind != URN_ENTITY) return false;
    return !is_v1 || is_hex(u->collection) || text_is(u->network, "ethereum");
}

/* dcl://{host}/{name} */
static bool parse_legacy(struct text t, struct urn *out)
{
    struct text host;

    if (!text_cut(&t, '/', &host) || host.len == 0 || t.len == 0) return false;
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] == '/' || t.ptr[i] == '?' || t.ptr[i] == '#') return false;
    *out = (struct urn){.item = t};
    if (text_is(host, "base-avatars") || text_is(host, "base-emotes")) {
        out->kind = URN_OFF_CHAIN;
        out->registry = host;
    } else {
        out->kind = URN_V1_ASSET;
        out->network = TEXT("ethereum");
        out->collection = host;
    }
    return true;
}

bool urn_parse(struct text t, struct urn *out)
{
    struct text parts[PARTS], query;
    size_t count = 0;
    bool more = true, has_query;

    *out = (struct urn){.kind = URN_OFF_CHAIN};
    if (t.len > 0 && memchr(t.ptr, '#', t.len) != NULL) return false;
    if (text_starts_with(t, "dcl://"))
        return parse_legacy((struct text){t.ptr + 6, t.len - 6}, out);
    if (!text_cut(&t, ':', &parts[0]) || !text_equal_ignoring_case(parts[0], TEXT("urn")))
        return false;
    if (!text_cut(&t, ':', &parts[0]) || !text_is(parts[0], "decentraland")) return false;
    query = t;
    has_query = text_cut(&query, '?', &t); /* ?baseUrl= of an entity */
    while (more && count < PARTS) more = text_cut(&t, ':', &parts[count++]);
    for (size_t i = 0; !more && i < LL_LENGTH(forms); i++)
        if (form_fits(&forms[i], parts, count, out) && is_sound(out, has_query))
            return true;
    *out = (struct urn){.kind = URN_OFF_CHAIN};
    return false;
}

struct text urn_modern(struct text t, struct arena *arena)
{
    struct urn u;

    if (!text_starts_with(t, "dcl://") || !urn_parse(t, &u)) return t;
    if (u.kind == URN_OFF_CHAIN)
        return text_of(arena_printf(arena, "urn:decentraland:off-chain:%.*s:%.*s",
                                    TEXT_ARGS(u.registry), TEXT_ARGS(u.item)));
    return text_of(arena_printf(arena,
                                "urn:decentraland:ethereum:collections-v1:%.*s:%.*s",
                                TEXT_ARGS(u.collection), TEXT_ARGS(u.item)));
}

struct text urn_third_party_id(const struct urn *urn, struct arena *arena)
{
    struct text network = urn->network;

    if (text_equal_ignoring_case(network, TEXT("ethereum"))) network = TEXT("mainnet");
    return text_of(arena_printf(arena,
                                "urn:decentraland:%.*s:collections-thirdparty:%.*s",
                                TEXT_ARGS(network), TEXT_ARGS(urn->third_party)));
}
