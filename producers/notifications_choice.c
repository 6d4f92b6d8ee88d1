/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_choice.c - what the owner of an inbox wants to hear of: the subscription
 * and opt-outs (contract: notifications, 3.3 and 3.4). Both are kept whole; what is so
 * already is no event. */
#include "producers/notifications_handlers.h"
#include "producers/notifications_refusal.h"
#include "producers/notifications_subscription.h"

#include <string.h>

enum { WHY = 16 * 1024, DETAILS = 64 * 1024, SCOPE_ID = 1024 };

/* ---- the subscription ---- */

void notifications_get_subscription(struct http_request *r)
{
    struct http_query_value value =
        notifications_value("address", http_identity(r)->address);
    struct http_query_answer answer;
    struct builder body;
    struct ll_error err;
    json_t *stored;

    if (!http_query(r, "subscription", &value, 1, &answer)) return;
    LL_CHECK(answer.found && json_parse(answer.body, JSON_DEPTH, &stored, &err) == LL_OK);
    builder_init(&body, DETAILS);
    builder_string(&body, "{\"details\":");
    subscription_print(json_object_get(stored, "details"), &body);
    builder_char(&body, '}');
    http_respond_json(r, 200, builder_view(&body));
    builder_fini(&body);
    json_decref(stored);
}

static void decide_subscription(struct http_request *r, const json_t *state,
                                void *context, struct http_decision *out)
{
    struct text address = http_identity(r)->address;
    json_t *details = context;

    if (json_equal(json_object_get(state, "details"), details)) return;
    out->guards[0] =
        text_of(arena_printf(http_arena(r), "subscription:%.*s", TEXT_ARGS(address)));
    out->guard_count = 1;
    notifications_decide(
        r, "notifications.subscription-changed",
        json_pack("{s:s%, s:O}", "address", address.ptr, address.len, "details", details),
        out);
}

static bool check_details(struct http_request *r, const json_t *details)
{
    struct builder why;
    bool is_whole;

    builder_init(&why, WHY);
    is_whole = subscription_check(details, &why);
    if (!is_whole) notifications_refuse_input(r, builder_view(&why).ptr);
    builder_fini(&why);
    return is_whole;
}

void notifications_put_subscription(struct http_request *r)
{
    struct http_query_value load =
        notifications_value("address", http_identity(r)->address);
    json_t *details = notifications_body(r);
    struct http_mutation mutation = {.load = "subscription",
                                     .values = &load,
                                     .value_count = 1,
                                     .decide = decide_subscription,
                                     .context = details};
    struct http_outcome outcome;

    if (details == NULL) return;
    if (check_details(r, details) && http_mutate(r, &mutation, &outcome))
        http_respond(r, 204, "application/json", TEXT(""));
    json_decref(details);
}

/* ---- opt-outs ---- */

struct opt_out {
    struct text scope, scope_id;
    bool is_wanted; /* to be out */
};

static void opt_out_values(struct http_request *r, const struct opt_out *o,
                           struct http_query_value out[3])
{
    out[0] = notifications_value("address", http_identity(r)->address);
    out[1] = notifications_value("scope", o->scope);
    out[2] = notifications_value("scope_id", o->scope_id);
}

static void decide_opt_out(struct http_request *r, const json_t *state, void *context,
                           struct http_decision *out)
{
    struct text address = http_identity(r)->address;
    const struct opt_out *o = context;

    if (json_is_true(json_object_get(state, "optedOut")) == o->is_wanted) return;
    out->guards[0] =
        text_of(arena_printf(http_arena(r), "opt-out:%.*s", TEXT_ARGS(address)));
    out->guard_count = 1;
    notifications_decide(r,
                         o->is_wanted ? "notifications.scope-opted-out"
                                      : "notifications.scope-opted-in",
                         json_pack("{s:s%, s:s%, s:s%}", "address", address.ptr,
                                   address.len, "scope", o->scope.ptr, o->scope.len,
                                   "scopeId", o->scope_id.ptr, o->scope_id.len),
                         out);
}

static bool change_opt_out(struct http_request *r, struct opt_out *o)
{
    struct http_query_value load[3];
    struct http_mutation mutation = {.load = "opt_out",
                                     .values = load,
                                     .value_count = LL_LENGTH(load),
                                     .decide = decide_opt_out,
                                     .context = o};
    struct http_outcome outcome;

    opt_out_values(r, o, load);
    return http_mutate(r, &mutation, &outcome);
}

/* "application/json", whatever parameters stand behind it. */
static bool is_json(struct http_request *r)
{
    struct text rest = http_header(r, "content-type"), type;

    text_cut(&rest, ';', &type);
    while (type.len > 0 && type.ptr[type.len - 1] == ' ') type.len--;
    return text_equal_ignoring_case(type, TEXT("application/json"));
}

void notifications_post_opt_out(struct http_request *r)
{
    struct opt_out o = {.is_wanted = true};
    const json_t *body;
    struct builder answer;

    if (!is_json(r)) {
        notifications_refuse_body(r, 415, "Content-Type must be application/json");
        return;
    }
    body = http_json_body(r);
    if (body == NULL) return;
    LL_CHECK(json_member_text(body, "scope", &o.scope) &&
             json_member_text(body, "scopeId", &o.scope_id));
    if (!change_opt_out(r, &o)) return;
    builder_init(&answer, 16 * 1024);
    builder_string(&answer, "{\"scope\":");
    builder_json_string(&answer, o.scope);
    builder_string(&answer, ",\"scopeId\":");
    builder_json_string(&answer, o.scope_id);
    builder_string(&answer, ",\"optedOut\":true}");
    http_respond_json(r, 201, builder_view(&answer));
    builder_fini(&answer);
}

/* What the path names; false where it was refused. */
static bool path_opt_out(struct http_request *r, struct opt_out *out)
{
    *out = (struct opt_out){.scope = http_path_parameter(r, "scope"),
                            .scope_id = http_path_parameter(r, "scopeId")};
    if (!text_is(out->scope, "community")) {
        notifications_refuse_input(r, "Invalid scope. Valid scopes are: community");
        return false;
    }
    if (out->scope_id.len > 0 && out->scope_id.len <= SCOPE_ID) return true;
    notifications_refuse_input(r, "Invalid scopeId");
    return false;
}

void notifications_get_opt_out(struct http_request *r)
{
    struct http_query_value values[3];
    struct opt_out o;

    if (!path_opt_out(r, &o)) return;
    opt_out_values(r, &o, values);
    http_answer_query(r, "opt_out", values, LL_LENGTH(values));
}

void notifications_delete_opt_out(struct http_request *r)
{
    struct opt_out o;

    if (path_opt_out(r, &o) && change_opt_out(r, &o))
        http_respond(r, 204, "application/json", TEXT(""));
}
