/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* referee.c - append: lock, read, judge, number, insert, commit; and who calls it.
 *
 * A worker's session goes on in the server when the worker dies, so an append that was
 * given up for lost may still be carried out, later than the one sent in its place.
 */
#include "model.h"

#include <string.h>

enum { WORKER_IDLE, WORKER_SENT, WORKER_LOCK, WORKER_HELD, WORKER_DONE };

void referee_insert(struct world *w, struct database *d, const struct event *e)
{
    uint32_t p = e->partition;

    if (d->last[p] == EVENTS) {
        breach(w, "the table of events is full", p, EVENTS);
        return;
    }
    d->rows[p][d->last[p]++] = *e;
    for (uint32_t t = 0; t < TAGS; t++) {
        if (!(e->tags & 1u << t)) continue;
        if (w->fault == FAULT_ONE_HEAD)
            memset(d->heads.sequence[t], 0, sizeof(d->heads.sequence[t]));
        d->heads.sequence[t][p] = e->sequence;
    }
    d->heads.keys[e->key] = (struct key){true, e->body, *e};
}

/* One command against what was read under the lock, and the batch before it. */
static enum history_answer judge(const struct world *w, struct worker *k, uint32_t i)
{
    const struct attempt *a = &w->attempts[k->attempt[i]];
    const struct heads *h = &k->snapshot;

    if (h->keys[a->key].is_used) {
        k->place[i] = h->keys[a->key].last;
        return h->keys[a->key].body == a->body ? ANSWER_DUPLICATE : ANSWER_REUSED;
    }
    for (uint32_t t = 0; t < TAGS; t++)
        for (uint32_t p = 0; p < PARTITIONS; p++) {
            if (!(a->guards & 1u << t) || h->sequence[t][p] <= a->as_of[p]) continue;
            k->place[i] = (struct event){.partition = p, .sequence = h->sequence[t][p]};
            return ANSWER_CONFLICT;
        }
    for (uint32_t j = 0; j < i; j++) {
        const struct attempt *before = &w->attempts[k->attempt[j]];

        if (k->verdict[j] == ANSWER_ACCEPTED &&
            ((before->tags & a->guards) != 0 || before->key == a->key))
            return ANSWER_RETRY;
    }
    return ANSWER_ACCEPTED;
}

static void accept(struct world *w, struct database *d, struct worker *k, uint32_t i)
{
    const struct attempt *a = &w->attempts[k->attempt[i]];
    uint32_t p = a->partition;
    int64_t now = w->clock + d->clock;
    int64_t newest = d->last[p] == 0 ? 0 : d->rows[p][d->last[p] - 1].time;

    for (uint32_t index = 0; index < a->size; index++) {
        k->place[i] = (struct event){k->attempt[i],
                                     a->key,
                                     a->body,
                                     p,
                                     index,
                                     a->size,
                                     d->last[p] + 1,
                                     a->tags,
                                     now > newest ? now : newest};
        referee_insert(w, d, &k->place[i]);
    }
    count(w, COUNT_ACCEPTED);
    if (a->size > 1) count(w, COUNT_SEVERAL);
}

/* Judge and commit. A key that appeared since the snapshot violates the primary key and
 * takes the whole batch with it (only unsound shapes can meet that). */
static void append(struct world *w, struct database *d, struct worker *k)
{
    static const enum count counts[] = {[ANSWER_CONFLICT] = COUNT_CONFLICT,
                                        [ANSWER_RETRY] = COUNT_RETRY,
                                        [ANSWER_DUPLICATE] = COUNT_DUPLICATE,
                                        [ANSWER_REUSED] = COUNT_REUSED,
                                        [ANSWER_CLOSED] = COUNT_CLOSED};

    bool is_violated = false;

    for (uint32_t i = 0; i < k->count; i++) {
        k->place[i] = (struct event){0};
        k->verdict[i] = is_gate_open(w, d) ? judge(w, k, i) : ANSWER_CLOSED;
        if (k->verdict[i] == ANSWER_ACCEPTED &&
            d->heads.keys[w->attempts[k->attempt[i]].key].is_used)
            is_violated = true;
    }
    k->is_orphan = k->is_orphan || is_violated;
    for (uint32_t i = 0; !is_violated && i < k->count; i++) {
        if (k->verdict[i] == ANSWER_ACCEPTED)
            accept(w, d, k, i);
        else
            count(w, counts[k->verdict[i]]);
    }
}

