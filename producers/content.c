/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content.c - the deployments service: its routes, and the reads that one query answers
 * (contract: catalyst, 3). What is behind the others is in content_deploy.c (POST
 * /entities), content_entities.c, content_pages.c (history), content_files.c and
 * content_items.c. */
#include "core/base/clock.h"
#include "producers/content_service.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { ACTIVE_BODY = 2 * 1024 * 1024, FAILED_MOST = 1000, FAILED_ALL = 10000 };

extern const struct http_service content_service;

/* ---- what a worker keeps ---- */

static void stop(void *context)
{
    struct content_state *state = context;

    entity_limiter_free(state->limiter);
    entity_rules_free(state->rules);
    free(state);
}

static ll_rc start(const struct settings *settings, void **out, struct ll_error *err)
{
    struct content_state *state = ll_calloc(1, sizeof(*state));
    ll_rc rc = entity_rules_new(settings, &state->rules, err);

    if (rc == LL_OK) rc = entity_limits_read(settings, &state->limits, err);
    if (rc != LL_OK) {
        entity_rules_free(state->rules);
        free(state);
        return rc;
    }
    state->limiter = entity_limiter_new(&state->limits);
    state->started_ms = clock_now_ms();
    *out = state;
    return LL_OK;
}

/* ---- reads that one query answers ---- */

/* Answer with a query's row; without one, 404 with that message (or another status). */
static void answer_or(struct http_request *r, const char *query,
                      const struct http_query_value *values, size_t n, int status,
                      const char *message)
{
    struct http_query_answer answer;

    if (!http_query(r, query, values, n, &answer)) return;
    if (answer.found)
        http_respond_json(r, answer.status, answer.body);
    else
        content_refuse_as(r, status, "%s", message);
}

static void get_active_of_file(struct http_request *r)
{
    struct http_query_value hash = content_text("hash", http_path_parameter(r, "hashId"));

    answer_or(r, "active_of_file", &hash, 1, 404, "The entity was not found");
}

static void get_audit(struct http_request *r)
{
    struct text given = http_path_parameter(r, "type");
    enum entity_type type;

    if (!entity_type_find_loosely(given, &type)) {
        content_refuse_type(r, given);
        return;
    }
    struct http_query_value values[] = {
        content_text("type", text_of(entity_type_name(type))),
        content_text("id", http_path_parameter(r, "entityId")),
    };
    answer_or(r, "audit", values, LL_LENGTH(values), 404, "No deployment found");
}

static void get_failed(struct http_request *r)
{
    int64_t offset = content_number_parameter(r, "offset", 0);
    int64_t limit = content_number_parameter(r, "limit", FAILED_ALL);
    struct text ignored;

    if (offset < 0 || offset > INT_MAX) offset = 0;
    if (http_query_parameter(r, "limit", &ignored) && (limit < 0 || limit > FAILED_MOST))
        limit = FAILED_MOST;
    struct http_query_value values[] = {content_number(r, "limit", limit),
                                        content_number(r, "offset", offset)};
    http_answer_query(r, "failed_deployments", values, LL_LENGTH(values));
}

static void get_snapshots(struct http_request *r)
{
    answer_or(r, "snapshots", NULL, 0, 503, "New Snapshots not yet created");
}

/* ---- the node ---- */

/* Nothing is taken over from peers yet, so that there is nothing to wait for. */
static void get_status(struct http_request *r)
{
    const char *network =
        settings_service_string(http_settings(r), "content.eth-network", "mainnet");

    http_respond_json(
        r, 200,
        text_of(arena_printf(http_arena(r),
                             "{\"version\":\"" LANDLOG_VERSION
                             "\",\"commitHash\":\"Unknown\",\"ethNetwork\":\"%s\","
                             "\"synchronizationStatus\":{\"lastSyncWithDAO\":%lld,"
                             "\"synchronizationState\":\"Syncing\"}}",
                             strcmp(network, "sepolia") == 0 ? "sepolia" : "mainnet",
                             (long long)content_state(r)->started_ms)));
}

/* The same of every worker: what is recognised is the node, and its log is that. */
static void get_challenge(struct http_request *r)
{
    struct uuid id = uuid_v5(http_incarnation(r), TEXT("content challenge"));
    char text[UUID_TEXT];

    uuid_print(&id, text);
    http_respond_json(
        r, 200, text_of(arena_printf(http_arena(r), "{\"challengeText\":\"%s\"}", text)));
}

/* ---- refusals that core decides ---- */

