/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* framing_test.c - includes the source under test, so statics are in reach. */
#include "core/http/framing.c"
#include "core/base/text.h"
#include "t.h"

#include <string.h>

#define HEAD    "POST /a HTTP/1.1\r\nHost: b\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

/* Pass one request in pieces of `step` bytes, as its head says. How many bytes it took;
 * *fault as framing_check() left it. */
static size_t pass(struct text t, size_t step_size, const char **fault)
{
    bool is_chunked = t.len > 0 && memmem(t.ptr, t.len, "chunked", 7) != NULL;
    struct framing f;
    size_t at = 0;

    framing_init(&f);
    *fault = NULL;
    while (at < t.len && *fault == NULL && f.state != ENDED) {
        size_t n = t.len - at < step_size ? t.len - at : step_size;

        at += framing_check(&f, t.ptr + at, n, fault);
        if (f.state != HEAD_ENDED) continue;
        if (!is_chunked) return at;
        framing_body(&f, true);
    }
    return at;
}

static void a_request_ends_where_it_ends(void)
{
    static const struct text good[] = {
        TEXT(HEAD "\r\n"),
        TEXT("\r\n\r\n" HEAD "\r\n"),
        TEXT(HEAD "Empty:\r\nTab:\ta\tb\r\nHigh: \xc3\xa9\r\n!#$%&'*+-.^_`|~: x\r\n\r\n"),
        TEXT(CHUNKED "0\r\n\r\n"),
        TEXT(CHUNKED "5\r\nhello\r\n0\r\n\r\n"),
        TEXT(CHUNKED
             "A\r\n\r\n\r\n\r\n\r\n\r\n\r\n000000000000000a;x=\"y\"\r\n0123456789\r\n"
             "0\r\n\r\n"),
        TEXT(CHUNKED "0\r\nTrailer: a\r\nOther: b\r\n\r\n"),
    };
    const char *fault;

    for (size_t i = 0; i < LL_LENGTH(good); i++) {
        struct builder two;

        builder_init(&two, 1024);
        builder_text(&two, good[i]);
        builder_string(&two, "GET / HTTP/1.1\r\n\r\n");
        for (size_t step_size = 1; step_size < 200; step_size++) {
            OK(pass(builder_view(&two), step_size, &fault) == good[i].len);
            OK(fault == NULL);
        }
        builder_fini(&two);
    }
}

/* `at`: the byte that is refused, which the parser must not see. */
static void what_is_open_to_two_readings_is_refused(void)
{
    static const struct {
        struct text bytes;
        size_t at;
    } bad[] = {
        {TEXT("\n"), 0},
        {TEXT("\rG"), 1},
        {TEXT(" GET"), 0},
        {TEXT("GET / HTTP/1.1\n"), 14},
        {TEXT("GET / H\r\n\r\n\r\n"), 7},
        {TEXT("GET / http/1.1\r\n"), 6},
        {TEXT("GET / HTTP/1.10\r\n"), 14},
        {TEXT("GET  / HTTP/1.1\r\n"), 4},
        {TEXT("GET /\r\n"), 5},
        {TEXT("G\xc3T / HTTP/1.1\r\n"), 1},
        {TEXT("GET\r\n"), 3},
        {TEXT("GET / HTTP/1.1\rX"), 15},
        {TEXT("GET /\0"), 5},
        {TEXT(HEAD " folded\r\n"), 27},
        {TEXT(HEAD "\tfolded\r\n"), 27},
        {TEXT(HEAD "A b: c\r\n"), 28},
        {TEXT(HEAD "A : c\r\n"), 28},
        {TEXT(HEAD ": c\r\n"), 27},
        {TEXT(HEAD "A\r\n"), 28},
        {TEXT(HEAD "A: b\nC: d\r\n"), 31},
        {TEXT(HEAD "A: b\rX"), 32},
        {TEXT(HEAD "A: \x01"), 30},
        {TEXT(HEAD "A: \x7f"), 30},
        {TEXT(HEAD "\n"), 27},
        {TEXT(HEAD "\rX"), 28},
        {TEXT(CHUNKED "\r\n"), 57},
        {TEXT(CHUNKED ";"), 57},
        {TEXT(CHUNKED "-1\r\n"), 57},
        {TEXT(CHUNKED "0x1\r\n"), 58},
        {TEXT(CHUNKED "1 \r\n"), 58},
        {TEXT(CHUNKED "1\n"), 58},
        {TEXT(CHUNKED "1\rX"), 59},
        {TEXT(CHUNKED "1;a\nb"), 60},
        {TEXT(CHUNKED "00000000000000001"), 73},
        {TEXT(CHUNKED "1\r\nabc"), 61},
        {TEXT(CHUNKED "1\r\na\n"), 61},
        {TEXT(CHUNKED "1\r\na\rX"), 62},
        {TEXT(CHUNKED "0\r\n\rX"), 61},
        {TEXT(CHUNKED "0\r\nA: b\r\n c\r\n\r\n"), 66},
    };
    const char *fault;

    for (size_t i = 0; i < LL_LENGTH(bad); i++) {
        for (size_t step_size = 1; step_size < 80; step_size += 3) {
            OK(pass(bad[i].bytes, step_size, &fault) == bad[i].at);
            OK(fault != NULL);
        }
    }
}

static size_t pass_repeated(const char *before_it, const char *unit, size_t n,
                            const char **fault)
{
    struct builder b;
    size_t took;

    builder_init(&b, 1024 * 1024);
    builder_string(&b, before_it);
    for (size_t i = 0; i < n; i++) builder_string(&b, unit);
    took = pass(builder_view(&b), SIZE_MAX, fault);
    builder_fini(&b);
    return took - strlen(before_it);
}

static void what_costs_a_client_nothing_is_bounded(void)
{
    const char *fault;

    OK(pass_repeated("", "\r\n", 100000, &fault) == 2 * FRAMING_TRAILERS &&
       fault != NULL);
    OK(pass_repeated(CHUNKED "1;", "a", 100000, &fault) == FRAMING_EXTENSION);
    OK(fault != NULL);
    OK(pass_repeated(CHUNKED "0\r\n", "a: b\r\n", 100000, &fault) == FRAMING_TRAILERS);
    OK(fault != NULL);
    OK(pass_repeated(CHUNKED, "1\r\na\r\n", 10000, &fault) == 60000 && fault == NULL);
}

static void a_body_of_known_length_is_not_looked_at(void)
{
    struct framing f;
    const char *fault;

    framing_init(&f);
    OK(framing_check(&f, HEAD "\r\n\0\n\r", 32, &fault) == 29 && fault == NULL);
    framing_body(&f, false);
    OK(framing_check(&f, "\0\n\r", 3, &fault) == 3 && fault == NULL);
    framing_init(&f);
    OK(framing_check(&f, "\0\n\r", 3, &fault) == 0 && fault != NULL);
}

int main(void)
{
    RUN(a_request_ends_where_it_ends);
    RUN(what_is_open_to_two_readings_is_refused);
    RUN(what_costs_a_client_nothing_is_bounded);
    RUN(a_body_of_known_length_is_not_looked_at);
    return t_done();
}
