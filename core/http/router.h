/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* router.h - from a path to a route: one tree over all services' tables.
 *
 * A service is reached under its own prefix (/social/...) and, where a domain is set, as
 * a virtual host (social.<domain>). Segments match as they are or by `:name`; a segment
 * that is spelled out wins. Built once, then only read.
 */
#ifndef LL_ROUTER_H
#define LL_ROUTER_H

#include "core/http/http.h"

enum { ROUTE_PARAMETERS = 8, ROUTE_SEGMENTS = 16, ROUTES_MAX = 1024 };

struct router;

/* Dies by LL_CHECK on a table that contradicts itself: that is our bug. */
struct router *router_new(const struct http_service *const *services, const char *domain);
void router_free(struct router *r);

struct route_match {
    const struct http_service *service; /* NULL: none has this path */
    const struct http_route *route;     /* NULL: not this method */
    size_t index;                       /* of the route among all, for metrics */
    struct text allowed;                /* methods of the path, for 405 */
    size_t parameter_count;
    struct text names[ROUTE_PARAMETERS];
    struct text values[ROUTE_PARAMETERS]; /* views into the path, still encoded */
};

/* `path` begins with a slash, as it was sent, without the query. HEAD finds GET. */
void router_find(const struct router *r, struct text host, struct text method,
                 struct text path, struct route_match *out);
/* The i-th route and its service; false past the last. */
bool router_at(const struct router *r, size_t i, const struct http_service **service,
               const struct http_route **route);

#endif
