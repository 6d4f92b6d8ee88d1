/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* catalog_lint.h - the lint that needs Postgres' help: run once a generation is made,
 * inside its transaction, over the trees that Postgres' own parser made of each
 * statement, column default, check and view.
 *
 *   - every statement prepares; a query returns `status` int and `body` text or json
 *   - no volatile function (a volatile query may call those of the clock), no sum or
 *     average of floats, whose result depends on the order of rows
 *   - tables are the generation's own
 *   - the last key of an ORDER BY, where it is the name of a column of schema.sql,
 * belongs to a primary key or unique index
 */
#ifndef LL_CATALOG_LINT_H
#define LL_CATALOG_LINT_H

#include "core/projection/projection.h"

#include <libpq-fe.h>

/* LL_EINVAL: "path:line: why". */
ll_rc catalog_lint(PGconn *connection, const struct projection *p, const char *schema,
                   struct ll_error *err) LL_MUST_CHECK;

#endif
