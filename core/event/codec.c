/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* codec.c - writing an event's data, by msgpack-c's packer; reading is codec_read.c. */
#include "core/event/codec.h"

#include "core/log/record.h"

#include <msgpack.h>
#include <stdlib.h>

static int write_bytes(void *builder, const char *bytes, size_t n)
{
    builder_add(builder, bytes, n);
    return 0;
}

static ll_rc write_value(msgpack_packer *p, const json_t *value, unsigned depth,
                         struct ll_error *err);

static ll_rc write_text(msgpack_packer *p, struct text t, struct ll_error *err)
{
    if (!text_is_utf8(t))
        return ll_fail(err, LL_EINVAL, "data: a string is not UTF-8, or has a NUL");
    msgpack_pack_str_with_body(p, t.ptr, t.len);
    return LL_OK;
}

static ll_rc write_array(msgpack_packer *p, const json_t *array, unsigned depth,
                         struct ll_error *err)
{
    size_t n = json_array_size(array);
    ll_rc rc = LL_OK;

    msgpack_pack_array(p, n);
    for (size_t i = 0; i < n && rc == LL_OK; i++)
        rc = write_value(p, json_array_get(array, i), depth - 1, err);
    return rc;
}

struct member {
    struct text key;
    const json_t *value;
};

static int by_key(const void *a, const void *b)
{
    return text_compare(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static ll_rc write_map(msgpack_packer *p, const json_t *object, unsigned depth,
                       struct ll_error *err)
{
    struct member few[32];
    size_t n = json_object_size(object), i = 0;
    struct member *members = n <= LL_LENGTH(few) ? few : ll_calloc(n, sizeof(*members));
    json_t *unlocked = (json_t *)object; /* jansson's iterator wants it so */
    ll_rc rc = LL_OK;

    for (void *at = json_object_iter(unlocked); at != NULL;
         at = json_object_iter_next(unlocked, at))
        members[i++] =
            (struct member){{json_object_iter_key(at), json_object_iter_key_len(at)},
                            json_object_iter_value(at)};
    qsort(members, n, sizeof(*members), by_key);
    msgpack_pack_map(p, n);
    for (i = 0; i < n && rc == LL_OK; i++) {
        rc = write_text(p, members[i].key, err);
        if (rc == LL_OK) rc = write_value(p, members[i].value, depth - 1, err);
    }
    if (members != few) free(members);
    return rc;
}

static void write_real(msgpack_packer *p, double x)
{
    if (codec_is_whole(x))
        msgpack_pack_int64(p, (int64_t)x);
    else
        msgpack_pack_double(p, x);
}

static ll_rc write_value(msgpack_packer *p, const json_t *value, unsigned depth,
                         struct ll_error *err)
{
    switch (json_typeof(value)) {
    case JSON_NULL: msgpack_pack_nil(p); return LL_OK;
    case JSON_TRUE: msgpack_pack_true(p); return LL_OK;
    case JSON_FALSE: msgpack_pack_false(p); return LL_OK;
    case JSON_INTEGER: msgpack_pack_int64(p, json_integer_value(value)); return LL_OK;
    case JSON_REAL: write_real(p, json_real_value(value)); return LL_OK;
    case JSON_STRING:
        return write_text(
            p, (struct text){json_string_value(value), json_string_length(value)}, err);
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    if (depth == 0)
        return ll_fail(err, LL_EINVAL, "data: nested deeper than %d", JSON_DEPTH);
    if (json_is_array(value)) return write_array(p, value, depth, err);
    return write_map(p, value, depth, err);
}

ll_rc codec_encode(const json_t *data, struct builder *out, struct ll_error *err)
{
    size_t before = out->len;
    msgpack_packer packer;
    ll_rc rc;

    if (!json_is_object(data)) return ll_fail(err, LL_EINVAL, "data: not an object");
    msgpack_packer_init(&packer, out, write_bytes);
    rc = write_value(&packer, data, JSON_DEPTH, err);
    if (rc == LL_OK && (out->full || out->len - before > RECORD_DATA))
        rc = ll_fail(err, LL_EFULL, "data: larger than %d bytes", RECORD_DATA);
    return rc;
}
