/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_post.h - a few JSON requests to one server, bounded in time and size (libcurl).
 * Internal to core/auth. Blocks; one owner, any thread. */
#ifndef LL_HTTP_POST_H
#define LL_HTTP_POST_H

#include "core/base/text.h"

enum { HTTP_ORIGIN = 300 };

struct http_post {
    void *curl; /* a CURL handle */
    unsigned call_ms;
    int64_t end_us; /* on the monotonic clock */
    struct builder answer;
};

/* Each call takes at most `call_ms`, all together `total_ms` from now on; an answer of
 * more than `most` bytes is an error. */
void http_post_init(struct http_post *p, unsigned call_ms, unsigned total_ms,
                    size_t most);
void http_post_fini(struct http_post *p);
/* POST a JSON body; redirects are not followed. `status` is the answer's. LL_ESYSTEM or
 * LL_ETIMEOUT when there is no whole answer. */
ll_rc http_post(struct http_post *p, const char *url, struct text body, long *status,
                struct ll_error *err) LL_MUST_CHECK;
/* The last answer's body, until the next call. */
struct text http_post_answer(const struct http_post *p);

/* "scheme://host[:port]" of a URL; false when it is not http or https, or too long. */
bool http_origin(const char *url, char out[HTTP_ORIGIN]);

#endif
