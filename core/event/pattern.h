/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* pattern.h - JSON Schema's `pattern`, matched in one look at each byte.
 *
 * A subset of ECMA-262: literals, `.`, classes, groups `( )` and `(?: )`, `|`, `* + ?`,
 * `{n}` `{n,}` `{n,m}`, `^ $`, `\d \D \w \W \s \S` (ASCII) and escaped punctuation or
 * `\t \n \r \f \v`. Everything else (look-around, back-references, lazy forms, `\b`,
 * `\p`, characters beyond ASCII inside a class) is refused, and so is a pattern whose
 * automaton would be too large: use `maxLength` for long bounds.
 *
 * Compiled to a deterministic automaton, so a hostile string costs no more than its
 * length. Read-only once compiled.
 */
#ifndef LL_PATTERN_H
#define LL_PATTERN_H

#include "core/base/arena.h"

enum {
    PATTERN_TEXT = 512,   /* bytes of a pattern */
    PATTERN_STATES = 512, /* of its automaton */
    PATTERN_REPEAT = 1000 /* largest number in braces */
};

struct pattern;

/* Memory is the arena's. LL_EINVAL says what is not understood and where; LL_EFULL when
 * it is too large. */
ll_rc pattern_compile(struct text source, struct arena *arena, const struct pattern **out,
                      struct ll_error *err) LL_MUST_CHECK;

/* True when it matches somewhere in `t`, which is UTF-8; anchors are the pattern's. */
bool pattern_matches(const struct pattern *p, struct text t);

#endif
