/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_lint.c - rules over a statement's tokens; each finds its own trouble and names the
 * line of the token at fault. */
#include "core/projection/sql_lint.h"

#include "core/projection/sql_rule.h"

#include <string.h>

bool lint_is_listed(const struct sql_token *t, const char *const *list)
{
    for (; *list != NULL; list++)
        if (sql_token_is_word(t, *list)) return true;
    return false;
}

const struct sql_token *lint_token(const struct sql_lint *l, size_t i)
{
    static const struct sql_token none = {.kind = SQL_END};

    return i < l->s->token_count ? &l->s->tokens[i] : &none;
}

ll_rc lint_refuse(const struct sql_lint *l, size_t i, const char *why)
{
    const struct sql_token *t = lint_token(l, i);
    int n = (int)(t->text.len < SQL_NAME ? t->text.len : SQL_NAME);

    return ll_fail(l->err, LL_EINVAL, "%s:%u: \"%.*s\" %s", l->f->path,
                   t->line ? t->line : l->s->line, n, t->text.ptr ? t->text.ptr : "",
                   why);
}

bool lint_calls(const struct sql_lint *l, size_t i, const char *const *list)
{
    return lint_is_listed(lint_token(l, i), list) &&
           sql_token_is_symbol(lint_token(l, i + 1), '(');
}

bool lint_is_name(const struct sql_token *t)
{
    return t->kind == SQL_WORD || t->kind == SQL_QUOTED;
}

/* The first token of the parentheses that token `i` stands in. */
size_t lint_block_start(const struct sql_lint *l, size_t i)
{
    size_t depth = 0;

    while (i-- > 0) {
        if (sql_token_is_symbol(lint_token(l, i), ')')) depth++;
        if (sql_token_is_symbol(lint_token(l, i), '(') && depth-- == 0) return i + 1;
    }
    return 0;
}

/* ---- words ---------------------------------------------------------------- */

/* Read the clock without parentheses. */
static const char *const clock_words[] = {"current_timestamp", "current_date",
                                          "current_time",      "localtime",
                                          "localtimestamp",    NULL};
static const char *const clock_functions[] = {"now",
                                              "clock_timestamp",
                                              "statement_timestamp",
                                              "transaction_timestamp",
                                              "timeofday",
                                              "age",
                                              NULL};
/* Who asks, or where, is not in the event. */
static const char *const session_words[] = {
    "current_user",   "session_user",    "user",        "current_role",
    "current_schema", "current_catalog", "system_user", NULL};
static const char *const other_functions[] = {"random",
                                              "setseed",
                                              "gen_random_uuid",
                                              "uuid_generate_v1",
                                              "uuid_generate_v4",
                                              "nextval",
                                              "currval",
                                              "lastval",
                                              "setval",
                                              "set_config",
                                              "current_setting",
                                              "version",
                                              "txid_current",
                                              "txid_current_snapshot",
                                              "inet_client_addr",
                                              "inet_server_addr",
                                              "current_database",
                                              "current_query",
                                              "lo_import",
                                              "lo_export",
                                              "dblink",
                                              "query_to_xml",
                                              NULL};
static const char *const column_words[] = {
    "serial", "bigserial", "smallserial", "serial2", "serial4", "serial8", NULL};
static bool is_date_type(const struct sql_token *t)
{
    static const char *const types[] = {"date",        "time",   "timestamp",
                                        "timestamptz", "timetz", NULL};
    return lint_is_listed(t, types);
}

/* 'now' and its like, read as a date: date 'now', 'now'::date. */
static bool is_clock_constant(const struct sql_lint *l, size_t i)
{
    static const char *const values[] = {"'now'", "'today'", "'tomorrow'", "'yesterday'"};
    bool is_date =
        (i > 0 && is_date_type(lint_token(l, i - 1))) ||
        (text_is(lint_token(l, i + 1)->text, "::") && is_date_type(lint_token(l, i + 2)));

    for (size_t k = 0; lint_token(l, i)->kind == SQL_STRING && k < LL_LENGTH(values); k++)
        if (text_equal_ignoring_case(lint_token(l, i)->text, text_of(values[k])))
            return is_date;
    return false;
}

