/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* server.c - one worker from its first socket to its last; see server.h. */
#include "core/http/server.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/event/schema.h"
#include "core/http/request.h"
#include "core/http/upload.h"

#include <errno.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    FIBERS = 20000,
    LINKS = 10000, /* verified delegations remembered: about 1 MB */
    OFFLOAD_THREADS = 4,
    DRAIN_MS = 10000,
    BACKLOG = 1024
};

/* ---- what is served ---- */

static ll_rc open_service(struct server *s, const struct http_service *service,
                          struct served *out, struct ll_error *err)
{
    ll_rc rc;

    *out = (struct served){.service = service};
    rc = service->start != NULL ? service->start(s->settings, &out->state, err) : LL_OK;
    if (rc != LL_OK || service->projection == NULL) return rc;
    rc = projection_load(service->projection, s->registry, &out->projection, err);
    if (rc != LL_OK) return rc;
    out->backend =
        backend_new(s->base, s->fibers, s->settings,
                    service->log != NULL ? service->log : service->name, out->projection);
    return LL_OK;
}

static ll_rc compile_schemas(struct server *s, struct ll_error *err)
{
    const struct http_service *service;
    const struct http_route *route;

    s->schemas = ll_calloc(ROUTES_MAX, sizeof(void *));
    for (size_t i = 0; router_at(s->router, i, &service, &route); i++) {
        json_t *document;
        ll_rc rc;

        if (route->upload != NULL) {
            rc = upload_check_settings(s->settings, service->name, route->upload, err);
            if (rc != LL_OK) return rc;
        }
        if (route->request_schema == NULL) continue;
        rc = json_parse(text_of(route->request_schema), JSON_DEPTH, &document, err);
        if (rc == LL_OK) rc = schema_compile(document, &s->schemas[i], err);
        json_decref(document);
        if (rc == LL_OK) continue;
        ll_error_prefix(err, "body schema of %s %s", route->method, route->path);
        return rc;
    }
    return LL_OK;
}

static ll_rc open_services(struct server *s, const struct http_service *const *services,
                           struct ll_error *err)
{
    const struct http_service **all;
    size_t n = 0;
    ll_rc rc = LL_OK;

    while (services[n] != NULL) n++;
    all = ll_calloc(n + 2, sizeof(*all));
    s->served = ll_calloc(n + 1, sizeof(*s->served));
    all[0] = &core_service;
    for (size_t i = 0; i < n; i++) all[i + 1] = services[i];
    s->services = all;
    for (size_t i = 0; i <= n && rc == LL_OK; i++)
        rc = open_service(s, all[i], &s->served[s->served_count++], err);
    s->router = router_new(all, settings_string(s->settings, SETTING_HTTP_DOMAIN));
    return rc == LL_OK ? compile_schemas(s, err) : rc;
}

static void close_services(struct server *s)
{
    for (size_t i = 0; i < s->served_count; i++) {
        if (s->served[i].backend != NULL) backend_free(s->served[i].backend);
        projection_free(s->served[i].projection);
        if (s->served[i].state != NULL) s->served[i].service->stop(s->served[i].state);
    }
    for (size_t i = 0; s->schemas != NULL && i < ROUTES_MAX; i++)
        schema_free(s->schemas[i]);
    free(s->schemas);
    if (s->router != NULL) router_free(s->router);
    free(s->served);
    free((void *)(uintptr_t)s->services);
}

/* ---- listening and stopping ---- */

struct listening {
    struct server *server;
    struct evconnlistener *listener;
    int64_t stop_by_us;
};

static void accepted(struct evconnlistener *listener, evutil_socket_t fd,
                     struct sockaddr *at, int length, void *context)
{
    struct listening *l = context;

    (void)listener, (void)length;
    connections_accept(l->server->connections, fd, at);
}

static void begin_stop(evutil_socket_t fd, short what, void *context)
{
    struct listening *l = context;

    (void)fd, (void)what;
    if (l->server->is_stopping) return;
    l->server->is_stopping = true;
    l->stop_by_us = clock_monotonic_us() + DRAIN_MS * 1000LL;
    evconnlistener_disable(l->listener);
    connections_drain(l->server->connections);
}

