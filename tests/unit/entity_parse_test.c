/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_parse_test.c - an entity file's bytes, right and wrong. */
#include "core/base/json_js.h"
#include "producers/content/entity.h"
#include "t.h"

#include <stdlib.h>
#include <string.h>

static const char problem[] = "There was a problem parsing the entity";

static ll_rc parse(struct text file, struct entity *e, struct arena *arena,
                   struct ll_error *err)
{
    arena_init(arena, ENTITY_ARENA);
    return entity_parse(file, TEXT("bafkid"), arena, e, err);
}

static void everything_is_read(void)
{
    static const char file[] =
        "{\"version\":\"v3\",\"id\":\"another\",\"type\":\"wearable\",\n \"timestamp\": "
        "1.7e12 ,"
        "\"pointers\":[\"URN:A\",\"\xc3\x89\"],"
        "\"content\":[{\"file\":\"b\",\"hash\":\"1\"},{\"file\":\"a\",\"hash\":\"2\","
        "\"x\":1},"
        "{\"file\":\"b\",\"hash\":\"3\"}],\"metadata\": {\"n\" : 1.50} ,\"more\":true}";
    struct ll_error err = {0};
    struct arena arena;
    struct entity e;

    OK(parse(text_of(file), &e, &arena, &err) == LL_OK);
    OK(text_is(e.id, "bafkid") && text_is(e.version, "v3") && e.type == ENTITY_WEARABLE);
    OK(e.timestamp == 1700000000000);
    OK(e.pointer_count == 2 && text_is(e.pointers[0], "urn:a"));
    OK(text_is(e.pointers[1], "\xc3\xa9"));
    OK(e.content_count == 3 && text_is(e.content[1].hash, "2"));
    OK(text_is(e.metadata_text, "{\"n\" : 1.50}"));
    OK(json_real_value(json_object_get(e.metadata, "n")) == 1.5);
    OK(text_is(entity_find_file(&e, TEXT("b"))->hash, "1"));
    OK(text_is(entity_find_file(&e, TEXT("a"))->hash, "2"));
    OK(entity_find_file(&e, TEXT("c")) == NULL && entity_find_file(&e, TEXT("")) == NULL);
    OK(text_is(entity_pointer_list(&e, &arena), "urn:a,\xc3\xa9"));
    entity_fini(&e);
    arena_fini(&arena);
}

static void what_may_be_absent_may(void)
{
    static const struct {
        const char *file;
        const char *version;
        size_t pointers;
    } cases[] = {
        {"{\"type\":\"scene\",\"timestamp\":1,\"pointers\":[]}", "v3", 0},
        {"{\"type\":\"store\",\"timestamp\":-1,\"pointers\":[\"\"],\"version\":\"v4\"}",
         "v4", 1},
        {"{\"type\":\"emote\",\"timestamp\":5,\"pointers\":[\"a\",\"a\"],\"content\":[],"
         "\"metadata\":null}",
         "v3", 2},
    };

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        struct ll_error err = {0};
        struct arena arena;
        struct entity e;

        OK(parse(text_of(cases[i].file), &e, &arena, &err) == LL_OK);
        OK(text_is(e.version, cases[i].version));
        OK(e.pointer_count == cases[i].pointers && e.content_count == 0);
        entity_fini(&e);
        arena_fini(&arena);
    }
}

#define HEAD "{\"type\":\"scene\",\"timestamp\":1,\"pointers\":[\"a\"]"

