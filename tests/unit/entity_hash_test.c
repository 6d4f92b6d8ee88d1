/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_hash_test.c - what is committed to on a blockchain, against what published
 * packages make (tests/vectors/cid.json, merkle.json). */
#include "producers/content/entity_hash.h"
#include "core/blob/cid.h"
#include "t.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

enum { ITEMS = 8 };

static void check_item(const json_t *row)
{
    const json_t *list = vectors_get(row, "content");
    const json_t *metadata = json_object_get(row, "metadata");
    char *metadata_text = metadata == NULL ? NULL : json_dumps(metadata, JSON_COMPACT);
    struct entity_content content[ITEMS];
    struct text text;
    struct arena arena;
    struct cids names;

    arena_init(&arena, ENTITY_ARENA);
    for (size_t i = 0; i < json_array_size(list); i++) {
        content[i].file = vectors_text(json_array_get(list, i), "file");
        content[i].hash = vectors_text(json_array_get(list, i), "hash");
    }
    OK(entity_item_text(content, json_array_size(list), text_of(metadata_text), &arena,
                        &text, NULL) == LL_OK);
    OK(text_equal(text, vectors_text(row, "serialized")));
    cids_of(text, &names);
    OK(text_is(vectors_text(row, "hashV1"), names.v1));
    OK(text_is(vectors_text(row, "hashV0"), names.v0));
    free(metadata_text);
    arena_fini(&arena);
}

static void the_text_of_an_item_is_theirs(void)
{
    json_t *vectors = vectors_load("cid.json");
    const json_t *rows = vectors_get(vectors, "adr32");

    OK(json_array_size(rows) > 0);
    for (size_t i = 0; i < json_array_size(rows); i++)
        check_item(json_array_get(rows, i));
    json_decref(vectors);
}

/* JavaScript compares halves of characters: U+1F600 comes before U+FF41. */
static void files_are_sorted_as_javascript_sorts(void)
{
    struct entity_content content[] = {
        {TEXT("\xef\xbd\x81"), TEXT("h")},
        {TEXT("\xf0\x9f\x98\x80"), TEXT("h")},
        {TEXT("\xed\x9f\xbf"), TEXT("h")},
        {TEXT("ab"), TEXT("h")},
        {TEXT("a"), TEXT("h")},
    };
    struct text text;
    struct arena arena;

    arena_init(&arena, ENTITY_ARENA);
    OK(entity_item_text(content, LL_LENGTH(content), TEXT(""), &arena, &text, NULL) ==
       LL_OK);
    OK(text_is(text, "{\"content\":[{\"key\":\"a\",\"hash\":\"h\"},"
                     "{\"key\":\"ab\",\"hash\":\"h\"},"
                     "{\"key\":\"\xed\x9f\xbf\",\"hash\":\"h\"},"
                     "{\"key\":\"\xf0\x9f\x98\x80\",\"hash\":\"h\"},"
                     "{\"key\":\"\xef\xbd\x81\",\"hash\":\"h\"}]}"));
    arena_fini(&arena);
}

static void check_metadata(const json_t *row)
{
    const json_t *names = vectors_get(row, "keys");
    char *metadata = json_dumps(vectors_get(row, "metadata"), JSON_INDENT(3));
    uint8_t hash[KECCAK_SIZE], wanted[KECCAK_SIZE];
    struct text keys[ITEMS];

    for (size_t i = 0; i < json_array_size(names); i++)
        keys[i] = text_of(json_string_value(json_array_get(names, i)));
    OK(entity_metadata_hash(text_of(metadata), keys, json_array_size(names), hash,
                            NULL) == LL_OK);
    OK(hex_decode(vectors_text(row, "keccak256"), wanted, sizeof(wanted)));
    OK(memcmp(hash, wanted, sizeof(hash)) == 0);
    free(metadata);
}

static void the_hash_of_metadata_is_theirs(void)
{
    json_t *vectors = vectors_load("cid.json");
    const json_t *rows = vectors_get(vectors, "keccakMetadata");
    uint8_t hash[KECCAK_SIZE];

    OK(json_array_size(rows) > 0);
    for (size_t i = 0; i < json_array_size(rows); i++)
        check_metadata(json_array_get(rows, i));
    OK(entity_metadata_hash(TEXT("[]"), NULL, 0, hash, NULL) == LL_EINVAL);
    json_decref(vectors);
}

static void every_proof_leads_to_its_root(void)
{
    json_t *vectors = vectors_load("merkle.json");
    const json_t *rows = vectors_get(vectors, "proofs");

    OK(json_array_size(rows) > 20);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        struct text root = vectors_text(row, "root");
        uint8_t wanted[KECCAK_SIZE], got[KECCAK_SIZE];

        OK(hex_decode((struct text){root.ptr + 2, root.len - 2}, wanted, sizeof(wanted)));
        OK(merkle_root(row, got) && memcmp(got, wanted, sizeof(got)) == 0);
        json_object_set_new(row, "index", json_integer(1000));
        OK(merkle_root(row, got) && memcmp(got, wanted, sizeof(got)) != 0);
    }
    json_decref(vectors);
}

static void what_is_no_proof_has_no_root(void)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "{\"proof\":[],\"index\":-1,\"entityHash\":\"a\"}",
        "{\"proof\":[],\"index\":0.5,\"entityHash\":\"a\"}",
        "{\"proof\":[],\"index\":1e300,\"entityHash\":\"a\"}",
        "{\"proof\":[],\"index\":\"0\",\"entityHash\":\"a\"}",
        "{\"proof\":[],\"index\":0}",
        "{\"proof\":{},\"index\":0,\"entityHash\":\"a\"}",
        "{\"proof\":[\"0x12\"],\"index\":0,\"entityHash\":\"a\"}",
        "{\"proof\":[5],\"index\":0,\"entityHash\":\"a\"}",
    };
    uint8_t root[KECCAK_SIZE];

    for (size_t i = 0; i < LL_LENGTH(texts); i++) {
        json_t *proof;

        OK(json_parse(text_of(texts[i]), JSON_DEPTH, &proof, NULL) == LL_OK);
        OK(!merkle_root(proof, root));
        json_decref(proof);
    }
    OK(!merkle_root(NULL, root));
}

int main(void)
{
    RUN(the_text_of_an_item_is_theirs);
    RUN(files_are_sorted_as_javascript_sorts);
    RUN(the_hash_of_metadata_is_theirs);
    RUN(every_proof_leads_to_its_root);
    RUN(what_is_no_proof_has_no_root);
    return t_done();
}
