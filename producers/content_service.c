/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_service.c - see content_service.h. */
#include "producers/content_service.h"

#include "core/auth/unicode_lower.h"

struct content_state *content_state(const struct http_request *r)
{
    return http_service_state(r);
}

void content_refuse_as(struct http_request *r, int status, const char *fmt, ...)
{
    struct builder b;
    va_list args;

    va_start(args, fmt);
    builder_init(&b, 64 * 1024);
    builder_string(&b, "{\"error\":");
    builder_json_string(&b, text_of(arena_vprintf(http_arena(r), fmt, args)));
    builder_string(&b, "}");
    va_end(args);
    http_respond(r, status, "application/json", builder_view(&b));
    builder_fini(&b);
}

void content_refuse_type(struct http_request *r, struct text type)
{
    content_refuse_as(r, 400, "Unrecognized type: %.*s", TEXT_ARGS(type));
}

struct http_query_value content_text(const char *name, struct text value)
{
    return (struct http_query_value){.name = name, .value = value};
}

struct http_query_value content_number(struct http_request *r, const char *name,
                                       int64_t n)
{
    return content_text(name, text_of(arena_printf(http_arena(r), "%lld", (long long)n)));
}

struct http_query_value content_flag(const char *name, bool is_set)
{
    return content_text(name, is_set ? TEXT("true") : TEXT("false"));
}

struct http_query_value content_list(struct http_request *r, const char *name,
                                     const struct text *items, size_t n)
{
    struct http_query_value value = {.name = name};
    struct builder b;

    builder_init(&b, 16 * 1024 * 1024);
    builder_char(&b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) builder_char(&b, ',');
        builder_json_string(&b, items[i]);
    }
    builder_char(&b, ']');
    LL_CHECK(!b.full);
    value.value = arena_text(http_arena(r), builder_view(&b));
    builder_fini(&b);
    return value;
}

struct text content_lower(struct http_request *r, struct text t)
{
    struct builder lower;
    struct text copy;

    builder_init(&lower, 4 * t.len + 16);
    unicode_lower(t, &lower);
    copy = arena_text(http_arena(r), builder_view(&lower));
    builder_fini(&lower);
    return copy;
}

bool content_leading_integer(struct text t, int64_t *out)
{
    bool is_negative = false;
    size_t i = 0, first;
    int64_t n = 0;

    while (i < t.len && (t.ptr[i] == ' ' || (t.ptr[i] >= '\t' && t.ptr[i] <= '\r'))) i++;
    if (i < t.len && (t.ptr[i] == '-' || t.ptr[i] == '+'))
        is_negative = t.ptr[i++] == '-';
    first = i;
    for (; i < t.len && t.ptr[i] >= '0' && t.ptr[i] <= '9'; i++)
        n = n > (INT64_MAX - 9) / 10 ? INT64_MAX / 10 : n * 10 + (t.ptr[i] - '0');
    *out = is_negative ? -n : n;
    return i > first;
}

int64_t content_number_parameter(struct http_request *r, const char *name,
                                 int64_t otherwise)
{
    struct text given;
    int64_t n;

    return http_query_parameter(r, name, &given) && content_leading_integer(given, &n)
               ? n
               : otherwise;
}
