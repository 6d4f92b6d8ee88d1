/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* url_fuzz.c - a request target and its query: what is accepted lies within the target,
 * decodes to UTF-8 text without NUL, and decodes as what the bytes say one by one. */
#include "core/http/url.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_within(struct text part, struct text whole)
{
    return part.len == 0 ||
           (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_decoded(struct text encoded, bool plus, struct arena *arena)
{
    struct text out = {0}, again = {0};
    struct builder b;
    size_t escapes = 0;

    for (size_t i = 0; i < encoded.len; i++) escapes += encoded.ptr[i] == '%';
    if (url_decode(encoded, plus, arena, &out, NULL) != LL_OK) {
        LL_CHECK(escapes > 0 || !text_is_utf8(encoded));
        return;
    }
    LL_CHECK(text_is_utf8(out) && out.len == encoded.len - 2 * escapes);
    LL_CHECK(out.ptr[out.len] == '\0' && memchr(out.ptr, '\0', out.len + 1) != NULL);

    /* All of it escaped comes out the same. */
    builder_init(&b, 3 * out.len);
    for (size_t i = 0; i < out.len; i++) {
        builder_char(&b, '%');
        builder_hex(&b, out.ptr + i, 1);
    }
    LL_CHECK(!b.full && url_decode(builder_view(&b), plus, arena, &again, NULL) == LL_OK);
    LL_CHECK(text_equal(out, again));
    builder_fini(&b);
}

static void check_query(struct text query, struct arena *arena)
{
    struct text rest = query, name, value;
    size_t taken = 0;

    while (url_next_parameter(&rest, &name, &value)) {
        LL_CHECK(is_within(name, query) && is_within(value, query));
        LL_CHECK(memchr(name.ptr, '&', name.len) == NULL);
        LL_CHECK(memchr(name.ptr, '=', name.len) == NULL);
        LL_CHECK(value.len == 0 || memchr(value.ptr, '&', value.len) == NULL);
        taken += name.len + value.len;
        check_decoded(name, true, arena);
        check_decoded(value, true, arena);
    }
    LL_CHECK(rest.len == 0 && taken <= query.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct text target = {(const char *)data, len};
    struct arena arena;
    struct url url;

    arena_init(&arena, 64 * 1024 * 1024);
    if (url_parse(target, &url, NULL) == LL_OK) {
        LL_CHECK(url.path.len > 0 && url.path.ptr[0] == '/');
        LL_CHECK(is_within(url.path, target) && is_within(url.query, target));
        LL_CHECK(memchr(url.path.ptr, '?', url.path.len) == NULL);
        check_decoded(url.path, false, &arena);
        check_query(url.query, &arena);
    }
    check_query(target, &arena); /* as of a form's body, which may hold any byte */
    arena_fini(&arena);
    return 0;
}
