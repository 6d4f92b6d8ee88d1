/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* badges_admin.c - see badges_admin.h.
 *
 * A back-fill is one event a person, on the topic `platform`: it keeps its place among
 * what the person does, so that merging it is the fold's (consumers/badges/apply.sql) and
 * a replay merges it alike. A request that is malformed anywhere changes nothing; a
 * person whose progress contradicts itself is left out and named.
 */
#include "producers/badges_admin.h"

#include "core/base/clock.h"
#include "core/http/bearer.h"
#include "producers/badges_backfill.h"

#include <string.h>

enum { ADDRESS = 42 };

static const char token_setting[] = "badges.admin-token";

const char badges_backfill_body[] =
    "{\"type\":\"object\",\"required\":[\"registries\"],\"properties\":{\"registries\":"
    "{\"type\":\"array\",\"maxItems\":1000,\"items\":{\"type\":\"object\","
    "\"required\":[\"userAddress\",\"data\"],\"properties\":{"
    "\"userAddress\":{\"type\":\"string\",\"maxLength\":256},"
    "\"data\":{\"type\":\"object\",\"required\":[\"progress\"],\"properties\":{"
    "\"progress\":{\"type\":\"object\"}}}}}}}}";

void badges_refuse_backfill(struct http_request *r, const char *message, int status,
                            struct text why)
{
    struct builder b;

    builder_init(&b, 8192);
    builder_printf(&b, "{\"message\":\"%s\",\"details\":{\"stack\":", message);
    builder_json_string(&b, why);
    builder_string(&b, "}}");
    http_respond_json(r, status, builder_view(&b));
    builder_fini(&b);
}

/* Lower case; false when it is no address. */
static bool read_address(struct text t, char out[ADDRESS])
{
    unsigned char bytes[20];

    if (t.len != ADDRESS || !text_starts_with(t, "0x") ||
        !hex_decode((struct text){t.ptr + 2, ADDRESS - 2}, bytes, sizeof(bytes)))
        return false;
    for (size_t i = 0; i < ADDRESS; i++)
        out[i] =
            t.ptr[i] >= 'A' && t.ptr[i] <= 'Z' ? (char)(t.ptr[i] - 'A' + 'a') : t.ptr[i];
    return true;
}

/* The badge as the API shows it, in the arena; false when the request was answered. */
static bool find_badge(struct http_request *r, struct text id, struct text *out)
{
    struct http_query_value values[] = {{.name = "id", .value = id},
                                        {.name = "bare", .value = TEXT("true")}};
    struct http_query_answer answer;

    if (!http_query(r, "badge", values, LL_LENGTH(values), &answer)) return false;
    *out = answer.found ? answer.body : TEXT("");
    return true;
}

/* The same request sent again under its key is the same; without one it is a new one. */
static struct uuid command_key(struct http_request *r)
{
    struct text given = http_header(r, "idempotency-key");

    if (given.len == 0) return uuid_v7(clock_now_ms());
    return uuid_v5(&uuid_landlog, text_of(arena_printf(http_arena(r), "badges key %.*s",
                                                       TEXT_ARGS(given))));
}

/* ---- POST /badges/:id/backfill ---- */

struct backfill {
    struct text id, shape; /* of the badge: its id, its JSON */
    const struct backfill_rule *rule;
    json_t *badge;
    struct uuid key;
    struct http_fact *facts;
    size_t fact_count;
    json_t *failures;
};

static void fail_one(struct backfill *b, struct text address, json_t *errors)
{
    json_array_append_new(b->failures, json_pack("{s:o, s:o}", "address",
                                                 json_stringn(address.ptr, address.len),
                                                 "errors", errors));
}

/* What goes on the log of it: that a profile says something, not what, since profiles can
 * be erased. The caller owns it. */
static json_t *kept_of(const json_t *progress)
{
    json_t *kept = json_copy((json_t *)(uintptr_t)progress);

    if (json_object_del(kept, "description") == 0)
        json_object_set_new(kept, "hasDescription", json_true());
    return kept;
}

static ll_rc make_fact(struct http_request *r, struct backfill *b,
                       const char address[ADDRESS], const json_t *progress,
                       struct ll_error *err)
{
    struct http_fact *fact = &b->facts[b->fact_count];
    json_t *data =
        json_pack("{s:s%, s:s%, s:o}", "address", address, (size_t)ADDRESS, "badgeId",
                  b->id.ptr, b->id.len, "progress", kept_of(progress));
    ll_rc rc = event_make(http_registry(r), TEXT("platform.badge-progress-backfilled"),
                          data, http_arena(r), &fact->record, err);

    json_decref(data);
    if (rc != LL_OK) return rc;
    fact->key =
        uuid_v5(&b->key, text_of(arena_printf(http_arena(r), "%.*s %.*s %zu", ADDRESS,
                                              address, TEXT_ARGS(b->id), b->fact_count)));
    fact->record.source = TEXT("/badges");
    b->fact_count++;
    return LL_OK;
}

