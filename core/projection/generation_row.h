/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* generation_row.h - what generation.c, swap.c and status.c share: rows of
 * landlog.generation and the transactions that change them. */
#ifndef LL_GENERATION_ROW_H
#define LL_GENERATION_ROW_H

#include "core/projection/generation.h"

/* The epoch of a checkpoint that a swap has fenced: no lease has it. */
#define GENERATION_FENCED "9223372036854775807"

/* begin, and the projection's lock until the end. */
ll_rc generation_begin(PGconn *connection, const struct projection *p,
                       struct ll_error *err) LL_MUST_CHECK;
/* Commit where `rc` is LL_OK, else roll back and return it. */
ll_rc generation_end(PGconn *connection, ll_rc rc, struct ll_error *err) LL_MUST_CHECK;

/* Rows g of the projection; `where` may use $1, its name, and $2, our identity. */
ll_rc generation_rows(PGconn *connection, const struct projection *p, const char *where,
                      PGresult **out, struct ll_error *err) LL_MUST_CHECK;
void generation_read(const PGresult *rows, int i, struct generation *out);
enum generation_state generation_state_of(const char *word);
ll_rc generation_set_state(PGconn *connection, const struct generation *g,
                           const char *state, struct ll_error *err) LL_MUST_CHECK;

/* A script with names of ours in it: schemas and topics, which hold no quotes. */
ll_rc generation_run(PGconn *connection, struct ll_error *err, const char *fmt, ...)
    LL_PRINTF(3, 4) LL_MUST_CHECK;

/* generation_create() inside the caller's transaction. */
ll_rc generation_make(PGconn *connection, const struct projection *p,
                      enum generation_builder builder, struct generation *out,
                      struct ll_error *err) LL_MUST_CHECK;

#endif
