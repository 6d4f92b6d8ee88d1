/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_hash.c - see entity_hash.h. */
#include "producers/content/entity_hash.h"

#include "core/base/json_js.h"
#include "core/base/json_js_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 16 * ENTITY_FILE_SIZE }; /* written anew: numbers may grow */

/* A byte's place in the order of UTF-16: what needs two units there (from f0 on) comes
 * before the last of those that need one (ee, ef). */
static int rank(unsigned char byte)
{
    if (byte >= 0xf0) return byte - 2;
    return byte >= 0xee ? byte + 0x100 : byte;
}

static int compare_as_javascript(struct text a, struct text b)
{
    size_t i = 0;

    while (i < a.len && i < b.len && a.ptr[i] == b.ptr[i]) i++;
    if (i == a.len || i == b.len) return (a.len > b.len) - (a.len < b.len);
    return rank((unsigned char)a.ptr[i]) - rank((unsigned char)b.ptr[i]);
}

static int by_hash_then_file(const void *a, const void *b)
{
    const struct entity_content *x = a, *y = b;
    int order = compare_as_javascript(x->hash, y->hash);

    return order != 0 ? order : compare_as_javascript(x->file, y->file);
}

static void write_content(const struct entity_content *sorted, size_t count,
                          struct builder *out)
{
    for (size_t i = 0; i < count; i++) {
        builder_string(out, i > 0 ? ",{\"key\":" : "{\"key\":");
        json_js_quote(sorted[i].file, out);
        builder_string(out, ",\"hash\":");
        json_js_quote(sorted[i].hash, out);
        builder_char(out, '}');
    }
}

ll_rc entity_item_text(const struct entity_content *content, size_t count,
                       struct text metadata, struct arena *arena, struct text *out,
                       struct ll_error *err)
{
    struct entity_content *sorted = arena_calloc(arena, count + 1, sizeof(*sorted));
    struct builder text;
    ll_rc rc = LL_OK;

    if (count > 0) memcpy(sorted, content, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_hash_then_file);
    builder_init(&text, TEXT_MOST);
    builder_string(&text, "{\"content\":[");
    write_content(sorted, count, &text);
    builder_char(&text, ']');
    if (metadata.len > 0) {
        builder_string(&text, ",\"metadata\":");
        rc = json_js_write(metadata, &text, err);
    }
    builder_char(&text, '}');
    if (rc == LL_OK && text.full)
        rc = ll_fail(err, LL_EFULL, "the item's text is too long");
    if (rc == LL_OK) *out = arena_text(arena, builder_view(&text));
    builder_fini(&text);
    return rc;
}

ll_rc entity_metadata_hash(struct text metadata, const struct text *keys, size_t count,
                           uint8_t out[KECCAK_SIZE], struct ll_error *err)
{
    struct builder text;
    ll_rc rc;

    builder_init(&text, TEXT_MOST);
    rc = json_js_write_picked(metadata, keys, count, &text, err);
    if (rc == LL_OK) keccak256(builder_view(&text), out);
    builder_fini(&text);
    return rc;
}

/* "0x" and 64 digits, or the digits alone. */
static bool read_sibling(const json_t *value, uint8_t out[KECCAK_SIZE])
{
    struct text hex = {json_string_value(value), json_string_length(value)};

    if (!json_is_string(value)) return false;
    if (text_starts_with(hex, "0x")) hex = (struct text){hex.ptr + 2, hex.len - 2};
    return hex_decode(hex, out, KECCAK_SIZE);
}

static void fold(uint8_t node[KECCAK_SIZE], const uint8_t sibling[KECCAK_SIZE])
{
    bool is_first = memcmp(node, sibling, KECCAK_SIZE) < 0;
    struct keccak k;

    keccak_init(&k);
    keccak_add(&k, is_first ? node : sibling, KECCAK_SIZE);
    keccak_add(&k, is_first ? sibling : node, KECCAK_SIZE);
    keccak_final(&k, node);
}

bool merkle_root(const json_t *proof, uint8_t out[KECCAK_SIZE])
{
    const json_t *siblings = json_object_get(proof, "proof");
    double index = json_number_value(json_object_get(proof, "index"));
    uint8_t leading[KECCAK_SIZE] = {0}, sibling[KECCAK_SIZE];
    struct text hash;
    struct keccak k;

    if (!json_is_array(siblings) || !json_is_number(json_object_get(proof, "index")) ||
        !json_member_text(proof, "entityHash", &hash) || index < 0 ||
        index > 9007199254740991.0 || floor(index) != index)
        return false;
    for (size_t i = 0; i < 8; i++)
        leading[KECCAK_SIZE - 1 - i] = (uint8_t)((uint64_t)index >> (8 * i));
    keccak_init(&k);
    keccak_add(&k, leading, sizeof(leading));
    keccak_add(&k, hash.ptr, hash.len);
    keccak_final(&k, out);
    for (size_t i = 0; i < json_array_size(siblings); i++) {
        if (!read_sibling(json_array_get(siblings, i), sibling)) return false;
        fold(out, sibling);
    }
    return true;
}
