/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_file.c - tokens first, whole; then sections and statements over them. */
#include "core/projection/sql_file.h"

#include "core/projection/sql_lint.h"
#include "core/projection/sql_render.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 64 * 1024 * 1024, SCHEMA_STATEMENTS = 256 };

/* A walk over the file's tokens. */
struct parse {
    struct sql_file *f;
    const struct sql_file *schema;
    const struct sql_token *at; /* the last token is SQL_END */
    struct ll_error *err;
};

static ll_rc check_bytes(struct text content, struct ll_error *err)
{
    unsigned line = 1;

    if (content.len > SQL_FILE_MAX)
        return ll_fail(err, LL_EFULL, "more than %d bytes", SQL_FILE_MAX);
    if (!text_is_utf8(content)) return ll_fail(err, LL_EINVAL, "not UTF-8");
    for (size_t i = 0; i < content.len; i++) {
        unsigned char c = (unsigned char)content.ptr[i];

        if (c == '\n') line++;
        if (c < ' ' && c != '\n' && c != '\t' && c != '\r')
            return ll_fail(err, LL_EINVAL, "line %u: the character 0x%02x", line, c);
    }
    return LL_OK;
}

/* Every token costs at least a byte. */
static ll_rc cut(struct sql_file *f, struct text content, struct ll_error *err)
{
    struct sql_lexer lexer;
    struct sql_token *t;
    ll_rc rc;

    f->tokens = ll_calloc(content.len + 1, sizeof(*f->tokens));
    t = f->tokens;
    sql_lexer_init(&lexer, content);
    do {
        rc = sql_lexer_next(&lexer, t, err);
        if (rc != LL_OK) {
            ll_error_prefix(err, "%s:%u", f->path, lexer.line);
            return rc;
        }
    } while (t++->kind != SQL_END);
    return LL_OK;
}

static ll_rc take_name(struct sql_lexer *l, const char *what, struct arena *arena,
                       const char **out, struct ll_error *err)
{
    struct sql_token t;
    ll_rc rc = sql_lexer_next(l, &t, err);

    if (rc != LL_OK) return rc;
    if (t.kind != SQL_WORD || t.text.len >= SQL_NAME)
        return ll_fail(err, LL_EINVAL, "expected %s, not \"%.*s\"", what,
                       (int)(t.text.len < SQL_NAME ? t.text.len : SQL_NAME), t.text.ptr);
    *out = arena_text(arena, t.text).ptr;
    return LL_OK;
}

/* `word` or `word[]`, and the `,` or `)` behind it. */
static ll_rc take_type(struct sql_lexer *l, struct arena *arena, const char **out,
                       struct sql_token *behind, struct ll_error *err)
{
    ll_rc rc = take_name(l, "a parameter's type", arena, out, err);

    if (rc == LL_OK) rc = sql_lexer_next(l, behind, err);
    if (rc != LL_OK || !sql_token_is_symbol(behind, '[')) return rc;
    rc = sql_lexer_next(l, behind, err);
    if (rc != LL_OK) return rc;
    if (!sql_token_is_symbol(behind, ']'))
        return ll_fail(err, LL_EINVAL, "a [ without ]");
    *out = arena_printf(arena, "%s[]", *out);
    return sql_lexer_next(l, behind, err);
}

static ll_rc take_parameter(struct sql_lexer *l, struct sql_file *f,
                            struct sql_section *s, struct sql_token *behind,
                            struct ll_error *err)
{
    size_t n = s->declared_count;
    ll_rc rc;

    if (n == SQL_PARAMETERS)
        return ll_fail(err, LL_EFULL, "more than %d parameters", SQL_PARAMETERS);
    rc = take_name(l, "a parameter's name", &f->arena, &s->declared[n], err);
    if (rc == LL_OK) rc = take_type(l, &f->arena, &s->types[n], behind, err);
    if (rc != LL_OK) return rc;
    for (size_t i = 0; i < n; i++)
        if (strcmp(s->declared[i], s->declared[n]) == 0)
            return ll_fail(err, LL_EINVAL, "parameter %s twice", s->declared[n]);
    s->declared_count++;
    if (!sql_token_is_symbol(behind, ',') && !sql_token_is_symbol(behind, ')'))
        return ll_fail(err, LL_EINVAL, "expected , or ) behind parameter %s",
                       s->declared[n]);
    return LL_OK;
}

