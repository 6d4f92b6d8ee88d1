/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metrics.h - counters of all worker processes, in memory that they share.
 *
 * Each worker writes its own block alone; /metrics of any worker sums them (Prometheus
 * text format 0.0.4).
 */
#ifndef LL_METRICS_H
#define LL_METRICS_H

#include "core/http/router.h"

enum { METRICS_BUCKETS = 14 };

struct metrics_route {
    uint64_t statuses[6]; /* 1xx to 5xx by their first digit */
    uint64_t buckets[METRICS_BUCKETS];
    uint64_t duration_us;
};

struct metrics {
    /* gauges */
    uint64_t connections, fibers, reads_in_flight, append_queue;
    /* counters */
    uint64_t connections_accepted, connections_refused, requests_malformed;
    uint64_t append_batches, append_commands, append_lost;
    struct metrics_route routes[ROUTES_MAX];
};

/* Blocks for `workers` processes, made before they are forked. */
struct metrics *metrics_new(size_t workers);
void metrics_request(struct metrics *m, size_t route, int status, uint64_t duration_us);
void metrics_print(const struct metrics *blocks, size_t workers,
                   const struct router *router, struct builder *out);

#endif
