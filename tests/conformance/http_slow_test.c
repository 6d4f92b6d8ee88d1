/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_slow_test.c - clients that take their time, take too much, or are gone, to the
 * real `landlog serve`: none holds a connection or memory for ever, and none is in the
 * way of the others.
 */
#include "hostile.h"
#include "raw_http.h"
#include "serve_process.h"
#include "unit/t.h"

#include "core/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PER_ADDRESS = 100,
    PATIENCE_S = 75, /* the longest of the server's deadlines, and some */
    SETTLE_S = 10    /* until what was closed is given back */
};

static struct serve_process server;

static bool serves_others(void)
{
    static struct raw_reply r;

    raw_exchange(server.port, TEXT(GOOD), 1, &r);
    return raw_status(&r) == 200;
}

static bool settles_to(size_t descriptors)
{
    for (int i = 0; i < SETTLE_S * 10; i++) {
        if (serve_descriptors(&server) <= descriptors) return true;
        usleep(100000);
    }
    printf("  %zu descriptors, %zu before\n", serve_descriptors(&server), descriptors);
    return false;
}

/* ---- slow ---- */

struct slow {
    const char *name;
    struct text at_once, then; /* `then` comes byte by byte, over and over */
    int socket;
    bool closed;
};

#define UPLOAD \
    "POST /content/entities HTTP/1.1\r\n" HOST "Content-Length: 4000\r\n" \
    "Content-Type: multipart/form-data; boundary=xyz\r\n\r\n"
#define FIELD "Content-Disposition: form-data; name=a\r\n\r\n"

/* A byte every half second is progress, and no reason to wait for ever. */
static struct slow slow[] = {
    {"says nothing", TEXT(""), TEXT(""), -1, false},
    {"half a request line", TEXT("GET / HT"), TEXT(""), -1, false},
    {"a header by the byte", TEXT(GET("/")), TEXT("X-A: b\r\n"), -1, false},
    {"half a body", TEXT(POST "Content-Length: 100\r\n\r\n{"), TEXT(""), -1, false},
    {"a body by the byte", TEXT(POST "Content-Length: 4000\r\n\r\n{"), TEXT(" "), -1,
     false},
    {"a chunked body by the byte", TEXT(POST "Transfer-Encoding: chunked\r\n\r\n"),
     TEXT("1\r\n \r\n"), -1, false},
    {"half an upload", TEXT(UPLOAD "--xyz\r\nContent-Disp"), TEXT(""), -1, false},
    {"an upload by the byte", TEXT(UPLOAD "--xyz\r\n" FIELD), TEXT("x"), -1, false},
    {"idle behind a request", TEXT(GOOD), TEXT(""), -1, false},
};

