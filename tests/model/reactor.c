/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* reactor.c - see reactor.h. */
#include "reactor.h"

#include <stdlib.h>
#include <string.h>

enum {
    INPUTS = 2,
    OWN = INPUTS, /* the partition of what was emitted */
    PARTITIONS = INPUTS + 1,
    KEYS = 3,
    EVENTS = 40, /* of an input */
    BELLS = 12,
    GENERATIONS = 16,
    PROCESSES = 2,
    BATCH = 3,
    LATE = 8, /* appends whose sender is gone */
    STEPS = 1500,
    CALM = 6000,
    RING_AFTER = 150,
    FENCED = 1000000000,

    /* subjects, also used as ids */
    NOTES = INPUTS * EVENTS,
    LEVELS = KEYS * INPUTS * EVENTS / 3 + KEYS,
    FIRST_LEVEL = NOTES,
    FIRST_BELL = NOTES + LEVELS,
    SUBJECTS = FIRST_BELL + BELLS,
    IDS = SUBJECTS + NOTES,
    EMITTED = 2 * IDS
};

enum kind { KIND_PLAIN, KIND_SET, KIND_CALL_OFF };

struct input {
    enum kind kind;
    uint32_t key, bell;
    int64_t time;
};

struct emitted {
    uint32_t subject, id;
};

/* A row of `outgoing`, by its subject. */
struct row {
    bool is_there;
    uint32_t partition, sequence;
    int64_t due;
};

enum state { STATE_NONE, STATE_BUILDING, STATE_LIVE, STATE_OLD };

struct generation {
    enum state state;
    uint32_t at[PARTITIONS], epoch[PARTITIONS], owner[PARTITIONS];
    uint32_t tally[KEYS], said[SUBJECTS];
    struct row outgoing[SUBJECTS];
};

struct batch {
    uint32_t count, subject[BATCH], id[BATCH], generation;
};

enum { PROJECTOR_IDLE, PROJECTOR_FLIGHT, PROJECTOR_SECOND };
enum { MOVER_IDLE, MOVER_APPEND, MOVER_WAIT, MOVER_DELETE };

/* A projector and a mover, which live and die together. */
struct process {
    uint32_t id, paused;
    int projecting, moving;
    /* the flight */
    uint32_t generation, partition, epoch, was, count;
    /* the mover's */
    struct batch batch;
    uint32_t from, from_epoch;
};

struct model {
    uint64_t random;
    enum reactor_fault fault;
    bool is_calm;
    uint32_t step, ids;
    int64_t clock;
    uint64_t *counts;
    struct ll_error broken;
    struct input inputs[INPUTS][EVENTS];
    uint32_t input_count[INPUTS];
    struct emitted emitted[EMITTED];
    uint32_t emitted_count;
    bool keys[IDS], heads[IDS];
    bool is_off[BELLS]; /* called off for good: nobody has it in his hands */
    uint32_t bell_at[BELLS], bell_count;
    struct generation generations[GENERATIONS];
    uint32_t live, building; /* GENERATIONS: none */
    struct batch late[LATE];
    uint32_t late_count;
    struct process processes[PROCESSES];
};

