/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* framing.h - a strict look at where a request's lines, head and chunks end.
 *
 * Debian builds http-parser for speed: it takes any byte for the LF that ends a head,
 * does not look at what ends a chunk, and lets spaces into names. A proxy in front that
 * reads the same bytes otherwise is then open to smuggled requests (RFC 9112, 11.2). So
 * each byte passes here first, and the parser sees none that this grammar refuses.
 *
 * Accepts less than the RFC lets a server take: lines end in CR LF, nothing is folded,
 * chunk extensions and trailers are bounded. Holds for one request after another; what a
 * body of known length holds is not looked at.
 *
 * Threads: none. One connection owns it.
 */
#ifndef LL_FRAMING_H
#define LL_FRAMING_H

#include "core/base/base.h"

enum {
    FRAMING_EXTENSION = 1024, /* bytes behind a chunk's size */
    FRAMING_TRAILERS =
        16 * 1024,      /* bytes of trailers, and of empty lines before a head */
    FRAMING_DIGITS = 16 /* of a chunk's size */
};

struct framing {
    unsigned state; /* framing.c's */
    bool in_trailers;
    uint64_t chunk;       /* bytes left of it */
    size_t digits, spent; /* of a size (or a version), of what is bounded */
};

/* At a request's first byte. */
void framing_init(struct framing *f);

/* How many of these bytes the parser may be given now: at most up to the end of a head,
 * or of a chunked body. With *fault set, the byte behind them is refused, and why. 0 of
 * some without a fault: the request has ended, framing_init() begins the next. */
size_t framing_check(struct framing *f, const char *bytes, size_t n, const char **fault);

/* What the head said of the body: call when the parser has seen the whole head. A body
 * that is not chunked (or none) passes unseen until framing_init(). */
void framing_body(struct framing *f, bool is_chunked);

#endif
