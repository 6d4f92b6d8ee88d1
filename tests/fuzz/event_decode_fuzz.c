/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* event_decode_fuzz.c - an event's data from the log. What is accepted encodes to the
 * same bytes; looking for members agrees with decoding; every type's reader survives it.
 */
#include "core/event/codec.h"
#include "core/event/registry.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_member(const struct codec_value *v, const json_t *value)
{
    switch (v->kind) {
    case CODEC_ABSENT: LL_CHECK(value == NULL); break;
    case CODEC_NULL: LL_CHECK(json_is_null(value)); break;
    case CODEC_BOOL: LL_CHECK(v->boolean == json_is_true(value)); break;
    case CODEC_INTEGER: LL_CHECK(v->integer == json_integer_value(value)); break;
    case CODEC_REAL: LL_CHECK(v->real == json_real_value(value)); break;
    case CODEC_STRING:
        LL_CHECK(text_equal(
            v->text, (struct text){json_string_value(value), json_string_length(value)}));
        break;
    case CODEC_NESTED: LL_CHECK(json_is_array(value) || json_is_object(value)); break;
    }
}

static void check_members(struct text bytes, const json_t *decoded)
{
    static const struct text names[] = {TEXT("actor"), TEXT("pair"), TEXT("a"), TEXT("")};
    struct codec_value values[LL_LENGTH(names)];

    LL_CHECK(codec_members(bytes, names, LL_LENGTH(names), values, NULL) == LL_OK);
    for (size_t i = 0; i < LL_LENGTH(names); i++) {
        struct builder json;

        check_member(&values[i], json_object_get(decoded, names[i].ptr));
        if (values[i].kind != CODEC_NESTED) continue;
        builder_init(&json, 64 * RECORD_DATA);
        LL_CHECK(codec_nested_json(values[i].text, &json, NULL) == LL_OK);
        builder_fini(&json);
    }
}

static void check_types(struct text bytes)
{
    static struct registry *registry;
    const struct event_type *t;

    if (registry == NULL) LL_CHECK(registry_load(&registry, NULL) == LL_OK);
    for (size_t i = 0; (t = registry_at(registry, i)) != NULL; i++) {
        struct record record = {.type = text_of(event_type_name(t)),
                                .version = event_type_version(t),
                                .data = bytes};
        json_t *out;

        if (event_data(registry, &record, &out, NULL) == LL_OK) json_decref(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct text actor = TEXT("actor");
    struct text bytes = {(const char *)data, len};
    struct codec_value value;
    struct builder again;
    json_t *decoded;

    if (codec_decode(bytes, &decoded, NULL) != LL_OK) {
        LL_CHECK(decoded == NULL && codec_check(bytes, NULL) != LL_OK);
        (void)!codec_members(bytes, &actor, 1, &value, NULL); /* must not crash */
        return 0;
    }
    LL_CHECK(codec_check(bytes, NULL) == LL_OK);
    builder_init(&again, RECORD_DATA);
    LL_CHECK(codec_encode(decoded, &again, NULL) == LL_OK);
    LL_CHECK(text_equal(builder_view(&again), bytes));
    check_members(bytes, decoded);
    check_types(bytes);
    builder_fini(&again);
    json_decref(decoded);
    return 0;
}