/* Every 20 ms once stopping: leave when nobody is being served any more. */
static void check_stop(evutil_socket_t fd, short what, void *context)
{
    struct listening *l = context;
    struct server *s = l->server;
    bool is_late;

    (void)fd, (void)what;
    if (!s->is_stopping) return;
    is_late = clock_monotonic_us() > l->stop_by_us;
    if (connections_count(s->connections) > 0 && !is_late) return;
    connections_stop_uploads(s->connections);
    for (size_t i = 0; i < s->served_count; i++)
        if (s->served[i].backend != NULL) backend_stop(s->served[i].backend);
    if (fiber_pool_alive(s->fibers) == 0)
        event_base_loopexit(s->base, NULL);
    else if (clock_monotonic_us() > l->stop_by_us + DRAIN_MS * 1000LL) {
        note(NOTE_WARNING, "leaving with requests unfinished",
             NOTE_I("fibers", fiber_pool_alive(s->fibers)));
        exit(1);
    }
}

static ll_rc listen_on(struct listening *l, struct ll_error *err)
{
    struct server *s = l->server;
    const char *address = settings_string(s->settings, SETTING_HTTP_ADDRESS);
    uint64_t port = settings_number(s->settings, SETTING_HTTP_PORT);
    struct sockaddr_storage at;
    int length = sizeof(at);
    char text[128];

    snprintf(text, sizeof(text), strchr(address, ':') ? "[%s]:%llu" : "%s:%llu", address,
             (unsigned long long)port);
    if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&at, &length) != 0)
        return ll_fail(err, LL_EINVAL,
                       "%s: setting `http.address` must be an IP address, not "
                       "\"%s\"",
                       settings_origin(s->settings, SETTING_HTTP_ADDRESS), address);
    l->listener = evconnlistener_new_bind(s->base, accepted, l,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
                                              LEV_OPT_REUSEABLE | LEV_OPT_REUSEABLE_PORT,
                                          BACKLOG, (struct sockaddr *)&at, length);
    if (l->listener == NULL)
        return ll_fail(err, LL_ESYSTEM, "cannot listen on %s: %s", text, strerror(errno));
    note(NOTE_INFO, "listening", NOTE_S("address", text));
    return LL_OK;
}

static void serve(struct listening *l)
{
    static const struct timeval often = {0, 20000};
    struct event_base *base = l->server->base;
    struct event *stops[] = {evsignal_new(base, SIGTERM, begin_stop, l),
                             evsignal_new(base, SIGINT, begin_stop, l),
                             event_new(base, -1, EV_PERSIST, check_stop, l)};

    event_add(stops[0], NULL);
    event_add(stops[1], NULL);
    event_add(stops[2], &often);
    event_base_dispatch(base);
    for (size_t i = 0; i < LL_LENGTH(stops); i++) event_free(stops[i]);
}

ll_rc server_run(const struct server_plan *plan, struct ll_error *err)
{
    struct server s = {
        .settings = plan->settings,
        .registry = plan->registry,
        .metrics = &plan->metrics[plan->worker],
        .all_metrics = plan->metrics,
        .workers = plan->workers,
        .wait_ms = (int)settings_number(plan->settings, SETTING_HTTP_WAIT),
        .body_limit = settings_number(plan->settings, SETTING_HTTP_BODY_LIMIT),
    };
    struct listening l = {.server = &s};
    ll_rc rc;

    signal(SIGPIPE, SIG_IGN);
    s.base = event_base_new();
    LL_CHECK(s.base != NULL);
    s.fibers = fiber_pool_new(s.base, FIBERS);
    s.links = link_cache_new(LINKS);
    s.offload = offload_new(s.base, OFFLOAD_THREADS);
    s.blobs = blob_store_new(s.settings);
    s.connections = connections_new(&s);
    rc = open_services(&s, plan->services, err);
    if (rc == LL_OK) rc = listen_on(&l, err);
    if (rc != LL_OK)
        return rc; /* the process ends now, and takes what was opened with it */
    serve(&l);

    evconnlistener_free(l.listener);
    connections_free(s.connections);
    close_services(&s);
    offload_free(s.offload);
    blob_store_free(s.blobs);
    link_cache_free(s.links);
    fiber_pool_free(s.fibers);
    event_base_free(s.base);
    return rc;
}
