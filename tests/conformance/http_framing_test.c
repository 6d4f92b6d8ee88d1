/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_framing_test.c - where a body ends, to the real `landlog serve`: what two readers
 * could take differently is refused, and the connection ends.
 */
#include "hostile.h"
#include "raw_http.h"
#include "serve_process.h"
#include "unit/t.h"

#include <unistd.h>

enum { BODY_LIMIT = 4096 };

static struct serve_process server;

#define TRY(table) OK(hostile_wrong(server.port, table, LL_LENGTH(table)) == 0)

/* Where a body ends must never be open to two readings: a proxy in front may have
 * taken the other. */
static void two_framings(void)
{
    static const struct hostile all[] = {
        {"length and chunked",
         TEXT(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"chunked and length",
         TEXT(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"length zero and chunked, with a smuggled request",
         TEXT(POST
              "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GOOD),
         {400},
         CLOSES},
        {"two lengths that differ",
         TEXT(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
         {400},
         CLOSES},
        {"two lengths that agree",
         TEXT(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
         {400},
         CLOSES},
        {"a list of lengths",
         TEXT(POST "Content-Length: 5, 5\r\n\r\nhello"),
         {400},
         CLOSES},
        {"gzip as transfer encoding",
         TEXT(POST "Transfer-Encoding: gzip\r\n\r\n"),
         {400, 501},
         CLOSES},
        {"gzip, chunked",
         TEXT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
         {400, 501},
         CLOSES},
        {"chunked, gzip",
         TEXT(POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
         {400, 501},
         CLOSES},
        {"chunked twice in one",
         TEXT(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
         {400, 501},
         CLOSES},
        {"chunked twice in two",
         TEXT(
             POST
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         {400, 501},
         CLOSES},
        {"identity",
         TEXT(POST "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello"),
         {400, 501},
         CLOSES},
        {"xchunked",
         TEXT(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
         {400, 501},
         CLOSES},
        {"a tab before chunked in quotes",
         TEXT(POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
         {400, 501},
         CLOSES},
        {"an empty transfer encoding",
         TEXT(POST "Transfer-Encoding: \r\nContent-Length: 0\r\n\r\n"),
         {400, 501},
         CLOSES},
        {"chunked under HTTP/1.0",
         TEXT("POST " PLACE " HTTP/1.0\r\n" HOST
              "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         {400, 501},
         CLOSES},
    };

    TRY(all);
}

static void lengths_that_are_none(void)
{
    static const struct hostile all[] = {
        {"negative", TEXT(POST "Content-Length: -5\r\n\r\nhello"), {400}, CLOSES},
        {"a plus", TEXT(POST "Content-Length: +5\r\n\r\nhello"), {400}, CLOSES},
        {"hexadecimal", TEXT(POST "Content-Length: 0x5\r\n\r\nhello"), {400}, CLOSES},
        {"two numbers", TEXT(POST "Content-Length: 5 5\r\n\r\nhello"), {400}, CLOSES},
        {"empty", TEXT(POST "Content-Length:\r\n\r\n"), {400}, CLOSES},
        {"2^64",
         TEXT(POST "Content-Length: 18446744073709551616\r\n\r\n"),
         {400, 413},
         CLOSES},
        {"2^64 + 5",
         TEXT(POST "Content-Length: 18446744073709551621\r\n\r\nhello"),
         {400, 413},
         CLOSES},
        {"2^63",
         TEXT(POST "Content-Length: 9223372036854775808\r\n\r\n"),
         {400, 413},
         CLOSES},
        {"2^64 - 1",
         TEXT(POST "Content-Length: 18446744073709551615\r\n\r\n"),
         {400, 413},
         CLOSES},
        {"a fraction", TEXT(POST "Content-Length: 5.0\r\n\r\nhello"), {400}, CLOSES},
        {"a NUL in it", TEXT(POST "Content-Length: 5\0\r\n\r\nhello"), {400}, CLOSES},
        {"a space before the colon",
         TEXT(POST "Content-Length : 5\r\n\r\nhello"),
         {400},
         CLOSES},
    };

    TRY(all);
}

/* Where a head ends must not be open either. */
static void heads_without_an_end(void)
{
    static const struct hostile all[] = {
        {"a CR and no LF at the end",
         TEXT(GET("/") "\rXGET /nowhere HTTP/1.1\r\n" HOST "\r\n"),
         {400},
         CLOSES},
        {"bare LFs", TEXT("GET / HTTP/1.1\nHost: localhost\n\n"), {400}, CLOSES},
        {"a bare LF at the end", TEXT("GET / HTTP/1.1\r\n" HOST "\n"), {400}, CLOSES},
        {"a bare LF in a value", TEXT(GET("/") "X-A: a\nX-B: b\r\n\r\n"), {400}, CLOSES},
        {"a CR in the request line",
         TEXT("GET / HTTP/1.1\rX" HOST "\r\n"),
         {400},
         CLOSES},
    };

    TRY(all);
}

/* The length alone says that it is too much: nothing of the body has been sent. */
static void too_much_is_refused_before_it_is_read(void)
{
    static const struct hostile all[] = {
        {"length over the limit",
         TEXT(POST "Content-Length: 4097\r\n\r\n"),
         {413},
         CLOSES},
        {"with Expect",
         TEXT(POST "Expect: 100-continue\r\nContent-Length: 4097\r\n\r\n"),
         {413},
         CLOSES},
        {"a chunk over the limit",
         TEXT(POST "Transfer-Encoding: chunked\r\n\r\n1001\r\n"),
         {413},
         CLOSES},
        {"a chunk of 2^63",
         TEXT(POST "Transfer-Encoding: chunked\r\n\r\n8000000000000000\r\n"),
         {400, 413},
         CLOSES},
        {"a chunk of 2^64 + 5",
         TEXT(
             POST
             "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n"),
         {400, 413},
         CLOSES},
    };

    TRY(all);
}

#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

static void chunks_that_are_none(void)
{
    static const struct hostile all[] = {
        {"no CR LF behind the data", TEXT(CHUNKED "3\r\nhelXX0\r\n\r\n"), {400}, CLOSES},
        {"a CR and no LF", TEXT(CHUNKED "3\rXhel\r\n0\r\n\r\n"), {400}, CLOSES},
        {"a CR and no LF at the end", TEXT(CHUNKED "0\r\n\rX"), {400}, CLOSES},
        {"a bare LF behind the size", TEXT(CHUNKED "3\nhel\r\n0\r\n\r\n"), {400}, CLOSES},
        {"a bare LF in an extension",
         TEXT(CHUNKED "3;a\nb\r\nhel\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"words behind the size",
         TEXT(CHUNKED "3 zz\r\nhel\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"seventeen digits",
         TEXT(CHUNKED "00000000000000003\r\nhel\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"a folded trailer", TEXT(CHUNKED "0\r\nX-A: a\r\n b\r\n\r\n"), {400}, CLOSES},
        {"no digits",
         TEXT(POST "Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"a minus",
         TEXT(POST "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"0x",
         TEXT(POST "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"letters",
         TEXT(POST "Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"longer than said",
         TEXT(POST "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n"),
         {400},
         CLOSES},
        {"a NUL for a size",
         TEXT(POST "Transfer-Encoding: chunked\r\n\r\n\0\r\n"),
         {400},
         CLOSES},
    };

    TRY(all);
}

/* Many small chunks go over the limit together. */
static void small_chunks_add_up(void)
{
    static struct raw_reply r;
    struct builder request;

    builder_init(&request, 64 * 1024);
    builder_string(&request, POST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < BODY_LIMIT + 1; i++) builder_string(&request, "1\r\na\r\n");
    OK(!request.full);
    raw_exchange(server.port, builder_view(&request), 1, &r);
    OK(raw_status(&r) == 413 && r.count == 1);
    builder_fini(&request);
}

/* Answers come in the order of the requests, each exactly once. */
static void pipelined(void)
{
    static struct raw_reply r;

    raw_exchange(server.port,
                 TEXT(GOOD GET("/nowhere") "\r\n" GOOD GET("/nowhere") "\r\n"), 4, &r);
    OK(r.count == 4 && !r.malformed);
    OK(r.statuses[0] == 200 && r.statuses[1] == 404);
    OK(r.statuses[2] == 200 && r.statuses[3] == 404);
}

/* A refusal ends what was pipelined behind it: those bytes may be the refused body. */
static void nothing_behind_a_refusal_is_answered(void)
{
    static struct raw_reply r;
    int s = raw_connect(server.port);

    raw_send(s,
             TEXT(GOOD POST "Content-Length: 9\r\nContent-Length: 8\r\n\r\n" GOOD GOOD));
    raw_receive_to_end(s, 4000, &r);
    OK(r.count == 2 && r.statuses[0] == 200 && r.statuses[1] == 400 && r.closed);
    close(s);
}

static void a_body_is_not_the_next_request(void)
{
    static struct raw_reply r;

    raw_exchange(server.port,
                 TEXT("GET / HTTP/1.1\r\n" HOST "Content-Length: 41\r\n\r\n"
                      "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" GOOD),
                 2, &r);
    OK(r.count >= 1 && r.statuses[0] != 404);
    OK(r.count < 2 || r.statuses[1] != 404);
    raw_exchange(server.port,
                 TEXT(POST "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n"
                           "Content-Length: 9\r\nX-Trailer: 1\r\n\r\n" GOOD),
                 2, &r);
    OK(r.count >= 1 && r.statuses[0] >= 400 && r.statuses[0] < 500);
    OK(r.count < 2 || r.statuses[1] == 200);
}

int main(void)
{
    static const char *const settings[] = {"http.body-limit=4096", NULL};

    if (!serve_start(&server, "framing", settings)) return 77;
    RUN(two_framings);
    RUN(lengths_that_are_none);
    RUN(heads_without_an_end);
    RUN(too_much_is_refused_before_it_is_read);
    RUN(chunks_that_are_none);
    RUN(small_chunks_add_up);
    RUN(pipelined);
    RUN(nothing_behind_a_refusal_is_answered);
    RUN(a_body_is_not_the_next_request);
    OK(serve_stop(&server) == 0);
    return t_done();
}
