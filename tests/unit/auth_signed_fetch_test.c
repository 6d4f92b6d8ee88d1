/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* auth_signed_fetch_test.c - requests against the vectors (dualVerifier where it is
 * given, else currentVerifier), and what the vectors do not have. */
#include "core/auth/identity.h"
#include "core/auth/signed_fetch.h"
#include "t.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

static json_t *vectors;
static struct arena arena;

static bool json_header(const void *context, const char *name, struct text *value)
{
    return json_member_text(context, name, value);
}

/* The contract wallets of the vectors have nobody to ask. */
static void answer_alone(struct signed_fetch *f)
{
    const struct contract_wallet nobody = {.rpc = "", .catalyst = ""};
    struct contract_answer answer;

    if (f->state != SIGNED_FETCH_ASK) return;
    contract_wallet_check(&nobody, &f->chain, &f->verdict, f->payload, f->now_ms,
                          &answer);
    signed_fetch_answer(f, &answer, NULL, &arena);
}

static void payloads_are_built_in_both_forms(void)
{
    json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors_get(vectors, "signedFetch"), "payloads"), i,
                       row)
    {
        static const char *const forms[] = {"current", "legacy"};

        for (int legacy = 0; legacy < 2; legacy++) {
            const json_t *form = vectors_get(row, forms[legacy]);
            struct builder b;

            builder_init(&b, 10000);
            signed_fetch_payload(vectors_text(row, "method"), vectors_text(row, "path"),
                                 vectors_text(row, "timestamp"),
                                 vectors_text(row, "metadataHeader"), legacy, &b);
            OK(text_equal(builder_view(&b), vectors_text(form, "payload")));
            builder_fini(&b);
        }
    }
}

static void take_keys(const json_t *list, const char *keys[8])
{
    json_t *key;
    size_t i;

    json_array_foreach(list, i, key) keys[i] = json_string_value(key);
    keys[i] = NULL;
}

static void check_request(const json_t *row, struct link_cache *cache)
{
    const json_t *declared = json_object_get(row, "canonicalMetadataKeys");
    const json_t *expect = vectors_get(
        row, vectors_has(row, "dualVerifier") ? "dualVerifier" : "currentVerifier");
    const char *keys[8];
    struct signed_fetch_request in = {.method = vectors_text(row, "method"),
                                      .path = vectors_text(row, "path"),
                                      .header = json_header,
                                      .context = vectors_get(row, "headers"),
                                      .now_ms =
                                          json_integer_value(vectors_get(row, "now"))};
    struct signed_fetch_rules rules = {.window_ms = SIGNED_FETCH_WINDOW_MS,
                                       .metadata_keys = declared != NULL ? keys : NULL};
    struct signed_fetch f;
    struct text words;
    int status = (int)json_integer_value(vectors_get(expect, "status"));

    take_keys(declared, keys);
    signed_fetch_check(&f, &in, &rules, cache, &arena);
    answer_alone(&f);
    if (f.status != status)
        printf("request \"%s\": %d %.*s\n", vectors_text(row, "name").ptr, f.status,
               TEXT_ARGS(f.message));
    OK(f.status == status);
    if (json_member_text(expect, "auth", &words))
        OK(text_equal(words, f.address) && f.state == SIGNED_FETCH_OK);
    /* What follows is the JSON parser's or the network's own. */
    if (json_member_text(expect, "message", &words)) {
        if (text_starts_with(words, "Invalid chain format: Expected"))
            OK(text_starts_with(f.message, "Invalid chain format: "));
        else if (status == 503)
            OK(text_starts_with(f.message, "Error connecting to catalyst \""));
        else
            OK(text_equal(words, f.message));
    }
    signed_fetch_fini(&f);
    arena_reset(&arena);
}

static void requests_have_the_verdicts_of_the_vectors(void)
{
    struct link_cache *cache = link_cache_new(2);
    json_t *row;
    size_t i;

    for (int round = 0; round < 3; round++)
        json_array_foreach(vectors_get(vectors_get(vectors, "signedFetch"), "requests"),
                           i, row) check_request(row, round > 0 ? cache : NULL);
    link_cache_free(cache);
}