static void anything_else_is_no_entity(void)
{
    static const char *const files[] = {
        "",
        "null",
        "[]",
        "{}",
        "{",
        HEAD,
        HEAD "}x",
        "\xef\xbb\xbf" HEAD "}",
        HEAD ",\"type\":\"scene\"}",
        HEAD ",\"metadata\":{\"a\":1,\"a\":2}}",
        HEAD ",\"metadata\":\"\\u0000\"}",
        HEAD ",\"metadata\":\"\\ud800\"}",
        HEAD ",\"metadata\":\"\xff\"}",
        HEAD ",\"metadata\":1e999}",
        HEAD ",\"content\":null}",
        HEAD ",\"content\":{}}",
        HEAD ",\"content\":[1]}",
        HEAD ",\"content\":[{\"file\":\"a\"}]}",
        HEAD ",\"content\":[{\"file\":\"a\",\"hash\":5}]}",
        HEAD ",\"content\":[{\"file\":\"\",\"hash\":\"h\"}]}",
        HEAD ",\"content\":[{\"file\":\"a\",\"hash\":\"\"}]}",
        HEAD ",\"content\":[{\"key\":\"a\",\"hash\":\"h\"}]}",
        HEAD ",\"version\":3}",
        HEAD ",\"version\":null}",
        "{\"type\":\"Scene\",\"timestamp\":1,\"pointers\":[]}",
        "{\"type\":\"scenes\",\"timestamp\":1,\"pointers\":[]}",
        "{\"type\":\"other\",\"timestamp\":1,\"pointers\":[]}",
        "{\"type\":null,\"timestamp\":1,\"pointers\":[]}",
        "{\"timestamp\":1,\"pointers\":[]}",
        "{\"type\":\"scene\",\"pointers\":[]}",
        "{\"type\":\"scene\",\"timestamp\":0,\"pointers\":[]}",
        "{\"type\":\"scene\",\"timestamp\":\"1\",\"pointers\":[]}",
        "{\"type\":\"scene\",\"timestamp\":1.5,\"pointers\":[]}",
        "{\"type\":\"scene\",\"timestamp\":1e300,\"pointers\":[]}",
        "{\"type\":\"scene\",\"timestamp\":-1e16,\"pointers\":[]}",
        "{\"type\":\"scene\",\"timestamp\":true,\"pointers\":[]}",
        "{\"type\":\"scene\",\"timestamp\":1}",
        "{\"type\":\"scene\",\"timestamp\":1,\"pointers\":\"a\"}",
        "{\"type\":\"scene\",\"timestamp\":1,\"pointers\":[1]}",
        "{\"type\":\"scene\",\"timestamp\":1,\"pointers\":[null]}",
        "{\"type\":\"scene\",\"timestamp\":1,\"pointers\":[[\"a\"]]}",
    };

    for (size_t i = 0; i < LL_LENGTH(files); i++) {
        struct ll_error err = {0};
        struct arena arena;
        struct entity e;

        OK(parse(text_of(files[i]), &e, &arena, &err) == LL_EINVAL);
        OK(strcmp(err.text, problem) == 0 && e.document == NULL);
        if (strcmp(err.text, problem) != 0) printf("  %s\n", files[i]);
        entity_fini(&e);
        arena_fini(&arena);
    }
}

/* jansson skips a NUL byte that is behind a number. */
static void no_byte_is_skipped(void)
{
    static const char file[] = HEAD ",\"metadata\":[1\0\r]}";
    struct ll_error err = {0};
    struct arena arena;
    struct entity e;
    json_t *value;

    OK(parse((struct text){file, sizeof(file) - 1}, &e, &arena, &err) == LL_EINVAL);
    OK(strcmp(err.text, problem) == 0);
    OK(json_parse((struct text){"[1\0\r]", 5}, JSON_DEPTH, &value, NULL) == LL_EINVAL);
    OK(json_parse((struct text){"[1\r]", 4}, JSON_DEPTH, &value, NULL) == LL_OK);
    json_decref(value);
    entity_fini(&e);
    arena_fini(&arena);
}

static void repeat(struct builder *b, const char *text, size_t n, const char *between)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0) builder_string(b, between);
        builder_string(b, text);
    }
}

/* A file whose list `name` has `n` times `item`, and which is `filler` bytes longer. */
static void build(struct builder *b, const char *name, const char *item, size_t n,
                  size_t filler)
{
    builder_init(b, 64 * 1024 * 1024);
    builder_printf(b, "{\"type\":\"scene\",\"timestamp\":1,%s\"%s\":[",
                   strcmp(name, "pointers") == 0 ? "" : "\"pointers\":[],", name);
    repeat(b, item, n, ",");
    builder_string(b, "]}");
    repeat(b, " ", filler, "");
}

