/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* range.c - see range.h. */
#include "core/http/range.h"

/* Digits, at least one; a number that is too large is as large as can be. */
static bool take_number(struct text *t, uint64_t *out)
{
    size_t n = 0;

    *out = 0;
    for (; n < t->len && t->ptr[n] >= '0' && t->ptr[n] <= '9'; n++) {
        uint64_t digit = (uint64_t)(t->ptr[n] - '0');

        *out = *out > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *out * 10 + digit;
    }
    t->ptr += n;
    t->len -= n;
    return n > 0;
}

/* The last `n` bytes. */
static enum range suffix(uint64_t n, uint64_t size, uint64_t *first, uint64_t *last)
{
    if (n == 0 || size == 0) return RANGE_OUTSIDE;
    *first = n < size ? size - n : 0;
    *last = size - 1;
    return RANGE_PART;
}

enum range range_parse(struct text header, uint64_t size, uint64_t *first, uint64_t *last)
{
    static const char unit[] = "bytes=";
    bool has_first, has_last;
    uint64_t from, to;

    if (!text_starts_with(header, unit)) return RANGE_WHOLE;
    header.ptr += sizeof(unit) - 1;
    header.len -= sizeof(unit) - 1;
    has_first = take_number(&header, &from);
    if (header.len == 0 || header.ptr[0] != '-') return RANGE_WHOLE;
    header.ptr++;
    header.len--;
    has_last = take_number(&header, &to);
    if (header.len > 0 || (!has_first && !has_last)) return RANGE_WHOLE;
    if (!has_first) return suffix(to, size, first, last);
    if (from >= size || (has_last && from > to)) return RANGE_OUTSIDE;
    *first = from;
    *last = has_last && to < size - 1 ? to : size - 1;
    return RANGE_PART;
}
