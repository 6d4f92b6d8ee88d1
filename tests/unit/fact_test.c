/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* fact_test.c - rows of `outgoing` as commands: the same fact is the same command. */
#include "core/react/fact.h"
#include "t.h"

#include <string.h>

#define SCHEMA(tags) \
    "{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"title\": " \
    "\"t.happened\"," \
    " \"description\": \"It happened.\", \"x-description\": \"Emitted by tests.\"," \
    " \"x-topic\": \"things\", \"x-key\": \"{key}\", \"x-subject\": \"{key}\"," \
    " \"x-tags\": [" tags "], \"type\": \"object\", \"additionalProperties\": false," \
    " \"required\": [\"key\", \"n\"], \"properties\": {" \
    " \"key\": {\"type\": \"string\", \"pattern\": \"^[a-z]+$\"}," \
    " \"n\": {\"type\": \"integer\"}}, \"examples\": [{\"key\": \"k\", \"n\": 3}]}"

static const char plain[] = SCHEMA("\"key:{key}\"");
static const char topics[] =
    "{\"things\": {\"service\": \"t\", \"partitions\": 8, \"keyed-by\": \"nothing\"}}";

#define FILE_ROW(path, text) \
    { \
        (path), (text), (text) + sizeof(text) - 1 \
    }
static const struct embedded_file files[] = {
    FILE_ROW("schemas/t/t.happened.v1.json", plain),
    FILE_ROW("schemas/topics.json", topics),
    {0},
};

static struct registry *registry;
static struct arena arena;
static struct ll_error err;

static ll_rc make(const char *subject, const char *type, const char *data,
                  struct fact *out)
{
    return fact_make(registry, "tester",
                     &(struct fact_row){.subject = text_of(subject),
                                        .type = text_of(type),
                                        .data = text_of(data)},
                     &arena, out, &err);
}

static void a_fact_is_named_by_reactor_and_subject(void)
{
    struct uuid a = fact_id("badges", TEXT("0xa-b")),
                b = fact_id("badges", TEXT("0xa-b")),
                c = fact_id("badges", TEXT("0xa-c")),
                d = fact_id("badge", TEXT("s0xa-b"));
    char text[UUID_TEXT];

    OK(uuid_equal(&a, &b) && !uuid_equal(&a, &c) && !uuid_equal(&a, &d));
    /* never another one: what is on the log has it */
    uuid_print(&a, text);
    OK(strcmp(text, "cd219546-1436-5965-9d01-ad8b4505943f") == 0);
    if (strcmp(text, "cd219546-1436-5965-9d01-ad8b4505943f") != 0) puts(text);
}

static void the_same_fact_is_the_same_command(void)
{
    struct fact a, b, c;

    OK(make("s", "t.happened", "{\"key\": \"k\", \"n\": 1}", &a) == LL_OK);
    OK(make("s", "t.happened", "{\"n\":1,\"key\":\"k\"}", &b) == LL_OK);
    OK(make("s", "t.happened", "{\"n\":2,\"key\":\"k\"}", &c) == LL_OK);
    OK(uuid_equal(&a.command.key, &b.command.key) &&
       uuid_equal(&a.command.body, &b.command.body));
    OK(uuid_equal(&a.command.key, &c.command.key) &&
       !uuid_equal(&a.command.body, &c.command.body));
    OK(uuid_equal(&a.record.id, &a.command.key) &&
       uuid_equal(&a.record.command, &a.command.key));
    OK(a.command.event_count == 1 && a.command.events == &a.record &&
       a.record.command_size == 1);
    OK(text_is(a.record.source, "/reactor/tester"));
}

static void its_own_tag_is_guarded_as_of_nothing(void)
{
    struct fact f;

    OK(make("0xa-b", "t.happened", "{\"key\": \"k\", \"n\": 1}", &f) == LL_OK);
    OK(f.record.tag_count == 2 && text_is(f.record.tags[0], "key:k") &&
       text_is(f.record.tags[1], "once:tester:0xa-b"));
    OK(f.command.guard_count == 1 && text_is(f.command.guards[0], "once:tester:0xa-b"));
    OK(f.command.as_of == NULL);
}

static void what_cannot_be_made_names_subject_and_path(void)
{
    struct fact f;

    OK(make("s1", "t.happened", "{\"key\": \"K\", \"n\": 1}", &f) == LL_EBROKEN);
    OK(strstr(err.text, "\"s1\"") != NULL && strstr(err.text, "/key") != NULL);
    OK(make("s2", "t.nothing", "{}", &f) == LL_EBROKEN);
    OK(strstr(err.text, "\"s2\"") != NULL && strstr(err.text, "t.nothing") != NULL);
    OK(make("s3", "t.happened", "[1]", &f) == LL_EBROKEN);
    OK(make("s4", "t.happened", "{\"key\": \"k\", \"n\": 1e400}", &f) == LL_EBROKEN);
    OK(make("s5", "t.happened", "{\"key\": \"k\", \"n\": 99999999999999999999}", &f) ==
       LL_EBROKEN);
}

/* One for each of 16 members would leave no room for the fact's own. */
static void a_schema_may_have_fifteen_tags(void)
{
    static const char many[] = SCHEMA(
        "\"a:{key}\", \"b:{key}\", \"c:{key}\", \"d:{key}\", \"e:{key}\", \"f:{key}\","
        "\"g:{key}\", \"h:{key}\", \"i:{key}\", \"j:{key}\", \"k:{key}\", \"l:{key}\","
        "\"m:{key}\", \"n:{key}\", \"o:{key}\", \"p:{key}\"");
    const struct embedded_file other[] = {
        FILE_ROW("schemas/t/t.happened.v1.json", many),
        FILE_ROW("schemas/topics.json", topics),
        {0},
    };
    struct registry *kept = registry;
    struct fact f;

    OK(registry_load_files(other, &registry, &err) == LL_OK);
    OK(make("s", "t.happened", "{\"key\": \"k\", \"n\": 1}", &f) == LL_EBROKEN);
    OK(strstr(err.text, "15 tags") != NULL);
    registry_free(registry);
    registry = kept;
}

int main(void)
{
    arena_init(&arena, 64 * 1024 * 1024);
    OK(registry_load_files(files, &registry, &err) == LL_OK);
    RUN(a_fact_is_named_by_reactor_and_subject);
    RUN(the_same_fact_is_the_same_command);
    RUN(its_own_tag_is_guarded_as_of_nothing);
    RUN(what_cannot_be_made_names_subject_and_path);
    RUN(a_schema_may_have_fifteen_tags);
    registry_free(registry);
    arena_fini(&arena);
    return t_done();
}
