/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* router.c - a tree of path segments; see router.h. */
#include "core/http/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct text segment; /* ":name" is stored as its name */
    struct node *children, *next;
    struct node *parameter; /* the child that matches any segment */
    const struct http_service *service;
    const struct http_route *routes[8]; /* one a method */
    size_t indexes[8];
    size_t route_count;
    char allowed[64];
};

struct router {
    struct node root; /* its children are the services' prefixes */
    struct {
        const struct http_service *service;
        const struct http_route *route;
    } all[ROUTES_MAX];
    size_t count;
    char *domain;
    const struct http_service *const *services;
};

static struct node *child_of(struct node *n, struct text segment)
{
    struct node *child;

    if (segment.ptr[0] == ':') {
        struct text name = {segment.ptr + 1, segment.len - 1};

        if (n->parameter == NULL) n->parameter = ll_calloc(1, sizeof(*n));
        LL_CHECK(n->parameter->segment.len == 0 ||
                 text_equal(n->parameter->segment, name));
        n->parameter->segment = name;
        return n->parameter;
    }
    for (child = n->children; child != NULL; child = child->next)
        if (text_equal(child->segment, segment)) return child;
    child = ll_calloc(1, sizeof(*child));
    child->segment = segment;
    child->next = n->children;
    n->children = child;
    return child;
}

static struct node *node_of(struct node *n, struct text path)
{
    struct text segment;

    while (path.len > 0) {
        text_cut(&path, '/', &segment);
        if (segment.len > 0) n = child_of(n, segment);
    }
    return n;
}

static void allow(struct node *n, const char *method)
{
    size_t used = strlen(n->allowed);
    int wrote = snprintf(n->allowed + used, sizeof(n->allowed) - used, "%s%s%s",
                         used > 0 ? ", " : "", method,
                         strcmp(method, "GET") == 0 ? ", HEAD" : "");

    LL_CHECK(wrote > 0 && (size_t)wrote < sizeof(n->allowed) - used);
}

static void add_route(struct router *r, struct node *prefix,
                      const struct http_service *service, const struct http_route *route)
{
    struct node *n =
        node_of(route->is_absolute ? &r->root : prefix, text_of(route->path));

    LL_CHECK(n->route_count < LL_LENGTH(n->routes) && r->count < ROUTES_MAX);
    n->service = service;
    n->routes[n->route_count] = route;
    n->indexes[n->route_count++] = r->count;
    allow(n, route->method);
    r->all[r->count].service = service;
    r->all[r->count++].route = route;
}

struct router *router_new(const struct http_service *const *services, const char *domain)
{
    struct router *r = ll_calloc(1, sizeof(*r));

    r->domain = ll_strdup(domain);
    r->services = services;
    for (; *services != NULL; services++) {
        struct node *prefix = node_of(&r->root, text_of((*services)->name));

        prefix->service = *services;
        for (const struct http_route *route = (*services)->routes; route->method != NULL;
             route++)
            add_route(r, prefix, *services, route);
    }
    return r;
}

static void free_below(struct node *n)
{
    for (struct node *child = n->children, *next; child != NULL; child = next) {
        next = child->next;
        free_below(child);
        free(child);
    }
    if (n->parameter != NULL) free_below(n->parameter);
    free(n->parameter);
}

void router_free(struct router *r)
{
    free_below(&r->root);
    free(r->domain);
    free(r);
}

/* The node of the prefix that a host stands for: social.<domain>[:port]. */
static const struct node *start_of(const struct router *r, struct text host)
{
    struct text name;

    text_cut(&host, ':', &name);
    host = name;
    if (r->domain[0] == '\0' || !text_cut(&host, '.', &name) ||
        !text_equal_ignoring_case(host, text_of(r->domain)))
        return &r->root;
    for (const struct node *n = r->root.children; n != NULL; n = n->next)
        if (text_equal_ignoring_case(n->segment, name)) return n;
    return &r->root;
}

static const struct node *step(const struct node *n, struct text segment,
                               struct route_match *out)
{
    bool ignores_case = out->service != NULL && out->service->ignores_case;

    for (const struct node *child = n->children; child != NULL; child = child->next)
        if (text_equal(child->segment, segment) ||
            (ignores_case && text_equal_ignoring_case(child->segment, segment)))
            return child;
    if (n->parameter == NULL || out->parameter_count == ROUTE_PARAMETERS) return NULL;
    out->names[out->parameter_count] = n->parameter->segment;
    out->values[out->parameter_count++] = segment;
    return n->parameter;
}

void router_find(const struct router *r, struct text host, struct text method,
                 struct text path, struct route_match *out)
{
    const struct node *n = start_of(r, host);
    struct text segment;

    *out = (struct route_match){0};
    if (n->service != NULL) out->service = n->service;
    if (path.len > 0 && path.ptr[0] == '/')
        path = (struct text){path.ptr + 1, path.len - 1};
    while (path.len > 0 && n != NULL) {
        bool more = text_cut(&path, '/', &segment);

        /* An empty segment is one of its own: /a//b is not /a/b, and /a/ is not /a. */
        n = segment.len == 0 || (more && path.len == 0) ? NULL : step(n, segment, out);
        if (n != NULL && n->service != NULL) out->service = n->service;
    }
    if (n == NULL || n->route_count == 0) return;

    out->allowed = text_of(n->allowed);
    if (text_is(method, "HEAD")) method = TEXT("GET");
    for (size_t i = 0; i < n->route_count; i++) {
        if (!text_is(method, n->routes[i]->method)) continue;
        out->route = n->routes[i];
        out->index = n->indexes[i];
    }
}

bool router_at(const struct router *r, size_t i, const struct http_service **service,
               const struct http_route **route)
{
    if (i >= r->count) return false;
    *service = r->all[i].service;
    *route = r->all[i].route;
    return true;
}
