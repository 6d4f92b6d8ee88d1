/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* binary.h - values of a result whose rows came in Postgres' binary format. */
#ifndef LL_BINARY_H
#define LL_BINARY_H

#include "core/base/arena.h"
#include "core/base/uuid.h"

#include <libpq-fe.h>

/* int2, int4 or int8, whichever the column is; 0 for null. */
int64_t pg_int(const PGresult *result, int row, int column);
/* The nil UUID for null. */
struct uuid pg_uuid(const PGresult *result, int row, int column);
/* text or bytea as a view into the result; empty for null. */
struct text pg_bytes(const PGresult *result, int row, int column);
/* text[] as views, in an array of the arena's; none for null. False when it is not a
 * one-dimensional array of texts. */
bool pg_texts(const PGresult *result, int row, int column, struct arena *arena,
              const struct text **out, size_t *count);

#endif
