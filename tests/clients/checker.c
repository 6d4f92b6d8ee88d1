/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* checker.c - see checker.h. */
#include "checker.h"

#include "core/auth/signed_fetch.h"
#include "core/base/clock.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct event_base *base;
static struct evhttp *server;
static struct event *stop;
static struct link_cache *cache;
static pthread_t thread;
static int ends[2]; /* a byte in this pipe ends the thread */
static _Atomic unsigned count;

static bool find_header(const void *context, const char *name, struct text *value)
{
    const char *found = evhttp_find_header(context, name);

    *value = text_of(found);
    return found != NULL;
}

static const char *method_of(struct evhttp_request *r)
{
    return evhttp_request_get_command(r) == EVHTTP_REQ_POST ? "POST" : "GET";
}

static json_t *describe(const struct signed_fetch *f, struct evhttp_request *r,
                        const char *path)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(r);
    size_t n = evbuffer_get_length(in);

    return json_pack("{s:s%,s:s%,s:s,s:s,s:O,s:s%}", "address", f->address.ptr,
                     f->address.len, "signer", f->signer.ptr, f->signer.len, "method",
                     method_of(r), "path", path, "metadata", f->metadata, "body",
                     n ? (char *)evbuffer_pullup(in, -1) : "", n);
}

static void on_request(struct evhttp_request *r, void *unused)
{
    static const char *const keys[] = {"signer", "intent", NULL};
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(r));
    struct signed_fetch_request in = {.method = text_of(method_of(r)),
                                      .path = text_of(path),
                                      .header = find_header,
                                      .context = evhttp_request_get_input_headers(r),
                                      .now_ms = clock_now_ms()};
    struct signed_fetch_rules rules = {.window_ms = SIGNED_FETCH_WINDOW_MS,
                                       .metadata_keys = keys};
    struct evbuffer *out = evbuffer_new();
    struct signed_fetch f;
    struct arena arena;
    struct builder text;
    json_t *body;

    (void)unused;
    arena_init(&arena, 4 << 20);
    builder_init(&text, 1 << 20);
    signed_fetch_check(&f, &in, &rules, cache, &arena);
    body = f.state == SIGNED_FETCH_OK
               ? describe(&f, r, path)
               : json_pack("{s:s%}", "message", f.message.ptr, f.message.len);
    json_write(body, &text);
    evbuffer_add(out, text.ptr, text.len);
    count++;
    evhttp_send_reply(r, f.status, "x", out);

    evbuffer_free(out);
    json_decref(body);
    builder_fini(&text);
    signed_fetch_fini(&f);
    arena_fini(&arena);
}

static void on_stop(evutil_socket_t unused, short what, void *nothing)
{
    (void)unused;
    (void)what;
    (void)nothing;
    event_base_loopbreak(base);
}

static void *serve(void *unused)
{
    event_base_dispatch(base);
    return unused;
}

void checker_start(char url[64])
{
    struct evhttp_bound_socket *bound;
    struct sockaddr_in where = {0};
    socklen_t n = sizeof(where);

    cache = link_cache_new(100);
    base = event_base_new();
    server = evhttp_new(base);
    evhttp_set_gencb(server, on_request, NULL);
    bound = evhttp_bind_socket_with_handle(server, "127.0.0.1", 0);
    LL_CHECK(bound != NULL && pipe(ends) == 0);
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&where, &n);
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(where.sin_port));
    stop = event_new(base, ends[0], EV_READ, on_stop, NULL);
    event_add(stop, NULL);
    LL_CHECK(pthread_create(&thread, NULL, serve, NULL) == 0);
}

void checker_stop(void)
{
    LL_CHECK(write(ends[1], "", 1) == 1);
    pthread_join(thread, NULL);
    event_free(stop);
    evhttp_free(server);
    event_base_free(base);
    link_cache_free(cache);
    close(ends[0]);
    close(ends[1]);
}

unsigned checker_count(void)
{
    return count;
}
