/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* catalog_lint.c - a statement becomes the body of a function that is never called: its
 * parsed tree then lies in pg_proc, with the number of each function and table it uses.
 */
#include "core/projection/catalog_lint.h"

#include "core/pg/connect.h"
#include "core/projection/handler.h"
#include "core/projection/sql_lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENT_MAX = 4 * SQL_FILE_MAX };

struct catalog {
    PGconn *connection;
    const struct projection *p;
    const char *schema;
    struct ll_error *err;
};

/* Why a tree is refused: one row, or none. $1 schema, $2 the tree's text, $3 whether it
 * may read the clock. */
static const char tree_sql[] =
    "with called as ("
    "  select m[1]::oid as oid from regexp_matches($2,"
    "    ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\\d+)', 'g') m"
    "  union select o.oprcode::oid from regexp_matches($2, ':opno (\\d+)', 'g') m"
    "    join pg_operator o on o.oid = m[1]::oid)"
    " select format('calls %s(), which gives something else each time', f.proname)"
    "   from called join pg_proc f using (oid) where f.provolatile = 'v'"
    "    and not ($3::boolean and f.proname in ('clock_timestamp', 'timeofday'))"
    " union all"
    " select format('%s() of floats depends on the order of rows', f.proname)"
    "   from called join pg_proc f using (oid) where f.prokind = 'a'"
    "    and f.proname not in ('min', 'max', 'count')"
    "    and f.proargtypes::oid[] && array['float4'::regtype::oid, 'float8'::regtype]"
    " union all"
    " select format('\"%s.%s\" is not its own', t.relnamespace::regnamespace, t.relname)"
    "   from regexp_matches($2, ':relid (\\d+)', 'g') m join pg_class t"
    "     on t.oid = m[1]::oid where t.relnamespace <> $1::regnamespace"
    " limit 1";

/* Every other tree of the schema: column defaults, checks, views (which also name
 * themselves as old and new). */
static const char trees_sql[] =
    "select t.relname, d.adbin::text from pg_attrdef d join pg_class t on t.oid = "
    "d.adrelid"
    " where t.relnamespace = $1::regnamespace"
    " union all select t.relname, c.conbin::text from pg_constraint c"
    "  join pg_class t on t.oid = c.conrelid"
    "  where t.relnamespace = $1::regnamespace and c.conbin is not null"
    " union all select t.relname, r.ev_action::text from pg_rewrite r"
    "  join pg_class t on t.oid = r.ev_class where t.relnamespace = $1::regnamespace";

static const char key_sql[] =
    "select from pg_attribute a join pg_class t on t.oid = a.attrelid"
    " where t.relnamespace = $1::regnamespace and t.relkind = 'r' and t.relname not in "
    "('checkpoint', 'outgoing')"
    "   and a.attnum > 0 and a.attname = $2"
    " having count(*) > 0 and not bool_or(exists (select from pg_index i"
    "   where i.indrelid = t.oid and i.indisunique and a.attnum = any(i.indkey)))";

static ll_rc refuse(const struct catalog *c, const struct sql_file *f, unsigned line,
                    const char *why)
{
    return ll_fail(c->err, LL_EINVAL, "%s:%u: %s", f->path, line, why);
}

static ll_rc check_tree(const struct catalog *c, const struct sql_file *f, unsigned line,
                        const char *tree, bool may_read_clock)
{
    const char *const values[] = {c->schema, tree, may_read_clock ? "true" : "false"};
    PGresult *result;
    ll_rc rc = pg_query(c->connection, tree_sql, values, 3, &result, c->err);

    if (rc != LL_OK) return rc;
    if (PQntuples(result) > 0) rc = refuse(c, f, line, PQgetvalue(result, 0, 0));
    PQclear(result);
    return rc;
}

/* ---- schema.sql ---- */

/* The line of the statement that creates this table. */
static unsigned line_of(const struct sql_file *f, const char *table)
{
    const struct sql_section *all = &f->sections[0];

    for (size_t i = 0; i < all->statement_count; i++)
        if (all->statements[i].token_count > 2 &&
            text_is(all->statements[i].tokens[2].text, table))
            return all->statements[i].line;
    return 1;
}

