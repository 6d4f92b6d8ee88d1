/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* connection.c - a client's connection: its socket, its answers, its life.
 *
 * Built on bufferevents and http-parser and not on evhttp, whose 2.1 has no hook between
 * a request's head and its body: limits per route, uploads that stream and upgrades need
 * one. Bytes become requests in reading.c.
 */
#include "core/http/connection.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/http/upload.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

enum {
    IDLE_MS = 60000,  /* between requests */
    WRITE_MS = 30000, /* without progress */
    LINGER_MS = 1000,
    SENT_LEAST = 64 * 1024 /* bytes of a long answer in WRITE_MS */
};

struct address {
    UT_hash_handle hh;
    size_t count;
    char text[64];
};

struct connections {
    struct server *server;
    struct connection *first;
    struct address *addresses;
    size_t count, most, most_per_address;
    char date[64];
    int64_t date_second;
};

/* ---- life ---- */

void connection_deadline(struct connection *c, int ms)
{
    struct timeval after = {ms / 1000, ms % 1000 * 1000};

    if (ms < 0)
        event_del(c->deadline);
    else
        event_add(c->deadline, &after);
}

static void connection_free(struct connection *c)
{
    struct connections *cs = c->all;

    if (c->bev != NULL) bufferevent_free(c->bev);
    event_free(c->deadline);
    request_fini(&c->request);
    *c->before = c->next;
    if (c->next != NULL) c->next->before = c->before;
    cs->count--;
    cs->server->metrics->connections = cs->count;
    if (--c->address->count == 0) {
        HASH_DEL(cs->addresses, c->address);
        free(c->address);
    }
    free(c);
}

/* The client has gone, or must. A fiber that still works keeps the rest. */
static void hang_up(struct connection *c)
{
    if (c->state != HANDLING && c->state != UPLOADING) {
        connection_free(c);
        return;
    }
    bufferevent_free(c->bev);
    c->bev = NULL;
    event_del(c->deadline);
    if (c->state == UPLOADING) {
        upload_end_of_input(c->request.upload);
        upload_wake(c->request.upload);
    }
}

/* ---- answers ---- */

static const char *status_text(int status)
{
    const char *s = http_status_str((enum http_status)status);

    return strcmp(s, "<unknown>") == 0 ? "Status" : s;
}

