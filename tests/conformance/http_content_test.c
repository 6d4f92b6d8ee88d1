/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_content_test.c - blobs as answers of a real server: headers, ranges, conditions,
 * compressed ones, and files that are larger than what a worker may hold.
 */
#include "raw_http.h"
#include "unit/t.h"
#include "upload_service.h"

#include "core/base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IMMUTABLE "public,max-age=31536000,s-maxage=31536000,immutable"
#define EXPOSED   "ETag, Content-Range, Accept-Ranges, Content-Length"

enum { MIB = 1024 * 1024, LARGE = 64 * MIB, PACKED = 100000 };

static struct upload_server server;
static struct blob_store *store;
static struct raw_reply reply;
static struct cids hello; /* "hello world" */

static void get(const char *name, const char *headers)
{
    char request[1024];

    snprintf(request, sizeof(request),
             "GET /files/contents/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", name,
             headers);
    raw_exchange(server.port, text_of(request), 1, &reply);
}

static bool has_header(const char *name, const char *value)
{
    struct text is = raw_header(&reply, name);

    if (!text_is(is, value))
        printf("  %s: \"%.*s\", not \"%s\"\n", name, TEXT_ARGS(is), value);
    return text_is(is, value);
}

static void put(struct text bytes, struct cids *out)
{
    struct ll_error err;

    if (blob_put(store, bytes, CID_V1, out, &err) == LL_OK) return;
    printf("FAILED %s\n", err.text);
    exit(1);
}

static void a_blob_is_sent_whole(void)
{
    char tag[80];

    snprintf(tag, sizeof(tag), "\"%s\"", hello.v1);
    get(hello.v1, "");
    OK(raw_status(&reply) == 200 && text_is(reply.body, "hello world"));
    OK(has_header("ETag", tag) && has_header("Accept-Ranges", "bytes"));
    OK(has_header("Cache-Control", IMMUTABLE));
    OK(has_header("Access-Control-Expose-Headers", EXPOSED));
    OK(has_header("Content-Type", "application/octet-stream"));
    OK(has_header("Content-Length", "11") && has_header("Content-Encoding", ""));
}

static void a_head_has_no_body(void)
{
    char request[512];
    int s = raw_connect(server.port);
    ssize_t n;

    snprintf(
        request, sizeof(request),
        "HEAD /files/contents/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        "\r\n",
        hello.v1);
    OK(raw_send(s, text_of(request)));
    n = recv(s, reply.bytes, sizeof(reply.bytes) - 1, MSG_WAITALL);
    OK(n > 0);
    reply.bytes[n > 0 ? n : 0] = '\0';
    OK(strstr(reply.bytes, "HTTP/1.1 200 ") == reply.bytes);
    OK(strstr(reply.bytes, "\r\nContent-Length: 11\r\n") != NULL);
    OK(n > 4 && memcmp(reply.bytes + n - 4, "\r\n\r\n", 4) == 0);
    OK(strstr(reply.bytes, "hello") == NULL);
    close(s);
}

static void who_has_it_is_told_so(void)
{
    char header[256];
    const char *const rows[] = {"\"%s\"", "W/\"%s\"", "\"a\" , W/\"%s\",\"b\"", "*"};
    const char *const other[] = {"\"a\"", "%s", "\"%s", ""};

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        char value[128];

        snprintf(value, sizeof(value), "%.*s%s%s", (int)strcspn(rows[i], "%"), rows[i],
                 strchr(rows[i], '%') ? hello.v1 : "",
                 strchr(rows[i], '%') ? strchr(rows[i], '%') + 2 : "");
        snprintf(header, sizeof(header), "If-None-Match: %s\r\n", value);
        get(hello.v1, header);
        OK(raw_status(&reply) == 304 && reply.body.len == 0);
        OK(raw_header(&reply, "ETag").len == 61 &&
           has_header("Cache-Control", IMMUTABLE));
        OK(has_header("Access-Control-Expose-Headers", EXPOSED));
        OK(has_header("Content-Type", ""));
    }
    for (size_t i = 0; i < LL_LENGTH(other); i++) {
        snprintf(header, sizeof(header), "If-None-Match: %s\r\n", other[i]);
        get(hello.v1, header);
        OK(raw_status(&reply) == 200);
    }
}

