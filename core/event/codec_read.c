/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* codec_read.c - reading an event's data.
 *
 * Not by msgpack-c's reader: that builds a tree from whatever counts the bytes claim, and
 * accepts each value in several forms. Here a count is never believed beyond the bytes
 * that are left, only the one canonical form passes, and nothing is allocated until a
 * value is wanted.
 */
#include "core/event/codec.h"

#include "core/log/record.h"

#include <math.h>
#include <string.h>

struct cursor {
    const unsigned char *start, *at, *end;
};

struct token {
    enum { NIL, BOOLEAN, INTEGER, REAL, STRING, ARRAY, MAP } kind;
    bool boolean;
    int64_t integer;
    double real;
    struct text text;
    uint32_t count; /* of an array's or a map's entries */
};

static struct cursor cursor_of(struct text t)
{
    const unsigned char *start = (const unsigned char *)t.ptr;

    return (struct cursor){start, start, start + t.len};
}

static ll_rc refuse(const struct cursor *c, const char *what, struct ll_error *err)
{
    return ll_fail(err, LL_EINVAL, "data: %s (byte %zu)", what,
                   (size_t)(c->at - c->start));
}

/* n bytes, big-endian. */
static bool take_unsigned(struct cursor *c, size_t n, uint64_t *out)
{
    uint64_t value = 0;

    if ((size_t)(c->end - c->at) < n) return false;
    for (size_t i = 0; i < n; i++) value = value << 8 | *c->at++;
    *out = value;
    return true;
}

/* The body of a string of n bytes. */
static const char *take_string(struct cursor *c, uint64_t n, struct token *t)
{
    if (n > (uint64_t)(c->end - c->at)) return "a string is cut off";
    t->kind = STRING;
    t->text = (struct text){(const char *)c->at, (size_t)n};
    c->at += n;
    return NULL;
}

/* Each entry takes a byte at least: a larger count is a lie. */
static const char *take_count(const struct cursor *c, uint64_t n, bool is_map,
                              struct token *t)
{
    if (n > (uint64_t)(c->end - c->at) / (is_map ? 2 : 1))
        return "more entries are claimed than there are bytes";
    t->kind = is_map ? MAP : ARRAY;
    t->count = (uint32_t)n;
    return NULL;
}

static const char *take_real(struct cursor *c, struct token *t)
{
    uint64_t bits;

    if (!take_unsigned(c, 8, &bits)) return "a real is cut off";
    memcpy(&t->real, &bits, sizeof(t->real));
    if (!isfinite(t->real)) return "a real is not finite";
    if (codec_is_whole(t->real)) return "a whole number is written as a real";
    t->kind = REAL;
    return NULL;
}

/* uint8 .. uint64 and int8 .. int64: `first` is 0xcc .. 0xd3. */
static const char *take_integer(struct cursor *c, unsigned first, struct token *t)
{
    static const uint64_t more_than[] = {0x7f, 0xff, 0xffff, 0xffffffff};
    static const int64_t less_than[] = {-32, INT8_MIN, INT16_MIN, INT32_MIN};
    unsigned size = (first - 0xcc) & 3, bits = 8U << size;
    uint64_t value;

    if (!take_unsigned(c, bits / 8, &value)) return "an integer is cut off";
    t->kind = INTEGER;
    if (first < 0xd0) {
        if (value <= more_than[size]) return "an integer is not in its shortest form";
        if (value > INT64_MAX) return "an integer is beyond 64 bits with a sign";
        t->integer = (int64_t)value;
        return NULL;
    }
    /* Extend the sign without shifting a signed value. */
    if (bits < 64 && value >> (bits - 1)) value |= ~(uint64_t)0 << bits;
    memcpy(&t->integer, &value, sizeof(value));
    return t->integer < less_than[size] ? NULL : "an integer is not in its shortest form";
}

/* Strings, arrays and maps whose length stands apart: 0xd9 .. 0xdf. */
static const char *take_long(struct cursor *c, unsigned first, struct token *t)
{
    static const struct {
        uint8_t bytes;
        uint32_t more_than;
    } forms[] = {{1, 31},     {2, 0xff}, {4, 0xffff}, {2, 15},
                 {4, 0xffff}, {2, 15},   {4, 0xffff}};
    uint64_t n;

    if (!take_unsigned(c, forms[first - 0xd9].bytes, &n)) return "a length is cut off";
    if (n <= forms[first - 0xd9].more_than) return "a length is not in its shortest form";
    if (first < 0xdc) return take_string(c, n, t);
    return take_count(c, n, first >= 0xde, t);
}

