/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* connection.c - a client's connection: bytes in, requests; answers, bytes out.
 *
 * Built on bufferevents and http-parser and not on evhttp, whose 2.1 has no hook between
 * a request's head and its body: limits per route, uploads that stream and upgrades need
 * one. States: READING a head or body, HANDLING (a fiber owns the request), LINGERING
 * (answered, reading on so that the client sees the answer). A connection whose client
 * goes while it is HANDLING stays until the fiber is done.
 */
#include "core/http/request.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/http/framing.h"

#include <event2/buffer.h>
#include <http_parser.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>

enum {
    IDLE_MS = 60000,  /* between requests */
    HEAD_MS = 10000,  /* from a head's first byte to its last */
    BODY_MS = 30000,  /* for a whole body */
    WRITE_MS = 30000, /* without progress */
    LINGER_MS = 1000,
    INPUT_MOST = 256 * 1024,
    OUTPUT_MOST = 1024 * 1024 /* of answers that a pipelining client does not read */
};

struct address {
    UT_hash_handle hh;
    size_t count;
    char text[64];
};

struct connection {
    struct connection *next, **before; /* in connections.first */
    struct connections *all;
    struct bufferevent *bev; /* NULL: the client has gone */
    struct event *deadline;
    struct framing framing; /* looks at each byte before the parser does */
    http_parser parser;
    struct http_request request;
    struct address *address;
    enum { READING, HANDLING, LINGERING } state;
    bool keeps_alive, in_head, in_value, is_refused;
    size_t name_at, name_len, value_at, value_len; /* of the header being read, in head */
    struct {
        size_t name, name_len, value, value_len;
    } marks[REQUEST_HEADERS];
};

struct connections {
    struct server *server;
    struct connection *first;
    struct address *addresses;
    size_t count, most, most_per_address;
    char date[64];
    int64_t date_second;
};

static void process_input(struct connection *c);

/* ---- life ---- */

static void set_deadline(struct connection *c, int ms)
{
    struct timeval after = {ms / 1000, ms % 1000 * 1000};

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
    if (c->state == HANDLING) {
        bufferevent_free(c->bev);
        c->bev = NULL;
        event_del(c->deadline);
        return;
    }
    connection_free(c);
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

void connection_answer(struct connection *c, int status, const char *content_type,
                       struct text extra, struct text body)
{
    struct evbuffer *out;
    bool has_body = status >= 200 && status != 204 && status != 304;

    if (c->bev == NULL) return;
    c->keeps_alive = c->keeps_alive && !c->is_refused && !c->request.server->is_stopping;
    out = bufferevent_get_output(c->bev);
    evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status,
                        status_text(status), date_line(c->all));
    if (has_body)
        evbuffer_add_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                            content_type, body.len);
    evbuffer_add(out, extra.ptr, extra.len);
    evbuffer_add_printf(out, "Connection: %s\r\n\r\n",
                        c->keeps_alive ? "keep-alive" : "close");
    if (has_body && !text_is(c->request.method, "HEAD")) {
        evbuffer_add(out, body.ptr, body.len);
        c->request.sent = body.len;
    }
}

/* Answered: the next request, or the end. */
static void turn_over(struct connection *c)
{
    bool keeps = c->keeps_alive;

    if (c->bev == NULL) {
        c->state = READING;
        connection_free(c);
        return;
    }
    request_reset(&c->request);
    if (!keeps) {
        c->state = LINGERING;
        bufferevent_enable(c->bev, EV_READ | EV_WRITE);
        set_deadline(c, WRITE_MS);
        if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0) {
            shutdown(bufferevent_getfd(c->bev), SHUT_WR);
            set_deadline(c, LINGER_MS);
        }
        return;
    }
    c->state = READING;
    c->in_head = false;
    c->is_refused = false;
    framing_init(&c->framing);
    http_parser_pause(&c->parser, 0);
    set_deadline(c, IDLE_MS);
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
    turn_over(c);
}

static void start_handling(struct connection *c)
{
    struct server *s = c->request.server;

    c->state = HANDLING;
    event_del(c->deadline);
    if (fiber_start(s->fibers, handle, c) == LL_OK) return;
    request_refuse(&c->request, HTTP_REFUSED_UNAVAILABLE, 503,
                   "too many requests at once");
    turn_over(c);
}

/* ---- from bytes to a request ---- */

/* What is not HTTP is answered once, and nothing more is read. */
static void refuse_bytes(struct connection *c, int status, const char *why)
{
    c->is_refused = true;
    c->request.server->metrics->requests_malformed++;
    if (c->request.status == 0)
        request_refuse(&c->request, HTTP_REFUSED_INPUT, status, "%s", why);
    turn_over(c);
}

static int on_message_begin(http_parser *p)
{
    struct connection *c = p->data;

    c->in_head = true;
    c->in_value = false;
    c->request.started_us = clock_monotonic_us();
    set_deadline(c, HEAD_MS);
    return 0;
}

