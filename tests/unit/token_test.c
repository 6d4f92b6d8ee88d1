/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* token_test.c - includes the source under test, so statics are in reach. */
#include "core/log/token.c"
#include "t.h"

#include <stdlib.h>

#define LOG "0192f0c4-6f1e-7b7a-9d0c-5b1f6f3a2e11"

static ll_rc parse(struct token *t, const char *text)
{
    return token_parse(t, text_of(text));
}

static bool is_empty(const struct token *t)
{
    return t->position.len == 0 && uuid_is_nil(&t->incarnation);
}

static void what_is_printed_is_read_back(void)
{
    static const char *const good[] = {
        LOG ":",
        LOG ":social/3=1042",
        LOG ":badges/0=77,social/3=1042,social/10=18446744073709551615",
        "00000000-0000-0000-0000-000000000000:a/0=0",
    };
    struct token t;
    char text[TOKEN_TEXT];

    for (size_t i = 0; i < LL_LENGTH(good); i++) {
        OK(parse(&t, good[i]) == LL_OK);
        OK(token_print(&t, text) == strlen(good[i]) && strcmp(text, good[i]) == 0);
        OK(length_of(&t.position) == strlen(good[i]));
    }
}

static void the_parts_are_what_they_say(void)
{
    struct token t;
    struct uuid log;
    uint64_t seen;

    OK(uuid_parse(TEXT(LOG), &log));
    OK(parse(&t, LOG ":badges/0=77,social/3=1042") == LL_OK);
    OK(uuid_equal(&t.incarnation, &log));
    OK(position_get(&t.position, "badges", 0, &seen) && seen == 77);
    OK(position_get(&t.position, "social", 3, &seen) && seen == 1042);
    OK(!position_get(&t.position, "social", 0, &seen));
}

static void a_strangers_text_is_refused_whole(void)
{
    static const char *const bad[] = {
        "",
        ":",
        "social/3=1042",
        LOG,
        LOG "social/3=1",
        LOG ";social/3=1",
        LOG ":social/3",
        LOG ":social/3=1,",
        LOG ":social/3=01",
        LOG ":b/0=1,a/0=1",
        LOG ": social/3=1",
        LOG ":social/3=1 ",
        LOG "::social/3=1",
        " " LOG ":social/3=1",
        "0192F0C4-6F1E-7B7A-9D0C-5B1F6F3A2E11:social/3=1",
        "0192f0c46f1e7b7a9d0c5b1f6f3a2e11:social/3=1",
        "0192f0c4-6f1e-7b7a-9d0c-5b1f6f3a2e1g:social/3=1",
        "{192f0c4-6f1e-7b7a-9d0c-5b1f6f3a2e1}:social/3=1",
    };
    struct token t;

    for (size_t i = 0; i < LL_LENGTH(bad); i++)
        OK(parse(&t, bad[i]) == LL_EINVAL && is_empty(&t));
    OK(token_parse(&t, TEXT(LOG ":a/0=1\0")) == LL_EINVAL && is_empty(&t));
    OK(token_parse(&t, (struct text){NULL, 0}) == LL_EINVAL && is_empty(&t));
}

/* Entries as long as they get: 23 + 10 + 20 digits and three signs. */
static void fill(struct position *p, size_t entries)
{
    position_init(p);
    for (uint32_t i = 0; i < entries; i++)
        OK(position_raise(p, "abcdefghijklmnopqrstuvw", UINT32_MAX - i, UINT64_MAX) ==
           LL_OK);
}

static void too_long_is_said_and_changes_nothing(void)
{
    struct token t, before;
    struct position p;
    struct uuid log;
    char text[TOKEN_TEXT];
    size_t most = (TOKEN_LENGTH - PREFIX + 1) / 56;

    OK(uuid_parse(TEXT(LOG), &log));
    token_init(&t, &log);
    fill(&p, most);
    OK(token_merge(&t, &p) == LL_OK);
    OK(token_print(&t, text) <= TOKEN_LENGTH && parse(&before, text) == LL_OK);

    fill(&p, most + 1);
    OK(token_merge(&t, &p) == LL_EFULL);
    OK(t.position.len == most && position_covers(&before.position, &t.position));
}

static void too_many_entries_are_said_and_change_nothing(void)
{
    struct token t;
    struct position p;
    struct uuid log = {{1}};

    token_init(&t, &log);
    position_init(&p);
    for (uint32_t i = 0; i < POSITION_ENTRIES; i++)
        OK(position_raise(&p, "t", i, 1) == LL_OK);
    OK(token_merge(&t, &p) == LL_OK);
    position_init(&p);
    OK(position_raise(&p, "t", 0, 9) == LL_OK && position_raise(&p, "u", 0, 1) == LL_OK);
    OK(token_merge(&t, &p) == LL_EFULL);
    OK(position_get(&t.position, "t", 0, &(uint64_t){0}) && t.position.len == 64);
    OK(t.position.entry[0].sequence == 1);
}

static void a_long_text_is_refused_unread(void)
{
    char text[TOKEN_TEXT + 1];
    struct token t;

    memset(text, 'a', sizeof(text));
    OK(token_parse(&t, (struct text){text, TOKEN_LENGTH + 1}) == LL_EFULL);
    OK(token_parse(&t, (struct text){text, TOKEN_LENGTH}) == LL_EINVAL);
}

/* A token of many reads holds the largest of each, in whatever order they came. */
static void merging_keeps_the_largest(void)
{
    for (unsigned seed = 1; seed <= 100; seed++) {
        uint64_t largest[6] = {0};
        struct uuid log = {{7}};
        struct token t;

        srand(seed);
        token_init(&t, &log);
        for (int i = 0; i < 40; i++) {
            struct position p;
            uint32_t partition = (uint32_t)(rand() % 6);
            uint64_t sequence = (uint64_t)(rand() % 1000) + 1;

            position_init(&p);
            OK(position_raise(&p, "social", partition, sequence) == LL_OK);
            if (sequence > largest[partition]) largest[partition] = sequence;
            OK(token_merge(&t, &p) == LL_OK);
        }
        for (uint32_t k = 0; k < 6; k++) {
            uint64_t seen = 0;

            OK(position_get(&t.position, "social", k, &seen) == (largest[k] > 0));
            OK(seen == largest[k]);
        }
        OK(uuid_equal(&t.incarnation, &log));
    }
}

int main(void)
{
    RUN(what_is_printed_is_read_back);
    RUN(the_parts_are_what_they_say);
    RUN(a_strangers_text_is_refused_whole);
    RUN(too_long_is_said_and_changes_nothing);
    RUN(too_many_entries_are_said_and_change_nothing);
    RUN(a_long_text_is_refused_unread);
    RUN(merging_keeps_the_largest);
    return t_done();
}
