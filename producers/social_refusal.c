/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* social_refusal.c - see social_refusal.h. */
#include "producers/social_refusal.h"

#include <string.h>

void social_refuse_as(struct http_request *r, int status, const char *error,
                      struct text message)
{
    struct builder b;

    builder_init(&b, 4096);
    builder_string(&b, "{\"error\":");
    builder_json_string(&b, text_of(error));
    builder_string(&b, ",\"message\":");
    builder_json_string(&b, message);
    builder_string(&b, "}");
    http_respond_json(r, status, builder_view(&b));
    builder_fini(&b);
}

/* A signer that is a scene, or that could pass for one once trimmed and lower-cased, or
 * under a key that only looks like `signer`, is refused (contract, 2.2; auth-chain, 3.4).
 */
bool social_accepts_metadata(const json_t *metadata)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)metadata, key, value)
    {
        struct text signer;

        if (!text_equal_ignoring_case(text_of(key), TEXT("signer"))) continue;
        if (strcmp(key, "signer") != 0 || !json_member_text(metadata, key, &signer))
            return false;
        if (text_is(signer, "decentraland-kernel-scene")) return false;
        if (signer.len > 0 && (signer.ptr[0] <= ' ' || signer.ptr[signer.len - 1] <= ' '))
            return false;
        for (size_t i = 0; i < signer.len; i++)
            if (signer.ptr[i] >= 'A' && signer.ptr[i] <= 'Z') return false;
    }
    return true;
}

static const char *error_name(int status)
{
    switch (status) {
    case 400: return "Bad request";
    case 401: return "Not Authorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return status < 500 ? "Bad request" : "Internal Server Error";
    }
}

static void refuse_body(struct http_request *r, int status, const char *message,
                        const char *reason)
{
    json_t *body = reason == NULL ? json_pack("{s:b, s:s}", "ok", 0, "message", message)
                                  : json_pack("{s:b, s:s, s:[s]}", "ok", 0, "message",
                                              message, "data", reason);
    struct builder b;

    builder_init(&b, 8192);
    json_write(body, &b);
    http_respond_json(r, status, builder_view(&b));
    builder_fini(&b);
    json_decref(body);
}

void social_refuse(struct http_request *r, enum http_refusal why, int status,
                   struct text message)
{
    const char *text = arena_text(http_arena(r), message).ptr;

    switch (why) {
    case HTTP_REFUSED_ROUTE:
        if (status == 404)
            http_respond(r, 404, "text/plain", TEXT("Not found"));
        else
            http_respond(r, status, "text/plain", message);
        return;
    case HTTP_REFUSED_AUTH:
        social_refuse_as(r, status, status < 500 ? text : error_name(status),
                         status < 500
                             ? TEXT("This endpoint requires a signed fetch request. "
                                    "See ADR-44.")
                             : message);
        return;
    case HTTP_REFUSED_JSON: refuse_body(r, status, text, NULL); return;
    case HTTP_REFUSED_SCHEMA: refuse_body(r, status, "Invalid JSON body", text); return;
    case HTTP_REFUSED_INPUT:
        if (status == 413) {
            http_respond(r, 413, "text/plain", TEXT("Payload Too Large"));
            return;
        }
        break;
    case HTTP_REFUSED_DECISION:
        if (status == 429) http_add_header(r, "Retry-After", "60");
        break;
    case HTTP_REFUSED_CONFLICT:
    case HTTP_REFUSED_UNAVAILABLE: break;
    }
    social_refuse_as(r, status, error_name(status), message);
}
