/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* position_test.c - includes the source under test, so statics are in reach. */
#include "core/log/position.c"
#include "t.h"

#include <stdlib.h>

static ll_rc parse(struct position *p, const char *text)
{
    return position_parse(p, text, strlen(text));
}

static void the_larger_sequence_stays(void)
{
    struct position p;
    uint64_t seen;

    position_init(&p);
    OK(!position_get(&p, "social", 3, &seen));
    OK(position_raise(&p, "social", 3, 1042) == LL_OK);
    OK(position_raise(&p, "social", 3, 7) == LL_OK);
    OK(position_get(&p, "social", 3, &seen) && seen == 1042);
}

static void what_is_printed_is_read_back(void)
{
    struct position p, q;
    char text[POSITION_TEXT], again[POSITION_TEXT];

    OK(parse(&p, "badges/0=77,social/3=1042,social/10=18446744073709551615") == LL_OK);
    position_print(&p, text);
    OK(parse(&q, text) == LL_OK && position_covers(&p, &q) && position_covers(&q, &p));
    position_print(&q, again);
    OK(strcmp(text, again) == 0);
}

static void a_strangers_text_is_refused_whole(void)
{
    static const char *const bad[] = {
        "social",
        "social/3",
        "social/3=",
        "social/3=1,",
        ",social/3=1",
        "social/03=1",
        "social/3=+1",
        "Social/3=1",
        "social/3= 1",
        "b/0=1,a/0=1",
        "a/0=1,a/0=2",
        "a/4294967296=1",
        "/0=1",
        "a/0=18446744073709551616",
        "abcdefghijklmnopqrstuvwxyz/0=1",
    };
    struct position p;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        OK(parse(&p, bad[i]) == LL_EINVAL && p.len == 0);
    OK(position_parse(&p, "a/0=1\0", 6) == LL_EINVAL);
}

static void full_is_reported_not_dropped(void)
{
    struct position p;

    position_init(&p);
    for (uint32_t i = 0; i < POSITION_ENTRIES; i++)
        OK(position_raise(&p, "t", i, 1) == LL_OK);
    OK(position_raise(&p, "t", POSITION_ENTRIES, 1) == LL_EFULL);
    OK(position_raise(&p, "t", 5, 9) == LL_OK && p.len == POSITION_ENTRIES);
}

/* Against the obvious answer: a table of the largest sequence ever raised. */
static void random_raises_agree(void)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        uint64_t largest[8] = {0};
        struct position p;

        srand(seed);
        position_init(&p);
        for (int i = 0; i < 100; i++) {
            uint32_t partition = (uint32_t)(rand() % 8);
            uint64_t sequence = (uint64_t)(rand() % 1000) + 1;
            if (sequence > largest[partition]) largest[partition] = sequence;
            OK(position_raise(&p, "t", partition, sequence) == LL_OK);
        }
        for (uint32_t k = 0; k < 8; k++) {
            uint64_t seen = 0;
            OK(position_get(&p, "t", k, &seen) == (largest[k] > 0) && seen == largest[k]);
        }
    }
}

int main(void)
{
    RUN(the_larger_sequence_stays);
    RUN(what_is_printed_is_read_back);
    RUN(a_strangers_text_is_refused_whole);
    RUN(full_is_reported_not_dropped);
    RUN(random_raises_agree);
    return t_done();
}
