/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_hostile_test.c - bytes that no good client sends, to the real `landlog serve`:
 * each gets a clear refusal, closes the connection where its framing is in doubt, and
 * leaves the server as it was. What takes time or many sockets is in http_slow_test.c.
 */
#include "hostile.h"
#include "raw_http.h"
#include "serve_process.h"
#include "unit/t.h"

#include <string.h>
#include <unistd.h>

static struct serve_process server;

#define TRY(table) OK(hostile_wrong(server.port, table, LL_LENGTH(table)) == 0)

static void request_lines(void)
{
    static const struct hostile all[] = {
        {"nothing but noise",
         TEXT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
         {400},
         CLOSES},
        {"HTTP/2's preface",
         TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
         {400, 501, 505},
         CLOSES},
        {"HTTP/0.9", TEXT("GET /\r\n\r\n"), {400, 505}, CLOSES},
        {"HTTP/3.7", TEXT("GET / HTTP/3.7\r\n" HOST "\r\n"), {400, 505}, CLOSES},
        {"HTTP/1.1.1", TEXT("GET / HTTP/1.1.1\r\n" HOST "\r\n"), {400, 505}, CLOSES},
        {"a lower-case protocol",
         TEXT("GET / http/1.1\r\n" HOST "\r\n"),
         {400, 505},
         CLOSES},
        {"no such method", TEXT("BREW / HTTP/1.1\r\n" HOST "\r\n"), {400, 405, 501}, ANY},
        {"a lower-case method",
         TEXT("get / HTTP/1.1\r\n" HOST "\r\n"),
         {400, 405, 501},
         ANY},
        {"a method with a NUL",
         TEXT("G\0T / HTTP/1.1\r\n" HOST "\r\n"),
         {400, 501},
         CLOSES},
        {"two spaces and words",
         TEXT("GET / / HTTP/1.1\r\n" HOST "\r\n"),
         {400, 505},
         CLOSES},
        {"CONNECT",
         TEXT("CONNECT localhost:22 HTTP/1.1\r\n" HOST "\r\n"),
         {400, 405, 501},
         ANY},
        {"TRACE",
         TEXT("TRACE / HTTP/1.1\r\n" HOST "Cookie: a=b\r\n\r\n"),
         {400, 405, 501},
         ANY},
        {"a NUL in the path", TEXT("GET /a\0b HTTP/1.1\r\n" HOST "\r\n"), {400}, CLOSES},
        {"a control character in the path",
         TEXT("GET /a\x01"
              "b HTTP/1.1\r\n" HOST "\r\n"),
         {400},
         CLOSES},
        {"no slash", TEXT("GET health HTTP/1.1\r\n" HOST "\r\n"), {400}, CLOSES},
        {"another scheme",
         TEXT("GET file:///etc/passwd HTTP/1.1\r\n" HOST "\r\n"),
         {400, 404},
         ANY},
    };

    TRY(all);
}

