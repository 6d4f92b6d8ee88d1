/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* connect.h - blocking libpq: connections set up alike, and statements with parameters.
 */
#ifndef LL_CONNECT_H
#define LL_CONNECT_H

#include "core/base/text.h"

#include <libpq-fe.h>

/* Connect; search_path is empty but pg_catalog, standard_conforming_strings on, client
 * encoding UTF-8, jit off, notices go to note(). `purpose` shows in pg_stat_activity. */
ll_rc pg_connect(const char *conninfo, const char *purpose, PGconn **out,
                 struct ll_error *err) LL_MUST_CHECK;

/* Run one statement with text parameters (NULL is SQL null). *out may be NULL when the
 * rows are not wanted; else the caller clears it. LL_EDATABASE with the server's words.
 */
ll_rc pg_query(PGconn *connection, const char *sql, const char *const *values, int n,
               PGresult **out, struct ll_error *err) LL_MUST_CHECK;
/* Run a script without parameters: the binary's own text, never a stranger's. */
ll_rc pg_script(PGconn *connection, const char *sql, struct ll_error *err) LL_MUST_CHECK;

/* Record why `result` (or the connection) failed. Returns LL_EDATABASE. */
ll_rc pg_fail(PGconn *connection, const PGresult *result, const char *what,
              struct ll_error *err);

/* A quoted SQL literal / identifier of any valid UTF-8 text, for what cannot be a
 * parameter (simple-protocol append, CREATE SCHEMA). Latches `full` on NUL. */
void pg_literal(struct builder *sql, struct text value);
void pg_identifier(struct builder *sql, struct text name);

#endif
