/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json_js_fuzz.c - what is written is written the same again, a member that is found is
 * JSON itself, and what jansson takes for JSON JavaScript does too. */
#include "core/base/json_js.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { WRITTEN = 1 << 24 };

static void write_again(struct text written)
{
    struct builder again;

    builder_init(&again, WRITTEN);
    LL_CHECK(json_js_write(written, &again, NULL) == LL_OK);
    LL_CHECK(text_equal(builder_view(&again), written));
    builder_fini(&again);
}

/* Picking one key gives that key's value, or nothing. */
static void pick(struct text json)
{
    const struct text key = TEXT("a");
    struct builder picked, value;
    struct text found;
    bool is_there = json_js_member(json, "a", &found);

    builder_init(&picked, WRITTEN);
    builder_init(&value, WRITTEN);
    if (json_js_write_picked(json, &key, 1, &picked, NULL) == LL_OK) {
        LL_CHECK(is_there == (picked.len > 2));
        builder_string(&value, "{\"a\":");
        if (is_there) LL_CHECK(json_js_write(found, &value, NULL) == LL_OK);
        builder_char(&value, '}');
        LL_CHECK(!is_there || text_equal(builder_view(&picked), builder_view(&value)));
    } else {
        LL_CHECK(!is_there);
    }
    builder_fini(&picked);
    builder_fini(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct text json = {(const char *)data, len};
    struct ll_error err = {0};
    struct builder written;
    json_t *value;
    bool ok;

    builder_init(&written, WRITTEN);
    ok = json_js_write(json, &written, &err) == LL_OK;
    LL_CHECK(ok == (err.text[0] == '\0'));
    if (ok)
        write_again(builder_view(&written));
    else
        LL_CHECK(written.len == 0);
    pick(json);
    if (json_js_parse(json, &value, NULL) == LL_OK) {
        LL_CHECK(ok);
        json_decref(value);
    }
    builder_fini(&written);
    return 0;
}