static void bodies_are_hashed(void)
{
    json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors_get(vectors, "signedFetch"), "bodyHash"), i,
                       row)
    {
        char hash[65];

        signed_fetch_body_hash(vectors_text(row, "body"), hash);
        OK(text_is(vectors_text(row, "hashPayload"), hash));
    }
}

/* ---- requests of our own making ---- */

enum { NOW = 1768478400 };

static const int64_t now_ms = NOW * INT64_C(1000);
static struct ethereum_key owner;
static struct identity identity;

static void add_header(void *context, const char *name, struct text value)
{
    json_object_set_new(context, name, json_stringn_nocheck(value.ptr, value.len));
}

static void make_identity(void)
{
    OK(ethereum_key_parse(TEXT("0x1111111111111111111111111111111111111111111111111111111"
                               "111111111"),
                          &owner, NULL) == LL_OK);
    identity_new(&identity, &owner, now_ms + 3600 * 1000);
}

static json_t *signed_headers(struct text metadata)
{
    json_t *headers = json_object();

    identity_sign_request(&identity, TEXT("POST"), TEXT("/a"), now_ms, metadata,
                          add_header, headers);
    return headers;
}

/* Changes the headers' owner: frees them. */
static void check_headers(struct signed_fetch *f, json_t *headers,
                          const struct signed_fetch_rules *rules)
{
    struct signed_fetch_request in = {.method = TEXT("POST"),
                                      .path = TEXT("/a"),
                                      .header = json_header,
                                      .context = headers,
                                      .now_ms = now_ms};

    signed_fetch_check(f, &in, rules, NULL, &arena);
    json_decref(headers);
}

static const char *const keys[] = {"signer", "intent", "realm.serverName", "list.name",
                                   NULL};
static const struct signed_fetch_rules dual = {.window_ms = SIGNED_FETCH_WINDOW_MS,
                                               .metadata_keys = keys};

static void an_identity_is_accepted(void)
{
    struct signed_fetch f;

    check_headers(&f, signed_headers(TEXT("{\"signer\":\"dcl:Explorer\"}")), &dual);
    OK(f.state == SIGNED_FETCH_OK && f.status == 200);
    OK(text_is(f.address, "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"));
    OK(text_is(f.signer, "dcl:Explorer"));
    OK(f.timestamp == now_ms);
    OK(text_is(f.payload, "post:/a:1768478400000:{\"signer\":\"dcl:Explorer\"}"));
    OK(json_object_size(f.metadata) == 1);
    signed_fetch_fini(&f);
}

/* As a client of the older form would: the same links, the last one signed anew. */
static json_t *legacy_headers(const char *metadata)
{
    json_t *headers = signed_headers(text_of(metadata));
    char signature[ETHEREUM_SIGNATURE_TEXT], *link;
    struct builder b;

    builder_init(&b, 10000);
    signed_fetch_payload(TEXT("POST"), TEXT("/a"), TEXT("1768478400000"),
                         text_of(metadata), true, &b);
    ethereum_personal_sign(&identity.ephemeral, builder_view(&b), signature);
    json_t *json = json_pack("{s:s,s:s,s:s}", "type", "ECDSA_SIGNED_ENTITY", "payload",
                             builder_view(&b).ptr, "signature", signature);
    link = json_dumps(json, JSON_COMPACT);
    json_object_set_new(headers, "x-identity-auth-chain-2", json_string(link));
    free(link);
    json_decref(json);
    builder_fini(&b);
    return headers;
}

