/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json_js.h - JSON as JavaScript reads and writes it, to the byte.
 *
 * Decentraland hashes and signs JSON.stringify(JSON.parse(text)). That is not the text
 * itself: members named like array indices come first and ascend, a repeated member keeps
 * its first place and its last value, numbers are the shortest that read back as the same
 * double, slashes are not escaped, lone surrogates are. jansson keeps neither a number's
 * double beyond 64 bits nor such an order, so this works on the text.
 */
#ifndef LL_JSON_JS_H
#define LL_JSON_JS_H

#include "core/base/json.h"

enum { JSON_JS_DEPTH = 64 };

/* Append JSON.stringify(JSON.parse(text)) to `out`. LL_EINVAL when JSON.parse would
 * throw, or the text is no UTF-8, or is nested deeper than JSON_JS_DEPTH; the error has
 * the offset, and `out` is as it was. */
ll_rc json_js_write(struct text json, struct builder *out,
                    struct ll_error *err) LL_MUST_CHECK;
/* The same of an object reduced to `keys`, in their order; keys that it lacks are left
 * out. LL_EINVAL also when the value is no object. */
ll_rc json_js_write_picked(struct text json, const struct text *keys, size_t count,
                           struct builder *out, struct ll_error *err) LL_MUST_CHECK;
/* The text of an object's member, as it stands there (the last one of that name). False
 * when it is absent or `json` is no object that JSON.parse would take. */
bool json_js_member(struct text json, const char *name, struct text *out);
/* A finite double in JavaScript's notation: "0.1", "1e+21", "-7"; "null" for others. */
void json_js_number(double number, struct builder *out);
/* json_parse() with every number as a double, as JavaScript has them. */
ll_rc json_js_parse(struct text json, json_t **out, struct ll_error *err) LL_MUST_CHECK;

#endif