static ll_rc check_schema(const struct catalog *c)
{
    const struct sql_file *f = c->p->files[SQL_FILE_SCHEMA];
    PGresult *trees;
    ll_rc rc = pg_query(c->connection, trees_sql, &c->schema, 1, &trees, c->err);

    if (rc != LL_OK) return rc;
    for (int i = 0; i < PQntuples(trees) && rc == LL_OK; i++)
        rc = check_tree(c, f, line_of(f, PQgetvalue(trees, i, 0)),
                        PQgetvalue(trees, i, 1), false);
    PQclear(trees);
    return rc;
}

/* ---- statements ---- */

/* The types that Postgres finds for a statement's parameters, and a query's columns. */
static ll_rc describe(const struct catalog *c, const char *sql, int count,
                      const Oid *types, PGresult **out)
{
    PGresult *prepared = PQprepare(c->connection, "", sql, count, types);
    ll_rc rc = LL_OK;

    *out = NULL;
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
        rc = pg_fail(c->connection, prepared, "not understood", c->err);
    PQclear(prepared);
    if (rc != LL_OK) return rc;
    *out = PQdescribePrepared(c->connection, "");
    if (PQresultStatus(*out) != PGRES_COMMAND_OK)
        rc = pg_fail(c->connection, *out, "describe", c->err);
    return rc;
}

/* "text, bigint": the parameters' types by name. */
static ll_rc list_types(const struct catalog *c, const PGresult *described, char **out)
{
    struct builder oids;
    const char *value;
    PGresult *result;
    ll_rc rc;

    builder_init(&oids, 4096);
    for (int i = 0; i < PQnparams(described); i++)
        builder_printf(&oids, "%c%u", i == 0 ? '{' : ',', PQparamtype(described, i));
    builder_string(&oids, oids.len > 0 ? "}" : "{}");
    value = builder_view(&oids).ptr;
    rc = pg_query(c->connection,
                  "select coalesce(string_agg(format_type(t, null), ', ' order by n), '')"
                  " from unnest($1::oid[]) with ordinality u(t, n)",
                  &value, 1, &result, c->err);
    if (rc == LL_OK) {
        *out = ll_strdup(PQgetvalue(result, 0, 0));
        PQclear(result);
    }
    builder_fini(&oids);
    return rc;
}

/* Make the function, give its tree, drop it. The caller frees. */
static ll_rc parse_tree(const struct catalog *c, const char *sql,
                        const PGresult *described, char **tree)
{
    struct builder b;
    char *types = NULL;
    PGresult *result;
    ll_rc rc = list_types(c, described, &types);

    if (rc != LL_OK) return rc;
    builder_init(&b, STATEMENT_MAX);
    builder_printf(&b,
                   "create function \"%s\".lint(%s) returns void language sql"
                   " begin atomic %s; end",
                   c->schema, types, sql);
    free(types);
    rc = pg_query(c->connection, builder_view(&b).ptr, NULL, 0, NULL, c->err);
    if (rc == LL_OK)
        rc = pg_query(c->connection,
                      "select prosqlbody::text from pg_proc where proname = 'lint'"
                      " and pronamespace = $1::regnamespace",
                      &c->schema, 1, &result, c->err);
    if (rc == LL_OK) {
        *tree = ll_strdup(PQgetvalue(result, 0, 0));
        PQclear(result);
        builder_reset(&b);
        builder_printf(&b, "drop function \"%s\".lint", c->schema);
        rc = pg_query(c->connection, builder_view(&b).ptr, NULL, 0, NULL, c->err);
    }
    builder_fini(&b);
    return rc;
}

static ll_rc check_order_key(const struct catalog *c, const struct sql_file *f,
                             const struct sql_token *name)
{
    char text[SQL_NAME];
    const char *const values[] = {c->schema, text};
    struct text plain = name->text;
    PGresult *result;
    ll_rc rc;

    if (name->kind == SQL_QUOTED) plain = (struct text){plain.ptr + 1, plain.len - 2};
    snprintf(text, sizeof(text), "%.*s",
             (int)(plain.len < SQL_NAME ? plain.len : SQL_NAME), plain.ptr);
    rc = pg_query(c->connection, key_sql, values, 2, &result, c->err);
    if (rc != LL_OK) return rc;
    if (PQntuples(result) > 0)
        rc = ll_fail(c->err, LL_EINVAL,
                     "%s:%u: an order by ends in \"%s\", which is in no unique key",
                     f->path, name->line, text);
    PQclear(result);
    return rc;
}

