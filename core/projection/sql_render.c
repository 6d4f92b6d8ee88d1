/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_render.c - parameters get numbers, tables get the mark of their schema.
 *
 * Which names are tables is told without a grammar: a name of schema.sql's list that
 * stands where a table is read or written (behind FROM, JOIN, INTO, UPDATE, USING, or a
 * comma of such a list). A column of the same name in such a place (`is distinct from
 * block`) would be taken for one, and Postgres then refuses the statement when the
 * generation is made.
 */
#include "core/projection/sql_render.h"

#include <string.h>

enum { DEPTH = 64 };

/* Where a walk over the tokens is. */
struct place {
    size_t depth;
    bool expects;            /* a table may come next */
    bool in_list[DEPTH + 1]; /* at each depth: a comma brings another table */
};

static bool is_any(const struct sql_token *t, const char *const *words)
{
    for (; *words != NULL; words++)
        if (sql_token_is_word(t, *words)) return true;
    return false;
}

static const char *const begins_list[] = {"from", "using", NULL};
static const char *const expects_one[] = {"join", "into", "update", "table", NULL};
static const char *const passes[] = {"only", "lateral", NULL};
static const char *const ends_list[] = {
    "where",  "group",  "order",  "having",    "window", "limit",
    "offset", "fetch",  "for",    "union",     "except", "intersect",
    "set",    "select", "values", "returning", NULL};

static ll_rc move(struct place *at, const struct sql_token *t, struct ll_error *err)
{
    bool expected = at->expects;

    at->expects = false;
    if (sql_token_is_symbol(t, '(')) {
        if (at->depth == DEPTH)
            return ll_fail(err, LL_EINVAL, "parentheses nest more than %d deep", DEPTH);
        at->in_list[++at->depth] = expected;
        at->expects = expected;
    } else if (sql_token_is_symbol(t, ')')) {
        if (at->depth == 0) return ll_fail(err, LL_EINVAL, "a ) without its (");
        at->depth--;
    } else if (sql_token_is_symbol(t, ',')) {
        at->expects = at->in_list[at->depth];
    } else if (is_any(t, begins_list)) {
        at->expects = at->in_list[at->depth] = true;
    } else if (is_any(t, expects_one)) {
        at->expects = true;
    } else if (is_any(t, passes)) {
        at->expects = expected;
    } else if (is_any(t, ends_list)) {
        at->in_list[at->depth] = false;
    }
    return LL_OK;
}

static bool is_table(const struct sql_file *schema, const struct sql_token *t)
{
    struct text name = t->text;

    if (t->kind == SQL_QUOTED) name = (struct text){name.ptr + 1, name.len - 2};
    return (t->kind == SQL_WORD || t->kind == SQL_QUOTED) &&
           sql_file_has_table(schema, name);
}

/* The parameter's number, counted from 0; a new one is taken in where that is allowed. */
static ll_rc number_of(struct sql_file *f, const struct sql_section *section,
                       struct sql_statement *s, struct text name, size_t *out,
                       struct ll_error *err)
{
    for (*out = 0; *out < s->parameter_count; ++*out)
        if (text_is(name, s->parameters[*out])) return LL_OK;
    if (f->kind == SQL_FILE_SCHEMA)
        return ll_fail(err, LL_EINVAL, "schema.sql has no parameters, not :%.*s",
                       TEXT_ARGS(name));
    if (f->kind == SQL_FILE_QUERIES)
        return ll_fail(err, LL_EINVAL, "query %s does not declare :%.*s", section->name,
                       TEXT_ARGS(name));
    if (name.len >= SQL_NAME)
        return ll_fail(err, LL_EINVAL, "a parameter's name is too long");
    if (s->parameter_count == SQL_PARAMETERS)
        return ll_fail(err, LL_EINVAL, "more than %d parameters", SQL_PARAMETERS);
    s->parameters[s->parameter_count++] = arena_text(&f->arena, name).ptr;
    return LL_OK;
}

/* A space keeps `limit:n` from becoming the name limit$1. */
static void add_parameter(struct builder *sql, const struct sql_section *section,
                          enum sql_file_kind kind, size_t number)
{
    builder_printf(sql, " $%zu", number + 1);
    if (kind == SQL_FILE_QUERIES) builder_printf(sql, "::%s", section->types[number]);
}

static ll_rc find_unused(const struct sql_section *section, const bool *used,
                         struct ll_error *err)
{
    for (size_t i = 0; i < section->declared_count; i++)
        if (!used[i])
            return ll_fail(err, LL_EINVAL, "query %s does not use :%s", section->name,
                           section->declared[i]);
    return LL_OK;
}

static ll_rc render_token(struct sql_file *f, const struct sql_file *schema,
                          const struct sql_section *section, struct sql_statement *s,
                          const struct sql_token *t, bool expects, bool *used,
                          struct builder *sql, struct ll_error *err)
{
    if (t->kind == SQL_PARAMETER) {
        struct text name = {t->text.ptr + 1, t->text.len - 1};
        size_t number;
        ll_rc rc = number_of(f, section, s, name, &number, err);

        if (rc != LL_OK) return rc;
        used[number] = true;
        add_parameter(sql, section, f->kind, number);
        return LL_OK;
    }
    if (expects && schema != NULL && is_table(schema, t))
        builder_char(sql, SQL_SCHEMA_MARK);
    builder_text(sql, t->text);
    return LL_OK;
}

ll_rc sql_render(struct sql_file *f, const struct sql_file *schema,
                 const struct sql_section *section, struct sql_statement *s,
                 struct ll_error *err)
{
    bool used[SQL_PARAMETERS] = {false};
    struct place at = {0};
    struct builder sql;
    ll_rc rc = LL_OK;

    builder_init(&sql, 4 * SQL_FILE_MAX + 1024);
    s->parameter_count = section->declared_count;
    memcpy(s->parameters, section->declared, sizeof(section->declared));
    for (size_t i = 0; i < s->token_count && rc == LL_OK; i++) {
        const struct sql_token *t = &s->tokens[i];

        if (t->space && i > 0) builder_char(&sql, t->space);
        rc = render_token(f, schema, section, s, t, at.expects, used, &sql, err);
        /* `join b using (x)`: columns, where `delete ... using b` has tables */
        if (rc == LL_OK && sql_token_is_symbol(t, '(') && i > 0 &&
            sql_token_is_word(&s->tokens[i - 1], "using"))
            at.expects = at.in_list[at.depth] = false;
        if (rc == LL_OK) rc = move(&at, t, err);
    }
    if (rc == LL_OK && at.depth > 0) rc = ll_fail(err, LL_EINVAL, "a ( without its )");
    if (rc == LL_OK) rc = find_unused(section, used, err);
    if (rc == LL_OK && sql.full) rc = ll_fail(err, LL_EFULL, "a statement is too long");
    if (rc == LL_OK) s->sql = arena_text(&f->arena, builder_view(&sql)).ptr;
    builder_fini(&sql);
    return rc;
}

void sql_expand(const char *sql, const char *schema, struct builder *out)
{
    for (const char *mark; (mark = strchr(sql, SQL_SCHEMA_MARK)) != NULL;
         sql = mark + 1) {
        builder_add(out, sql, (size_t)(mark - sql));
        builder_printf(out, "\"%s\".", schema);
    }
    builder_string(out, sql);
}
