/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* pg_quote_test.c - literals and identifiers, and rows in the binary formats. */
#include "core/base/arena.h"
#include "core/pg/binary.h"
#include "core/pg/connect.h"
#include "core/pg/copy.h"
#include "t.h"

#include <string.h>

static bool quotes_to(void (*quote)(struct builder *, struct text), struct text in,
                      const char *out)
{
    struct builder b;
    bool equal;

    builder_init(&b, 256);
    quote(&b, in);
    equal = !b.full && text_is(builder_view(&b), out);
    builder_fini(&b);
    return equal;
}

static void a_literal_ends_where_it_should(void)
{
    OK(quotes_to(pg_literal, TEXT(""), "''"));
    OK(quotes_to(pg_literal, TEXT("plain"), "'plain'"));
    OK(quotes_to(pg_literal, TEXT("it's"), "'it''s'"));
    OK(quotes_to(pg_literal, TEXT("'; drop table x; --"), "'''; drop table x; --'"));
    OK(quotes_to(pg_literal, TEXT("''"), "''''''"));
    OK(quotes_to(pg_literal, TEXT("\\"), " E'\\\\'"));
    OK(quotes_to(pg_literal, TEXT("\\'"), " E'\\\\'''"));
    OK(quotes_to(pg_literal, TEXT("\xc3\xa9\n"), "'\xc3\xa9\n'"));
    OK(quotes_to(pg_identifier, TEXT("social_g7"), "\"social_g7\""));
    OK(quotes_to(pg_identifier, TEXT("a\"b'c\\"), "\"a\"\"b'c\\\""));
}

static void a_nul_is_refused(void)
{
    struct builder b;

    builder_init(&b, 256);
    pg_literal(&b, (struct text){"a\0b", 3});
    OK(b.full);
    builder_reset(&b);
    pg_identifier(&b, (struct text){"\0", 1});
    OK(b.full);
    builder_fini(&b);
}

/* A result of one row and column, as it would have come from the server. */
static PGresult *result_of(const char *bytes, int n)
{
    PGresAttDesc column = {.name = (char *)(uintptr_t) "c", .format = 1};
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

    LL_CHECK(PQsetResultAttrs(result, 1, &column) &&
             PQsetvalue(result, 0, 0, (char *)(uintptr_t)bytes, n));
    return result;
}

static int64_t int_of(const char *bytes, int n)
{
    PGresult *result = result_of(bytes, n);
    int64_t value = pg_int(result, 0, 0);

    PQclear(result);
    return value;
}

static void integers_have_their_sign(void)
{
    OK(int_of("\x00\x07", 2) == 7 && int_of("\xff\xff", 2) == -1);
    OK(int_of("\x80\x00\x00\x00", 4) == INT32_MIN);
    OK(int_of("\x7f\xff\xff\xff\xff\xff\xff\xff", 8) == INT64_MAX);
    OK(int_of("\x80\x00\x00\x00\x00\x00\x00\x00", 8) == INT64_MIN);
    OK(int_of(NULL, -1) == 0);
}

/* What copy_texts() writes, pg_texts() reads: it is one format. */
static void arrays_of_texts_are_read_back(void)
{
    const struct text in[] = {TEXT("pair:a:b"), TEXT(""), TEXT("\xc3\xa9,{\"}")}, *out;
    struct builder b;
    struct arena arena;
    PGresult *result;
    size_t count;

    arena_init(&arena, 4096);
    builder_init(&b, 1024);
    copy_texts(&b, in, 3);
    result = result_of(b.ptr + 4, (int)b.len - 4); /* behind its length */
    OK(pg_texts(result, 0, 0, &arena, &out, &count) && count == 3);
    for (size_t i = 0; i < 3; i++) OK(text_equal(in[i], out[i]));
    PQclear(result);

    /* Cut off anywhere, it is refused. */
    for (size_t n = 0; n < b.len - 4; n++) {
        result = result_of(b.ptr + 4, (int)n);
        OK(!pg_texts(result, 0, 0, &arena, &out, &count));
        PQclear(result);
    }
    result = result_of(NULL, -1);
    OK(pg_texts(result, 0, 0, &arena, &out, &count) && count == 0);
    PQclear(result);
    builder_fini(&b);
    arena_fini(&arena);
}

static void numbers_are_written_over(void)
{
    struct builder b;

    builder_init(&b, 256);
    copy_row(&b, 2);
    copy_int8(&b, 0);
    copy_int4(&b, 0);
    copy_patch_int8(&b, 6, -2);
    copy_patch_int4(&b, 18, 0x01020304);
    OK(b.len == 22 && memcmp(b.ptr,
                             "\x00\x02\x00\x00\x00\x08\xff\xff\xff\xff\xff\xff\xff\xfe"
                             "\x00\x00\x00\x04\x01\x02\x03\x04",
                             22) == 0);
    builder_fini(&b);
}

int main(void)
{
    RUN(a_literal_ends_where_it_should);
    RUN(a_nul_is_refused);
    RUN(integers_have_their_sign);
    RUN(arrays_of_texts_are_read_back);
    RUN(numbers_are_written_over);
    return t_done();
}
