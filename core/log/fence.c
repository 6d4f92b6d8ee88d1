/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* fence.c - see fence.h. */
#include "core/log/fence.h"

#include <inttypes.h>

static void remember(struct fence *f, uint64_t sequence, const struct uuid *id,
                     int64_t time)
{
    f->recent[sequence % FENCE_MEMORY].id = *id;
    f->recent[sequence % FENCE_MEMORY].time = time;
}

/* True where nothing else is known of its sequence. */
static bool is_remembered(const struct fence *f, const struct record *r)
{
    const struct uuid *id = &f->recent[r->sequence % FENCE_MEMORY].id;
    int64_t time = f->recent[r->sequence % FENCE_MEMORY].time;

    if (uuid_is_nil(id)) return true;
    return uuid_equal(id, &r->id) && (time == 0 || time == r->time);
}

void fence_init(struct fence *f, const struct kafka_place *place)
{
    *f = (struct fence){
        .epoch = place->epoch, .sequence = place->sequence, .id = place->id};
    if (place->sequence > 0) remember(f, place->sequence, &place->id, place->time);
}

static enum fence_verdict skip(struct fence *f)
{
    f->void_records++;
    return FENCE_VOID;
}

static enum fence_verdict raise_epoch(struct fence *f, const struct kafka_envelope *e)
{
    if (e->epoch <= f->epoch) return skip(f);
    f->epoch = e->epoch;
    f->void_records += f->pending;
    f->pending = 0;
    f->gap = 0;
    return FENCE_RAISED;
}

static enum fence_verdict open_gap(struct fence *f, uint64_t sequence)
{
    f->gap = sequence;
    f->void_records += f->pending;
    f->pending = 0;
    return skip(f);
}

/* One of the last events must be the very same; older ones are taken for it. */
static enum fence_verdict take_double(struct fence *f, const struct record *r,
                                      struct ll_error *err)
{
    uint64_t last = f->sequence + f->pending;

    if (last - r->sequence < FENCE_MEMORY && !is_remembered(f, r)) {
        ll_fail(err, LL_EBROKEN, "event %" PRIu64 " is there twice, and not the same",
                r->sequence);
        return FENCE_BROKEN;
    }
    f->doubles++;
    return FENCE_DOUBLE;
}

static bool continues_command(const struct fence *f, const struct record *r)
{
    if (f->pending == 0) return r->command_index == 0;
    return r->command_index == f->pending && r->command_size == f->size &&
           uuid_equal(&r->command, &f->command);
}

static enum fence_verdict take_event(struct fence *f, const struct record *r,
                                     struct ll_error *err)
{
    uint64_t last = f->sequence + f->pending;

    if (f->gap > 0) return skip(f);
    if (r->sequence <= last) return take_double(f, r, err);
    if (r->sequence != last + 1 || !continues_command(f, r))
        return open_gap(f, r->sequence);

    remember(f, r->sequence, &r->id, r->time);
    f->size = r->command_size;
    f->command = r->command;
    if (r->command_index + 1 < r->command_size) {
        f->pending++;
        return FENCE_PENDING;
    }
    f->sequence = r->sequence;
    f->id = r->id;
    f->pending = 0;
    return FENCE_COMPLETE;
}

enum fence_verdict fence_next(struct fence *f, const struct kafka_record *k,
                              struct kafka_envelope *e, struct ll_error *err)
{
    enum fence_verdict verdict;
    uint64_t epoch;

    if (!kafka_record_epoch(k, &epoch) || epoch < f->epoch) return skip(f);
    if (kafka_envelope_parse(k, e, err) != LL_OK) return FENCE_BROKEN;
    if (e->kind == KAFKA_FENCE) return raise_epoch(f, e);
    if (epoch > f->epoch) {
        kafka_envelope_fini(e);
        ll_fail(err, LL_EBROKEN,
                "a record of epoch %" PRIu64 " without that epoch's fence", epoch);
        return FENCE_BROKEN;
    }
    verdict = take_event(f, &e->record, err);
    if (verdict != FENCE_PENDING && verdict != FENCE_COMPLETE) kafka_envelope_fini(e);
    return verdict;
}

ll_rc fence_explain_gap(const struct fence *f, struct ll_error *err)
{
    return ll_fail(err, LL_EBROKEN,
                   "event %" PRIu64 " is followed by %" PRIu64
                   ": a gap, or a torn command",
                   f->sequence, f->gap);
}
