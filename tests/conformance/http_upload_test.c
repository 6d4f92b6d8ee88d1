/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_upload_test.c - forms to a real server: what came is told, within limits, in
 * constant memory; whatever is wrong with one, nothing of it stays.
 */
#include "raw_http.h"
#include "unit/t.h"
#include "upload_service.h"

#include "core/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD     "POST /files/form HTTP/1.1\r\nHost: localhost\r\n"
#define TYPE     "Content-Type: multipart/form-data; boundary=xyz\r\n"
#define FIELD(n) "--xyz\r\nContent-Disposition: form-data; name=\"" n "\"\r\n\r\n"
#define FILE_OF(n, f) \
    "--xyz\r\nContent-Disposition: form-data; name=\"" n "\"; filename=\"" f \
    "\"\r\nContent-Type: text/plain\r\n\r\n"
#define END       "\r\n--xyz--\r\n"
#define MALFORMED "{\"error\":\"Invalid multipart/form-data request\"}"
#define HELLO     "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"

enum { MIB = 1024 * 1024, SETTLE_MS = 5000 };

static struct upload_server server;
static struct raw_reply reply;

/* A request with its length; the caller frees. */
static char *request_of(const char *more_headers, struct text body, size_t *len)
{
    struct builder b;

    builder_init(&b, 64 * MIB);
    builder_printf(&b, HEAD TYPE "%sContent-Length: %zu\r\n\r\n", more_headers, body.len);
    builder_text(&b, body);
    *len = b.len;
    return builder_take(&b);
}

static void post(struct text body)
{
    size_t len;
    char *request = request_of("", body, &len);

    raw_exchange(server.port, (struct text){request, len}, 1, &reply);
    free(request);
}

static bool is_answered(int status, const char *body)
{
    bool is = raw_status(&reply) == status && text_is(reply.body, body);

    if (!is) printf("  %d %.*s\n", raw_status(&reply), TEXT_ARGS(reply.body));
    return is;
}

static bool mentions(const char *what)
{
    return memmem(reply.body.ptr, reply.body.len, what, strlen(what)) != NULL;
}

/* Nothing of what was not kept is left, soon. */
static bool nothing_is_left(size_t blobs)
{
    for (int ms = 0; ms < SETTLE_MS; ms += 20) {
        if (upload_server_drafts(&server) == 0 && upload_server_blobs(&server) == blobs)
            return true;
        usleep(20000);
    }
    printf("  %zu drafts, %zu blobs\n", upload_server_drafts(&server),
           upload_server_blobs(&server));
    return false;
}

static void a_form_is_told_as_it_came(void)
{
    post(TEXT(FIELD("a") "one\r\n" FIELD("b") "\r\n" FILE_OF(
        "f", "hello.txt") "hello world" END));
    OK(raw_status(&reply) == 200);
    OK(mentions(
        "{\"fields\":{\"a\":\"one\",\"b\":\"\"},\"files\":[{\"part\":\"f\","
        "\"name\":\"hello.txt\",\"type\":\"text/plain\",\"size\":11,\"hash\":\"" HELLO
        "\"}]"));
    OK(nothing_is_left(0));
}

/* The same, cut after each byte; chunked; with one connection for all. */
static void it_may_come_in_any_pieces(void)
{
    static const char body[] = FIELD("a") "one\r\n" FILE_OF("f", "g") "hello world" END;
    struct builder chunked;
    struct raw_reply whole;
    size_t len;
    char *request = request_of(
        "", TEXT(FIELD("a") "one\r\n" FILE_OF("f", "g") "hello world" END), &len);
    int s = raw_connect(server.port);

    raw_exchange(server.port, (struct text){request, len}, 1, &whole);
    for (size_t i = 0; i < len; i++) {
        OK(raw_send(s, (struct text){request + i, 1}));
        if (i % 16 == 0) usleep(1000);
    }
    raw_receive(s, 1, 5000, &reply);
    OK(raw_status(&reply) == 200 && text_equal(reply.body, whole.body));
    builder_init(&chunked, 64 * 1024);
    builder_string(&chunked, HEAD TYPE "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 0; i < sizeof(body) - 1; i += 7) {
        size_t n = sizeof(body) - 1 - i < 7 ? sizeof(body) - 1 - i : 7;

        builder_printf(&chunked, "%zx\r\n", n);
        builder_add(&chunked, body + i, n);
        builder_string(&chunked, "\r\n");
    }
    builder_string(&chunked, "0\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        OK(raw_send(s, builder_view(&chunked)));
        raw_receive(s, 1, 5000, &reply);
        OK(raw_status(&reply) == 200 && text_equal(reply.body, whole.body));
    }
    builder_fini(&chunked);
    close(s);
    free(request);
}

