/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* text_utf8_test.c - text_is_utf8() looks at words; one character at a time it says the
 * same. */
#include "core/base/text.c"
#include "t.h"

static bool slowly(struct text t)
{
    for (size_t i = 0; i < t.len;) {
        size_t n = utf8_length((const unsigned char *)t.ptr + i, t.len - i);

        if (n == 0) return false;
        i += n;
    }
    return true;
}

static void words_and_characters_agree(void)
{
    static const char *const pieces[] = {"a",
                                         "abcdefg",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "abcdefghijklmnop",
                                         "\x7f",
                                         "\x80",
                                         "\xed\xa0\x80",
                                         "\xc3",
                                         "\xff",
                                         "\x01"};
    size_t good = 0;

    srand(3);
    for (int round = 0; round < 20000; round++) {
        struct builder b;
        struct text t;

        builder_init(&b, 1000);
        for (int n = rand() % 8; n > 0; n--)
            builder_string(&b, pieces[rand() % 40 ? rand() % 7 : rand() % 12]);
        if (rand() % 20 == 0) builder_add(&b, "\0", 1);
        if (rand() % 20 == 0) builder_string(&b, "abc");
        t = builder_view(&b);
        OK(text_is_utf8(t) == slowly(t));
        good += slowly(t);
        builder_fini(&b);
    }
    OK(good > 10000 && good < 19500);
}

static void texts_are_ordered_bytewise(void)
{
    OK(text_compare(TEXT("a"), TEXT("b")) < 0 && text_compare(TEXT("b"), TEXT("a")) > 0);
    OK(text_compare(TEXT("a"), TEXT("aa")) < 0 &&
       text_compare(TEXT("aa"), TEXT("a")) > 0);
    OK(text_compare(TEXT("z"), TEXT("\xc3\xa9")) < 0);
    OK(text_compare(TEXT(""), (struct text){NULL, 0}) == 0);
}

int main(void)
{
    RUN(words_and_characters_agree);
    RUN(texts_are_ordered_bytewise);
    return t_done();
}
