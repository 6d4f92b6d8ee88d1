/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* badges.c - badges over HTTP: the catalogue and who has what (contract: badges, 3).
 *
 * All that is shown is a query of the reactor consumers/badges. What administrators do is
 * badges_admin.c.
 */
#include "core/base/clock.h"
#include "producers/badges_admin.h"

extern const struct http_service badges_service;

static struct text lower_case(struct http_request *r, struct text t)
{
    struct text copy = arena_text(http_arena(r), t);
    char *c = (char *)(uintptr_t)copy.ptr; /* the arena's copy is ours to change */

    for (size_t i = 0; i < copy.len; i++)
        if (c[i] >= 'A' && c[i] <= 'Z') c[i] = (char)(c[i] - 'A' + 'a');
    return copy;
}

static struct http_query_value value_of(const char *name, struct text value)
{
    return (struct http_query_value){.name = name, .value = value};
}

static void get_badges(struct http_request *r)
{
    http_answer_query(r, "badges", NULL, 0);
}

static void get_badge(struct http_request *r)
{
    struct http_query_value values[] = {value_of("id", http_path_parameter(r, "id")),
                                        value_of("bare", TEXT("false"))};

    http_answer_query(r, "badge", values, LL_LENGTH(values));
}

static void get_tiers(struct http_request *r)
{
    struct http_query_value id = value_of("id", http_path_parameter(r, "id"));

    http_answer_query(r, "tiers", &id, 1);
}

static void get_categories(struct http_request *r)
{
    http_respond_json(r, 200,
                      TEXT("{\"data\":{\"categories\":[\"Explorer\",\"Collector\","
                           "\"Creator\",\"Socializer\",\"Builder\"]}}"));
}

static void get_user_badges(struct http_request *r)
{
    struct text wanted = TEXT("");
    bool is_wanted =
        http_query_parameter(r, "includeNotAchieved", &wanted) && text_is(wanted, "true");
    struct http_query_value values[] = {
        value_of("address", lower_case(r, http_path_parameter(r, "address"))),
        value_of("with_others", is_wanted ? TEXT("true") : TEXT("false"))};

    http_answer_query(r, "user_badges", values, LL_LENGTH(values));
}

static void get_preview(struct http_request *r)
{
    struct http_query_value address =
        value_of("address", lower_case(r, http_path_parameter(r, "address")));

    http_answer_query(r, "preview", &address, 1);
}

static void get_status(struct http_request *r)
{
    char *body = arena_printf(http_arena(r),
                              "{\"data\":{\"version\":\"%s\",\"currentTime\":%lld,"
                              "\"commitHash\":\"\"}}",
                              LANDLOG_VERSION, (long long)clock_now_ms());

    http_respond_json(r, 200, text_of(body));
}

/* ---- refusals ---- */

static void refuse_as(struct http_request *r, int status, const char *error,
                      struct text message)
{
    struct builder b;

    builder_init(&b, 8192);
    builder_printf(&b, "{\"error\":\"%s\",\"message\":", error);
    builder_json_string(&b, message);
    builder_char(&b, '}');
    http_respond_json(r, status, builder_view(&b));
    builder_fini(&b);
}

static void refuse(struct http_request *r, enum http_refusal why, int status,
                   struct text message)
{
    switch (why) {
    case HTTP_REFUSED_ROUTE:
        http_respond(r, status, "text/plain",
                     status == 404 ? TEXT("Not found") : message);
        return;
    case HTTP_REFUSED_AUTH: refuse_as(r, status, "Not Authorized", message); return;
    case HTTP_REFUSED_JSON:
        badges_refuse_backfill(r, "Invalid body", status, message);
        return;
    case HTTP_REFUSED_SCHEMA:
        badges_refuse_backfill(r, "Could not backfill this badge", status, message);
        return;
    case HTTP_REFUSED_INPUT:
    case HTTP_REFUSED_DECISION: refuse_as(r, status, "Bad request", message); return;
    case HTTP_REFUSED_CONFLICT: refuse_as(r, status, "Conflict", message); return;
    case HTTP_REFUSED_UNAVAILABLE: break;
    }
    refuse_as(r, status, status == 500 ? "Internal Server Error" : "Service Unavailable",
              message);
}

/* ---- the tables ---- */

static const struct http_parameter user_parameters[] = {
    {"includeNotAchieved", "{\"type\":\"string\"}",
     "`true`: also those that are not achieved", false},
    {0},
};

static const char data_body[] =
    "{\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":"
    "{\"type\":\"object\"}}}";

static const char list_body[] =
    "{\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":"
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"id\",\"name\","
    "\"category\",\"description\"]}}}}";

static const char user_body[] =
    "{\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":"
    "{\"type\":\"object\",\"required\":[\"achieved\",\"notAchieved\"],\"properties\":{"
    "\"achieved\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
    "\"notAchieved\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}}}";

static const struct http_route routes[] = {
    {.method = "GET",
     .path = "/badges",
     .handle = get_badges,
     .summary = "All badges",
     .response_schema = list_body},
    {.method = "GET",
     .path = "/badges/:id",
     .handle = get_badge,
     .summary = "One badge",
     .response_schema = data_body},
    {.method = "GET",
     .path = "/badges/:id/tiers",
     .handle = get_tiers,
     .summary = "Its tiers",
     .response_schema = data_body},
    {.method = "GET",
     .path = "/categories",
     .handle = get_categories,
     .summary = "The categories of badges",
     .response_schema = data_body},
    {.method = "GET",
     .path = "/users/:address/badges",
     .handle = get_user_badges,
     .summary = "Somebody's badges",
     .parameters = user_parameters,
     .response_schema = user_body},
    {.method = "GET",
     .path = "/users/:address/preview",
     .handle = get_preview,
     .summary = "The five that somebody achieved last",
     .response_schema = data_body},
    {.method = "GET",
     .path = "/status",
     .handle = get_status,
     .summary = "Version and time",
     .response_schema = data_body},
    {.method = "POST",
     .path = "/badges/:id/backfill",
     .handle = badges_post_backfill,
     .summary = "Tell what people did before; needs the administrator's token",
     .request_schema = badges_backfill_body,
     .response_schema = data_body,
     .body_limit = BADGES_BACKFILL_BYTES},
    {.method = "GET",
     .path = "/users/:address/badges/:id",
     .handle = badges_get_progress,
     .summary = "Progress as it is stored; needs the administrator's token",
     .response_schema = data_body},
    {.method = "DELETE",
     .path = "/users/:address/badges/:id",
     .handle = badges_delete_progress,
     .summary = "Forget progress, in a test world; needs the administrator's token"},
    {0},
};

const struct http_service badges_service = {
    .name = "badges",
    .title = "Badges",
    .projection = "badges",
    .log = "platform", /* back-fills stand among the person's own events */
    .routes = routes,
    .refuse = refuse,
};
