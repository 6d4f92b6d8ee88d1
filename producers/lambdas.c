/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lambdas.c - profiles over lambdas (contract: lamb2, 3.5): read from the deployments'
 * read model, and shaped by lambdas_profile.h. The rest of the service comes with the
 * indexers that it asks. */
#include "core/auth/unicode_lower.h"
#include "core/base/json_js.h"
#include "core/http/http.h"
#include "producers/lambdas_profile.h"

#include <stdlib.h>
#include <string.h>

enum { PROFILES_MOST = 1000, BODY = 1024 * 1024, ANSWER = 32 * 1024 * 1024 };

extern const struct http_service lambdas_service;

static void refuse_as(struct http_request *r, int status, const char *error,
                      struct text message)
{
    struct builder b;

    builder_init(&b, 8192);
    builder_string(&b, "{\"error\":");
    builder_json_string(&b, text_of(error));
    builder_string(&b, ",\"message\":");
    builder_json_string(&b, message);
    builder_char(&b, '}');
    http_respond_json(r, status, builder_view(&b));
    builder_fini(&b);
}

static void refuse(struct http_request *r, enum http_refusal why, int status,
                   struct text message)
{
    if (why == HTTP_REFUSED_ROUTE)
        http_respond(r, status, "text/plain", message);
    else if (why == HTTP_REFUSED_JSON || status == 500)
        http_respond_json(r, 500, TEXT("{\"error\":\"Internal Server Error\"}"));
    else
        refuse_as(r, status, status < 500 ? "Bad request" : "Service Unavailable",
                  message);
}

/* ---- the profiles of a request ---- */

struct profiles {
    struct builder body; /* a JSON array */
    size_t count;
    int64_t newest; /* ms: the largest timestamp among them */
};

static const char *cdn_of(const struct http_request *r)
{
    return settings_service_string(http_settings(r), "lambdas.profile-cdn-url",
                                   "https://profile-images.decentraland.org");
}

/* One profile to the answer. One that cannot be read spoils no other. */
static void add_profile(struct http_request *r, struct text row, struct profiles *out)
{
    struct lambdas_profile p = {.cdn = cdn_of(r)};
    json_t *profile, *metadata, *shown;
    struct text pointer;
    struct ll_error err;
    int64_t timestamp;
    char *text;

    if (json_js_parse(row, &profile, &err) != LL_OK) return;
    metadata = json_object_get(profile, "metadata");
    timestamp = (int64_t)json_number_value(json_object_get(profile, "timestamp"));
    if (json_is_array(json_object_get(metadata, "avatars")) &&
        json_member_text(profile, "id", &p.entity_id) &&
        json_member_text(profile, "pointer", &pointer)) {
        p.is_default = text_starts_with(pointer, "default");
        lambdas_profile_shape(&p, metadata, http_arena(r));
        shown = json_pack("{s:f, s:O}", "timestamp", (double)timestamp, "avatars",
                          json_object_get(metadata, "avatars"));
        text = json_dumps(shown, JSON_COMPACT);
        if (out->count++ > 0) builder_char(&out->body, ',');
        if (json_js_write(text_of(text), &out->body, &err) != LL_OK)
            LL_BUG("what was dumped cannot be read");
        if (timestamp > out->newest) out->newest = timestamp;
        free(text);
        json_decref(shown);
    }
    json_decref(profile);
}

/* Rows stand on a line each. False: answered already. */
static bool read_profiles(struct http_request *r, struct text ids, struct profiles *out)
{
    struct http_query_value value = {.name = "ids", .value = ids};
    struct http_query_answer answer;
    struct text rows, row;

    if (!http_query(r, "profiles", &value, 1, &answer)) return false;
    if (answer.status != 200) {
        refuse_as(r, answer.status, "Bad request",
                  TEXT("These profiles are too large for one answer"));
        return false;
    }
    rows = answer.body;
    while (rows.len > 0) {
        text_cut(&rows, '\n', &row);
        add_profile(r, row, out);
    }
    return true;
}

/* ---- handlers ---- */

