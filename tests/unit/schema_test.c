/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema_test.c - what the official suite (schema_suite_test.c) does not ask: places and
 * words of errors, what is refused when a schema is loaded, and bounds on work. */
#include "core/event/schema.h"
#include "t.h"

#include <stdlib.h>
#include <string.h>

static json_t *json(const char *text)
{
    json_t *value;

    LL_CHECK(json_parse(text_of(text), JSON_DEPTH, &value, NULL) == LL_OK);
    return value;
}

static ll_rc compile(const char *text, struct schema **out, struct ll_error *err)
{
    json_t *document = json(text);
    ll_rc rc = schema_compile(document, out, err);

    json_decref(document);
    return rc;
}

static ll_rc validate(const char *schema, const char *value, struct ll_error *err)
{
    struct schema *s;
    json_t *v = json(value);
    ll_rc rc;

    LL_CHECK(compile(schema, &s, NULL) == LL_OK);
    rc = schema_validate(s, v, err);
    schema_free(s);
    json_decref(v);
    return rc;
}

static void an_error_has_pointer_and_keyword(void)
{
    static const struct {
        const char *schema, *value, *says;
    } rows[] = {
        {"{\"type\":\"object\"}", "[]", "\"\" fails type: must be object"},
        {"{\"type\":[\"null\",\"string\"]}", "1",
         "\"\" fails type: must be null or string"},
        {"{\"required\":[\"a\"]}", "{}", "\"\" fails required: \"a\" is missing"},
        {"{\"properties\":{\"a\":{\"items\":{\"pattern\":\"^x\"}}}}",
         "{\"a\":[\"x\",\"y\"]}", "\"/a/1\" fails pattern: must match ^x"},
        {"{\"additionalProperties\":false}", "{\"b\":1}",
         "\"\" fails additionalProperties: \"b\" is not known"},
        {"{\"additionalProperties\":{\"type\":\"null\"}}", "{\"a/b~c\":1}",
         "\"/a~1b~0c\" fails type"},
        {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}",
         "\"/ab\" fails maxLength: 2 are too many, 1 are the most"},
        {"{\"format\":\"uuid\"}", "\"x\"", "\"\" fails format: must be a uuid"},
        {"{\"minimum\":3}", "2", "\"\" fails minimum: must be at least 3"},
        {"{\"items\":false}", "[1]", "\"/0\" fails false"},
        {"{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "1",
         "\"\" fails oneOf: matches none of 2"},
        {"{\"oneOf\":[true,true]}", "1", "\"\" fails oneOf: matches more than one of 2"},
        {"{\"not\":{}}", "1", "\"\" fails not"},
        {"{\"const\":1}", "2", "\"\" fails const"},
        {"{\"enum\":[1,2]}", "3", "\"\" fails enum"},
        {"{\"uniqueItems\":true}", "[1,2,1.0]", "\"\" fails uniqueItems: items 0 and 2"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        struct ll_error err = {0};

        OK(validate(rows[i].schema, rows[i].value, &err) == LL_EINVAL);
        OK(strstr(err.text, rows[i].says) == err.text);
    }
}