static bool at_close(const struct sql_lexer *l)
{
    struct sql_lexer ahead = *l;
    struct sql_token t;

    return sql_lexer_next(&ahead, &t, NULL) == LL_OK && sql_token_is_symbol(&t, ')');
}

/* name(param type, ...) [volatile] */
static ll_rc read_query_head(struct sql_lexer *l, struct sql_file *f,
                             struct sql_section *s, struct ll_error *err)
{
    struct sql_token t;
    ll_rc rc = take_name(l, "a query's name", &f->arena, &s->name, err);

    if (rc == LL_OK) rc = sql_lexer_next(l, &t, err);
    if (rc != LL_OK) return rc;
    if (!sql_token_is_symbol(&t, '('))
        return ll_fail(err, LL_EINVAL, "expected ( behind query %s", s->name);
    if (at_close(l)) {
        rc = sql_lexer_next(l, &t, err);
    } else {
        do rc = take_parameter(l, f, s, &t, err);
        while (rc == LL_OK && !sql_token_is_symbol(&t, ')'));
    }
    if (rc == LL_OK) rc = sql_lexer_next(l, &t, err);
    if (rc == LL_OK && sql_token_is_word(&t, "volatile")) {
        s->is_volatile = true;
        rc = sql_lexer_next(l, &t, err);
    }
    if (rc == LL_OK && t.kind != SQL_END)
        return ll_fail(err, LL_EINVAL, "\"%.*s\" behind the head of query %s",
                       TEXT_ARGS(t.text), s->name);
    return rc;
}

/* One event type: letters, digits, `.`, `-`, and nothing behind it. */
static ll_rc read_event_head(struct text rest, struct sql_file *f, struct sql_section *s,
                             struct ll_error *err)
{
    while (rest.len > 0 && strchr(" \t\r", rest.ptr[rest.len - 1]) != NULL) rest.len--;
    if (rest.len == 0 || rest.len >= 2 * SQL_NAME)
        return ll_fail(err, LL_EINVAL, "expected an event type behind \"-- on\"");
    for (size_t i = 0; i < rest.len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", rest.ptr[i]) == NULL)
            return ll_fail(err, LL_EINVAL,
                           "\"%.*s\" is no event type (a comment must not begin with "
                           "\"on\")",
                           (int)(rest.len < 2 * SQL_NAME ? rest.len : 2 * SQL_NAME),
                           rest.ptr);
    s->name = arena_text(&f->arena, rest).ptr;
    return LL_OK;
}

/* Behind the dashes: does the comment begin with this word? `rest` is what follows. */
static bool begins_with(struct text comment, const char *word, struct text *rest)
{
    size_t n = strlen(word);

    comment = (struct text){comment.ptr + 2, comment.len - 2};
    while (comment.len > 0 && *comment.ptr == ' ') comment.ptr++, comment.len--;
    if (!text_starts_with(comment, word)) return false;
    *rest = (struct text){comment.ptr + n, comment.len - n};
    if (rest->len > 0 && *rest->ptr != ' ') return false;
    while (rest->len > 0 && *rest->ptr == ' ') rest->ptr++, rest->len--;
    return true;
}

static bool is_head(const struct sql_file *f, const struct sql_token *t,
                    struct text *rest)
{
    if (t->kind != SQL_COMMENT || f->kind == SQL_FILE_SCHEMA) return false;
    return begins_with(t->text, f->kind == SQL_FILE_APPLY ? "on" : "query", rest);
}

static const struct sql_section *find_section(const struct sql_file *f, const char *name)
{
    for (size_t i = 0; i < f->section_count; i++)
        if (strcmp(f->sections[i].name, name) == 0) return &f->sections[i];
    return NULL;
}

static ll_rc read_head(struct parse *p, struct text rest, struct sql_section *s)
{
    struct sql_lexer lexer;
    const struct sql_section *other;
    ll_rc rc;

    s->line = p->at->line;
    sql_lexer_init(&lexer, rest);
    if (p->f->kind == SQL_FILE_APPLY)
        rc = read_event_head(rest, p->f, s, p->err);
    else
        rc = read_query_head(&lexer, p->f, s, p->err);
    if (rc != LL_OK) return rc;
    other = find_section(p->f, s->name);
    if (other != NULL)
        return ll_fail(p->err, LL_EINVAL, "%s is already on line %u", s->name,
                       other->line);
    p->at++;
    return LL_OK;
}

/* The tokens up to `;` as one statement. Comments in between are dropped. */
static ll_rc read_statement(struct parse *p, struct sql_section *section,
                            struct sql_statement *s)
{
    struct sql_token *tokens;
    const struct sql_token *start = p->at;
    struct text rest;
    size_t n = 0;