static uint32_t pick(struct model *m, uint32_t n)
{
    uint64_t z = m->random += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static bool chance(struct model *m, uint32_t n)
{
    return !m->is_calm && pick(m, n) == 0;
}

static void breach(struct model *m, const char *what, uint32_t subject)
{
    if (m->broken.rc == LL_OK)
        ll_fail(&m->broken, LL_EBROKEN, "%s, subject %u, step %u", what, subject,
                m->step);
}

/* ---- the log and the referee ---- */

static uint32_t log_end(const struct model *m, uint32_t partition)
{
    return partition == OWN ? m->emitted_count : m->input_count[partition];
}

static void append_input(struct model *m)
{
    uint32_t p = pick(m, INPUTS), n = m->input_count[p];
    struct input *e = &m->inputs[p][n];

    if (m->is_calm || n == EVENTS) return;
    *e = (struct input){.key = pick(m, KEYS), .time = m->clock};
    if (pick(m, 6) == 0 && m->bell_count < BELLS) {
        e->kind = KIND_SET;
        e->bell = m->bell_count;
        m->bell_at[m->bell_count++] = p;
    } else if (pick(m, 3) == 0 && m->bell_count > 0) {
        e->bell = pick(m, m->bell_count);
        /* a timer is set and called off by events of one partition */
        if (m->bell_at[e->bell] == p) e->kind = KIND_CALL_OFF;
    }
    m->input_count[p]++;
}

/* The id is the guard's tag too. */
static uint32_t id_of(const struct model *m, uint32_t subject, const struct row *row)
{
    if (m->fault != REACTOR_ID_OF_TRIGGER || subject < FIRST_LEVEL ||
        subject >= FIRST_BELL)
        return subject;
    return SUBJECTS + row->partition * EVENTS + row->sequence;
}

static void append(struct model *m, const struct batch *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t id = b->id[i], subject = b->subject[i];

        if (m->keys[id]) {
            m->counts[REACTOR_DUPLICATE]++;
            continue;
        }
        if (m->heads[id] && m->fault != REACTOR_NO_GUARD) {
            m->counts[REACTOR_CONFLICT]++;
            continue;
        }
        if (m->emitted_count == EMITTED) {
            breach(m, "the log is full", subject);
            return;
        }
        if (m->generations[b->generation].state == STATE_BUILDING)
            breach(m, "a rebuild emitted", subject);
        if (subject >= FIRST_BELL) {
            m->counts[REACTOR_RANG]++;
            if (m->is_off[subject - FIRST_BELL]) breach(m, "rang though off", subject);
        }
        m->keys[id] = m->heads[id] = true;
        m->emitted[m->emitted_count++] = (struct emitted){subject, id};
        m->counts[REACTOR_ACCEPTED]++;
    }
}

/* Sent by somebody who does not wait any more. */
static void leave(struct model *m, const struct batch *b)
{
    if (m->late_count < LATE && pick(m, 4) != 0) m->late[m->late_count++] = *b;
}

static void carry_out_late(struct model *m)
{
    if (m->late_count == 0) return;
    m->counts[REACTOR_LATE]++;
    append(m, &m->late[--m->late_count]);
}

/* ---- apply.sql ---- */

static void put(struct generation *g, uint32_t subject, uint32_t partition,
                uint32_t sequence, int64_t due)
{
    if (g->outgoing[subject].is_there) return;
    g->outgoing[subject] = (struct row){true, partition, sequence, due};
}

/* Nobody may still ring it who took it before. */
static bool is_in_hands(const struct model *m, uint32_t subject)
{
    for (uint32_t i = 0; i < m->late_count; i++)
        for (uint32_t k = 0; k < m->late[i].count; k++)
            if (m->late[i].subject[k] == subject) return true;
    for (uint32_t i = 0; i < PROCESSES; i++)
        for (uint32_t k = 0; k < m->processes[i].batch.count; k++)
            if (m->processes[i].moving != MOVER_IDLE &&
                m->processes[i].batch.subject[k] == subject)
                return true;
    return false;
}

static void call_off(struct model *m, struct generation *g, uint32_t bell)
{
    struct row *row = &g->outgoing[FIRST_BELL + bell];

    if (!row->is_there) return;
    row->is_there = false;
    if (g->state != STATE_LIVE || row->due <= m->clock ||
        is_in_hands(m, FIRST_BELL + bell))
        return;
    m->is_off[bell] = true;
    m->counts[REACTOR_CALLED_OFF]++;
}

static void apply_input(struct model *m, struct generation *g, uint32_t p, uint32_t n,
                        bool says)
{
    const struct input *e = &m->inputs[p][n];
    uint32_t level = (g->tally[e->key] + says) / 3;
    bool reaches = (g->tally[e->key] + says) % 3 == 0;

    /* `says` false: the fault's first half, which only counts */
    g->tally[e->key] += 1;
    if (!says) return;
    put(g, p * EVENTS + n, p, n, 0);
    if (reaches) put(g, FIRST_LEVEL + e->key * (LEVELS / KEYS) + level, p, n, 0);
    if (e->kind == KIND_SET) put(g, FIRST_BELL + e->bell, p, n, e->time + RING_AFTER);
    if (e->kind == KIND_CALL_OFF) call_off(m, g, e->bell);
}

/* The second half of a flight that commits apart. */
static void say_apart(struct model *m, struct generation *g, uint32_t p, uint32_t n)
{
    g->tally[m->inputs[p][n].key]--;
    apply_input(m, g, p, n, true);
}

