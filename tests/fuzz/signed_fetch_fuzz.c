/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* signed_fetch_fuzz.c - a request as lines: method, path, then one "name:value" a line
 * (names without their "x-identity-"). Whatever is answered is an answer of the contract,
 * in UTF-8, and a cache does not change it.
 */
#include "core/auth/signed_fetch.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ARENA = 16 * SIGNED_FETCH_BYTES + 64 * 1024, START = sizeof("x-identity-") - 1 };

static bool find_line(const void *context, const char *name, struct text *value)
{
    struct text rest = *(const struct text *)context;

    while (rest.len > 0) {
        struct text line, key;

        text_cut(&rest, '\n', &line);
        if (!text_cut(&line, ':', &key) || !text_is(key, name + START)) continue;
        *value = line;
        return true;
    }
    return false;
}

static bool refuses_scenes(const json_t *metadata)
{
    return !signed_fetch_may_be_signer(metadata, "decentraland-kernel-scene");
}

static void check_answer(const struct signed_fetch *f)
{
    LL_CHECK(f->status == 200 || f->status == 400 || f->status == 401);
    LL_CHECK((f->status == 200) == (f->state != SIGNED_FETCH_REFUSED));
    LL_CHECK(text_is_utf8(f->message));
    if (f->state == SIGNED_FETCH_REFUSED) {
        LL_CHECK(f->message.len > 0);
        return;
    }
    LL_CHECK(f->address.len == 42 && json_is_object(f->metadata));
    LL_CHECK(text_is_utf8(f->payload) && f->payload.len > 0);
    LL_CHECK((f->state == SIGNED_FETCH_ASK) == (f->verdict.question_count > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const keys[] = {"signer", "realm.serverName", "list.a.b", NULL};
    const struct signed_fetch_rules rules = {.window_ms = SIGNED_FETCH_WINDOW_MS,
                                             .metadata_keys = keys,
                                             .accepts_metadata = refuses_scenes};
    struct text rest = {(const char *)data, len};
    struct signed_fetch_request in = {
        .header = find_line, .context = &rest, .now_ms = INT64_C(1768478400000)};
    struct link_cache *cache = link_cache_new(2);
    struct signed_fetch cold, warm;
    struct arena arena, first;

    text_cut(&rest, '\n', &in.method);
    text_cut(&rest, '\n', &in.path);
    if (in.method.len + in.path.len > 4096) in.path.len = in.method.len = 0;
    arena_init(&arena, ARENA);
    arena_init(&first, ARENA);
    signed_fetch_check(&cold, &in, &rules, NULL, &first);
    check_answer(&cold);
    for (int round = 0; round < 2; round++) {
        arena_reset(&arena);
        signed_fetch_check(&warm, &in, &rules, cache, &arena);
        check_answer(&warm);
        LL_CHECK(warm.state == cold.state && warm.status == cold.status);
        LL_CHECK(text_equal(warm.message, cold.message));
        LL_CHECK(text_equal(warm.address, cold.address));
        signed_fetch_fini(&warm);
    }
    signed_fetch_fini(&cold);
    arena_fini(&arena);
    arena_fini(&first);
    link_cache_free(cache);
    return 0;
}