static void a_range_is_a_part(void)
{
    static const struct {
        const char *range, *part, *of;
    } rows[] = {
        {"bytes=0-0", "h", "bytes 0-0/11"},
        {"bytes=6-", "world", "bytes 6-10/11"},
        {"bytes=4-99", "o world", "bytes 4-10/11"},
        {"bytes=-5", "world", "bytes 6-10/11"},
        {"bytes=-99", "hello world", "bytes 0-10/11"},
        {"bytes=0-18446744073709551616", "hello world", "bytes 0-10/11"},
        {"bytes=11-", NULL, "bytes */11"},
        {"bytes=3-2", NULL, "bytes */11"},
        {"bytes=-0", NULL, "bytes */11"},
        {"bytes=99999999999999999999-", NULL, "bytes */11"},
    };
    static const char *const ignored[] = {"bytes=0-1,3-4", "bytes=-",    "bytes=a-b",
                                          "bytes 0-1",     "items=0-1",  "bytes=1",
                                          "bytes= 0-1",    "bytes=0-1 x"};
    char header[128];

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        snprintf(header, sizeof(header), "Range: %s\r\n", rows[i].range);
        get(hello.v1, header);
        OK(raw_status(&reply) == (rows[i].part ? 206 : 416));
        OK(text_is(reply.body, rows[i].part ? rows[i].part : ""));
        OK(has_header("Content-Range", rows[i].of));
    }
    for (size_t i = 0; i < LL_LENGTH(ignored); i++) {
        snprintf(header, sizeof(header), "Range: %s\r\n", ignored[i]);
        get(hello.v1, header);
        OK(raw_status(&reply) == 200 && text_is(reply.body, "hello world"));
    }
    get(hello.v1, "Range: bytes=0-0\r\nIf-Range: \"other\"\r\n");
    OK(raw_status(&reply) == 200);
}

static void an_empty_blob_has_no_parts(void)
{
    struct cids empty;

    put(TEXT(""), &empty);
    get(empty.v1, "");
    OK(raw_status(&reply) == 200 && reply.body.len == 0);
    get(empty.v1, "Range: bytes=0-\r\n");
    OK(raw_status(&reply) == 416 && has_header("Content-Range", "bytes */0"));
    get(empty.v1, "Range: bytes=-1\r\n");
    OK(raw_status(&reply) == 416);
}

static void put_packed(struct cids *out, char *bytes)
{
    struct blob_draft *d;
    struct ll_error err;

    for (int i = 0; i < PACKED; i++) bytes[i] = (char)('a' + i / 11 % 26);
    if (blob_draft_new_gzip(store, &d, &err) != LL_OK ||
        blob_draft_write(d, bytes, PACKED, &err) != LL_OK ||
        blob_draft_end(d, &err) != LL_OK ||
        blob_drafts_keep(&d, 1, CID_V1, &err) != LL_OK) {
        printf("FAILED %s\n", err.text);
        exit(1);
    }
    *out = *blob_draft_cids(d);
    blob_draft_free(d);
}

static void a_compressed_blob_goes_out_as_it_lies(void)
{
    static char bytes[PACKED];
    struct cids c;
    struct blob b;
    struct ll_error err;
    uint64_t length;

    put_packed(&c, bytes);
    OK(blob_open(store, text_of(c.v1), &b, &err) == LL_OK && b.is_gzip);
    close(b.fd);
    get(c.v1, "");
    OK(raw_status(&reply) == 200 && has_header("Content-Encoding", "gzip"));
    OK(text_to_u64(raw_header(&reply, "Content-Length"), UINT64_MAX, &length) &&
       length == b.disk_size);
    OK(reply.body.len == b.disk_size && memcmp(reply.body.ptr, "\x1f\x8b", 2) == 0);
    get(c.v1, "Range: bytes=50000-50009\r\n");
    OK(raw_status(&reply) == 206 && has_header("Content-Encoding", ""));
    OK(has_header("Content-Range", "bytes 50000-50009/100000"));
    OK(text_equal(reply.body, (struct text){bytes + 50000, 10}));
    get(c.v1, "Range: bytes=100000-\r\n");
    OK(raw_status(&reply) == 416 && has_header("Content-Range", "bytes */100000"));
    OK(upload_server_drafts(&server) == 0);
}

static void what_is_not_there_or_denied_is_not_found(void)
{
    static const char *const names[] = {
        "nothing", "..%2f..%2f..%2fetc%2fpasswd", "denylist.txt",
        "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"};
    char path[96];
    FILE *list;

    for (size_t i = 0; i < LL_LENGTH(names); i++) {
        get(names[i], "");
        OK(raw_status(&reply) == 404);
    }
    snprintf(path, sizeof(path), "%s/denylist.txt", server.folder);
    list = fopen(path, "w");
    OK(list != NULL && fprintf(list, "%s # hidden\n", hello.v1) > 0 && fclose(list) == 0);
    get(hello.v1, "");
    OK(raw_status(&reply) == 404);
    OK(unlink(path) == 0);
    get(hello.v1, "");
    OK(raw_status(&reply) == 200);
}

static void the_type_is_told_by_the_first_bytes(void)
{
    static const struct {
        struct text bytes;
        const char *type;
    } rows[] = {
        {{"\x89PNG\r\n\x1a\n....", 12}, "image/png"},
        {{"RIFF\1\2\3\4WEBPVP8 ", 16}, "image/webp"},
        {{"glTF\2\0\0\0", 8}, "model/gltf-binary"},
        {{" {\"a\": 1}", 9}, "application/json"},
        {{"<html><script>", 14}, "application/octet-stream"},
    };
    char name[128];

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        struct cids c;

        put(rows[i].bytes, &c);
        snprintf(name, sizeof(name), "%s?includeMimeType", c.v1);
        get(name, "");
        OK(raw_status(&reply) == 200 && has_header("Content-Type", rows[i].type));
        get(c.v1, "");
        OK(has_header("Content-Type", "application/octet-stream"));
    }
}

