/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* blob_bench.c - a content file of 1 MiB as an answer, against a plain libevent program
 * that sends it with sendfile; an upload of 200 MiB, against a loop that hashes and
 * writes the same bytes, and the memory that it takes. The server is that of the
 * conformance tests.
 */
#include "conformance/upload_service.c"
#include "figure.h"

#include "core/base/clock.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>

enum {
    MIB = 1024 * 1024,
    CLIENTS = 4,
    SECONDS = 3,
    UPLOAD_MIB = 200,
    GROWTH_KIB = 8 * 1024 /* of the worker, by such an upload */
};

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- the baseline: evhttp, one open file, sendfile ---- */

static void send_file(struct evhttp_request *request, void *context)
{
    int fd = open(context, O_RDONLY | O_CLOEXEC), on = 1;
    struct evbuffer *body = evhttp_request_get_output_buffer(request);
    struct evhttp_connection *c = evhttp_request_get_connection(request);

    /* as ours: or each answer waits for the client's delayed acknowledgement */
    setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(c)), IPPROTO_TCP,
               TCP_NODELAY, &on, sizeof(on));
    if (fd < 0 || evbuffer_add_file(body, fd, 0, MIB) != 0) fail("baseline");
    evhttp_send_reply(request, 200, "OK", NULL);
}

static pid_t start_baseline(int port, char *path)
{
    pid_t pid = fork();
    struct event_base *base;
    struct evhttp *http;

    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    base = event_base_new();
    http = evhttp_new(base);
    evhttp_set_gencb(http, send_file, path);
    if (evhttp_bind_socket(http, "127.0.0.1", (uint16_t)port) != 0) fail("listen");
    event_base_dispatch(base);
    exit(1);
}

/* ---- downloads ---- */

struct download {
    int port;
    const char *request;
    int64_t end_us;
    uint64_t answers;
};

static int connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof(to)) != 0) fail("connect");
    return s;
}

/* A whole answer; its body is thrown away in the kernel. */
static void read_answer(int s)
{
    char head[4096];
    size_t len = 0, left;
    char *end = NULL;

    while (end == NULL) {
        ssize_t n = recv(s, head + len, sizeof(head) - 1 - len, 0);

        if (n <= 0) fail("receive");
        len += (size_t)n;
        head[len] = '\0';
        end = strstr(head, "\r\n\r\n");
    }
    left = MIB - (len - (size_t)(end + 4 - head));
    while (left > 0) {
        ssize_t n = recv(s, NULL, left, MSG_TRUNC);

        if (n <= 0) fail("receive");
        left -= (size_t)n;
    }
}

static void *download(void *context)
{
    struct download *d = context;
    int s = connect_to(d->port);

    while (clock_monotonic_us() < d->end_us) {
        if (send(s, d->request, strlen(d->request), MSG_NOSIGNAL) < 0) fail("send");
        read_answer(s);
        d->answers++;
    }
    close(s);
    return NULL;
}

/* MiB a second over CLIENTS connections. */
static double measure_downloads(int port, const char *request)
{
    struct download all[CLIENTS];
    pthread_t threads[CLIENTS];
    int64_t start = clock_monotonic_us();
    uint64_t answers = 0;

    for (size_t i = 0; i < CLIENTS; i++) {
        all[i] = (struct download){port, request, start + SECONDS * 1000000LL, 0};
        if (pthread_create(&threads[i], NULL, download, &all[i]) != 0) fail("thread");
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        answers += all[i].answers;
    }
    return (double)answers * 1e6 / (double)(clock_monotonic_us() - start);
}