static void a_mistake_is_found_on_loading(void)
{
    static const struct {
        const char *schema, *says;
    } rows[] = {
        {"1", "schema at \"\": must be a schema"},
        {"{\"foo\":1}", "schema at \"\": unknown keyword \"foo\""},
        {"{\"if\":{}}", "unknown keyword \"if\""},
        {"{\"properties\":{\"a\":{\"x-a\":1}}}",
         "schema at \"/properties/a\": unknown keyword \"x-a\""},
        {"{\"properties\":{\"a\":{\"minimum\":\"1\"}}}",
         "schema at \"/properties/a/minimum\": must be a number"},
        {"{\"type\":\"text\"}", "schema at \"/type\": must be types of JSON"},
        {"{\"type\":[]}", "must name a type"},
        {"{\"type\":[\"null\",\"null\"]}", "each once"},
        {"{\"enum\":[]}", "must be a list of values"},
        {"{\"multipleOf\":0}", "must be above 0"},
        {"{\"maxLength\":-1}", "must be a whole number"},
        {"{\"maxLength\":1.5}", "must be a whole number"},
        {"{\"pattern\":\"(\"}", "schema at \"/pattern\": pattern \"(\""},
        {"{\"pattern\":1}", "must be a string"},
        {"{\"format\":\"email\"}", "unknown format \"email\""},
        {"{\"uniqueItems\":1}", "must be true or false"},
        {"{\"items\":[{}]}", "a list of schemas is not supported"},
        {"{\"required\":\"a\"}", "must be a list of names"},
        {"{\"required\":[1]}", "must be a list of names"},
        {"{\"required\":[\"a\",\"a\"]}", "\"a\" is named twice"},
        {"{\"properties\":[]}", "must be an object of schemas"},
        {"{\"allOf\":[]}", "must be a list of schemas"},
        {"{\"anyOf\":[{},{\"foo\":1}]}", "schema at \"/anyOf/1\": unknown keyword"},
        {"{\"title\":1}", "must be a string"},
        {"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}", "draft-07"},
        {"{\"$ref\":\"other.json\"}", "must lead into this document"},
        {"{\"$ref\":\"#/definitions/a\"}", "leads to no schema"},
        {"{\"$ref\":\"#nowhere\"}", "leads to no schema"},
        {"{\"$ref\":\"#\"}", "lead in a circle"},
        {"{\"definitions\":{\"a\":{\"allOf\":[{\"$ref\":\"#/definitions/b\"}]},"
         "\"b\":{\"not\":{\"$ref\":\"#/definitions/a\"}}}}",
         "lead in a circle"},
        {"{\"$ref\":\"#/definitions/a\",\"type\":\"null\",\"definitions\":{\"a\":true}}",
         "\"type\" beside $ref would be ignored"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        struct ll_error err = {0};
        struct schema *s;

        OK(compile(rows[i].schema, &s, &err) == LL_EINVAL && s == NULL);
        OK(strstr(err.text, rows[i].says) != NULL);
    }
}

static void large_integers_are_not_rounded(void)
{
    OK(validate("{\"maximum\":9007199254740992}", "9007199254740993", NULL) == LL_EINVAL);
    OK(validate("{\"maximum\":9007199254740992.0}", "9007199254740993", NULL) ==
       LL_EINVAL);
    OK(validate("{\"minimum\":9223372036854775807}", "9.3e18", NULL) == LL_OK);
    OK(validate("{\"maximum\":-9223372036854775808}", "-9.3e18", NULL) == LL_OK);
    OK(validate("{\"exclusiveMinimum\":1}", "1.0", NULL) == LL_EINVAL);
    OK(validate("{\"minimum\":1.5}", "1", NULL) == LL_EINVAL);
    OK(validate("{\"minimum\":-1.5}", "-1", NULL) == LL_OK);
    OK(validate("{\"const\":9007199254740992.0}", "9007199254740993", NULL) == LL_EINVAL);
    OK(validate("{\"multipleOf\":3}", "9223372036854775806", NULL) == LL_OK);
    OK(validate("{\"multipleOf\":0.01}", "19.99", NULL) == LL_OK);
    OK(validate("{\"multipleOf\":0.01}", "19.995", NULL) == LL_EINVAL);
}

static void formats_are_asserted(void)
{
    static const char *const uuids[] = {
        "\"5a2e0c43-6f0c-4b5e-9d7e-2f6d8c1b3a40\"",
        "\"5A2E0C43-6F0C-4B5E-9D7E-2F6D8C1B3A40\"",
        "\"5a2e0c436f0c4b5e9d7e2f6d8c1b3a40\"",
        "\"\"",
        "1",
    };
    static const ll_rc verdicts[] = {LL_OK, LL_EINVAL, LL_EINVAL, LL_EINVAL, LL_OK};

    for (size_t i = 0; i < LL_LENGTH(uuids); i++)
        OK(validate("{\"format\":\"uuid\"}", uuids[i], NULL) == verdicts[i]);
    OK(validate("{\"format\":\"date-time\"}", "\"2026-02-28T23:59:60Z\"", NULL) == LL_OK);
    OK(validate("{\"format\":\"date-time\"}", "\"2026-02-29T00:00:00Z\"", NULL) ==
       LL_EINVAL);
    OK(validate("{\"format\":\"date-time\"}", "\"2026\\r02-28T00:00:00Z\"", NULL) ==
       LL_EINVAL);
}

/* 8^7 ways through, each of them tried. */
static void work_is_bounded(void)
{
    struct builder b;
    struct schema *s;
    json_t *one = json_integer(1);
    struct ll_error err;

    builder_init(&b, 10000);
    builder_string(&b, "{\"definitions\":{\"d7\":{\"type\":\"null\"}");
    for (int i = 0; i < 7; i++)
        builder_printf(
            &b,
            ",\"d%d\":{\"anyOf\":[{\"$ref\":\"#/definitions/d%d\"},"
            "{\"$ref\":\"#/definitions/d%d\"},{\"$ref\":\"#/definitions/d%d\"},"
            "{\"$ref\":\"#/definitions/d%d\"},{\"$ref\":\"#/definitions/d%d\"},"
            "{\"$ref\":\"#/definitions/d%d\"},{\"$ref\":\"#/definitions/d%d\"},"
            "{\"$ref\":\"#/definitions/d%d\"}]}",
            i, i + 1, i + 1, i + 1, i + 1, i + 1, i + 1, i + 1, i + 1);
    builder_string(&b, "},\"$ref\":\"#/definitions/d0\"}");
    OK(compile(b.ptr, &s, NULL) == LL_OK);
    OK(schema_validate(s, one, &err) == LL_EFULL);
    schema_free(s);
    json_decref(one);
    builder_fini(&b);
}

static void a_long_list_of_unique_items_is_bounded(void)
{
    json_t *list = json_array();
    struct schema *s;

    OK(compile("{\"uniqueItems\":true}", &s, NULL) == LL_OK);
    for (int i = 0; i < 1000; i++) json_array_append_new(list, json_integer(i));
    OK(schema_validate(s, list, NULL) == LL_OK);
    for (int i = 1000; i < 100000; i++) json_array_append_new(list, json_integer(i));
    OK(schema_validate(s, list, NULL) == LL_EFULL);
    schema_free(s);
    json_decref(list);
}

static void a_deep_value_is_bounded(void)
{
    json_t *value = json_array();
    struct schema *s;

    OK(compile("{\"items\":{\"$ref\":\"#\"}}", &s, NULL) == LL_OK);
    for (int i = 1; i < 1000; i++) {
        json_t *outer = json_array();

        if (i == JSON_DEPTH) OK(schema_validate(s, value, NULL) == LL_OK);
        json_array_append_new(outer, value);
        value = outer;
    }
    OK(schema_validate(s, value, NULL) == LL_EFULL);
    schema_free(s);
    json_decref(value);
}

static void members_of_the_root_are_described(void)
{
    struct schema *s;
    struct schema_member m;

    OK(compile("{\"definitions\":{\"id\":{\"type\":\"string\",\"pattern\":\"^a\"}},"
               "\"properties\":{\"id\":{\"$ref\":\"#/definitions/id\"},"
               "\"n\":{\"type\":\"integer\"},\"m\":{\"type\":[\"string\",\"null\"]}},"
               "\"required\":[\"id\",\"m\"],\"additionalProperties\":false}",
               &s, NULL) == LL_OK);
    m = schema_member(s, "id");
    OK(m.is_known && m.is_required && m.is_text && !m.is_integer && m.is_bounded);
    m = schema_member(s, "n");
    OK(m.is_known && !m.is_required && !m.is_text && m.is_integer && !m.is_bounded);
    m = schema_member(s, "m");
    OK(m.is_known && m.is_required && !m.is_text);
    OK(!schema_member(s, "other").is_known);
    OK(!schema_is_open(s) && strcmp(schema_required_at(s, 1), "m") == 0);
    OK(schema_required_at(s, 2) == NULL);
    schema_free(s);
}

static void the_bare_schema_has_no_words(void)
{
    json_t *full =
        json("{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
             "\"title\":\"t\",\"description\":\"d\",\"examples\":[1],"
             "\"x-key\":\"{a}\",\"properties\":{\"title\":{\"type\":\"string\","
             "\"description\":\"d\"}},\"allOf\":[{\"default\":1}],"
             "\"definitions\":{\"description\":{\"$comment\":\"c\"}},"
             "\"const\":{\"title\":1}}");
    json_t *expected =
        json("{\"x-key\":\"{a}\",\"properties\":{\"title\":{\"type\":"
             "\"string\"}},\"allOf\":[{}],\"definitions\":{\"description\":"
             "{}},\"const\":{\"title\":1}}");
    json_t *got = schema_bare(full);

    OK(json_equal(got, expected));
    json_decref(full);
    json_decref(expected);
    json_decref(got);
}

int main(void)
{
    RUN(an_error_has_pointer_and_keyword);
    RUN(a_mistake_is_found_on_loading);
    RUN(large_integers_are_not_rounded);
    RUN(formats_are_asserted);
    RUN(work_is_bounded);
    RUN(a_long_list_of_unique_items_is_bounded);
    RUN(a_deep_value_is_bounded);
    RUN(members_of_the_root_are_described);
    RUN(the_bare_schema_has_no_words);
    return t_done();
}