static void one_connection_takes_several(void)
{
    char request[1024];
    int s = raw_connect(server.port);

    snprintf(request, sizeof(request),
             "GET /files/contents/%s HTTP/1.1\r\nHost: a\r\n\r\n"
             "GET /files/contents/%s HTTP/1.1\r\nHost: a\r\nRange: bytes=-1\r\n\r\n"
             "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
             hello.v1, hello.v1);
    OK(raw_send(s, text_of(request)));
    raw_receive(s, 3, 5000, &reply);
    OK(reply.count == 3 && reply.statuses[0] == 200 && reply.statuses[1] == 206 &&
       reply.statuses[2] == 200 && !reply.malformed);
    close(s);
}

/* ---- a large one ---- */

static void put_large(struct cids *out)
{
    static char piece[MIB];
    struct blob_draft *d;
    struct ll_error err;

    if (blob_draft_new(store, &d, &err) != LL_OK) exit(1);
    for (int i = 0; i < LARGE / MIB; i++) {
        memset(piece, 'a' + i % 26, sizeof(piece));
        if (blob_draft_write(d, piece, sizeof(piece), &err) != LL_OK) exit(1);
    }
    if (blob_draft_end(d, &err) != LL_OK ||
        blob_drafts_keep(&d, 1, CID_V1, &err) != LL_OK)
        exit(1);
    *out = *blob_draft_cids(d);
    blob_draft_free(d);
}

/* Ask for it and read on to the end; how many bytes of its body came, each in its place
 * (MIB pieces of one letter); 0 otherwise. */
static size_t receive_large(int s)
{
    static char bytes[256 * 1024];
    size_t head = 0, got = 0;
    ssize_t n = recv(s, bytes, sizeof(bytes), 0);
    const char *end = n > 0 ? memmem(bytes, (size_t)n, "\r\n\r\n", 4) : NULL;

    if (end == NULL) return 0;
    head = (size_t)(end - bytes) + 4;
    while (n > 0) {
        for (size_t i = head; i < (size_t)n; i++, got++)
            if (bytes[i] != (char)('a' + got / MIB % 26)) return 0;
        head = 0;
        if (got == LARGE) break;
        n = recv(s, bytes, sizeof(bytes), 0);
    }
    return got;
}

static void a_large_file_does_not_pass_through_memory(void)
{
    enum { AT_ONCE = 8, GROWTH_KIB = 4096 };
    struct cids c;
    char request[512];
    size_t before, descriptors;
    int sockets[AT_ONCE];
    int64_t start;

    put_large(&c);
    snprintf(request, sizeof(request),
             "GET /files/contents/%s HTTP/1.1\r\nHost: a\r\n\r\n", c.v1);
    get(hello.v1, "");
    before = upload_server_memory(&server);
    descriptors = upload_server_descriptors(&server);
    for (size_t i = 0; i < AT_ONCE; i++) {
        sockets[i] = raw_connect(server.port);
        OK(raw_send(sockets[i], text_of(request)));
    }
    start = clock_monotonic_us();
    for (size_t i = 0; i < AT_ONCE / 2; i++) OK(receive_large(sockets[i]) == LARGE);
    printf("  %d MiB in %lld ms, %zu KiB of memory before, %zu after\n",
           AT_ONCE / 2 * LARGE / MIB, (long long)(clock_monotonic_us() - start) / 1000,
           before, upload_server_memory(&server));
    OK(upload_server_memory(&server) < before + GROWTH_KIB);
    /* The connection is good for more; the others vanish in the middle. */
    OK(raw_send(sockets[0], TEXT("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
    raw_receive(sockets[0], 1, 5000, &reply);
    OK(raw_status(&reply) == 200);
    for (size_t i = 0; i < AT_ONCE; i++) raw_abort(sockets[i]);
    for (int i = 0; i < 200 && upload_server_descriptors(&server) > descriptors; i++)
        usleep(20000);
    OK(upload_server_descriptors(&server) <= descriptors);
}

int main(void)
{
    upload_server_start(&server, "0");
    store = upload_server_store(&server);
    put(TEXT("hello world"), &hello);
    RUN(a_blob_is_sent_whole);
    RUN(a_head_has_no_body);
    RUN(who_has_it_is_told_so);
    RUN(a_range_is_a_part);
    RUN(an_empty_blob_has_no_parts);
    RUN(a_compressed_blob_goes_out_as_it_lies);
    RUN(what_is_not_there_or_denied_is_not_found);
    RUN(the_type_is_told_by_the_first_bytes);
    RUN(one_connection_takes_several);
    RUN(a_large_file_does_not_pass_through_memory);
    blob_store_free(store);
    OK(upload_server_stop(&server) == 0);
    return t_done();
}
