/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_intake.c - POST /notifications: other systems bring notifications that no
 * event of the log causes, for one or for everybody (contract: notifications, 3.9).
 *
 * All are checked before any is taken. What was told of one before is looked up to say
 * whether it is new; nothing else rests on it, so there is no guard: the read model takes
 * a created one that it has for an update. */
#include "core/http/bearer.h"
#include "producers/notifications_handlers.h"
#include "producers/notifications_refusal.h"
#include "producers/notifications_told.h"
#include "producers/notifications_types.h"

_Static_assert((int)TOLD_MOST <= (int)HTTP_FACTS, "http_tell() takes them at once");

/* What was told of these before, {id: {metadata, timestamp}}; the caller owns it. NULL:
 * the request was answered already. */
static json_t *told_before(struct http_request *r, const struct told *told, size_t n)
{
    struct http_query_value value;
    struct http_query_answer answer;
    struct builder ids;
    struct ll_error err;
    json_t *before;

    builder_init(&ids, TOLD_MOST * UUID_TEXT + 2);
    builder_char(&ids, '{');
    for (size_t i = 0; i < n; i++) {
        char text[UUID_TEXT];

        uuid_print(&told[i].id, text);
        builder_printf(&ids, "%s%s", i ? "," : "", text);
    }
    builder_char(&ids, '}');
    value = notifications_value("ids", arena_text(http_arena(r), builder_view(&ids)));
    builder_fini(&ids);
    if (!http_query(r, "told", &value, 1, &answer)) return NULL;
    /* What a reactor told is nested deeper here than it was in its event. */
    LL_CHECK(answer.found &&
             json_parse(answer.body, 2 * JSON_DEPTH, &before, &err) == LL_OK);
    return before;
}

/* The same thing told of the same state is the same fact, so that a retry is harmless. */
static struct uuid fact_key(struct http_request *r, const struct told *t,
                            const json_t *before)
{
    struct uuid was = {0};
    char id[UUID_TEXT], from[UUID_TEXT], to[UUID_TEXT];

    if (before != NULL)
        was = notification_revision(
            json_object_get(before, "metadata"),
            json_integer_value(json_object_get(before, "timestamp")));
    uuid_print(&t->id, id);
    uuid_print(&was, from);
    uuid_print(&t->revision, to);
    return uuid_v5(
        &uuid_landlog,
        text_of(arena_printf(http_arena(r), "notification %s %s %s", id, from, to)));
}

/* False: it was refused. `*n` grows where there is something to tell. */
static bool make_fact(struct http_request *r, const struct told *t, const json_t *before,
                      struct http_fact *facts, size_t *n)
{
    const char *type;
    json_t *data = told_event(t, before, &type);
    struct ll_error err;
    ll_rc rc;

    if (data == NULL) return true;
    rc = event_make(http_registry(r), text_of(type), data, http_arena(r),
                    &facts[*n].record, &err);
    json_decref(data);
    if (rc != LL_OK) {
        notifications_refuse_input(r, err.text);
        return false;
    }
    facts[*n].record.source = TEXT("/notifications");
    facts[*n].key = fact_key(r, t, before);
    ++*n;
    return true;
}

static bool tell(struct http_request *r, const struct told *told, size_t n,
                 const json_t *before)
{
    struct http_fact *facts = arena_calloc(http_arena(r), n + 1, sizeof(*facts));
    size_t fact_count = 0;

    for (size_t i = 0; i < n; i++) {
        char id[UUID_TEXT];

        uuid_print(&told[i].id, id);
        if (!make_fact(r, &told[i], json_object_get(before, id), facts, &fact_count))
            return false;
    }
    return http_tell(r, facts, fact_count);
}

void notifications_post(struct http_request *r)
{
    struct told *told = arena_calloc(http_arena(r), TOLD_MOST, sizeof(*told));
    json_t *body, *before = NULL;
    const char *why;
    size_t n;

    if (!http_bearer(r, "notifications.token")) return;
    body = notifications_body(r);
    if (body == NULL) return;
    if (!told_read(body, http_arena(r), told, &n, &why))
        notifications_refuse_input(r, why);
    else if ((before = told_before(r, told, n)) != NULL && tell(r, told, n, before))
        http_respond(r, 204, "application/json", TEXT(""));
    json_decref(before);
    json_decref(body);
}
