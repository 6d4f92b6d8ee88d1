/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* request.c - a request from its head to its answer: route, limits, CORS, and the calls
 * of http.h that only look at it. */
#include "core/http/request.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/event/schema.h"
#include "core/http/upload.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

/* ---- life ---- */

void request_init(struct http_request *r, struct server *server, struct connection *c,
                  struct text peer)
{
    *r = (struct http_request){
        .server = server, .connection = c, .socket_peer = peer, .peer = peer};
    arena_init(&r->arena, REQUEST_ARENA);
    builder_init(&r->head, REQUEST_HEAD);
    builder_init(&r->body, REQUEST_BODY);
    builder_init(&r->extra, 16 * 1024);
}

void request_reset(struct http_request *r)
{
    struct server *server = r->server;
    struct connection *c = r->connection;
    struct arena arena = r->arena;
    struct builder head = r->head, body = r->body, extra = r->extra;

    json_decref(r->json);
    arena_reset(&arena);
    builder_reset(&head);
    builder_reset(&body);
    builder_reset(&extra);
    /* Headers are counted anew and the match is written before it is read: no need to
     * clear them. Views into the head must not outlive it: a refusal may come, and be
     * logged, before the next head is whole. */
    memset(&r->id, 0, sizeof(r->id));
    r->server = server;
    r->connection = c;
    r->arena = arena;
    r->head = head;
    r->body = body;
    r->extra = extra;
    r->header_count = r->sent = 0;
    r->method = r->target = (struct text){0};
    r->url = (struct url){0};
    r->peer = r->socket_peer;
    r->served = NULL;
    r->match = (struct route_match){0};
    r->identity = (struct http_identity){0};
    r->payload = r->traceparent = (struct text){0};
    r->json = NULL;
    r->has_generation = r->has_position = false;
    r->command = (struct uuid){0};
    r->status = 0;
}

void request_fini(struct http_request *r)
{
    json_decref(r->json);
    arena_fini(&r->arena);
    builder_fini(&r->head);
    builder_fini(&r->body);
    builder_fini(&r->extra);
}

/* ---- what handlers ask of it ---- */

struct arena *http_arena(struct http_request *r)
{
    return &r->arena;
}

const struct registry *http_registry(const struct http_request *r)
{
    return r->server->registry;
}

const struct settings *http_settings(const struct http_request *r)
{
    return r->server->settings;
}

void *http_service_state(const struct http_request *r)
{
    return r->served->state;
}

const struct uuid *http_incarnation(const struct http_request *r)
{
    return backend_incarnation(r->served->backend);
}

const struct http_identity *http_identity(const struct http_request *r)
{
    return &r->identity;
}

struct text http_body(const struct http_request *r)
{
    return builder_view(&r->body);
}

struct text http_header(const struct http_request *r, const char *name)
{
    struct text wanted = text_of(name);

    for (size_t i = 0; i < r->header_count; i++)
        if (text_equal_ignoring_case(r->headers[i].name, wanted))
            return r->headers[i].value;
    return TEXT("");
}

struct text http_path_parameter(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->match.parameter_count; i++)
        if (text_is(r->match.names[i], name)) return r->parameters[i];
    LL_BUG("a parameter that the route's path does not have");
    return TEXT("");
}

bool http_query_parameter(const struct http_request *r, const char *name,
                          struct text *out)
{
    struct text query = r->url.query, found = {0}, key, value;
    struct arena *arena = (struct arena *)(uintptr_t)&r->arena;
    bool is_there = false;

    while (url_next_parameter(&query, &key, &value)) {
        struct text decoded;

        if (url_decode(key, true, arena, &decoded, NULL) != LL_OK ||
            !text_is(decoded, name))
            continue;
        found = value;
        is_there = true;
    }
    return is_there && url_decode(found, true, arena, out, NULL) == LL_OK;
}

const json_t *http_json_body(struct http_request *r)
{
    const struct schema *schema = r->server->schemas[r->match.index];
    struct ll_error err;

    LL_CHECK(schema != NULL);
    if (json_parse(http_body(r), JSON_DEPTH, &r->json, &err) != LL_OK) {
        request_refuse(r, HTTP_REFUSED_JSON, 400, "%s", err.text);
        return NULL;
    }
    if (schema_validate(schema, r->json, &err) != LL_OK) {
        request_refuse(r, HTTP_REFUSED_SCHEMA, 400, "%s", err.text);
        return NULL;
    }
    return r->json;
}

/* ---- answering ---- */

void http_add_header(struct http_request *r, const char *name, const char *value)
{
    LL_CHECK(strpbrk(name, "\r\n: ") == NULL && strpbrk(value, "\r\n") == NULL);
    builder_printf(&r->extra, "%s: %s\r\n", name, value);
}

static const struct http_cors *cors_of(const struct http_request *r)
{
    static const struct http_cors any = {.max_age = 86400};
    const struct http_service *service = r->match.service;

    return service != NULL && service->cors != NULL ? service->cors : &any;
}

/* Clients in browsers may call from anywhere and read what the API says (contract social,
 * 3.1). */
