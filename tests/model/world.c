/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* world.c - one schedule: steps and disasters by chance, then calm, then the history.
 *
 * Which disasters a schedule knows is drawn first: one that never restores anything
 * comes further elsewhere than one where everything breaks at once.
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = 3000, CALM_ROUNDS = 2500 };

/* ---- chance, connections, disasters ---- */

/* splitmix64 */
uint32_t pick(struct world *w, uint32_t n)
{
    uint64_t z = w->random += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

bool chance(struct world *w, uint32_t n)
{
    return !w->is_calm && pick(w, n) == 0;
}

void count(struct world *w, enum count c)
{
    w->counts[c]++;
}

void breach(struct world *w, const char *what, uint32_t partition, uint32_t sequence)
{
    if (w->broken.rc == LL_OK)
        ll_fail(&w->broken, LL_EBROKEN, "%s, at log/%u=%u, step %u", what, partition,
                sequence, w->step);
}

void connect_to(struct world *w, struct actor *a)
{
    uint32_t other = 1 - w->current;

    a->at.database = w->databases[other].is_up && pick(w, 3) == 0 ? other : w->current;
    a->at.identity = w->databases[a->at.database].identity;
}

struct database *database_of(struct world *w, const struct actor *a)
{
    struct database *d = &w->databases[a->at.database];

    return d->is_up && d->identity == a->at.identity ? d : NULL;
}

bool is_gate_open(const struct world *w, const struct database *d)
{
    return d->gate == d->identity || w->fault == FAULT_NO_GATE;
}

/* Open transactions and locks are gone; so is everybody's connection. */
static void start_database(struct world *w, struct database *d)
{
    d->is_up = true;
    d->identity = ++w->ids;
    memset(d->lock, 0, sizeof(d->lock));
    memset(d->view.flight, 0, sizeof(d->view.flight));
    if (!w->is_kafka) d->gate = d->identity;
}

void failover(struct world *w, const struct database *from, bool old_lives)
{
    static const struct database empty;
    struct database *d = &w->databases[1 - w->current];

    w->databases[w->current].is_up = old_lives;
    *d = from != NULL ? *from : empty;
    d->lineage = ++w->ids;
    d->clock = (int64_t)pick(w, 9) - 4;
    start_database(w, d);
    w->current = 1 - w->current;
}

/* The disasters that a schedule may know, as bits. */
enum { MAY_CRASH = 1, MAY_PAUSE = 2, MAY_RESTART = 4, MAY_RESTORE = 8, MAY_PROMOTE = 16 };

static struct actor *actor_at(struct world *w, uint32_t i)
{
    if (i < CLIENTS) return &w->clients[i].actor;
    if ((i -= CLIENTS) < WORKERS) return &w->workers[i].actor;
    if ((i -= WORKERS) < RELAYS) return &w->relays[i].actor;
    if ((i -= RELAYS) < PROJECTORS) return &w->projectors[i].actor;
    return &w->readers[i - PROJECTORS].actor;
}

enum { ACTORS = CLIENTS + WORKERS + RELAYS + PROJECTORS + READERS };

static void actor_step(struct world *w, uint32_t i)
{
    if (i < CLIENTS)
        client_step(w, &w->clients[i]);
    else if ((i -= CLIENTS) < WORKERS)
        worker_step(w, &w->workers[i]);
    else if ((i -= WORKERS) < RELAYS)
        relay_step(w, &w->relays[i]);
    else if ((i -= RELAYS) < PROJECTORS)
        projector_step(w, &w->projectors[i]);
    else
        reader_step(w, &w->readers[i - PROJECTORS]);
}

static void actor_crash(struct world *w, uint32_t i)
{
    count(w, COUNT_CRASH);
    if (i < CLIENTS)
        w->clients[i].actor.state = CLIENT_IDLE; /* its attempt stays unknown */
    else if ((i -= CLIENTS) < WORKERS)
        worker_crash(w, &w->workers[i]);
    else if ((i -= WORKERS) < RELAYS)
        relay_crash(w, &w->relays[i]);
    else if ((i -= RELAYS) < PROJECTORS)
        projector_crash(w, &w->projectors[i]);
}

static void disaster(struct world *w, uint32_t may)
{
    struct database *d = &w->databases[w->current];

    if ((may & MAY_CRASH) && pick(w, 80) == 0) actor_crash(w, pick(w, ACTORS));
    if ((may & MAY_PAUSE) && pick(w, 40) == 0) {
        actor_at(w, pick(w, ACTORS))->paused = w->step + 10 + pick(w, 200);
        count(w, COUNT_PAUSE);
    }
    if ((may & MAY_RESTART) && pick(w, 500) == 0) {
        start_database(w, d);
        count(w, COUNT_RESTARTED);
    }
    if (pick(w, 1500) == 0) w->databases[1 - w->current].is_up = false;
    if (!w->is_kafka) return;
    if (pick(w, 100) == 0) {
        w->copy = *d;
        w->has_copy = true;
    }
    if ((may & MAY_RESTORE) && pick(w, 1000) == 0) {
        failover(w, w->has_copy && pick(w, 5) != 0 ? &w->copy : NULL, false);
        count(w, COUNT_RESTORED);
    }
    if ((may & MAY_PROMOTE) && w->has_copy && pick(w, 1000) == 0) {
        failover(w, &w->copy, true);
        count(w, COUNT_PROMOTED);
    }
}

/* ---- the schedule ---- */

/* A step of somebody. On Kafka, relays and the wire have more to do than others. */
static void take_turn(struct world *w)
{
    uint32_t turn = w->is_kafka ? pick(w, 8) : 0, i = pick(w, ACTORS);

    if (turn >= 6) i = CLIENTS + WORKERS + pick(w, RELAYS);
    if (turn >= 4 && turn < 6)
        network_step(w);
    else if (actor_at(w, i)->paused < w->step)
        actor_step(w, i);
}

static void run(struct world *w)
{
    uint32_t may = pick(w, 32);

    for (w->step = 1;
         w->step <= (w->is_kafka ? STEPS : STEPS / 2) && w->broken.rc == LL_OK;
         w->step++) {
        w->clock += pick(w, 3);
        disaster(w, may);
        take_turn(w);
    }
}

/* Everybody idle, everything read. */
static bool is_at_rest(const struct world *w)
{
    const struct database *d = &w->databases[w->current];

    for (uint32_t i = 0; i < CLIENTS; i++)
        if (w->clients[i].actor.state != CLIENT_IDLE) return false;
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        struct reading log = {.count = d->last[p]};

        if (w->is_kafka) kafka_read_all(w, p, &log);
        if (log.count != d->last[p] || d->view.last[p].sequence != log.count)
            return false;
        for (uint32_t i = 0; i < READERS; i++)
            if (w->readers[i].last[p].sequence != log.count) return false;
    }
    return true;
}