static void refuse_body(struct http_request *r, struct text reason)
{
    json_t *body = json_pack("{s:b, s:s, s:[s%]}", "ok", 0, "message",
                             "Invalid JSON body", "data", reason.ptr, reason.len);
    struct builder b;
    char *text = json_dumps(body, JSON_COMPACT);

    builder_init(&b, 16 * 1024);
    builder_string(&b, text);
    http_respond_json(r, 400, builder_view(&b));
    builder_fini(&b);
    free(text);
    json_decref(body);
}

/* A deployment that passed every rule, and of which no event can be made. */
static void refuse_deployment(struct http_request *r, struct text message)
{
    struct builder b;

    builder_init(&b, 16 * 1024);
    builder_string(&b, "{\"errors\":[");
    builder_json_string(&b, message);
    builder_string(&b, "]}");
    http_respond_json(r, 400, builder_view(&b));
    builder_fini(&b);
}

static void refuse(struct http_request *r, enum http_refusal why, int status,
                   struct text message)
{
    if (why == HTTP_REFUSED_ROUTE && status == 404)
        http_respond(r, 404, "text/plain", TEXT("Not found"));
    else if (why == HTTP_REFUSED_ROUTE)
        http_respond(r, status, "text/plain", message);
    else if (why == HTTP_REFUSED_JSON || why == HTTP_REFUSED_SCHEMA)
        refuse_body(r, message);
    else if (why == HTTP_REFUSED_DECISION)
        refuse_deployment(r, message);
    else if (status == 500)
        content_refuse_as(r, 500, "Internal Server Error");
    else
        content_refuse_as(r, status, "%.*s", TEXT_ARGS(message));
}

/* ---- the tables ---- */

static const char active_body[] =
    "{\"oneOf\":["
    "{\"type\":\"object\",\"required\":[\"ids\"],\"additionalProperties\":false,"
    "\"properties\":{\"ids\":{\"$ref\":\"#/definitions/list\"}}},"
    "{\"type\":\"object\",\"required\":[\"pointers\"],\"additionalProperties\":false,"
    "\"properties\":{\"pointers\":{\"$ref\":\"#/definitions/list\"}}}],"
    "\"definitions\":{\"list\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,"
    "\"items\":{\"type\":\"string\",\"minLength\":1}}}}";

static const char entities_body[] =
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"version\",\"id\","
    "\"type\",\"timestamp\",\"pointers\",\"content\"]}}";

static const struct http_upload upload = {
    .total = 2LLU * 1024 * 1024 * 1024,
    .file_count = 3000,
    .file_size = 100 * 1024 * 1024,
    .field_count = 100,
    .field_size = 100 * 1024,
};

#define TEXT_PARAMETER(name, words) \
    { \
        name, "{\"type\":\"string\"}", words, false \
    }

static const struct http_parameter entity_parameters[] = {
    TEXT_PARAMETER("id", "ids; repeated"),
    TEXT_PARAMETER("pointer", "or pointers; repeated"),
    TEXT_PARAMETER("fields", "of content, pointers, metadata: what is not masked"),
    {0}};

static const struct http_parameter collection_parameters[] = {
    TEXT_PARAMETER("pageSize", "entities a page: 100, at most 1000"),
    TEXT_PARAMETER("pageNum", "which page, from 1"),
    {0}};

static const struct http_parameter history_parameters[] = {
    TEXT_PARAMETER("entityType", "only these types; repeated"),
    TEXT_PARAMETER("entityId", "only these entities; repeated"),
    TEXT_PARAMETER("pointer", "only what has one of these; repeated"),
    TEXT_PARAMETER("onlyCurrentlyPointed", "true: only active ones"),
    TEXT_PARAMETER("fields", "of pointers, content, metadata, auditInfo"),
    TEXT_PARAMETER("from", "ms, included"),
    TEXT_PARAMETER("to", "ms, included"),
    TEXT_PARAMETER("sortingField", "local_timestamp or entity_timestamp"),
    TEXT_PARAMETER("sortingOrder", "ASC or DESC"),
    TEXT_PARAMETER("lastId", "the last one seen, of those at the border"),
    TEXT_PARAMETER("offset", "rows to skip, at most 5000"),
    TEXT_PARAMETER("limit", "rows a page, at most 500"),
    {0}};

static const struct http_parameter changes_parameters[] = {
    TEXT_PARAMETER("entityType", "only these types; repeated"),
    TEXT_PARAMETER("includeAuthChain", "chains are always there"),
    TEXT_PARAMETER("from", "ms, included"),
    TEXT_PARAMETER("to", "ms, included"),
    TEXT_PARAMETER("sortingField", "local_timestamp or entity_timestamp"),
    TEXT_PARAMETER("sortingOrder", "ASC or DESC"),
    TEXT_PARAMETER("lastId", "the last one seen, of those at the border"),
    TEXT_PARAMETER("offset", "rows to skip, at most 5000"),
    TEXT_PARAMETER("limit", "rows a page, at most 500"),
    {0}};

