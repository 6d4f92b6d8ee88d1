/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* builtin.c - the routes of the server itself. */
#include "core/http/openapi.h"
#include "core/http/request.h"

#include <string.h>

enum { DOCUMENT = 4 * 1024 * 1024 };

static void respond_built(struct http_request *r, int status, const char *type,
                          struct builder *b)
{
    LL_CHECK(!b->full);
    if (strcmp(type, "application/json") == 0)
        http_respond_json(r, status, builder_view(b));
    else
        http_respond(r, status, type, builder_view(b));
    builder_fini(b);
}

static void get_index(struct http_request *r)
{
    const struct http_service *service;
    const struct http_route *route;
    json_t *routes = json_array(), *index;
    struct builder b;

    for (size_t i = 0; router_at(r->server->router, i, &service, &route); i++) {
        struct builder path;

        builder_init(&path, 1024);
        if (service->name[0] != '\0' && !route->is_absolute)
            builder_printf(&path, "/%s", service->name);
        builder_string(&path, route->path);
        json_array_append_new(
            routes, json_pack("{s:s, s:s, s:b, s:s}", "method", route->method, "path",
                              builder_view(&path).ptr, "signed",
                              route->auth == HTTP_SIGNED, "summary", route->summary));
        builder_fini(&path);
    }
    index = json_pack("{s:s, s:s, s:s, s:o}", "name", "landlog", "version",
                      LANDLOG_VERSION, "openapi", "/openapi.json", "routes", routes);
    builder_init(&b, DOCUMENT);
    json_write(index, &b);
    json_decref(index);
    respond_built(r, 200, "application/json", &b);
}

/* 200 as long as every service can answer; 503 names those that cannot. */
static void get_health(struct http_request *r)
{
    struct server *s = r->server;
    json_t *services = json_object(), *health;
    bool is_well = true;
    struct builder b;

    for (size_t i = 0; i < s->served_count; i++) {
        const char *trouble =
            s->served[i].backend != NULL ? backend_trouble(s->served[i].backend) : NULL;

        if (s->served[i].backend == NULL) continue;
        is_well = is_well && trouble == NULL;
        json_object_set_new(services, s->served[i].service->name,
                            json_string(trouble ? trouble : "ok"));
    }
    health = json_pack("{s:s, s:o}", "status", is_well ? "ok" : "unavailable", "services",
                       services);
    builder_init(&b, DOCUMENT);
    json_write(health, &b);
    json_decref(health);
    http_add_header(r, "Cache-Control", "no-store");
    respond_built(r, is_well ? 200 : 503, "application/json", &b);
}

/* Gauges are this worker's, as of now; its block is summed with the others'. */
static void update_gauges(struct server *s)
{
    struct metrics *m = s->metrics;

    m->fibers = fiber_pool_alive(s->fibers);
    m->reads_in_flight = m->append_queue = 0;
    m->append_batches = m->append_commands = m->append_lost = 0;
    for (size_t i = 0; i < s->served_count; i++) {
        struct append_counts counts;

        if (s->served[i].backend == NULL) continue;
        counts = append_queue_counts(backend_queue(s->served[i].backend));
        m->reads_in_flight += backend_reads_in_flight(s->served[i].backend);
        m->append_queue += append_queue_length(backend_queue(s->served[i].backend));
        m->append_batches += counts.batches;
        m->append_commands += counts.commands;
        m->append_lost += counts.lost;
    }
}

static void get_metrics(struct http_request *r)
{
    struct builder b;

    update_gauges(r->server);
    builder_init(&b, DOCUMENT);
    metrics_print(r->server->all_metrics, r->server->workers, r->server->router, &b);
    respond_built(r, 200, "text/plain; version=0.0.4", &b);
}

static void get_openapi(struct http_request *r)
{
    struct builder b;

    builder_init(&b, DOCUMENT);
    openapi_print(r->server->router, NULL, &b);
    respond_built(r, 200, "application/json", &b);
}

static void get_service_openapi(struct http_request *r)
{
    struct text name = http_path_parameter(r, "service");
    struct builder b;

    for (size_t i = 0; i < r->server->served_count; i++) {
        const struct http_service *service = r->server->served[i].service;

        if (service->name[0] == '\0' || !text_is(name, service->name)) continue;
        builder_init(&b, DOCUMENT);
        openapi_print(r->server->router, service, &b);
        respond_built(r, 200, "application/json", &b);
        return;
    }
    request_refuse(r, HTTP_REFUSED_ROUTE, 404, "there is no such service");
}

static void refuse(struct http_request *r, enum http_refusal why, int status,
                   struct text message)
{
    struct builder b;

    (void)why;
    builder_init(&b, 8192);
    builder_string(&b, "{\"error\":");
    builder_json_string(&b, message);
    builder_string(&b, "}");
    http_respond(r, status, "application/json", builder_view(&b));
    builder_fini(&b);
}

static const struct http_route routes[] = {
    {.method = "GET", .path = "/", .handle = get_index, .summary = "What is served"},
    {.method = "GET",
     .path = "/health",
     .handle = get_health,
     .summary = "Whether every service can answer"},
    {.method = "GET",
     .path = "/metrics",
     .handle = get_metrics,
     .summary = "Counters in Prometheus' text format"},
    {.method = "GET",
     .path = "/openapi.json",
     .handle = get_openapi,
     .summary = "The description of all routes"},
    {.method = "GET",
     .path = "/openapi/:service",
     .handle = get_service_openapi,
     .summary = "The description of one service's routes"},
    {0},
};

const struct http_service core_service = {
    .name = "", .title = "Landlog", .routes = routes, .refuse = refuse};
