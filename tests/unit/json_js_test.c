/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json_js_test.c - against what Node.js wrote (tests/vectors/json-js.json). */
#include "core/base/json_js.h"
#include "t.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

static json_t *vectors;

static void explain(struct text json, struct text written, const struct builder *out)
{
    printf("  %.*s\n  wanted %.*s\n  got    %.*s\n", TEXT_ARGS(json), TEXT_ARGS(written),
           TEXT_ARGS(builder_view(out)));
}

static void check_case(const json_t *row)
{
    struct text json = vectors_text(row, "json"), written;
    struct builder out;
    struct ll_error err = {0};
    bool is_json = json_is_string(vectors_get(row, "written")), ok;

    builder_init(&out, 1 << 20);
    builder_string(&out, "before:");
    ok = json_js_write(json, &out, &err) == LL_OK;
    OK(ok == is_json);
    OK(ok == (err.text[0] == '\0'));
    if (!is_json) {
        OK(text_is(builder_view(&out), "before:"));
    } else {
        written = vectors_text(row, "written");
        ok = ok && out.len == written.len + 7 &&
             memcmp(out.ptr + 7, written.ptr, written.len) == 0;
        OK(ok);
        if (!ok) explain(json, written, &out);
    }
    builder_fini(&out);
}

static void every_text_is_written_as_node_writes_it(void)
{
    const json_t *cases = vectors_get(vectors, "cases");

    OK(json_array_size(cases) > 300);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(json_array_get(cases, i));
}

/* What is written once is written the same again. */
static void writing_again_changes_nothing(void)
{
    const json_t *cases = vectors_get(vectors, "cases");

    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *row = json_array_get(cases, i);
        struct builder out;

        if (!json_is_string(vectors_get(row, "written"))) continue;
        builder_init(&out, 1 << 20);
        OK(json_js_write(vectors_text(row, "written"), &out, NULL) == LL_OK);
        OK(text_equal(builder_view(&out), vectors_text(row, "written")));
        builder_fini(&out);
    }
}

static void keys_that_are_asked_for_come_in_their_order(void)
{
    const json_t *cases = vectors_get(vectors, "picked");

    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *row = json_array_get(cases, i), *names = vectors_get(row, "keys");
        struct text keys[8];
        struct builder out;

        for (size_t k = 0; k < json_array_size(names); k++)
            keys[k] = text_of(json_string_value(json_array_get(names, k)));
        builder_init(&out, 1 << 20);
        OK(json_js_write_picked(vectors_text(row, "json"), keys, json_array_size(names),
                                &out, NULL) == LL_OK);
        OK(text_equal(builder_view(&out), vectors_text(row, "written")));
        if (!text_equal(builder_view(&out), vectors_text(row, "written")))
            explain(vectors_text(row, "json"), vectors_text(row, "written"), &out);
        builder_fini(&out);
    }
}

static void only_objects_have_keys(void)
{
    static const char *const others[] = {"[]", "1", "null", "\"a\"", "", "{"};
    struct builder out;

    builder_init(&out, 100);
    for (size_t i = 0; i < LL_LENGTH(others); i++)
        OK(json_js_write_picked(text_of(others[i]), NULL, 0, &out, NULL) == LL_EINVAL);
    builder_fini(&out);
}

static void doubles_are_the_shortest_text(void)
{
    const json_t *numbers = vectors_get(vectors, "numbers");

    OK(json_array_size(numbers) > 300);
    for (size_t i = 0; i < json_array_size(numbers); i++) {
        const json_t *row = json_array_get(numbers, i);
        uint64_t bits = strtoull(vectors_text(row, "bits").ptr, NULL, 16);
        struct builder out;
        double number;

        memcpy(&number, &bits, sizeof(number));
        builder_init(&out, 64);
        json_js_number(number, &out);
        OK(text_equal(builder_view(&out), vectors_text(row, "written")));
        builder_fini(&out);
    }
}

