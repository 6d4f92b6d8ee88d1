/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_rule.h - what the rules of sql_lint.c and sql_order.c share; for these two only. */
#ifndef LL_SQL_RULE_H
#define LL_SQL_RULE_H

#include "core/projection/sql_file.h"

/* One statement under the lint. */
struct sql_lint {
    const struct sql_file *f;
    const struct sql_section *section;
    const struct sql_statement *s;
    struct ll_error *err;
};

/* The i-th token; one of kind SQL_END past the last. */
const struct sql_token *lint_token(const struct sql_lint *l, size_t i);
/* LL_EINVAL: path:line: "token" why. */
ll_rc lint_refuse(const struct sql_lint *l, size_t i, const char *why);
/* `list` ends with NULL. */
bool lint_is_listed(const struct sql_token *t, const char *const *list);
/* One of the list, and a ( behind it. */
bool lint_calls(const struct sql_lint *l, size_t i, const char *const *list);
bool lint_is_name(const struct sql_token *t);
/* The first token of the parentheses that token `i` stands in; 0 outside of any. */
size_t lint_block_start(const struct sql_lint *l, size_t i);

/* sql_order.c */
ll_rc lint_order(const struct sql_lint *l) LL_MUST_CHECK;

#endif
