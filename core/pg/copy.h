/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* copy.h - rows in the binary format of COPY: the fastest way into a table. */
#ifndef LL_COPY_H
#define LL_COPY_H

#include "core/base/uuid.h"

#include <libpq-fe.h>

/* A row: how many columns, then each of them in the order that COPY names them. */
void copy_row(struct builder *rows, unsigned columns);
void copy_null(struct builder *rows);
void copy_int2(struct builder *rows, int16_t value);
void copy_int4(struct builder *rows, int32_t value);
void copy_int8(struct builder *rows, int64_t value);
void copy_uuid(struct builder *rows, const struct uuid *value);
void copy_uuid_or_null(struct builder *rows, const struct uuid *value); /* nil: null */
void copy_bytes(struct builder *rows, struct text value); /* text or bytea */
void copy_bytes_or_null(struct builder *rows, struct text value);
void copy_texts(struct builder *rows, const struct text *values, size_t n); /* text[] */

/* Write over an int whose value begins at byte `at`: behind the two bytes of its row, and
 * four before each column's value, its own among them. */
void copy_patch_int4(struct builder *rows, size_t at, int32_t value);
void copy_patch_int8(struct builder *rows, size_t at, int64_t value);

/* Begin with `sql` ("copy t (a, b) from stdin (format binary)"), put rows any number of
 * times, end. Any failure is told by copy_end(). */
ll_rc copy_begin(PGconn *connection, const char *sql, struct ll_error *err) LL_MUST_CHECK;
void copy_put(PGconn *connection, struct text rows);
ll_rc copy_end(PGconn *connection, struct ll_error *err) LL_MUST_CHECK;

#endif
