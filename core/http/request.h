/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* request.h - what lies behind http.h's opaque request, for core/http alone.
 *
 * A request lives in its connection and is used again for the next one. While it is
 * handled its fiber owns it, even when the client has gone.
 */
#ifndef LL_REQUEST_H
#define LL_REQUEST_H

#include "core/auth/link_cache.h"
#include "core/http/backend.h"
#include "core/http/http.h"
#include "core/http/metrics.h"
#include "core/http/url.h"
#include "core/net/offload.h"

#include <event2/bufferevent.h>

enum {
    REQUEST_HEADERS = 100,    /* fields */
    REQUEST_HEAD = 64 * 1024, /* bytes of request line and fields */
    REQUEST_TARGET = 8 * 1024,
    REQUEST_ARENA = 32 * 1024 * 1024,
    REQUEST_ID = 64,
    REQUEST_BODY = 16 * 1024 * 1024 /* the most that a route or setting may allow */
};

struct schema;
struct upload;

/* What one served service has in this worker. */
struct served {
    const struct http_service *service;
    struct backend *backend; /* NULL: it has no projection */
    struct projection *projection;
    void *state; /* what the service's start() made */
};

struct server {
    const struct settings *settings;
    const struct registry *registry;
    const struct http_service *const *services;
    struct event_base *base;
    struct fiber_pool *fibers;
    struct offload *offload;
    struct blob_store *blobs;
    size_t uploads; /* under way */
    struct router *router;
    struct served *served; /* as `services`; one more for core's own routes */
    size_t served_count;
    struct schema **schemas; /* a route's request_schema, by its index; NULL: none */
    struct link_cache *links;
    struct metrics *metrics, *all_metrics;
    size_t workers;
    struct connections *connections;
    int wait_ms;
    size_t body_limit;
    bool is_stopping;
};

struct header {
    struct text name, value;
};

struct http_request {
    struct server *server;
    struct connection *connection;
    struct arena arena;

    struct builder head; /* what the views of target and headers point into */
    struct text method, target;
    struct url url;
    struct header headers[REQUEST_HEADERS];
    size_t header_count;
    struct builder body;
    size_t body_limit;
    struct text socket_peer; /* who is connected; the connection's */
    struct text peer;        /* whom the request is from: that, or whom a proxy names */
    char id[REQUEST_ID + 1];
    struct text traceparent;

    struct route_match match;
    struct served *served;
    struct text parameters[ROUTE_PARAMETERS]; /* decoded */
    struct http_identity identity;
    struct text payload;   /* what was signed; empty: unsigned */
    struct upload *upload; /* NULL: the route takes none */
    json_t *json;

    struct token minimum; /* what the answer must reflect, and what it will say */
    bool has_position;    /* something was read: the answer says how far */
    bool has_generation;
    struct generation generation;
    struct uuid command; /* idempotency key, once a mutation has made it */

    int64_t started_us;
    int status;           /* 0: not answered yet */
    struct builder extra; /* header lines of the answer */
    size_t sent;
};

/* Handle it from its head and body to its answer; on a fiber. */
void request_handle(struct http_request *r);
/* Choose the route and the limits once the head is there. False: refused, `status` and
 * the answer are set and the body must not be read. */
bool request_begin(struct http_request *r);
/* Refuse in the service's shape, or in core's own where no service is known. */
void request_refuse(struct http_request *r, enum http_refusal why, int status,
                    const char *fmt, ...) LL_PRINTF(4, 5);
/* Who signed it; false when it was refused. */
bool request_authenticate(struct http_request *r);
/* Wait until the read model has come to the request's minimum; false when it was refused
 * (503; 412 where the minimum is the client's and beyond the log's end). */
bool request_wait_minimum(struct http_request *r, bool is_from_client);
/* Empty for the next request; keeps its memory. */
void request_reset(struct http_request *r);
void request_init(struct http_request *r, struct server *server, struct connection *c,
                  struct text peer);
void request_fini(struct http_request *r);

/* Send the answer down the connection, if it is still there (connection.c). */
void connection_answer(struct connection *c, int status, const char *content_type,
                       struct text extra, struct text body);
/* A part of a file, from the disk to the socket without passing through us. */
struct file_part {
    int fd; /* the receiver closes it */
    uint64_t from, length;
};
void connection_answer_file(struct connection *c, int status, const char *content_type,
                            struct text extra, struct file_part part);
/* http_respond() with a file's bytes. */
void request_respond_file(struct http_request *r, int status, const char *content_type,
                          struct file_part part);

/* The routes of the server itself: /, /health, /metrics, /openapi.json (builtin.c). */
extern const struct http_service core_service;

/* Connections of one worker (connection.c). */
struct connections *connections_new(struct server *server);
void connections_accept(struct connections *cs, evutil_socket_t fd,
                        const struct sockaddr *at);
/* Close those that are idle; the others close after their answer. */
void connections_drain(struct connections *cs);
/* Those that have not come to their end are refused with 503. */
void connections_stop_uploads(struct connections *cs);
size_t connections_count(const struct connections *cs);
void connections_free(struct connections *cs);

#endif