static void apply(struct model *m, struct generation *g, uint32_t p, uint32_t n)
{
    if (p == OWN)
        g->said[m->emitted[n].subject]++;
    else
        apply_input(m, g, p, n, m->fault != REACTOR_APART);
}

/* ---- the projector ---- */

static void take_lease(struct model *m, struct process *k)
{
    uint32_t i = pick(m, 2) == 0 ? m->live : m->building, p = pick(m, PARTITIONS);
    struct generation *g = &m->generations[i % GENERATIONS];

    if (i == GENERATIONS || (m->is_calm && k != &m->processes[0])) return;
    if (g->owner[p] != 0 && g->owner[p] != k->id) {
        if (!m->is_calm && pick(m, 4) != 0) return;
        m->counts[REACTOR_TAKEOVER]++;
    }
    g->owner[p] = k->id;
    k->generation = i;
    k->partition = p;
    k->epoch = ++g->epoch[p];
    k->was = g->at[p];
    k->count = log_end(m, p) - k->was;
    if (k->count > BATCH) k->count = BATCH;
    if (k->count > 0) k->projecting = PROJECTOR_FLIGHT;
}

/* Checkpoint, state and `outgoing` at once, or nothing. */
static void fly(struct model *m, struct process *k)
{
    struct generation *g = &m->generations[k->generation];

    k->projecting = PROJECTOR_IDLE;
    if (g->epoch[k->partition] != k->epoch || g->at[k->partition] != k->was) {
        m->counts[REACTOR_RAISED]++;
        return;
    }
    for (uint32_t i = 0; i < k->count; i++) apply(m, g, k->partition, k->was + i);
    g->at[k->partition] = k->was + k->count;
    if (m->fault == REACTOR_APART && k->partition != OWN)
        k->projecting = PROJECTOR_SECOND;
}

static void fly_on(struct model *m, struct process *k)
{
    struct generation *g = &m->generations[k->generation];

    k->projecting = PROJECTOR_IDLE;
    for (uint32_t i = 0; i < k->count; i++) say_apart(m, g, k->partition, k->was + i);
}

static void projector_step(struct model *m, struct process *k)
{
    if (k->projecting == PROJECTOR_FLIGHT)
        fly(m, k);
    else if (k->projecting == PROJECTOR_SECOND)
        fly_on(m, k);
    else
        take_lease(m, k);
}

/* ---- the mover ---- */

/* The first of a partition that are due. */
static uint32_t next_row(const struct model *m, const struct generation *g, uint32_t p,
                         const struct batch *b)
{
    uint32_t best = SUBJECTS;

    for (uint32_t s = 0; s < SUBJECTS; s++) {
        const struct row *r = &g->outgoing[s];
        bool has = false;

        for (uint32_t i = 0; i < b->count; i++) has = has || b->subject[i] == s;
        if (has || !r->is_there || r->partition != p || r->due > m->clock) continue;
        if (best == SUBJECTS || r->due < g->outgoing[best].due ||
            (r->due == g->outgoing[best].due && r->sequence < g->outgoing[best].sequence))
            best = s;
    }
    return best;
}

static void fetch(struct model *m, struct process *k)
{
    bool wrongly = m->fault == REACTOR_REBUILD_EMITS && pick(m, 2) == 0;
    uint32_t i = wrongly ? m->building : m->live, p = pick(m, INPUTS), s;
    struct generation *g = &m->generations[i % GENERATIONS];

    k->batch = (struct batch){.generation = i};
    if (i == GENERATIONS || g->owner[p] != k->id) return;
    k->from = p;
    k->from_epoch = g->epoch[p];
    while (k->batch.count < BATCH && (s = next_row(m, g, p, &k->batch)) < SUBJECTS) {
        k->batch.id[k->batch.count] = id_of(m, s, &g->outgoing[s]);
        k->batch.subject[k->batch.count++] = s;
    }
    if (k->batch.count > 0)
        k->moving = m->fault == REACTOR_DELETE_FIRST ? MOVER_DELETE : MOVER_APPEND;
}

