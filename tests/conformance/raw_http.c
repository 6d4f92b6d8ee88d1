/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* raw_http.c - see raw_http.h. */
#include "raw_http.h"

#include "core/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int raw_connect(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (s >= 0 && connect(s, (struct sockaddr *)&to, sizeof(to)) == 0) return s;
    printf("FAILED cannot connect to port %d: %s\n", port, strerror(errno));
    exit(1);
}

static bool wait_for(int s, short events, int64_t deadline_us)
{
    struct pollfd p = {.fd = s, .events = events};
    int64_t left = (deadline_us - clock_monotonic_us()) / 1000;

    return left > 0 && poll(&p, 1, (int)left) == 1;
}

bool raw_send(int s, struct text bytes)
{
    int64_t deadline = clock_monotonic_us() + 5000000;

    while (bytes.len > 0) {
        ssize_t n;

        if (!wait_for(s, POLLOUT, deadline)) return false;
        n = send(s, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) continue;
        if (n <= 0) return false;
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
    return true;
}

static struct text head_value(struct text head, const char *name)
{
    struct text line, field;

    text_cut(&head, '\n', &line);
    while (head.len > 0) {
        text_cut(&head, '\n', &line);
        if (line.len > 0 && line.ptr[line.len - 1] == '\r') line.len--;
        if (!text_cut(&line, ':', &field)) continue;
        if (!text_equal_ignoring_case(field, text_of(name))) continue;
        while (line.len > 0 && line.ptr[0] == ' ') line.ptr++, line.len--;
        return line;
    }
    return TEXT("");
}

struct text raw_header(const struct raw_reply *r, const char *name)
{
    return head_value(r->head, name);
}

static bool take_status(struct text head, int *status)
{
    struct text code;
    uint64_t n;

    if (head.len < 13 || !text_starts_with(head, "HTTP/1.1 ") || head.ptr[12] != ' ')
        return false;
    code = (struct text){head.ptr + 9, 3};
    if (!text_to_u64(code, 999, &n) || n < 100) return false;
    *status = (int)n;
    return true;
}

/* One response at `from`: its bytes, 0 while it is not complete. Chunked bodies are not
 * expected of any answer that these tests ask for. */
static size_t take_response(struct raw_reply *r, size_t from)
{
    const char *start = r->bytes + from;
    const char *end = memmem(start, r->len - from, "\r\n\r\n", 4);
    struct text head, length;
    uint64_t body = 0;
    int status;

    if (end == NULL) {
        size_t prefix = r->len - from < 9 ? r->len - from : 9;
        r->malformed |= memcmp(start, "HTTP/1.1 ", prefix) != 0;
        return 0;
    }
    head = (struct text){start, (size_t)(end - start) + 2};
    if (!take_status(head, &status)) {
        r->malformed = true;
        return 0;
    }
    length = head_value(head, "Content-Length");
    if (length.len > 0 && !text_to_u64(length, RAW_KEPT, &body)) r->malformed = true;
    if (r->len - from < head.len + 2 + body) return 0;
    if (status < 200) {
        r->interim++;
    } else {
        if (r->count < RAW_STATUSES) r->statuses[r->count] = status;
        r->count++;
        r->head = head;
        r->body = (struct text){end + 4, body};
    }
    return head.len + 2 + body;
}

void raw_receive(int s, size_t responses, int timeout_ms, struct raw_reply *out)
{
    int64_t deadline = clock_monotonic_us() + timeout_ms * (int64_t)1000;
    size_t parsed = 0;

    memset(out, 0, sizeof(*out));
    while (out->count < responses && wait_for(s, POLLIN, deadline)) {
        ssize_t n = recv(s, out->bytes + out->len, sizeof(out->bytes) - out->len, 0);

        out->closed = n == 0;
        out->was_reset = n < 0;
        if (n <= 0) return;
        out->len += (size_t)n;
        for (size_t took = 1; took > 0 && parsed < out->len; parsed += took)
            took = take_response(out, parsed);
        if (out->len == sizeof(out->bytes) || out->malformed) return;
    }
}

void raw_receive_to_end(int s, int timeout_ms, struct raw_reply *out)
{
    raw_receive(s, SIZE_MAX, timeout_ms, out);
}

void raw_exchange(int port, struct text bytes, size_t responses, struct raw_reply *out)
{
    int s = raw_connect(port);

    raw_send(s, bytes);
    raw_receive(s, responses, 5000, out);
    close(s);
}

int raw_status(const struct raw_reply *r)
{
    return r->count > 0 ? r->statuses[0] : 0;
}

void raw_abort(int s)
{
    struct linger hard = {.l_onoff = 1};

    setsockopt(s, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(s);
}
