/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* pattern_test.c - held against libc's regcomp on random patterns and texts, and by hand
 * where the two differ. */
#include "core/event/pattern.h"
#include "t.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const char *pattern, const char *text)
{
    const struct pattern *p;
    struct arena arena;
    bool yes;

    arena_init(&arena, (size_t)1 << 20);
    LL_CHECK(pattern_compile(text_of(pattern), &arena, &p, NULL) == LL_OK);
    yes = pattern_matches(p, text_of(text));
    arena_fini(&arena);
    return yes;
}

static void texts_match_as_ecma_says(void)
{
    static const struct {
        const char *pattern, *yes, *no;
    } rows[] = {
        {"a", "bab", "bcb"},
        {"^a", "ab", "ba"},
        {"a$", "ba", "ab"},
        {"^a$", "a", "a\n"},
        {"^$", "", "x"},
        {"^(a|b)*$", "abba", "abc"},
        {"^(?:ab){2,3}$", "ababab", "abababab"},
        {"^(?:ab){2,3}$", "abab", "ab"},
        {"^a{0}b$", "b", "ab"},
        {"^a{2,}$", "aaaa", "a"},
        {"^[^a]$", "\xf0\x9f\x98\x80", "a"},
        {"^[^a]$", "\xc3\xa9", "\xc3\xa9\xc3\xa9"},
        {"^.$", "\xe2\x82\xac", "\n"},
        {"^\xc3\xa9$", "\xc3\xa9", "\xc3\xa8"},
        {"^(\xc3\xa9)+$", "\xc3\xa9\xc3\xa9", "\xc3"},
        {"^\\d\\w\\s$", "1_\t", "a_\t"},
        {"^\\D\\W\\S$", "a-\xc3\xa9", "1--"},
        {"^[\\w.-]+$", "a.b-c", "a b"},
        {"^[a-f\\d]+$", "0af9", "0g"},
        {"^\\$\\{x\\}$", "${x}", "x"},
        {"^0x[0-9a-f]{40}$", "0x00000000000000000000000000000000000000af",
         "0x00000000000000000000000000000000000000aF"},
        {"(^a|b$)", "ac", "ba c"},
        {"^(c$){1,2}", "c", "cc"},
        {"^(^a){2}$|^b", "b", "aa"},
        {"(^|,)x($|,)", "a,x,b", "ax,b"},
        {"^(a*)*$", "aa", "b"},
        {"^(|a)+$", "", "b"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        OK(matches(rows[i].pattern, rows[i].yes));
        OK(!matches(rows[i].pattern, rows[i].no));
    }
}

static void what_is_not_understood_is_refused(void)
{
    static const char *const bad[] = {
        "(",           ")",         "(a",
        "[a",          "[]",        "[z-a]",
        "[\\d-z]",     "*a",        "a**",
        "a*?",         "a{2}{3}",   "a{",
        "a{}",         "a{1,0}",    "a{1001}",
        "}",           "]",         "\\",
        "\\b",         "\\1",       "\\p{L}",
        "\\u00e9",     "(?=a)",     "(?<n>a)",
        "[\xc3\xa9]",  "\xc3\xa9+", "^*",
        "[[:alpha:]]", "\xff",      "((((((((((((((((((a))))))))))))))))))",
    };

    for (size_t i = 0; i < LL_LENGTH(bad); i++) {
        const struct pattern *p;
        struct ll_error err = {0};
        struct arena arena;

        arena_init(&arena, (size_t)1 << 20);
        OK(pattern_compile(text_of(bad[i]), &arena, &p, &err) == LL_EINVAL && p == NULL);
        OK(strncmp(err.text, "pattern", 7) == 0);
        arena_fini(&arena);
    }
}

static void what_is_too_large_is_refused(void)
{
    static const char *const bad[] = {"(a{100}){100}", "a.{30}", ".{1000}",
                                      "((((a{9}){9}){9}){9}){9}"};

    for (size_t i = 0; i < LL_LENGTH(bad); i++) {
        const struct pattern *p;
        struct arena arena;

        arena_init(&arena, (size_t)1 << 20);
        OK(pattern_compile(text_of(bad[i]), &arena, &p, NULL) == LL_EFULL && p == NULL);
        arena_fini(&arena);
    }
}

static void a_small_arena_is_no_crash(void)
{
    const struct pattern *p;
    struct arena arena;

    arena_init(&arena, 500);
    OK(pattern_compile(TEXT("^0x[0-9a-f]{40}$"), &arena, &p, NULL) == LL_EFULL);
    arena_fini(&arena);
}

/* A pattern of the part of the syntax that POSIX and ECMA read alike. Anchors stand
 * outside groups only: glibc takes /(c$){2}/ to match "cc". */
static void random_pattern(struct builder *b, int depth)
{
    static const char *const atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "^", "$"};
    static const char *const times[] = {"*", "+", "?", "{2}", "{1,2}", "{0,2}", "{1,}"};

    for (int n = 1 + rand() % 3; n > 0; n--) {
        int atom = rand() % 10;

        if (depth > 0 && atom >= 8) {
            builder_char(b, '(');
            random_pattern(b, depth - 1);
            if (rand() % 2) {
                builder_char(b, '|');
                random_pattern(b, depth - 1);
            }
            builder_char(b, ')');
        } else {
            builder_string(b, atoms[depth < 2 ? atom % 6 : atom % 8]);
            if (depth == 2 && atom % 8 >= 6) continue;
        }
        if (rand() % 3 == 0) builder_string(b, times[rand() % 7]);
    }
}

/* Random texts on one pattern; returns how many matched. */
static size_t compare_on_texts(const struct pattern *ours, const regex_t *theirs)
{
    size_t yes = 0;

    for (int k = 0; k < 8; k++) {
        char text[8] = {0};
        bool expected;

        for (int n = rand() % 7; n > 0; n--) text[n - 1] = (char)('a' + rand() % 4);
        expected = regexec(theirs, text, 0, NULL, 0) == 0;
        OK(pattern_matches(ours, text_of(text)) == expected);
        yes += expected;
    }
    return yes;
}

static void libc_says_the_same(void)
{
    size_t compared = 0, yes = 0;

    srand(11);
    for (int i = 0; i < 3000; i++) {
        const struct pattern *ours;
        struct ll_error err = {0};
        struct builder text;
        struct arena arena;
        regex_t theirs;

        builder_init(&text, 4096);
        arena_init(&arena, (size_t)1 << 20);
        random_pattern(&text, 2);
        if (pattern_compile(builder_view(&text), &arena, &ours, &err) == LL_OK &&
            regcomp(&theirs, text.ptr, REG_EXTENDED | REG_NOSUB) == 0) {
            yes += compare_on_texts(ours, &theirs);
            compared += 8;
            regfree(&theirs);
        }
        OK(err.rc == LL_OK || err.rc == LL_EFULL);
        arena_fini(&arena);
        builder_fini(&text);
    }
    OK(compared > 20000 && yes > 4000 && compared - yes > 4000);
}

int main(void)
{
    RUN(texts_match_as_ecma_says);
    RUN(what_is_not_understood_is_refused);
    RUN(what_is_too_large_is_refused);
    RUN(a_small_arena_is_no_crash);
    RUN(libc_says_the_same);
    return t_done();
}
