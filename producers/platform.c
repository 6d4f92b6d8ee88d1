/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* platform.c - where other systems tell what happened: POST /events.
 *
 * One platform event or a list of them (contract: events-notifier, 9). Each is checked
 * before any is taken, so a request with a malformed one changes nothing; one of a type
 * that nobody here listens to is answered as ignored, since producers send all they have.
 * A move to a parcel is completed with the scene that is active there, so that what
 * follows from it depends on nothing that may change.
 * An event is known by its source, type and key: told again it is answered as repeated.
 * A 2xx means that all of them are on the log and in the read model `platform`.
 */
#include "core/http/bearer.h"
#include "core/http/http.h"
#include "producers/platform_types.h"

extern const struct http_service platform_service;

enum { BODY_LIMIT = 8 * 1024 * 1024, ANSWER_LIMIT = 1024 * 1024 };

enum fate { FATE_ACCEPTED, FATE_REPEATED, FATE_SKIPPED, FATE_IGNORED, FATE_REFUSED };

/* One event of the request, and what becomes of it. */
struct told {
    const struct platform_type *type;
    struct text type_name, sub_type, key;
    enum fate fate;
    size_t fact; /* its place among those that are appended */
    const char *why;
};

struct intake {
    struct told told[HTTP_FACTS];
    struct http_fact facts[HTTP_FACTS];
    size_t count, fact_count, refused_count;
    json_t *scenes; /* of the parcels that moves led to: pointer to entity */
};

static void refuse_one(struct http_request *r, struct intake *in, struct told *t,
                       const char *why)
{
    t->fate = FATE_REFUSED;
    t->why = arena_string(http_arena(r), why);
    in->refused_count++;
}

/* A fact of the log, held against its schema. */
static void make_fact(struct http_request *r, struct intake *in, struct told *t,
                      const json_t *sent)
{
    struct http_fact *fact = &in->facts[in->fact_count];
    struct text source = TEXT("platform");
    struct ll_error err;
    json_t *data;
    ll_rc rc;

    (void)json_member_text(sent, "source", &source);
    data = platform_event_data(t->type, source, sent, in->scenes, &err);
    if (data == NULL) {
        refuse_one(r, in, t, err.text);
        return;
    }
    rc = event_make(http_registry(r), text_of(t->type->event), data, http_arena(r),
                    &fact->record, &err);
    json_decref(data);
    if (rc != LL_OK) {
        refuse_one(r, in, t, err.text);
        return;
    }
    fact->key = platform_event_id(t->type, source, t->key);
    fact->record.source =
        text_of(arena_printf(http_arena(r), "/platform/%.*s", TEXT_ARGS(source)));
    t->fact = in->fact_count++;
}

static void take_one(struct http_request *r, struct intake *in, const json_t *sent)
{
    struct told *t = &in->told[in->count++];
    bool has_names = json_member_text(sent, "type", &t->type_name) &&
                     json_member_text(sent, "subType", &t->sub_type);

    if (!json_member_text(sent, "key", &t->key) || !has_names) {
        refuse_one(r, in, t, "type, subType and key must be strings");
        return;
    }
    t->type = platform_type_find(t->type_name, t->sub_type);
    if (t->type == NULL)
        t->fate = FATE_IGNORED;
    else
        make_fact(r, in, t, sent);
}

/* ---- which scene lies where ---- */

static void add_pointer(json_t *pointers, const json_t *sent)
{
    const struct platform_type *t;
    struct text type, sub_type, pointer;
    char room[PLATFORM_POINTER];

    if (!json_member_text(sent, "type", &type) ||
        !json_member_text(sent, "subType", &sub_type))
        return;
    t = platform_type_find(type, sub_type);
    if (t != NULL && platform_event_pointer(t, sent, room, &pointer))
        json_array_append_new(pointers, json_stringn(pointer.ptr, pointer.len));
}

/* One look-up for all moves of the request; false when it was answered already. */
static bool find_scenes(struct http_request *r, struct intake *in, const json_t *body)
{
    json_t *pointers = json_array(), *one;
    struct http_query_answer answer = {0};
    struct builder list;
    struct ll_error err;
    bool is_found = true;
    size_t i;

    if (json_is_object(body)) add_pointer(pointers, body);
    json_array_foreach(body, i, one) add_pointer(pointers, one);
    builder_init(&list, 64 * 1024);
    json_write(pointers, &list);
    if (json_array_size(pointers) > 0) {
        struct http_query_value value = {"pointers", builder_view(&list), false};

        is_found = http_query(r, "scenes", &value, 1, &answer);
        if (is_found)
            LL_CHECK(json_parse(answer.body, JSON_DEPTH, &in->scenes, &err) == LL_OK);
    }
    builder_fini(&list);
    json_decref(pointers);
    return is_found;
}

