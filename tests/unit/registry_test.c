/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* registry_test.c - the schemas of the tree load and are as published; events are made
 * and read; a schema that would break its readers is refused. */
#include "core/event/codec.h"
#include "core/event/registry.h"
#include "t.h"

#include <stdlib.h>
#include <string.h>

static struct registry *registry;
static struct arena arena;

#define TOPICS "{\"t\":{\"service\":\"s\",\"partitions\":4,\"keyed-by\":\"k\"}}"
#define HEAD(topic) \
    "{\"x-topic\":\"" topic "\",\"x-key\":\"{id}\",\"x-subject\":\"{id}\"," \
    "\"x-tags\":[\"id:{id}\",\"n:{n}\"],\"x-description\":\"nobody\"," \
    "\"type\":\"object\",\"additionalProperties\":false,"
#define ID "\"id\":{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"},"
#define VERSION_1 \
    HEAD("t") \
    "\"required\":[\"id\",\"n\"],\"properties\":{" ID \
    "\"n\":{\"type\":\"integer\"},\"old\":{\"type\":\"string\"}}," \
    "\"examples\":[{\"id\":\"a\",\"n\":1,\"old\":\"x\"},{\"id\":\"b\",\"n\":2.0}]}"
#define VERSION_2(upcast) \
    HEAD("t") \
    upcast "\"required\":[\"id\",\"n\",\"added\"],\"properties\":{" ID \
           "\"n\":{\"type\":\"integer\"},\"name\":{\"type\":\"string\"}," \
           "\"added\":{\"type\":\"boolean\"}}," \
           "\"examples\":[{\"id\":\"a\",\"n\":1,\"added\":true}]}"
#define GOOD_UPCAST \
    "\"x-upcast\":{\"rename\":{\"old\":\"name\"},\"default\":{\"added\":false}},"

struct source {
    const char *path, *text;
};

static ll_rc load(const struct source *sources, size_t n, struct registry **out,
                  struct ll_error *err)
{
    struct embedded_file files[8] = {{0}};

    for (size_t i = 0; i < n; i++)
        files[i] = (struct embedded_file){sources[i].path, sources[i].text,
                                          sources[i].text + strlen(sources[i].text)};
    return registry_load_files(files, out, err);
}

static ll_rc load_one(const char *path, const char *text, struct registry **out,
                      struct ll_error *err)
{
    const struct source sources[] = {{path, text}, {"schemas/topics.json", TOPICS}};

    return load(sources, 2, out, err);
}

static ll_rc load_two(const char *second, struct registry **out, struct ll_error *err)
{
    const struct source sources[] = {
        {"projections/s/apply.sql", "not a schema"},
        {"schemas/s/a.done.v2.json", second},
        {"schemas/s/a.done.v1.json", VERSION_1},
        {"schemas/compatibility.json", "{}"},
        {"schemas/topics.json", TOPICS},
    };

    return load(sources, LL_LENGTH(sources), out, err);
}

static json_t *json(const char *text)
{
    json_t *value;

    LL_CHECK(json_parse(text_of(text), JSON_DEPTH, &value, NULL) == LL_OK);
    return value;
}

static void every_schema_of_the_tree_is_as_published(void)
{
    struct ll_error err = {0};
    struct text lock;

    OK(embedded_find("schemas/compatibility.json", &lock));
    OK(registry_check(registry, lock, &err) == LL_OK);
    if (err.rc != LL_OK) printf("%s\n", err.text);
}

static const json_t *example_of(const char *type, size_t i)
{
    const struct event_type *t = registry_find(registry, text_of(type), 0);

    LL_CHECK(t != NULL);
    return json_array_get(json_object_get(event_type_schema(t), "examples"), i);
}

static void a_fact_is_made_from_its_data(void)
{
    const json_t *data = example_of("social.friendship-requested", 0);
    const char *pair = json_string_value(json_object_get(data, "pair"));
    struct record r = {.version = 77, .command_index = 5};
    struct ll_error err;
    json_t *back;

    OK(event_make(registry, TEXT("social.friendship-requested"), data, &arena, &r,
                  &err) == LL_OK);
    OK(strcmp(r.topic->name, "social") == 0 && r.version == 1 && r.command_index == 5);
    OK(text_is(r.key, pair) && text_is(r.subject, pair));
    OK(r.tag_count == 1 && text_starts_with(r.tags[0], "pair:0x5b38") &&
       r.tags[0].len == r.key.len + 5);
    OK(r.partition == topic_partition(r.topic, r.key));
    OK(event_data(registry, &r, &back, &err) == LL_OK && json_equal(back, data));
    json_decref(back);
}

