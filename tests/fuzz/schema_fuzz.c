/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema_fuzz.c - the first line is a schema, the rest a value. A verdict has words
 * where it refuses, does not change when it is asked again, and is the same of a schema
 * without its annotations. */
#include "core/event/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static ll_rc verdict(json_t *document, const json_t *value)
{
    struct ll_error err = {0};
    struct schema *schema;
    ll_rc rc = schema_compile(document, &schema, &err);

    if (rc != LL_OK) {
        LL_CHECK(schema == NULL && err.text[0] != '\0');
        return LL_ENOTFOUND;
    }
    rc = schema_validate(schema, value, &err);
    LL_CHECK(rc == schema_validate(schema, value, NULL));
    LL_CHECK(rc == LL_OK || rc == LL_EINVAL || rc == LL_EFULL);
    LL_CHECK((rc == LL_OK) == (err.text[0] == '\0'));
    schema_free(schema);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct text value_text = {(const char *)data, len}, schema_text;
    json_t *document, *bare, *value;
    ll_rc rc;

    text_cut(&value_text, '\n', &schema_text);
    if (json_parse(schema_text, JSON_DEPTH, &document, NULL) != LL_OK) return 0;
    if (json_parse(value_text, JSON_DEPTH, &value, NULL) == LL_OK) {
        rc = verdict(document, value);
        if (rc != LL_ENOTFOUND) {
            bare = schema_bare(document);
            LL_CHECK(verdict(bare, value) == rc);
            json_decref(bare);
        }
        json_decref(value);
    }
    json_decref(document);
    return 0;
}
