/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_lint_test.c - each rule refuses what it is for and lets its look-alikes through. */
#include "core/projection/sql_lint.h"
#include "t.h"

#include <string.h>

static struct ll_error err;

static const char *const head[] = {"", "-- on a.b\n", "-- query q()\n"};

static bool passes(enum sql_file_kind kind, const char *statement)
{
    char text[512];
    struct sql_file *f;

    err.text[0] = '\0';
    snprintf(text, sizeof(text), "%s%s;", head[kind], statement);
    if (sql_file_parse(kind, "f.sql", text_of(text), NULL, &f, &err) != LL_OK)
        return false;
    sql_file_free(f);
    return true;
}

struct pair {
    enum sql_file_kind kind;
    const char *statement, *says; /* NULL: passes */
};

static void check(const struct pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_fine = passes(pairs[i].kind, pairs[i].statement);
        bool expected = pairs[i].says == NULL
                            ? is_fine
                            : !is_fine && strstr(err.text, pairs[i].says) != NULL &&
                                  strstr(err.text, "f.sql:") == err.text;

        OK(expected);
        if (!expected) printf("  %s\n  says: %s\n", pairs[i].statement, err.text);
    }
}

static void the_clock_is_not_read(void)
{
    static const struct pair pairs[] = {
        {SQL_FILE_APPLY, "update t set a = now()", "reads the clock"},
        {SQL_FILE_APPLY, "update t set a = NOW ()", "reads the clock"},
        {SQL_FILE_APPLY, "update t set a = current_timestamp", "reads the clock"},
        {SQL_FILE_APPLY, "update t set a = 'now'::timestamptz", "reads the clock"},
        {SQL_FILE_APPLY, "update t set a = date 'today'", "reads the clock"},
        {SQL_FILE_APPLY, "update t set a = age(b)", "reads the clock"},
        {SQL_FILE_APPLY, "update t set a = 'now', b = 'now()'", NULL},
        {SQL_FILE_APPLY, "update t set now = 1, a = t.now", NULL},
        {SQL_FILE_QUERIES, "select 1 where a > clock_timestamp()", "reads the clock"},
        {SQL_FILE_SCHEMA, "create table t (a date default current_date)",
         "reads the clock"},
    };
    struct sql_file *f;

    check(pairs, LL_LENGTH(pairs));
    OK(sql_file_parse(SQL_FILE_QUERIES, "f.sql",
                      TEXT("-- query q() volatile\nselect now(), current_date;"), NULL,
                      &f, &err) == LL_OK);
    sql_file_free(f);
    OK(sql_file_parse(SQL_FILE_QUERIES, "f.sql",
                      TEXT("-- query q() volatile\nselect random();"), NULL, &f,
                      &err) == LL_EINVAL);
}

static void nothing_differs_from_time_to_time(void)
{
    static const struct pair pairs[] = {
        {SQL_FILE_APPLY, "insert into t values (random())", "something else each time"},
        {SQL_FILE_APPLY, "insert into t values (gen_random_uuid())", "something else"},
        {SQL_FILE_APPLY, "insert into t values (nextval('s'))",
         "something else each time"},
        {SQL_FILE_APPLY, "insert into t values (pg_backend_pid())", "something else"},
        {SQL_FILE_APPLY, "insert into t values (current_user)", "who is connected"},
        {SQL_FILE_SCHEMA, "create table t (a bigserial)", "numbers rows"},
        {SQL_FILE_SCHEMA, "create table t (a int generated always as identity)",
         "numbers rows"},
        {SQL_FILE_SCHEMA, "create table t (a int generated always as (b + 1) stored)",
         NULL},
        {SQL_FILE_APPLY, "insert into t (random) values (:random)", NULL},
    };

    check(pairs, LL_LENGTH(pairs));
}

static void names_stand_alone(void)
{
    static const struct pair pairs[] = {
        {SQL_FILE_APPLY, "insert into public.t values (1)", "schema's name"},
        {SQL_FILE_APPLY, "delete from t using \"s\".u where true", "schema's name"},
        {SQL_FILE_APPLY, "update t set a = s.f(1)", "schema's name"},
        {SQL_FILE_APPLY, "update t set a = 1::s.kind", "schema's name"},
        {SQL_FILE_QUERIES, "select 1 from a join landlog.event using (x)",
         "schema's name"},
        {SQL_FILE_SCHEMA, "create table s.t (a int)", "stands where"},
        {SQL_FILE_SCHEMA, "create index i on s.t (a)", "schema's name"},
        {SQL_FILE_SCHEMA, "create table t (a int references s.u (a))", "schema's name"},
        {SQL_FILE_SCHEMA, "create view v as select 1 as a from t join u on t.a = u.a",
         NULL},
        {SQL_FILE_QUERIES, "select t.a from t join u on t.a = u.a where t.b in (1)",
         NULL},
        {SQL_FILE_QUERIES, "select extract(year from t.a) from t", NULL},
        {SQL_FILE_QUERIES, "select 1 from t where a is distinct from t.b", NULL},
    };

    check(pairs, LL_LENGTH(pairs));
}

