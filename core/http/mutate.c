/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* mutate.c - load, decide, append, wait (DESIGN, section 4).
 *
 * What may be answered when: a refusal only after the key was looked up, so that a retry
 * never hears "already done" of itself; 409 and 503 only while nothing of the command is
 * on its way; 504 when it was sent and its outcome, or its effect, could not be seen in
 * time. Asking again with the same key settles that. */
#include "core/http/request.h"

#include "core/base/note.h"

#include <string.h>

enum { ATTEMPTS = 8, KEY_MOST = 255 };

struct uuid http_event_id(const struct http_request *r, size_t i)
{
    char name[16];
    int n = snprintf(name, sizeof(name), "event:%zu", i);

    LL_CHECK(n > 0 && (size_t)n < sizeof(name) && !uuid_is_nil(&r->command));
    return uuid_v5(&r->command, (struct text){name, (size_t)n});
}

/* ---- the command's identity ---- */

static bool is_printable(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] < ' ' || t.ptr[i] >= 0x7f) return false;
    return t.len > 0;
}

/* From the client's key, or from what was signed; never from the signature's bytes, of
 * which there are several for one message. */
static bool choose_key(struct http_request *r)
{
    struct text given = http_header(r, "idempotency-key"), body = http_body(r);
    struct builder name;

    if (given.len > KEY_MOST || (given.len > 0 && !is_printable(given))) {
        request_refuse(r, HTTP_REFUSED_INPUT, 400,
                       "Idempotency-Key must have 1 to %d printable characters",
                       KEY_MOST);
        return false;
    }
    builder_init(&name, REQUEST_ARENA);
    builder_printf(&name, "%s %.*s\n", given.len ? "key" : "signed",
                   TEXT_ARGS(r->identity.address));
    builder_text(&name, given.len ? given : r->payload);
    if (given.len == 0) {
        builder_char(&name, '\n');
        builder_text(&name, body);
    }
    r->command = uuid_v5(&uuid_landlog, builder_view(&name));
    builder_fini(&name);
    return true;
}

static struct uuid body_hash(const struct http_request *r)
{
    struct builder asked;
    struct uuid hash;

    builder_init(&asked, REQUEST_ARENA);
    builder_text(&asked, r->method);
    builder_char(&asked, ' ');
    builder_text(&asked, r->url.path);
    builder_char(&asked, '\n');
    builder_text(&asked, http_body(r));
    hash = uuid_hash(builder_view(&asked));
    builder_fini(&asked);
    return hash;
}

/* ---- what the log says ---- */

static void refuse_unsettled(struct http_request *r, const char *why)
{
    struct uuid id = http_event_id(r, 0);
    char text[UUID_TEXT];

    uuid_print(&id, text);
    request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 504,
                   "%s; ask again with the same key to learn what became of event %s",
                   why, text);
}

/* It is on the log at `o`: wait until the read model shows it. */
static bool wait_applied(struct http_request *r, const struct http_outcome *o)
{
    struct position at;
    struct ll_error err;

    position_init(&at);
    if (position_raise(&at, o->topic, o->partition, o->sequence) != LL_OK ||
        token_merge(&r->minimum, &at) != LL_OK) {
        refuse_unsettled(r, "it is on the log, but the position cannot be told");
        return false;
    }
    if (backend_wait_answer(r->served->backend, &at, r->server->wait_ms, &err) == LL_OK)
        return true;
    refuse_unsettled(r, "it was accepted and is not yet in the read model");
    return false;
}

/* The key is that of another request, which must itself be there to say so. */
static void refuse_reused(struct http_request *r, const struct http_outcome *o)
{
    if (!wait_applied(r, o)) return;
    request_refuse(r, HTTP_REFUSED_INPUT, 422,
                   "this Idempotency-Key was used for another request");
}

/* Nothing was appended, and it is so already: as a snapshot with an open gate has it. */
static bool wait_open(struct http_request *r)
{
    struct position nothing;
    struct ll_error err;

    position_init(&nothing);
    if (backend_wait_answer(r->served->backend, &nothing, r->server->wait_ms, &err) ==
        LL_OK)
        return true;
    request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503,
                   "the log is closed until it is reconciled");
    return false;
}

enum known { KNOWN_NOT, KNOWN, KNOWN_ANSWERED };

/* Was this key accepted before? KNOWN_ANSWERED: the request was refused. */
static enum known look_up(struct http_request *r, const struct uuid *body,
                          struct http_outcome *out)
{
    char key[UUID_TEXT];
    const char *values[] = {key};
    struct lane_statement statement = {"landlog.known", referee_known_sql, 1, values};
    struct ll_error err;
    struct uuid before;
    uint64_t partition, time;
    PGresult *result;

    uuid_print(&r->command, key);
    if (backend_read(r->served->backend, &statement, &result, &err) != LL_OK) {
        request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503, "%s", err.text);
        return KNOWN_ANSWERED;
    }
    if (PQntuples(result) == 0) {
        PQclear(result);
        return KNOWN_NOT;
    }
    LL_CHECK(uuid_parse(text_of(PQgetvalue(result, 0, 0)), &before) &&
             text_to_u64(text_of(PQgetvalue(result, 0, 2)), UINT32_MAX, &partition) &&
             text_to_u64(text_of(PQgetvalue(result, 0, 3)), UINT64_MAX, &out->sequence) &&
             text_to_u64(text_of(PQgetvalue(result, 0, 4)), INT64_MAX, &time));
    snprintf(out->topic, sizeof(out->topic), "%s", PQgetvalue(result, 0, 1));
    out->partition = (uint32_t)partition;
    out->time = (int64_t)time;
    out->repeated = true;
    PQclear(result);
    if (uuid_equal(&before, body)) return KNOWN;
    refuse_reused(r, out);
    return KNOWN_ANSWERED;
}

