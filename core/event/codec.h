/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* codec.h - an event's data: JSON at the edges, MessagePack on the log.
 *
 * The encoding is canonical: map keys sorted bytewise, shortest integer form, so equal
 * data gives equal bytes. Data is a map whose keys are strings; binary and extension
 * types are not used; integers are within int64.
 */
#ifndef LL_CODEC_H
#define LL_CODEC_H

#include "core/base/arena.h"
#include "core/base/json.h"

#include <math.h>

/* True for a real that is a whole number within int64: such a one is an integer. */
static inline bool codec_is_whole(double x)
{
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 && floor(x) == x;
}

/* JSON to MessagePack, added to `out`. LL_EFULL past RECORD_DATA or when `out` is full,
 * LL_EINVAL for what has no encoding: another type than an object, nested deeper than
 * JSON_DEPTH, a string with NUL. A real without a fraction is encoded as an integer. */
ll_rc codec_encode(const json_t *data, struct builder *out,
                   struct ll_error *err) LL_MUST_CHECK;
/* MessagePack (perhaps a stranger's, perhaps damaged) to JSON; the caller owns *out.
 * Only the canonical form is accepted: what decodes encodes to the same bytes. */
ll_rc codec_decode(struct text data, json_t **out, struct ll_error *err) LL_MUST_CHECK;
/* The same without making JSON of it, and without allocation. */
ll_rc codec_check(struct text data, struct ll_error *err) LL_MUST_CHECK;

/* One member of the top-level map, without decoding the rest. */
struct codec_value {
    enum {
        CODEC_ABSENT,
        CODEC_NULL,
        CODEC_BOOL,
        CODEC_INTEGER,
        CODEC_REAL,
        CODEC_STRING,
        CODEC_NESTED /* a map or an array: `text` is its MessagePack */
    } kind;
    bool boolean;
    int64_t integer;
    double real;
    struct text text; /* a view into the data */
};

/* Find `n` members by name in one pass without allocation; absent ones are CODEC_ABSENT.
 * The data is what event_newest() or codec_check() accepted: LL_EINVAL where it is no
 * well-formed map, but text and order are not looked at again. Quickest when `names`
 * ascend. */
ll_rc codec_members(struct text data, const struct text *names, size_t n,
                    struct codec_value *out, struct ll_error *err) LL_MUST_CHECK;
/* A nested value's MessagePack as compact JSON text. */
ll_rc codec_nested_json(struct text nested, struct builder *out,
                        struct ll_error *err) LL_MUST_CHECK;

#endif
