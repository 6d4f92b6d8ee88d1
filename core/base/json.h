/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json.h - the one door through which a stranger's JSON comes in (jansson behind it).
 *
 * Depth is counted before jansson sees a byte (its parser recurses); duplicate keys,
 * malformed UTF-8, NUL characters and anything behind the value are refused.
 */
#ifndef LL_JSON_H
#define LL_JSON_H

#include "core/base/text.h"

#include <jansson.h>

enum { JSON_DEPTH = 32 };

/* Parse one value of any kind nested at most `depth` deep. The caller owns *out
 * (json_decref). LL_EINVAL with the parser's words and the place; *out is NULL then. */
ll_rc json_parse(struct text t, unsigned depth, json_t **out,
                 struct ll_error *err) LL_MUST_CHECK;

/* True when brackets outside strings nest at most `depth` deep. Malformed text passes
 * here and is refused by the parser. */
bool json_depth_is_within(struct text t, unsigned depth);

/* Compact text with sorted keys: equal values give equal bytes. */
void json_write(const json_t *value, struct builder *out);

/* A member's string as a view into `object`; false when absent or another type. */
bool json_member_text(const json_t *object, const char *name, struct text *out);

#endif
