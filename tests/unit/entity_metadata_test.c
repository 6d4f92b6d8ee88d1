/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_metadata_test.c - the schemas of metadata against what the published package
 * says of the same documents, message by message (tests/vectors/entity-metadata.json). */
#include "producers/content/metadata_schema.h"
#include "producers/content/entity.h"
#include "t.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

static json_t *vectors;
static struct metadata_schema *schemas[ENTITY_TYPES];

static void load(void)
{
    struct ll_error err = {0};

    for (size_t i = 0; i < ENTITY_TYPES; i++) {
        char path[100];

        snprintf(path, sizeof(path), "producers/content/metadata/%s.json",
                 entity_type_name((enum entity_type)i));
        OK(metadata_schema_load(path, &schemas[i], &err) == LL_OK);
        if (schemas[i] == NULL) printf("  %s\n", err.text);
        if (schemas[i] == NULL) exit(1);
    }
}

/* Every number as the double that JavaScript has. */
static json_t *with_doubles(const json_t *value)
{
    json_t *copy, *child;
    const char *key;

    if (json_is_number(value)) return json_real(json_number_value(value));
    if (json_is_array(value)) {
        copy = json_array();
        for (size_t i = 0; i < json_array_size(value); i++)
            json_array_append_new(copy, with_doubles(json_array_get(value, i)));
        return copy;
    }
    if (!json_is_object(value)) return json_deep_copy(value);
    copy = json_object();
    json_object_foreach((json_t *)(uintptr_t)value, key, child)
        json_object_set_new(copy, key, with_doubles(child));
    return copy;
}

static json_t *child_of(json_t *value, const json_t *step)
{
    return json_is_string(step) ? json_object_get(value, json_string_value(step))
                                : json_array_get(value, (size_t)json_integer_value(step));
}

static void replace(json_t *parent, const json_t *step, const json_t *value)
{
    size_t index = (size_t)json_integer_value(step);

    if (json_is_string(step) && value == NULL)
        json_object_del(parent, json_string_value(step));
    else if (json_is_string(step))
        json_object_set_new(parent, json_string_value(step), with_doubles(value));
    else if (value == NULL)
        json_array_remove(parent, index);
    else if (index == json_array_size(parent))
        json_array_append_new(parent, with_doubles(value));
    else
        json_array_set_new(parent, index, with_doubles(value));
}

static json_t *document_of(const json_t *row, const json_t *base)
{
    const json_t *path = vectors_get(row, "path"), *value = json_object_get(row, "value");
    json_t *document = with_doubles(vectors_get(base, "metadata")), *at = document;
    size_t n = json_array_size(path);

    if (n == 0) {
        json_decref(document);
        return with_doubles(value);
    }
    for (size_t i = 0; i + 1 < n; i++) at = child_of(at, json_array_get(path, i));
    replace(at, json_array_get(path, n - 1), value);
    return document;
}

static bool says(const struct entity_errors *errors, const json_t *messages)
{
    size_t n = json_array_size(messages);

    if (errors->count != (n < ENTITY_ERRORS ? n : ENTITY_ERRORS)) return false;
    for (size_t i = 0; i < errors->count; i++)
        if (!text_is(errors->items[i], json_string_value(json_array_get(messages, i))))
            return false;
    return true;
}

static void explain(const json_t *row, const struct entity_errors *errors)
{
    char *text = json_dumps(row, JSON_COMPACT);

    printf("  %s\n", text);
    free(text);
    for (size_t i = 0; i < errors->count; i++)
        printf("  said: %.*s\n", TEXT_ARGS(errors->items[i]));
}

static void check_case(const json_t *row)
{
    const json_t *base =
        vectors_get(vectors_get(vectors, "bases"), vectors_text(row, "base").ptr);
    json_t *document = document_of(row, base);
    struct entity_errors errors;
    enum entity_type type;
    struct arena arena;
    bool ok;

    arena_init(&arena, ENTITY_ARENA);
    entity_errors_init(&errors, &arena);
    OK(entity_type_find(vectors_text(base, "type"), &type));
    ok = metadata_schema_check(schemas[type], document, &errors);
    OK(ok == (errors.count == 0));
    ok = says(&errors, vectors_get(row, "messages"));
    OK(ok);
    if (!ok) explain(row, &errors);
    arena_fini(&arena);
    json_decref(document);
}

static void every_message_is_the_published_one(void)
{
    const json_t *cases = vectors_get(vectors, "cases");

    OK(json_array_size(cases) > 1000);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(json_array_get(cases, i));
}

static void metadata_that_is_absent_is_no_object(void)
{
    struct entity_errors errors;
    struct arena arena;
    size_t found = 0;

    arena_init(&arena, ENTITY_ARENA);
    for (size_t i = 0; i < ENTITY_TYPES; i++) {
        entity_errors_init(&errors, &arena);
        OK(!metadata_schema_check(schemas[i], NULL, &errors));
        for (size_t k = 0; k < errors.count; k++)
            found += text_is(errors.items[k], "must be object");
    }
    OK(found == ENTITY_TYPES);
    arena_fini(&arena);
}

/* A megabyte of wrong items ends soon, and its messages are few. */
static void many_violations_are_cut_short(void)
{
    enum { ITEMS = 300000 };
    json_t *avatars = json_array(), *profile = json_pack("{s:o}", "avatars", avatars);
    struct entity_errors errors;
    struct arena arena;

    for (size_t i = 0; i < ITEMS; i++) json_array_append_new(avatars, json_object());
    arena_init(&arena, ENTITY_ARENA);
    entity_errors_init(&errors, &arena);
    OK(!metadata_schema_check(schemas[ENTITY_PROFILE], profile, &errors));
    OK(errors.count == ENTITY_ERRORS);
    arena_fini(&arena);
    json_decref(profile);
}

/* Trials that fail leave nothing behind: each item is no category but a part. */
static void many_right_items_take_no_room(void)
{
    enum { ITEMS = 300000 };
    json_t *parts = json_array();
    json_t *base =
        json_object_get(json_object_get(vectors, "bases"), "wearable-standard");
    json_t *wearable = with_doubles(json_object_get(base, "metadata"));
    struct entity_errors errors;
    struct arena arena;

    for (size_t i = 0; i < ITEMS; i++) json_array_append_new(parts, json_string("head"));
    json_object_set_new(json_object_get(wearable, "data"), "hides", parts);
    arena_init(&arena, ENTITY_ARENA);
    entity_errors_init(&errors, &arena);
    OK(metadata_schema_check(schemas[ENTITY_WEARABLE], wearable, &errors));
    OK(errors.count == 0 && arena.used < 1000);
    arena_fini(&arena);
    json_decref(wearable);
}

int main(void)
{
    vectors = vectors_load("entity-metadata.json");
    RUN(load);
    RUN(every_message_is_the_published_one);
    RUN(metadata_that_is_absent_is_no_object);
    RUN(many_violations_are_cut_short);
    RUN(many_right_items_take_no_room);
    for (size_t i = 0; i < ENTITY_TYPES; i++) metadata_schema_free(schemas[i]);
    json_decref(vectors);
    return t_done();
}
