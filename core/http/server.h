/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* server.h - one worker: a listening socket, its event loop, and the services' routes. */
#ifndef LL_SERVER_H
#define LL_SERVER_H

#include "core/base/settings.h"
#include "core/http/metrics.h"

struct server_plan {
    const struct settings *settings;
    const struct registry *registry;
    const struct http_service *const *services; /* ends with NULL */
    struct metrics *metrics;                    /* one block a worker */
    size_t workers, worker;                     /* how many, and which this is */
};

/* Listen (SO_REUSEPORT, so that several workers share the port) and serve until SIGTERM
 * or SIGINT; then finish what is being handled, 10 s at most. Everything in `plan` must
 * outlive it. After a failure the process must end: what was opened is not closed. */
ll_rc server_run(const struct server_plan *plan, struct ll_error *err) LL_MUST_CHECK;

#endif