/* No more disasters: the old database dies, and all that is asked must be answered. */
static void settle(struct world *w)
{
    w->is_calm = true;
    w->databases[1 - w->current].is_up = false;
    for (uint32_t i = 0; i < RELAYS; i++) relay_crash(w, &w->relays[i]);
    for (uint32_t i = 0; i < PROJECTORS; i++) projector_crash(w, &w->projectors[i]);
    for (uint32_t round = 0; w->broken.rc == LL_OK; round++, w->step++) {
        for (uint32_t i = 0; i < ACTORS; i++) actor_step(w, i);
        network_step(w);
        network_step(w);
        if (round % 16 == 0 && is_at_rest(w)) return;
        if (round == CALM_ROUNDS) breach(w, "it does not come to rest", 0, 0);
    }
}

/* ---- the history ---- */

static uint32_t name_of(struct history *h, const char *what, uint32_t n)
{
    char text[32];

    snprintf(text, sizeof(text), "%s%u", what, n);
    return history_name(h, text_of(text));
}

static struct history_place place_of(struct history *h, uint32_t partition,
                                     uint32_t sequence)
{
    return (struct history_place){sequence > 0 ? name_of(h, "log/", partition) : 0,
                                  sequence};
}

static size_t tags_of(struct history *h, uint32_t bits, uint32_t *out)
{
    size_t n = 0;

    for (uint32_t t = 0; t < TAGS; t++)
        if (bits & 1u << t) out[n++] = name_of(h, "t", t);
    return n;
}

static void tell_attempt(struct history *h, uint32_t n, const struct attempt *a)
{
    struct history_command c = {.name = name_of(h, "c", n),
                                .key = name_of(h, "k", a->key),
                                .body = name_of(h, "b", a->body),
                                .answer = a->answer,
                                .at = place_of(h, a->place.partition, a->place.sequence),
                                .time = a->place.time};

    c.guard_count = tags_of(h, a->guards, c.guards);
    for (uint32_t p = 0; p < PARTITIONS; p++)
        if (a->as_of[p] > 0)
            c.as_of.places[c.as_of.count++] = place_of(h, p, a->as_of[p]);
    history_add_command(h, &c);
}

static void tell_event(struct history *h, const struct event *from)
{
    struct history_event e = {.command = name_of(h, "c", from->attempt),
                              .index = from->index,
                              .size = from->size,
                              .at = place_of(h, from->partition, from->sequence),
                              .time = from->time};

    e.tag_count = tags_of(h, from->tags, e.tags);
    history_add_event(h, &e);
}

