/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* client.c - a front-end with one request: load, decide, append, wait until it is
 * applied.
 *
 * It answers what it knows and nothing else. On Kafka every answer that speaks of an
 * event waits until the view has passed it, seen in one snapshot with an open gate: in
 * a database that is not the log any more, another event may have that sequence.
 */
#include "model.h"

static const struct attempt *new_request(struct world *w)
{
    struct attempt *a = &w->requests[w->key_count];

    *a = (struct attempt){.key = w->key_count++,
                          .partition = pick(w, PARTITIONS),
                          .size = pick(w, 4) == 0 ? 2 : 1,
                          .tags = 1u << pick(w, TAGS)};
    if (pick(w, 3) == 0) a->tags |= 1u << pick(w, TAGS);
    a->guards = a->tags;
    if (pick(w, 5) == 0) a->guards |= 1u << pick(w, TAGS); /* looks at more */
    if (pick(w, 12) == 0) a->guards = 0;                   /* bulk */
    return a;
}

/* A new request, one that somebody sent before, or its key with another body. */
static void begin(struct world *w, struct client *c)
{
    c->body = 0;
    if (w->key_count > 0 && pick(w, 5) == 0) {
        c->key = w->key_count - 1 - pick(w, w->key_count < 4 ? w->key_count : 4);
        c->body = pick(w, 4) == 0;
        count(w, COUNT_RACED);
    } else if (w->key_count < KEYS) {
        c->key = new_request(w)->key;
    } else {
        return;
    }
    c->tries = 0;
    c->actor.state = CLIENT_DECIDE;
    connect_to(w, &c->actor);
}

/* State and position in one snapshot: a new attempt. */
static void decide(struct world *w, struct client *c)
{
    struct database *d = database_of(w, &c->actor);
    struct attempt *a = &w->attempts[w->attempt_count];
    bool is_behind = false;

    if (d == NULL) {
        connect_to(w, &c->actor);
        return;
    }
    if (w->attempt_count == ATTEMPTS) {
        c->actor.state = CLIENT_IDLE;
        return;
    }
    *a = w->requests[c->key];
    a->body = c->body;
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        a->as_of[p] = d->view.last[p].sequence;
        is_behind = is_behind || a->as_of[p] < d->last[p];
    }
    if (is_behind) count(w, COUNT_LAGGED);
    c->attempt = w->attempt_count++;
    c->is_unsettled = false;
    c->actor.state = CLIENT_SEND;
}

void client_lose(struct world *w, struct client *c)
{
    c->is_unsettled = true;
    c->actor.state = CLIENT_SEND;
    connect_to(w, &c->actor);
    count(w, COUNT_SENT_AGAIN);
}

/* What the attempt's history will say; a conflict is decided again a few times. */
static void conclude(struct world *w, struct client *c)
{
    w->attempts[c->attempt].answer = c->verdict;
    w->attempts[c->attempt].place = c->place;
    c->actor.state =
        c->verdict == ANSWER_CONFLICT && c->tries++ < 4 ? CLIENT_DECIDE : CLIENT_IDLE;
}

void client_answer(struct world *w, struct client *c)
{
    bool is_settled = !c->is_unsettled || w->fault == FAULT_UNSETTLED;

    if (c->verdict == ANSWER_CLOSED && is_settled && chance(w, 2))
        conclude(w, c);
    else if (c->verdict == ANSWER_CLOSED || c->verdict == ANSWER_RETRY)
        c->actor.state = CLIENT_SEND;
    else
        c->actor.state = CLIENT_APPLY;
}

/* Has what the answer speaks of been applied, as far as can be known? */
static bool is_applied(const struct world *w, const struct database *d,
                       const struct event *place)
{
    if (d->view.last[place->partition].sequence < place->sequence) return false;
    return !w->is_kafka || w->fault == FAULT_SEQUENCE_ALONE || is_gate_open(w, d);
}

void client_step(struct world *w, struct client *c)
{
    struct database *d = database_of(w, &c->actor);

    switch ((enum client_state)c->actor.state) {
    case CLIENT_IDLE:
        if (!w->is_calm) begin(w, c);
        break;
    case CLIENT_DECIDE: decide(w, c); break;
    case CLIENT_SEND:
        if (d == NULL) connect_to(w, &c->actor);
        break;
    case CLIENT_WAIT:
        if (d == NULL || chance(w, 30)) client_lose(w, c);
        break;
    case CLIENT_APPLY:
        if (d == NULL)
            client_lose(w, c);
        else if (is_applied(w, d, &c->place))
            conclude(w, c);
        else if (chance(w, 60)) /* 504: it may have happened */
            c->actor.state = CLIENT_IDLE;
        break;
    }
}
