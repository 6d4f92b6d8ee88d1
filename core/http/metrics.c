/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metrics.c - see metrics.h. */
#include "core/http/metrics.h"

#include <stdio.h>
#include <sys/mman.h>

/* Upper bounds in microseconds; the last bucket has none. */
static const uint64_t bounds[METRICS_BUCKETS - 1] = {
    100,   250,   500,    1000,   2500,    5000,   10000,
    25000, 50000, 100000, 250000, 1000000, 5000000};

static const struct {
    const char *name, *type, *help;
    size_t offset;
} rows[] = {
    {"landlog_connections", "gauge", "open client connections",
     offsetof(struct metrics, connections)},
    {"landlog_fibers", "gauge", "requests being handled, and keepers",
     offsetof(struct metrics, fibers)},
    {"landlog_reads_in_flight", "gauge", "statements sent to the read model",
     offsetof(struct metrics, reads_in_flight)},
    {"landlog_append_queue", "gauge", "commands waiting for the log",
     offsetof(struct metrics, append_queue)},
    {"landlog_connections_accepted_total", "counter", "client connections accepted",
     offsetof(struct metrics, connections_accepted)},
    {"landlog_connections_refused_total", "counter", "client connections over a limit",
     offsetof(struct metrics, connections_refused)},
    {"landlog_requests_malformed_total", "counter", "requests that were not HTTP",
     offsetof(struct metrics, requests_malformed)},
    {"landlog_append_batches_total", "counter", "batches sent to the log",
     offsetof(struct metrics, append_batches)},
    {"landlog_append_commands_total", "counter", "commands sent to the log",
     offsetof(struct metrics, append_commands)},
    {"landlog_append_lost_total", "counter", "connections lost with commands in flight",
     offsetof(struct metrics, append_lost)},
};

struct metrics *metrics_new(size_t workers)
{
    struct metrics *m = mmap(NULL, workers * sizeof(*m), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    LL_CHECK(m != MAP_FAILED);
    return m;
}

void metrics_request(struct metrics *m, size_t route, int status, uint64_t duration_us)
{
    struct metrics_route *r = &m->routes[route];
    size_t bucket = 0;

    while (bucket < LL_LENGTH(bounds) && duration_us > bounds[bucket]) bucket++;
    r->statuses[status / 100 % 6]++;
    r->buckets[bucket]++;
    r->duration_us += duration_us;
}

static void print_rows(const struct metrics *blocks, size_t workers, struct builder *out)
{
    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        uint64_t sum = 0;

        for (size_t w = 0; w < workers; w++)
            sum += *(const uint64_t *)(const void *)((const char *)&blocks[w] +
                                                     rows[i].offset);
        builder_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", rows[i].name,
                       rows[i].help, rows[i].name, rows[i].type, rows[i].name,
                       (unsigned long long)sum);
    }
}

static struct metrics_route sum_route(const struct metrics *blocks, size_t workers,
                                      size_t i)
{
    struct metrics_route sum = {0};

    for (size_t w = 0; w < workers; w++) {
        const struct metrics_route *r = &blocks[w].routes[i];

        for (size_t k = 0; k < LL_LENGTH(sum.statuses); k++)
            sum.statuses[k] += r->statuses[k];
        for (size_t k = 0; k < METRICS_BUCKETS; k++) sum.buckets[k] += r->buckets[k];
        sum.duration_us += r->duration_us;
    }
    return sum;
}

static void print_histogram(const struct metrics_route *r, const char *labels,
                            struct builder *out)
{
    uint64_t sum = 0;

    for (size_t k = 0; k < METRICS_BUCKETS; k++) {
        char bound[32] = "+Inf";

        if (k < LL_LENGTH(bounds))
            snprintf(bound, sizeof(bound), "%g", (double)bounds[k] / 1e6);
        sum += r->buckets[k];
        builder_printf(out, "landlog_request_seconds_bucket{%s,le=\"%s\"} %llu\n", labels,
                       bound, (unsigned long long)sum);
    }
    builder_printf(out, "landlog_request_seconds_sum{%s} %.6f\n", labels,
                   (double)r->duration_us / 1e6);
    builder_printf(out, "landlog_request_seconds_count{%s} %llu\n", labels,
                   (unsigned long long)sum);
}

void metrics_print(const struct metrics *blocks, size_t workers,
                   const struct router *router, struct builder *out)
{
    const struct http_service *service;
    const struct http_route *route;
    char labels[256];

    print_rows(blocks, workers, out);
    builder_string(out, "# HELP landlog_requests_total requests by route and status\n"
                        "# TYPE landlog_requests_total counter\n");
    for (size_t i = 0; router_at(router, i, &service, &route); i++) {
        struct metrics_route r = sum_route(blocks, workers, i);

        for (size_t k = 1; k < LL_LENGTH(r.statuses); k++)
            if (r.statuses[k] > 0)
                builder_printf(out,
                               "landlog_requests_total{service=\"%s\",method=\"%s\","
                               "route=\"%s\",status=\"%zuxx\"} %llu\n",
                               service->name, route->method, route->path, k,
                               (unsigned long long)r.statuses[k]);
    }
    builder_string(out, "# HELP landlog_request_seconds time from headers to answer\n"
                        "# TYPE landlog_request_seconds histogram\n");
    for (size_t i = 0; router_at(router, i, &service, &route); i++) {
        struct metrics_route r = sum_route(blocks, workers, i);

        if (r.duration_us == 0) continue;
        snprintf(labels, sizeof(labels), "service=\"%s\",method=\"%s\",route=\"%s\"",
                 service->name, route->method, route->path);
        print_histogram(&r, labels, out);
    }
}
