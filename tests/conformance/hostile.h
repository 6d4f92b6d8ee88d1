/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* hostile.h - tables of bytes that no good client sends, and what must come of each. */
#ifndef LL_HOSTILE_H
#define LL_HOSTILE_H

#include "core/base/text.h"

#define HOST      "Host: localhost\r\n"
#define PLACE     "/social/v1/friendships"
#define POST      "POST " PLACE " HTTP/1.1\r\n" HOST
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST
#define GOOD      GET("/") "\r\n"

enum after {
    ANY,    /* open or closed */
    CLOSES, /* the server ends the connection, in order, and answers nothing more */
    STAYS   /* a good request on the same connection is answered */
};

struct hostile {
    const char *name;
    struct text bytes;
    int statuses[3]; /* one of these, in one well-formed answer */
    enum after after;
};

/* Send each on a connection of its own, then a good request. How many went wrong, each
 * of them printed. */
size_t hostile_wrong(int port, const struct hostile *all, size_t n);

#endif
