/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema_suite_test.c - the official JSON-Schema-Test-Suite (Debian's
 * json-schema-test-suite), draft-07, for the keywords of schema.h.
 *
 * A schema that schema.h says it refuses is skipped, by name and with the reason; any
 * other must compile. Skipped (77) without the package.
 */
#include "core/event/schema.h"
#include "t.h"

#include <string.h>
#include <unistd.h>

#define SUITE "/usr/share/json-schema-test-suite/tests/draft7/"

/* With fewer the package has changed, and so must this test. */
enum { LEAST_CASES = 290 };

static const char *const files[] = {
    "additionalProperties",
    "allOf",
    "anyOf",
    "boolean_schema",
    "const",
    "default",
    "definitions",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "optional/format/date-time",
    "optional/zeroTerminatedFloats",
    "pattern",
    "properties",
    "propertyNames",
    "ref",
    "required",
    "type",
    "uniqueItems",
};

/* Schemas we refuse, and the words in which we must refuse them. */
static const struct skip {
    const char *file, *group, *says, *why;
} skips[] = {
    {"additionalProperties", "", "unknown keyword \"patternProperties\"",
     "patternProperties is not supported"},
    {"properties", "properties, patternProperties, additionalProperties interaction",
     "unknown keyword \"patternProperties\"", "patternProperties is not supported"},
    {"items", "", "a list of schemas is not supported", "items is one schema"},
    {"uniqueItems", "", "a list of schemas is not supported", "items is one schema"},
    {"ref", "relative pointer ref to array", "a list of schemas is not supported",
     "items is one schema"},
    {"ref", "escaped pointer ref", "unknown keyword \"tilda~field\"",
     "schemas are only below keywords"},
    {"ref", "ref overrides any sibling keywords", "\"maxItems\" beside $ref",
     "a keyword beside $ref is an error"},
    {"ref", "", "must lead into this document", "$ref stays in its document"},
    {"definitions", "", "must lead into this document", "$ref stays in its document"},
};

static size_t cases, skipped;

static const struct skip *skip_of(const char *file, const char *group, const char *text)
{
    for (size_t i = 0; i < LL_LENGTH(skips); i++) {
        const struct skip *s = &skips[i];

        if (strcmp(s->file, file) == 0 && strstr(group, s->group) &&
            strstr(text, s->says) != NULL)
            return s;
    }
    return NULL;
}

static void run_case(const struct schema *schema, const char *file, const char *group,
                     const json_t *test)
{
    const char *name = json_string_value(json_object_get(test, "description"));
    bool valid = json_is_true(json_object_get(test, "valid"));
    struct ll_error err = {0};
    ll_rc rc = schema_validate(schema, json_object_get(test, "data"), &err);

    cases++;
    OK(rc == (valid ? LL_OK : LL_EINVAL));
    OK((rc == LL_OK) == (err.text[0] == '\0'));
    if (rc != (valid ? LL_OK : LL_EINVAL))
        printf("  %s: %s: %s: %s\n", file, group, name, err.text);
}

static void run_group(const char *file, const json_t *group)
{
    const char *name = json_string_value(json_object_get(group, "description"));
    const json_t *tests = json_object_get(group, "tests");
    struct schema *schema;
    struct ll_error err;

    if (schema_compile(json_object_get(group, "schema"), &schema, &err) != LL_OK) {
        const struct skip *skip = skip_of(file, name, err.text);

        OK(skip != NULL);
        printf("%s %s: %s (%zu cases): %s\n", skip ? "skipped" : "refused", file, name,
               json_array_size(tests), skip ? skip->why : err.text);
        skipped += json_array_size(tests);
        return;
    }
    for (size_t i = 0; i < json_array_size(tests); i++)
        run_case(schema, file, name, json_array_get(tests, i));
    schema_free(schema);
}

static void run_file(const char *file)
{
    char path[200];
    json_error_t why;
    json_t *groups;

    snprintf(path, sizeof(path), SUITE "%s.json", file);
    groups = json_load_file(path, JSON_ALLOW_NUL, &why);
    OK(groups != NULL);
    for (size_t i = 0; i < json_array_size(groups); i++)
        run_group(file, json_array_get(groups, i));
    json_decref(groups);
}

static void the_official_suite_passes(void)
{
    for (size_t i = 0; i < LL_LENGTH(files); i++) run_file(files[i]);
}

int main(void)
{
    if (access(SUITE "type.json", R_OK) != 0) {
        printf("skipped: %s is not there (Debian's json-schema-test-suite)\n", SUITE);
        return 77;
    }
    RUN(the_official_suite_passes);
    printf("%zu cases run, %zu skipped\n", cases, skipped);
    OK(cases >= LEAST_CASES);
    return t_done();
}