/* Carried out and answered, or one of the two, or neither. */
static void send(struct model *m, struct process *k)
{
    bool is_lost = chance(m, 8);

    k->moving = m->fault == REACTOR_DELETE_FIRST ? MOVER_IDLE : MOVER_DELETE;
    if (!is_lost) {
        append(m, &k->batch);
        return;
    }
    m->counts[REACTOR_LOST]++;
    leave(m, &k->batch);
    if (m->fault != REACTOR_TRUST_LOST) k->moving = MOVER_IDLE; /* fetch again */
}

static void delete_rows(struct model *m, struct process *k)
{
    struct generation *g = &m->generations[k->batch.generation];

    for (uint32_t i = 0; i < k->batch.count; i++)
        if (g->epoch[k->from] == k->from_epoch)
            g->outgoing[k->batch.subject[i]].is_there = false;
    k->moving = m->fault == REACTOR_DELETE_FIRST ? MOVER_APPEND : MOVER_IDLE;
}

static void mover_step(struct model *m, struct process *k)
{
    if (k->moving == MOVER_IDLE)
        fetch(m, k);
    else if (k->moving == MOVER_APPEND)
        send(m, k);
    else
        delete_rows(m, k);
}

static void crash(struct model *m, struct process *k)
{
    if (k->moving == MOVER_APPEND) leave(m, &k->batch); /* sent just before */
    *k = (struct process){.id = ++m->ids};
}

/* ---- rebuilding ---- */

static bool is_emitted(const struct model *m, const struct generation *live,
                       uint32_t subject, const struct row *r)
{
    if (m->fault == REACTOR_PRUNE_BY_POSITION)
        return r->sequence < live->at[r->partition] && !live->outgoing[subject].is_there;
    return m->heads[id_of(m, subject, r)];
}

static void prune(struct model *m)
{
    struct generation *g = &m->generations[m->building];

    for (uint32_t s = 0; s < SUBJECTS; s++) {
        struct row *r = &g->outgoing[s];

        if (!r->is_there || !is_emitted(m, &m->generations[m->live], s, r)) continue;
        r->is_there = false;
        m->counts[REACTOR_PRUNED]++;
    }
}

static void swap(struct model *m)
{
    struct generation *g = &m->generations[m->building], *was = &m->generations[m->live];

    for (uint32_t p = 0; p < PARTITIONS; p++)
        if (g->at[p] < was->at[p]) return;
    for (uint32_t p = 0; p < PARTITIONS; p++) was->epoch[p] = FENCED;
    prune(m);
    for (uint32_t s = 0; s < SUBJECTS; s++) {
        m->counts[REACTOR_KEPT] += g->outgoing[s].is_there;
        if (m->fault == REACTOR_SWAP_DROPS) g->outgoing[s].is_there = false;
    }
    was->state = STATE_OLD;
    g->state = STATE_LIVE;
    m->live = m->building;
    m->building = GENERATIONS;
    m->counts[REACTOR_SWAP]++;
}

static void rebuild_step(struct model *m)
{
    if (m->building == GENERATIONS) {
        if (m->live + 1 == GENERATIONS || !chance(m, 40)) return;
        m->building = m->live + 1;
        m->generations[m->building] = (struct generation){.state = STATE_BUILDING};
    } else if (chance(m, 300)) {
        m->generations[m->building].state = STATE_OLD;
        for (uint32_t p = 0; p < PARTITIONS; p++)
            m->generations[m->building].epoch[p] = FENCED;
        m->building = GENERATIONS;
        m->counts[REACTOR_ABANDONED]++;
    } else if (pick(m, 3) == 0) {
        prune(m);
    } else {
        swap(m);
    }
}

/* ---- the schedule ---- */

static void disaster(struct model *m)
{
    struct process *k = &m->processes[pick(m, PROCESSES)];

    if (chance(m, 50)) {
        crash(m, k);
        m->counts[REACTOR_CRASH]++;
    }
    if (chance(m, 40)) {
        k->paused = m->step + 5 + pick(m, 150);
        m->counts[REACTOR_PAUSE]++;
    }
    if (chance(m, 60)) { /* log time passes over them */
        for (uint32_t i = 0; i < IDS; i++) m->counts[REACTOR_PURGED] += m->keys[i];
        memset(m->keys, 0, sizeof(m->keys));
    }
}