static void bench_download(const struct upload_server *server)
{
    struct blob_store *store = upload_server_store(server);
    char *bytes = calloc(1, MIB), request[256], path[256];
    struct ll_error err;
    struct cids c;
    int port = free_port();
    double ours, plain;
    pid_t baseline;

    if (blob_put(store, (struct text){bytes, MIB}, CID_V1, &c, &err) != LL_OK)
        fail(err.text);
    snprintf(path, sizeof(path), "%s/%.2s/%s", server->folder, c.v1 + strlen(c.v1) - 3,
             c.v1);
    baseline = start_baseline(port, path);
    for (int i = 0; i < 300 && !answers(port); i++) usleep(20000);
    snprintf(request, sizeof(request),
             "GET /files/contents/%s HTTP/1.1\r\nHost: localhost\r\n\r\n", c.v1);
    measure_downloads(server->port, request); /* warm */
    plain = measure_downloads(port, request);
    ours = measure_downloads(server->port, request);
    figure_ratio("blob.get-1mib", ours, "MiB/s", plain, 0.8);
    kill(baseline, SIGKILL);
    waitpid(baseline, NULL, 0);
    blob_store_free(store);
    free(bytes);
}

/* ---- an upload ---- */

static char piece[MIB];

static void fill_piece(size_t i)
{
    for (size_t k = 0; k < MIB; k += 64) memset(piece + k, (int)(i + k / 64), 64);
}

/* MiB a second of one thread that hashes and writes, with nobody in between. */
static double measure_plain(const char *folder)
{
    char path[256];
    struct cid_hasher *h = cid_hasher_new();
    int64_t start = clock_monotonic_us();
    struct cids c;
    int fd;

    snprintf(path, sizeof(path), "%s/plain", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (size_t i = 0; i < UPLOAD_MIB; i++) {
        fill_piece(i);
        cid_hasher_add(h, piece, MIB);
        if (write(fd, piece, MIB) != MIB) fail("write");
    }
    cid_hasher_finish(h, &c);
    cid_hasher_free(h);
    close(fd);
    unlink(path);
    return UPLOAD_MIB * 1e6 / (double)(clock_monotonic_us() - start);
}

static void send_all(int s, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(s, bytes, n, MSG_NOSIGNAL);

        if (sent <= 0) fail("send");
        bytes += sent;
        n -= (size_t)sent;
    }
}

static double measure_upload(int port, size_t mib)
{
    static const char before[] = "--xyz\r\nContent-Disposition: form-data; name=\"f\"; "
                                 "filename=\"f\"\r\n\r\n",
                      after[] = "\r\n--xyz--\r\n";
    char head[512];
    int s = connect_to(port);
    int64_t start = clock_monotonic_us();
    ssize_t n;

    snprintf(head, sizeof(head),
             "POST /files/form HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
             "multipart/form-data; boundary=xyz\r\nContent-Length: %zu\r\n\r\n%s",
             sizeof(before) - 1 + mib * MIB + sizeof(after) - 1, before);
    send_all(s, head, strlen(head));
    for (size_t i = 0; i < mib; i++) {
        fill_piece(i);
        send_all(s, piece, MIB);
    }
    send_all(s, after, sizeof(after) - 1);
    n = recv(s, head, 12, MSG_WAITALL);
    if (n != 12 || memcmp(head, "HTTP/1.1 200", 12) != 0) fail("upload");
    close(s);
    return (double)mib * 1e6 / (double)(clock_monotonic_us() - start);
}

static void bench_upload(const struct upload_server *server)
{
    double plain = measure_plain(server->folder), ours;
    size_t before;

    measure_upload(server->port, 20); /* whatever is made once is made now */
    before = upload_server_memory(server);
    ours = measure_upload(server->port, UPLOAD_MIB);
    figure_ratio("blob.upload-200mib", ours, "MiB/s", plain, 0.5);
    figure_below("blob.upload-200mib-memory",
                 (double)(upload_server_memory(server) - before), "KiB", GROWTH_KIB);
}

int main(void)
{
    struct upload_server server;

    upload_server_start(&server, "0");
    bench_download(&server);
    bench_upload(&server);
    return upload_server_stop(&server);
}
