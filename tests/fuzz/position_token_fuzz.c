/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* position_token_fuzz.c - whatever is accepted prints as it came, and merged with itself
 * stays what it is. */
#include "core/log/token.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct text text = {(const char *)data, len};
    struct token t, again;
    char out[TOKEN_TEXT];

    if (token_parse(&t, text) != LL_OK) {
        LL_CHECK(t.position.len == 0 && uuid_is_nil(&t.incarnation));
        return 0;
    }
    LL_CHECK(token_print(&t, out) == len && memcmp(out, data, len) == 0);
    again = t;
    LL_CHECK(token_merge(&again, &t.position) == LL_OK);
    LL_CHECK(token_print(&again, out) == len && memcmp(out, data, len) == 0);
    return 0;
}