/* The ids of the body, lower case, as a JSON array; false when it was refused. */
static bool read_ids(struct http_request *r, struct text *out)
{
    const json_t *body = http_json_body(r), *ids, *id;
    struct builder b;
    size_t i;

    if (body == NULL) return false;
    ids = json_object_get(body, "ids");
    if (!json_is_array(ids)) {
        refuse_as(r, 400, "Bad request",
                  TEXT("No profile ids were specified. Expected ids:string[] in body"));
        return false;
    }
    if (json_array_size(ids) > PROFILES_MOST) {
        refuse_as(r, 400, "Bad request",
                  TEXT("Too many profile ids; the maximum allowed is 1000"));
        return false;
    }
    builder_init(&b, 4 * BODY);
    builder_char(&b, '[');
    json_array_foreach(ids, i, id)
    {
        struct text text = {json_string_value(id), json_string_length(id)};

        if (!json_is_string(id)) continue;
        if (b.len > 1) builder_char(&b, ',');
        builder_json_string(&b, ascii_lower(text, http_arena(r)));
    }
    builder_char(&b, ']');
    *out = arena_text(http_arena(r), builder_view(&b));
    builder_fini(&b);
    return true;
}

static void post_profiles(struct http_request *r)
{
    struct profiles found = {0};
    struct text ids;
    int64_t since;

    if (!read_ids(r, &ids)) return;
    builder_init(&found.body, ANSWER);
    builder_char(&found.body, '[');
    if (read_profiles(r, ids, &found)) {
        builder_char(&found.body, ']');
        if (lambdas_http_date(http_header(r, "if-modified-since"), &since) &&
            found.newest / 1000 <= since)
            http_respond(r, 304, "application/json", TEXT(""));
        else
            http_respond_json(r, 200, builder_view(&found.body));
    }
    builder_fini(&found.body);
}

/* The profile of the path; with none, the answer that is given. */
static void get_one(struct http_request *r, bool is_legacy)
{
    struct text id = ascii_lower(http_path_parameter(r, "id"), http_arena(r));
    struct profiles found = {0};
    struct builder ids;

    builder_init(&ids, 64 * 1024);
    builder_char(&ids, '[');
    builder_json_string(&ids, id);
    builder_char(&ids, ']');
    builder_init(&found.body, ANSWER);
    if (read_profiles(r, builder_view(&ids), &found)) {
        if (found.count > 0)
            http_respond_json(r, 200, builder_view(&found.body));
        else if (is_legacy)
            http_respond_json(r, 200, TEXT("{\"avatars\":[],\"timestamp\":0}"));
        else
            refuse_as(r, 404, "Not Found", TEXT("Profile not found"));
    }
    builder_fini(&found.body);
    builder_fini(&ids);
}

static void get_profile(struct http_request *r)
{
    get_one(r, false);
}

static void get_legacy_profile(struct http_request *r)
{
    get_one(r, true);
}

static const char profile_body[] =
    "{\"type\":\"object\",\"required\":[\"timestamp\",\"avatars\"],\"properties\":{"
    "\"timestamp\":{\"type\":\"integer\"},\"avatars\":{\"type\":\"array\"}}}";

static const struct http_route routes[] = {
    {.method = "POST",
     .path = "/profiles",
     .handle = post_profiles,
     .summary = "Profiles by address, in any order; unknown ones are left out",
     .request_schema = "{}",
     .response_schema = "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}",
     .body_limit = BODY},
    {.method = "GET",
     .path = "/profiles/:id",
     .handle = get_profile,
     .summary = "The profile of an address",
     .response_schema = profile_body},
    {.method = "GET",
     .path = "/profile/:id",
     .handle = get_legacy_profile,
     .summary = "The same; an empty one where there is none (deprecated)",
     .response_schema = profile_body},
    {0},
};

static const struct http_cors cors = {.max_age = 36000};

const struct http_service lambdas_service = {
    .name = "lambdas",
    .title = "Lambdas: profiles",
    .projection = "content",
    .log = "content",
    .routes = routes,
    .cors = &cors,
    .refuse = refuse,
};
