/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* query_list.c - lists among the parameters of a query; see http.h. */
#include "core/http/request.h"

#include <string.h>

/* `name`, `name[]` or `name[7]`. */
static bool is_of_list(struct text key, struct text name)
{
    if (key.len < name.len || memcmp(key.ptr, name.ptr, name.len) != 0) return false;
    if (key.len == name.len) return true;
    if (key.len < name.len + 2 || key.ptr[name.len] != '[' || key.ptr[key.len - 1] != ']')
        return false;
    for (size_t i = name.len + 1; i < key.len - 1; i++)
        if (key.ptr[i] < '0' || key.ptr[i] > '9') return false;
    return true;
}

struct text *http_query_list(struct http_request *r, const char *name, size_t *n)
{
    struct text query = r->url.query, key, value;
    size_t room = 1;
    struct text *out;

    for (size_t i = 0; i < query.len; i++) room += query.ptr[i] == '&';
    out = arena_calloc(&r->arena, room, sizeof(*out));
    *n = 0;
    while (url_next_parameter(&query, &key, &value)) {
        struct text decoded;

        if (url_decode(key, true, &r->arena, &decoded, NULL) == LL_OK &&
            is_of_list(decoded, text_of(name)) &&
            url_decode(value, true, &r->arena, &out[*n], NULL) == LL_OK)
            ++*n;
    }
    return out;
}
