/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* promises.c - each promise of the log as one function over a history. */
#include "promises.h"

#include <inttypes.h>
#include <stdlib.h>

/* A place as text; static, for two in one message. */
static const char *place(const struct history *h, struct history_place at)
{
    static char text[2][64];
    static size_t turn;
    char *out = text[turn++ % 2];

    snprintf(out, sizeof(text[0]), "%.40s=%" PRIu64, history_text(h, at.partition),
             at.sequence);
    return out;
}

static const char *name(const struct history *h, uint32_t n)
{
    return history_text(h, n);
}

static bool is_same_place(struct history_place a, struct history_place b)
{
    return a.partition == b.partition && a.sequence == b.sequence;
}

/* The event before the i-th in its partition, through `last` (by name; zeroed first). */
static size_t exchange(size_t *last, const struct history *h, size_t i)
{
    size_t before = last[h->events[i].at.partition];

    last[h->events[i].at.partition] = i + 1;
    return before; /* plus one; 0: none */
}

static ll_rc sequence_is_gapless(const struct history *h, struct ll_error *err)
{
    size_t *last = ll_calloc(h->name_count, sizeof(*last));
    ll_rc rc = LL_OK;

    for (size_t i = 0; rc == LL_OK && i < h->event_count; i++) {
        size_t before = exchange(last, h, i);
        uint64_t expected = before == 0 ? 1 : h->events[before - 1].at.sequence + 1;

        if (h->events[i].at.sequence != expected)
            rc = ll_fail(err, LL_EBROKEN, "%s is there where %" PRIu64 " was due",
                         place(h, h->events[i].at), expected);
    }
    free(last);
    return rc;
}

static ll_rc time_never_runs_back(const struct history *h, struct ll_error *err)
{
    size_t *last = ll_calloc(h->name_count, sizeof(*last));
    ll_rc rc = LL_OK;

    for (size_t i = 0; rc == LL_OK && i < h->event_count; i++) {
        size_t before = exchange(last, h, i);

        if (before != 0 && h->events[i].time < h->events[before - 1].time)
            rc = ll_fail(
                err, LL_EBROKEN, "%s is of %" PRId64 ", the one before of %" PRId64,
                place(h, h->events[i].at), h->events[i].time, h->events[before - 1].time);
    }
    free(last);
    return rc;
}

static ll_rc commands_are_whole(const struct history *h, struct ll_error *err)
{
    for (size_t i = 0; i < h->event_count; i++) {
        const struct history_event *e = &h->events[i], *first;
        const struct history_command *c;

        if (e->owner == SIZE_MAX)
            return ll_fail(err, LL_EBROKEN, "%s is of command \"%s\", which nobody sent",
                           place(h, e->at), name(h, e->command));
        c = &h->commands[e->owner];
        first = &h->events[c->first];
        if (c->events != e->size || e->size != first->size)
            return ll_fail(err, LL_EBROKEN, "command \"%s\" has %zu events of %" PRIu32,
                           name(h, c->name), c->events, e->size);
        if (e->at.partition != first->at.partition || first->index != 0 ||
            e->at.sequence != first->at.sequence + e->index || e->index >= e->size)
            return ll_fail(err, LL_EBROKEN, "command \"%s\" is torn at %s",
                           name(h, c->name), place(h, e->at));
    }
    return LL_OK;
}

/* For each key (by name): index plus one of the command that has its events. */
static size_t *owners_of_keys(const struct history *h)
{
    size_t *owners = ll_calloc(h->name_count, sizeof(*owners));

    for (size_t i = 0; i < h->command_count; i++)
        if (h->commands[i].events > 0) owners[h->commands[i].key] = i + 1;
    return owners;
}

/* What command `c` was told about `owner`, whose events its key has. */
static ll_rc answer_is_true(const struct history *h, const struct history_command *c,
                            const struct history_command *owner, struct ll_error *err)
{
    const struct history_event *last;

    if (owner == NULL)
        return ll_fail(err, LL_EBROKEN,
                       "command \"%s\" was told of %s, which is not there",
                       name(h, c->name), place(h, c->at));
    last = &h->events[owner->last];
    if (c->answer == ANSWER_ACCEPTED && owner != c)
        return ll_fail(err, LL_EBROKEN, "\"%s\" was accepted, but \"%s\" is there",
                       name(h, c->name), name(h, owner->name));
    if (!is_same_place(c->at, last->at) || (c->time != 0 && c->time != last->time))
        return ll_fail(err, LL_EBROKEN, "\"%s\" was told %s, its key is at %s",
                       name(h, c->name), place(h, c->at), place(h, last->at));
    if ((c->answer == ANSWER_REUSED) == (c->body == owner->body))
        return ll_fail(err, LL_EBROKEN,
                       "\"%s\" and \"%s\" have one key: wrong about body",
                       name(h, c->name), name(h, owner->name));
    return LL_OK;
}

