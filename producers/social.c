/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* social.c - friendships and blocks over HTTP: what may be asked, and what it causes.
 *
 * Contract: social, 2.2 (auth), 3.1 (shapes), 4.1 (rules), 7 (limits). One tag guards
 * each command, `pair:<low>:<high>`, so that two people who act on each other at the same
 * moment are decided one after the other. Reads are projections/social/queries.sql.
 */
#include "core/base/clock.h"
#include "core/http/http.h"
#include "producers/social_decision.h"
#include "producers/social_refusal.h"

#include <string.h>

enum { PAGE_MOST = 100, OFFSET_MOST = 100000, ADDRESS = 42, WINDOW_MS = 60 * 1000 };

extern const struct http_service social_service;

/* ---- small things the handlers share ---- */

static struct text lower_case(struct http_request *r, struct text t)
{
    struct text copy = arena_text(http_arena(r), t);
    char *c = (char *)(uintptr_t)copy.ptr; /* the arena's copy is ours to change */

    for (size_t i = 0; i < copy.len; i++)
        if (c[i] >= 'A' && c[i] <= 'Z') c[i] = (char)(c[i] - 'A' + 'a');
    return copy;
}

static bool is_address(struct text t)
{
    unsigned char bytes[20];

    return t.len == ADDRESS && text_starts_with(t, "0x") &&
           hex_decode((struct text){t.ptr + 2, ADDRESS - 2}, bytes, sizeof(bytes));
}

/* Both addresses, bytewise sorted, as in the key and the tag of every event. */
static struct text pair_of(struct http_request *r, struct text a, struct text b)
{
    bool in_order = memcmp(a.ptr, b.ptr, ADDRESS) < 0;
    struct text low = in_order ? a : b, high = in_order ? b : a;

    return text_of(
        arena_printf(http_arena(r), "%.*s:%.*s", TEXT_ARGS(low), TEXT_ARGS(high)));
}

static struct http_query_value value_text(const char *name, struct text value)
{
    return (struct http_query_value){.name = name, .value = value};
}

static struct http_query_value value_number(struct http_request *r, const char *name,
                                            uint64_t n)
{
    return value_text(
        name, text_of(arena_printf(http_arena(r), "%llu", (unsigned long long)n)));
}

/* A query parameter as a number from `least` to `most`; `otherwise` for anything else. */
static uint64_t page_number(struct http_request *r, const char *name, uint64_t least,
                            uint64_t most, uint64_t otherwise)
{
    struct text given;
    uint64_t n;

    if (!http_query_parameter(r, name, &given)) return otherwise;
    return text_to_u64(given, most, &n) && n >= least ? n : otherwise;
}

/* `limit` falls back to the most, `offset` is capped (contract, 3.1). */
static void page_values(struct http_request *r, struct http_query_value out[2])
{
    uint64_t offset = page_number(r, "offset", 0, UINT64_MAX, 0);

    if (offset > OFFSET_MOST) offset = OFFSET_MOST;
    out[0] = value_number(r, "limit", page_number(r, "limit", 1, PAGE_MOST, PAGE_MOST));
    out[1] = value_number(r, "offset", offset);
}

/* The :address of the path, lower case; false when it was refused. */
static bool path_address(struct http_request *r, struct text *out)
{
    *out = lower_case(r, http_path_parameter(r, "address"));
    if (is_address(*out)) return true;
    social_refuse_as(r, 400, "Bad request",
                     TEXT("Invalid user address in the request path"));
    return false;
}

/* ---- POST /v1/friendships ---- */

struct friendship_command {
    const struct social_action *action;
    struct text actor, target, pair;
    struct text message;
    bool has_message;
    struct social_limits limits;
};

/* The same pair has the same friendship for ever, whoever asks first. */
static struct text friendship_id(struct http_request *r, struct text pair)
{
    struct uuid id =
        uuid_v5(&uuid_landlog,
                text_of(arena_printf(http_arena(r), "friendship:%.*s", TEXT_ARGS(pair))));
    char *text = arena_alloc(http_arena(r), UUID_TEXT);