static void add_cors(struct http_request *r)
{
    struct text origin = http_header(r, "origin");
    const struct http_cors *cors = cors_of(r);

    if (cors->reflects) http_add_header(r, "Vary", "Origin");
    if (origin.len == 0) return;
    http_add_header(r, "Access-Control-Allow-Origin",
                    cors->reflects ? arena_text(&r->arena, origin).ptr : "*");
    if (cors->reflects) http_add_header(r, "Access-Control-Allow-Credentials", "true");
    http_add_header(r, "Access-Control-Expose-Headers",
                    "ETag, Landlog-Position, Retry-After, X-Request-Id");
}

static void add_position(struct http_request *r)
{
    char text[TOKEN_TEXT];

    if (!r->has_position) return;
    token_print(&r->minimum, text);
    http_add_header(r, "Landlog-Position", text);
}

static void log_access(const struct http_request *r, int64_t duration_us)
{
    note(NOTE_INFO, "request", NOTE_T("method", r->method), NOTE_T("path", r->url.path),
         NOTE_I("status", r->status), NOTE_I("bytes", r->sent), NOTE_I("us", duration_us),
         NOTE_T("peer", r->peer), NOTE_T("address", r->identity.address),
         NOTE_S("id", r->id));
}

static void begin_answer(struct http_request *r, int status)
{
    LL_CHECK(r->status == 0);
    r->status = status;
    if (r->id[0] != '\0') http_add_header(r, "X-Request-Id", r->id);
    add_position(r);
    add_cors(r);
}

static void end_answer(struct http_request *r)
{
    int64_t duration = clock_monotonic_us() - r->started_us;

    if (r->match.route != NULL)
        metrics_request(r->server->metrics, r->match.index, r->status,
                        (uint64_t)duration);
    log_access(r, duration);
}

void http_respond(struct http_request *r, int status, const char *content_type,
                  struct text body)
{
    begin_answer(r, status);
    connection_answer(r->connection, status, content_type, builder_view(&r->extra), body);
    end_answer(r);
}

void request_respond_file(struct http_request *r, int status, const char *content_type,
                          struct file_part part)
{
    begin_answer(r, status);
    connection_answer_file(r->connection, status, content_type, builder_view(&r->extra),
                           part);
    end_answer(r);
}

/* A tag of the bytes, so that a client that has them need not be sent them again. */
static bool is_known_to_client(struct http_request *r, struct text body)
{
    struct uuid hash = uuid_hash(body);
    struct text wanted = http_header(r, "if-none-match"), one;
    char tag[UUID_TEXT + 2];

    snprintf(tag, sizeof(tag), "\"");
    uuid_print(&hash, tag + 1);
    strncat(tag, "\"", 2);
    http_add_header(r, "ETag", tag);
    while (wanted.len > 0) {
        text_cut(&wanted, ',', &one);
        while (one.len > 0 && one.ptr[0] == ' ') one.ptr++, one.len--;
        if (text_starts_with(one, "W/")) one.ptr += 2, one.len -= 2;
        if (text_is(one, tag) || text_is(one, "*")) return true;
    }
    return false;
}

void http_respond_json(struct http_request *r, int status, struct text body)
{
    bool is_read = text_is(r->method, "GET") || text_is(r->method, "HEAD");

    if (status == 200 && is_read && is_known_to_client(r, body))
        http_respond(r, 304, "application/json", TEXT(""));
    else
        http_respond(r, status, "application/json", body);
}