static void the_older_form_is_guarded(void)
{
    static const struct {
        const char *metadata;
        const char *message; /* NULL: accepted */
    } rows[] = {
        {"{\"signer\":\"A\"}", NULL},
        {"{\"Other\":\"A\"}", NULL},
        {"{\"realm\":{\"serverName\":\"A\",\"Other\":1}}", NULL},
        {"{\"realm\":\"A\"}", NULL},
        {"{\"list\":[{\"name\":\"A\"},{\"other\":1},3]}", NULL},
        {"{\"SIGNER\":\"a\"}", "expected \"signer\", got \"SIGNER\""},
        {"{\"Realm\":{\"serverName\":\"a\"}}", "expected \"realm\", got \"Realm\""},
        {"{\"realm\":{\"servername\":\"A\"}}",
         "expected \"serverName\", got \"servername\""},
        {"{\"list\":[{\"name\":1},{\"Name\":2}]}", "expected \"name\", got \"Name\""},
        {"{\"list\":[[{\"NAME\":1}]]}", "expected \"name\", got \"NAME\""},
        {"{\"intent\":1,\"Intent\":2,\"INTENT\":3}",
         "\"intent\" delivered under 3 spellings"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        struct signed_fetch f;

        check_headers(&f, legacy_headers(rows[i].metadata), &dual);
        if (rows[i].message == NULL) {
            OK(f.state == SIGNED_FETCH_OK);
        } else {
            OK(f.status == 400);
            OK(text_starts_with(f.message, "Invalid chain metadata: "));
            OK(strcmp(f.message.ptr + 24, rows[i].message) == 0);
        }
        signed_fetch_fini(&f);
    }
}

static void without_declared_keys_only_the_current_form_passes(void)
{
    const struct signed_fetch_rules current = {.window_ms = SIGNED_FETCH_WINDOW_MS};
    struct signed_fetch f;

    check_headers(&f, legacy_headers("{\"signer\":\"A\"}"), &current);
    OK(f.status == 401);
    signed_fetch_fini(&f);
}

static bool refuses_scenes(const json_t *metadata)
{
    return !signed_fetch_may_be_signer(metadata, "decentraland-kernel-scene");
}

static void a_metadata_rule_answers_before_the_signature(void)
{
    const struct signed_fetch_rules rules = {.window_ms = SIGNED_FETCH_WINDOW_MS,
                                             .accepts_metadata = refuses_scenes};
    struct signed_fetch f;
    json_t *headers = signed_headers(TEXT(
        "{\"z\":1,\"signer\":\"decentraland-kernel-scene\",\"text\":\"12345678901\"}"));

    json_object_set_new(
        headers, "x-identity-auth-chain-2",
        json_string("{\"type\":\"x\",\"payload\":\"\",\"signature\":\"\"}"));
    check_headers(&f, headers, &rules);
    OK(f.status == 400);
    OK(text_is(f.message, "Invalid metadata content: {\"z\":1,\"signer\":\"decentraland-"
                          "kernel-scene\",\"text\":\"12345678901\"\xe2\x80\xa6"));
    signed_fetch_fini(&f);
}

static void whoever_may_be_a_signer_is_found(void)
{
    static const char *const scenes[] = {
        "{\"signer\":\"a-k-scene\"}",
        "{\"signer\":\" a-k-scene\"}",
        "{\"signer\":\"A-K-Scene\\n\"}",
        "{\"signer\":\"\\u00a0a-k-scene\\u2003\\ufeff\"}",
        "{\"signer\":\"a-\\u212a-scene\"}",
        "{\"Signer\":\"anybody\"}",
        "{\"signer\":\"anybody\",\"SIGNER\":1}",
    };
    static const char *const others[] = {
        "{}",
        "{\"signer\":\"a-k-scenes\"}",
        "{\"signer\":\"a-k-scen\"}",
        "{\"signer\":1}",
        "{\"signer\":\"\"}",
        "{\"other\":\"a-k-scene\"}",
        "{\"signer\":\"\\u00a0\"}",
    };

    for (size_t i = 0; i < LL_LENGTH(scenes) + LL_LENGTH(others); i++) {
        bool is_scene = i < LL_LENGTH(scenes);
        json_t *json =
            json_loads(is_scene ? scenes[i] : others[i - LL_LENGTH(scenes)], 0, NULL);

        OK(json != NULL && signed_fetch_may_be_signer(json, "a-k-scene") == is_scene);
        json_decref(json);
    }
}

static void odd_headers_are_refused(void)
{
    static const struct {
        const char *name, *value, *message;
        int status;
    } rows[] = {
        {"x-identity-auth-chain-1", "", "Invalid Auth Chain", 400},
        {"x-identity-auth-chain-1", "[]",
         "Invalid chain format: malformed auth link at position 1", 400},
        {"x-identity-auth-chain-1", "null",
         "Invalid chain format: malformed auth link at position 1", 400},
        {"x-identity-auth-chain-2", "{\"type\":\"a\",\"payload\":1,\"signature\":\"\"}",
         "Invalid chain format: malformed auth link at position 2", 400},
        {"x-identity-auth-chain-0", "{\"type\":\"a\",\"type\":\"a\"}", NULL, 400},
        {"x-identity-auth-chain-0", "{\"a\":\"\\u0000\"}", NULL, 400},
        {"x-identity-auth-chain-10", "x", "Auth chain exceeds maximum length of 10", 400},
        {"x-identity-timestamp", "", NULL, 401},
        {"x-identity-timestamp", "NaN", "Invalid chain timestamp: NaN", 400},
        {"x-identity-timestamp", "Infinity", "Invalid chain timestamp: Infinity", 400},
        {"x-identity-timestamp", "1e999", "Invalid chain timestamp: 1e999", 400},
        {"x-identity-timestamp", "1e300", NULL, 401},
        {"x-identity-timestamp", "-1", NULL, 401},
        {"x-identity-timestamp", "1768478400000x",
         "Invalid chain timestamp: 1768478400000x", 400},
        {"x-identity-timestamp",
         "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbccccdd",
         "Invalid chain timestamp: "
         "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbb"
         "bbbcccc\xe2\x80\xa6",
         400},
        {"x-identity-metadata", "\"a\"", "Invalid chain metadata: \"\"a\"\"", 400},
        {"x-identity-metadata", "7", "Invalid chain metadata: \"7\"", 400},
        {"x-identity-metadata", "{\"a\":1,\"a\":2}", NULL, 400},
        {"x-identity-metadata", "{\"a\":\xff}",
         "Invalid chain metadata: \"{\"a\":\xc3\xbf}\"", 400},
        {"x-identity-metadata", "{} ", NULL, 401},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        json_t *headers = signed_headers(TEXT("{}"));
        struct signed_fetch f;

        json_object_set_new(headers, rows[i].name, json_string_nocheck(rows[i].value));
        check_headers(&f, headers, &dual);
        if (f.status != rows[i].status) printf("%zu: %s\n", i, f.message.ptr);
        OK(f.state == SIGNED_FETCH_REFUSED && f.status == rows[i].status);
        if (rows[i].message != NULL) OK(text_is(f.message, rows[i].message));
        signed_fetch_fini(&f);
    }
}

static void headers_that_are_too_large_are_refused(void)
{
    static const char *const names[] = {"x-identity-auth-chain-3", "x-identity-timestamp",
                                        "x-identity-metadata"};
    char *large = ll_malloc(SIGNED_FETCH_BYTES + 1);

    memset(large, '1', SIGNED_FETCH_BYTES);
    large[SIGNED_FETCH_BYTES] = '\0';
    for (size_t i = 0; i < LL_LENGTH(names); i++) {
        json_t *headers = signed_headers(TEXT("{}"));
        struct signed_fetch f;

        json_object_set_new(headers, names[i], json_string(large));
        check_headers(&f, headers, &dual);
        OK(f.status == 400);
        OK(text_is(f.message,
                   "Invalid chain format: the headers are larger than 65536 bytes"));
        signed_fetch_fini(&f);
    }
    free(large);
}

static void metadata_that_is_nested_deep_is_refused(void)
{
    struct builder b;
    struct signed_fetch f;

    builder_init(&b, 10000);
    for (int i = 0; i < 2000; i++) builder_string(&b, "{\"a\":");
    check_headers(&f, signed_headers(builder_view(&b)), &dual);
    OK(f.status == 400 && text_starts_with(f.message, "Invalid chain metadata: "));
    signed_fetch_fini(&f);
    builder_fini(&b);
}

/* Browsers and Node put U+00E9 into a header as the byte E9, and sign its UTF-8. */
static json_t *as_latin1(json_t *headers)
{
    json_t *out = json_object(), *value;
    const char *name;

    json_object_foreach(headers, name, value)
    {
        const char *s = json_string_value(value);
        struct builder b;

        builder_init(&b, 10000);
        for (; *s != '\0'; s++)
            if ((unsigned char)*s < 0x80)
                builder_char(&b, *s);
            else
                builder_char(&b, (char)((s[0] & 3) << 6 | (s[1] & 0x3f))), s++;
        json_object_set_new(out, name, json_stringn_nocheck(builder_view(&b).ptr, b.len));
        builder_fini(&b);
    }
    json_decref(headers);
    return out;
}

static void letters_beyond_ascii_pass_in_both_encodings(void)
{
    struct text metadata = TEXT("{\"name\":\"\xc3\x89l\xc3\xa8ve\"}");
    struct signed_fetch f;

    for (int latin1 = 0; latin1 < 2; latin1++)
        for (int legacy = 0; legacy < 2; legacy++) {
            json_t *headers =
                legacy ? legacy_headers(metadata.ptr) : signed_headers(metadata);

            check_headers(&f, latin1 ? as_latin1(headers) : headers, &dual);
            OK(f.state == SIGNED_FETCH_OK);
            signed_fetch_fini(&f);
        }
}

static void a_cached_delegation_helps_nobody_else(void)
{
    struct link_cache *cache = link_cache_new(10);
    struct signed_fetch_request in = {.method = TEXT("POST"),
                                      .path = TEXT("/a"),
                                      .header = json_header,
                                      .now_ms = now_ms};
    struct signed_fetch f;
    json_t *headers = signed_headers(TEXT("{}"));

    in.context = headers;
    signed_fetch_check(&f, &in, &dual, cache, &arena);
    OK(f.state == SIGNED_FETCH_OK);
    signed_fetch_fini(&f);

    json_object_set_new(
        headers, "x-identity-auth-chain-0",
        json_string(
            "{\"type\":\"SIGNER\",\"payload\":\"0x7564105E977516C53bE337314c7E53838967"
            "bDaC\",\"signature\":\"\"}"));
    signed_fetch_check(&f, &in, &dual, cache, &arena);
    OK(f.status == 401);
    signed_fetch_fini(&f);

    json_decref(headers);
    headers = signed_headers(TEXT("{}"));
    in.context = headers;
    in.now_ms = identity.expiration;
    in.now_ms -= 1;
    signed_fetch_check(&f, &in, &dual, cache, &arena);
    OK(f.status == 401 && text_starts_with(f.message, "Expired signature"));
    signed_fetch_fini(&f);
    json_decref(headers);
    link_cache_free(cache);
}

static int status_at(struct link_cache *cache, json_t *headers, int64_t at_ms,
                     const char *message)
{
    struct signed_fetch_request in = {.method = TEXT("POST"),
                                      .path = TEXT("/a"),
                                      .header = json_header,
                                      .context = headers,
                                      .now_ms = at_ms};
    struct signed_fetch f;
    int status;

    signed_fetch_check(&f, &in, &dual, cache, &arena);
    status = f.status;
    if (message != NULL && strstr(f.message.ptr, message) == NULL)
        printf("%s\n", f.message.ptr);
    OK(message == NULL || strstr(f.message.ptr, message) != NULL);
    signed_fetch_fini(&f);
    return status;
}

static void a_remembered_delegation_ends_when_it_says(void)
{
    struct link_cache *cache = link_cache_new(10);
    json_t *headers = json_object();

    identity_sign_request(&identity, TEXT("POST"), TEXT("/a"), identity.expiration - 10,
                          TEXT("{}"), add_header, headers);
    OK(status_at(cache, headers, identity.expiration - 10, NULL) == 200);
    OK(status_at(cache, headers, identity.expiration - 1, NULL) == 200);
    OK(status_at(cache, headers, identity.expiration, "Ephemeral key expired") == 401);
    json_decref(headers);
    link_cache_free(cache);
}

static void a_remembered_delegation_does_not_cover_what_follows(void)
{
    static const char signer[] =
        "{\"type\":\"SIGNER\",\"payload\":\"0x1563915e194D8CfBA1943570"
        "603F7606A3115508\",\"signature\":\"\"}";
    struct link_cache *cache = link_cache_new(10);
    json_t *headers = signed_headers(TEXT("{}"));

    OK(status_at(cache, headers, now_ms, NULL) == 200);
    json_object_set_new(headers, "x-identity-auth-chain-2", json_string(signer));
    OK(status_at(cache, headers, now_ms, "Malformed authChain") == 401);
    json_object_set_new(headers, "x-identity-auth-chain-2", json_string("{\"a\":"));
    OK(status_at(cache, headers, now_ms, "Invalid chain format: ") == 400);
    json_object_set_new(headers, "x-identity-auth-chain-2", json_string("{}"));
    OK(status_at(cache, headers, now_ms, "malformed auth link at position 2") == 400);
    json_object_del(headers, "x-identity-auth-chain-2");
    OK(status_at(cache, headers, now_ms, "Invalid final authority") == 401);
    json_decref(headers);
    link_cache_free(cache);
}

static void identities_travel_as_json(void)
{
    json_t *given = vectors_get(vectors, "identity"), *json;
    struct identity i, copy;
    struct ll_error err;
    char *text;

    OK(identity_from_json(given, &i, &err) == LL_OK);
    json = identity_to_json(&i);
    OK(json_equal(json, given));
    json_decref(json);

    json = identity_to_json(&identity);
    OK(identity_from_json(json, &copy, &err) == LL_OK);
    OK(ethereum_address_equal(&copy.owner, &identity.owner));
    OK(memcmp(copy.ephemeral.secret, identity.ephemeral.secret, 32) == 0);
    OK(copy.expiration == identity.expiration);
    OK(strcmp(copy.payload, identity.payload) == 0);
    OK(strcmp(copy.signature, identity.signature) == 0);
    json_object_set_new(json, "expiration", json_string("2031-01-01T00:00:00.000Z"));
    OK(identity_from_json(json, &copy, &err) == LL_EINVAL);
    json_object_del(json, "authChain");
    OK(identity_from_json(json, &copy, &err) == LL_EINVAL);
    text = json_dumps(json, 0);
    OK(text != NULL && identity_from_json(NULL, &copy, &err) == LL_EINVAL);
    free(text);
    json_decref(json);
}

int main(void)
{
    vectors = vectors_load("auth-chain.json");
    arena_init(&arena, 16 << 20);
    make_identity();
    RUN(payloads_are_built_in_both_forms);
    RUN(requests_have_the_verdicts_of_the_vectors);
    RUN(bodies_are_hashed);
    RUN(an_identity_is_accepted);
    RUN(the_older_form_is_guarded);
    RUN(without_declared_keys_only_the_current_form_passes);
    RUN(a_metadata_rule_answers_before_the_signature);
    RUN(whoever_may_be_a_signer_is_found);
    RUN(odd_headers_are_refused);
    RUN(headers_that_are_too_large_are_refused);
    RUN(metadata_that_is_nested_deep_is_refused);
    RUN(letters_beyond_ascii_pass_in_both_encodings);
    RUN(a_cached_delegation_helps_nobody_else);
    RUN(a_remembered_delegation_ends_when_it_says);
    RUN(a_remembered_delegation_does_not_cover_what_follows);
    RUN(identities_travel_as_json);
    arena_fini(&arena);
    json_decref(vectors);
    return t_done();
}