static void a_member_is_found_as_it_stands(void)
{
    static const struct {
        const char *json, *name, *found;
    } cases[] = {
        {"{\"a\":1,\"metadata\": { \"b\" : 1.0 } }", "metadata", "{ \"b\" : 1.0 }"},
        {"{\"metadata\":1,\"metadata\":2}", "metadata", "2"},
        {"{\"x\":{\"metadata\":1},\"metadata\":[ ]}", "metadata", "[ ]"},
        {"{\"x\":{\"metadata\":1}}", "metadata", NULL},
        {"{\"m\\u0065tadata\":\"x\"}", "metadata", "\"x\""},
        {"[{\"metadata\":1}]", "metadata", NULL},
        {"{\"metadata\":1", "metadata", NULL},
        {"{\"a\\nb\":null}", "a\nb", "null"},
    };
    struct text found;

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        bool there = json_js_member(text_of(cases[i].json), cases[i].name, &found);

        OK(there == (cases[i].found != NULL));
        OK(text_is(found, there ? cases[i].found : ""));
    }
}

static void nesting_has_an_end(void)
{
    char text[2 * JSON_JS_DEPTH + 3];
    struct builder out;
    json_t *value;

    builder_init(&out, 1000);
    memset(text, '[', JSON_JS_DEPTH);
    memset(text + JSON_JS_DEPTH, ']', JSON_JS_DEPTH);
    OK(json_js_write((struct text){text, 2 * JSON_JS_DEPTH}, &out, NULL) == LL_OK);
    memset(text, '[', JSON_JS_DEPTH + 1);
    memset(text + JSON_JS_DEPTH + 1, ']', JSON_JS_DEPTH + 1);
    OK(json_js_write((struct text){text, 2 * JSON_JS_DEPTH + 2}, &out, NULL) ==
       LL_EINVAL);
    OK(json_js_parse((struct text){text, 2 * JSON_JS_DEPTH + 2}, &value, NULL) ==
       LL_EINVAL);
    builder_fini(&out);
}

static void what_does_not_fit_is_said(void)
{
    struct builder out;

    builder_init(&out, 10);
    OK(json_js_write(TEXT("{\"a\":[1,2,3,4,5]}"), &out, NULL) == LL_EFULL);
    builder_fini(&out);
    builder_init(&out, 10);
    OK(json_js_write(TEXT("{\"2\":1,\"1\":1,\"a\":1}"), &out, NULL) == LL_EFULL);
    builder_fini(&out);
    builder_init(&out, 13);
    OK(json_js_write(TEXT("{\"2\":1,\"1\":1}"), &out, NULL) == LL_OK);
    OK(text_is(builder_view(&out), "{\"1\":1,\"2\":1}"));
    builder_fini(&out);
}

static void malformed_bytes_are_refused(void)
{
    struct builder out;

    builder_init(&out, 100);
    OK(json_js_write(TEXT("\"\xff\""), &out, NULL) == LL_EINVAL);
    OK(json_js_write(TEXT("\"\xed\xa0\x80\""), &out, NULL) == LL_EINVAL);
    OK(json_js_write((struct text){"\"\0\"", 3}, &out, NULL) == LL_EINVAL);
    builder_fini(&out);
}

static void parsed_numbers_are_doubles(void)
{
    json_t *value;

    OK(json_js_parse(TEXT("[1,123456789012345678901234567890,1.5]"), &value, NULL) ==
       LL_OK);
    for (size_t i = 0; i < 3; i++) OK(json_is_real(json_array_get(value, i)));
    json_decref(value);
    OK(json_js_parse(TEXT("{\"a\":1,\"a\":2}"), &value, NULL) == LL_EINVAL);
}

int main(void)
{
    vectors = vectors_load("json-js.json");
    RUN(every_text_is_written_as_node_writes_it);
    RUN(writing_again_changes_nothing);
    RUN(keys_that_are_asked_for_come_in_their_order);
    RUN(only_objects_have_keys);
    RUN(doubles_are_the_shortest_text);
    RUN(a_member_is_found_as_it_stands);
    RUN(nesting_has_an_end);
    RUN(what_does_not_fit_is_said);
    RUN(malformed_bytes_are_refused);
    RUN(parsed_numbers_are_doubles);
    json_decref(vectors);
    return t_done();
}
