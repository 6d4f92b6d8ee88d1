/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_errors.c - see entity_errors.h. */
#include "producers/content/entity_errors.h"

#include <stdarg.h>
#include <stdio.h>

void entity_errors_init(struct entity_errors *errors, struct arena *arena)
{
    errors->arena = arena;
    errors->count = 0;
}

/* The length of text[0 .. n) without a character that was cut in its middle. */
static size_t whole_length(const char *text, size_t n)
{
    size_t start = n;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xc0) start--;
    return text_is_utf8((struct text){text + start, n - start}) ? n : start;
}

bool entity_refuse(struct entity_errors *errors, const char *fmt, ...)
{
    char text[ENTITY_ERROR_TEXT + 1];
    struct text message = {text, 0};
    va_list args;
    int n;

    if (errors->count == ENTITY_ERRORS) return false;
    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    LL_CHECK(n >= 0);
    message.len =
        (size_t)n < sizeof(text) ? (size_t)n : whole_length(text, sizeof(text) - 1);
    errors->items[errors->count++] = arena_text(errors->arena, message);
    return false;
}

void entity_errors_write(const struct entity_errors *errors, struct builder *out)
{
    builder_string(out, "{\"errors\":[");
    for (size_t i = 0; i < errors->count; i++) {
        if (i > 0) builder_char(out, ',');
        builder_json_string(out, errors->items[i]);
    }
    builder_string(out, "]}");
}
