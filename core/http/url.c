/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* url.c - see url.h. */
#include "core/http/url.h"

#include <string.h>

static bool skip_authority(struct text *t)
{
    const char *slash;

    if (text_starts_with(*t, "http://"))
        t->ptr += 7, t->len -= 7;
    else if (text_starts_with(*t, "https://"))
        t->ptr += 8, t->len -= 8;
    else
        return false;
    slash = t->len ? memchr(t->ptr, '/', t->len) : NULL;
    if (slash == NULL || slash == t->ptr) return false;
    t->len -= (size_t)(slash - t->ptr);
    t->ptr = slash;
    return true;
}

ll_rc url_parse(struct text target, struct url *out, struct ll_error *err)
{
    struct text rest = target;

    *out = (struct url){.query = TEXT("")};
    for (size_t i = 0; i < target.len; i++)
        if (target.ptr[i] <= ' ' || target.ptr[i] >= 0x7f)
            return ll_fail(err, LL_EINVAL,
                           "the request target has a byte that none may have");
    if (target.len == 0 || (target.ptr[0] != '/' && !skip_authority(&rest)))
        return ll_fail(err, LL_EINVAL, "the request target is not a path");
    text_cut(&rest, '#', &target);
    rest = target;
    if (text_cut(&rest, '?', &out->path)) out->query = rest;
    return LL_OK;
}

ll_rc url_decode(struct text encoded, bool plus, struct arena *arena, struct text *out,
                 struct ll_error *err)
{
    char *to = arena_alloc(arena, encoded.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < encoded.len; i++) {
        char c = encoded.ptr[i];

        if (c == '%') {
            struct text digits = {encoded.ptr + i + 1, 2};

            if (encoded.len - i < 3 || !hex_decode(digits, &c, 1))
                return ll_fail(err, LL_EINVAL, "broken percent-encoding in \"%.*s\"",
                               (int)(encoded.len > 64 ? 64 : encoded.len), encoded.ptr);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        to[n++] = c;
    }
    to[n] = '\0';
    *out = (struct text){to, n};
    if (text_is_utf8(*out)) return LL_OK;
    return ll_fail(err, LL_EINVAL, "what is percent-encoded is not UTF-8 text");
}

bool url_next_parameter(struct text *query, struct text *name, struct text *value)
{
    struct text pair;

    while (query->len > 0) {
        text_cut(query, '&', &pair);
        if (pair.len == 0) continue;
        text_cut(&pair, '=', name);
        *value = pair;
        return true;
    }
    return false;
}