static ll_rc acknowledged_are_there(const struct history *h, struct ll_error *err)
{
    size_t *owners = owners_of_keys(h);
    ll_rc rc = LL_OK;

    for (size_t i = 0; rc == LL_OK && i < h->command_count; i++) {
        const struct history_command *c = &h->commands[i];
        size_t owner = owners[c->key];

        if (c->answer == ANSWER_ACCEPTED || c->answer == ANSWER_DUPLICATE ||
            (c->answer == ANSWER_REUSED && c->at.partition != 0))
            rc = answer_is_true(h, c, owner == 0 ? NULL : &h->commands[owner - 1], err);
    }
    free(owners);
    return rc;
}

static ll_rc refused_are_absent(const struct history *h, struct ll_error *err)
{
    for (size_t i = 0; i < h->command_count; i++) {
        const struct history_command *c = &h->commands[i];

        if (c->answer != ANSWER_UNKNOWN && c->answer != ANSWER_ACCEPTED &&
            c->answer != ANSWER_DUPLICATE && c->events > 0)
            return ll_fail(err, LL_EBROKEN, "\"%s\" was refused and is at %s",
                           name(h, c->name), place(h, h->events[c->first].at));
    }
    return LL_OK;
}

static ll_rc keys_are_used_once(const struct history *h, struct ll_error *err)
{
    size_t *owners = owners_of_keys(h);
    ll_rc rc = LL_OK;

    for (size_t i = 0; rc == LL_OK && i < h->command_count; i++) {
        const struct history_command *c = &h->commands[i];

        if (c->events > 0 && owners[c->key] != i + 1)
            rc = ll_fail(err, LL_EBROKEN, "key \"%s\" has events of \"%s\" and of \"%s\"",
                         name(h, c->key), name(h, c->name),
                         name(h, h->commands[owners[c->key] - 1].name));
    }
    free(owners);
    return rc;
}

/* ---- conflicts, readers and the projection ---- */

/* The events of each partition, in the order listed. */
struct places {
    size_t
        *start;   /* by partition: where its part of `list` begins; one more at the end */
    size_t *list; /* indexes of events */
};

static void places_init(struct places *p, const struct history *h)
{
    size_t *fill = ll_calloc(h->name_count + 1, sizeof(*fill));

    p->start = ll_calloc(h->name_count + 1, sizeof(*p->start));
    p->list = ll_calloc(h->event_count + 1, sizeof(*p->list));
    for (size_t i = 0; i < h->event_count; i++) p->start[h->events[i].at.partition + 1]++;
    for (size_t n = 0; n < h->name_count; n++) p->start[n + 1] += p->start[n];
    for (size_t i = 0; i < h->event_count; i++) {
        uint32_t partition = h->events[i].at.partition;

        p->list[p->start[partition] + fill[partition]++] = i;
    }
    free(fill);
}

static void places_fini(struct places *p)
{
    free(p->start);
    free(p->list);
}

/* The event at a place; NULL when there is none. */
static const struct history_event *
event_at(const struct history *h, const struct places *p, struct history_place at)
{
    size_t n = p->start[at.partition + 1] - p->start[at.partition];
    const struct history_event *e;

    if (at.sequence == 0 || at.sequence > n) return NULL;
    e = &h->events[p->list[p->start[at.partition] + at.sequence - 1]];
    return e->at.sequence == at.sequence ? e : NULL;
}

static bool guards(const struct history_command *c, uint32_t tag)
{
    for (size_t i = 0; i < c->guard_count; i++)
        if (c->guards[i] == tag) return true;
    return false;
}

static bool guards_any(const struct history_command *c, const struct history_event *e)
{
    for (size_t i = 0; e != NULL && i < e->tag_count; i++)
        if (guards(c, e->tags[i])) return true;
    return false;
}

static ll_rc conflicts_are_real(const struct history *h, struct ll_error *err)
{
    struct places places;
    ll_rc rc = LL_OK;

    places_init(&places, h);
    for (size_t i = 0; rc == LL_OK && i < h->command_count; i++) {
        const struct history_command *c = &h->commands[i];
        bool had_seen = history_seen(&c->as_of, c->at.partition) >= c->at.sequence;

        if (c->answer != ANSWER_CONFLICT || c->at.partition == 0) continue;
        if (had_seen || !guards_any(c, event_at(h, &places, c->at)))
            rc = ll_fail(err, LL_EBROKEN, "\"%s\" was refused for %s, which it %s",
                         name(h, c->name), place(h, c->at),
                         had_seen ? "had seen" : "does not guard");
    }
    places_fini(&places);
    return rc;
}

