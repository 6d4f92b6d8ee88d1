/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* range_fuzz.c - a part lies within, and the same header of a larger thing begins at the
 * same byte unless it counts from the end. The first eight bytes are the size. */
#include "core/http/range.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint64_t size, first, last, first2, last2;
    struct text header;

    if (len < sizeof(size)) return 0;
    memcpy(&size, data, sizeof(size));
    header = (struct text){(const char *)data + sizeof(size), len - sizeof(size)};
    if (range_parse(header, size, &first, &last) != RANGE_PART) return 0;
    LL_CHECK(first <= last && last < size);
    LL_CHECK(text_starts_with(header, "bytes="));
    if (size == UINT64_MAX) return 0;
    LL_CHECK(range_parse(header, size + 1, &first2, &last2) == RANGE_PART);
    LL_CHECK(last2 == last || last2 == last + 1);
    if (header.ptr[6] != '-') LL_CHECK(first2 == first);
    return 0;
}
