/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_file_test.c - sections, statements, parameters and marks as Postgres will see them,
 * and where a refusal points. */
#include "core/projection/sql_file.h"
#include "core/base/embedded.h"
#include "t.h"

#include <string.h>

static struct ll_error err;

static struct sql_file *parse(enum sql_file_kind kind, const char *text,
                              const struct sql_file *schema)
{
    struct sql_file *f;

    err.text[0] = '\0';
    return sql_file_parse(kind, "f.sql", text_of(text), schema, &f, &err) == LL_OK ? f
                                                                                   : NULL;
}

static struct sql_file *schema_of(const char *text)
{
    return parse(SQL_FILE_SCHEMA, text, NULL);
}

static void a_section_holds_its_statements(void)
{
    struct sql_file *schema = schema_of("create table t (a int, b text);");
    struct sql_file *f =
        parse(SQL_FILE_APPLY,
              "-- about\n"
              "-- on a.one\n"
              "insert into t values (:x, ':y'); -- why\n"
              "delete from t where a = :x /* :z; */ and b = :y::text and a <> :x;\n\n"
              "-- on a.two-words\n"
              "update t set a = :event.time;\n",
              schema);

    OK(schema != NULL && f != NULL && f->section_count == 2);
    if (f == NULL) return;
    OK(strcmp(f->sections[0].name, "a.one") == 0 && f->sections[0].line == 2);
    OK(f->sections[0].statement_count == 2 && f->sections[0].statements[1].line == 4);
    OK(strcmp(f->sections[0].statements[0].sql, "insert into \x01t values ( $1, ':y')") ==
       0);
    OK(strcmp(f->sections[0].statements[1].sql,
              "delete from \x01t where a =  $1 and b =  $2::text and a <>  $1") == 0);
    OK(f->sections[0].statements[1].parameter_count == 2);
    OK(strcmp(f->sections[0].statements[1].parameters[1], "y") == 0);
    OK(strcmp(f->sections[1].name, "a.two-words") == 0);
    OK(strcmp(f->sections[1].statements[0].parameters[0], "event.time") == 0);
    sql_file_free(f);
    sql_file_free(schema);
}

static void heads_in_a_row_share_what_follows(void)
{
    struct sql_file *schema = schema_of("create table t (a int);");
    struct sql_file *f = parse(SQL_FILE_APPLY,
                               "-- on a.zero\ninsert into t values (0);\n"
                               "-- on a.one\n-- on a.two\n-- and why\n-- on a.three\n"
                               "insert into t values (:x);\ndelete from t;\n",
                               schema);

    OK(f != NULL && f->section_count == 4);
    if (f == NULL) return;
    OK(f->sections[0].statement_count == 1);
    for (size_t i = 1; i < 4; i++)
        OK(f->sections[i].statement_count == 2 &&
           f->sections[i].line == (i < 3 ? i + 2 : 6) &&
           strcmp(f->sections[i].statements[0].sql, "insert into \x01t values ( $1)") ==
               0);
    OK(parse(SQL_FILE_APPLY, "-- on a.one\ndelete from t;\n-- on a.two\n", schema) ==
       NULL);
    OK(strstr(err.text, "a.two has no statement") != NULL);
    OK(parse(SQL_FILE_APPLY, "-- on a.one\n-- on a.one\ndelete from t;\n", schema) ==
       NULL);
    OK(strstr(err.text, "is already on line") != NULL);
    OK(parse(SQL_FILE_QUERIES, "-- query a()\n-- query b()\nselect 1;\n", NULL) == NULL);
    sql_file_free(f);
    sql_file_free(schema);
}