struct order_keys {
    const struct catalog *c;
    const struct sql_file *f;
    ll_rc rc;
};

static void take_order_key(void *context, const struct sql_token *name)
{
    struct order_keys *keys = context;

    if (keys->rc == LL_OK) keys->rc = check_order_key(keys->c, keys->f, name);
}

static ll_rc check_columns(const struct catalog *c, const struct sql_file *f,
                           unsigned line, const PGresult *described)
{
    enum { INT4 = 23, JSON = 114, JSONB = 3802 };
    Oid body = PQnfields(described) == 2 ? PQftype(described, 1) : 0;

    if (PQnfields(described) != 2 || strcmp(PQfname(described, 0), "status") != 0 ||
        strcmp(PQfname(described, 1), "body") != 0 || PQftype(described, 0) != INT4 ||
        (body != TYPE_TEXT && body != JSON && body != JSONB))
        return refuse(c, f, line, "a query returns status (int) and body (text or json)");
    return LL_OK;
}

/* One statement of apply.sql or queries.sql, with the types its parameters declare. */
static ll_rc check_statement(const struct catalog *c, const struct sql_file *f,
                             const struct sql_section *section,
                             const struct sql_statement *s, const Oid *types)
{
    struct order_keys keys = {c, f, LL_OK};
    struct builder sql;
    PGresult *described;
    char *tree = NULL;
    ll_rc rc;

    builder_init(&sql, STATEMENT_MAX);
    sql_expand(s->sql, c->schema, &sql);
    rc = describe(c, builder_view(&sql).ptr, (int)s->parameter_count, types, &described);
    if (rc == LL_OK && f->kind == SQL_FILE_QUERIES)
        rc = check_columns(c, f, s->line, described);
    if (rc == LL_OK) rc = parse_tree(c, builder_view(&sql).ptr, described, &tree);
    if (rc == LL_OK) rc = check_tree(c, f, s->line, tree, section->is_volatile);
    if (rc == LL_OK) {
        sql_order_keys(s, take_order_key, &keys);
        rc = keys.rc;
    }
    /* Postgres' words say not where */
    if (rc == LL_EDATABASE) ll_error_prefix(c->err, "%s:%u", f->path, s->line);
    free(tree);
    PQclear(described);
    builder_fini(&sql);
    return rc;
}

static ll_rc check_apply(const struct catalog *c)
{
    const struct sql_file *f = c->p->files[SQL_FILE_APPLY];

    for (size_t i = 0; i < c->p->handler_count; i++) {
        const struct handler *h = &c->p->handlers[i];

        for (size_t k = 0; k < h->statement_count; k++) {
            Oid types[SQL_PARAMETERS];
            ll_rc rc;

            for (size_t n = 0; n < SQL_PARAMETERS; n++)
                types[n] = h->statements[k].parameters[n].type;
            rc = check_statement(c, f, &f->sections[i], h->statements[k].text, types);
            if (rc != LL_OK) return rc;
        }
    }
    return LL_OK;
}

static ll_rc check_queries(const struct catalog *c)
{
    const struct sql_file *f = c->p->files[SQL_FILE_QUERIES];

    for (size_t i = 0; i < f->section_count; i++) {
        const struct sql_section *section = &f->sections[i];
        ll_rc rc = check_statement(c, f, section, &section->statements[0], NULL);

        if (rc != LL_OK) return rc;
    }
    return LL_OK;
}

ll_rc catalog_lint(PGconn *connection, const struct projection *p, const char *schema,
                   struct ll_error *err)
{
    struct catalog c = {connection, p, schema, err};
    ll_rc rc = check_schema(&c);

    if (rc == LL_OK) rc = check_apply(&c);
    if (rc == LL_OK) rc = check_queries(&c);
    /* passing trouble (the connection) must not look like a mistake in the files */
    return rc == LL_EDATABASE && PQstatus(connection) == CONNECTION_OK ? LL_EINVAL : rc;
}
