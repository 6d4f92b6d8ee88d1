/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* raw_http.h - HTTP as bytes, for what no well-behaved client would send.
 *
 * Loopback only, blocking with a deadline. Responses are counted and the last one is
 * kept; that the server's answer is itself well-formed is part of what is read.
 */
#ifndef LL_RAW_HTTP_H
#define LL_RAW_HTTP_H

#include "core/base/text.h"

enum { RAW_STATUSES = 8, RAW_KEPT = 16384 };

struct raw_reply {
    size_t count;               /* complete final responses */
    int statuses[RAW_STATUSES]; /* of the first of them */
    int interim;                /* 1xx responses */
    bool closed;                /* the server ended the connection in order (FIN) */
    bool was_reset;             /* ... or with a reset, which can eat an answer */
    bool malformed;             /* what came is no HTTP response */
    struct text head, body;     /* of the last complete response, into `bytes` */
    size_t len;
    char bytes[RAW_KEPT];
};

/* A connection; ends the test where there is none. */
int raw_connect(int port);
/* Write all of it; false when the server has gone. Blocks at most 5 s. */
bool raw_send(int socket, struct text bytes);
/* Read until `responses` are complete, the server has closed, or `timeout_ms` is over. */
void raw_receive(int socket, size_t responses, int timeout_ms, struct raw_reply *out);
/* Until the server closes, or `timeout_ms` is over. */
void raw_receive_to_end(int socket, int timeout_ms, struct raw_reply *out);
/* Connect, send, read one response (or more), and close. */
void raw_exchange(int port, struct text bytes, size_t responses, struct raw_reply *out);
/* The first status, 0 when nothing came. */
int raw_status(const struct raw_reply *r);
/* The value of a header of the last response; empty when absent. */
struct text raw_header(const struct raw_reply *r, const char *name);
/* Close with a reset, as a client that vanished. */
void raw_abort(int socket);

#endif