    *s = (struct sql_statement){.line = start->line};
    for (; !sql_token_is_symbol(p->at, ';'); p->at++) {
        if (p->at->kind == SQL_END || is_head(p->f, p->at, &rest))
            return ll_fail(p->err, LL_EINVAL, "the statement that begins here has no ;");
        n += p->at->kind != SQL_COMMENT;
    }
    tokens = arena_alloc(&p->f->arena, n * sizeof(*tokens) + 1);
    s->tokens = tokens;
    for (const struct sql_token *t = start; t < p->at; t++) {
        if (t->kind == SQL_COMMENT) continue;
        tokens[s->token_count] = *t;
        if (t > start && t[-1].kind == SQL_COMMENT) tokens[s->token_count].space = '\n';
        s->token_count++;
    }
    p->at++;
    return sql_render(p->f, p->schema, section, s, p->err);
}

static ll_rc read_section(struct parse *p, struct sql_section *section, size_t most)
{
    struct sql_statement list[SCHEMA_STATEMENTS];
    struct text rest;
    size_t n = 0;

    while (p->at->kind != SQL_END && !is_head(p->f, p->at, &rest)) {
        unsigned line = p->at->line;
        ll_rc rc = LL_OK;

        if (p->at->kind == SQL_COMMENT || sql_token_is_symbol(p->at, ';')) {
            p->at++;
            continue;
        }
        if (n == most) rc = ll_fail(p->err, LL_EFULL, "more than %zu statements", most);
        if (rc == LL_OK) rc = read_statement(p, section, &list[n++]);
        if (rc != LL_OK) {
            ll_error_prefix(p->err, "%s:%u", p->f->path, line);
            return rc;
        }
    }
    section->statement_count = n;
    section->statements = arena_alloc(&p->f->arena, n * sizeof(*list) + 1);
    memcpy(section->statements, list, n * sizeof(*list));
    return LL_OK;
}

/* What stands before the first head belongs to no section: only comments may. */
static ll_rc skip_to_head(struct parse *p, struct text *rest)
{
    while (p->at->kind != SQL_END && !is_head(p->f, p->at, rest)) {
        if (p->at->kind != SQL_COMMENT)
            return ll_fail(p->err, LL_EINVAL,
                           "%s:%u: a statement before the first \"%s\"", p->f->path,
                           p->at->line,
                           p->f->kind == SQL_FILE_APPLY ? "-- on" : "-- query");
        p->at++;
    }
    return LL_OK;
}

/* The heads that stand right before the last section's have its statements too. */
static void share_statements(struct sql_file *f)
{
    const struct sql_section *last = &f->sections[f->section_count - 1];

    for (size_t i = f->section_count - 1; i-- > 0;) {
        struct sql_section *s = &f->sections[i];

        if (s->statement_count > 0) return;
        s->statements = last->statements;
        s->statement_count = last->statement_count;
    }
}

static ll_rc read_sections(struct parse *p)
{
    struct sql_file *f = p->f;
    size_t most = f->kind == SQL_FILE_APPLY ? SQL_STATEMENTS : 1;
    struct text rest = {0};
    ll_rc rc = skip_to_head(p, &rest);

    while (rc == LL_OK && p->at->kind != SQL_END) {
        struct sql_section *s = &f->sections[f->section_count];
        unsigned line = p->at->line;

        if (f->section_count == SQL_SECTIONS)
            return ll_fail(p->err, LL_EFULL, "%s: more than %d sections", f->path,
                           SQL_SECTIONS);
        rc = read_head(p, rest, s);
        if (rc != LL_OK) {
            ll_error_prefix(p->err, "%s:%u", f->path, line);
            return rc;
        }
        rc = read_section(p, s, most);
        if (rc != LL_OK) return rc;
        f->section_count++;
        if (s->statement_count > 0)
            share_statements(f);
        else if (f->kind != SQL_FILE_APPLY || p->at->kind == SQL_END)
            return ll_fail(p->err, LL_EINVAL, "%s:%u: %s has no statement", f->path, line,
                           s->name);
        (void)is_head(f, p->at, &rest);
    }
    return rc;
}

/* create table NAME ( ... / create view NAME as ...: schema.sql's own list. */
static ll_rc list_tables(struct sql_file *f, struct ll_error *err)
{
    const struct sql_section *all = &f->sections[0];

    for (size_t i = 0; i < all->statement_count; i++) {
        const struct sql_statement *s = &all->statements[i];

        if (s->token_count < 3 || !(sql_token_is_word(&s->tokens[1], "table") ||
                                    sql_token_is_word(&s->tokens[1], "view")))
            continue;
        if (f->table_count == SQL_TABLES)
            return ll_fail(err, LL_EFULL, "%s: more than %d tables", f->path, SQL_TABLES);
        f->tables[f->table_count++] = arena_text(&f->arena, s->tokens[2].text).ptr;
    }
    return LL_OK;
}

static ll_rc read_schema(struct parse *p)
{
    struct sql_section *all = &p->f->sections[0];
    ll_rc rc;

    p->f->section_count = 1;
    all->name = "";
    all->line = 1;
    rc = read_section(p, all, SCHEMA_STATEMENTS);
    return rc == LL_OK ? list_tables(p->f, p->err) : rc;
}

ll_rc sql_file_parse(enum sql_file_kind kind, const char *path, struct text content,
                     const struct sql_file *schema, struct sql_file **out,
                     struct ll_error *err)
{
    struct sql_file *f = ll_calloc(1, sizeof(*f));
    struct parse p = {.f = f, .schema = schema, .err = err};
    ll_rc rc = check_bytes(content, err);