static void a_query_declares_its_parameters(void)
{
    struct sql_file *f =
        parse(SQL_FILE_QUERIES,
              "-- query friends(address text, limit int, ids uuid[])\n"
              "select 200 as status, :address || :ids as body limit:limit;"
              "-- query none() volatile\n"
              "select 1, 2",
              NULL);

    OK(f == NULL && strstr(err.text, "f.sql:3: more than") != NULL);
    f = parse(SQL_FILE_QUERIES,
              "-- query friends(address text, limit int, ids uuid[])\n"
              "select 200 as status, :address || :ids as body order by a limit:limit;\n"
              "-- query none() volatile\n"
              "select now(), 'it''s :x';\n",
              NULL);
    OK(f != NULL && f->section_count == 2);
    if (f == NULL) return;
    OK(f->sections[0].declared_count == 3 && f->sections[0].types[2] != NULL &&
       strcmp(f->sections[0].types[2], "uuid[]") == 0);
    OK(strcmp(f->sections[0].statements[0].sql,
              "select 200 as status,  $1::text ||  $3::uuid[] as body order by a limit "
              "$2::int") == 0);
    OK(f->sections[1].is_volatile && !f->sections[0].is_volatile);
    sql_file_free(f);
}

static void tables_are_marked_where_they_stand(void)
{
    static const char *const cases[][2] = {
        {"delete from t using u where t.a = u.a;",
         "delete from \x01t using \x01u where t.a = u.a"},
        {"insert into t (a) select a from u, t x join (t y cross join u) using (a);",
         "insert into \x01t (a) select a from \x01u, \x01t x join (\x01t y cross join "
         "\x01u) "
         "using (a)"},
        {"update only t set a = u.a from (select a, t.b from \"u\", lateral t) u;",
         "update only \x01t set a = u.a from (select a, t.b from \x01\"u\", lateral "
         "\x01t) "
         "u"},
        {"insert into t values (1, 2) on conflict (a) do update set a = t.a, u = 1;",
         "insert into \x01t values (1, 2) on conflict (a) do update set a = t.a, u = 1"},
        {"delete from t where t in (select t, u from t);",
         "delete from \x01t where t in (select t, u from \x01t)"},
    };
    struct sql_file *schema =
        schema_of("create table t (a int); create view u as select a from t;");
    struct builder out;

    OK(schema != NULL && schema->table_count == 2);
    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        char text[256];
        struct sql_file *f;

        snprintf(text, sizeof(text), "-- on a.b\n%s", cases[i][0]);
        f = parse(SQL_FILE_APPLY, text, schema);
        OK(f != NULL && strcmp(f->sections[0].statements[0].sql, cases[i][1]) == 0);
        sql_file_free(f);
    }
    builder_init(&out, 100);
    sql_expand("a \x01t b \x01u", "s_g1", &out);
    OK(text_is(builder_view(&out), "a \"s_g1\".t b \"s_g1\".u"));
    builder_fini(&out);
    sql_file_free(schema);
}

static void quotes_and_comments_hide_what_they_hold(void)
{
    struct sql_file *f =
        parse(SQL_FILE_APPLY,
              "-- on a.b\n"
              "insert into x values ('a;''b', E'\\';', \"c;\"\"d\", $$;$$, $q$;$$;$q$,\n"
              "  /* ; /* nested ; */ ; */ 1.5e-3, a::int, b[1:2], 'x'\n  'y' -- ;\n);",
              NULL);

    OK(f != NULL && f->sections[0].statement_count == 1);
    if (f == NULL) return;
    OK(strcmp(f->sections[0].statements[0].sql,
              "insert into x values ('a;''b', E'\\';', \"c;\"\"d\", $$;$$, $q$;$$;$q$,\n"
              "1.5e-3, a::int, b[1:2], 'x'\n'y'\n)") == 0);
    sql_file_free(f);
}

