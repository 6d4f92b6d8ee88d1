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

/* JSON to MessagePack. LL_EFULL past RECORD_DATA, LL_EINVAL for what has no encoding. */
ll_rc codec_encode(const json_t *data, struct builder *out,
                   struct ll_error *err) LL_MUST_CHECK;
/* MessagePack (perhaps a stranger's, perhaps damaged) to JSON; the caller owns *out. */
ll_rc codec_decode(struct text data, json_t **out, struct ll_error *err) LL_MUST_CHECK;

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

/* Find `n` members by name in one pass; absent ones are CODEC_ABSENT. LL_EINVAL when the
 * data is not a well-formed map. */
ll_rc codec_members(struct text data, const struct text *names, size_t n,
                    struct codec_value *out, struct ll_error *err) LL_MUST_CHECK;
/* A nested value's MessagePack as compact JSON text. */
ll_rc codec_nested_json(struct text nested, struct builder *out,
                        struct ll_error *err) LL_MUST_CHECK;

#endif