static const struct http_parameter available_parameters[] = {
    {"cid", "{\"type\":\"string\"}", "hashes of files; repeated, at most 1000", true},
    {0}};

static const struct http_parameter content_parameters[] = {
    TEXT_PARAMETER("includeMimeType", "present: the type is told from the first bytes"),
    {0}};

static const struct http_parameter failed_parameters[] = {
    TEXT_PARAMETER("offset", "rows to skip"),
    TEXT_PARAMETER("limit", "rows, at most 1000; all where it is absent"),
    {0}};

static const struct http_route routes[] = {
    {.method = "POST",
     .path = "/entities",
     .handle = content_post_entity,
     .summary = "Deploy an entity and its files",
     .upload = &upload},
    {.method = "POST",
     .path = "/entities/active",
     .handle = content_post_active,
     .summary = "Active entities by ids or by pointers",
     .request_schema = active_body,
     .response_schema = entities_body,
     .body_limit = ACTIVE_BODY},
    {.method = "GET",
     .path = "/entities/active",
     .handle = content_get_type_active,
     .summary = "No type of entities is called active"},
    {.method = "GET",
     .path = "/entities/:type",
     .handle = content_get_entities,
     .summary = "Active entities by ids or by pointers, of any type (deprecated)",
     .parameters = entity_parameters,
     .response_schema = entities_body},
    {.method = "GET",
     .path = "/entities/active/collections/:collectionUrn",
     .handle = content_get_collection,
     .summary = "Active entities of a collection",
     .parameters = collection_parameters},
    {.method = "GET",
     .path = "/contents/:hashId",
     .handle = content_get_content,
     .summary = "A file by its hash",
     .parameters = content_parameters},
    {.method = "GET",
     .path = "/contents/:hashId/active-entities",
     .handle = get_active_of_file,
     .summary = "Ids of the active entities that use a file"},
    {.method = "GET",
     .path = "/available-content",
     .handle = content_get_available,
     .summary = "Which files are here already",
     .parameters = available_parameters},
    {.method = "GET",
     .path = "/audit/:type/:entityId",
     .handle = get_audit,
     .summary = "Who deployed an entity, and when"},
    {.method = "GET",
     .path = "/deployments",
     .handle = content_get_deployments,
     .summary = "A page of the history of deployments",
     .parameters = history_parameters},
    {.method = "GET",
     .path = "/pointer-changes",
     .handle = content_get_pointer_changes,
     .summary = "A page of the history of deployments, for replication",
     .parameters = changes_parameters},
    {.method = "GET",
     .path = "/snapshots",
     .handle = get_snapshots,
     .summary = "Files that list what is active, by stretches of time"},
    {.method = "GET",
     .path = "/failed-deployments",
     .handle = get_failed,
     .summary = "Deployments of peers that were refused here",
     .parameters = failed_parameters},
    {.method = "GET",
     .path = "/status",
     .handle = get_status,
     .summary = "Version and state of this node"},
    {.method = "GET",
     .path = "/challenge",
     .handle = get_challenge,
     .summary = "A text by which this node recognises itself"},
    {.method = "GET",
     .path = "/queries/items/:pointer/thumbnail",
     .handle = content_get_thumbnail,
     .summary = "The thumbnail of a wearable or emote"},
    {.method = "GET",
     .path = "/queries/items/:pointer/image",
     .handle = content_get_image,
     .summary = "The image of a wearable or emote"},
    {.method = "GET",
     .path = "/queries/erc721/:chainId/:contract/:option",
     .handle = content_get_erc721,
     .summary = "An item's metadata as ERC-721 marketplaces read it"},
    {.method = "GET",
     .path = "/queries/erc721/:chainId/:contract/:option/:emission",
     .handle = content_get_erc721_emission,
     .summary = "The same, of one token"},
    {0},
};

static const struct http_cors cors = {
    .reflects = true,
    .headers = "Cache-Control, Content-Type, Origin, Accept, User-Agent, X-Upload-Origin",
    .max_age = 86400,
};

const struct http_service content_service = {
    .name = "content",
    .title = "Content server: deployments of entities and their files",
    .projection = "content",
    .routes = routes,
    .ignores_case = true,
    .cors = &cors,
    .start = start,
    .stop = stop,
    .refuse = refuse,
};