    uuid_print(&id, text);
    return text_of(text);
}

static json_t *json_text(struct text t)
{
    return json_stringn(t.ptr ? t.ptr : "", t.len);
}

/* The event's data (contract, 5.1, and the proof of auth-chain, 5); the caller owns it.
 */
static json_t *event_data_of(struct http_request *r, const struct friendship_command *c,
                             const struct social_pair *pair)
{
    const struct http_identity *who = http_identity(r);
    struct uuid id = http_event_id(r, 0);
    bool is_block = c->action->is_block, has_friendship = pair->friendship_id.len > 0;
    char action_id[UUID_TEXT];
    json_t *data = json_object();

    uuid_print(&id, action_id);
    json_object_set_new(data, "pair", json_text(c->pair));
    json_object_set_new(data, is_block ? "blocker" : "actor", json_text(c->actor));
    json_object_set_new(data, is_block ? "blocked" : "target", json_text(c->target));
    json_object_set_new(
        data, "friendshipId",
        is_block && !has_friendship ? json_null() : json_text(friendship_id(r, c->pair)));
    json_object_set_new(data, "actionId",
                        is_block && !has_friendship ? json_null()
                                                    : json_string(action_id));
    if (strcmp(c->action->name, "request") == 0)
        json_object_set_new(data, "message",
                            c->has_message ? json_text(c->message) : json_null());
    json_object_set_new(data, "actorProof", json_string("signed-fetch"));
    json_object_set_new(data, "actorSigner",
                        who->signer.len ? json_text(who->signer) : json_null());
    json_object_set_new(data, "authTimestamp", json_integer(who->timestamp));
    return data;
}

static void refuse_decision(struct http_decision *out, int status, const char *message)
{
    out->refused = true;
    out->status = status;
    out->message = text_of(message);
}

static void make_event(struct http_request *r, const struct friendship_command *c,
                       const struct social_pair *pair, struct http_decision *out)
{
    json_t *data = event_data_of(r, c, pair);
    struct ll_error err;
    ll_rc rc = event_make(http_registry(r), text_of(c->action->event), data,
                          http_arena(r), &out->events[0], &err);

    json_decref(data);
    if (rc != LL_OK) {
        refuse_decision(out, 400, arena_string(http_arena(r), err.text));
        return;
    }
    out->events[0].source = TEXT("/social");
    out->event_count = 1;
}

static void decide_friendship(struct http_request *r, const json_t *state, void *context,
                              struct http_decision *out)
{
    const struct friendship_command *c = context;
    struct social_pair pair = social_pair_read(state);

    out->guards[0] =
        text_of(arena_printf(http_arena(r), "pair:%.*s", TEXT_ARGS(c->pair)));
    out->guard_count = 1;
    switch (social_decide(c->action, c->actor, &pair, &c->limits)) {
    case SOCIAL_HAPPENS: make_event(r, c, &pair, out); return;
    case SOCIAL_NOTHING: return;
    case SOCIAL_LIMITED:
        refuse_decision(out, 429,
                        "Too many friendship or block actions. Please try again later");
        return;
    case SOCIAL_BLOCKED:
        refuse_decision(
            out, 403,
            "This action is not allowed because either you blocked this user or "
            "this user blocked you");
        return;
    case SOCIAL_MISPLACED:
        refuse_decision(
            out, 409,
            "The friendship action is not valid for the current friendship status");
        return;
    }
}

/* The limits of a minute, which a world may set otherwise; checked at start too. */
static ll_rc read_limits(const struct settings *s, struct social_limits *out,
                         struct ll_error *err)
{
    ll_rc rc = settings_service_number(s, "social.actions-per-minute", 1, 1000000, 30,
                                       &out->of_actor, err);

    if (rc != LL_OK) return rc;
    return settings_service_number(s, "social.pair-actions-per-minute", 1, 1000000, 10,
                                   &out->of_pair, err);
}

