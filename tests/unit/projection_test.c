/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection_test.c - files and event types joined: parameters, topics, identity, and the
 * statements that front-ends prepare. */
#include "core/projection/handler.h"
#include "t.h"

#include <string.h>

static struct registry *registry;
static struct ll_error err;

#define TEXT_CONST(s) \
    { \
        s, sizeof(s) - 1 \
    }

static const struct projection_files plain = {
    .schema = TEXT_CONST("create table t (a text primary key, n bigint);"),
    .apply = TEXT_CONST("-- on social.user-blocked\n"
                        "insert into t values (:blocker, :authTimestamp);"),
    .queries = TEXT_CONST("-- query all_of(a text)\n"
                          "select 200 as status, n::text as body from t where a = :a;"),
};

static struct projection *make(const struct projection_files *files)
{
    struct projection *p;

    return projection_make("test", files, registry, &p, &err) == LL_OK ? p : NULL;
}

static struct projection *make_with_apply(const char *apply)
{
    struct projection_files files = plain;

    files.apply = text_of(apply);
    return make(&files);
}

static void the_binarys_own_load(void)
{
    const char *name;
    size_t i = 0;

    for (; (name = projection_name_at(i)) != NULL; i++) {
        struct projection *p;
        ll_rc rc = projection_load(name, registry, &p, &err);

        OK(rc == LL_OK);
        if (rc != LL_OK) {
            puts(err.text);
            continue;
        }
        OK(projection_topic_at(p, 0) != NULL && projection_query_at(p, 0) != NULL);
        OK(!uuid_is_nil(&p->identity));
        projection_free(p);
    }
    OK(i > 0);
}

static void an_unknown_one_is_said_so(void)
{
    struct projection *p;

    OK(projection_load("no-such", registry, &p, &err) == LL_ENOTFOUND && p == NULL);
    OK(strstr(err.text, "no-such") != NULL);
}

static void parameters_know_where_they_come_from(void)
{
    struct projection *p = make_with_apply(
        "-- on social.friendship-requested\n"
        "insert into t values (:actor, :authTimestamp);\n"
        "update t set n = :event.time where a = :actor and a <> :event.key;");
    const struct handler *h;

    OK(p != NULL);
    if (p == NULL) return;
    h = projection_handler(p, TEXT("social.friendship-requested"));
    OK(h != NULL);
    if (h == NULL) return;
    OK(h->statement_count == 2 && h->member_count == 2);
    OK(projection_handler(p, TEXT("social.user-blocked")) == NULL);
    OK(h->statements[0].parameters[0].source == SOURCE_MEMBER &&
       h->statements[0].parameters[0].type == 0);
    OK(text_is(h->members[h->statements[0].parameters[0].member], "actor"));
    OK(h->statements[0].parameters[1].type == TYPE_INT8); /* integer or null */
    OK(h->statements[1].parameters[0].source == SOURCE_TIME &&
       h->statements[1].parameters[0].type == TYPE_INT8);
    OK(h->statements[1].parameters[1].source == SOURCE_MEMBER &&
       h->statements[1].parameters[1].member == 0);
    OK(h->statements[1].parameters[2].source == SOURCE_KEY);
    OK(strcmp(projection_topic_at(p, 0)->name, "social") == 0 &&
       projection_topic_at(p, 1) == NULL);
    projection_free(p);
}

static void a_blob_is_named_by_a_member(void)
{
    struct projection *p = make_with_apply("-- on social.friendship-requested\n"
                                           "insert into t values (:blob.actor, 1);\n"
                                           "delete from t where a = :actor;");
    const struct handler *h;

    OK(p != NULL);
    if (p == NULL) return;
    h = projection_handler(p, TEXT("social.friendship-requested"));
    OK(h->statements[0].parameters[0].source == SOURCE_BLOB &&
       h->statements[0].parameters[0].type == TYPE_TEXT);
    OK(h->member_count == 1 && text_is(h->members[0], "actor"));
    OK(h->statements[1].parameters[0].source == SOURCE_MEMBER);
    OK(p->needs_blobs);
    projection_free(p);
}

static void what_no_event_has_is_refused(void)
{
    static const struct {
        const char *apply, *says;
    } cases[] = {
        {"-- on social.no-such\ndelete from t;", "apply.sql:1: there is no event type"},
        {"-- on social.user-blocked\n\ndelete from t where a = :no_such;",
         "apply.sql:3: \"social.user-blocked\" (version 1) has no member \"no_such\""},
        {"-- on social.user-blocked\ndelete from t where n = :event.offset;",
         "apply.sql:2: \"social.user-blocked\" (version 1) has no member"},
        {"-- on social.friendship-requested\ndelete from t where a = :blob.nobody;",
         "has no member \"nobody\" that is a string"},
        {"-- on social.friendship-requested\ndelete from t where a = "
         ":blob.authTimestamp;",
         "has no member \"authTimestamp\" that is a string"},
        {"-- nothing\n", "apply.sql: no section"},
    };

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        OK(make_with_apply(cases[i].apply) == NULL);
        OK(strstr(err.text, cases[i].says) != NULL);
        if (strstr(err.text, cases[i].says) == NULL) puts(err.text);
    }
}

static bool is_same_identity(const struct projection_files *files)
{
    struct projection *p = make(&plain), *q = make(files);
    bool same = p != NULL && q != NULL && uuid_equal(&p->identity, &q->identity);

    OK(p != NULL && q != NULL);
    projection_free(p);
    projection_free(q);
    return same;
}

static void identity_is_what_makes_the_rows(void)
{
    struct projection_files files = plain;

    OK(is_same_identity(&files));
    files.apply = text_of("-- said otherwise\n-- on social.user-blocked\n"
                          "insert  into t\tvalues (:blocker, :authTimestamp); -- why");
    OK(is_same_identity(&files));
    files = plain;
    files.queries = text_of("-- query other()\nselect 200 as status, '{}' as body;");
    OK(is_same_identity(&files));
    files = plain;
    files.apply = text_of("-- on social.user-blocked\n"
                          "insert into t values (:blocked, :authTimestamp);");
    OK(!is_same_identity(&files));
    files = plain;
    files.schema = text_of("create table t (a text primary key, n numeric);");
    OK(!is_same_identity(&files));
}

static void a_query_names_the_generations_schema(void)
{
    const struct generation g = {.schema = "test_g3", .number = 3};
    struct projection *p = make(&plain);
    struct builder sql;

    OK(p != NULL);
    if (p == NULL) return;
    OK(projection_query(p, "no_such") == NULL);
    builder_init(&sql, 4096);
    projection_query_sql(p, projection_query(p, "all_of"), &g, &sql);
    OK(strstr(builder_view(&sql).ptr, "from \"test_g3\".t where a =  $1::text") != NULL);
    OK(strstr(builder_view(&sql).ptr, "from \"test_g3\".checkpoint") != NULL);
    OK(strchr(builder_view(&sql).ptr, SQL_SCHEMA_MARK) == NULL);
    builder_fini(&sql);
    projection_free(p);
}

int main(void)
{
    if (registry_load(&registry, &err) != LL_OK) {
        puts(err.text);
        return 1;
    }
    RUN(the_binarys_own_load);
    RUN(an_unknown_one_is_said_so);
    RUN(parameters_know_where_they_come_from);
    RUN(a_blob_is_named_by_a_member);
    RUN(what_no_event_has_is_refused);
    RUN(identity_is_what_makes_the_rows);
    RUN(a_query_names_the_generations_schema);
    registry_free(registry);
    return t_done();
}
