/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* relay.c - fence, import, open the gate; then rows to Kafka in order.
 *
 * It can be overtaken at any step, by another on the same database or by one on a
 * database that took over; what it has in memory or on the wire then still lands. It
 * learns of that only by reading: its own writes are acknowledged, though void.
 */
#include "model.h"

#include <string.h>

enum { RELAY_IDLE, RELAY_EPOCH, RELAY_FENCE, RELAY_READ, RELAY_OPEN, RELAY_COPY };

/* Take the lease when it is free, ours, or its owner seems dead. */
static void take_lease(struct world *w, struct relay *r)
{
    struct database *d;

    connect_to(w, &r->actor);
    d = database_of(w, &r->actor);
    if (d == NULL || (w->is_calm && r != &w->relays[0])) return;
    if (d->relay != NOBODY && d->relay != r->actor.id) {
        if (!w->is_calm && pick(w, is_gate_open(w, d) ? 80 : 12) != 0) return;
        count(w, COUNT_TAKEOVER);
    }
    d->relay = r->actor.id;
    memset(r->memory_count, 0, sizeof(r->memory_count));
    r->actor.state = RELAY_EPOCH;
}

/* The highest epoch seen anywhere, plus one. Another may come to the same. */
static void choose_epoch(const struct world *w, struct relay *r)
{
    r->epoch = 0;
    for (uint32_t p = 0; p < PARTITIONS; p++)
        for (uint32_t i = 0; i < w->kafka[p].count; i++)
            if (w->kafka[p].records[i].epoch > r->epoch)
                r->epoch = w->kafka[p].records[i].epoch;
    if (w->fault != FAULT_NO_FENCE) r->epoch++;
}

static struct kafka_record stamp(const struct world *w, const struct relay *r)
{
    return (struct kafka_record){.epoch = r->epoch,
                                 .writer =
                                     w->fault == FAULT_NO_FENCE ? NOBODY : r->actor.id,
                                 .lineage = w->databases[r->actor.at.database].lineage};
}

/* What is on the wire is nobody's any more: it lands late, or never. */
static void forget_flight(struct world *w, struct relay *r, uint32_t p)
{
    struct kafka_partition *k = &w->kafka[p];

    for (uint32_t i = 0; i < r->flight_count[p] && k->lost_count < FLIGHT; i++)
        k->lost[k->lost_count++] = r->flight[p][i];
    r->flight_count[p] = r->memory_count[p] = 0;
}

static void write_fences(const struct world *w, struct relay *r)
{
    for (uint32_t p = 0; w->fault != FAULT_NO_FENCE && p < PARTITIONS; p++) {
        struct kafka_record fence = stamp(w, r);

        fence.kind = RECORD_FENCE;
        r->flight[p][r->flight_count[p]++] = fence;
    }
    r->actor.state = RELAY_READ;
}

/* Where this relay's fence ends, or 0 while it has not landed. */
static uint32_t fence_end(const struct world *w, const struct relay *r, uint32_t p)
{
    const struct kafka_partition *k = &w->kafka[p];

    if (w->fault == FAULT_NO_FENCE) return k->count;
    for (uint32_t i = k->count; i > 0; i--)
        if (k->records[i - 1].kind == RECORD_FENCE &&
            k->records[i - 1].epoch == r->epoch &&
            k->records[i - 1].writer == r->actor.id)
            return i;
    return 0;
}

/* This database holds what the log does not and can not take back: it is emptied and
 * read back from Kafka. Only where another database was the log may it come to that. */
static void refuse(struct world *w, struct relay *r, bool is_other, uint32_t p)
{
    if (!is_other) breach(w, "the relay found another log on Kafka", p, 0);
    r->actor.state = RELAY_IDLE;
    if (r->actor.at.database != w->current) {
        w->databases[r->actor.at.database].is_up = false;
        return;
    }
    count(w, COUNT_REBUILT);
    failover(w, NULL, false);
}

