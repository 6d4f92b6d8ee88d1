/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_lex.c - one pass over the bytes; each take_* eats one kind of token at l->at. */
#include "core/projection/sql_lex.h"

#include <string.h>

void sql_lexer_init(struct sql_lexer *l, struct text file)
{
    *l = (struct sql_lexer){file.ptr, file.ptr + file.len, 1, true};
    if (file.len == 0) l->at = l->end = "";
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return is_name_start(c) || is_digit(c) || c == '$';
}

/* The character `n` places on; NUL at the end, which no file may hold. */
static char peek(const struct sql_lexer *l, size_t n)
{
    return (size_t)(l->end - l->at) > n ? l->at[n] : '\0';
}

static bool looks_at(const struct sql_lexer *l, const char *s)
{
    size_t n = strlen(s);

    return (size_t)(l->end - l->at) >= n && memcmp(l->at, s, n) == 0;
}

static void advance(struct sql_lexer *l)
{
    if (*l->at == '\n') l->line++;
    l->at++;
}

/* C-style comments nest in SQL. */
static ll_rc skip_block_comment(struct sql_lexer *l, struct ll_error *err)
{
    size_t depth = 0;

    do {
        if (l->at == l->end) return ll_fail(err, LL_EINVAL, "a comment has no end");
        if (looks_at(l, "/*")) {
            depth++;
            l->at++;
        } else if (looks_at(l, "*/")) {
            depth--;
            l->at++;
        }
        advance(l);
    } while (depth > 0);
    return LL_OK;
}

static void skip_line(struct sql_lexer *l)
{
    while (l->at < l->end && *l->at != '\n') l->at++;
}

/* Space and comments up to the next token; stops at a comment that fills its line. */
static ll_rc skip_space(struct sql_lexer *l, char *space, struct ll_error *err)
{
    for (*space = 0; l->at < l->end;) {
        char c = *l->at;

        if (c == '\n') {
            *space = '\n';
            l->line_start = true;
            advance(l);
        } else if (c == ' ' || c == '\t' || c == '\r') {
            if (*space == 0) *space = ' ';
            l->at++;
        } else if (looks_at(l, "--")) {
            if (l->line_start) return LL_OK;
            skip_line(l);
        } else if (looks_at(l, "/*")) {
            ll_rc rc = skip_block_comment(l, err);

            if (rc != LL_OK) return rc;
            if (*space == 0) *space = ' ';
        } else {
            return LL_OK;
        }
    }
    return LL_OK;
}

/* Up to the closing `quote`, which doubled stands for itself. */
static ll_rc take_quoted(struct sql_lexer *l, char quote, bool backslashes,
                         struct ll_error *err)
{
    for (l->at++; l->at < l->end; advance(l)) {
        if (backslashes && *l->at == '\\' && l->end - l->at > 1) {
            l->at++;
        } else if (*l->at == quote) {
            l->at++;
            if (peek(l, 0) != quote) return LL_OK;
        }
    }
    return ll_fail(err, LL_EINVAL, "a %s has no end",
                   quote == '"' ? "quoted name" : "string");
}

/* $tag$ ... $tag$, the tag perhaps empty. */
static ll_rc take_dollar_quoted(struct sql_lexer *l, struct ll_error *err)
{
    const char *tag = l->at;
    size_t n = 1;

    if (is_digit(peek(l, 1)))
        return ll_fail(err, LL_EINVAL, "parameters go by name (:name), not by number");
    while (is_name(peek(l, n)) && peek(l, n) != '$') n++;
    if (peek(l, n) != '$') return ll_fail(err, LL_EINVAL, "a lone $");
    n++;
    for (l->at += n; (size_t)(l->end - l->at) >= n; advance(l)) {
        if (memcmp(l->at, tag, n) != 0) continue;
        l->at += n;
        return LL_OK;
    }
    return ll_fail(err, LL_EINVAL, "a dollar-quoted string has no end");
}

static void take_name(struct sql_lexer *l)
{
    while (is_name(peek(l, 0))) l->at++;
}

