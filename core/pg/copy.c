/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* copy.c - see copy.h; the format is that of Postgres' manual, COPY, "Binary Format". */
#include "core/pg/copy.h"

#include "core/pg/connect.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

enum { TEXT_TYPE = 25 }; /* pg_type's oid of text */

static void add_2(struct builder *rows, uint16_t value)
{
    value = htons(value);
    builder_add(rows, &value, sizeof(value));
}

static void add_4(struct builder *rows, uint32_t value)
{
    value = htonl(value);
    builder_add(rows, &value, sizeof(value));
}

static void add_8(struct builder *rows, uint64_t value)
{
    value = htobe64(value);
    builder_add(rows, &value, sizeof(value));
}

void copy_row(struct builder *rows, unsigned columns)
{
    add_2(rows, (uint16_t)columns);
}

void copy_null(struct builder *rows)
{
    add_4(rows, UINT32_MAX);
}

void copy_int2(struct builder *rows, int16_t value)
{
    add_4(rows, sizeof(value));
    add_2(rows, (uint16_t)value);
}

void copy_int4(struct builder *rows, int32_t value)
{
    add_4(rows, sizeof(value));
    add_4(rows, (uint32_t)value);
}

void copy_int8(struct builder *rows, int64_t value)
{
    add_4(rows, sizeof(value));
    add_8(rows, (uint64_t)value);
}

void copy_bytes(struct builder *rows, struct text value)
{
    add_4(rows, (uint32_t)value.len);
    if (value.len > 0) builder_add(rows, value.ptr, value.len);
}

void copy_bytes_or_null(struct builder *rows, struct text value)
{
    if (value.len == 0)
        copy_null(rows);
    else
        copy_bytes(rows, value);
}

void copy_uuid(struct builder *rows, const struct uuid *value)
{
    copy_bytes(rows, (struct text){(const char *)value->bytes, sizeof(value->bytes)});
}

void copy_uuid_or_null(struct builder *rows, const struct uuid *value)
{
    if (uuid_is_nil(value))
        copy_null(rows);
    else
        copy_uuid(rows, value);
}

void copy_texts(struct builder *rows, const struct text *values, size_t n)
{
    size_t length = 20;

    for (size_t i = 0; i < n; i++) length += 4 + values[i].len;
    add_4(rows, (uint32_t)length);
    add_4(rows, 1); /* dimensions */
    add_4(rows, 0); /* no nulls */
    add_4(rows, TEXT_TYPE);
    add_4(rows, (uint32_t)n);
    add_4(rows, 1); /* the first one's index */
    for (size_t i = 0; i < n; i++) copy_bytes(rows, values[i]);
}

void copy_patch_int4(struct builder *rows, size_t at, int32_t value)
{
    uint32_t wire = htonl((uint32_t)value);

    LL_CHECK(at + sizeof(wire) <= rows->len);
    memcpy(rows->ptr + at, &wire, sizeof(wire));
}

void copy_patch_int8(struct builder *rows, size_t at, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    LL_CHECK(at + sizeof(wire) <= rows->len);
    memcpy(rows->ptr + at, &wire, sizeof(wire));
}

ll_rc copy_begin(PGconn *connection, const char *sql, struct ll_error *err)
{
    static const char head[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    PGresult *result = PQexec(connection, sql);
    ll_rc rc = LL_OK;

    if (PQresultStatus(result) != PGRES_COPY_IN)
        rc = pg_fail(connection, result, "copy", err);
    PQclear(result);
    if (rc == LL_OK) copy_put(connection, (struct text){head, sizeof(head)});
    return rc;
}

/* A connection that breaks while it is written to says why when it is read from. */
void copy_put(PGconn *connection, struct text rows)
{
    if (rows.len > 0) (void)PQputCopyData(connection, rows.ptr, (int)rows.len);
}

ll_rc copy_end(PGconn *connection, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    copy_put(connection, TEXT("\xff\xff"));
    if (PQputCopyEnd(connection, NULL) != 1) rc = pg_fail(connection, NULL, "copy", err);
    for (PGresult *result; (result = PQgetResult(connection)) != NULL;) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && rc == LL_OK)
            rc = pg_fail(connection, result, "copy", err);
        PQclear(result);
    }
    return rc;
}
