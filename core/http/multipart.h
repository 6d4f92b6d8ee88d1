/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* multipart.h - multipart/form-data (RFC 7578) as its bytes come, in constant memory.
 *
 * gmime, which the design allows for this, reads a message whole and keeps its parts; an
 * upload of gigabytes must neither wait nor be kept. What is malformed is refused, also
 * where other parsers guess: a part without a name, a delimiter with something behind it,
 * folded or repeated headers. What is before the first delimiter and behind the last is
 * passed over.
 *
 * Threads: none. One owner.
 */
#ifndef LL_MULTIPART_H
#define LL_MULTIPART_H

#include "core/base/text.h"

enum {
    MULTIPART_BOUNDARY = 70,    /* characters (RFC 2046) */
    MULTIPART_HEAD = 16 * 1024, /* bytes of a part's headers */
    MULTIPART_NAME = 512,       /* bytes of a part's or a file's name */
    MULTIPART_TYPE = 256        /* bytes of a part's Content-Type */
};

struct multipart_part {
    struct text name;      /* UTF-8, not empty */
    struct text file_name; /* UTF-8; empty: none */
    struct text type;      /* Content-Type; empty: none */
    bool is_file;          /* it has a file's name, or is application/octet-stream */
};

/* Who takes the parts: begin, data any number of times, end. A result that is not LL_OK
 * ends the feeding with it. The views last as long as the call. */
struct multipart_sink {
    ll_rc (*begin)(void *context, const struct multipart_part *part);
    ll_rc (*data)(void *context, const char *bytes, size_t n);
    ll_rc (*end)(void *context);
};

struct multipart {
    unsigned state; /* multipart.c's */
    size_t matched; /* bytes of the delimiter */
    size_t delimiter_len;
    char delimiter[4 + MULTIPART_BOUNDARY]; /* CR LF -- boundary */
    struct builder head;
};

/* For a body of this Content-Type. LL_ENOTFOUND: it is another type; LL_EINVAL: it has no
 * boundary, or a malformed one. */
ll_rc multipart_init(struct multipart *m, struct text content_type) LL_MUST_CHECK;
void multipart_fini(struct multipart *m);
/* The next bytes. LL_EINVAL: malformed; what a sink said otherwise. Then not again. */
ll_rc multipart_feed(struct multipart *m, struct text bytes,
                     const struct multipart_sink *sink, void *context) LL_MUST_CHECK;
/* Has the last delimiter been seen? */
bool multipart_is_complete(const struct multipart *m);

#endif