static void bad_data_is_refused_with_its_place(void)
{
    static const struct {
        const char *member, *value, *says;
    } rows[] = {
        {"actor", "\"0xAB8483F64d9c6d1ecf9b849ae677dd3315835cb2\"",
         "\"/actor\" fails pattern"},
        {"message", "5", "\"/message\" fails type: must be null or string"},
        {"actorProof", "\"trust-me\"", "\"/actorProof\" fails enum"},
        {"authTimestamp", "1.5", "\"/authTimestamp\" fails type"},
        {"signature", "\"0x\"", "\"\" fails additionalProperties: \"signature\""},
        {"target", "\"0x5b38da6a701c568545dcfcb03fcb875f56beddc4\"",
         "fails x-pair: equals"},
        {"pair",
         "\"0xab8483f64d9c6d1ecf9b849ae677dd3315835cb2:"
         "0x5b38da6a701c568545dcfcb03fcb875f56beddc4\"",
         "\"/pair\" fails x-pair: must be \"0x5b38"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        json_t *data = json_deep_copy(example_of("social.friendship-requested", 0));
        json_t *value = json(rows[i].value);
        struct ll_error err = {0};
        struct record r = {0};

        json_object_set_new(data, rows[i].member, value);
        OK(event_make(registry, TEXT("social.friendship-requested"), data, &arena, &r,
                      &err) == LL_EINVAL);
        OK(strstr(err.text, rows[i].says) != NULL);
        json_decref(data);
    }
}

static void an_unknown_type_is_not_found(void)
{
    struct record r = {0};
    json_t *data = json("{}");

    OK(event_make(registry, TEXT("social.friendship"), data, &arena, &r, NULL) ==
       LL_ENOTFOUND);
    OK(registry_find(registry, TEXT("social.user-blocked"), 2) == NULL);
    OK(registry_find(registry, TEXT("social.user-blocked"), 1) != NULL);
    json_decref(data);
}

static void what_cannot_be_read_halts(void)
{
    struct record good = {0}, r;
    struct ll_error err;
    json_t *out;
    struct text bytes;

    OK(event_make(registry, TEXT("social.user-blocked"),
                  example_of("social.user-blocked", 0), &arena, &good, NULL) == LL_OK);
    OK(event_newest(registry, &good, &arena, &bytes, &err) == LL_OK);
    OK(bytes.ptr == good.data.ptr && bytes.len == good.data.len);
    r = good;
    r.version = 2;
    OK(event_newest(registry, &r, &arena, &bytes, &err) == LL_EBROKEN);
    OK(strstr(err.text, "version 2) is newer than this binary, or damaged") != NULL);
    OK(event_data(registry, &r, &out, &err) == LL_EBROKEN && out == NULL);
    r.version = 0;
    OK(event_newest(registry, &r, &arena, &bytes, &err) == LL_EBROKEN);
    r = good;
    r.type = TEXT("social.user-poked");
    OK(event_newest(registry, &r, &arena, &bytes, &err) == LL_EBROKEN);
    r = good;
    r.data.len--;
    OK(event_newest(registry, &r, &arena, &bytes, &err) == LL_EBROKEN);
    OK(event_data(registry, &r, &out, &err) == LL_EBROKEN && out == NULL);
    r = good;
    r.type = TEXT("social.friendship-deleted"); /* another's data */
    OK(event_data(registry, &r, &out, &err) == LL_EBROKEN && out == NULL);
    OK(strstr(err.text, "fails") != NULL);
}

static void an_old_version_is_read_as_the_newest(void)
{
    struct registry *r;
    struct record record = {.type = TEXT("a.done"), .version = 1};
    struct builder data;
    struct text newest;
    json_t *old = json("{\"id\":\"a\",\"n\":7,\"old\":\"x\"}"), *out;
    json_t *expected = json("{\"id\":\"a\",\"n\":7,\"name\":\"x\",\"added\":false}");
    struct codec_value value;

    OK(load_two(VERSION_2(GOOD_UPCAST), &r, NULL) == LL_OK);
    builder_init(&data, 1000);
    OK(codec_encode(old, &data, NULL) == LL_OK);
    record.data = builder_view(&data);
    OK(event_data(r, &record, &out, NULL) == LL_OK && json_equal(out, expected));
    json_decref(out);
    OK(event_newest(r, &record, &arena, &newest, NULL) == LL_OK);
    OK(codec_members(newest, &TEXT("name"), 1, &value, NULL) == LL_OK);
    OK(text_is(value.text, "x"));
    OK(event_make(r, TEXT("a.done"), expected, &arena, &record, NULL) == LL_OK);
    OK(record.version == 2 && text_equal(record.data, newest));
    OK(record.tag_count == 2 && text_is(record.tags[1], "n:7"));
    json_decref(old);
    json_decref(expected);
    builder_fini(&data);
    registry_free(r);
}

static void a_version_that_breaks_its_readers_is_refused(void)
{
    static const struct {
        const char *second, *says;
    } rows[] = {
        {VERSION_2(""), "a.done version 2: x-upcast: must say how"},
        {VERSION_2("\"x-upcast\":{\"default\":{\"added\":false}},"),
         "member \"old\" of the version before is not known"},
        {VERSION_2("\"x-upcast\":{\"rename\":{\"old\":\"name\"}},"),
         "\"added\" is required, and the version before need not have it"},
        {VERSION_2("\"x-upcast\":{\"rename\":{\"old\":\"added\"}},"),
         "\"added\" is required, and the version before need not have it"},
        {VERSION_2("\"x-upcast\":{\"remove\":[\"old\"],\"default\":{\"added\":1}},"),
         "a.done version 1: example 0: \"/added\" fails type"},
        {VERSION_2("\"x-upcast\":{\"rename\":{\"older\":\"name\"}},"),
         "no such member before"},
        {VERSION_2("\"x-upcast\":{\"change\":{}},"), "unknown member \"change\""},
        {VERSION_2("\"x-upcast\":{\"remove\":{}},"),
         "\"remove\" must be a list of names"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        struct registry *r;
        struct ll_error err = {0};

        OK(load_two(rows[i].second, &r, &err) == LL_EINVAL && r == NULL);
        OK(strstr(err.text, rows[i].says) != NULL);
    }
}

static void a_mistake_in_a_file_names_file_and_member(void)
{
    static const struct {
        const char *path, *text, *says;
    } rows[] = {
        {"schemas/s/a.done.json", VERSION_1, "a schema file is named"},
        {"schemas/s/a.done.v01.json", VERSION_1, "a schema file is named"},
        {"schemas/s/a.done.v0.json", VERSION_1, "a schema file is named"},
        {"schemas/s/done.v1.json", VERSION_1, "a schema file is named"},
        {"schemas/s/A.done.v1.json", VERSION_1, "a schema file is named"},
        {"schemas/s/1.json", VERSION_1, "a schema file is named"},
        {"schemas/s/README.md", "words", "a schema file is named"},
        {"schemas/s/a.done.v2.json", VERSION_1, "versions must count from 1"},
        {"schemas/s/a.done.v1.json", "{", "schemas/s/a.done.v1.json: "},
        {"schemas/s/a.done.v1.json", "true", "must be an object"},
        {"schemas/other/a.done.v1.json", VERSION_1, "belongs to the service \"s\""},
        {"schemas/s/a.done.v1.json", HEAD("u") "\"examples\":[]}",
         "x-topic: \"u\" is not in"},
        {"schemas/s/a.done.v1.json", HEAD("t") "\"examples\":[]}",
         "x-key: template \"{id}\": \"id\" is no required member"},
        {"schemas/s/a.done.v1.json",
         HEAD("t") "\"required\":[\"id\",\"n\"],\"properties\":{\"id\":{\"type\":"
                   "\"string\"},"
                   "\"n\":{\"type\":\"integer\"}}}",
         "\"id\" needs a pattern, format, enum or const"},
        {"schemas/s/a.done.v1.json",
         HEAD("t") "\"required\":[\"id\",\"n\"],\"properties\":{" ID
                   "\"n\":{\"type\":\"number\"}}}",
         "x-tags: template \"n:{n}\": \"n\" must be a string or an integer"},
        {"schemas/s/a.done.v1.json",
         HEAD("t") "\"required\":[\"id\",\"n\"],\"properties\":{" ID
                   "\"n\":{\"type\":\"integer\"}}}",
         "needs an example"},
        {"schemas/s/a.done.v1.json",
         HEAD("t") "\"required\":[\"id\",\"n\"],\"properties\":{" ID
                   "\"n\":{\"type\":\"integer\"}},\"examples\":[{\"id\":\"a\"}]}",
         "example 0: \"\" fails required: \"n\" is missing"},
        {"schemas/s/a.done.v1.json", "{\"x-tpic\":1}", "unknown member \"x-tpic\""},
        {"schemas/s/a.done.v1.json", "{\"x-topic\":\"t\"}", "x-description: must say"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        struct registry *r;
        struct ll_error err = {0};

        OK(load_one(rows[i].path, rows[i].text, &r, &err) == LL_EINVAL && r == NULL);
        OK(strstr(err.text, rows[i].says) != NULL);
        if (strstr(err.text, rows[i].says) == NULL) printf("%zu: %s\n", i, err.text);
    }
}

static ll_rc check_against(struct registry *r, const char *lock, struct ll_error *err)
{
    return registry_check(r, text_of(lock), err);
}

static void a_published_version_is_frozen(void)
{
    static const char *const words = HEAD("t") GOOD_UPCAST
        "\"description\":\"in other words\",\"required\":[\"id\",\"n\",\"added\"],"
        "\"properties\":{" ID
        "\"n\":{\"type\":\"integer\"},\"name\":{\"type\":\"string\"},"
        "\"added\":{\"title\":\"t\",\"type\":\"boolean\"}},"
        "\"examples\":[{\"id\":\"c\",\"n\":3,\"added\":false}]}";
    struct registry *two, *other_words, *looser, *one;
    struct builder lock;
    struct ll_error err = {0};
    struct uuid identity, again;

    builder_init(&lock, 10000);
    OK(load_two(VERSION_2(GOOD_UPCAST), &two, NULL) == LL_OK);
    OK(load_two(words, &other_words, NULL) == LL_OK);
    OK(load_two(VERSION_2(GOOD_UPCAST "\"minProperties\":1,"), &looser, NULL) == LL_OK);
    OK(load_one("schemas/s/a.done.v1.json", VERSION_1, &one, NULL) == LL_OK);
    registry_lock(two, &lock);
    OK(check_against(two, lock.ptr, &err) == LL_OK);
    OK(check_against(other_words, lock.ptr, &err) == LL_OK);
    OK(check_against(looser, lock.ptr, &err) == LL_EBROKEN);
    OK(strstr(err.text, "a.done version 2 has changed since it was published") != NULL);
    OK(check_against(one, lock.ptr, &err) == LL_EBROKEN);
    OK(strstr(err.text, "a.done version 2 was published, and its schema is gone") !=
       NULL);
    OK(check_against(two, "{}", &err) == LL_EBROKEN);
    OK(strstr(err.text, "a.done version 1 is not in schemas/compatibility.json") != NULL);
    OK(check_against(two, "", &err) == LL_EINVAL);
    identity = registry_identity(two, TEXT("a.done"));
    again = registry_identity(other_words, TEXT("a.done"));
    OK(uuid_equal(&identity, &again) && !uuid_is_nil(&identity));
    again = registry_identity(looser, TEXT("a.done"));
    OK(!uuid_equal(&identity, &again));
    again = registry_identity(one, TEXT("a.done"));
    OK(!uuid_equal(&identity, &again));
    registry_free(two);
    registry_free(other_words);
    registry_free(looser);
    registry_free(one);
    builder_fini(&lock);
}

int main(void)
{
    struct ll_error err;

    arena_init(&arena, (size_t)16 << 20);
    if (registry_load(&registry, &err) != LL_OK) {
        printf("FAILED: %s\n", err.text);
        return 1;
    }
    RUN(every_schema_of_the_tree_is_as_published);
    RUN(a_fact_is_made_from_its_data);
    RUN(bad_data_is_refused_with_its_place);
    RUN(an_unknown_type_is_not_found);
    RUN(what_cannot_be_read_halts);
    RUN(an_old_version_is_read_as_the_newest);
    RUN(a_version_that_breaks_its_readers_is_refused);
    RUN(a_mistake_in_a_file_names_file_and_member);
    RUN(a_published_version_is_frozen);
    registry_free(registry);
    arena_fini(&arena);
    return t_done();
}
