/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* pattern_parse.h - what pattern_parse.c hands to pattern.c: a pattern as a tree. */
#ifndef LL_PATTERN_PARSE_H
#define LL_PATTERN_PARSE_H

#include "core/event/pattern.h"

enum { PATTERN_FOREVER = -1 };

/* Some bytes, and perhaps every character beyond ASCII as a whole. */
struct pattern_set {
    uint64_t bits[4];
    bool beyond_ascii;
};

struct pattern_tree {
    enum {
        PATTERN_EMPTY,
        PATTERN_BEGIN,
        PATTERN_END,
        PATTERN_SET,
        PATTERN_BOTH,   /* left, then right */
        PATTERN_EITHER, /* left or right */
        PATTERN_TIMES   /* left, `least` to `most` times */
    } kind;
    struct pattern_set set;
    int least, most;
    const struct pattern_tree *left, *right;
};

static inline void pattern_set_add(struct pattern_set *s, unsigned byte)
{
    s->bits[byte >> 6 & 3] |= (uint64_t)1 << (byte & 63);
}

static inline bool pattern_set_has(const struct pattern_set *s, unsigned byte)
{
    return s->bits[byte >> 6 & 3] >> (byte & 63) & 1;
}

ll_rc pattern_parse(struct text source, struct arena *arena,
                    const struct pattern_tree **out, struct ll_error *err) LL_MUST_CHECK;

#endif