static void several_may_be_sent_at_once(void)
{
    struct builder twice;
    size_t len;
    char *request = request_of("", TEXT(FIELD("a") "one" END), &len);
    int s = raw_connect(server.port);

    builder_init(&twice, 64 * 1024);
    for (int i = 0; i < 3; i++) builder_add(&twice, request, len);
    builder_string(&twice, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    OK(raw_send(s, builder_view(&twice)));
    raw_receive(s, 4, 5000, &reply);
    OK(reply.count == 4 && reply.statuses[0] == 200 && reply.statuses[2] == 200 &&
       reply.statuses[3] == 200);
    builder_fini(&twice);
    close(s);
    free(request);
}

static void the_later_of_two_parts_counts(void)
{
    post(TEXT(FIELD("a") "one\r\n" FILE_OF("f", "first") "1\r\n" FIELD(
        "a") "two\r\n" FILE_OF("f", "second") "hello world" END));
    OK(raw_status(&reply) == 200);
    OK(mentions("{\"a\":\"two\"},\"files\":[{\"part\":\"f\","
                "\"name\":\"second\""));
    OK(!mentions("first"));
    OK(nothing_is_left(0));
}

static void the_same_form_has_the_same_body(void)
{
    char first[64];

    post(TEXT(FIELD("a") "one\r\n" FILE_OF("f", "x") "1" END));
    OK(reply.body.len > 55);
    snprintf(first, sizeof(first), "%.55s", reply.body.ptr + reply.body.len - 55);
    post(TEXT("preamble\r\n" FIELD("a") "one\r\n" FILE_OF("f", "x") "1" END));
    OK(memcmp(first, reply.body.ptr + reply.body.len - 55, 55) == 0);
    post(TEXT(FIELD("a") "one\r\n" FILE_OF("f", "x") "2" END));
    OK(memcmp(first, reply.body.ptr + reply.body.len - 55, 55) != 0);
}

static void what_is_malformed_is_refused(void)
{
    static const struct text bad[] = {
        {0},
        {"--xyz", 5},
        {"not a form", 10},
        {FIELD("a") "one", sizeof(FIELD("a") "one") - 1},
        {FILE_OF("f", "x") "1\r\n--xyz", sizeof(FILE_OF("f", "x") "1\r\n--xyz") - 1},
        {FILE_OF("f", "x") "1\r\n--zyx--\r\n",
         sizeof(FILE_OF("f", "x") "1\r\n--zyx--\r\n") - 1},
    };

    for (size_t i = 0; i < LL_LENGTH(bad); i++) {
        post(bad[i]);
        OK(is_answered(400, MALFORMED));
    }
    raw_exchange(server.port, TEXT(HEAD "Content-Length: 2\r\n\r\n{}"), 1, &reply);
    OK(is_answered(400, "{\"error\":\"Invalid request: expected a multipart/form-data "
                        "body\"}"));
    raw_exchange(server.port,
                 TEXT(HEAD
                      "Content-Type: multipart/form-data\r\nContent-Length: 2\r\n\r\n"
                      "{}"),
                 1, &reply);
    OK(is_answered(400, MALFORMED));
    raw_exchange(server.port, TEXT(HEAD TYPE "\r\n"), 1, &reply);
    OK(is_answered(400, MALFORMED));
    raw_exchange(server.port,
                 TEXT(HEAD TYPE "Transfer-Encoding: chunked\r\n\r\n5\r\n--xyzX\r\n"), 1,
                 &reply);
    OK(raw_status(&reply) == 400);
    OK(nothing_is_left(0));
}

static void a_body_that_is_not_as_long_as_declared(void)
{
    static const char body[] = FILE_OF("f", "x") "hello world" END;
    char request[512];
    int s = raw_connect(server.port);

    /* Smaller: the client says that it has no more to say. */
    snprintf(request, sizeof(request), HEAD TYPE "Content-Length: %zu\r\n\r\n%s",
             sizeof(body) + 10, body);
    OK(raw_send(s, text_of(request)));
    shutdown(s, SHUT_WR);
    raw_receive(s, 1, 5000, &reply);
    OK(is_answered(400, MALFORMED));
    close(s);
    /* Larger: what is left over is no request. */
    snprintf(request, sizeof(request), HEAD TYPE "Content-Length: %zu\r\n\r\n%sleft over",
             sizeof(body) - 1, body);
    raw_exchange(server.port, text_of(request), 2, &reply);
    OK(reply.count == 2 && reply.statuses[0] == 200 && reply.statuses[1] == 400);
    OK(nothing_is_left(0));
}

/* `n` fields, or files, of `size` bytes; the last one as large as it may be and `more`.
 */
static void post_parts(const char *disposition, int n, size_t size)
{
    struct builder b;

    builder_init(&b, 64 * MIB);
    for (int i = 0; i < n; i++) {
        builder_printf(&b,
                       "--xyz\r\nContent-Disposition: form-data; name=\"p%d\"%s\r\n\r\n",
                       i, disposition);
        for (size_t k = 0; k < size; k++) builder_char(&b, 'x');
        builder_string(&b, "\r\n");
    }
    builder_string(&b, "--xyz--\r\n");
    post(builder_view(&b));
    builder_fini(&b);
}

static void limits_are_told(void)
{
    post_parts("", UPLOAD_FIELDS, UPLOAD_FIELD);
    OK(raw_status(&reply) == 200);
    post_parts("", UPLOAD_FIELDS + 1, 1);
    OK(is_answered(413, "{\"error\":\"Too many form fields in the request. The maximum "
                        "allowed is 4.\"}"));
    post_parts("", 1, UPLOAD_FIELD + 1);
    OK(is_answered(413, "{\"error\":\"Field 'p0' is too large. The maximum allowed size "
                        "per field is 1000 bytes.\"}"));
    post_parts("; filename=a", UPLOAD_FILES, 1);
    OK(raw_status(&reply) == 200);
    post_parts("; filename=a", UPLOAD_FILES + 1, 1);
    OK(is_answered(413, "{\"error\":\"Too many files in the request. The maximum allowed "
                        "is 20.\"}"));
    post_parts("; filename=a", 5000, 1);
    OK(raw_status(&reply) == 413);
    post(TEXT(FIELD("read") "\r\n" FILE_OF("f", "x") "hello world" END));
    OK(is_answered(413, "{\"error\":\"File 'f' is too large. The maximum allowed size is "
                        "10 bytes.\"}"));
    OK(nothing_is_left(0));
}

static void too_much_is_refused_before_it_comes(void)
{
    static const char told[] = "{\"error\":\"The request body is too large. The maximum "
                               "allowed total upload size "
                               "is 314572800 bytes.\"}";
    int s = raw_connect(server.port);

    raw_exchange(server.port, TEXT(HEAD TYPE "Content-Length: 314572801\r\n\r\n"), 1,
                 &reply);
    OK(is_answered(413, told));
    raw_exchange(server.port,
                 TEXT(HEAD TYPE "Expect: 100-continue\r\nContent-Length: 314572801\r\n"
                                "\r\n"),
                 1, &reply);
    OK(is_answered(413, told) && reply.interim == 0);
    raw_exchange(server.port,
                 TEXT(HEAD TYPE "Transfer-Encoding: chunked\r\n\r\n12C00001\r\n"), 1,
                 &reply);
    OK(is_answered(413, told));
    OK(raw_send(s, TEXT(HEAD TYPE "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")));
    usleep(100000);
    OK(raw_send(s, TEXT("--xyz--\r\n")));
    raw_receive(s, 1, 5000, &reply);
    OK(raw_status(&reply) == 200 && reply.interim == 1);
    close(s);
}

static void clients_that_vanish_leave_nothing(void)
{
    size_t len, descriptors = upload_server_descriptors(&server);
    char *request = request_of(
        "", TEXT(FIELD("keep") "\r\n" FILE_OF("f", "x") "hello world" END), &len);

    for (size_t cut = 1; cut < len; cut += 5) {
        int s = raw_connect(server.port);

        OK(raw_send(s, (struct text){request, cut}));
        if (cut % 3 == 0) usleep(2000);
        raw_abort(s);
    }
    free(request);
    OK(nothing_is_left(0));
    for (int ms = 0;
         ms < SETTLE_MS && upload_server_descriptors(&server) > descriptors + 2; ms += 20)
        usleep(20000);
    OK(upload_server_descriptors(&server) <= descriptors + 2);
}

/* Bytes of a file, sent as fast as the server takes them. */
static bool send_large(int s, size_t mib)
{
    static char piece[MIB];

    for (size_t i = 0; i < mib; i++) {
        memset(piece, (int)('a' + i % 26), sizeof(piece));
        if (!raw_send(s, (struct text){piece, sizeof(piece)})) return false;
    }
    return true;
}

static int begin_large(size_t mib)
{
    static const char before[] = FILE_OF("f", "large"), after[] = END;
    char head[512];
    int s = raw_connect(server.port);

    snprintf(head, sizeof(head), HEAD TYPE "Content-Length: %zu\r\n\r\n%s",
             sizeof(before) - 1 + mib * MIB + sizeof(after) - 1, before);
    OK(raw_send(s, text_of(head)));
    return s;
}

/* Enough for pools and buffers, and for what the address sanitizer keeps of what was
 * freed (16 MiB in scripts/test); far less than the upload. */
enum { FIRST = 20, SIZE = 200, GROWTH_KIB = 100 * 1024 };

static void memory_does_not_grow_with_an_upload(void)
{
    size_t before;
    int64_t start;
    int s = begin_large(FIRST); /* whatever is made once is made now */

    OK(send_large(s, FIRST) && raw_send(s, TEXT(END)));
    raw_receive(s, 1, 5000, &reply);
    OK(raw_status(&reply) == 200);
    close(s);
    before = upload_server_memory(&server);
    start = clock_monotonic_us();
    s = begin_large(SIZE);
    OK(send_large(s, SIZE) && raw_send(s, TEXT(END)));
    raw_receive(s, 1, 20000, &reply);
    OK(raw_status(&reply) == 200);
    printf("  %d MiB in %lld ms, %zu KiB of memory before, %zu after\n", SIZE,
           (long long)(clock_monotonic_us() - start) / 1000, before,
           upload_server_memory(&server));
    OK(upload_server_memory(&server) < before + GROWTH_KIB);
    OK(nothing_is_left(0));
    s = begin_large(251); /* more than a file may have */
    send_large(s, 251);
    raw_receive(s, 1, 20000, &reply);
    OK(is_answered(413,
                   "{\"error\":\"File 'f' is too large. The maximum allowed size per "
                   "file is 262144000 bytes.\"}"));
    close(s);
    OK(nothing_is_left(0));
}

/* The others are served meanwhile, and soon. */
static void nobody_waits_for_an_upload(void)
{
    int64_t longest = 0;
    int s = begin_large(64);

    for (int i = 0; i < 32; i++) {
        int64_t start = clock_monotonic_us();

        OK(send_large(s, 2));
        start = clock_monotonic_us();
        raw_exchange(server.port, TEXT("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 1,
                     &reply);
        OK(raw_status(&reply) == 200);
        if (clock_monotonic_us() - start > longest)
            longest = clock_monotonic_us() - start;
    }
    OK(raw_send(s, TEXT(END)));
    raw_receive(s, 1, 20000, &reply);
    OK(raw_status(&reply) == 200);
    printf("  another request took %lld us at most\n", (long long)longest);
    OK(longest < 500000);
    close(s);
    OK(nothing_is_left(0));
}

static void what_is_kept_stays(void)
{
    struct blob_store *store;

    post(TEXT(FIELD("keep") "\r\n" FILE_OF("f", "x") "hello world\r\n" FILE_OF(
        "g", "x") "hello world\r\n" FILE_OF("h", "x") "other" END));
    OK(raw_status(&reply) == 200);
    OK(nothing_is_left(2));
    store = upload_server_store(&server);
    OK(blob_exists(store, TEXT(HELLO)));
    blob_store_free(store);
}

static void without_room_nothing_is_taken(void)
{
    static const char told[] = "{\"error\":\"There is no room to store the upload\"}";

    post(TEXT(FILE_OF("f", "x") "hello world" END));
    OK(is_answered(507, told));
    raw_exchange(server.port,
                 TEXT(HEAD TYPE "Expect: 100-continue\r\nContent-Length: 99\r\n\r\n"), 1,
                 &reply);
    OK(is_answered(507, told) && reply.interim == 0);
    OK(nothing_is_left(0));
}

int main(void)
{
    upload_server_start(&server, "0");
    RUN(a_form_is_told_as_it_came);
    RUN(it_may_come_in_any_pieces);
    RUN(several_may_be_sent_at_once);
    RUN(the_later_of_two_parts_counts);
    RUN(the_same_form_has_the_same_body);
    RUN(what_is_malformed_is_refused);
    RUN(a_body_that_is_not_as_long_as_declared);
    RUN(limits_are_told);
    RUN(too_much_is_refused_before_it_comes);
    RUN(clients_that_vanish_leave_nothing);
    RUN(memory_does_not_grow_with_an_upload);
    RUN(nobody_waits_for_an_upload);
    RUN(what_is_kept_stays);
    OK(upload_server_stop(&server) == 0);
    upload_server_start(&server, "1048576"); /* 1 TiB */
    RUN(without_room_nothing_is_taken);
    upload_server_stop(&server);
    return t_done();
}
