/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* store.c - Kafka as it keeps records, and the rules by which all readers read them.
 *
 * A fence of a higher epoch than any before it counts; from there on only its writer's
 * records do. A command counts when all of its events are there: a fence in the middle
 * voids the first part, since the database that had the rest may be gone.
 */
#include "model.h"

#include <string.h>

bool is_same_event(enum fault fault, const struct event *a, const struct event *b)
{
    if (a->attempt != b->attempt || a->index != b->index) return false;
    return a->time == b->time || fault == FAULT_SAME_ID;
}

void kafka_land(struct world *w, uint32_t partition, const struct kafka_record *r)
{
    struct kafka_partition *k = &w->kafka[partition];

    if (k->count + 1 >= RECORDS) {
        breach(w, "Kafka is full", partition, 0);
        return;
    }
    if (chance(w, 60))
        k->records[k->count++] = (struct kafka_record){.kind = RECORD_FOREIGN};
    if (r->kind == RECORD_FENCE) count(w, COUNT_FENCE);
    k->records[k->count++] = *r;
}

static void read_event(struct reading *r, const struct event *e, enum fault fault)
{
    if (e->sequence > r->seen + 1 || r->has_gap) {
        r->has_gap = true;
        return;
    }
    if (e->sequence <= r->seen) {
        const struct event *before = r->events[e->sequence - 1];

        r->twice++;
        r->has_two = r->has_two || (before != NULL && !is_same_event(fault, before, e));
        return;
    }
    LL_CHECK(r->seen < EVENTS);
    r->events[r->seen++] = e;
    if (e->index + 1 == e->size || fault == FAULT_HALF_COMMAND) r->count = r->seen;
}

static void read_fence(struct reading *r, const struct kafka_record *fence,
                       enum fault fault)
{
    if (fence->epoch <= r->epoch) return; /* the first of an epoch has won */
    r->epoch = fence->epoch;
    r->writer = fence->writer;
    r->seen = r->count;
    if (fault == FAULT_NUMBER_ALONE)
        r->is_other = r->is_other || fence->epoch > r->claimed;
    else if (fence->epoch > r->since && fence->lineage != r->own[0] &&
             fence->lineage != r->own[1])
        r->is_other = true;
}

void kafka_read(const struct world *w, uint32_t partition, uint32_t from, uint32_t end,
                enum fault fault, struct reading *r)
{
    for (uint32_t i = from; i < end; i++) {
        const struct kafka_record *k = &w->kafka[partition].records[i];
        bool is_void = k->epoch != r->epoch || k->writer != r->writer;

        if (k->kind == RECORD_FOREIGN)
            r->foreign++;
        else if (k->kind == RECORD_FENCE)
            read_fence(r, k, fault);
        else if (is_void && fault != FAULT_NO_VOID)
            r->voids++;
        else
            read_event(r, &k->event, fault);
    }
}

void kafka_read_all(const struct world *w, uint32_t partition, struct reading *r)
{
    memset(r, 0, sizeof(*r));
    kafka_read(w, partition, 0, w->kafka[partition].count,
               w->fault == FAULT_HALF_COMMAND ? w->fault : FAULT_NONE, r);
}

/* Resume at the first record that looks like the last event, trusting its epoch: the
 * trap. It may be void itself, and the fence that says so lies before it. */
static uint32_t resume_blindly(const struct world *w, uint32_t partition,
                               const struct event *last, struct reading *r)
{
    const struct kafka_partition *k = &w->kafka[partition];

    for (uint32_t i = 0; last->sequence > 0 && i < k->count; i++)
        if (k->records[i].kind == RECORD_EVENT &&
            is_same_event(w->fault, &k->records[i].event, last)) {
            r->epoch = k->records[i].epoch;
            r->writer = k->records[i].writer;
            r->count = r->seen = last->sequence;
            r->events[last->sequence - 1] = &k->records[i].event;
            return i + 1;
        }
    return 0;
}

/* The event at the reader's place must be its last one: else this is another log. */
static void check_last(struct world *w, uint32_t partition, const struct event *last,
                       const struct event *there)
{
    if (last->sequence == 0 || (there != NULL && is_same_event(w->fault, there, last)))
        return;
    if (w->fault != FAULT_TRUSTING)
        breach(w, "a reader's last event is not there", partition, last->sequence);
}

static uint32_t kafka_tail(struct world *w, uint32_t partition, const struct event *last,
                           struct event *out, uint32_t max)
{
    struct reading r;
    uint32_t from = 0, n;

    memset(&r, 0, sizeof(r));
    if (w->fault == FAULT_BLIND_RESUME) from = resume_blindly(w, partition, last, &r);
    kafka_read(w, partition, from, w->kafka[partition].count, w->fault, &r);
    if (r.has_gap) breach(w, "a reader found a gap", partition, r.seen + 1);
    check_last(w, partition, last,
               last->sequence <= r.count && last->sequence > 0
                   ? r.events[last->sequence - 1]
                   : NULL);
    for (n = 0; n < max && last->sequence + n < r.count; n++)
        out[n] = *r.events[last->sequence + n];
    return n;
}

uint32_t log_read(struct world *w, const struct database *d, uint32_t partition,
                  const struct event *last, struct event *out, uint32_t max)
{
    uint32_t n;

    if (w->is_kafka) return kafka_tail(w, partition, last, out, max);
    check_last(w, partition, last,
               last->sequence <= d->last[partition] && last->sequence > 0
                   ? &d->rows[partition][last->sequence - 1]
                   : NULL);
    for (n = 0; n < max && last->sequence + n < d->last[partition]; n++)
        out[n] = d->rows[partition][last->sequence + n];
    return n;
}

/* What it has passed survives a crash, as a checkpoint does. */
void reader_step(struct world *w, struct reader *r)
{
    uint32_t partition = pick(w, PARTITIONS), n;
    struct event batch[BATCH];

    n = log_read(w, &w->databases[w->current], partition, &r->last[partition], batch,
                 BATCH);
    for (uint32_t i = 0; i < n; i++) {
        r->passed[partition][r->last[partition].sequence] = batch[i];
        r->last[partition] = batch[i];
    }
}