/* The locks of a batch: the referee's one row, or in the unsound shape one a partition.
 */
static bool locks_take(struct world *w, struct database *d, const struct worker *k)
{
    bool is_mine[PARTITIONS] = {true};

    if (w->fault == FAULT_PARTITION_LOCKS) {
        is_mine[0] = false;
        for (uint32_t i = 0; i < k->count; i++)
            is_mine[w->attempts[k->attempt[i]].partition] = true;
    }
    for (uint32_t p = 0; p < PARTITIONS; p++)
        if (is_mine[p] && d->lock[p] != NOBODY) return false;
    for (uint32_t p = 0; p < PARTITIONS; p++)
        if (is_mine[p]) d->lock[p] = k->actor.id;
    return true;
}

static void locks_release(struct database *d, const struct worker *k)
{
    for (uint32_t p = 0; p < PARTITIONS; p++)
        if (d->lock[p] == k->actor.id) d->lock[p] = NOBODY;
}

/* Take what waits for the same database into one batch. */
static void worker_collect(struct world *w, struct worker *k)
{
    k->count = 0;
    connect_to(w, &k->actor);
    for (uint32_t i = 0; i < CLIENTS && k->count < BATCH; i++) {
        struct client *c = &w->clients[i];

        if (c->actor.state != CLIENT_SEND ||
            c->actor.at.database != k->actor.at.database ||
            database_of(w, &c->actor) == NULL)
            continue;
        c->actor.state = CLIENT_WAIT;
        c->ticket = ++w->tickets;
        k->client[k->count] = i;
        k->attempt[k->count] = c->attempt;
        k->ticket[k->count++] = c->ticket;
    }
    k->is_orphan = false;
    if (k->count > 0) k->actor.state = WORKER_SENT;
}

static void worker_reply(struct world *w, const struct worker *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        struct client *c = &w->clients[k->client[i]];

        if (c->actor.state != CLIENT_WAIT || c->ticket != k->ticket[i]) continue;
        if (k->is_orphan) {
            client_lose(w, c);
            continue;
        }
        c->verdict = k->verdict[i];
        c->place = k->place[i];
        client_answer(w, c);
    }
}

void worker_step(struct world *w, struct worker *k)
{
    struct database *d = database_of(w, &k->actor);

    if (k->actor.state == WORKER_IDLE) {
        worker_collect(w, k);
    } else if (d == NULL) { /* clients see for themselves that the connection is lost */
        k->actor.state = WORKER_IDLE;
    } else if (k->actor.state == WORKER_SENT) {
        if (w->fault == FAULT_OLD_SNAPSHOT) k->snapshot = d->heads;
        k->actor.state = WORKER_LOCK;
    } else if (k->actor.state == WORKER_LOCK) {
        if (!locks_take(w, d, k)) return;
        if (w->fault != FAULT_OLD_SNAPSHOT) k->snapshot = d->heads;
        k->actor.state = WORKER_HELD;
    } else if (k->actor.state == WORKER_HELD) {
        append(w, d, k);
        locks_release(d, k);
        k->actor.state = WORKER_DONE;
    } else {
        worker_reply(w, k);
        k->actor.state = WORKER_IDLE;
    }
}

/* Its clients do not learn the outcome. Half the time its session dies with it. */
void worker_crash(struct world *w, struct worker *k)
{
    struct database *d = database_of(w, &k->actor);

    if (k->actor.state == WORKER_IDLE) return;
    k->is_orphan = true;
    worker_reply(w, k);
    if (pick(w, 2) == 0) return;
    if (d != NULL) locks_release(d, k);
    k->actor.state = WORKER_IDLE;
}