/* A name, or the string behind a prefix such as E'...'. */
static ll_rc take_word(struct sql_lexer *l, struct sql_token *out, struct ll_error *err)
{
    char first = *l->at;

    if (peek(l, 1) == '\'' && strchr("eEbBxXnN", first) != NULL) {
        out->kind = SQL_STRING;
        l->at++;
        return take_quoted(l, '\'', first == 'e' || first == 'E', err);
    }
    if ((first == 'u' || first == 'U') && peek(l, 1) == '&' &&
        (peek(l, 2) == '\'' || peek(l, 2) == '"'))
        return ll_fail(err, LL_EINVAL, "U& strings are not read here: write UTF-8");
    out->kind = SQL_WORD;
    take_name(l);
    return LL_OK;
}

static void take_number(struct sql_lexer *l, struct sql_token *out)
{
    out->kind = SQL_NUMBER;
    while (is_digit(peek(l, 0))) l->at++;
    if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
        l->at++;
        while (is_digit(peek(l, 0))) l->at++;
    }
    if (peek(l, 0) != 'e' && peek(l, 0) != 'E') return;
    if (is_digit(peek(l, 1)))
        l->at++;
    else if ((peek(l, 1) == '+' || peek(l, 1) == '-') && is_digit(peek(l, 2)))
        l->at += 2;
    while (is_digit(peek(l, 0))) l->at++;
}

/* `::`, `:name`, `:event.name`, `:blob.name`, or a colon that stands for itself (an
 * array's slice). */
static void take_colon(struct sql_lexer *l, struct sql_token *out)
{
    const char *name = l->at + 1;

    if (peek(l, 1) == ':') {
        l->at += 2;
        return;
    }
    l->at++;
    if (!is_name_start(peek(l, 0))) return;
    out->kind = SQL_PARAMETER;
    take_name(l);
    if (((l->at - name == 5 && memcmp(name, "event", 5) == 0) ||
         (l->at - name == 4 && memcmp(name, "blob", 4) == 0)) &&
        peek(l, 0) == '.' && is_name_start(peek(l, 1))) {
        l->at++;
        take_name(l);
    }
}

static ll_rc take_token(struct sql_lexer *l, struct sql_token *out, struct ll_error *err)
{
    char c = *l->at;

    if (c == '-' && looks_at(l, "--")) {
        out->kind = SQL_COMMENT;
        skip_line(l);
        return LL_OK;
    }
    if (c == '\'') {
        out->kind = SQL_STRING;
        return take_quoted(l, '\'', false, err);
    }
    if (c == '"') {
        out->kind = SQL_QUOTED;
        return take_quoted(l, '"', false, err);
    }
    if (c == '$') {
        out->kind = SQL_STRING;
        return take_dollar_quoted(l, err);
    }
    if (is_name_start(c)) return take_word(l, out, err);
    if (is_digit(c) || (c == '.' && is_digit(peek(l, 1)))) {
        take_number(l, out);
        return LL_OK;
    }
    if ((unsigned char)c < ' ' || c == 0x7f || c == '\\')
        return ll_fail(err, LL_EINVAL, "the character 0x%02x has no place in SQL",
                       (unsigned)(unsigned char)c);
    if (c == ':')
        take_colon(l, out);
    else
        l->at++;
    return LL_OK;
}

ll_rc sql_lexer_next(struct sql_lexer *l, struct sql_token *out, struct ll_error *err)
{
    const char *start;
    ll_rc rc;

    *out = (struct sql_token){.kind = SQL_SYMBOL};
    rc = skip_space(l, &out->space, err);
    if (rc != LL_OK) return rc;
    start = l->at;
    out->line = l->line;
    if (l->at == l->end)
        out->kind = SQL_END;
    else
        rc = take_token(l, out, err);
    out->text = (struct text){start, (size_t)(l->at - start)};
    l->line_start = false;
    return rc;
}

bool sql_token_is_word(const struct sql_token *t, const char *word)
{
    return t->kind == SQL_WORD && text_equal_ignoring_case(t->text, text_of(word));
}

bool sql_token_is_symbol(const struct sql_token *t, char c)
{
    return t->kind == SQL_SYMBOL && t->text.len == 1 && t->text.ptr[0] == c;
}