static const char *date_line(struct connections *cs)
{
    int64_t now = clock_now_ms() / 1000;
    time_t seconds = (time_t)now;
    struct tm parts;

    if (now != cs->date_second && gmtime_r(&seconds, &parts) != NULL) {
        strftime(cs->date, sizeof(cs->date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        cs->date_second = now;
    }
    return cs->date;
}

/* The head of an answer. True when its body is to follow. */
static bool answer_head(struct connection *c, int status, const char *content_type,
                        struct text extra, uint64_t length)
{
    bool has_body = status >= 200 && status != 204 && status != 304;
    struct evbuffer *out = bufferevent_get_output(c->bev);

    c->keeps_alive = c->keeps_alive && !c->is_refused && !c->request.server->is_stopping;
    evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status,
                        status_text(status), date_line(c->all));
    if (has_body)
        evbuffer_add_printf(out, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n",
                            content_type, length);
    evbuffer_add(out, extra.ptr, extra.len);
    evbuffer_add_printf(out, "Connection: %s\r\n\r\n",
                        c->keeps_alive ? "keep-alive" : "close");
    return has_body && !text_is(c->request.method, "HEAD");
}

void connection_answer(struct connection *c, int status, const char *content_type,
                       struct text extra, struct text body)
{
    if (c->bev == NULL || !answer_head(c, status, content_type, extra, body.len)) return;
    evbuffer_add(bufferevent_get_output(c->bev), body.ptr, body.len);
    c->request.sent = body.len;
}

void connection_answer_file(struct connection *c, int status, const char *content_type,
                            struct text extra, struct file_part part)
{
    if (c->bev == NULL || !answer_head(c, status, content_type, extra, part.length) ||
        part.length == 0) {
        close(part.fd);
        return;
    }
    c->request.sent = part.length;
    if (evbuffer_add_file(bufferevent_get_output(c->bev), part.fd, (ev_off_t)part.from,
                          (ev_off_t)part.length) == 0)
        return;
    /* The head is on its way: the client must see that its body is not. */
    close(part.fd);
    c->keeps_alive = false;
}

void connection_turn_over(struct connection *c)
{
    bool keeps = c->keeps_alive;

    if (c->bev == NULL) {
        c->state = READING;
        connection_free(c);
        return;
    }
    request_reset(&c->request);
    c->is_started = false;
    c->unsent = 0;
    if (!keeps) {
        c->state = LINGERING;
        bufferevent_enable(c->bev, EV_READ | EV_WRITE);
        connection_deadline(c, WRITE_MS);
        if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0) {
            shutdown(bufferevent_getfd(c->bev), SHUT_WR);
            connection_deadline(c, LINGER_MS);
        }
        return;
    }
    c->state = READING;
    c->in_head = false;
    c->is_refused = false;
    framing_init(&c->framing);
    http_parser_pause(&c->parser, 0);
    connection_deadline(c, IDLE_MS);
    /* What a pipelining client sent meanwhile is read on the loop, not on this fiber. */
    if (evbuffer_get_length(bufferevent_get_input(c->bev)) > 0)
        bufferevent_trigger(c->bev, EV_READ,
                            BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* What a fiber runs; the connection goes on when it returns. */
static void handle(void *context)
{
    struct connection *c = context;

    request_handle(&c->request);
    LL_CHECK(c->request.status != 0);
    connection_turn_over(c);
}

void connection_handle(struct connection *c)
{
    struct server *s = c->request.server;

    c->is_started = true;
    if (c->state != UPLOADING) {
        c->state = HANDLING;
        event_del(c->deadline);
    }
    if (fiber_start(s->fibers, handle, c) == LL_OK) return;
    request_refuse(&c->request, HTTP_REFUSED_UNAVAILABLE, 503,
                   "too many requests at once");
    upload_finish(&c->request);
    connection_turn_over(c);
}

/* ---- uploads ---- */

/* On the loop, not on this fiber. */
void connection_read_on(struct connection *c)
{
    if (c->bev == NULL || !connection_has_input(c)) return;
    bufferevent_trigger(c->bev, EV_READ,
                        BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

bool connection_has_input(const struct connection *c)
{
    return c->bev != NULL && evbuffer_get_length(bufferevent_get_input(c->bev)) > 0;
}

void connection_stop_upload(struct connection *c, bool is_whole)
{
    if (c->state != UPLOADING) return;
    c->state = HANDLING;
    if (is_whole) c->is_refused = false;
    event_del(c->deadline);
}

/* ---- events of the socket ---- */

static void can_read(struct bufferevent *bev, void *context)
{
    struct connection *c = context;

    if (c->state == LINGERING) {
        struct evbuffer *in = bufferevent_get_input(bev);

        evbuffer_drain(in, evbuffer_get_length(in));
        return;
    }
    reading_go_on(c);
}

/* All that was to be written is: go on with what came meanwhile, or end. */
static void was_written(struct bufferevent *bev, void *context)
{
    struct connection *c = context;

    if (c->state == LINGERING) {
        shutdown(bufferevent_getfd(bev), SHUT_WR);
        connection_deadline(c, LINGER_MS);
        return;
    }
    if (c->state == READING) reading_go_on(c);
}

static void happened(struct bufferevent *bev, short what, void *context)
{
    struct connection *c = context;
    bool is_answering = c->state == HANDLING || c->state == UPLOADING ||
                        evbuffer_get_length(bufferevent_get_output(bev)) > 0;

    /* A client may have said all it has to say, and still listen. */
    c->keeps_alive = false;
    if (!(what & BEV_EVENT_EOF) || !is_answering) {
        hang_up(c);
    } else if (c->state == UPLOADING) {
        upload_end_of_input(c->request.upload);
        reading_go_on(c);
    }
}

/* A long answer may take as long as it moves; the write timeout sees to those that
 * stand still, and this to those that creep. */
static bool is_still_sending(struct connection *c)
{
    size_t left = evbuffer_get_length(bufferevent_get_output(c->bev)), before = c->unsent;

    c->unsent = left;
    return left > 0 && (before == 0 || before - left >= SENT_LEAST || left > before);
}

static void too_late(evutil_socket_t fd, short what, void *context)
{
    struct connection *c = context;

    (void)fd, (void)what;
    if (c->state == UPLOADING) {
        reading_too_late(c);
        return;
    }
    if (c->state != READING || (!c->in_head && c->request.head.len == 0)) {
        if (is_still_sending(c)) {
            connection_deadline(c, WRITE_MS);
            return;
        }
        hang_up(c);
        return;
    }
    reading_too_late(c);
}

/* ---- many of them ---- */

struct connections *connections_new(struct server *server)
{
    struct connections *cs = ll_calloc(1, sizeof(*cs));

    http_parser_set_max_header_size(REQUEST_HEAD);
    cs->server = server;
    cs->most = settings_number(server->settings, SETTING_HTTP_CONNECTIONS);
    cs->most_per_address =
        settings_number(server->settings, SETTING_HTTP_CONNECTIONS_PER_ADDRESS);
    return cs;
}

static void print_address(const struct sockaddr *at, char out[64])
{
    const void *bytes =
        at->sa_family == AF_INET6
            ? (const void *)&((const struct sockaddr_in6 *)(const void *)at)->sin6_addr
            : (const void *)&((const struct sockaddr_in *)(const void *)at)->sin_addr;

    if (evutil_inet_ntop(at->sa_family, bytes, out, 64) == NULL)
        snprintf(out, 64, "unknown");
}

/* The address' entry, or NULL when it has all the connections it may have. */
static struct address *count_address(struct connections *cs, const struct sockaddr *at)
{
    struct address *a;
    char text[64];

    print_address(at, text);
    HASH_FIND_STR(cs->addresses, text, a);
    if (a == NULL) {
        a = ll_calloc(1, sizeof(*a));
        memcpy(a->text, text, sizeof(text));
        HASH_ADD_STR(cs->addresses, text, a);
    }
    if (a->count == cs->most_per_address) return NULL;
    a->count++;
    return a;
}

static void turn_away(struct connections *cs, evutil_socket_t fd)
{
    static const char full[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                               "Content-Length: 0\r\nConnection: close\r\n\r\n";

    cs->server->metrics->connections_refused++;
    if (send(fd, full, sizeof(full) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) <
        0) { /* its loss */
    }
    evutil_closesocket(fd);
}

void connections_accept(struct connections *cs, evutil_socket_t fd,
                        const struct sockaddr *at)
{
    struct address *address = cs->count < cs->most ? count_address(cs, at) : NULL;
    struct timeval stalled = {WRITE_MS / 1000, 0};
    int at_once = 1;
    struct connection *c;

    if (address == NULL) {
        turn_away(cs, fd);
        return;
    }
    c = ll_calloc(1, sizeof(*c));
    c->all = cs;
    c->address = address;
    c->next = cs->first;
    c->before = &cs->first;
    if (c->next != NULL) c->next->before = &c->next;
    cs->first = c;
    cs->count++;
    cs->server->metrics->connections_accepted++;
    cs->server->metrics->connections = cs->count;
    /* An answer's head and a file's bytes are two writes: the second must not wait until
     * the client has acknowledged the first. */
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once)) != 0) {
    }
    c->bev = bufferevent_socket_new(cs->server->base, fd, BEV_OPT_CLOSE_ON_FREE);
    c->deadline = event_new(cs->server->base, -1, 0, too_late, c);
    LL_CHECK(c->bev != NULL && c->deadline != NULL);
    framing_init(&c->framing);
    http_parser_init(&c->parser, HTTP_REQUEST);
    c->parser.data = c;
    request_init(&c->request, cs->server, c, text_of(address->text));
    bufferevent_setcb(c->bev, can_read, was_written, happened, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, CONNECTION_INPUT);
    bufferevent_set_timeouts(c->bev, NULL, &stalled);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    connection_deadline(c, IDLE_MS);
}

void connections_drain(struct connections *cs)
{
    for (struct connection *c = cs->first, *next; c != NULL; c = next) {
        next = c->next;
        if (c->state == READING && c->request.head.len == 0) connection_free(c);
    }
}

void connections_stop_uploads(struct connections *cs)
{
    for (struct connection *c = cs->first; c != NULL; c = c->next) {
        if (c->state != UPLOADING) continue;
        upload_fail(c->request.upload, 503, "the server is stopping");
        upload_wake(c->request.upload);
    }
}

size_t connections_count(const struct connections *cs)
{
    return cs->count;
}

void connections_free(struct connections *cs)
{
    for (struct connection *c = cs->first, *next; c != NULL; c = next) {
        next = c->next;
        LL_CHECK(c->state != HANDLING && c->state != UPLOADING);
        connection_free(c);
    }
    free(cs);
}
