/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_lint.h - what a projection's SQL may not say, as far as its text shows.
 *
 * The same log must give the same rows on every machine and at any time (DESIGN, section
 * 5), so nothing may depend on the clock, on chance, on the order in which rows happen to
 * lie, or on tables that are not the projection's own. Checked here:
 *   - schema.sql only creates tables, indexes and views; no serial, identity, unlogged or
 *     temporary tables; apply.sql only inserts, updates and deletes; queries only select
 *   - no clock (unless a query is marked volatile), random number, sequence, session
 *     setting, system function; no 'now' as a date
 *   - names of tables, functions and types carry no schema
 *   - what depends on order (LIMIT, DISTINCT ON, array(), aggregates such as json_agg,
 *     window functions such as row_number) says ORDER BY, whose last key is a plain name
 * What only the catalog knows is checked when a generation is made (catalog_lint.h).
 * Not checked by either: whether an ORDER BY's last key that is no column of schema.sql
 * (an alias) is unique; whether a row is written from two partitions.
 */
#ifndef LL_SQL_LINT_H
#define LL_SQL_LINT_H

#include "core/projection/sql_file.h"

/* LL_EINVAL: "path:line: why". */
ll_rc sql_lint(const struct sql_file *f, struct ll_error *err) LL_MUST_CHECK;

/* The last keys of a statement's ORDER BYs: calls `key` with each name. */
void sql_order_keys(const struct sql_statement *s,
                    void (*key)(void *context, const struct sql_token *name),
                    void *context);

#endif
