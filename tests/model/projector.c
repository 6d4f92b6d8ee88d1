/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projector.c - events and checkpoint in one transaction, under a lease's epoch.
 *
 * It may be stopped anywhere and overtaken: the flight that it goes on with raises, and
 * one that was open is ended by who took over.
 */
#include "model.h"

enum { PROJECTOR_IDLE, PROJECTOR_READ, PROJECTOR_FLIGHT, PROJECTOR_COMMIT };

/* Take a partition that is free, ours, or given up for dead. */
static void take_lease(struct world *w, struct projector *p)
{
    struct database *d;
    struct view *v;

    connect_to(w, &p->actor);
    d = database_of(w, &p->actor);
    p->partition = pick(w, PARTITIONS);
    if (d == NULL || (w->is_calm && p != &w->projectors[0])) return;
    v = &d->view;
    if (v->owner[p->partition] != NOBODY && v->owner[p->partition] != p->actor.id) {
        if (!w->is_calm && pick(w, 4) != 0) return;
        count(w, COUNT_TAKEOVER);
        if (v->flight[p->partition] != NOBODY) count(w, COUNT_TERMINATED);
        v->flight[p->partition] = NOBODY;
    }
    v->owner[p->partition] = p->actor.id;
    p->epoch = ++v->epoch[p->partition];
    p->last = v->last[p->partition];
    p->actor.state = PROJECTOR_READ;
}

/* The first statement: the checkpoint moves, or raises. One that merely matches no row
 * takes no lock either, and lets the rest of the flight go on. */
static void begin_flight(struct world *w, struct view *v, struct projector *p)
{
    bool is_quiet = w->fault == FAULT_QUIET_CHECKPOINT;

    p->is_ours = v->epoch[p->partition] == p->epoch &&
                 v->last[p->partition].sequence == p->last.sequence;
    if (v->flight[p->partition] != NOBODY && (p->is_ours || !is_quiet))
        return; /* waits */
    if (!p->is_ours && !is_quiet) {
        count(w, COUNT_RAISED);
        p->actor.state = PROJECTOR_IDLE;
        return;
    }
    if (p->is_ours) v->flight[p->partition] = p->actor.id;
    p->actor.state = PROJECTOR_COMMIT;
}

/* On Kafka, an event that this database's referee did not write shows that another has
 * become the log: no answer may be given from here, so the gate closes with it, and the
 * relay that is about to open it has lost its lease. */
static bool is_own(enum fault fault, const struct database *d, const struct event *e)
{
    if (e->sequence <= d->kept[e->partition]) return true;
    return e->sequence <= d->last[e->partition] &&
           is_same_event(fault, &d->rows[e->partition][e->sequence - 1], e);
}

static void commit(struct world *w, struct database *d, struct projector *p)
{
    struct view *v = &d->view;

    for (uint32_t i = 0; i < p->count; i++) {
        const struct event *e = &p->batch[i];

        for (uint32_t t = 0; t < TAGS; t++) {
            if (!(e->tags & 1u << t)) continue;
            v->events[t]++;
            v->sum[t] += e->sequence;
        }
        if (w->fault != FAULT_SEQUENCE_ALONE && !is_own(w->fault, d, e) &&
            d->gate == d->identity) {
            d->gate = d->relay = NOBODY;
            count(w, COUNT_OVERTAKEN);
        }
    }
    if (p->is_ours) {
        v->flight[p->partition] = NOBODY;
        v->last[p->partition] = p->last = p->batch[p->count - 1];
    }
}

void projector_step(struct world *w, struct projector *p)
{
    struct database *d = database_of(w, &p->actor);

    if (p->actor.state == PROJECTOR_IDLE) {
        take_lease(w, p);
    } else if (d == NULL) {
        p->actor.state = PROJECTOR_IDLE;
    } else if (p->actor.state == PROJECTOR_READ) {
        p->count = log_read(w, d, p->partition, &p->last, p->batch, BATCH);
        p->actor.state = p->count > 0 ? PROJECTOR_FLIGHT : PROJECTOR_IDLE;
    } else if (p->actor.state == PROJECTOR_FLIGHT) {
        begin_flight(w, &d->view, p);
    } else {
        if (!p->is_ours || d->view.flight[p->partition] == p->actor.id) commit(w, d, p);
        p->actor.state = PROJECTOR_READ;
    }
}

/* Postgres sees the connection end and rolls back. */
void projector_crash(struct world *w, struct projector *p)
{
    struct database *d = database_of(w, &p->actor);

    if (d != NULL && d->view.flight[p->partition] == p->actor.id)
        d->view.flight[p->partition] = NOBODY;
    p->actor.state = PROJECTOR_IDLE;
    p->actor.id = ++w->ids;
}