void request_refuse(struct http_request *r, enum http_refusal why, int status,
                    const char *fmt, ...)
{
    const struct http_service *service =
        r->match.service != NULL ? r->match.service : &core_service;
    char message[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    if (status == 503) http_add_header(r, "Retry-After", "1");
    service->refuse(r, why, status, text_of(message));
}

/* ---- the head is there ---- */

static bool is_request_id(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
            !(c >= 'A' && c <= 'Z') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return t.len > 0 && t.len <= REQUEST_ID;
}

/* The client's own id where it is a sane one, so that its logs and ours can be joined. */
static void choose_id(struct http_request *r)
{
    static const char digits[] = "0123456789abcdef";
    static _Thread_local uint64_t count, start;
    struct text given = http_header(r, "x-request-id");
    uint64_t n;

    if (is_request_id(given)) {
        memcpy(r->id, given.ptr, given.len);
        r->id[given.len] = '\0';
        return;
    }
    if (start == 0)
        LL_CHECK(RAND_bytes((unsigned char *)&start, sizeof(start)) == 1 && (start |= 1));
    n = start + 0x9e3779b97f4a7c15U * count++; /* distinct for ever, and cheap */
    for (int i = 0; i < 16; i++) r->id[i] = digits[n >> (60 - 4 * i) & 15];
    r->id[16] = '\0';
}

/* W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>; anything else is not passed on. */
static struct text traceparent_of(const struct http_request *r)
{
    struct text t = http_header(r, "traceparent");
    unsigned char bytes[16];

    if (t.len != 55 || !text_starts_with(t, "00-") || t.ptr[35] != '-' ||
        t.ptr[52] != '-' || !hex_decode((struct text){t.ptr + 3, 32}, bytes, 16) ||
        !hex_decode((struct text){t.ptr + 36, 16}, bytes, 8) ||
        !hex_decode((struct text){t.ptr + 53, 2}, bytes, 1))
        return TEXT("");
    return t;
}

/* The address that a trusted proxy speaks for: the right-most it names. */
static void choose_peer(struct http_request *r)
{
    struct text trusted =
        text_of(settings_string(r->server->settings, SETTING_HTTP_PROXIES));
    struct text forwarded = http_header(r, "x-forwarded-for"), one;

    while (trusted.len > 0) {
        text_cut(&trusted, ',', &one);
        while (one.len > 0 && one.ptr[0] == ' ') one.ptr++, one.len--;
        if (!text_equal(one, r->peer)) continue;
        while (forwarded.len > 0) text_cut(&forwarded, ',', &one);
        while (one.len > 0 && one.ptr[0] == ' ') one.ptr++, one.len--;
        if (one.len > 0 && one.len < 64) r->peer = one;
        return;
    }
}

static struct served *served_of(struct server *s, const struct http_service *service)
{
    for (size_t i = 0; i < s->served_count; i++)
        if (s->served[i].service == service) return &s->served[i];
    return NULL;
}

bool request_begin(struct http_request *r)
{
    struct ll_error err;

    choose_id(r);
    choose_peer(r);
    r->traceparent = traceparent_of(r);
    if (url_parse(r->target, &r->url, &err) != LL_OK) {
        request_refuse(r, HTTP_REFUSED_INPUT, 400, "%s", err.text);
        return false;
    }
    router_find(r->server->router, http_header(r, "host"), r->method, r->url.path,
                &r->match);
    r->served = served_of(r->server, r->match.service ? r->match.service : &core_service);
    r->body_limit = r->server->body_limit;
    if (r->match.route != NULL && r->match.route->body_limit > 0)
        r->body_limit = r->match.route->body_limit;
    return true;
}

/* ---- handling ---- */

/* A preflight asks for leave to send what it names; any answer would do for any path. */
static void answer_preflight(struct http_request *r)
{
    struct text wanted = http_header(r, "access-control-request-headers");
    const struct http_cors *cors = cors_of(r);

    builder_printf(&r->extra,
                   "Access-Control-Allow-Methods: "
                   "GET,HEAD,OPTIONS,DELETE,POST,PUT,PATCH\r\n"
                   "Access-Control-Max-Age: %u\r\n",
                   cors->max_age);
    if (http_header(r, "origin").len == 0 && !cors->reflects)
        http_add_header(r, "Access-Control-Allow-Origin", "*");
    if (cors->headers != NULL) {
        http_add_header(r, "Access-Control-Allow-Headers", cors->headers);
    } else if (wanted.len > 0 && wanted.len < 2048) {
        http_add_header(r, "Access-Control-Allow-Headers",
                        arena_text(&r->arena, wanted).ptr);
        http_add_header(r, "Vary", "Access-Control-Request-Headers");
    }
    http_respond(r, 204, "text/plain", TEXT(""));
}

static bool decode_parameters(struct http_request *r)
{
    struct ll_error err;

    for (size_t i = 0; i < r->match.parameter_count; i++) {
        if (url_decode(r->match.values[i], false, &r->arena, &r->parameters[i], &err) ==
            LL_OK)
            continue;
        request_refuse(r, HTTP_REFUSED_INPUT, 400, "%s", err.text);
        return false;
    }
    return true;
}

/* The least that the answer must reflect, from the request's own header. */
static bool read_minimum(struct http_request *r)
{
    struct text given = http_header(r, "landlog-position");
    const struct uuid *incarnation;

    if (r->served == NULL || r->served->backend == NULL) return true;
    incarnation = backend_incarnation(r->served->backend);
    token_init(&r->minimum, incarnation);
    if (given.len == 0) return true;
    if (token_parse(&r->minimum, given) != LL_OK) {
        token_init(&r->minimum, incarnation);
        request_refuse(r, HTTP_REFUSED_INPUT, 400, "Landlog-Position is not a position");
        return false;
    }
    if (uuid_equal(&r->minimum.incarnation, incarnation)) return true;
    request_refuse(r, HTTP_REFUSED_INPUT, 412, "Landlog-Position is of another log");
    return false;
}

void request_handle(struct http_request *r)
{
    const struct http_route *route = r->match.route;

    if (text_is(r->method, "OPTIONS")) {
        answer_preflight(r);
    } else if (route == NULL && r->match.allowed.len > 0) {
        http_add_header(r, "Allow", arena_text(&r->arena, r->match.allowed).ptr);
        request_refuse(r, HTTP_REFUSED_ROUTE, 405, "Method Not Allowed");
    } else if (route == NULL) {
        request_refuse(r, HTTP_REFUSED_ROUTE, 404, "there is nothing at this path");
    } else if (decode_parameters(r) && request_authenticate(r) && read_minimum(r) &&
               (route->upload == NULL || upload_receive(r))) {
        route->handle(r);
    }
    upload_finish(r);
}
