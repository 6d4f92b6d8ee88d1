/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_urn_test.c - names of things, in parts. */
#include "producers/content/urn.h"
#include "t.h"

#include <string.h>

#define A "0x28abf2dba6fb1a58a6b21f2a7fb4a5b7f4a8e0aa"
#define U "urn:decentraland:"

static void each_form_is_known(void)
{
    static const struct {
        const char *text;
        enum urn_kind kind;
        const char
            *parts; /* network|registry|collection|item|token|party|chain|contract */
    } cases[] = {
        {U "off-chain:base-avatars:Hat", URN_OFF_CHAIN, "|base-avatars||Hat||||"},
        {U "entity:bafk?baseUrl=https://a.b/", URN_ENTITY, "|||bafk||||"},
        {U "ethereum:collections-v1:launch", URN_COLLECTION_V1, "ethereum||launch|||||"},
        {U "ethereum:collections-v1:launch:hat", URN_V1_ASSET,
         "ethereum||launch|hat||||"},
        {U "ethereum:collections-v1:launch:hat:7", URN_V1_ITEM,
         "ethereum||launch|hat|7|||"},
        {U "matic:collections-v1:" A ":hat", URN_V1_ASSET, "matic||" A "|hat||||"},
        {U "matic:collections-v2:" A, URN_COLLECTION_V2, "matic||" A "|||||"},
        {U "amoy:collections-v2:" A ":12", URN_V2_ASSET, "amoy||" A "|12||||"},
        {U "matic:collections-v2:" A ":0xaB", URN_V2_ASSET, "matic||" A "|0xaB||||"},
        {U "MATIC:collections-v2:" A ":1:99", URN_V2_ITEM, "MATIC||" A "|1|99|||"},
        {U "matic:collections-thirdparty:acme", URN_THIRD_PARTY, "matic|||||acme||"},
        {U "matic:collections-thirdparty:acme:c", URN_THIRD_COLLECTION,
         "matic||c|||acme||"},
        {U "matic:collections-thirdparty:acme:c:i", URN_THIRD_ASSET,
         "matic||c|i||acme||"},
        {U "matic:collections-thirdparty:acme:c:i:sepolia:" A ":5", URN_THIRD_ITEM,
         "matic||c|i|5|acme|sepolia|" A},
        {U "ethereum:erc721:" A ":x", URN_ERC721, "ethereum||||x|||" A},
        {U "sepolia:LAND:10,-20", URN_LAND, "sepolia|||10,-20||||"},
        {"dcl://base-avatars/hat", URN_OFF_CHAIN, "|base-avatars||hat||||"},
        {"dcl://launch/hat", URN_V1_ASSET, "ethereum||launch|hat||||"},
    };

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        char parts[300];
        struct urn u;

        OK(urn_parse(text_of(cases[i].text), &u) && u.kind == cases[i].kind);
        snprintf(parts, sizeof(parts), "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s",
                 TEXT_ARGS(u.network), TEXT_ARGS(u.registry), TEXT_ARGS(u.collection),
                 TEXT_ARGS(u.item), TEXT_ARGS(u.token), TEXT_ARGS(u.third_party),
                 TEXT_ARGS(u.chain), TEXT_ARGS(u.contract));
        OK(strcmp(parts, cases[i].parts) == 0);
        if (strcmp(parts, cases[i].parts) != 0) printf("  %s\n", parts);
    }
}

static void anything_else_is_no_name(void)
{
    static const char *const texts[] = {
        "",
        "urn",
        "urn:",
        "urn:decentraland",
        U,
        U "off-chain",
        U "off-chain:a",
        U "off-chain:a:",
        U "off-chain::b",
        U "off-chain:a:b:c",
        U "off-chain:a:b?c",
        U "off-chain:a:b#c",
        "urn:other:off-chain:a:b",
        "urn:Decentraland:off-chain:a:b",
        "url:decentraland:off-chain:a:b",
        " " U "off-chain:a:b",
        U "solana:collections-v2:" A ":1",
        U "matic:collections-v3:" A ":1",
        U "matic:collections-v2:name:1",
        U "matic:collections-v2:0x:1",
        U "matic:collections-v2:0xg:1",
        U "matic:collections-v2:" A ":x",
        U "matic:collections-v2:" A ":",
        U "matic:collections-v2:" A ":-1",
        U "matic:collections-v2:" A ":1:0x1",
        U "matic:collections-v2:" A ":1:2:3",
        U "matic:collections-v1:launch:hat",
        U "matic:collections-thirdparty:",
        U "matic:collections-thirdparty:a:b:c:d",
        U "matic:collections-thirdparty:a:b:c:d:" A,
        U "matic:collections-thirdparty:a:b:c:d:" A ":1:2",
        U "sepolia:LAND:1",
        U "sepolia:land:1,2",
        "dcl://",
        "dcl://a",
        "dcl://a/",
        "dcl:///b",
        "dcl://a/b/c",
        A,
    };
    struct urn u;

    for (size_t i = 0; i < LL_LENGTH(texts); i++) {
        OK(!urn_parse(text_of(texts[i]), &u));
        if (urn_parse(text_of(texts[i]), &u)) printf("  %s\n", texts[i]);
    }
}

static void parcels_are_two_whole_numbers(void)
{
    static const char *const bad[] = {"",     ",",     "1",    "1,",    ",1",
                                      "01,1", "1,01",  "-0,1", "1, 2",  "+1,2",
                                      "1;2",  "1,2,3", "a,b",  "1.0,2", "9999999,1"};
    int64_t x, y;

    OK(urn_parcel(TEXT("0,0"), &x, &y) && x == 0 && y == 0);
    OK(urn_parcel(TEXT("-150,149"), &x, &y) && x == -150 && y == 149);
    for (size_t i = 0; i < LL_LENGTH(bad); i++) OK(!urn_parcel(text_of(bad[i]), &x, &y));
}

static void old_names_have_new_ones(void)
{
    struct arena arena;
    struct urn u;

    arena_init(&arena, 10000);
    OK(text_is(urn_modern(TEXT("dcl://base-avatars/hat"), &arena),
               U "off-chain:base-avatars:hat"));
    OK(text_is(urn_modern(TEXT("dcl://launch/hat"), &arena),
               U "ethereum:collections-v1:launch:hat"));
    OK(text_is(urn_modern(TEXT("dcl://launch"), &arena), "dcl://launch"));
    OK(text_is(urn_modern(TEXT(U "off-chain:a:b"), &arena), U "off-chain:a:b"));
    OK(urn_parse(TEXT(U "ethereum:collections-thirdparty:acme:c:i"), &u));
    OK(text_is(urn_third_party_id(&u, &arena), U "mainnet:collections-thirdparty:acme"));
    arena_fini(&arena);
}

int main(void)
{
    RUN(each_form_is_known);
    RUN(anything_else_is_no_name);
    RUN(parcels_are_two_whole_numbers);
    RUN(old_names_have_new_ones);
    return t_done();
}
