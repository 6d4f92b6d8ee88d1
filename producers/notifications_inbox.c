/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_inbox.c - reading an inbox, and marking as read (contract: notifications,
 * 3.1 and 3.2). The tag `read:<address>` guards the latter, so that of two requests at
 * once each counts what it marked itself. */
#include "producers/notifications_handlers.h"
#include "producers/notifications_refusal.h"

enum { PAGE = 20, PAGE_MOST = 50, IDS_MOST = 5000 };

/* ---- what the handlers share ---- */

json_t *notifications_body(struct http_request *r)
{
    json_t *body;

    if (json_parse(http_body(r), JSON_DEPTH, &body, NULL) == LL_OK) return body;
    notifications_refuse_input(r, "Invalid body");
    return NULL;
}

struct http_query_value notifications_value(const char *name, struct text value)
{
    return (struct http_query_value){.name = name, .value = value};
}

void notifications_decide(struct http_request *r, const char *type, json_t *data,
                          struct http_decision *out)
{
    struct ll_error err;
    ll_rc rc = event_make(http_registry(r), text_of(type), data, http_arena(r),
                          &out->events[0], &err);

    json_decref(data);
    if (rc == LL_OK) {
        out->events[0].source = TEXT("/notifications");
        out->event_count = 1;
        return;
    }
    out->refused = true;
    out->status = 400;
    out->message = arena_text(http_arena(r), text_of(err.text));
}

/* ---- GET /notifications ---- */

/* Anything but a number from `least` to `most` is as if it was not given. */
static struct text number(struct http_request *r, const char *name, uint64_t least,
                          uint64_t most, uint64_t otherwise)
{
    struct text given;
    uint64_t n;

    if (!http_query_parameter(r, name, &given) || !text_to_u64(given, most, &n) ||
        n < least)
        n = otherwise;
    return text_of(arena_printf(http_arena(r), "%llu", (unsigned long long)n));
}

void notifications_get_inbox(struct http_request *r)
{
    struct text ignored;
    bool only_unread = http_query_parameter(r, "onlyUnread", &ignored);
    struct http_query_value values[] = {
        notifications_value("address", http_identity(r)->address),
        notifications_value("since", number(r, "from", 1, INT64_MAX, 0)),
        notifications_value("only_unread", only_unread ? TEXT("t") : TEXT("f")),
        notifications_value("limit", number(r, "limit", 1, PAGE_MOST, PAGE)),
    };

    http_answer_query(r, "inbox", values, LL_LENGTH(values));
}

/* ---- PUT /notifications/read ---- */

/* The ids as Postgres' text of an array; they have passed uuid_parse(). False where they
 * were refused. */
static bool read_ids(struct http_request *r, const json_t *ids, struct builder *out)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *given = json_string_value(json_array_get(ids, i));
        char text[UUID_TEXT];
        struct uuid id;

        if (given == NULL || !uuid_parse(text_of(given), &id)) {
            notifications_refuse_input(r, "notificationIds must be UUIDs");
            return false;
        }
        uuid_print(&id, text);
        builder_printf(out, "%c%s", i ? ',' : '{', text);
    }
    builder_char(out, '}');
    return true;
}

static bool take_ids(struct http_request *r, const json_t *body, struct text *out)
{
    const json_t *ids = json_object_get(body, "notificationIds");
    struct builder list;
    bool is_taken;

    if (json_array_size(ids) == 0) { /* what is no array has none */
        notifications_refuse_input(r, "Missing notificationIds");
        return false;
    }
    if (json_array_size(ids) > IDS_MOST) {
        notifications_refuse_input(
            r, arena_printf(http_arena(r), "more than %d notificationIds", IDS_MOST));
        return false;
    }
    builder_init(&list, IDS_MOST * UUID_TEXT + 2);
    is_taken = read_ids(r, ids, &list);
    *out = arena_text(http_arena(r), builder_view(&list));
    builder_fini(&list);
    return is_taken;
}

/* `state` has those of the ids that are unread. */
static void decide_read(struct http_request *r, const json_t *state, void *context,
                        struct http_decision *out)
{
    struct text address = http_identity(r)->address;
    json_t *ids = json_object_get(state, "ids");
    json_t *broadcasts = json_object_get(state, "broadcastIds");

    (void)context;
    if (json_array_size(ids) + json_array_size(broadcasts) == 0) return;
    out->guards[0] =
        text_of(arena_printf(http_arena(r), "read:%.*s", TEXT_ARGS(address)));
    out->guard_count = 1;
    notifications_decide(r, "notifications.notification-read",
                         json_pack("{s:s%, s:O, s:O}", "address", address.ptr,
                                   address.len, "ids", ids, "broadcastIds", broadcasts),
                         out);
}

/* The answer is read back: a request that comes again hears the same number. */
static void answer_read(struct http_request *r)
{
    struct uuid event = http_event_id(r, 0);
    struct http_query_value value;
    char text[UUID_TEXT];

    uuid_print(&event, text);
    value = notifications_value("event", text_of(text));
    http_answer_query(r, "read_outcome", &value, 1);
}

void notifications_put_read(struct http_request *r)
{
    json_t *body = notifications_body(r);
    struct http_outcome outcome;
    struct text ids;
    bool is_taken = body != NULL && take_ids(r, body, &ids);

    json_decref(body);
    if (!is_taken) return;

    struct http_query_value load[] = {
        notifications_value("address", http_identity(r)->address),
        notifications_value("ids", ids)};
    struct http_mutation mutation = {.load = "unread",
                                     .values = load,
                                     .value_count = LL_LENGTH(load),
                                     .decide = decide_read};
    if (http_mutate(r, &mutation, &outcome)) answer_read(r);
}