/* ---- one attempt ---- */

enum step { STEP_DONE, STEP_ANSWERED, STEP_AGAIN };

/* Nothing is to be appended: a refusal, or it is so already. */
static enum step settle_without_event(struct http_request *r,
                                      const struct http_decision *d,
                                      const struct uuid *body, struct http_outcome *out)
{
    switch (look_up(r, body, out)) {
    case KNOWN_ANSWERED: return STEP_ANSWERED;
    case KNOWN: return wait_applied(r, out) ? STEP_DONE : STEP_ANSWERED;
    case KNOWN_NOT: break;
    }
    if (!d->refused) return wait_open(r) ? STEP_DONE : STEP_ANSWERED;
    request_refuse(r, HTTP_REFUSED_DECISION, d->status, "%.*s", TEXT_ARGS(d->message));
    return STEP_ANSWERED;
}

/* Somebody was first: wait until the read model shows what they did. */
static enum step wait_for_conflict(struct http_request *r, const struct append_answer *a)
{
    struct position at;
    struct ll_error err;

    position_init(&at);
    LL_CHECK(position_raise(&at, a->topic, a->partition, a->sequence) == LL_OK);
    if (backend_wait(r->served->backend, &at, r->server->wait_ms, &err) == LL_OK)
        return STEP_AGAIN;
    request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503, "%s", err.text);
    return STEP_ANSWERED;
}

static void take_place(struct http_outcome *out, const struct append_answer *a)
{
    memcpy(out->topic, a->topic, sizeof(out->topic));
    out->partition = a->partition;
    out->sequence = a->sequence;
    out->time = a->time;
    out->repeated = a->verdict == APPEND_DUPLICATE;
}

static enum step take_verdict(struct http_request *r, const struct append_answer *a,
                              struct http_outcome *out)
{
    switch (a->verdict) {
    case APPEND_ACCEPTED:
    case APPEND_DUPLICATE:
        take_place(out, a);
        return wait_applied(r, out) ? STEP_DONE : STEP_ANSWERED;
    case APPEND_CONFLICT: return wait_for_conflict(r, a);
    case APPEND_REUSED:
        take_place(out, a);
        refuse_reused(r, out);
        return STEP_ANSWERED;
    case APPEND_CLOSED:
        request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503,
                       "the log is closed until it is reconciled");
        return STEP_ANSWERED;
    case APPEND_RETRY:
    case APPEND_INVALID: break;
    }
    note(NOTE_ERROR, "the referee found a command malformed", NOTE_S("id", r->id));
    request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 500, "the command is malformed");
    return STEP_ANSWERED;
}

static enum step append(struct http_request *r, struct http_decision *d,
                        const struct uuid *body, const struct position *as_of,
                        struct http_outcome *out)
{
    struct append_command command = {.key = r->command,
                                     .body = *body,
                                     .as_of = as_of,
                                     .guards = d->guards,
                                     .guard_count = d->guard_count,
                                     .events = d->events,
                                     .event_count = d->event_count};
    const char *trouble = backend_trouble(r->served->backend);
    struct append_answer answer;
    struct ll_error err;

    if (trouble != NULL) { /* at once, while nothing is on its way */
        request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503, "%s", trouble);
        return STEP_ANSWERED;
    }
    for (size_t i = 0; i < d->event_count; i++) {
        d->events[i].id = http_event_id(r, i);
        d->events[i].command = r->command;
        d->events[i].body = *body;
        d->events[i].command_index = (uint32_t)i;
        d->events[i].command_size = (uint32_t)d->event_count;
        d->events[i].traceparent = r->traceparent;
    }
    switch (append_queue_append(backend_queue(r->served->backend), &command,
                                r->server->wait_ms, &answer, &err)) {
    case LL_OK: return take_verdict(r, &answer, out);
    case LL_EUNKNOWN: refuse_unsettled(r, err.text); return STEP_ANSWERED;
    default: request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503, "%s", err.text);
    }
    return STEP_ANSWERED;
}

static enum step attempt(struct http_request *r, const struct http_mutation *m,
                         const struct uuid *body, struct http_outcome *out)
{
    struct http_decision *d = arena_calloc(&r->arena, 1, sizeof(*d));
    struct http_query_answer state = {0};
    struct ll_error err;
    json_t *json = NULL;

    if (m->load != NULL) {
        if (!http_query(r, m->load, m->values, m->value_count, &state))
            return STEP_ANSWERED;
        LL_CHECK(state.found && json_parse(state.body, JSON_DEPTH, &json, &err) == LL_OK);
    }
    m->decide(r, json, m->context, d);
    json_decref(json);
    if (d->refused || d->event_count == 0) return settle_without_event(r, d, body, out);
    return append(r, d, body, m->load != NULL ? &state.position : NULL, out);
}

bool http_mutate(struct http_request *r, const struct http_mutation *m,
                 struct http_outcome *out)
{
    struct uuid body = m->key != NULL ? *m->key : body_hash(r);
    enum step step = STEP_AGAIN;

    *out = (struct http_outcome){0};
    if (m->key != NULL)
        r->command = *m->key;
    else if (!choose_key(r))
        return false;
    out->command = r->command;
    for (int i = 0; i < ATTEMPTS && step == STEP_AGAIN; i++)
        step = attempt(r, m, &body, out);
    if (step == STEP_AGAIN)
        request_refuse(r, HTTP_REFUSED_CONFLICT, 409,
                       "others kept changing the same things; try again");
    return step == STEP_DONE;
}