static void write_result(struct builder *b, const struct intake *in, const struct told *t)
{
    static const char *const names[] = {"accepted", "repeated", "skipped", "ignored",
                                        "refused"};
    enum fate fate = t->fate;

    if (fate == FATE_ACCEPTED && in->refused_count > 0)
        fate = FATE_SKIPPED;
    else if (fate == FATE_ACCEPTED && in->facts[t->fact].repeated)
        fate = FATE_REPEATED;
    builder_string(b, "{\"type\":");
    builder_json_string(b, t->type_name);
    builder_string(b, ",\"subType\":");
    builder_json_string(b, t->sub_type);
    builder_string(b, ",\"key\":");
    builder_json_string(b, t->key);
    builder_printf(b, ",\"status\":\"%s\"", names[fate]);
    if (t->why != NULL) {
        builder_string(b, ",\"message\":");
        builder_json_string(b, text_of(t->why));
    }
    builder_char(b, '}');
}

static void answer(struct http_request *r, const struct intake *in)
{
    struct builder b;

    builder_init(&b, ANSWER_LIMIT);
    builder_char(&b, '{');
    if (in->refused_count > 0)
        builder_printf(&b,
                       "\"error\":\"Bad request\",\"message\":\"%zu of %zu events are "
                       "malformed; nothing was taken\",",
                       in->refused_count, in->count);
    builder_string(&b, "\"data\":{\"results\":[");
    for (size_t i = 0; i < in->count; i++) {
        if (i > 0) builder_char(&b, ',');
        write_result(&b, in, &in->told[i]);
    }
    builder_string(&b, "]}}");
    http_respond_json(r, in->refused_count > 0 ? 400 : 200, builder_view(&b));
    builder_fini(&b);
}

static void post_events(struct http_request *r)
{
    struct intake *in = arena_calloc(http_arena(r), 1, sizeof(*in));
    const json_t *body, *one;
    size_t i;

    if (!http_bearer(r, "platform.token")) return;
    body = http_json_body(r);
    if (body == NULL || !find_scenes(r, in, body)) return;
    if (json_is_object(body)) take_one(r, in, body);
    json_array_foreach(body, i, one) take_one(r, in, one);
    json_decref(in->scenes);
    if (in->refused_count > 0 || http_tell(r, in->facts, in->fact_count)) answer(r, in);
}

static void get_events(struct http_request *r)
{
    http_answer_query(r, "counts", NULL, 0);
}

static const char *error_name(int status)
{
    switch (status) {
    case 400: return "Bad request";
    case 401: return "Not Authorized";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return status < 500 ? "Bad request" : "Internal Server Error";
    }
}

static void refuse(struct http_request *r, enum http_refusal why, int status,
                   struct text message)
{
    struct builder b;

    (void)why;
    builder_init(&b, 8192);
    builder_printf(&b, "{\"error\":\"%s\",\"message\":", error_name(status));
    builder_json_string(&b, message);
    builder_char(&b, '}');
    http_respond_json(r, status, builder_view(&b));
    builder_fini(&b);
}

static const char events_body[] =
    "{\"definitions\":{\"event\":{\"type\":\"object\","
    "\"required\":[\"type\",\"subType\",\"key\",\"timestamp\"],\"properties\":{"
    "\"source\":{\"type\":\"string\",\"pattern\":\"^[a-z0-9][a-z0-9._/-]{0,63}$\","
    "\"default\":\"platform\"},"
    "\"type\":{\"type\":\"string\",\"maxLength\":64},"
    "\"subType\":{\"type\":\"string\",\"maxLength\":64},"
    "\"key\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":256},"
    "\"timestamp\":{\"type\":\"integer\",\"minimum\":0},"
    "\"metadata\":{\"type\":\"object\"}}}},"
    "\"anyOf\":[{\"allOf\":[{\"$ref\":\"#/definitions/event\"}]},"
    "{\"type\":\"array\",\"minItems\":1,\"maxItems\":100,"
    "\"items\":{\"$ref\":\"#/definitions/event\"}}]}";

static const char results_body[] =
    "{\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":"
    "{\"type\":\"object\",\"required\":[\"results\"],\"properties\":{\"results\":"
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"type\","
    "\"subType\",\"key\",\"status\"],\"properties\":{\"status\":{\"enum\":"
    "[\"accepted\",\"repeated\",\"skipped\",\"ignored\",\"refused\"]}}}}}}}}";

static const char counts_body[] =
    "{\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":"
    "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}";

static const struct http_route routes[] = {
    {.method = "POST",
     .path = "/events",
     .is_absolute = true,
     .auth = HTTP_OPEN,
     .handle = post_events,
     .summary = "Tell one platform event or up to 100; needs the intake's bearer token",
     .request_schema = events_body,
     .response_schema = results_body,
     .body_limit = BODY_LIMIT},
    {.method = "POST",
     .path = "/events",
     .auth = HTTP_OPEN,
     .handle = post_events,
     .summary = "The same",
     .request_schema = events_body,
     .response_schema = results_body,
     .body_limit = BODY_LIMIT},
    {.method = "GET",
     .path = "/events",
     .auth = HTTP_OPEN,
     .handle = get_events,
     .summary = "How many events of each source and type were taken in",
     .response_schema = counts_body},
    {0},
};

const struct http_service platform_service = {
    .name = "platform",
    .title = "Platform events",
    .projection = "platform",
    .routes = routes,
    .refuse = refuse,
};
