/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json.c - see json.h. */
#include "core/base/json.h"

#include <string.h>

bool json_depth_is_within(struct text t, unsigned depth)
{
    unsigned open = 0;
    bool in_string = false;

    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++open > depth) return false;
        } else if ((c == ']' || c == '}') && open > 0) {
            open--;
        }
    }
    return true;
}

ll_rc json_parse(struct text t, unsigned depth, json_t **out, struct ll_error *err)
{
    json_error_t why;

    *out = NULL;
    /* jansson skips one that is behind a number. */
    if (t.len > 0 && memchr(t.ptr, '\0', t.len) != NULL)
        return ll_fail(err, LL_EINVAL, "JSON with a NUL byte");
    if (!json_depth_is_within(t, depth))
        return ll_fail(err, LL_EINVAL, "JSON is nested deeper than %u", depth);
    *out = json_loadb(t.len ? t.ptr : "", t.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
                      &why);
    if (*out != NULL) return LL_OK;
    return ll_fail(err, LL_EINVAL, "%s (line %d, column %d)", why.text, why.line,
                   why.column);
}

static int add_bytes(const char *bytes, size_t n, void *builder)
{
    builder_add(builder, bytes, n);
    return 0;
}

void json_write(const json_t *value, struct builder *out)
{
    LL_CHECK(json_dump_callback(value, add_bytes, out,
                                JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) == 0);
}

bool json_member_text(const json_t *object, const char *name, struct text *out)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_string(value)) return false;
    *out = (struct text){json_string_value(value), json_string_length(value)};
    return true;
}
