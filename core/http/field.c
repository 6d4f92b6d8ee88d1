/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* field.c - see field.h. */
#include "core/http/field.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_spaces(struct text *t)
{
    while (t->len > 0 && is_space(t->ptr[0])) t->ptr++, t->len--;
}

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool field_is_token(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (!is_token_char(t.ptr[i])) return false;
    return t.len > 0;
}

void field_begin(struct text *rest, struct text *value)
{
    const char *end;

    if (rest->len == 0) *rest = TEXT("");
    end = memchr(rest->ptr, ';', rest->len);
    skip_spaces(rest);
    *value = *rest;
    if (end != NULL) value->len = (size_t)(end - value->ptr);
    rest->ptr += value->len;
    rest->len -= value->len;
    while (value->len > 0 && is_space(value->ptr[value->len - 1])) value->len--;
}

/* Up to the closing quote, which is taken too. */
static ll_rc take_quoted(struct text *rest, struct field_parameter *out)
{
    size_t i = 1;

    while (i < rest->len && rest->ptr[i] != '"') {
        bool escapes = rest->ptr[i] == '\\' && i + 1 < rest->len &&
                       (rest->ptr[i + 1] == '"' || rest->ptr[i + 1] == '\\');

        i += escapes ? 2 : 1;
    }
    if (i >= rest->len) return LL_EINVAL;
    out->is_quoted = true;
    out->value = (struct text){rest->ptr + 1, i - 1};
    rest->ptr += i + 1;
    rest->len -= i + 1;
    return LL_OK;
}

/* A token by the letter, but what is no delimiter is let pass: paths, for one. */
static ll_rc take_bare(struct text *rest, struct field_parameter *out)
{
    size_t n = 0;

    while (n < rest->len && !is_space(rest->ptr[n]) &&
           strchr(";\"", rest->ptr[n]) == NULL)
        n++;
    out->value = (struct text){rest->ptr, n};
    rest->ptr += n;
    rest->len -= n;
    return n > 0 ? LL_OK : LL_EINVAL;
}

ll_rc field_next(struct text *rest, struct field_parameter *out)
{
    size_t n = 0;
    ll_rc rc;

    *out = (struct field_parameter){0};
    skip_spaces(rest);
    if (rest->len == 0) return LL_ENOTFOUND;
    if (rest->ptr[0] != ';') return LL_EINVAL;
    rest->ptr++;
    rest->len--;
    skip_spaces(rest);
    if (rest->len == 0) return LL_ENOTFOUND; /* a last `;` with nothing behind it */
    while (n < rest->len && is_token_char(rest->ptr[n])) n++;
    out->name = (struct text){rest->ptr, n};
    rest->ptr += n;
    rest->len -= n;
    if (n == 0 || rest->len < 2 || rest->ptr[0] != '=') return LL_EINVAL;
    rest->ptr++;
    rest->len--;
    rc = rest->ptr[0] == '"' ? take_quoted(rest, out) : take_bare(rest, out);
    return rc;
}

bool field_unquote(const struct field_parameter *p, char *room, size_t size,
                   struct text *out)
{
    size_t n = 0;

    for (size_t i = 0; i < p->value.len; i++) {
        char c = p->value.ptr[i];

        if (p->is_quoted && c == '\\' && i + 1 < p->value.len &&
            (p->value.ptr[i + 1] == '"' || p->value.ptr[i + 1] == '\\'))
            c = p->value.ptr[++i];
        if (n + 1 >= size) return false;
        room[n++] = c;
    }
    room[n] = '\0';
    *out = (struct text){room, n};
    return true;
}
