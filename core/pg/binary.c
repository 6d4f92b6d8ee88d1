/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* binary.c - see binary.h. The formats are those of Postgres' *_send functions: integers
 * in network order, an array as its dimensions and then length and bytes of each. */
#include "core/pg/binary.h"

#include <string.h>

static int64_t big_endian(const char *bytes, size_t n)
{
    /* Two's complement: the first byte has the sign. */
    int64_t value = ((unsigned char)bytes[0] ^ 0x80) - 0x80;

    for (size_t i = 1; i < n; i++) value = value * 256 + (unsigned char)bytes[i];
    return value;
}

int64_t pg_int(const PGresult *result, int row, int column)
{
    int n = PQgetlength(result, row, column);

    if (PQgetisnull(result, row, column)) return 0;
    LL_CHECK(n == 2 || n == 4 || n == 8);
    return big_endian(PQgetvalue(result, row, column), (size_t)n);
}

struct uuid pg_uuid(const PGresult *result, int row, int column)
{
    struct uuid u = {{0}};

    if (PQgetisnull(result, row, column)) return u;
    LL_CHECK(PQgetlength(result, row, column) == (int)sizeof(u.bytes));
    memcpy(u.bytes, PQgetvalue(result, row, column), sizeof(u.bytes));
    return u;
}

struct text pg_bytes(const PGresult *result, int row, int column)
{
    return (struct text){PQgetvalue(result, row, column),
                         (size_t)PQgetlength(result, row, column)};
}

/* The next four bytes, as a count or a length. */
static bool take_int(struct text *rest, int64_t *out)
{
    if (rest->len < 4) return false;
    *out = big_endian(rest->ptr, 4);
    rest->ptr += 4;
    rest->len -= 4;
    return true;
}

bool pg_texts(const PGresult *result, int row, int column, struct arena *arena,
              const struct text **out, size_t *count)
{
    struct text rest = pg_bytes(result, row, column), *texts;
    int64_t dimensions, has_null, type, n, first;

    *out = NULL;
    *count = 0;
    if (PQgetisnull(result, row, column)) return true;
    if (!take_int(&rest, &dimensions) || !take_int(&rest, &has_null) ||
        !take_int(&rest, &type))
        return false;
    if (dimensions == 0) return true;
    if (dimensions != 1 || has_null != 0 || !take_int(&rest, &n) ||
        !take_int(&rest, &first) || n < 0 || (size_t)n > rest.len / 4)
        return false;
    texts = arena_alloc(arena, (size_t)n * sizeof(*texts));
    for (int64_t i = 0; i < n; i++) {
        int64_t length;

        if (!take_int(&rest, &length) || length < 0 || (size_t)length > rest.len)
            return false;
        texts[i] = (struct text){rest.ptr, (size_t)length};
        rest.ptr += length;
        rest.len -= (size_t)length;
    }
    *out = texts;
    *count = (size_t)n;
    return true;
}
