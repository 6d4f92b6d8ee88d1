/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* reading.c - from a client's bytes to a request (connection.h).
 *
 * framing.c looks at each byte before http-parser does, since Debian builds that lenient.
 * The head is gathered in one buffer; views into it are set when it is whole.
 */
#include "core/http/connection.h"

#include "core/base/clock.h"
#include "core/http/upload.h"

#include <event2/buffer.h>
#include <string.h>
#include <sys/socket.h>

enum {
    READ_AT_ONCE = 64 * 1024,
    OUTPUT_MOST = 1024 * 1024 /* of answers that a pipelining client does not read */
};

/* What is not HTTP is answered once, and nothing more is read. A fiber that owns the
 * request answers itself. */
static void refuse_bytes(struct connection *c, int status, const char *why)
{
    if (c->state == UPLOADING) {
        c->request.server->metrics->requests_malformed++;
        upload_fail(c->request.upload, status, why);
        upload_wake(c->request.upload);
        return;
    }
    c->is_refused = true;
    c->request.server->metrics->requests_malformed++;
    if (c->request.status == 0)
        request_refuse(&c->request, HTTP_REFUSED_INPUT, status, "%s", why);
    connection_turn_over(c);
}

static int on_message_begin(http_parser *p)
{
    struct connection *c = p->data;

    c->in_head = true;
    c->in_value = false;
    c->request.started_us = clock_monotonic_us();
    connection_deadline(c, CONNECTION_HEAD_MS);
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
    if (r->match.route != NULL && r->match.route->upload != NULL) {
        /* it stays refused until the whole body was read */
        if (!upload_begin(r, p->flags & F_CHUNKED ? UINT64_MAX : p->content_length))
            return -1;
        c->state = UPLOADING;
    } else if (has_body && !(p->flags & F_CHUNKED) && p->content_length > r->body_limit) {
        request_refuse(r, HTTP_REFUSED_INPUT, 413, "the body is larger than %zu bytes",
                       r->body_limit);
        return -1;
    }
    if (c->state != UPLOADING) c->is_refused = false;
    if (has_body) connection_deadline(c, CONNECTION_BODY_MS);
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
    struct connection *c = p->data;

    if (c->request.upload == NULL) return make_room(c, p->content_length);
    upload_expect(c->request.upload, p->content_length);
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    struct connection *c = p->data;

    if (c->request.upload != NULL) {
        upload_take(c->request.upload, at, n);
        return 0;
    }
    if (make_room(c, n) != 0) return -1;
    builder_add(&c->request.body, at, n);
    return 0;
}

static int on_message_complete(http_parser *p)
{
    struct connection *c = p->data;

    if (c->request.upload != NULL)
        upload_complete(c->request.upload);
    else
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

/* A fiber that owns the request takes a body's bytes as it can. */
static bool may_parse(const struct connection *c)
{
    return c->state == READING ||
           (c->state == UPLOADING && upload_has_room(c->request.upload));
}

/* A bufferevent reads 4 KiB at a time, for each of which a thread of the pool would be
 * woken: an upload's bytes are taken from the socket in larger pieces. The client's end,
 * or trouble, is left for the bufferevent to find. */
static void read_more(struct connection *c, struct evbuffer *in)
{
    struct evbuffer_iovec room;
    ssize_t n;

    if (evbuffer_get_length(in) > 0) return;
    evbuffer_unfreeze(in, 0);
    if (evbuffer_reserve_space(in, READ_AT_ONCE, &room, 1) == 1) {
        n = recv(bufferevent_getfd(c->bev), room.iov_base, room.iov_len, MSG_DONTWAIT);
        room.iov_len = n > 0 ? (size_t)n : 0;
        LL_CHECK(evbuffer_commit_space(in, &room, 1) == 0);
    }
    evbuffer_freeze(in, 0);
}

/* At its high watermark a bufferevent calls back over and over until something is taken:
 * what cannot be parsed yet is not read either. */
static void pause_or_resume(struct connection *c, const struct evbuffer *in)
{
    bool is_full = evbuffer_get_length(in) >= CONNECTION_INPUT;

    if (is_full == c->is_paused) return;
    c->is_paused = is_full;
    if (is_full)
        bufferevent_disable(c->bev, EV_READ);
    else
        bufferevent_enable(c->bev, EV_READ);
}

void reading_go_on(struct connection *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    struct evbuffer *out = bufferevent_get_output(c->bev);
    struct evbuffer_iovec piece;

    while (c->bev != NULL && may_parse(c) && evbuffer_get_length(out) < OUTPUT_MOST &&
           evbuffer_peek(in, -1, NULL, &piece, 1) > 0 && piece.iov_len > 0) {
        if (piece.iov_len > UPLOAD_SLICE) piece.iov_len = UPLOAD_SLICE;
        if (!parse(c, in, piece)) return;
        if (c->state != READING && !c->is_started) {
            connection_handle(c);
            return; /* c may be gone */
        }
        if (c->state == UPLOADING && may_parse(c)) read_more(c, in);
    }
    if (c->bev != NULL) pause_or_resume(c, in);
    if (c->state == UPLOADING) upload_wake(c->request.upload);
}

void reading_too_late(struct connection *c)
{
    if (c->state == UPLOADING && !upload_waits(c->request.upload)) {
        connection_deadline(c, CONNECTION_BODY_MS); /* it is our disk that is late */
        return;
    }
    if (c->in_head) set_views(c);
    refuse_bytes(c, 408, "the request did not come in time");
}