static int take_head(struct connection *c, const char *at, size_t n)
{
    builder_add(&c->request.head, at, n);
    return c->request.head.full ? -1 : 0;
}

static int on_url(http_parser *p, const char *at, size_t n)
{
    struct connection *c = p->data;

    return c->request.head.len + n > REQUEST_TARGET ? -1 : take_head(c, at, n);
}

/* Trailers are dropped: views into the head were handed out, and a field that comes
 * behind the body must not pass for one that was checked before it. */
static int on_header_field(http_parser *p, const char *at, size_t n)
{
    struct connection *c = p->data;
    struct http_request *r = &c->request;

    if (!c->in_head) return 0;
    if (r->header_count == 0 || c->in_value) { /* a new field */
        if (r->header_count == 0) r->target.len = r->head.len;
        if (r->header_count == REQUEST_HEADERS) return -1;
        c->marks[r->header_count].name = r->head.len;
        c->marks[r->header_count].name_len = c->marks[r->header_count].value_len = 0;
        r->header_count++;
        c->in_value = false;
    }
    c->marks[r->header_count - 1].name_len += n;
    return take_head(c, at, n);
}

static int on_header_value(http_parser *p, const char *at, size_t n)
{
    struct connection *c = p->data;
    size_t i = c->request.header_count - 1;

    if (!c->in_head) return 0;
    if (!c->in_value) c->marks[i].value = c->request.head.len;
    c->in_value = true;
    c->marks[i].value_len += n;
    return take_head(c, at, n);
}

/* The head is whole and will not move any more: turn marks into views. */
static void set_views(struct connection *c)
{
    struct http_request *r = &c->request;
    const char *head = builder_view(&r->head).ptr;

    if (r->header_count == 0) r->target.len = r->head.len;
    r->target.ptr = head;
    r->method = text_of(http_method_str((enum http_method)c->parser.method));
    for (size_t i = 0; i < r->header_count; i++) {
        r->headers[i].name = (struct text){head + c->marks[i].name, c->marks[i].name_len};
        r->headers[i].value =
            (struct text){head + c->marks[i].value, c->marks[i].value_len};
    }
}

/* Framing that different servers read differently is an attack until proven otherwise
 * (RFC 9112, 6.3 and 11.2). NULL when it is sound. */
static const char *framing_fault(const struct connection *c)
{
    const struct http_request *r = &c->request;
    size_t hosts = 0, lengths = 0, encodings = 0;

    for (size_t i = 0; i < r->header_count; i++) {
        struct text name = r->headers[i].name;

        hosts += text_equal_ignoring_case(name, TEXT("host"));
        lengths += text_equal_ignoring_case(name, TEXT("content-length"));
        if (!text_equal_ignoring_case(name, TEXT("transfer-encoding"))) continue;
        encodings++;
        if (!text_equal_ignoring_case(r->headers[i].value, TEXT("chunked")))
            return "the only transfer encoding taken is chunked";
    }
    if (encodings > 0 && lengths > 0) return "both Content-Length and Transfer-Encoding";
    if (encodings > 1 || lengths > 1) return "a repeated length or transfer encoding";
    if (hosts > 1) return "more than one Host";
    if (c->parser.http_major != 1) return "only HTTP/1.1 and HTTP/1.0 are spoken here";
    if (hosts == 0 && c->parser.http_minor > 0) return "no Host";
    return encodings > 0 && c->parser.http_minor == 0 ? "chunked in HTTP/1.0" : NULL;
}

static int on_headers_complete(http_parser *p)
{
    struct connection *c = p->data;
    struct http_request *r = &c->request;
    const char *fault;

    bool has_body = p->flags & F_CHUNKED ||
                    (p->content_length > 0 && p->content_length != UINT64_MAX);

    set_views(c);
    framing_body(&c->framing, p->flags & F_CHUNKED);
    c->in_head = false;
    p->upgrade = 0; /* not spoken here: answered as the plain request that it also is */
    c->keeps_alive = http_should_keep_alive(p);
    c->is_refused = true; /* an answer before the body was read ends the connection */
    fault = framing_fault(c);
    if (fault != NULL) request_refuse(r, HTTP_REFUSED_INPUT, 400, "%s", fault);
    if (fault != NULL || !request_begin(r)) return -1;
    if (has_body && !(p->flags & F_CHUNKED) && p->content_length > r->body_limit) {
        request_refuse(r, HTTP_REFUSED_INPUT, 413, "the body is larger than %zu bytes",
                       r->body_limit);
        return -1;
    }
    c->is_refused = false;
    if (has_body) set_deadline(c, BODY_MS);
    if (has_body &&
        text_equal_ignoring_case(http_header(r, "expect"), TEXT("100-continue")))
        evbuffer_add_printf(bufferevent_get_output(c->bev),
                            "HTTP/1.1 100 Continue\r\n\r\n");
    return 0;
}

static int make_room(struct connection *c, uint64_t n)
{
    struct http_request *r = &c->request;

    if (n <= r->body_limit && r->body.len <= r->body_limit - n) return 0;
    c->is_refused = true;
    request_refuse(r, HTTP_REFUSED_INPUT, 413, "the body is larger than %zu bytes",
                   r->body_limit);
    return -1;
}