/* Do Kafka and the rows agree, as far as both go? Where another database was the log, a
 * row that Kafka lacks was judged without knowing what that one accepted, in whichever
 * partition: it cannot be sent any more. */
static bool is_mergeable(const struct database *d, const struct reading *log, uint32_t p,
                         bool is_other, enum fault fault)
{
    uint32_t both = log->count < d->last[p] ? log->count : d->last[p];

    if (log->has_gap || log->count < d->kept[p]) return false;
    if (is_other && d->last[p] > log->count && fault != FAULT_MERGE) return false;
    for (uint32_t i = d->kept[p]; i < both; i++)
        if (!is_same_event(fault, &d->rows[p][i], log->events[i])) return false;
    return true;
}

/* In one transaction, under the referee's lock: what Kafka has and this does not. */
static void import(struct world *w, struct database *d, struct relay *r,
                   const struct reading log[PARTITIONS])
{
    bool is_other = log[0].is_other || log[1].is_other || log[2].is_other;

    for (uint32_t p = 0; p < PARTITIONS; p++)
        if (!is_mergeable(d, &log[p], p, is_other, w->fault)) {
            refuse(w, r, is_other, p);
            return;
        }
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        while (d->last[p] < log[p].count) {
            referee_insert(w, d, log[p].events[d->last[p]]);
            count(w, COUNT_IMPORTED);
        }
        d->relayed[p] = r->read[p] = r->acked[p] = log[p].count;
    }
    r->actor.state = RELAY_OPEN;
}

static void read_to_fence(struct world *w, struct database *d, struct relay *r)
{
    enum fault fault = w->fault == FAULT_NO_VOID ? FAULT_NONE : w->fault;
    struct reading log[PARTITIONS] = {0};

    for (uint32_t p = 0; p < PARTITIONS; p++) {
        uint32_t end = fence_end(w, r, p);

        if (d->lock[p] != NOBODY) return; /* the referee's: waits */
        if (end == 0 && w->fault != FAULT_NO_FENCE) return;
        log[p].since = d->epoch;
        log[p].claimed = r->epoch;
        log[p].own[0] = d->reconciled;
        log[p].own[1] = d->lineage;
        kafka_read(w, p, 0, end, fault, &log[p]);
        if (w->fault == FAULT_NO_FENCE || log[p].writer == r->actor.id) continue;
        count(w, COUNT_FENCE_LOST);
        r->actor.state = RELAY_IDLE;
        return;
    }
    import(w, d, r, log);
}

/* Rows into memory; from here on they are produced without another look. */
static void load_rows(const struct world *w, const struct database *d, struct relay *r,
                      uint32_t p)
{
    while (r->read[p] < d->last[p] && r->memory_count[p] < BATCH) {
        struct kafka_record *to = &r->memory[p][r->memory_count[p]++];

        LL_CHECK(r->read[p] >= d->kept[p]);
        *to = stamp(w, r);
        to->event = d->rows[p][r->read[p]++];
    }
}

static void produce(struct relay *r, uint32_t p)
{
    if (r->flight_count[p] + r->memory_count[p] > FLIGHT) return;
    for (uint32_t i = 0; i < r->memory_count[p]; i++)
        r->flight[p][r->flight_count[p]++] = r->memory[p][i];
    r->memory_count[p] = 0;
}

/* The mark, and old rows away: those that the view has applied from Kafka, since an
 * acknowledgement alone may be for a void record; never the last. */
static void mark_and_drop(struct world *w, struct database *d, const struct relay *r,
                          uint32_t p)
{
    uint32_t end = w->fault == FAULT_ACKNOWLEDGED ? d->last[p] : d->view.last[p].sequence;

    if (r->acked[p] > d->relayed[p]) d->relayed[p] = r->acked[p];
    if (end > d->relayed[p]) end = d->relayed[p];
    if (end == d->last[p] && end > 0) end--;
    if (chance(w, 4) && end > d->kept[p]) d->kept[p] = end;
}

