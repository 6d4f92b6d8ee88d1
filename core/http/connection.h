/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* connection.h - what connection.c (the socket, answers, life), reading.c (from bytes to
 * a request) and upload.c (bodies that stream) share; nobody else includes it.
 *
 * States: READING a head or body, UPLOADING (a fiber owns the request, whose body is
 * still coming), HANDLING (a fiber owns the request), LINGERING (answered, reading on so
 * that the client sees the answer). A connection whose client goes while a fiber owns the
 * request stays until the fiber is done.
 */
#ifndef LL_CONNECTION_H
#define LL_CONNECTION_H

#include "core/http/framing.h"
#include "core/http/request.h"

#include <http_parser.h>

enum {
    CONNECTION_INPUT = 256 * 1024, /* bytes that wait to be parsed, at most */
    CONNECTION_HEAD_MS = 10000,    /* from a head's first byte to its last */
    CONNECTION_BODY_MS = 30000     /* for a whole body */
};

enum connection_state { READING, UPLOADING, HANDLING, LINGERING };

struct connection {
    struct connection *next, **before; /* in connections.first */
    struct connections *all;
    struct bufferevent *bev; /* NULL: the client has gone */
    struct event *deadline;
    struct framing framing; /* looks at each byte before the parser does */
    http_parser parser;
    struct http_request request;
    struct address *address;
    enum connection_state state;
    bool keeps_alive, in_head, in_value, is_refused, is_started, is_paused;
    size_t unsent; /* bytes of a long answer, when they were last looked at */
    struct {       /* where each header lies in the head, which may still move */
        size_t name, name_len, value, value_len;
    } marks[REQUEST_HEADERS];
};

/* ---- connection.c ---- */
/* Give up on the client `ms` from now, unless told otherwise before; -1: never. */
void connection_deadline(struct connection *c, int ms);
/* A whole request is there, or the head of an upload: handle it on a fiber. The
 * connection may be gone after. */
void connection_handle(struct connection *c);
/* There is room for more of an upload: parse what has come, and read the socket. */
void connection_read_on(struct connection *c);
/* Has something come that was not parsed yet? */
bool connection_has_input(const struct connection *c);
/* No more of an upload is wanted. Where all of it was read, its request is now as any
 * other; else the connection ends with its answer. */
void connection_stop_upload(struct connection *c, bool is_whole);
/* Answered: the next request, or the end. */
void connection_turn_over(struct connection *c);

/* ---- reading.c ---- */
/* Parse until a request is whole, the input is empty, or the answers pile up. */
void reading_go_on(struct connection *c);
/* The time for a head or a body is up: answer 408. */
void reading_too_late(struct connection *c);

#endif