/* Whose read of which partition, to bring each one's reads together in their order. */
struct turn {
    uint32_t reader, partition;
    size_t read;
};

static int turn_compare(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;

    if (x->reader != y->reader) return x->reader < y->reader ? -1 : 1;
    if (x->partition != y->partition) return x->partition < y->partition ? -1 : 1;
    return (x->read > y->read) - (x->read < y->read);
}

static ll_rc read_is_true(const struct history *h, const struct places *p,
                          const struct history_read *r, struct ll_error *err)
{
    const struct history_event *e = event_at(h, p, r->at);

    if (e != NULL && e->command == r->command && e->index == r->index) return LL_OK;
    return ll_fail(err, LL_EBROKEN, "reader \"%s\" passed \"%s\" at %s; %s is there",
                   name(h, r->reader), name(h, r->command), place(h, r->at),
                   e == NULL ? "nothing" : name(h, e->command));
}

static ll_rc readers_pass_all_once(const struct history *h, struct ll_error *err)
{
    struct turn *turns = ll_calloc(h->read_count + 1, sizeof(*turns));
    struct places places;
    ll_rc rc = LL_OK;

    places_init(&places, h);
    for (size_t i = 0; i < h->read_count; i++)
        turns[i] = (struct turn){h->reads[i].reader, h->reads[i].at.partition, i};
    qsort(turns, h->read_count, sizeof(*turns), turn_compare);
    for (size_t i = 0; rc == LL_OK && i < h->read_count; i++) {
        const struct history_read *r = &h->reads[turns[i].read];
        const struct history_read *before = i > 0 ? &h->reads[turns[i - 1].read] : NULL;

        rc = read_is_true(h, &places, r, err);
        if (rc != LL_OK || before == NULL || before->reader != r->reader ||
            before->at.partition != r->at.partition ||
            before->at.sequence + 1 == r->at.sequence)
            continue;
        rc = ll_fail(err, LL_EBROKEN, "reader \"%s\" passed %s after %s",
                     name(h, r->reader), place(h, r->at), place(h, before->at));
    }
    places_fini(&places);
    free(turns);
    return rc;
}

static ll_rc projection_is_fold(const struct history *h, struct ll_error *err)
{
    struct history_row *fold = ll_calloc(h->name_count, sizeof(*fold)); /* by tag */
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < h->event_count; i++) {
        const struct history_event *e = &h->events[i];

        if (h->has_view && history_seen(&h->view, e->at.partition) < e->at.sequence)
            continue;
        for (size_t k = 0; k < e->tag_count; k++) {
            fold[e->tags[k]].events++;
            fold[e->tags[k]].sum += e->at.sequence;
        }
    }
    for (size_t i = 0; rc == LL_OK && i < h->row_count; i++) {
        const struct history_row *row = &h->rows[i];
        struct history_row *want = &fold[row->tag];

        if (row->events != want->events || row->sum != want->sum)
            rc = ll_fail(err, LL_EBROKEN,
                         "row \"%s\" has %" PRIu64 " events (sum %" PRIu64
                         "), the log has %" PRIu64 " (%" PRIu64 ")",
                         name(h, row->tag), row->events, row->sum, want->events,
                         want->sum);
        want->events = want->sum = 0; /* what is left has no row */
    }
    for (uint32_t t = 0; rc == LL_OK && h->row_count > 0 && t < h->name_count; t++)
        if (fold[t].events > 0)
            rc = ll_fail(err, LL_EBROKEN, "row \"%s\" is missing", name(h, t));
    free(fold);
    return rc;
}

const struct promise promises[] = {
    {"the sequence of a partition has no gap", sequence_is_gapless},
    {"time never runs backwards in a partition", time_never_runs_back},
    {"a command is on the log whole, in one place", commands_are_whole},
    {"a key has the events of one command", keys_are_used_once},
    {"an acknowledged command is there exactly once", acknowledged_are_there},
    {"a refused command is not there", refused_are_absent},
    {"a conflict names an event that was guarded and not seen", conflicts_are_real},
    {"the commands of a tag form one chain", promise_tags_are_chains},
    {"one order of all commands explains every decision", promise_one_order_explains_all},
    {"nothing appears behind a reader", readers_pass_all_once},
    {"a projection is the fold of the log", projection_is_fold},
    {NULL, NULL},
};

ll_rc promises_hold(const struct history *h, struct ll_error *err)
{
    for (const struct promise *p = promises; p->text != NULL; p++) {
        if (p->holds(h, err) == LL_OK) continue;
        ll_error_prefix(err, "broken: %s", p->text);
        return LL_EBROKEN;
    }
    return LL_OK;
}
