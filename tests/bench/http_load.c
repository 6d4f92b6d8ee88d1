/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_load.c - see http_load.h. */
#include "http_load.h"

#include "core/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ANSWER = 32 * 1024,
    DISCARD = 1024 * 1024, /* bytes, at most at once */
    BUCKETS = 100000       /* of 10 us: a second */
};

struct client {
    int socket;
    size_t len;   /* of what is in `answer`, until its head is there */
    size_t whole; /* the answer's bytes; 0: its head is not there yet */
    size_t got;   /* of those */
    int64_t sent_at;
    char answer[ANSWER];
};

struct run {
    const struct http_load *load;
    struct client *clients;
    int epoll;
    size_t next;
    bool measuring;
    struct http_load_result *result;
    uint32_t *buckets; /* latencies, 10 us each; the last has all that are slower */
};

static ll_rc client_connect(struct run *r, struct client *c, struct ll_error *err)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)r->load->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    int yes = 1;

    c->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->socket < 0 || connect(c->socket, (struct sockaddr *)&to, sizeof(to)) != 0 ||
        setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0 ||
        epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->socket, &e) != 0)
        return ll_fail(err, LL_ESYSTEM, "cannot connect to port %d: %s", r->load->port,
                       strerror(errno));
    return LL_OK;
}

static ll_rc send_next(struct run *r, struct client *c, struct ll_error *err)
{
    struct text request = r->load->requests[r->next++ % r->load->request_count];

    c->len = c->whole = c->got = 0;
    c->sent_at = clock_monotonic_us();
    if (send(c->socket, request.ptr, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
        return ll_fail(err, LL_EDATABASE, "cannot send: %s", strerror(errno));
    return LL_OK;
}

/* Bytes of the answer at the buffer's start once its head is there, else 0. */
static size_t answer_length(const struct client *c)
{
    const char *end = memmem(c->answer, c->len, "\r\n\r\n", 4), *field;

    if (end == NULL) return 0;
    field = strcasestr(c->answer, "\r\ncontent-length:");
    if (field == NULL || field > end) return 0;
    return (size_t)(end + 4 - c->answer) + strtoul(field + 17, NULL, 10);
}

static void count(struct run *r, const struct client *c)
{
    int64_t took = (clock_monotonic_us() - c->sent_at) / 10;

    r->result->answers_in_all++;
    if (!r->measuring) return;
    r->result->answers++;
    if (memcmp(c->answer, "HTTP/1.1 200", 12) != 0) r->result->refused++;
    r->buckets[took < BUCKETS ? took : BUCKETS - 1]++;
}

/* What is behind a head is thrown away unseen: it costs the least. */
static ssize_t receive(struct client *c)
{
    ssize_t n;

    if (c->whole > 0) {
        size_t most = c->whole - c->got;

        return recv(c->socket, NULL, most < DISCARD ? most : DISCARD, MSG_TRUNC);
    }
    n = recv(c->socket, c->answer + c->len, ANSWER - 1 - c->len, 0);
    if (n <= 0) return n;
    c->len += (size_t)n;
    c->answer[c->len] = '\0';
    c->whole = answer_length(c);
    return n;
}

static ll_rc client_read(struct run *r, struct client *c, struct ll_error *err)
{
    ssize_t n = receive(c);

    if (n <= 0) return ll_fail(err, LL_EDATABASE, "the server closed a connection");
    c->got += (size_t)n;
    if (c->whole == 0 && c->len == ANSWER - 1)
        return ll_fail(err, LL_EDATABASE, "an answer's head is too long");
    if (c->whole == 0 || c->got < c->whole) return LL_OK;
    count(r, c);
    return send_next(r, c, err);
}

static ll_rc run_until(struct run *r, int64_t end_us, struct ll_error *err)
{
    struct epoll_event events[64];
    ll_rc rc = LL_OK;

    while (rc == LL_OK && clock_monotonic_us() < end_us) {
        int n = epoll_wait(r->epoll, events, LL_LENGTH(events), 100);

        for (int i = 0; i < n && rc == LL_OK; i++)
            rc = client_read(r, events[i].data.ptr, err);
    }
    return rc;
}

static double percentile(const struct run *r, double share)
{
    uint64_t below = 0, want = (uint64_t)((double)r->result->answers * share);

    for (size_t i = 0; i < BUCKETS; i++)
        if ((below += r->buckets[i]) > want) return (double)i * 10 + 5;
    return BUCKETS * 10.0;
}

static ll_rc run_load(struct run *r, struct ll_error *err)
{
    int64_t measured_us = r->load->seconds * (int64_t)1000000, start;
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < r->load->connections && rc == LL_OK; i++) {
        rc = client_connect(r, &r->clients[i], err);
        if (rc == LL_OK) rc = send_next(r, &r->clients[i], err);
    }
    if (rc == LL_OK) rc = run_until(r, clock_monotonic_us() + measured_us / 5, err);
    if (rc != LL_OK) return rc;
    r->measuring = true;
    start = clock_monotonic_us();
    rc = run_until(r, start + measured_us, err);
    r->result->per_second =
        (double)r->result->answers * 1e6 / (double)(clock_monotonic_us() - start);
    r->result->p50_us = percentile(r, 0.5);
    r->result->p99_us = percentile(r, 0.99);
    return rc;
}

ll_rc http_load_run(const struct http_load *load, struct http_load_result *out,
                    struct ll_error *err)
{
    struct run r = {.load = load, .result = out, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    ll_rc rc;

    *out = (struct http_load_result){0};
    LL_CHECK(r.epoll >= 0 && load->request_count > 0);
    r.clients = ll_calloc(load->connections, sizeof(*r.clients));
    r.buckets = ll_calloc(BUCKETS, sizeof(*r.buckets));
    for (size_t i = 0; i < load->connections; i++) r.clients[i].socket = -1;
    rc = run_load(&r, err);
    for (size_t i = 0; i < load->connections; i++)
        if (r.clients[i].socket >= 0) close(r.clients[i].socket);
    close(r.epoll);
    free(r.buckets);
    free(r.clients);
    return rc;
}