static void there_are_limits(void)
{
    static const char file[] = "{\"file\":\"a\",\"hash\":\"h\"}";
    static const struct {
        const char *name, *item;
        size_t count, filler;
        ll_rc rc;
    } cases[] = {
        {"pointers", "\"a\"", ENTITY_POINTERS, 0, LL_OK},
        {"pointers", "\"a\"", ENTITY_POINTERS + 1, 0, LL_EFULL},
        {"content", file, ENTITY_CONTENT, 0, LL_OK},
        {"content", file, ENTITY_CONTENT + 1, 0, LL_EFULL},
        {"pointers", "\"a\"", 1, ENTITY_FILE_SIZE - 100, LL_OK},
        {"pointers", "\"a\"", 1, ENTITY_FILE_SIZE, LL_EFULL},
    };

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        struct ll_error err = {0};
        struct builder b;
        struct arena arena;
        struct entity e;

        build(&b, cases[i].name, cases[i].item, cases[i].count, cases[i].filler);
        OK(parse(builder_view(&b), &e, &arena, &err) == cases[i].rc);
        OK((cases[i].rc == LL_OK) == (err.text[0] == '\0'));
        entity_fini(&e);
        arena_fini(&arena);
        builder_fini(&b);
    }
}

static void a_pointer_is_not_endless(void)
{
    char file[ENTITY_POINTER_TEXT + 200], pointer[ENTITY_POINTER_TEXT + 2];

    for (int over = 0; over < 2; over++) {
        struct ll_error err = {0};
        struct arena arena;
        struct entity e;

        memset(pointer, 'A', sizeof(pointer));
        pointer[ENTITY_POINTER_TEXT + over] = '\0';
        snprintf(file, sizeof(file),
                 "{\"type\":\"scene\",\"timestamp\":1,\"pointers\":[\"%s\"]}", pointer);
        OK(parse(text_of(file), &e, &arena, &err) == (over ? LL_EFULL : LL_OK));
        entity_fini(&e);
        arena_fini(&arena);
    }
}

static void depth_is_limited_before_the_parser(void)
{
    struct ll_error err = {0};
    struct builder b;
    struct arena arena;
    struct entity e;

    builder_init(&b, ENTITY_FILE_SIZE);
    builder_string(&b, HEAD ",\"metadata\":");
    repeat(&b, "[", 200000, "");
    OK(parse(builder_view(&b), &e, &arena, &err) == LL_EINVAL);
    OK(strcmp(err.text, problem) == 0);
    entity_fini(&e);
    arena_fini(&arena);
    builder_fini(&b);
}

static void types_have_names(void)
{
    enum entity_type type;

    for (size_t i = 0; i < ENTITY_TYPES; i++) {
        OK(entity_type_find(text_of(entity_type_name((enum entity_type)i)), &type) &&
           type == i);
        OK(entity_type_find_loosely(text_of(entity_type_name((enum entity_type)i)),
                                    &type) &&
           type == i);
    }
    OK(entity_type_find_loosely(TEXT("Scenes"), &type) && type == ENTITY_SCENE);
    OK(entity_type_find_loosely(TEXT("PROFILE"), &type) && type == ENTITY_PROFILE);
    OK(entity_type_find_loosely(TEXT("outfitS"), &type) && type == ENTITY_OUTFITS);
    OK(!entity_type_find_loosely(TEXT("sceness"), &type));
    OK(!entity_type_find_loosely(TEXT("s"), &type) &&
       !entity_type_find_loosely(TEXT(""), &type));
    OK(!entity_type_find(TEXT("SCENE"), &type));
}

int main(void)
{
    RUN(everything_is_read);
    RUN(what_may_be_absent_may);
    RUN(anything_else_is_no_entity);
    RUN(no_byte_is_skipped);
    RUN(there_are_limits);
    RUN(a_pointer_is_not_endless);
    RUN(depth_is_limited_before_the_parser);
    RUN(types_have_names);
    return t_done();
}