/* Read what is there; true when the server has closed. */
static bool has_ended(int s)
{
    char bytes[4096];
    ssize_t n;

    while ((n = recv(s, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) continue;
    return n == 0 || (n < 0 && errno != EAGAIN);
}

static void step(struct slow *c, size_t tick)
{
    if (c->closed) return;
    if (c->then.len > 0)
        raw_send(c->socket, (struct text){c->then.ptr + tick % c->then.len, 1});
    c->closed = has_ended(c->socket);
}

static void slow_clients_are_let_go(void)
{
    int64_t start = clock_monotonic_us();
    size_t open = LL_LENGTH(slow);

    for (size_t i = 0; i < LL_LENGTH(slow); i++) {
        slow[i].socket = raw_connect(server.port);
        OK(raw_send(slow[i].socket, slow[i].at_once));
    }
    for (size_t tick = 0;
         open > 0 && clock_monotonic_us() - start < PATIENCE_S * 1000000LL; tick++) {
        usleep(500000);
        open = 0;
        for (size_t i = 0; i < LL_LENGTH(slow); i++) {
            step(&slow[i], tick);
            open += !slow[i].closed;
        }
        if (tick == 4) OK(serves_others());
    }
    for (size_t i = 0; i < LL_LENGTH(slow); i++) {
        if (!slow[i].closed) printf("  still open: %s\n", slow[i].name);
        OK(slow[i].closed);
        close(slow[i].socket);
    }
}

/* ---- gone ---- */

/* With a reset, or in order, after each possible byte of a request. */
static void vanished_clients_leave_nothing(void)
{
    static const char request[] =
        POST "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n"
             "{\"action\":\"request\"}";
    size_t before;

    OK(serves_others());
    usleep(200000);
    before = serve_descriptors(&server);
    for (size_t n = 0; n < sizeof(request); n++) {
        int s = raw_connect(server.port);

        raw_send(s, (struct text){request, n});
        if (n % 2 == 0)
            raw_abort(s);
        else
            close(s);
    }
    OK(settles_to(before));
    OK(serves_others());
}

/* ---- greedy ---- */

/* Asks and asks, and never reads: what it is owed must not pile up in the server. */
static void who_does_not_read_is_not_read(void)
{
    enum { REQUESTS = 20000, GROWTH = 64 * 1024 /* KiB */ };
    static const char request[] = GET("/openapi.json") "\r\n";
    size_t before = serve_memory(&server), sent = 0;
    int s = raw_connect(server.port);
    struct pollfd p = {.fd = s, .events = POLLOUT};

    while (sent < REQUESTS && poll(&p, 1, 1000) == 1) {
        if (send(s, request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) break;
        sent++;
    }
    usleep(500000);
    if (serve_memory(&server) > before + GROWTH)
        printf("  %zu KiB, %zu before, %zu requests\n", serve_memory(&server), before,
               sent);
    OK(serve_memory(&server) <= before + GROWTH);
    OK(serves_others());
    raw_abort(s);
}

static void one_address_cannot_have_all(void)
{
    enum { MORE = PER_ADDRESS + 20 };
    static struct raw_reply r;
    int sockets[MORE];
    size_t refused = 0, served = 0;

    for (size_t i = 0; i < MORE; i++) sockets[i] = raw_connect(server.port);
    for (size_t i = 0; i < MORE; i++) {
        raw_send(sockets[i], TEXT(GOOD));
        raw_receive(sockets[i], 1, 3000, &r);
        served += raw_status(&r) == 200;
        refused +=
            r.closed || r.was_reset || raw_status(&r) == 503 || raw_status(&r) == 429;
    }
    OK(served <= PER_ADDRESS && served >= PER_ADDRESS - 5);
    OK(served + refused == MORE);
    for (size_t i = 0; i < MORE; i++) close(sockets[i]);
    for (int i = 0; i < SETTLE_S * 10; i++) {
        usleep(100000);
        raw_exchange(server.port, TEXT(GOOD), 1, &r);
        if (raw_status(&r) == 200) break;
    }
    OK(raw_status(&r) == 200);
}

/* The refusal comes while the client is still sending: a server that closes at once
 * resets the connection, and the answer is lost with it. */
static void a_refusal_reaches_who_is_still_sending(void)
{
    static struct raw_reply r;
    static char body[4 * 1024 * 1024];

    memset(body, 'a', sizeof(body));
    for (int i = 0; i < 5; i++) {
        int s = raw_connect(server.port);

        OK(raw_send(s, TEXT(POST "Content-Length: 4194304\r\n\r\n")));
        raw_send(s, (struct text){body, sizeof(body)});
        raw_receive_to_end(s, 5000, &r);
        OK(r.count == 1 && r.statuses[0] == 413 && !r.was_reset);
        close(s);
    }
}

/* ---- the end ---- */

static void it_ends_cleanly_with_clients_connected(void)
{
    int idle = raw_connect(server.port), half = raw_connect(server.port);
    int64_t start = clock_monotonic_us();

    OK(raw_send(half, TEXT("GET / HTTP/1.1\r\nHo")));
    usleep(100000);
    OK(serve_stop(&server) == 0);
    OK(clock_monotonic_us() - start < 15000000);
    close(idle);
    close(half);
}

int main(void)
{
    static const char *const settings[] = {"http.body-limit=4096",
                                           "http.connections-per-address=100", NULL};

    signal(SIGPIPE, SIG_IGN);
    if (!serve_start(&server, "slow", settings)) return 77;
    RUN(vanished_clients_leave_nothing);
    RUN(a_refusal_reaches_who_is_still_sending);
    RUN(who_does_not_read_is_not_read);
    RUN(one_address_cannot_have_all);
    RUN(slow_clients_are_let_go);
    RUN(it_ends_cleanly_with_clients_connected);
    return t_done();
}
