/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_refusal.c - see notifications_refusal.h. */
#include "producers/notifications_refusal.h"

#include <string.h>

enum { ANSWER = 64 * 1024 };

static void answer(struct http_request *r, int status, json_t *body)
{
    struct builder b;

    builder_init(&b, ANSWER);
    json_write(body, &b);
    http_respond_json(r, status, builder_view(&b));
    builder_fini(&b);
    json_decref(body);
}

static const char *error_name(int status)
{
    switch (status) {
    case 400: return "Bad request";
    case 401: return "Not Authorized";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 422: return "Unprocessable Entity";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return status < 500 ? "Bad request" : "Internal Server Error";
    }
}

static void refuse_as(struct http_request *r, int status, const char *error,
                      const char *message)
{
    if (status == 500) /* what is wrong in here is in the log */
        answer(r, status, json_pack("{s:s}", "error", error));
    else
        answer(r, status, json_pack("{s:s, s:s}", "error", error, "message", message));
}

void notifications_refuse_input(struct http_request *r, const char *message)
{
    refuse_as(r, 400, error_name(400), message);
}

void notifications_refuse_body(struct http_request *r, int status, const char *message)
{
    answer(r, status, json_pack("{s:b, s:s}", "ok", 0, "message", message));
}

/* What core/http/bearer.h says of a request without the token. */
static bool is_about_token(const char *why)
{
    return strcmp(why, "Authorization header is missing") == 0 ||
           strcmp(why, "Invalid authorization header") == 0;
}

/* Without a signature the reason is in `error`, without a token it is in `message`. */
static void refuse_identity(struct http_request *r, int status, const char *why)
{
    if (status >= 500 || is_about_token(why))
        refuse_as(r, status, error_name(status), why);
    else
        refuse_as(r, status, why,
                  "This endpoint requires a signed fetch request. See ADR-44.");
}

void notifications_refuse(struct http_request *r, enum http_refusal why, int status,
                          struct text message)
{
    const char *text = arena_text(http_arena(r), message).ptr;

    switch (why) {
    case HTTP_REFUSED_ROUTE:
        http_respond(r, status, "text/plain",
                     status == 404 ? TEXT("Not found") : message);
        return;
    case HTTP_REFUSED_AUTH: refuse_identity(r, status, text); return;
    case HTTP_REFUSED_JSON: notifications_refuse_body(r, status, text); return;
    case HTTP_REFUSED_SCHEMA:
        answer(r, status,
               json_pack("{s:b, s:s, s:[s]}", "ok", 0, "message", "Invalid JSON body",
                         "data", text));
        return;
    case HTTP_REFUSED_INPUT:
    case HTTP_REFUSED_DECISION:
    case HTTP_REFUSED_CONFLICT:
    case HTTP_REFUSED_UNAVAILABLE: break;
    }
    refuse_as(r, status, error_name(status), text);
}
