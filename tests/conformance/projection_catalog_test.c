/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection_catalog_test.c - what only Postgres can tell about a projection's SQL is
 * refused when a generation is made, by file and line, and leaves nothing behind. */
#include "folded.h"

#include <stdlib.h>
#include <string.h>

#define TABLES \
    "create table t (a text primary key, n bigint, f float8);\n" \
    "create table u (a text, b text, primary key (a, b));\n"
#define APPLY   "-- on test.counted\ninsert into t (a, n) values (:key, :n);\n"
#define QUERIES "-- query q()\nselect 200 as status, 'x' as body;\n"

struct lint_case {
    const char *schema, *apply, *queries;
    const char *says; /* NULL: passes */
};

static const struct lint_case cases[] = {
    {TABLES, APPLY, QUERIES, NULL},
    {"create table t (a text primary key, n bigint, c nonsense);", APPLY, QUERIES,
     "schema.sql:1: "},
    {TABLES "create table v (x oid default lo_creat(-1));", APPLY, QUERIES,
     "schema.sql:3: calls lo_creat(), which gives something else each time"},
    {TABLES "create view v as select relname as a from pg_class;", APPLY, QUERIES,
     "schema.sql:3: \"pg_catalog.pg_class\" is not its own"},
    {TABLES, "-- on test.counted\ninsert into t (a, nn) values (:key, :n);", QUERIES,
     "apply.sql:2: not understood: column \"nn\""},
    {TABLES, "-- on test.counted\n\nupdate t set n = lo_creat(-1)::bigint;", QUERIES,
     "apply.sql:3: calls lo_creat()"},
    {TABLES, "-- on test.counted\nupdate t set f = (select sum(f) from t);", QUERIES,
     "apply.sql:2: sum() of floats depends on the order of rows"},
    {TABLES, "-- on test.counted\nupdate t set n = (select sum(n) from t), f = 1;",
     QUERIES, NULL},
    {TABLES, "-- on test.counted\nupdate t set n = (select max(f) from t)::bigint;",
     QUERIES, NULL},
    {TABLES, "-- on test.counted\ndelete from t where :n > 2147483648;", QUERIES, NULL},
    {TABLES, APPLY, "-- query q()\nselect 200 as code, 'x' as body;",
     "queries.sql:2: a query returns status (int) and body"},
    {TABLES, APPLY, "-- query q()\nselect 200::bigint as status, 'x' as body;",
     "queries.sql:2: a query returns"},
    {TABLES, APPLY,
     "-- query q()\nselect 200 as status, 'x' as body from t, landlog.generation;",
     "queries.sql:2: \"landlog.generation\" is not its own"},
    {TABLES, APPLY, "-- query q()\nselect 200 as status, 'x' as body from t, pg_roles;",
     "queries.sql:2: \"pg_catalog.pg_"},
    {TABLES, APPLY,
     "-- query q()\nselect 200 as status, a as body\n from t\n order by n limit 1;",
     "queries.sql:4: an order by ends in \"n\", which is in no unique key"},
    {TABLES, APPLY,
     "-- query q()\nselect 200 as status, a as body from u order by a, b limit 1;", NULL},
    {TABLES, APPLY,
     "-- query q()\nselect 200 as status, f::text as body from"
     " (select f, row_number() over (order by n, a) as place from t) x order by place"
     " limit 1;",
     NULL},
    {TABLES, APPLY, "-- query q() volatile\nselect 200 as status, now()::text as body;",
     NULL},
    {TABLES, APPLY,
     "-- query q() volatile\nselect 200 as status, lo_creat(-1)::text as body;",
     "calls lo_creat()"},
    {TABLES, APPLY,
     "-- query q(a text)\nselect 200 as status, :a || n as body from t where a = :a + 1;",
     "queries.sql:2: not understood"},
};

static void check(struct suite *s, struct folded *f, const struct lint_case *c)
{
    const struct projection_files files = {.schema = text_of(c->schema),
                                           .apply = text_of(c->apply),
                                           .queries = text_of(c->queries)};
    struct projection *p;
    struct generation g;
    struct ll_error err = {0};
    bool expected;
    ll_rc rc = projection_make("linted", &files, f->registry, &p, &err);

    if (rc != LL_OK) suite_die("%s", err.text);
    rc = generation_create(f->connection, p, GENERATION_PROJECT, &g, &err);
    expected = c->says == NULL ? rc == LL_OK
                               : rc == LL_EINVAL && strstr(err.text, c->says) != NULL;
    OK(expected);
    if (!expected) printf("  expected %s\n  says %s\n", c->says ? c->says : "", err.text);
    projection_free(p);
}

static void what_the_catalog_knows_is_refused(struct suite *s)
{
    struct generation none = {0};
    struct folded f;
    char *made;
    unsigned fine = 0;
    char expected[16];

    folded_open(&f, s, NULL);
    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        check(s, &f, &cases[i]);
        fine += cases[i].says == NULL;
    }
    made = folded_ask(&f, &none,
                      "select count(*) from pg_namespace where nspname ~ '^linted_g'");
    snprintf(expected, sizeof(expected), "%u", fine);
    OK(strcmp(made, expected) == 0);
    free(made);
    made = folded_ask(&f, &none, "select count(*) from pg_proc where proname = 'lint'");
    OK(strcmp(made, "0") == 0);
    free(made);
    folded_close(&f);
}

/* The query role reads the tables and writes nothing. */
static void the_query_role_only_reads(struct suite *s)
{
    struct generation g, none = {0};
    struct folded f;
    struct ll_error err;
    char *may;

    folded_open(&f, s, NULL);
    may = folded_ask(&f, &none,
                     "select count(*) from pg_roles where rolname = 'landlog_query'");
    if (strcmp(may, "1") == 0) {
        free(may);
        OK(generation_create(f.connection, f.projection, GENERATION_PROJECT, &g, &err) ==
           LL_OK);
        may = folded_ask(
            &f, &g,
            "select has_table_privilege('landlog_query', '%s.tally', 'select')"
            " and has_table_privilege('landlog_query', '%s.checkpoint', 'select')"
            " and has_table_privilege('landlog_query', 'landlog.generation', 'select')"
            " and not has_table_privilege('landlog_query', '%s.tally', 'insert')"
            " and not has_function_privilege('landlog_query',"
            "  '%s.advance(text, int, bigint, bigint, bigint, uuid)', 'execute')");
        OK(strcmp(may, "t") == 0);
    }
    free(may);
    folded_close(&f);
}

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    RUN(what_the_catalog_knows_is_refused);
    RUN(the_query_role_only_reads);
    printf("%lu checks, %lu failed\n", s->checks, s->failed);
    return s->failed > 0 || s->checks == 0;
}