static void hosts(void)
{
    static const struct hostile all[] = {
        {"none", TEXT("GET / HTTP/1.1\r\n\r\n"), {400}, ANY},
        {"two", TEXT("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), {400}, ANY},
        {"with a NUL", TEXT("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), {400}, CLOSES},
        {"absolute form",
         TEXT("GET http://localhost/ HTTP/1.1\r\n" HOST "\r\n"),
         {200},
         STAYS},
        {"HTTP/1.0 without", TEXT("GET / HTTP/1.0\r\n\r\n"), {200}, CLOSES},
    };

    TRY(all);
}

static void headers(void)
{
    static const struct hostile all[] = {
        {"a NUL in a value", TEXT(GET("/") "X-A: a\0b\r\n\r\n"), {400}, CLOSES},
        {"a NUL in a name", TEXT(GET("/") "X\0A: a\r\n\r\n"), {400}, CLOSES},
        {"a bare CR in a value", TEXT(GET("/") "X-A: a\rX-B: b\r\n\r\n"), {400}, CLOSES},
        {"a space in a name", TEXT(GET("/") "X A: a\r\n\r\n"), {400}, CLOSES},
        {"a space before the colon", TEXT(GET("/") "X-A : a\r\n\r\n"), {400}, CLOSES},
        {"no colon", TEXT(GET("/") "nothing\r\n\r\n"), {400}, CLOSES},
        {"an empty name", TEXT(GET("/") ": a\r\n\r\n"), {400}, CLOSES},
        {"folded", TEXT(GET("/") "X-A: a\r\n b\r\n\r\n"), {400}, CLOSES},
        {"folded at once",
         TEXT("GET / HTTP/1.1\r\n X-A: a\r\n" HOST "\r\n"),
         {400},
         CLOSES},
        {"a folded transfer encoding",
         TEXT(POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
         {400, 501},
         CLOSES},
        {"an unknown expectation",
         TEXT(POST "Expect: wonders\r\nContent-Length: 2\r\n\r\n{}"),
         {417, 400, 401},
         ANY},
    };

    TRY(all);
}

/* `n` copies of `unit` between two texts. */
static void try_repeated(const char *name, const char *before, const char *unit, size_t n,
                         const char *after)
{
    struct builder request;
    struct hostile h = {name, TEXT(""), {431, 400, 414}, CLOSES};

    builder_init(&request, 2 * 1024 * 1024);
    builder_string(&request, before);
    for (size_t i = 0; i < n; i++) builder_string(&request, unit);
    builder_string(&request, after);
    OK(!request.full);
    h.bytes = builder_view(&request);
    if (text_starts_with(h.bytes, POST)) h.statuses[2] = 413;
    OK(hostile_wrong(server.port, &h, 1) == 0);
    builder_fini(&request);
}

static void sizes(void)
{
    try_repeated("a thousand headers", GET("/"), "a:b\r\n", 1000, "\r\n");
    try_repeated("a header of 128 KiB", GET("/") "X-A: ", "aaaaaaaa", 16384, "\r\n\r\n");
    try_repeated("an endless header", GET("/") "X-A: ", "aaaaaaaa", 131072, "");
    try_repeated("a name of 128 KiB", GET("/"), "aaaaaaaa", 16384, ": b\r\n\r\n");
    try_repeated("a path of 128 KiB", "GET /", "aaaaaaaa", 16384, " HTTP/1.1\r\n\r\n");
    try_repeated("a method of 128 KiB", "", "AAAAAAAA", 16384, " / HTTP/1.1\r\n\r\n");
    try_repeated("an endless chunk extension",
                 POST "Transfer-Encoding: chunked\r\n\r\n5;", "aaaaaaaa", 131072, "");
    try_repeated("endless trailers", POST "Transfer-Encoding: chunked\r\n\r\n0\r\n",
                 "a: b\r\n", 131072, "");
    try_repeated("endless zeros of a chunk's size",
                 POST "Transfer-Encoding: chunked\r\n\r\n", "00000000", 131072, "");
    try_repeated("empty lines without end", "", "\r\n\r\n\r\n\r\n", 131072, "BREW\r\n");
    OK(serve_is_alive(&server));
}

static void paths_and_queries(void)
{
    static const struct hostile all[] = {
        {"half an escape", TEXT(GET("/social/v1/friendships/%2") "\r\n"), {400}, ANY},
        {"no escape", TEXT(GET("/social/v1/friendships/%zz") "\r\n"), {400}, ANY},
        {"an escaped NUL", TEXT(GET("/social/v1/friendships/%00") "\r\n"), {400}, ANY},
        {"half a character", TEXT(GET("/social/v1/friendships/%c3") "\r\n"), {400}, ANY},
        {"an overlong slash",
         TEXT(GET("/social/v1/friendships/%c0%af") "\r\n"),
         {400},
         ANY},
        {"a surrogate", TEXT(GET("/social/v1/friendships/%ed%a0%80") "\r\n"), {400}, ANY},
        {"a raw byte", TEXT(GET("/social/v1/friendships/\xff") "\r\n"), {400}, ANY},
        {"half an escape in a query",
         TEXT(GET("/social/v1/friends?limit=%2") "\r\n"),
         {400},
         ANY},
        {"a NUL in a query",
         TEXT(GET("/social/v1/friends?limit=%00") "\r\n"),
         {400},
         ANY},
        {"bad UTF-8 in a query",
         TEXT(GET("/social/v1/friends?limit=%ff") "\r\n"),
         {400},
         ANY},
        {"up and out", TEXT(GET("/social/../../etc/passwd") "\r\n"), {400, 404}, ANY},
        {"up and out, escaped",
         TEXT(GET("/social/%2e%2e/%2e%2e/etc/passwd") "\r\n"),
         {400, 404},
         ANY},
        {"slashes", TEXT(GET("//////social//v1") "\r\n"), {400, 404}, ANY},
        {"another's service", TEXT(GET("/nowhere/v1") "\r\n"), {404}, STAYS},
        {"a fragment", TEXT(GET("/#there") "\r\n"), {400, 404, 200}, ANY},
        {"a method that the place has not",
         TEXT("DELETE " PLACE " HTTP/1.1\r\n" HOST "\r\n"),
         {405},
         STAYS},
    };

    TRY(all);
}

/* A stranger's bytes come back neither in a header nor as a new one. */
static void nothing_is_reflected(void)
{
    static struct raw_reply r;

    raw_exchange(server.port, TEXT(GET("/") "X-Request-Id: a b\"<script>\x7f\r\n\r\n"), 1,
                 &r);
    OK(raw_status(&r) == 400 || memmem(r.bytes, r.len, "script", 6) == NULL);
    raw_exchange(server.port, TEXT(GET("/") "X-Request-Id: quite-sane.1\r\n\r\n"), 1, &r);
    OK(raw_status(&r) == 200 && text_is(raw_header(&r, "X-Request-Id"), "quite-sane.1"));
    raw_exchange(server.port, TEXT(GET("/%0d%0aX-Evil:%20yes") "\r\n"), 1, &r);
    OK(raw_status(&r) != 0 && raw_header(&r, "X-Evil").len == 0);
    raw_exchange(server.port,
                 TEXT(GET("/social/v1/friendships/%0d%0aX-Evil:%20yes") "\r\n"), 1, &r);
    OK(raw_status(&r) != 0 && raw_header(&r, "X-Evil").len == 0);
}

static void head_has_no_body(void)
{
    static struct raw_reply r;
    int s = raw_connect(server.port);

    raw_send(s, TEXT("HEAD / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    raw_receive_to_end(s, 4000, &r);
    OK(r.closed && text_starts_with((struct text){r.bytes, r.len}, "HTTP/1.1 200 "));
    OK(r.len > 4 && memcmp(r.bytes + r.len - 4, "\r\n\r\n", 4) == 0);
    OK(memmem(r.bytes, r.len, "\r\n\r\n", 4) == r.bytes + r.len - 4);
    close(s);
}

static void tokens(void)
{
    static const struct hostile all[] = {
        {"no token",
         TEXT(GET("/social/v1/friends") "Landlog-Position: banana\r\n\r\n"),
         {400, 401},
         STAYS},
        {"with a NUL escaped",
         TEXT(GET("/social/v1/friends") "Landlog-Position: %00\r\n\r\n"),
         {400, 401},
         STAYS},
        {"another log",
         TEXT(GET("/social/v1/friends") "Landlog-Position: "
                                        "0192f0c4-6f1e-7b7a-9d0c-5b1f6f3a2e11:social/"
                                        "0=1\r\n\r\n"),
         {412, 400, 401},
         STAYS},
    };

    TRY(all);
}

int main(void)
{
    static const char *const settings[] = {"http.body-limit=4096", "http.workers=1",
                                           NULL};
    static struct raw_reply r;
    size_t descriptors;

    if (!serve_start(&server, "hostile", settings)) return 77;
    raw_exchange(server.port, TEXT(GOOD), 1, &r);
    descriptors = serve_descriptors(&server);
    RUN(request_lines);
    RUN(hosts);
    RUN(headers);
    RUN(sizes);
    RUN(paths_and_queries);
    RUN(nothing_is_reflected);
    RUN(head_has_no_body);
    RUN(tokens);
    usleep(3000000); /* lingering closes end */
    OK(serve_descriptors(&server) <= descriptors + 4);
    OK(serve_stop(&server) == 0);
    return t_done();
}
