/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json_js_private.h - strings and members in JavaScript's JSON. Internal to json_js.h. */
#ifndef LL_JSON_JS_PRIVATE_H
#define LL_JSON_JS_PRIVATE_H

#include "core/base/text.h"

/* Append the string that begins with the quote at `at` of `json`, well-formed UTF-8, as
 * JSON.stringify() writes it. Returns how many bytes it took in `json`, 0 when it is
 * malformed. */
size_t json_js_string(struct text json, size_t at, struct builder *out);
/* Append well-formed UTF-8 as a JSON string. */
void json_js_quote(struct text t, struct builder *out);

/* A member of an object: places in what is written, and in what is read. */
struct json_js_member {
    size_t key_at, key_len; /* with its quotes */
    size_t value_at, value_len;
    size_t raw_at, raw_len; /* the value as it was given */
    size_t order;
    uint64_t index; /* of a key that looks like an array's index; else UINT64_MAX */
};

struct json_js_pick {
    struct text key; /* as it is written, with its quotes */
    size_t order;
};

struct json_js_picks {
    struct json_js_pick *items; /* sorted by key */
    size_t count;
};

uint64_t json_js_index(struct text quoted);
/* Sort the keys that are asked for; of equal ones the first counts. Returns how many are
 * left. */
size_t json_js_sort_picks(struct json_js_pick *picks, size_t n);
/* Put the members, whose keys are written at their places behind `base`, into their
 * order; without the repeated, and with `picks` (or NULL) without those that are not
 * asked for. Returns how many are left, and whether they are what is written already. */
size_t json_js_arrange(const char *base, const struct json_js_picks *picks,
                       struct json_js_member *members, size_t n, bool *as_written);

#endif
