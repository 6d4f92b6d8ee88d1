/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* outgoing_test.c - what a reactor may say of its table `outgoing`, and others may not.
 */
#include "core/projection/handler.h"
#include "t.h"

#include <string.h>

static struct registry *registry;
static struct ll_error err;

static const char plain_schema[] =
    "create table t (a text primary key, outgoing bigint);";
static const char plain_queries[] = "-- query q()\nselect 200 as status, '{}' as body;";

static struct projection *make(bool is_reactor, const char *schema, const char *apply,
                               const char *queries)
{
    struct projection_files files = {.schema = text_of(schema),
                                     .apply = text_of(apply),
                                     .queries = text_of(queries),
                                     .is_reactor = is_reactor};
    struct projection *p;

    return projection_make("test", &files, registry, &p, &err) == LL_OK ? p : NULL;
}

#define ON "-- on social.user-blocked\n"
#define INSERT \
    "insert into outgoing (subject, type, data, input_topic, input_partition, " \
    "input_sequence) values (:blocker, 'a.b', '{}', "
#define ORIGIN ":event.topic, :event.partition, :event.sequence)"

static void a_reactor_writes_it(void)
{
    static const char *const fine[] = {
        ON INSERT ORIGIN " on conflict (subject) do nothing;",
        ON INSERT ORIGIN " on conflict (subject) do update set due = outgoing.due;",
        ON "update outgoing set due = 1 where subject = :blocker;",
        ON "delete from outgoing where subject = :blocker;",
        ON "delete from outgoing o using t where o.subject = t.a;",
        ON "with d as (insert into t values (:blocker) on conflict do nothing returning "
           "a) " INSERT ORIGIN ";",
        ON "with o as (" INSERT ORIGIN ") insert into t values (:blocker) returning a;",
    };

    for (size_t i = 0; i < LL_LENGTH(fine); i++) {
        struct projection *p =
            make(true, "create table t (a text primary key);", fine[i], plain_queries);

        OK(p != NULL);
        if (p == NULL) {
            puts(err.text);
            continue;
        }
        OK(projection_is_reactor(p));
        OK(strchr(p->handlers[0].statements[0].text->sql, SQL_SCHEMA_MARK) != NULL);
        projection_free(p);
    }
}

struct refused {
    bool is_reactor;
    const char *schema, *apply, *queries, *says;
};

static void all_else_is_refused(void)
{
    static const char fine[] = ON "delete from t where a = :blocker;";
    static const struct refused cases[] = {
        {true, "create table outgoing (a text primary key);", fine, plain_queries,
         "consumers/test/schema.sql:1: \"outgoing\" is the runner's own table"},
        {true, plain_schema, ON INSERT ":event.topic, 1, :event.sequence);",
         plain_queries, "consumers/test/apply.sql:2: \"outgoing\" needs :event.topic"},
        {true, plain_schema, ON "insert into t select subject from outgoing;",
         plain_queries, "apply.sql:2: \"outgoing\" is only inserted"},
        {true, plain_schema, ON "insert into t select o.subject from t, outgoing o;",
         plain_queries, "apply.sql:2: \"outgoing\" is only inserted"},
        {true, plain_schema, ON "insert into t select o.subject from \"outgoing\" o;",
         plain_queries, "apply.sql:2: \"outgoing\" is only inserted"},
        {true, plain_schema,
         ON "with o as (" INSERT ORIGIN " on conflict do nothing returning subject)"
            " insert into t select subject from o;",
         plain_queries, "apply.sql:2: \"outgoing\" returns nothing"},
        {true, plain_schema, fine,
         "-- query q()\nselect 200 as status, count(*)::text as body from outgoing;",
         "queries.sql:2: \"outgoing\" is only inserted"},
        {false, plain_schema, ON INSERT ORIGIN ";", plain_queries,
         "projections/test/apply.sql:2: \"outgoing\" is a reactor's table"},
        {false, plain_schema, ON "delete from outgoing;", plain_queries,
         "\"outgoing\" is a reactor's table"},
    };

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        const struct refused *c = &cases[i];
        struct projection *p = make(c->is_reactor, c->schema, c->apply, c->queries);

        OK(p == NULL && strstr(err.text, c->says) != NULL);
        if (p != NULL || strstr(err.text, c->says) == NULL)
            printf("  %zu: %s\n", i, p == NULL ? err.text : "made");
        projection_free(p);
    }
}

static void a_projection_may_have_a_column_of_that_name(void)
{
    struct projection *p =
        make(false, plain_schema, ON "update t set outgoing = 1 where t.outgoing = 2;",
             plain_queries);

    OK(p != NULL && !projection_is_reactor(p));
    projection_free(p);
}

static void kinds_differ_in_identity(void)
{
    static const char apply[] = ON "delete from t where a = :event.type;";
    struct projection *p = make(false, plain_schema, apply, plain_queries),
                      *q = make(true, "create table t (a text primary key, b bigint);",
                                apply, plain_queries);

    OK(p != NULL && q != NULL && !uuid_equal(&p->identity, &q->identity));
    projection_free(p);
    projection_free(q);
}

static void the_envelope_says_where_it_came_from(void)
{
    struct projection *p = make(true, "create table t (a text primary key, b int);",
                                ON "insert into t values (:event.topic || :event.type, "
                                   ":event.partition);",
                                plain_queries);
    const struct handler_parameter *parameters;

    OK(p != NULL);
    if (p == NULL) return;
    parameters = p->handlers[0].statements[0].parameters;
    OK(parameters[0].source == SOURCE_TOPIC && parameters[0].type == TYPE_TEXT);
    OK(parameters[1].source == SOURCE_TYPE && parameters[1].type == TYPE_TEXT);
    OK(parameters[2].source == SOURCE_PARTITION && parameters[2].type == TYPE_INT8);
    projection_free(p);
}

int main(void)
{
    OK(registry_load(&registry, &err) == LL_OK);
    RUN(a_reactor_writes_it);
    RUN(all_else_is_refused);
    RUN(a_projection_may_have_a_column_of_that_name);
    RUN(kinds_differ_in_identity);
    RUN(the_envelope_says_where_it_came_from);
    registry_free(registry);
    return t_done();
}