static void take_turn(struct model *m)
{
    struct process *k = &m->processes[pick(m, PROCESSES)];

    switch (pick(m, 8)) {
    case 0: append_input(m); break;
    case 1: rebuild_step(m); break;
    case 2:
        if (chance(m, 3)) carry_out_late(m);
        break;
    case 3:
    case 4:
    case 5:
        if (k->paused < m->step) projector_step(m, k);
        break;
    default:
        if (k->paused < m->step) mover_step(m, k);
    }
}

static bool is_at_rest(const struct model *m)
{
    const struct generation *g = &m->generations[m->live];

    for (uint32_t p = 0; p < PARTITIONS; p++)
        if (g->at[p] != log_end(m, p)) return false;
    for (uint32_t s = 0; s < SUBJECTS; s++)
        if (g->outgoing[s].is_there) return false;
    return true;
}

static void settle(struct model *m)
{
    m->is_calm = true;
    m->clock += RING_AFTER;
    for (uint32_t i = 0; i < PROCESSES; i++) crash(m, &m->processes[i]);
    while (m->late_count > 0) carry_out_late(m);
    for (uint32_t i = 0; i < CALM && m->broken.rc == LL_OK; i++, m->step++) {
        projector_step(m, &m->processes[0]);
        mover_step(m, &m->processes[0]);
        if (i % 16 == 0 && is_at_rest(m)) return;
    }
    breach(m, "it does not come to rest", 0);
}

/* ---- the promises ---- */

static void expect_once(struct model *m, const uint32_t *times, uint32_t subject)
{
    if (times[subject] == 0) breach(m, "a fact was lost", subject);
}

static void check_bells(struct model *m, const uint32_t *times)
{
    bool is_set[BELLS] = {false}, is_called_off[BELLS] = {false};

    for (uint32_t p = 0; p < INPUTS; p++)
        for (uint32_t n = 0; n < m->input_count[p]; n++) {
            const struct input *e = &m->inputs[p][n];

            if (e->kind == KIND_SET) is_set[e->bell] = true;
            if (e->kind == KIND_CALL_OFF) is_called_off[e->bell] = true;
        }
    for (uint32_t b = 0; b < BELLS; b++)
        if (is_set[b] && !is_called_off[b]) expect_once(m, times, FIRST_BELL + b);
}

static void check(struct model *m)
{
    const struct generation *g = &m->generations[m->live];
    uint32_t times[SUBJECTS] = {0}, tally[KEYS] = {0};
    int64_t last[INPUTS] = {-1, -1};

    for (uint32_t i = 0; i < m->emitted_count; i++) {
        uint32_t s = m->emitted[i].subject;

        if (times[s]++ > 0) breach(m, "a fact is there twice", s);
        if (s >= NOTES) continue;
        if ((int64_t)(s % EVENTS) < last[s / EVENTS])
            breach(m, "a fact is behind a later one", s);
        last[s / EVENTS] = s % EVENTS;
    }
    for (uint32_t p = 0; p < INPUTS; p++)
        for (uint32_t n = 0; n < m->input_count[p]; n++) {
            tally[m->inputs[p][n].key]++;
            expect_once(m, times, p * EVENTS + n);
        }
    for (uint32_t k = 0; k < KEYS; k++)
        for (uint32_t level = 1; level <= tally[k] / 3; level++)
            expect_once(m, times, FIRST_LEVEL + k * (LEVELS / KEYS) + level);
    check_bells(m, times);
    for (uint32_t s = 0; s < SUBJECTS; s++)
        if (g->said[s] != times[s]) breach(m, "folded otherwise than emitted", s);
}

ll_rc reactor_model_run(uint64_t seed, enum reactor_fault fault,
                        uint64_t counts[REACTOR_COUNTS], struct ll_error *err)
{
    struct model *m = ll_calloc(1, sizeof(*m));
    ll_rc rc;

    m->random = seed;
    m->fault = fault;
    m->counts = counts;
    m->building = GENERATIONS;
    m->generations[0].state = STATE_LIVE;
    for (uint32_t i = 0; i < PROCESSES; i++) m->processes[i].id = ++m->ids;
    for (m->step = 1; m->step <= STEPS && m->broken.rc == LL_OK; m->step++) {
        m->clock += pick(m, 3);
        disaster(m);
        take_turn(m);
    }
    if (m->broken.rc == LL_OK) settle(m);
    if (m->broken.rc == LL_OK) check(m);
    *err = m->broken;
    rc = m->broken.rc;
    free(m);
    return rc;
}