static bool is_system_function(const struct sql_lint *l, size_t i)
{
    const struct sql_token *t = lint_token(l, i);

    return t->kind == SQL_WORD && t->text.len > 3 &&
           text_equal_ignoring_case((struct text){t->text.ptr, 3}, TEXT("pg_")) &&
           sql_token_is_symbol(lint_token(l, i + 1), '(') &&
           !sql_token_is_word(t, "pg_typeof");
}

static ll_rc lint_words(const struct sql_lint *l)
{
    for (size_t i = 0; i < l->s->token_count; i++) {
        bool is_clock = lint_is_listed(lint_token(l, i), clock_words) ||
                        lint_calls(l, i, clock_functions) || is_clock_constant(l, i);

        /* behind a dot or AS it is a column's name */
        if (i > 0 && sql_token_is_symbol(lint_token(l, i - 1), '.')) continue;
        if (is_clock && !l->section->is_volatile)
            return lint_refuse(l, i, "reads the clock: use :event.time");
        if (lint_is_listed(lint_token(l, i), session_words))
            return lint_refuse(l, i, "depends on who is connected");
        if (lint_calls(l, i, other_functions) || is_system_function(l, i))
            return lint_refuse(l, i, "gives something else each time");
        if (l->f->kind == SQL_FILE_SCHEMA &&
            lint_is_listed(lint_token(l, i), column_words))
            return lint_refuse(
                l, i, "numbers rows in the order they come: use a key of the event");
        if (sql_token_is_word(lint_token(l, i), "identity") && i > 0 &&
            sql_token_is_word(lint_token(l, i - 1), "as"))
            return lint_refuse(
                l, i, "numbers rows in the order they come: use a key of the event");
    }
    return LL_OK;
}

/* ---- names ---------------------------------------------------------------- */

static bool is_dotted(const struct sql_lint *l, size_t i)
{
    return lint_is_name(lint_token(l, i)) &&
           sql_token_is_symbol(lint_token(l, i + 1), '.');
}

/* `from` inside extract(... from x) and its like. */
static bool is_argument(const struct sql_lint *l, size_t i)
{
    static const char *const functions[] = {"extract", "substring", "trim", "overlay",
                                            NULL};
    size_t start = lint_block_start(l, i);

    return start > 1 && lint_is_listed(lint_token(l, start - 2), functions);
}

/* Does the word at `i` bring the name of a table? */
static bool brings_table(const struct sql_lint *l, size_t i)
{
    static const char *const words[] = {"from", "join",       "into", "update", "using",
                                        "only", "references", "view", "exists", NULL};

    if (sql_token_is_word(lint_token(l, i), "on"))
        return l->f->kind == SQL_FILE_SCHEMA &&
               !sql_token_is_word(lint_token(l, 1), "view");
    if (sql_token_is_word(lint_token(l, i), "from") && i > 0 &&
        (sql_token_is_word(lint_token(l, i - 1), "distinct") || is_argument(l, i)))
        return false;
    return lint_is_listed(lint_token(l, i), words);
}

/* schema.table behind FROM and its like, schema.f( and ::schema.type. */
static ll_rc lint_names(const struct sql_lint *l)
{
    for (size_t i = 1; i < l->s->token_count; i++) {
        const struct sql_token *before = lint_token(l, i - 1);
        bool is_call = sql_token_is_symbol(lint_token(l, i + 3), '(') &&
                       !lint_token(l, i + 3)->space;

        if (!is_dotted(l, i) || sql_token_is_symbol(before, '.')) continue;
        if (is_call || text_is(before->text, "::") || brings_table(l, i - 1))
            return lint_refuse(l, i, "is a schema's name: names stand alone here");
    }
    return LL_OK;
}