/* The next value, or the head of an array or a map. NULL, or what is wrong. */
static inline const char *take(struct cursor *c, struct token *t)
{
    unsigned first;

    if (c->at == c->end) return "a value is missing";
    first = *c->at++;
    if (first < 0x80 || first >= 0xe0) {
        t->kind = INTEGER;
        t->integer = first < 0x80 ? (int64_t)first : (int64_t)first - 0x100;
        return NULL;
    }
    if (first < 0x90) return take_count(c, first & 0x0f, true, t);
    if (first < 0xa0) return take_count(c, first & 0x0f, false, t);
    if (first < 0xc0) return take_string(c, first & 0x1f, t);
    if (first >= 0xd9) return take_long(c, first, t);
    if (first >= 0xcc && first <= 0xd3) return take_integer(c, first, t);
    if (first == 0xcb) return take_real(c, t);
    if (first == 0xc0) {
        t->kind = NIL;
        return NULL;
    }
    if (first != 0xc2 && first != 0xc3) return "a type that events do not use";
    t->kind = BOOLEAN;
    t->boolean = first == 0xc3;
    return NULL;
}

static ll_rc read_value(struct cursor *c, unsigned depth, json_t **out,
                        struct ll_error *err);

static ll_rc read_array(struct cursor *c, uint32_t n, unsigned depth, json_t *array,
                        struct ll_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        json_t *item = NULL;
        ll_rc rc = read_value(c, depth - 1, array ? &item : NULL, err);

        if (rc != LL_OK) return rc;
        if (array != NULL) LL_CHECK(json_array_append_new(array, item) == 0);
    }
    return LL_OK;
}

/* Keys ascend, so a repeated one shows without looking back further than one. */
static ll_rc read_key(struct cursor *c, struct text *last, struct ll_error *err)
{
    struct token t;
    const char *wrong = take(c, &t);

    if (wrong != NULL) return refuse(c, wrong, err);
    if (t.kind != STRING) return refuse(c, "a key is not a string", err);
    if (!text_is_utf8(t.text)) return refuse(c, "a key is not UTF-8, or has a NUL", err);
    if (last->ptr != NULL && text_compare(*last, t.text) >= 0)
        return refuse(c, "keys do not ascend", err);
    *last = t.text;
    return LL_OK;
}

static ll_rc read_map(struct cursor *c, uint32_t n, unsigned depth, json_t *object,
                      struct ll_error *err)
{
    struct text key = {0};

    for (uint32_t i = 0; i < n; i++) {
        json_t *value = NULL;
        ll_rc rc = read_key(c, &key, err);

        if (rc == LL_OK) rc = read_value(c, depth - 1, object ? &value : NULL, err);
        if (rc != LL_OK) return rc;
        if (object != NULL)
            LL_CHECK(json_object_setn_new_nocheck(object, key.ptr, key.len, value) == 0);
    }
    return LL_OK;
}

static json_t *scalar(const struct token *t)
{
    switch (t->kind) {
    case BOOLEAN: return json_boolean(t->boolean);
    case INTEGER: return json_integer(t->integer);
    case REAL: return json_real(t->real);
    case STRING: return json_stringn_nocheck(t->text.ptr, t->text.len);
    default: return json_null();
    }
}

/* Check one value and, with `out`, make it. *out is NULL on a refusal. */
static ll_rc read_value(struct cursor *c, unsigned depth, json_t **out,
                        struct ll_error *err)
{
    struct token t;
    const char *wrong = take(c, &t);
    json_t *made = NULL;
    ll_rc rc;

    if (wrong != NULL) return refuse(c, wrong, err);
    if (t.kind == STRING && !text_is_utf8(t.text))
        return refuse(c, "a string is not UTF-8, or has a NUL", err);
    if (t.kind != ARRAY && t.kind != MAP) {
        if (out != NULL) LL_CHECK((*out = scalar(&t)) != NULL);
        return LL_OK;
    }
    if (depth == 0) return refuse(c, "nested too deep", err);
    if (out != NULL) {
        made = t.kind == MAP ? json_object() : json_array();
        LL_CHECK(made != NULL);
    }
    rc = t.kind == MAP ? read_map(c, t.count, depth, made, err)
                       : read_array(c, t.count, depth, made, err);
    if (rc != LL_OK) {
        json_decref(made);
        return rc;
    }
    if (out != NULL) *out = made;
    return LL_OK;
}