static void a_refusal_names_file_and_line(void)
{
    static const struct {
        enum sql_file_kind kind;
        const char *text, *says;
    } cases[] = {
        {SQL_FILE_APPLY, "insert into t values (1);", "f.sql:1: a statement before"},
        {SQL_FILE_APPLY, "-- on a.b\n\ninsert into t", "f.sql:3: the statement"},
        {SQL_FILE_APPLY, "-- on a.b\ninsert into t\n-- on a.c\n;",
         "f.sql:2: the statement"},
        {SQL_FILE_APPLY, "-- on the other hand\n", "f.sql:1: \"the other hand\""},
        {SQL_FILE_APPLY, "-- on a.b\n-- on a.c\n", "f.sql:2: a.c has no"},
        {SQL_FILE_APPLY, "-- on a.b\ndelete from t;\n-- on a.b\n;", "already on line 1"},
        {SQL_FILE_APPLY, "-- on a.b\ndelete from t where a = $1;",
         "f.sql:2: parameters go"},
        {SQL_FILE_APPLY, "-- on a.b\ndelete from t where a = 'x;", "f.sql:2: a string"},
        {SQL_FILE_APPLY, "-- on a.b\n/* /* */ delete", "a comment has no end"},
        {SQL_FILE_APPLY, "-- on a.b\ndelete from t where (a;", "a ( without"},
        {SQL_FILE_APPLY, "-- on a.b\ndelete from t where a);", "a ) without"},
        {SQL_FILE_APPLY, "-- on a.b\ndelete from t where a = \x01;", "0x01"},
        {SQL_FILE_APPLY, "-- on a.b\ndelete from t where a = \xff;", "not UTF-8"},
        {SQL_FILE_QUERIES, "-- query q(a text)\nselect 1, 2;",
         "f.sql:2: query q does not use"},
        {SQL_FILE_QUERIES, "-- query q()\nselect :b;", "does not declare :b"},
        {SQL_FILE_QUERIES, "-- query q(a text, a int)\nselect :a;",
         "f.sql:1: parameter a"},
        {SQL_FILE_QUERIES, "-- query q(a)\nselect :a;", "a parameter's type"},
        {SQL_FILE_QUERIES, "-- query q(a text) slow\nselect :a;", "behind the head"},
        {SQL_FILE_QUERIES, "-- query q\nselect 1;", "expected ("},
        {SQL_FILE_QUERIES, "-- query q()\nselect 1; select 2;", "more than 1 statements"},
        {SQL_FILE_SCHEMA, "create table t (a int default :x);", "has no parameters"},
    };

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        OK(parse(cases[i].kind, cases[i].text, NULL) == NULL);
        OK(strstr(err.text, cases[i].says) != NULL);
        if (strstr(err.text, cases[i].says) == NULL) puts(err.text);
    }
}

static void the_binarys_own_files_pass(void)
{
    for (const struct embedded_file *e = embedded_files; e->path != NULL; e++) {
        struct text content = {e->start, (size_t)(e->end - e->start)};
        char path[200];
        struct sql_file *schema, *f = NULL;

        if (strncmp(e->path, "projections/", 12) != 0 ||
            strstr(e->path, "/apply.sql") == NULL)
            continue;
        snprintf(path, sizeof(path), "%.*sschema.sql", (int)(strlen(e->path) - 9),
                 e->path);
        OK(embedded_find(path, &content));
        OK(sql_file_parse(SQL_FILE_SCHEMA, path, content, NULL, &schema, &err) == LL_OK);
        OK(sql_file_parse(SQL_FILE_APPLY, e->path,
                          (struct text){e->start, (size_t)(e->end - e->start)}, schema,
                          &f, &err) == LL_OK);
        sql_file_free(f);
        snprintf(path, sizeof(path), "%.*squeries.sql", (int)(strlen(e->path) - 9),
                 e->path);
        f = NULL;
        OK(embedded_find(path, &content));
        OK(sql_file_parse(SQL_FILE_QUERIES, path, content, schema, &f, &err) == LL_OK);
        if (f == NULL) puts(err.text);
        sql_file_free(f);
        sql_file_free(schema);
    }
}

int main(void)
{
    RUN(a_section_holds_its_statements);
    RUN(heads_in_a_row_share_what_follows);
    RUN(a_query_declares_its_parameters);
    RUN(tables_are_marked_where_they_stand);
    RUN(quotes_and_comments_hide_what_they_hold);
    RUN(a_refusal_names_file_and_line);
    RUN(the_binarys_own_files_pass);
    return t_done();
}