static void refuse_self(struct http_request *r, const struct social_action *action)
{
    const char *message = "You cannot send a friendship request to yourself";

    if (action->is_block)
        message = arena_printf(http_arena(r), "Cannot %s yourself", action->name);
    else if (strcmp(action->name, "request") != 0)
        message = "The friendship action is not valid for the current friendship status";
    social_refuse_as(r, 400, "Bad request", text_of(message));
}

/* What the body asks, checked in the contract's order; false when it was refused. */
static bool read_command(struct http_request *r, struct friendship_command *c)
{
    const json_t *body = http_json_body(r);
    struct text action, target;
    struct ll_error err;

    if (body == NULL) return false;
    if (!json_member_text(body, "action", &action) ||
        !json_member_text(body, "to", &target))
        LL_CHECK(false && "the schema of the body requires both");
    *c = (struct friendship_command){.action = social_action_find(action),
                                     .actor = http_identity(r)->address,
                                     .target = lower_case(r, target)};
    LL_CHECK(c->action != NULL &&
             read_limits(http_settings(r), &c->limits, &err) == LL_OK);
    c->has_message = json_member_text(body, "message", &c->message);
    if (!is_address(c->target)) {
        social_refuse_as(r, 400, "Bad request",
                         TEXT("Invalid user address in the request payload"));
        return false;
    }
    if (text_equal(c->actor, c->target)) {
        refuse_self(r, c->action);
        return false;
    }
    c->pair = pair_of(r, c->actor, c->target);
    return true;
}

static void post_friendship(struct http_request *r)
{
    struct friendship_command c;
    struct http_outcome outcome;

    if (!read_command(r, &c)) return;

    struct http_query_value load[] = {
        value_text("actor", c.actor),
        value_text("target", c.target),
        value_number(r, "since", (uint64_t)(clock_now_ms() - WINDOW_MS)),
    };
    struct http_mutation mutation = {
        .load = "state",
        .values = load,
        .value_count = LL_LENGTH(load),
        .decide = decide_friendship,
        .context = &c,
    };
    if (!http_mutate(r, &mutation, &outcome)) return;

    struct http_query_value answer[] = {
        value_text("actor", c.actor),
        value_text("target", c.target),
        {.name = "message", .value = c.message, .is_null = !c.has_message},
    };
    if (c.action->is_block)
        http_answer_query(r, "block_outcome", answer, 2);
    else
        http_answer_query(r, "friendship_outcome", answer, 3);
}

/* ---- reads ---- */

/* A page of what concerns the caller. */
static void answer_page(struct http_request *r, const char *query)
{
    struct http_query_value values[3] = {
        value_text("address", http_identity(r)->address)};

    page_values(r, values + 1);
    http_answer_query(r, query, values, LL_LENGTH(values));
}

static void get_friends(struct http_request *r)
{
    answer_page(r, "friends");
}

static void get_blocks(struct http_request *r)
{
    answer_page(r, "blocks");
}

static void get_mutual_friends(struct http_request *r)
{
    struct http_query_value values[4] = {
        value_text("address", http_identity(r)->address)};
    struct text other;

    if (!path_address(r, &other)) return;
    values[1] = value_text("other", other);
    page_values(r, values + 2);
    http_answer_query(r, "mutual_friends", values, LL_LENGTH(values));
}

static void get_friendship_requests(struct http_request *r)
{
    struct http_query_value values[4] = {
        value_text("address", http_identity(r)->address)};
    struct text direction = TEXT("received");

    http_query_parameter(r, "direction", &direction);
    if (!text_is(direction, "received") && !text_is(direction, "sent")) {
        social_refuse_as(r, 400, "Bad request",
                         TEXT("Invalid direction. Valid values are received, sent"));
        return;
    }
    values[1] = value_text("direction", direction);
    page_values(r, values + 2);
    http_answer_query(r, "friendship_requests", values, LL_LENGTH(values));
}

static void get_friendship(struct http_request *r)
{
    struct text other;

    if (!path_address(r, &other)) return;
    struct http_query_value values[] = {value_text("viewer", http_identity(r)->address),
                                        value_text("other", other)};
    http_answer_query(r, "friendship_status", values, LL_LENGTH(values));
}

