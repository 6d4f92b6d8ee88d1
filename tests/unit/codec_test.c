/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* codec_test.c - one form for each value, msgpack-c reads what we write, and bytes that
 * are not of that form are refused. */
#include "core/event/codec.h"
#include "core/log/record.h"
#include "t.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

static json_t *json(const char *text)
{
    json_t *value;

    LL_CHECK(json_parse(text_of(text), JSON_DEPTH, &value, NULL) == LL_OK);
    return value;
}

static struct builder encoded(const char *text)
{
    json_t *value = json(text);
    struct builder b;

    builder_init(&b, RECORD_DATA * 2);
    LL_CHECK(codec_encode(value, &b, NULL) == LL_OK);
    json_decref(value);
    return b;
}

static bool encodes_as(const char *text, const char *hex)
{
    struct builder data = encoded(text), printed;
    bool same;

    builder_init(&printed, 4096);
    builder_hex(&printed, data.ptr, data.len);
    same = text_is(builder_view(&printed), hex);
    builder_fini(&data);
    builder_fini(&printed);
    return same;
}

static void each_value_has_its_shortest_form(void)
{
    static const struct {
        const char *json, *hex;
    } rows[] = {
        {"{}", "80"},
        {"{\"b\":null,\"a\":true,\"aa\":false}", "83a161c3a26161c2a162c0"},
        {"{\"a\":127}", "81a1617f"},
        {"{\"a\":128}", "81a161cc80"},
        {"{\"a\":255}", "81a161ccff"},
        {"{\"a\":256}", "81a161cd0100"},
        {"{\"a\":65536}", "81a161ce00010000"},
        {"{\"a\":4294967296}", "81a161cf0000000100000000"},
        {"{\"a\":9223372036854775807}", "81a161cf7fffffffffffffff"},
        {"{\"a\":-1}", "81a161ff"},
        {"{\"a\":-32}", "81a161e0"},
        {"{\"a\":-33}", "81a161d0df"},
        {"{\"a\":-129}", "81a161d1ff7f"},
        {"{\"a\":-32769}", "81a161d2ffff7fff"},
        {"{\"a\":-2147483649}", "81a161d3ffffffff7fffffff"},
        {"{\"a\":-9223372036854775808}", "81a161d38000000000000000"},
        {"{\"a\":1.0}", "81a16101"},
        {"{\"a\":-0.0}", "81a16100"},
        {"{\"a\":1e3}", "81a161cd03e8"},
        {"{\"a\":1.5}", "81a161cb3ff8000000000000"},
        {"{\"a\":1e300}", "81a161cb7e37e43c8800759c"},
        {"{\"a\":[1,[],{}]}", "81a161930190"
                              "80"},
        {"{\"a\":\"\\u00e9\"}", "81a161a2c3a9"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++)
        OK(encodes_as(rows[i].json, rows[i].hex));
}

static void what_has_no_encoding_is_refused(void)
{
    json_t *array = json_array(), *nul = json_pack("{s:s%}", "a", "\0", (size_t)1);
    json_t *deep = json_object();
    struct builder b;
    struct ll_error err;

    builder_init(&b, RECORD_DATA * 2);
    OK(codec_encode(array, &b, &err) == LL_EINVAL);
    OK(nul == NULL || codec_encode(nul, &b, &err) == LL_EINVAL);
    for (int i = 0; i < JSON_DEPTH; i++) {
        json_t *outer = json_object();

        OK(codec_encode(deep, &b, &err) == LL_OK);
        json_object_set_new(outer, "a", deep);
        deep = outer;
    }
    OK(codec_encode(deep, &b, &err) == LL_EINVAL);
    builder_fini(&b);
    json_decref(array);
    json_decref(nul);
    json_decref(deep);
}

static json_t *of_length(size_t n)
{
    char *text = ll_malloc(n);
    json_t *value = json_object();

    memset(text, 'x', n);
    json_object_set_new(value, "a", json_stringn(text, n));
    free(text);
    return value;
}

static void too_large_is_said_not_cut(void)
{
    enum { HEAD = 1 + 2 + 5 };
    json_t *fits = of_length(RECORD_DATA - HEAD),
           *over = of_length(RECORD_DATA - HEAD + 1);
    struct builder b;
    json_t *back;

    builder_init(&b, RECORD_DATA * 2);
    OK(codec_encode(fits, &b, NULL) == LL_OK && b.len == RECORD_DATA);
    OK(codec_decode(builder_view(&b), &back, NULL) == LL_OK && json_equal(fits, back));
    json_decref(back);
    builder_reset(&b);
    OK(codec_encode(over, &b, NULL) == LL_EFULL);
    OK(codec_decode(builder_view(&b), &back, NULL) == LL_EFULL && back == NULL);
    builder_fini(&b);
    builder_init(&b, 100);
    OK(codec_encode(fits, &b, NULL) == LL_EFULL);
    builder_fini(&b);
    json_decref(fits);
    json_decref(over);
}

static json_t *random_value(int depth);

static json_t *random_text(void)
{
    static const char *const pieces[] = {"a",  "\xc3\xa9", "\xf0\x9f\x98\x80",
                                         "\"", "\n",       "0x"};
    struct builder b;
    json_t *value;

    builder_init(&b, 4096);
    for (int n = rand() % 3 == 0 ? rand() % 300 : rand() % 6; n > 0; n--)
        builder_string(&b, pieces[rand() % 6]);
    value = json_string(builder_view(&b).ptr);
    builder_fini(&b);
    return value;
}

static json_t *random_object(int depth)
{
    json_t *value = json_object();

    for (int n = rand() % 20; n > 0; n--) {
        json_t *key = random_text();

        json_object_set_new(value, json_string_value(key), random_value(depth - 1));
        json_decref(key);
    }
    return value;
}

static json_t *random_value(int depth)
{
    int64_t wide =
        (int64_t)((uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand());
    json_t *array;

    switch (rand() % (depth > 0 ? 7 : 5)) {
    case 0: return json_null();
    case 1: return json_boolean(rand() % 2);
    case 2: return json_integer(wide >> rand() % 64);
    case 3: return json_real((double)(wide >> rand() % 64) + 0.25 * (rand() % 2));
    case 4: return random_text();
    case 5: return random_object(depth);
    default: break;
    }
    array = json_array();
    for (int n = rand() % 20; n > 0; n--)
        json_array_append_new(array, random_value(depth - 1));
    return array;
}

static bool same(const json_t *a, const msgpack_object *b);

static bool same_entries(const json_t *a, const msgpack_object *b)
{
    bool is_map = json_is_object(a);
    size_t n = is_map ? json_object_size(a) : json_array_size(a);

    if (b->type != (is_map ? MSGPACK_OBJECT_MAP : MSGPACK_OBJECT_ARRAY)) return false;
    if (n != (is_map ? b->via.map.size : b->via.array.size)) return false;
    for (size_t i = 0; i < n; i++) {
        const msgpack_object *key = is_map ? &b->via.map.ptr[i].key : NULL;
        const json_t *item =
            is_map ? json_object_getn(a, key->via.str.size ? key->via.str.ptr : "",
                                      key->via.str.size)
                   : json_array_get(a, i);

        if (!same(item, is_map ? &b->via.map.ptr[i].val : &b->via.array.ptr[i]))
            return false;
    }
    return true;
}

static bool same_number(const json_t *a, const msgpack_object *b)
{
    if (b->type == MSGPACK_OBJECT_FLOAT64) return json_number_value(a) == b->via.f64;
    if (json_is_real(a))
        return json_real_value(a) == (b->type == MSGPACK_OBJECT_POSITIVE_INTEGER
                                          ? (double)b->via.u64
                                          : (double)b->via.i64);
    return b->type == MSGPACK_OBJECT_POSITIVE_INTEGER
               ? json_integer_value(a) == (int64_t)b->via.u64
               : json_integer_value(a) == b->via.i64;
}

static bool same(const json_t *a, const msgpack_object *b)
{
    if (json_is_object(a) || json_is_array(a)) return same_entries(a, b);
    if (json_is_number(a)) return same_number(a, b);
    if (json_is_string(a))
        return b->type == MSGPACK_OBJECT_STR &&
               text_equal((struct text){b->via.str.ptr, b->via.str.size},
                          (struct text){json_string_value(a), json_string_length(a)});
    if (json_is_boolean(a))
        return b->type == MSGPACK_OBJECT_BOOLEAN && b->via.boolean == json_is_true(a);
    return b->type == MSGPACK_OBJECT_NIL;
}

static void any_data_comes_back_and_msgpack_c_reads_the_same(void)
{
    srand(7);
    for (int i = 0; i < 500; i++) {
        json_t *value = random_object(3), *back = NULL;
        struct builder first, second;
        msgpack_unpacked unpacked;
        size_t off = 0;

        builder_init(&first, RECORD_DATA);
        builder_init(&second, RECORD_DATA);
        msgpack_unpacked_init(&unpacked);
        OK(codec_encode(value, &first, NULL) == LL_OK);
        OK(msgpack_unpack_next(&unpacked, first.ptr, first.len, &off) ==
           MSGPACK_UNPACK_SUCCESS);
        OK(off == first.len && same(value, &unpacked.data));
        OK(codec_check(builder_view(&first), NULL) == LL_OK);
        OK(codec_decode(builder_view(&first), &back, NULL) == LL_OK);
        OK(same(back, &unpacked.data));
        OK(codec_encode(back, &second, NULL) == LL_OK);
        OK(text_equal(builder_view(&first), builder_view(&second)));
        msgpack_unpacked_destroy(&unpacked);
        builder_fini(&first);
        builder_fini(&second);
        json_decref(value);
        json_decref(back);
    }
}

#define BYTES(literal) \
    { \
        literal, sizeof(literal) - 1 \
    }

static void another_form_is_refused(void)
{
    static const struct {
        struct text data;
        const char *says;
    } rows[] = {
        {BYTES(""), "not a map"},
        {BYTES("\x90"), "not a map"},
        {BYTES("\xc0"), "not a map"},
        {BYTES("\x81"), "more entries are claimed"},
        {BYTES("\x81\xa1"
               "a"),
         "a value is missing"},
        {BYTES("\x80\x80"), "bytes behind the data (byte 1)"},
        {BYTES("\x81\xa1"
               "a\xcc\x7f"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xcd\x00\xff"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xce\x00\x00\xff\xff"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xcf\x00\x00\x00\x00\xff\xff\xff\xff"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xcf\x80\x00\x00\x00\x00\x00\x00\x00"),
         "beyond 64 bits"},
        {BYTES("\x81\xa1"
               "a\xd0\x01"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xd0\xe0"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xd1\xff\x80"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xd3\xff\xff\xff\xff\x80\x00\x00\x00"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xcd\x01"),
         "an integer is cut off"},
        {BYTES("\x81\xa1"
               "a\xca\x3f\xc0\x00\x00"),
         "a type that events do not use"},
        {BYTES("\x81\xa1"
               "a\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
         "a whole number"},
        {BYTES("\x81\xa1"
               "a\xcb\x80\x00\x00\x00\x00\x00\x00\x00"),
         "a whole number"},
        {BYTES("\x81\xa1"
               "a\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"),
         "not finite"},
        {BYTES("\x81\xa1"
               "a\xcb\xff\xf0\x00\x00\x00\x00\x00\x00"),
         "not finite"},
        {BYTES("\x81\xa1"
               "a\xcb\x3f"),
         "a real is cut off"},
        {BYTES("\x81\xa1"
               "a\xc1"),
         "a type that events do not use"},
        {BYTES("\x81\xa1"
               "a\xc4\x00"),
         "a type that events do not use"},
        {BYTES("\x81\xa1"
               "a\xd4\x00\x00"),
         "a type that events do not use"},
        {BYTES("\x81\x01\x01"), "a key is not a string"},
        {BYTES("\x81\xa1\xff\x01"), "a key is not UTF-8"},
        {BYTES("\x81\xa1\x00\x01"), "a key is not UTF-8"},
        {BYTES("\x81\xa1"
               "a\xa1\xff"),
         "a string is not UTF-8"},
        {BYTES("\x81\xa1"
               "a\xa9"
               "12345678\x00"),
         "a string is not UTF-8"},
        {BYTES("\x81\xa1"
               "a\xa2"
               "1"),
         "a string is cut off"},
        {BYTES("\x81\xa1"
               "a\xd9\x01"
               "1"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xdb\xff\xff\xff\xff"),
         "a string is cut off"},
        {BYTES("\x81\xa1"
               "a\xdc\x00\x01\x01"),
         "shortest form"},
        {BYTES("\x81\xa1"
               "a\xdd\xff\xff\xff\xff"),
         "more entries are claimed"},
        {BYTES("\x81\xa1"
               "a\xdf\xff\xff\xff\xff"),
         "more entries are claimed"},
        {BYTES("\x82\xa1"
               "a\x01\xa1"
               "a\x01"),
         "keys do not ascend"},
        {BYTES("\x82\xa1"
               "b\x01\xa1"
               "a\x01"),
         "keys do not ascend"},
        {BYTES("\x82\xa2"
               "aa\x01\xa1"
               "a\x01"),
         "keys do not ascend"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        struct ll_error err = {0};
        json_t *out;

        OK(codec_decode(rows[i].data, &out, &err) == LL_EINVAL && out == NULL);
        OK(strstr(err.text, rows[i].says) != NULL);
        OK(codec_check(rows[i].data, NULL) == LL_EINVAL);
    }
}

static void every_truncation_is_refused(void)
{
    struct builder b =
        encoded("{\"a\":[1,2.5,{\"b\":\"text\"}],\"c\":-70000,\"d\":null}");
    struct text name = TEXT("d");

    for (size_t n = 0; n < b.len; n++) {
        char *exact = ll_malloc(n + 1); /* so that the sanitizer sees a byte too far */
        struct codec_value value;
        json_t *out;

        memcpy(exact, b.ptr, n);
        exact = ll_realloc(exact, n > 0 ? n : 1);
        OK(codec_decode((struct text){exact, n}, &out, NULL) == LL_EINVAL);
        OK(codec_members((struct text){exact, n}, &name, 1, &value, NULL) == LL_EINVAL);
        free(exact);
    }
    builder_fini(&b);
}

static void nesting_has_an_end(void)
{
    char deep[3 + 100000];
    json_t *out;
    struct text name = TEXT("a");
    struct codec_value value;

    deep[0] = (char)0x81;
    deep[1] = (char)0xa1;
    deep[2] = 'a';
    memset(deep + 3, 0x91, sizeof(deep) - 3);
    deep[sizeof(deep) - 1] = 1;
    OK(codec_decode((struct text){deep, sizeof(deep)}, &out, NULL) == LL_EINVAL);
    OK(codec_members((struct text){deep, sizeof(deep)}, &name, 1, &value, NULL) == LL_OK);
    OK(value.kind == CODEC_NESTED && value.text.len == sizeof(deep) - 3);
    deep[3 + JSON_DEPTH - 1] = 1;
    OK(codec_decode((struct text){deep, 3 + JSON_DEPTH}, &out, NULL) == LL_OK);
    json_decref(out);
    deep[3 + JSON_DEPTH - 1] = (char)0x90;
    OK(codec_decode((struct text){deep, 3 + JSON_DEPTH}, &out, NULL) == LL_EINVAL);
}

static void members_are_found_by_name(void)
{
    struct builder b = encoded("{\"a\":\"x\",\"b\":5,\"c\":null,\"d\":true,\"e\":0.5,"
                               "\"f\":[1,{\"z\":[]}],\"g\":{}}");
    const struct text names[] = {TEXT("g"), TEXT("a"), TEXT("none"), TEXT("f"), TEXT("e"),
                                 TEXT("d"), TEXT("c"), TEXT("b"),    TEXT("a"), TEXT("")};
    struct codec_value v[LL_LENGTH(names)];
    struct builder text;

    builder_init(&text, 100);
    OK(codec_members(builder_view(&b), names, LL_LENGTH(names), v, NULL) == LL_OK);
    OK(v[0].kind == CODEC_NESTED && codec_nested_json(v[0].text, &text, NULL) == LL_OK);
    OK(text_is(builder_view(&text), "{}"));
    OK(v[1].kind == CODEC_STRING && text_is(v[1].text, "x"));
    OK(v[2].kind == CODEC_ABSENT && v[9].kind == CODEC_ABSENT);
    builder_reset(&text);
    OK(v[3].kind == CODEC_NESTED && codec_nested_json(v[3].text, &text, NULL) == LL_OK);
    OK(text_is(builder_view(&text), "[1,{\"z\":[]}]"));
    OK(v[4].kind == CODEC_REAL && v[4].real == 0.5);
    OK(v[5].kind == CODEC_BOOL && v[5].boolean);
    OK(v[6].kind == CODEC_NULL);
    OK(v[7].kind == CODEC_INTEGER && v[7].integer == 5);
    OK(v[8].kind == CODEC_STRING && text_is(v[8].text, "x"));
    builder_fini(&text);
    builder_fini(&b);
}

static void sorted_names_and_repeated_ones_are_all_found(void)
{
    struct builder b = encoded("{\"a\":1,\"b\":2,\"c\":3}");
    const struct text names[] = {TEXT("a"), TEXT("a"), TEXT("aa"), TEXT("b"), TEXT("c")};
    struct codec_value v[LL_LENGTH(names)];

    OK(codec_members(builder_view(&b), names, LL_LENGTH(names), v, NULL) == LL_OK);
    OK(v[0].integer == 1 && v[1].integer == 1 && v[2].kind == CODEC_ABSENT);
    OK(v[3].integer == 2 && v[4].integer == 3);
    builder_fini(&b);
}

int main(void)
{
    RUN(each_value_has_its_shortest_form);
    RUN(what_has_no_encoding_is_refused);
    RUN(too_large_is_said_not_cut);
    RUN(any_data_comes_back_and_msgpack_c_reads_the_same);
    RUN(another_form_is_refused);
    RUN(every_truncation_is_refused);
    RUN(nesting_has_an_end);
    RUN(members_are_found_by_name);
    RUN(sorted_names_and_repeated_ones_are_all_found);
    return t_done();
}