    *out = NULL;
    f->kind = kind;
    f->path = path;
    arena_init(&f->arena, ARENA_MAX);
    f->sections = arena_calloc(&f->arena, SQL_SECTIONS, sizeof(*f->sections));
    f->tables = arena_calloc(&f->arena, SQL_TABLES + 1, sizeof(*f->tables));
    if (rc != LL_OK) ll_error_prefix(err, "%s", path);
    if (rc == LL_OK) rc = cut(f, content, err);
    p.at = f->tokens;
    if (rc == LL_OK) rc = kind == SQL_FILE_SCHEMA ? read_schema(&p) : read_sections(&p);
    if (rc == LL_OK) rc = sql_lint(f, err);
    if (rc == LL_OK)
        *out = f;
    else
        sql_file_free(f);
    return rc;
}

void sql_file_free(struct sql_file *f)
{
    if (f == NULL) return;
    arena_fini(&f->arena);
    free(f->tokens);
    free(f);
}

/* There is room for one beyond the limit. */
void sql_file_add_table(struct sql_file *schema, const char *name)
{
    LL_CHECK(schema->kind == SQL_FILE_SCHEMA && schema->table_count <= SQL_TABLES);
    schema->tables[schema->table_count++] = name;
}

bool sql_file_has_table(const struct sql_file *schema, struct text name)
{
    for (size_t i = 0; i < schema->table_count; i++)
        if (text_equal_ignoring_case(name, text_of(schema->tables[i]))) return true;
    return false;
}