static void tell_readers(struct history *h, const struct world *w, uint32_t p)
{
    for (uint32_t i = 0; i < READERS; i++)
        for (uint32_t s = 0; s < w->readers[i].last[p].sequence; s++) {
            const struct event *e = &w->readers[i].passed[p][s];

            history_add_read(
                h, &(struct history_read){name_of(h, "r", i), name_of(h, "c", e->attempt),
                                          e->index, place_of(h, p, e->sequence)});
        }
}

static void tell(struct history *h, struct world *w)
{
    const struct database *d = &w->databases[w->current];

    for (uint32_t i = 0; i < w->attempt_count; i++) tell_attempt(h, i, &w->attempts[i]);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        struct reading log = {.count = d->last[p]};

        if (w->is_kafka) kafka_read_all(w, p, &log);
        if (log.has_gap || log.has_two) breach(w, "two records have one place", p, 0);
        for (uint32_t i = 0; i < log.count; i++)
            tell_event(h, w->is_kafka ? log.events[i] : &d->rows[p][i]);
        for (uint32_t i = d->kept[p]; w->is_kafka && i < log.count; i++)
            if (!is_same_event(FAULT_NONE, &d->rows[p][i], log.events[i]))
                breach(w, "Postgres and Kafka differ", p, i + 1);
        tell_readers(h, w, p);
        w->counts[COUNT_TWICE] += log.twice;
        w->counts[COUNT_VOID] += log.voids;
        w->counts[COUNT_FOREIGN] += log.foreign;
    }
    for (uint32_t t = 0; t < TAGS; t++)
        history_add_row(h, &(struct history_row){name_of(h, "t", t), d->view.events[t],
                                                 d->view.sum[t]});
}

/* What the referee judges by is the fold of the log too: the newest event of each tag. */
static void check_heads(struct world *w)
{
    const struct database *d = &w->databases[w->current];
    struct heads fold = {0};

    for (uint32_t p = 0; p < PARTITIONS; p++)
        for (uint32_t i = 0; i < d->last[p]; i++)
            for (uint32_t t = 0; t < TAGS; t++)
                if (d->rows[p][i].tags & 1u << t) fold.sequence[t][p] = i + 1;
    if (memcmp(fold.sequence, d->heads.sequence, sizeof(fold.sequence)) != 0)
        breach(w, "the heads are not those of the log", 0, 0);
}

/* The topic or table is made anew, shorter or with other events: every reader that had
 * read some of it must notice. This ends the world. */
static void check_recreated(struct world *w)
{
    struct database *d = &w->databases[w->current];
    struct event batch[BATCH];
    uint32_t p = pick(w, PARTITIONS);
    bool is_emptied = pick(w, 2) == 0;

    if (w->readers[0].last[p].sequence == 0 || w->broken.rc != LL_OK) return;
    for (uint32_t i = 0; i < w->kafka[p].count; i++)
        w->kafka[p].records[i].event.attempt += ATTEMPTS;
    for (uint32_t i = 0; i < d->last[p]; i++) d->rows[p][i].attempt += ATTEMPTS;
    if (is_emptied) w->kafka[p].count = d->last[p] = 0;
    log_read(w, d, p, &w->readers[0].last[p], batch, BATCH);
    if (w->broken.rc == LL_OK)
        breach(w, "a reader went on in a topic made anew", p, 0);
    else
        w->broken.rc = LL_OK;
}

static struct world *world_new(uint64_t seed, enum fault fault, uint64_t *counts)
{
    struct world *w = ll_calloc(1, sizeof(*w));

    w->random = seed;
    w->fault = fault;
    w->counts = counts;
    w->is_kafka = pick(w, 3) != 0;
    w->clock = 1000;
    for (uint32_t i = 0; i < ACTORS; i++) actor_at(w, i)->id = ++w->ids;
    failover(w, NULL, false);
    return w;
}

ll_rc world_run(uint64_t seed, enum fault fault, uint64_t counts[COUNTS],
                struct ll_error *err)
{
    struct world *w = world_new(seed, fault, counts);
    struct history h;
    ll_rc rc;

    history_init(&h);
    run(w);
    settle(w);
    if (w->broken.rc == LL_OK) tell(&h, w);
    if (w->broken.rc == LL_OK) check_heads(w);
    check_recreated(w);
    history_seal(&h);
    rc = promises_hold(&h, err);
    if (rc == LL_OK && w->broken.rc != LL_OK) {
        *err = w->broken;
        rc = LL_EBROKEN;
    }
    history_fini(&h);
    free(w);
    return rc;
}