/* A chunk that says it is too large is refused before it comes. */
static int on_chunk_header(http_parser *p)
{
    return make_room(p->data, p->content_length);
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    struct connection *c = p->data;

    if (make_room(c, n) != 0) return -1;
    builder_add(&c->request.body, at, n);
    return 0;
}

static int on_message_complete(http_parser *p)
{
    struct connection *c = p->data;

    c->state = HANDLING;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings parser_settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_message_complete,
};

/* Too many or too large: 431 (or 414 for the target), else it was not HTTP. */
static void parse_failed(struct connection *c)
{
    enum http_errno why = HTTP_PARSER_ERRNO(&c->parser);
    struct http_request *r = &c->request;

    if (c->in_head) set_views(c);
    if (why == HPE_CB_url)
        refuse_bytes(c, 414, "the request target is too long");
    else if (why == HPE_CB_header_field || why == HPE_CB_header_value ||
             why == HPE_HEADER_OVERFLOW)
        refuse_bytes(c, 431, "the header is too large");
    else if (r->status != 0)
        refuse_bytes(c, r->status, "");
    else
        refuse_bytes(c, 400, http_errno_description(why));
}

/* Give the parser what the framing's look let through. False: it was refused. */
static bool parse(struct connection *c, struct evbuffer *in, struct evbuffer_iovec piece)
{
    const char *fault;
    size_t n = framing_check(&c->framing, piece.iov_base, piece.iov_len, &fault);
    enum http_errno why = HPE_OK;

    if (n > 0) { /* none would tell the parser that the client has ended */
        n = http_parser_execute(&c->parser, &parser_settings, piece.iov_base, n);
        why = HTTP_PARSER_ERRNO(&c->parser);
    }
    evbuffer_drain(in, n);
    if (why != HPE_OK && why != HPE_PAUSED) {
        parse_failed(c);
        return false;
    }
    if (fault == NULL && n == 0) fault = "the head ends where it should not";
    if (fault == NULL) return true;
    if (c->in_head) set_views(c);
    refuse_bytes(c, 400, fault);
    return false;
}

/* Parse until a request is whole, the input is empty, or the answers pile up. */
static void process_input(struct connection *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    struct evbuffer *out = bufferevent_get_output(c->bev);
    struct evbuffer_iovec piece;

    while (c->bev != NULL && c->state == READING &&
           evbuffer_get_length(out) < OUTPUT_MOST &&
           evbuffer_peek(in, -1, NULL, &piece, 1) > 0 && piece.iov_len > 0) {
        if (!parse(c, in, piece)) return;
        if (c->state == HANDLING) {
            start_handling(c);
            return; /* c may be gone */
        }
    }
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
    process_input(c);
}

/* All that was to be written is: go on with what came meanwhile, or end. */
static void was_written(struct bufferevent *bev, void *context)
{
    struct connection *c = context;

    if (c->state == LINGERING) {
        shutdown(bufferevent_getfd(bev), SHUT_WR);
        set_deadline(c, LINGER_MS);
        return;
    }
    if (c->state == READING) process_input(c);
}

static void happened(struct bufferevent *bev, short what, void *context)
{
    struct connection *c = context;
    bool is_answering =
        c->state == HANDLING || evbuffer_get_length(bufferevent_get_output(bev)) > 0;

    /* A client may have said all it has to say, and still listen. */
    c->keeps_alive = false;
    if (!(what & BEV_EVENT_EOF) || !is_answering) hang_up(c);
}

static void too_late(evutil_socket_t fd, short what, void *context)
{
    struct connection *c = context;

    (void)fd, (void)what;
    if (c->state != READING || (!c->in_head && c->request.head.len == 0)) {
        hang_up(c);
        return;
    }
    if (c->in_head) set_views(c);
    refuse_bytes(c, 408, "the request did not come in time");
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
    c->bev = bufferevent_socket_new(cs->server->base, fd, BEV_OPT_CLOSE_ON_FREE);
    c->deadline = event_new(cs->server->base, -1, 0, too_late, c);
    LL_CHECK(c->bev != NULL && c->deadline != NULL);
    framing_init(&c->framing);
    http_parser_init(&c->parser, HTTP_REQUEST);
    c->parser.data = c;
    request_init(&c->request, cs->server, c, text_of(address->text));
    bufferevent_setcb(c->bev, can_read, was_written, happened, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, INPUT_MOST);
    bufferevent_set_timeouts(c->bev, NULL, &stalled);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    set_deadline(c, IDLE_MS);
}

void connections_drain(struct connections *cs)
{
    for (struct connection *c = cs->first, *next; c != NULL; c = next) {
        next = c->next;
        if (c->state == READING && c->request.head.len == 0) connection_free(c);
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
        LL_CHECK(c->state != HANDLING);
        connection_free(c);
    }
    free(cs);
}
