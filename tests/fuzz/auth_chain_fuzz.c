/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* auth_chain_fuzz.c - any JSON as a chain: nothing but a chain with the right keys behind
 * it verifies, a cache changes no verdict, and what verifies ends where it says.
 */
#include "core/auth/contract_wallet.h"
#include "core/auth/iso_date.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ARENA = 8 << 20 };

static const int64_t date = INT64_C(1768478400000);

static void check_payloads(const struct auth_chain *chain, struct arena *arena)
{
    for (size_t i = 0; i < chain->count; i++) {
        struct ephemeral_payload p;
        struct ll_error err;

        if (ephemeral_payload_parse(chain->links[i].payload, arena, &p, &err) != LL_OK)
            continue;
        LL_CHECK(p.message.len <= chain->links[i].payload.len);
        LL_CHECK(p.expiration >= -8640000000000000 && p.expiration <= 8640000000000000);
    }
}

static void check_verdict(const struct auth_chain *chain, const struct auth_verdict *v)
{
    const struct auth_link *last = &chain->links[chain->count - 1];

    if (!v->ok) {
        LL_CHECK(text_starts_with(v->message, "ERROR"));
        return;
    }
    LL_CHECK(chain->count >= 2 && chain->links[0].type == AUTH_SIGNER);
    if (last->type == AUTH_ENTITY || last->type == AUTH_CONTRACT_ENTITY)
        LL_CHECK(text_equal(v->authority, last->payload));
    for (size_t i = 0; i < v->question_count; i++) {
        struct builder b;
        uint8_t hash[KECCAK_SIZE] = {0};

        builder_init(&b, 1 << 20);
        contract_call_data(hash, v->questions[i].link->signature, &b);
        LL_CHECK(!b.full && v->questions[i].authority.len == 42);
        builder_fini(&b);
    }
}

static void check_chain(const struct auth_chain *chain)
{
    struct link_cache *cache = link_cache_new(2);
    struct auth_verdict cold, warm;
    struct builder body;
    struct arena arena;
    json_t *json;

    arena_init(&arena, ARENA);
    check_payloads(chain, &arena);
    auth_chain_walk(chain, date, NULL, &arena, &cold);
    check_verdict(chain, &cold);
    for (int round = 0; round < 2; round++) {
        auth_chain_walk(chain, date, cache, &arena, &warm);
        LL_CHECK(warm.ok == cold.ok && text_equal(warm.message, cold.message));
        LL_CHECK(warm.question_count == cold.question_count);
    }
    builder_init(&body, 8 << 20);
    contract_catalyst_body(chain, cold.authority, &body);
    LL_CHECK(json_parse(builder_view(&body), JSON_DEPTH, &json, NULL) == LL_OK);
    LL_CHECK(json_array_size(json_object_get(json, "authChain")) == chain->count);
    json_decref(json);
    builder_fini(&body);
    arena_fini(&arena);
    link_cache_free(cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct text t = {(const char *)data, len};
    struct auth_chain chain;
    struct ll_error err;
    json_t *json;
    int64_t ms;

    (void)iso_date_parse(t, &ms);
    if (json_parse(t, JSON_DEPTH, &json, &err) != LL_OK) return 0;
    if (auth_chain_parse(json, &chain, &err) == LL_OK && chain.count > 0)
        check_chain(&chain);
    else
        LL_CHECK(!auth_chain_is_valid_schema(json));
    json_decref(json);
    return 0;
}