/* Acknowledgements that do not come: produce again. A fence that is not ours: begin
 * again. */
static void look_around(struct world *w, struct relay *r, uint32_t p)
{
    struct reading log;

    if (r->read[p] > r->acked[p] && (chance(w, 2) || r->flight_count[p] == 0)) {
        forget_flight(w, r, p);
        r->read[p] = r->acked[p];
    }
    kafka_read_all(w, p, &log);
    if (w->fault != FAULT_NO_FENCE && log.writer != r->actor.id)
        r->actor.state = RELAY_IDLE;
}

static void copy(struct world *w, struct database *d, struct relay *r)
{
    uint32_t p = pick(w, PARTITIONS), what = pick(w, 4);
    bool is_holder = d != NULL && d->relay == r->actor.id && d->gate == d->identity;

    if (what == 0)
        produce(r, p); /* asks nobody: an old relay that wakes up writes here */
    else if (!is_holder &&
             r->memory_count[0] + r->memory_count[1] + r->memory_count[2] == 0)
        r->actor.state = RELAY_IDLE;
    else if (is_holder && what == 1)
        load_rows(w, d, r, p);
    else if (is_holder && what == 2)
        mark_and_drop(w, d, r, p);
    else if (is_holder)
        look_around(w, r, p);
}

void relay_step(struct world *w, struct relay *r)
{
    struct database *d = database_of(w, &r->actor);

    if (!w->is_kafka) return;
    if (r->actor.state == RELAY_IDLE) {
        for (uint32_t p = 0; p < PARTITIONS; p++) forget_flight(w, r, p);
        take_lease(w, r);
    } else if (r->actor.state == RELAY_COPY) {
        copy(w, d, r);
    } else if (d == NULL || d->relay != r->actor.id) {
        r->actor.state = RELAY_IDLE;
    } else if (r->actor.state == RELAY_EPOCH) {
        choose_epoch(w, r);
        r->actor.state = RELAY_FENCE;
    } else if (r->actor.state == RELAY_FENCE) {
        write_fences(w, r);
    } else if (r->actor.state == RELAY_READ) {
        read_to_fence(w, d, r);
    } else {
        d->gate = d->identity;
        d->reconciled = d->lineage;
        d->epoch = r->epoch;
        r->actor.state = RELAY_COPY;
    }
}

void relay_crash(struct world *w, struct relay *r)
{
    for (uint32_t p = 0; p < PARTITIONS; p++) forget_flight(w, r, p);
    r->actor.state = RELAY_IDLE;
    r->actor.id = ++w->ids;
}

static void land_lost(struct world *w, uint32_t p)
{
    struct kafka_partition *k = &w->kafka[p];

    if (k->lost_count == 0) return;
    if (pick(w, 3) == 0) { /* one that fails takes all behind it along */
        k->lost_count = 0;
        return;
    }
    kafka_land(w, p, &k->lost[0]);
    memmove(&k->lost[0], &k->lost[1], --k->lost_count * sizeof(k->lost[0]));
}

void network_step(struct world *w)
{
    uint32_t start = pick(w, RELAYS * PARTITIONS), p = pick(w, PARTITIONS);

    if (pick(w, 6) == 0) {
        land_lost(w, p);
        return;
    }
    for (uint32_t i = start; i < start + RELAYS * PARTITIONS; i++) {
        struct relay *r = &w->relays[i % RELAYS];
        const struct kafka_record *first;

        p = i / RELAYS % PARTITIONS;
        if (r->flight_count[p] == 0) continue;
        first = &r->flight[p][0];
        kafka_land(w, p, first);
        if (first->kind == RECORD_EVENT && first->event.sequence == r->acked[p] + 1 &&
            !chance(w, 6))
            r->acked[p]++;
        memmove(&r->flight[p][0], first + 1,
                --r->flight_count[p] * sizeof(r->flight[p][0]));
        return;
    }
}
