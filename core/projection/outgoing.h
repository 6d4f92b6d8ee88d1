/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* outgoing.h - the table in which a reactor's apply.sql says what is to be emitted.
 *
 * It belongs to the runner: each generation of a reactor has it, no schema.sql may make
 * it, and nothing but insert, update and delete of apply.sql may name it. What a row
 * means is in consumers/README.md; core/react/mover.h takes them to the log.
 *
 * A fact is on the log for ever under the tag `once:<reactor>:<subject>`, which the mover
 * puts on its event and guards. So the referee's heads know, on both stores and after a
 * rebuild of Postgres too, what has been emitted; a generation that folds the log anew
 * asks them, and keeps only the rows of which there is no such event.
 */
#ifndef LL_OUTGOING_H
#define LL_OUTGOING_H

#include "core/projection/generation.h"
#include "core/projection/sql_file.h"

#define OUTGOING_TABLE "outgoing"

enum { OUTGOING_SUBJECT = 512 }; /* bytes: the tag must fit RECORD_TEXT */

/* LL_EINVAL: "path:line: why". */
ll_rc outgoing_lint(const struct sql_file *f, bool is_reactor,
                    struct ll_error *err) LL_MUST_CHECK;

/* Drop the rows of a generation whose facts are on the log. In the caller's transaction,
 * or in one of its own. */
ll_rc outgoing_prune(PGconn *connection, const struct projection *p,
                     const struct generation *g, struct ll_error *err) LL_MUST_CHECK;
/* The same now and then while a generation is built: at most a tenth of the time goes
 * into it. Nothing for a projection that is no reactor. */
struct outgoing_broom {
    int64_t next_us;
};
ll_rc outgoing_sweep(struct outgoing_broom *broom, PGconn *connection,
                     const struct projection *p, const struct generation *g,
                     struct ll_error *err) LL_MUST_CHECK;

/* The tag of a fact. False when the subject is too long or empty. */
bool outgoing_tag(const char *reactor, struct text subject, struct builder *out);

/* The table, made in the schema that the connection's search_path names. */
extern const char outgoing_table_sql[];

#endif
