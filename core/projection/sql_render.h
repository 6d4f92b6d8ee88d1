/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_render.h - a statement's tokens as the text that Postgres prepares; inside
 * sql_file.c only. */
#ifndef LL_SQL_RENDER_H
#define LL_SQL_RENDER_H

#include "core/projection/sql_file.h"

/* Fill in `s->sql` and its parameters from its tokens. In queries the parameters are the
 * section's; in apply.sql they are taken in the order of their first use. */
ll_rc sql_render(struct sql_file *f, const struct sql_file *schema,
                 const struct sql_section *section, struct sql_statement *s,
                 struct ll_error *err) LL_MUST_CHECK;

#endif