static bool starts_map(struct text data)
{
    unsigned char first = data.len > 0 ? (unsigned char)data.ptr[0] : 0;

    return (first & 0xf0) == 0x80 || first == 0xde || first == 0xdf;
}

/* `depth` counts the outermost map too. */
static ll_rc read_whole(struct text data, json_t **out, struct ll_error *err)
{
    struct cursor c = cursor_of(data);
    ll_rc rc;

    if (data.len > RECORD_DATA)
        return ll_fail(err, LL_EFULL, "data: larger than %d bytes", RECORD_DATA);
    rc = read_value(&c, JSON_DEPTH, out, err);
    if (rc == LL_OK && c.at != c.end) {
        rc = refuse(&c, "bytes behind the data", err);
        if (out != NULL) json_decref(*out);
    }
    if (rc != LL_OK && out != NULL) *out = NULL;
    return rc;
}

ll_rc codec_decode(struct text data, json_t **out, struct ll_error *err)
{
    *out = NULL;
    if (!starts_map(data)) return ll_fail(err, LL_EINVAL, "data: not a map");
    return read_whole(data, out, err);
}

ll_rc codec_check(struct text data, struct ll_error *err)
{
    if (!starts_map(data)) return ll_fail(err, LL_EINVAL, "data: not a map");
    return read_whole(data, NULL, err);
}

ll_rc codec_nested_json(struct text nested, struct builder *out, struct ll_error *err)
{
    json_t *value = NULL;
    ll_rc rc = read_whole(nested, &value, err);

    if (rc != LL_OK) return rc;
    json_write(value, out);
    json_decref(value);
    return out->full ? ll_fail(err, LL_EFULL, "data: too large as JSON") : LL_OK;
}

/* Pass over what an array's or a map's head has announced, however deep. */
static const char *skip_nested(struct cursor *c, const struct token *head)
{
    uint64_t left = head->kind == MAP ? 2ULL * head->count : head->count;

    for (; left > 0; left--) {
        struct token t;
        const char *wrong = take(c, &t);

        if (wrong != NULL) return wrong;
        if (t.kind == ARRAY) left += t.count;
        if (t.kind == MAP) left += 2ULL * t.count;
    }
    return NULL;
}

static void fill(struct codec_value *v, const struct token *t)
{
    switch (t->kind) {
    case NIL: v->kind = CODEC_NULL; break;
    case BOOLEAN: v->kind = CODEC_BOOL; break;
    case INTEGER: v->kind = CODEC_INTEGER; break;
    case REAL: v->kind = CODEC_REAL; break;
    case STRING: v->kind = CODEC_STRING; break;
    case ARRAY:
    case MAP: v->kind = CODEC_NESTED; break;
    }
    v->boolean = t->kind == BOOLEAN && t->boolean;
    v->integer = t->kind == INTEGER ? t->integer : 0;
    v->real = t->kind == REAL ? t->real : 0;
    v->text = t->text;
}

/* The value behind a key; `t.text` becomes a nested value's bytes. */
static const char *take_member(struct cursor *c, struct token *t)
{
    const unsigned char *start = c->at;
    const char *wrong;

    t->text = (struct text){0};
    wrong = take(c, t);
    if (wrong != NULL || (t->kind != ARRAY && t->kind != MAP)) return wrong;
    wrong = skip_nested(c, t);
    t->text = (struct text){(const char *)start, (size_t)(c->at - start)};
    return wrong;
}

ll_rc codec_members(struct text data, const struct text *names, size_t n,
                    struct codec_value *out, struct ll_error *err)
{
    struct cursor c = cursor_of(data);
    struct token head = {0}, key = {0}, value = {0};
    const char *wrong;
    size_t first = 0; /* names before it are found, where they ascend as the keys do */

    for (size_t i = 0; i < n; i++) out[i] = (struct codec_value){.kind = CODEC_ABSENT};
    if (!starts_map(data)) return ll_fail(err, LL_EINVAL, "data: not a map");
    wrong = take(&c, &head);
    for (uint32_t left = wrong ? 0 : head.count; left > 0; left--) {
        wrong = take(&c, &key);
        if (wrong == NULL && key.kind != STRING) wrong = "a key is not a string";
        if (wrong == NULL) wrong = take_member(&c, &value);
        if (wrong != NULL) break;
        for (size_t i = first; i < n; i++) {
            if (!text_equal(names[i], key.text)) continue;
            fill(&out[i], &value);
            if (i == first) first++;
        }
    }
    if (wrong == NULL && c.at != c.end) wrong = "bytes behind the data";
    return wrong == NULL ? LL_OK : refuse(&c, wrong, err);
}
