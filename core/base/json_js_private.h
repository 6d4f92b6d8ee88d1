/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json_js_private.h - strings in JavaScript's JSON. Internal to json_js.h's files. */
#ifndef LL_JSON_JS_PRIVATE_H
#define LL_JSON_JS_PRIVATE_H

#include "core/base/text.h"

/* Append the string that begins with the quote at `at` of `json`, well-formed UTF-8, as
 * JSON.stringify() writes it. Returns how many bytes it took in `json`, 0 when it is
 * malformed. */
size_t json_js_string(struct text json, size_t at, struct builder *out);
/* Append well-formed UTF-8 as a JSON string. */
void json_js_quote(struct text t, struct builder *out);

#endif
