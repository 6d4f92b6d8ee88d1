/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications.c - the notifications' in-app inbox over HTTP: the table of what may be
 * asked (contract: notifications). The handlers are in notifications_inbox.c, _choice.c
 * and _intake.c; reads are projections/notifications/queries.sql. Notifications are made
 * by consumers/notifier. */
#include "core/auth/signed_fetch.h"
#include "core/base/clock.h"
#include "producers/notifications_handlers.h"
#include "producers/notifications_refusal.h"

enum { WINDOW_MS = 5 * 60 * 1000, INTAKE_LIMIT = 4 * 1024 * 1024 };

extern const struct http_service notifications_service;

static void get_status(struct http_request *r)
{
    const char *body = arena_printf(
        http_arena(r), "{\"version\":\"%s\",\"currentTime\":%lld,\"commitHash\":\"\"}",
        LANDLOG_VERSION, (long long)clock_now_ms());

    http_respond_json(r, 200, text_of(body));
}

/* A scene must not read a person's inbox; all others may ask in the person's name. */
static bool accepts_metadata(const json_t *metadata)
{
    return !signed_fetch_may_be_signer(metadata, "decentraland-kernel-scene");
}

static const struct http_parameter inbox_parameters[] = {
    {"from", "{\"type\":\"integer\",\"minimum\":1}",
     "ms: not older than this; anything else filters nothing", false},
    {"onlyUnread", "{}", "given with any value, or none: what the caller has not read",
     false},
    {"limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":50,\"default\":20}",
     "how many; anything else is the default", false},
    {0},
};

static const char inbox_answer[] =
    "{\"type\":\"object\",\"required\":[\"notifications\"],\"properties\":{"
    "\"notifications\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":"
    "[\"id\",\"type\",\"address\",\"metadata\",\"timestamp\",\"read\"],\"properties\":{"
    "\"id\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"},"
    "\"address\":{\"type\":[\"string\",\"null\"]},\"metadata\":{\"type\":\"object\"},"
    "\"timestamp\":{\"type\":\"string\"},\"read\":{\"type\":\"boolean\"}}}}}}";

static const char read_body[] =
    "{\"type\":\"object\",\"required\":[\"notificationIds\"],\"properties\":{"
    "\"notificationIds\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":5000,"
    "\"items\":{\"type\":\"string\",\"format\":\"uuid\"}}}}";

static const char read_answer[] =
    "{\"type\":\"object\",\"required\":[\"updated\"],\"properties\":{\"updated\":"
    "{\"type\":\"integer\",\"minimum\":0}}}";

#define DETAILS \
    "{\"type\":\"object\",\"required\":[\"ignore_all_email\",\"ignore_all_in_app\"," \
    "\"message_type\"],\"properties\":{\"ignore_all_email\":{\"type\":\"boolean\"}," \
    "\"ignore_all_in_app\":{\"type\":\"boolean\"},\"message_type\":{\"type\":" \
    "\"object\",\"additionalProperties\":{\"type\":\"object\",\"required\":[\"email\"," \
    "\"in_app\"],\"properties\":{\"email\":{\"type\":\"boolean\"},\"in_app\":" \
    "{\"type\":\"boolean\"}}}}}}"

static const char subscription_body[] = DETAILS;

static const char subscription_answer[] =
    "{\"type\":\"object\",\"required\":[\"details\"],\"properties\":{\"details\":" DETAILS
    "}}";

static const char opt_out_body[] =
    "{\"type\":\"object\",\"required\":[\"scope\",\"scopeId\"],"
    "\"additionalProperties\":false,\"properties\":{\"scope\":{\"enum\":[\"community\"]},"
    "\"scopeId\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":1024}}}";

static const char opt_out_answer[] =
    "{\"type\":\"object\",\"required\":[\"scope\",\"scopeId\",\"optedOut\"],"
    "\"properties\":{\"scope\":{\"type\":\"string\"},\"scopeId\":{\"type\":\"string\"},"
    "\"optedOut\":{\"type\":\"boolean\"}}}";

static const char intake_body[] =
    "{\"type\":\"array\",\"maxItems\":100,\"items\":{\"type\":\"object\",\"required\":"
    "[\"type\",\"eventKey\",\"metadata\",\"timestamp\"],\"additionalProperties\":false,"
    "\"properties\":{\"type\":{\"type\":\"string\"},"
    "\"address\":{\"type\":\"string\",\"pattern\":\"^0x[a-fA-F0-9]{40}$\"},"
    "\"eventKey\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":1024},"
    "\"metadata\":{\"type\":\"object\"},"
    "\"timestamp\":{\"type\":\"integer\",\"exclusiveMinimum\":1672531200000}}}}";

static const char status_answer[] =
    "{\"type\":\"object\",\"required\":[\"version\",\"currentTime\",\"commitHash\"],"
    "\"properties\":{\"version\":{\"type\":\"string\"},\"currentTime\":"
    "{\"type\":\"integer\"},\"commitHash\":{\"type\":\"string\"}}}";

static const struct http_route routes[] = {
    {.method = "GET",
     .path = "/notifications",
     .auth = HTTP_SIGNED,
     .handle = notifications_get_inbox,
     .summary = "The caller's notifications and those for everybody, newest first",
     .parameters = inbox_parameters,
     .response_schema = inbox_answer},
    {.method = "POST",
     .path = "/notifications",
     .auth = HTTP_OPEN,
     .handle = notifications_post,
     .summary = "Bring notifications, for one or for everybody; needs the bearer token",
     .request_schema = intake_body,
     .body_limit = INTAKE_LIMIT},
    {.method = "PUT",
     .path = "/notifications/read",
     .auth = HTTP_SIGNED,
     .handle = notifications_put_read,
     .summary = "Mark as read; says how many were not yet",
     .request_schema = read_body,
     .response_schema = read_answer},
    {.method = "GET",
     .path = "/subscription",
     .auth = HTTP_SIGNED,
     .handle = notifications_get_subscription,
     .summary = "What the caller wants to hear of, and how",
     .response_schema = subscription_answer},
    {.method = "PUT",
     .path = "/subscription",
     .auth = HTTP_SIGNED,
     .handle = notifications_put_subscription,
     .summary = "Choose what to hear of, and how: the whole of it",
     .request_schema = subscription_body},
    {.method = "POST",
     .path = "/subscription/opt-outs",
     .auth = HTTP_SIGNED,
     .handle = notifications_post_opt_out,
     .summary = "Hear no more of a community",
     .request_schema = opt_out_body},
    {.method = "GET",
     .path = "/subscription/opt-outs/:scope/:scopeId",
     .auth = HTTP_SIGNED,
     .handle = notifications_get_opt_out,
     .summary = "Does the caller hear no more of this?",
     .response_schema = opt_out_answer},
    {.method = "DELETE",
     .path = "/subscription/opt-outs/:scope/:scopeId",
     .auth = HTTP_SIGNED,
     .handle = notifications_delete_opt_out,
     .summary = "Hear of it again"},
    {.method = "GET",
     .path = "/status",
     .auth = HTTP_OPEN,
     .handle = get_status,
     .summary = "Version and time",
     .response_schema = status_answer},
    {0},
};

static const char *const metadata_keys[] = {"signer", NULL};

const struct http_service notifications_service = {
    .name = "notifications",
    .title = "Notifications service: the in-app inbox",
    .projection = "notifications",
    .routes = routes,
    .metadata_keys = metadata_keys,
    .accepts_metadata = accepts_metadata,
    .signature_window = WINDOW_MS,
    .refuse = notifications_refuse,
};
