/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* template.c - a list of parts; each is measured, then copied. */
#include "core/event/template.h"

#include "core/log/record.h"

#include <stdio.h>
#include <string.h>

enum { PARTS = 16, NUMBER = 24 };

struct part {
    struct text literal;
    const char *member; /* NULL: the literal */
};

struct template
{
    const char *source;
    size_t count;
    struct part parts[PARTS];
};

static ll_rc check_member(const char *source, const char *name,
                          const struct schema *schema, struct ll_error *err)
{
    struct schema_member m = schema_member(schema, name);

    if (!m.is_known || !m.is_required)
        return ll_fail(err, LL_EINVAL, "template \"%s\": \"%s\" is no required member",
                       source, name);
    if (!m.is_text && !m.is_integer)
        return ll_fail(err, LL_EINVAL,
                       "template \"%s\": \"%s\" must be a string or an integer", source,
                       name);
    if (m.is_text && !m.is_bounded)
        return ll_fail(err, LL_EINVAL,
                       "template \"%s\": \"%s\" needs a pattern, format, enum or const",
                       source, name);
    return LL_OK;
}

/* The literal up to the next brace, or the member in braces, at *at. */
static ll_rc take_part(struct template *t, const char **at, const struct schema *schema,
                       struct arena *arena, struct ll_error *err)
{
    size_t n = strcspn(*at, "{}");
    struct part *p = &t->parts[t->count++];

    if (n > 0) {
        p->literal = (struct text){*at, n};
        *at += n;
        return LL_OK;
    }
    n = strcspn(*at + 1, "{}");
    if (**at != '{' || n == 0 || (*at)[n + 1] != '}')
        return ll_fail(err, LL_EINVAL, "template \"%s\": wrong braces", t->source);
    p->member = arena_text(arena, (struct text){*at + 1, n}).ptr;
    *at += n + 2;
    return check_member(t->source, p->member, schema, err);
}

ll_rc template_compile(const char *source, const struct schema *schema,
                       struct arena *arena, const struct template **out,
                       struct ll_error *err)
{
    struct template *t = arena_calloc(arena, 1, sizeof(*t));
    ll_rc rc = LL_OK;

    *out = t;
    t->source = arena_string(arena, source);
    if (*source == '\0' || !text_is_utf8(text_of(source)))
        return ll_fail(err, LL_EINVAL, "template \"%s\": empty, or not UTF-8", source);
    for (const char *at = t->source; *at != '\0' && rc == LL_OK;) {
        if (t->count == PARTS)
            return ll_fail(err, LL_EINVAL, "template \"%s\": more than %d parts", source,
                           PARTS);
        rc = take_part(t, &at, schema, arena, err);
    }
    return rc;
}

static struct text part_text(const struct part *p, const json_t *data,
                             char number[NUMBER])
{
    const json_t *value = p->member == NULL ? NULL : json_object_get(data, p->member);
    int n;

    if (p->member == NULL) return p->literal;
    if (json_is_string(value))
        return (struct text){json_string_value(value), json_string_length(value)};
    n = snprintf(number, NUMBER, "%lld",
                 json_is_integer(value) ? (long long)json_integer_value(value)
                                        : (long long)json_number_value(value));
    return (struct text){number, (size_t)n};
}

ll_rc template_render(const struct template *t, const json_t *data, struct arena *arena,
                      struct text *out, struct ll_error *err)
{
    char number[NUMBER], *to;
    size_t len = 0;

    for (size_t i = 0; i < t->count; i++)
        len += part_text(&t->parts[i], data, number).len;
    if (len == 0 || len > RECORD_TEXT)
        return ll_fail(err, LL_EINVAL, "\"%s\" gives a text of %zu bytes, not 1 to %d",
                       t->source, len, RECORD_TEXT);
    to = arena_alloc(arena, len + 1);
    *out = (struct text){to, len};
    for (size_t i = 0; i < t->count; i++) {
        struct text part = part_text(&t->parts[i], data, number);

        memcpy(to, part.ptr, part.len);
        to += part.len;
    }
    *to = '\0';
    return LL_OK;
}
