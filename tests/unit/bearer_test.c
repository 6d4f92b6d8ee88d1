/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* bearer_test.c - a token is itself and nothing else. */
#include "core/http/bearer.h"
#include "t.h"

static void only_the_token_is_equal(void)
{
    static const char *const others[] = {"",       "sesam",   "sesames",
                                         "Sesame", "sesame ", " sesame"};

    OK(bearer_equal(TEXT("sesame"), TEXT("sesame")));
    for (size_t i = 0; i < LL_LENGTH(others); i++)
        OK(!bearer_equal(text_of(others[i]), TEXT("sesame")));
    OK(!bearer_equal((struct text){"sesame\0", 7}, TEXT("sesame")));
}

int main(void)
{
    RUN(only_the_token_is_equal);
    return t_done();
}