static void get_blocking_status(struct http_request *r)
{
    struct http_query_value value = value_text("address", http_identity(r)->address);

    http_answer_query(r, "blocking_status", &value, 1);
}

/* ---- the tables ---- */

static const struct http_parameter page_parameters[] = {
    {"limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":100}",
     "items a page; anything else is the default", false},
    {"offset", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":100000,\"default\":0}",
     "items to skip; more is capped", false},
    {0},
};

static const struct http_parameter request_parameters[] = {
    {"direction", "{\"enum\":[\"received\",\"sent\"],\"default\":\"received\"}",
     "who asked: the other, or the caller", false},
    {"limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":100}",
     "items a page; anything else is the default", false},
    {"offset", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":100000,\"default\":0}",
     "items to skip; more is capped", false},
    {0},
};

static const char friendship_body[] =
    "{\"type\":\"object\",\"required\":[\"action\",\"to\"],\"additionalProperties\":"
    "false,"
    "\"properties\":{"
    "\"action\":{\"enum\":[\"request\",\"accept\",\"reject\",\"cancel\",\"delete\","
    "\"block\","
    "\"unblock\"]},"
    "\"to\":{\"type\":\"string\",\"maxLength\":100},"
    "\"message\":{\"type\":[\"string\",\"null\"],\"maxLength\":1000}}}";

static const char page_body[] =
    "{\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":{"
    "\"type\":\"object\",\"required\":[\"results\",\"total\",\"page\",\"pages\","
    "\"limit\"],"
    "\"properties\":{\"results\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
    "\"total\":{\"type\":\"integer\"},\"page\":{\"type\":\"integer\"},"
    "\"pages\":{\"type\":\"integer\"},\"limit\":{\"type\":\"integer\"}}}}}";

static const char data_body[] =
    "{\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":"
    "{\"type\":\"object\"}}}";

static const struct http_route routes[] = {
    {.method = "POST",
     .path = "/v1/friendships",
     .auth = HTTP_SIGNED,
     .handle = post_friendship,
     .summary =
         "Request, accept, reject, cancel or delete a friendship; block or unblock",
     .request_schema = friendship_body,
     .response_schema = data_body},
    {.method = "GET",
     .path = "/v1/friendships/:address",
     .auth = HTTP_SIGNED,
     .handle = get_friendship,
     .summary = "How the caller and :address stand to each other",
     .response_schema = data_body},
    {.method = "GET",
     .path = "/v1/friends",
     .auth = HTTP_SIGNED,
     .handle = get_friends,
     .summary = "The caller's friends, newest friendship first",
     .parameters = page_parameters,
     .response_schema = page_body},
    {.method = "GET",
     .path = "/v1/friends/:address/mutual",
     .auth = HTTP_SIGNED,
     .handle = get_mutual_friends,
     .summary = "Friends that the caller and :address share",
     .parameters = page_parameters,
     .response_schema = page_body},
    {.method = "GET",
     .path = "/v1/friendship-requests",
     .auth = HTTP_SIGNED,
     .handle = get_friendship_requests,
     .summary = "Requests that wait for an answer, newest first",
     .parameters = request_parameters,
     .response_schema = page_body},
    {.method = "GET",
     .path = "/v1/blocks",
     .auth = HTTP_SIGNED,
     .handle = get_blocks,
     .summary = "Whom the caller has blocked, the last one first",
     .parameters = page_parameters,
     .response_schema = page_body},
    {.method = "GET",
     .path = "/v1/blocking-status",
     .auth = HTTP_SIGNED,
     .handle = get_blocking_status,
     .summary = "All whom the caller has blocked, and all who have blocked the caller",
     .response_schema = data_body},
    {0},
};

static const char *const metadata_keys[] = {"signer", NULL};

const struct http_service social_service = {
    .name = "social",
    .title = "Social service: friendships and blocks",
    .projection = "social",
    .routes = routes,
    .metadata_keys = metadata_keys,
    .accepts_metadata = social_accepts_metadata,
    .signature_window = WINDOW_MS,
    .refuse = social_refuse,
};
