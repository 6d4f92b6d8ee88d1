/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* tell.c - facts from outside: append and wait, with no state and no decision.
 *
 * Each fact is a command of its own, so that one which was told before is left out and
 * the others are not. They go to the queue together, and so leave in one batch.
 */
#include "core/http/request.h"

/* The command that a fact is. */
static struct append_command command_of(struct http_request *r, struct http_fact *fact)
{
    struct record *event = &fact->record;

    event->id = uuid_v5(&fact->key, TEXT("event:0"));
    event->command = event->body = fact->key;
    event->command_index = 0;
    event->command_size = 1;
    event->traceparent = r->traceparent;
    return (struct append_command){
        .key = fact->key, .body = fact->key, .events = event, .event_count = 1};
}

static bool refuse(struct http_request *r, int status, const char *why)
{
    request_refuse(r, HTTP_REFUSED_UNAVAILABLE, status,
                   "%s; tell them again: what is known already changes nothing", why);
    return false;
}

/* Into the request's minimum: then every answer shows it. */
static bool take(struct http_request *r, const struct append_outcome *o,
                 struct http_fact *fact)
{
    struct position at;

    if (o->rc != LL_OK) return refuse(r, o->rc == LL_EUNKNOWN ? 504 : 503, o->err.text);
    if (o->answer.verdict == APPEND_CLOSED)
        return refuse(r, 503, "the log is closed until it is reconciled");
    if (o->answer.verdict != APPEND_ACCEPTED && o->answer.verdict != APPEND_DUPLICATE)
        return refuse(r, 500, "the referee found a fact malformed");
    fact->repeated = o->answer.verdict == APPEND_DUPLICATE;
    position_init(&at);
    if (position_raise(&at, o->answer.topic, o->answer.partition, o->answer.sequence) ==
            LL_OK &&
        token_merge(&r->minimum, &at) == LL_OK)
        return true;
    return refuse(r, 504, "it is on the log, but the position cannot be told");
}

bool http_tell(struct http_request *r, struct http_fact *facts, size_t n)
{
    struct append_command *commands = arena_calloc(&r->arena, n + 1, sizeof(*commands));
    struct append_outcome *outcomes = arena_calloc(&r->arena, n + 1, sizeof(*outcomes));
    const char *trouble = backend_trouble(r->served->backend);
    struct ll_error err;

    LL_CHECK(n <= HTTP_FACTS);
    if (trouble != NULL) return refuse(r, 503, trouble); /* nothing is on its way */
    for (size_t i = 0; i < n; i++) commands[i] = command_of(r, &facts[i]);
    append_queue_append_all(backend_queue(r->served->backend), commands, n,
                            r->server->wait_ms, outcomes);
    for (size_t i = 0; i < n; i++)
        if (!take(r, &outcomes[i], &facts[i])) return false;
    if (backend_wait_answer(r->served->backend, &r->minimum.position, r->server->wait_ms,
                            &err) != LL_OK)
        return refuse(r, 504, "it was accepted and is not yet in the read model");
    r->has_position = true;
    return true;
}