/* ---- kinds of statement ---------------------------------------------------- */

static bool is_plain_name(const struct sql_token *t)
{
    for (size_t i = 0; i < t->text.len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", t->text.ptr[i]) == NULL)
            return false;
    return t->kind == SQL_WORD && t->text.len < SQL_NAME;
}

/* create table NAME ( | create view NAME as | create [unique] index [NAME] on */
static ll_rc lint_schema(const struct sql_lint *l)
{
    size_t unique = sql_token_is_word(lint_token(l, 1), "unique");

    if (!sql_token_is_word(lint_token(l, 0), "create"))
        return lint_refuse(
            l, 0, "has no place in schema.sql: it creates tables, indexes, views");
    if (sql_token_is_word(lint_token(l, 1 + unique), "index"))
        return sql_token_is_word(lint_token(l, 2 + unique), "concurrently")
                   ? lint_refuse(l, 2 + unique, "has no place in schema.sql")
                   : LL_OK;
    if (!sql_token_is_word(lint_token(l, 1), "table") &&
        !sql_token_is_word(lint_token(l, 1), "view"))
        return lint_refuse(
            l, 1, "has no place in schema.sql: it creates tables, indexes, views");
    if (!is_plain_name(lint_token(l, 2)))
        return lint_refuse(l, 2, "is no table's name here: lower case, no quotes");
    if (sql_token_is_word(lint_token(l, 2), "checkpoint") ||
        sql_token_is_word(lint_token(l, 2), "outgoing"))
        return lint_refuse(l, 2, "is the runner's own table");
    if (sql_token_is_word(lint_token(l, 1), "table")
            ? !sql_token_is_symbol(lint_token(l, 3), '(')
            : !sql_token_is_word(lint_token(l, 3), "as"))
        return lint_refuse(l, 3,
                           "stands where the table's columns or the view's AS belong");
    return LL_OK;
}

static ll_rc lint_apply(const struct sql_lint *l)
{
    static const char *const first[] = {"insert", "update", "delete", "with", NULL};

    return lint_is_listed(lint_token(l, 0), first)
               ? LL_OK
               : lint_refuse(l, 0,
                             "has no place in apply.sql: it inserts, updates, deletes");
}

static ll_rc lint_query(const struct sql_lint *l)
{
    static const char *const writes[] = {"insert", "update",   "delete", "merge",
                                         "into",   "truncate", NULL};

    if (!sql_token_is_word(lint_token(l, 0), "select") &&
        !sql_token_is_word(lint_token(l, 0), "with"))
        return lint_refuse(l, 0, "has no place in queries.sql: it selects");
    for (size_t i = 0; i < l->s->token_count; i++)
        if (lint_is_listed(lint_token(l, i), writes) &&
            !(i > 0 && sql_token_is_symbol(lint_token(l, i - 1), '.')))
            return lint_refuse(l, i, "writes: a query only selects");
    return LL_OK;
}

ll_rc sql_lint(const struct sql_file *f, struct ll_error *err)
{
    static ll_rc (*const kinds[])(const struct sql_lint *) = {
        [SQL_FILE_SCHEMA] = lint_schema,
        [SQL_FILE_APPLY] = lint_apply,
        [SQL_FILE_QUERIES] = lint_query,
    };
    static ll_rc (*const rules[])(const struct sql_lint *) = {lint_words, lint_names,
                                                              lint_order};

    for (size_t i = 0; i < f->section_count; i++) {
        const struct sql_section *section = &f->sections[i];

        for (size_t k = 0; k < section->statement_count; k++) {
            struct sql_lint l = {f, section, &section->statements[k], err};
            ll_rc rc = kinds[f->kind](&l);

            for (size_t r = 0; r < LL_LENGTH(rules) && rc == LL_OK; r++)
                rc = rules[r](&l);
            if (rc != LL_OK) return rc;
        }
    }
    return LL_OK;
}
