/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_load.h - closed-loop load over keep-alive connections: each sends its next request
 * when its answer is complete. One thread, epoll; it costs a few microseconds a request,
 * the same for whatever it is pointed at. */
#ifndef LL_HTTP_LOAD_H
#define LL_HTTP_LOAD_H

#include "core/base/text.h"

struct http_load {
    int port; /* on 127.0.0.1 */
    size_t connections;
    int seconds;                 /* measured, after a warm-up of a fifth of it */
    const struct text *requests; /* whole, with their headers; sent in turn */
    size_t request_count;
};

struct http_load_result {
    double per_second;
    double p50_us, p99_us;
    uint64_t answers;        /* measured */
    uint64_t answers_in_all; /* with those of the warm-up */
    uint64_t refused;        /* with a status other than 200 */
};

/* LL_EDATABASE when the server goes away or talks no HTTP. */
ll_rc http_load_run(const struct http_load *load, struct http_load_result *out,
                    struct ll_error *err) LL_MUST_CHECK;

#endif
