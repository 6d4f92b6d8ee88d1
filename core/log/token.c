/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* token.c - see token.h. */
#include "core/log/token.h"

#include <string.h>

enum { PREFIX = UUID_TEXT }; /* the UUID's characters, and the colon in its NUL's place */

void token_init(struct token *t, const struct uuid *incarnation)
{
    t->incarnation = *incarnation;
    position_init(&t->position);
}

static size_t digits_of(uint64_t n)
{
    size_t digits = 1;

    while ((n /= 10) > 0) digits++;
    return digits;
}

/* Counted, not printed: it is asked for every answer. */
static size_t length_of(const struct position *p)
{
    size_t n = PREFIX;

    for (size_t i = 0; i < p->len; i++) {
        const struct position_entry *e = &p->entry[i];

        n += strlen(e->topic) + 1 + digits_of(e->partition) + 1 + digits_of(e->sequence);
        if (i > 0) n++;
    }
    return n;
}

ll_rc token_merge(struct token *t, const struct position *p)
{
    struct position both = t->position;

    for (size_t i = 0; i < p->len; i++) {
        const struct position_entry *e = &p->entry[i];
        ll_rc rc = position_raise(&both, e->topic, e->partition, e->sequence);

        if (rc != LL_OK) return rc;
    }
    if (length_of(&both) > TOKEN_LENGTH) return LL_EFULL;
    t->position = both;
    return LL_OK;
}

/* hex_decode() takes capitals too; a token has one spelling. */
static bool take_incarnation(struct text text, struct uuid *out)
{
    char again[UUID_TEXT];

    if (!uuid_parse(text, out)) return false;
    uuid_print(out, again);
    return memcmp(text.ptr, again, text.len) == 0;
}

ll_rc token_parse(struct token *t, struct text text)
{
    struct text head = {text.ptr, PREFIX - 1};
    struct uuid incarnation;
    ll_rc rc;

    *t = (struct token){0};
    if (text.len > TOKEN_LENGTH) return LL_EFULL;
    if (text.len < PREFIX || text.ptr[PREFIX - 1] != ':') return LL_EINVAL;
    if (!take_incarnation(head, &incarnation)) return LL_EINVAL;
    rc = position_parse(&t->position, text.ptr + PREFIX, text.len - PREFIX);
    if (rc == LL_OK) t->incarnation = incarnation;
    return rc;
}

size_t token_print(const struct token *t, char out[TOKEN_TEXT])
{
    char position[POSITION_TEXT];
    size_t n = position_print(&t->position, position);

    LL_CHECK(PREFIX + n <= TOKEN_LENGTH);
    uuid_print(&t->incarnation, out);
    out[PREFIX - 1] = ':';
    memcpy(out + PREFIX, position, n + 1);
    return PREFIX + n;
}
