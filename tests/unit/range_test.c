/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* range_test.c - Range headers against the obvious reading of the contract. */
#include "core/http/range.h"
#include "t.h"

#include <string.h>

static bool is_part(const char *header, uint64_t size, uint64_t first, uint64_t last)
{
    uint64_t a = 0, b = 0;

    return range_parse(text_of(header), size, &a, &b) == RANGE_PART && a == first &&
           b == last;
}

static bool is(enum range wanted, const char *header, uint64_t size)
{
    uint64_t a, b;

    return range_parse(text_of(header), size, &a, &b) == wanted;
}

static void parts_lie_within(void)
{
    OK(is_part("bytes=0-0", 10, 0, 0) && is_part("bytes=2-5", 10, 2, 5));
    OK(is_part("bytes=9-", 10, 9, 9) && is_part("bytes=0-", 1, 0, 0));
    OK(is_part("bytes=0-10", 10, 0, 9) && is_part("bytes=007-008", 10, 7, 8));
    OK(is_part("bytes=-3", 10, 7, 9) && is_part("bytes=-10", 10, 0, 9));
    OK(is_part("bytes=-11", 10, 0, 9));
    OK(is_part("bytes=5-99999999999999999999999", 10, 5, 9));
    OK(is_part("bytes=-99999999999999999999999", 10, 0, 9));
    OK(is_part("bytes=18446744073709551614-18446744073709551614", UINT64_MAX,
               UINT64_MAX - 1, UINT64_MAX - 1));
}

static void what_lies_outside_is_told(void)
{
    OK(is(RANGE_OUTSIDE, "bytes=10-", 10) && is(RANGE_OUTSIDE, "bytes=10-12", 10));
    OK(is(RANGE_OUTSIDE, "bytes=5-4", 10) && is(RANGE_OUTSIDE, "bytes=-0", 10));
    OK(is(RANGE_OUTSIDE, "bytes=0-", 0) && is(RANGE_OUTSIDE, "bytes=-5", 0));
    OK(is(RANGE_OUTSIDE, "bytes=99999999999999999999999-", UINT64_MAX));
}

static void anything_else_is_ignored(void)
{
    static const char *const texts[] = {
        "",           "bytes",      "bytes=",      "bytes=-",     "bytes=--1",
        "bytes=1",    "bytes=1-2-", "bytes=1-2,3", "bytes=+1-2",  "bytes=1 -2",
        "Bytes=1-2",  " bytes=1-2", "bytes=1-2 ",  "bytes=0x1-2", "items=1-2",
        "bytes=1--2", "bytes=a-",   "bytes=-a",    "bytes=,1-2",
    };

    for (size_t i = 0; i < LL_LENGTH(texts); i++) OK(is(RANGE_WHOLE, texts[i], 10));
    OK(is(RANGE_WHOLE, "", 0));
}

int main(void)
{
    RUN(parts_lie_within);
    RUN(what_lies_outside_is_told);
    RUN(anything_else_is_ignored);
    return t_done();
}