/* One registry whose shape is right: a fact, or a failure that says why not. */
static void take_one(struct http_request *r, struct backfill *b, const json_t *registry)
{
    const json_t *progress =
        json_object_get(json_object_get(registry, "data"), "progress");
    json_t *errors = backfill_errors(b->rule, b->badge, progress);
    struct text given = {0};
    char address[ADDRESS];
    struct ll_error err;

    (void)json_member_text(registry, "userAddress", &given);
    if (!read_address(given, address))
        json_array_append_new(errors, json_string("userAddress is no address"));
    else if (json_array_size(errors) == 0 &&
             make_fact(r, b, address, progress, &err) != LL_OK)
        json_array_append_new(errors, json_string(err.text));
    if (json_array_size(errors) > 0)
        fail_one(b, given, errors);
    else
        json_decref(errors);
}

/* All shapes first: a malformed one refuses the request. */
static bool check_shapes(struct http_request *r, struct backfill *b,
                         const json_t *registries)
{
    const json_t *one;
    struct ll_error err;
    size_t i;

    if (b->rule == NULL) {
        badges_refuse_backfill(r, "Could not backfill this badge", 400,
                               TEXT("this badge takes no back-fill"));
        return false;
    }
    json_array_foreach(registries, i, one)
    {
        if (backfill_check_shape(
                b->rule, b->badge,
                json_object_get(json_object_get(one, "data"), "progress"), &err) == LL_OK)
            continue;
        ll_error_prefix(&err, "registry %zu", i);
        badges_refuse_backfill(r, "Could not backfill this badge", 400,
                               text_of(err.text));
        return false;
    }
    return true;
}

static void answer(struct http_request *r, const struct backfill *b)
{
    struct builder body;

    builder_init(&body, 16 * 1024 * 1024);
    builder_string(&body, "{\"data\":{\"badge\":");
    builder_text(&body, b->shape);
    builder_printf(&body, ",\"userProgressesMerged\":%zu,\"failures\":", b->fact_count);
    json_write(b->failures, &body);
    builder_string(&body, "}}");
    http_respond_json(r, 200, builder_view(&body));
    builder_fini(&body);
}

static void merge(struct http_request *r, struct backfill *b, const json_t *registries)
{
    const json_t *one;
    size_t i;

    if (!check_shapes(r, b, registries)) return;
    b->facts =
        arena_calloc(http_arena(r), json_array_size(registries) + 1, sizeof(*b->facts));
    json_array_foreach(registries, i, one) take_one(r, b, one);
    for (i = 0; i < b->fact_count; i += HTTP_FACTS) {
        size_t n = b->fact_count - i < HTTP_FACTS ? b->fact_count - i : HTTP_FACTS;

        if (!http_tell(r, b->facts + i, n)) return;
    }
    answer(r, b);
}

void badges_post_backfill(struct http_request *r)
{
    struct backfill b = {.id = http_path_parameter(r, "id")};
    const json_t *body;
    struct ll_error err;

    if (!http_bearer(r, token_setting) || !find_badge(r, b.id, &b.shape)) return;
    if (b.shape.len == 0) {
        badges_refuse_backfill(r, "Badge does not exists", 404, b.id);
        return;
    }
    body = http_json_body(r);
    if (body == NULL) return;
    LL_CHECK(json_parse(b.shape, JSON_DEPTH, &b.badge, &err) == LL_OK);
    b.rule = backfill_rule_find(b.id);
    b.key = command_key(r);
    b.failures = json_array();
    merge(r, &b, json_object_get(body, "registries"));
    json_decref(b.failures);
    json_decref(b.badge);
}

/* ---- one person's row ---- */

void badges_get_progress(struct http_request *r)
{
    char address[ADDRESS];
    struct text given = http_path_parameter(r, "address");
    struct http_query_value values[] = {
        {.name = "address", .value = given},
        {.name = "id", .value = http_path_parameter(r, "id")}};

    if (!http_bearer(r, token_setting)) return;
    if (read_address(given, address)) values[0].value = (struct text){address, ADDRESS};
    http_answer_query(r, "progress_row", values, LL_LENGTH(values));
}

static bool is_test_world(const struct http_request *r)
{
    const char *name =
        settings_service_string(http_settings(r), "badges.environment", "");

    return strcmp(name, "dev") == 0 || strcmp(name, "test") == 0;
}

/* Forgotten where there was something and where there was not. */
static void forget(struct http_request *r, const char address[ADDRESS], struct text id)
{
    struct http_fact fact = {.key = command_key(r)};
    json_t *data = json_pack("{s:s%, s:s%}", "address", address, (size_t)ADDRESS,
                             "badgeId", id.ptr, id.len);
    struct ll_error err;

    LL_CHECK(event_make(http_registry(r), TEXT("platform.badge-progress-reset"), data,
                        http_arena(r), &fact.record, &err) == LL_OK);
    json_decref(data);
    fact.record.source = TEXT("/badges");
    if (http_tell(r, &fact, 1)) http_respond(r, 204, "text/plain", TEXT(""));
}

void badges_delete_progress(struct http_request *r)
{
    struct text id = http_path_parameter(r, "id"), shape;
    char address[ADDRESS];

    if (!is_test_world(r)) {
        http_respond(r, 404, "text/plain", TEXT("Not found"));
        return;
    }
    if (!http_bearer(r, token_setting) || !find_badge(r, id, &shape)) return;
    if (shape.len == 0)
        http_respond_json(
            r, 404,
            TEXT("{\"error\":\"Not Found\",\"message\":\"Badge does not exists\"}"));
    else if (read_address(http_path_parameter(r, "address"), address))
        forget(r, address, id);
    else
        http_respond(r, 204, "text/plain", TEXT(""));
}
