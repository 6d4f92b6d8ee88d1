/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* position_fuzz.c - whatever is accepted prints as it came: one text, one position. */
#include "core/log/position.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct position p;
    char text[POSITION_TEXT];

    if (position_parse(&p, (const char *)data, len) != LL_OK) return 0;
    LL_CHECK(position_print(&p, text) == len && memcmp(text, data, len) == 0);
    return 0;
}