static void order_is_said(void)
{
    static const struct pair pairs[] = {
        {SQL_FILE_QUERIES, "select json_agg(a) from t", "needs an order by inside"},
        {SQL_FILE_QUERIES, "select json_agg(a order by b) from t", NULL},
        {SQL_FILE_QUERIES, "select json_agg(f(a, (select b from c order by d))) from t",
         "needs an order by inside"},
        {SQL_FILE_QUERIES, "select array(select a from t)", "needs an order by inside"},
        {SQL_FILE_QUERIES, "select array(select a from t order by a)", NULL},
        {SQL_FILE_QUERIES, "select a from t limit 1", "needs an order by in the same"},
        {SQL_FILE_QUERIES, "select a from (select b from c order by b) t limit 1",
         "needs an order by in the same"},
        {SQL_FILE_QUERIES, "select a from t order by a desc nulls last limit 1", NULL},
        {SQL_FILE_QUERIES, "select distinct on (a) a, b from t",
         "needs an order by in the"},
        {SQL_FILE_QUERIES, "select distinct on (a) a, b from t order by a, b", NULL},
        {SQL_FILE_QUERIES,
         "select 1 from (select distinct on (a) a, b from t) x order by a",
         "needs an order by in the"},
        {SQL_FILE_QUERIES, "select row_number() over (partition by a) from t",
         "order by in its window"},
        {SQL_FILE_QUERIES, "select row_number() over (order by a) from t", NULL},
        {SQL_FILE_QUERIES, "select a from t order by a, 1", "must end in the name"},
        {SQL_FILE_QUERIES, "select a from t order by b, lower(a)",
         "must end in the name"},
        {SQL_FILE_QUERIES, "select a from t order by f(b, c), t.a collate \"C\" asc",
         NULL},
        {SQL_FILE_QUERIES, "select a as array_agg, \"limit\", t.limit from t", NULL},
    };

    check(pairs, LL_LENGTH(pairs));
}

static void each_file_has_its_kind_of_statement(void)
{
    static const struct pair pairs[] = {
        {SQL_FILE_SCHEMA, "create temp table t (a int)", "has no place"},
        {SQL_FILE_SCHEMA, "create unlogged table t (a int)", "has no place"},
        {SQL_FILE_SCHEMA, "create table if not exists t (a int)", "stands where"},
        {SQL_FILE_SCHEMA, "create table \"T\" (a int)", "no table's name"},
        {SQL_FILE_SCHEMA, "create table checkpoint (a int)", "runner's own"},
        {SQL_FILE_SCHEMA, "create table t as select 1", "stands where"},
        {SQL_FILE_SCHEMA, "create sequence s", "has no place"},
        {SQL_FILE_SCHEMA, "create unique index i on t (a)", NULL},
        {SQL_FILE_SCHEMA, "create index concurrently i on t (a)", "has no place"},
        {SQL_FILE_SCHEMA, "insert into t values (1)", "has no place"},
        {SQL_FILE_APPLY, "drop table t", "has no place in apply.sql"},
        {SQL_FILE_APPLY, "select f()", "has no place in apply.sql"},
        {SQL_FILE_APPLY, "with x as (select 1) delete from t using x where true", NULL},
        {SQL_FILE_QUERIES, "delete from t", "has no place in queries.sql"},
        {SQL_FILE_QUERIES, "with x as (delete from t returning a) select 1", "writes"},
        {SQL_FILE_QUERIES, "select a from t for update", "writes"},
        {SQL_FILE_QUERIES, "select t.update, 'delete' from t", NULL},
    };

    check(pairs, LL_LENGTH(pairs));
}

static void keep_name(void *context, const struct sql_token *name)
{
    snprintf(context, 64, "%.*s", TEXT_ARGS(name->text));
}

static void the_last_key_is_found(void)
{
    char name[64] = "";
    struct sql_file *f;

    OK(sql_file_parse(
           SQL_FILE_QUERIES, "f.sql",
           TEXT("-- query q()\nselect a from t order by b desc, t.key desc limit "
                "10 offset 5;"),
           NULL, &f, &err) == LL_OK);
    sql_order_keys(&f->sections[0].statements[0], keep_name, name);
    OK(strcmp(name, "key") == 0);
    sql_file_free(f);
}

int main(void)
{
    RUN(the_clock_is_not_read);
    RUN(nothing_differs_from_time_to_time);
    RUN(names_stand_alone);
    RUN(order_is_said);
    RUN(each_file_has_its_kind_of_statement);
    RUN(the_last_key_is_found);
    return t_done();
}
