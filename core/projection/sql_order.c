/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_order.c - where a result depends on the order of rows, the statement must say it.
 */
#include "core/projection/sql_lint.h"

#include "core/projection/sql_rule.h"

/* Aggregates whose result depends on the order of their input. */
static const char *const ordered_aggregates[] = {
    "array_agg",        "string_agg", "json_agg", "jsonb_agg", "json_object_agg",
    "jsonb_object_agg", "xmlagg",     "array",    NULL};
static const char *const ordered_windows[] = {
    "row_number", "lag", "lead", "first_value", "last_value", "nth_value", "ntile", NULL};

/* The token behind the parenthesis that opens at `i`; the statement's end at most. */
static size_t behind_close(const struct sql_lint *l, size_t i)
{
    size_t depth = 0;

    for (; i < l->s->token_count; i++) {
        if (sql_token_is_symbol(lint_token(l, i), '(')) depth++;
        if (sql_token_is_symbol(lint_token(l, i), ')') && --depth == 0) return i + 1;
    }
    return i;
}

static bool is_order_by(const struct sql_statement *s, size_t i)
{
    return i + 1 < s->token_count && sql_token_is_word(&s->tokens[i], "order") &&
           sql_token_is_word(&s->tokens[i + 1], "by");
}

/* ORDER BY between `from` and `to`, not inside deeper parentheses than `within`. */
static bool has_order(const struct sql_lint *l, size_t from, size_t to)
{
    size_t depth = 0;

    for (size_t i = from; i < to; i++) {
        if (sql_token_is_symbol(lint_token(l, i), '(')) depth++;
        if (sql_token_is_symbol(lint_token(l, i), ')') && depth > 0) depth--;
        if (depth == 0 && is_order_by(l->s, i)) return true;
    }
    return false;
}

/* Behind the last token of the parentheses that token `i` stands in. */
static size_t block_end(const struct sql_lint *l, size_t i)
{
    size_t start = lint_block_start(l, i);

    return start == 0 ? l->s->token_count : behind_close(l, start - 1) - 1;
}

/* Over (...) behind a window function's arguments; a named window is not looked into. */
static bool is_unordered_window(const struct sql_lint *l, size_t i)
{
    size_t over = behind_close(l, i + 1);

    if (!sql_token_is_word(lint_token(l, over), "over") ||
        !sql_token_is_symbol(lint_token(l, over + 1), '('))
        return false;
    return !has_order(l, over + 2, behind_close(l, over + 1));
}

static ll_rc lint_has_order(const struct sql_lint *l)
{
    for (size_t i = 0; i < l->s->token_count; i++) {
        const struct sql_token *t = lint_token(l, i);
        bool limits = sql_token_is_word(t, "limit") || sql_token_is_word(t, "fetch");
        bool distinct_on = sql_token_is_word(t, "distinct") &&
                           sql_token_is_word(lint_token(l, i + 1), "on");

        if (i > 0 && (sql_token_is_symbol(lint_token(l, i - 1), '.') ||
                      sql_token_is_word(lint_token(l, i - 1), "as")))
            continue;
        if (lint_calls(l, i, ordered_aggregates) &&
            !has_order(l, i + 2, behind_close(l, i + 1)))
            return lint_refuse(l, i, "needs an order by inside its parentheses");
        if (lint_calls(l, i, ordered_windows) && is_unordered_window(l, i))
            return lint_refuse(l, i, "needs an order by in its window");
        if ((limits || distinct_on) &&
            !has_order(l, lint_block_start(l, i), block_end(l, i)))
            return lint_refuse(l, i, "needs an order by in the same select");
    }
    return LL_OK;
}

static bool ends_keys(const struct sql_token *t)
{
    static const char *const words[] = {"limit", "offset", "fetch",     "for",
                                        "union", "except", "intersect", "rows",
                                        "range", "groups", NULL};
    return t->kind == SQL_END || lint_is_listed(t, words);
}

/* The last key of an ORDER BY at `i`: its tokens [*from, *to). */
static void last_key(const struct sql_statement *s, size_t i, size_t *from, size_t *to)
{
    size_t depth = 0;

    *from = i + 2;
    for (i += 2; i < s->token_count; i++) {
        const struct sql_token *t = &s->tokens[i];

        if (depth == 0 && (ends_keys(t) || sql_token_is_symbol(t, ')'))) break;
        if (sql_token_is_symbol(t, '(')) depth++;
        if (sql_token_is_symbol(t, ')')) depth--;
        if (depth == 0 && sql_token_is_symbol(t, ',')) *from = i + 1;
    }
    *to = i;
}

/* The key without ASC, DESC, NULLS FIRST, NULLS LAST and COLLATE. */
static void trim_key(const struct sql_statement *s, size_t from, size_t *to)
{
    static const char *const words[] = {"asc", "desc", "nulls", "first", "last", NULL};

    while (*to > from + 1 && lint_is_listed(&s->tokens[*to - 1], words)) --*to;
    if (*to > from + 2 && sql_token_is_word(&s->tokens[*to - 2], "collate")) *to -= 2;
}

/* A name, or the last one of table.name; NULL for an expression. */
static const struct sql_token *key_name(const struct sql_statement *s, size_t i)
{
    size_t from, to;

    last_key(s, i, &from, &to);
    trim_key(s, from, &to);
    if (to == from + 3 && sql_token_is_symbol(&s->tokens[from + 1], '.')) from += 2;
    return to == from + 1 && lint_is_name(&s->tokens[from]) ? &s->tokens[from] : NULL;
}

static ll_rc lint_order_keys(const struct sql_lint *l)
{
    for (size_t i = 0; i < l->s->token_count; i++)
        if (is_order_by(l->s, i) && key_name(l->s, i) == NULL)
            return lint_refuse(l, i, "by must end in the name of a unique column");
    return LL_OK;
}

void sql_order_keys(const struct sql_statement *s,
                    void (*key)(void *context, const struct sql_token *name),
                    void *context)
{
    for (size_t i = 0; i < s->token_count; i++)
        if (is_order_by(s, i)) key(context, key_name(s, i));
}

ll_rc lint_order(const struct sql_lint *l)
{
    ll_rc rc = lint_has_order(l);

    return rc == LL_OK ? lint_order_keys(l) : rc;
}
