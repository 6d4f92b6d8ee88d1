/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* promises_order.c - who had seen what when deciding, and in which order that can be.
 *
 * Only commands on the log count. One has seen another on a tag when the other's last
 * event with that tag is within its position: the very question the referee asks.
 */
#include "promises.h"

#include <stdlib.h>

/* A command on the log and a tag that it guards, writes, or both. */
struct use {
    uint32_t tag;
    size_t command;
    bool guards, writes;
    struct history_place last; /* of its events with the tag */
    size_t begin, end;         /* the uses of this tag */
    size_t sibling;            /* another use of this command, plus one */
};

struct uses {
    struct use *list; /* by tag, then command */
    size_t count;
    size_t *first; /* by command: one of its uses, plus one */
};

static int use_compare(const void *a, const void *b)
{
    const struct use *x = a, *y = b;

    if (x->tag != y->tag) return x->tag < y->tag ? -1 : 1;
    if (x->command != y->command) return x->command < y->command ? -1 : 1;
    return (x->last.sequence > y->last.sequence) - (x->last.sequence < y->last.sequence);
}

/* Each guard and each tag as a use of its own, sorted. Returns how many. */
static size_t uses_collect(struct uses *u, const struct history *h)
{
    size_t room = 1, n = 0;

    for (size_t i = 0; i < h->command_count; i++) room += h->commands[i].guard_count;
    for (size_t i = 0; i < h->event_count; i++) room += h->events[i].tag_count;
    u->list = ll_calloc(room, sizeof(*u->list));
    for (size_t i = 0; i < h->command_count; i++)
        for (size_t k = 0; h->commands[i].events > 0 && k < h->commands[i].guard_count;
             k++)
            u->list[n++] = (struct use){
                .tag = h->commands[i].guards[k], .command = i, .guards = true};
    for (size_t i = 0; i < h->event_count; i++)
        for (size_t k = 0; h->events[i].owner != SIZE_MAX && k < h->events[i].tag_count;
             k++)
            u->list[n++] = (struct use){.tag = h->events[i].tags[k],
                                        .command = h->events[i].owner,
                                        .writes = true,
                                        .last = h->events[i].at};
    qsort(u->list, n, sizeof(*u->list), use_compare);
    return n;
}

static void uses_init(struct uses *u, const struct history *h)
{
    size_t n = uses_collect(u, h);

    u->count = 0;
    for (size_t i = 0; i < n; i++) { /* one a tag and command */
        struct use *to = u->count > 0 ? &u->list[u->count - 1] : NULL;

        if (to == NULL || to->tag != u->list[i].tag ||
            to->command != u->list[i].command) {
            u->list[u->count++] = u->list[i];
            continue;
        }
        to->guards = to->guards || u->list[i].guards;
        to->writes = to->writes || u->list[i].writes;
        if (u->list[i].writes) to->last = u->list[i].last;
    }

    u->first = ll_calloc(h->command_count + 1, sizeof(*u->first));
    for (size_t i = 0, end = 0; i < u->count; i++) {
        struct use *use = &u->list[i];

        use->begin = i < end ? u->list[i - 1].begin : i;
        while (end < u->count && u->list[end].tag == use->tag) end++;
        use->end = end;
        use->sibling = u->first[use->command];
        u->first[use->command] = i + 1;
    }
}

static void uses_fini(struct uses *u)
{
    free(u->list);
    free(u->first);
}

static bool has_seen(const struct history *h, const struct use *who,
                     const struct use *what)
{
    return history_seen(&h->commands[who->command].as_of, what->last.partition) >=
           what->last.sequence;
}

/* Of the commands that guard and write one tag, each has seen another number. */
static ll_rc tag_is_chain(const struct history *h, const struct use *list, size_t n,
                          struct ll_error *err)
{
    size_t *had = ll_calloc(n, sizeof(*had)); /* who has seen k others, plus one */
    ll_rc rc = LL_OK;

    for (size_t i = 0; rc == LL_OK && i < n; i++) {
        size_t seen = 0;

        if (!list[i].guards || !list[i].writes) continue;
        for (size_t k = 0; k < n; k++)
            seen += k != i && list[k].guards && list[k].writes &&
                    has_seen(h, &list[i], &list[k]);
        if (had[seen] != 0)
            rc = ll_fail(err, LL_EBROKEN,
                         "tag \"%s\": \"%s\" and \"%s\" had both seen %zu commands on it",
                         history_text(h, list[i].tag),
                         history_text(h, h->commands[list[had[seen] - 1].command].name),
                         history_text(h, h->commands[list[i].command].name), seen);
        had[seen] = i + 1;
    }
    free(had);
    return rc;
}

ll_rc promise_tags_are_chains(const struct history *h, struct ll_error *err)
{
    struct uses u;
    ll_rc rc = LL_OK;

    uses_init(&u, h);
    for (size_t i = 0; rc == LL_OK && i < u.count; i = u.list[i].end)
        rc = tag_is_chain(h, &u.list[i], u.list[i].end - i, err);
    uses_fini(&u);
    return rc;
}

/* Must a have come before b? Who guards comes behind what it has seen, and before what
 * it has not. */
static bool is_before(const struct history *h, const struct use *a, const struct use *b)
{
    if (a == b) return false;
    if (b->guards && a->writes && has_seen(h, b, a)) return true;
    return a->guards && b->writes && !has_seen(h, a, b);
}

struct order {
    size_t *waits; /* by command: how many must still come before it */
    size_t *next;  /* by command: its follower in the partition, plus one */
    size_t *ready; /* a stack */
    size_t depth;
};

static void order_init(struct order *o, const struct history *h, const struct uses *u)
{
    size_t *last = ll_calloc(h->name_count, sizeof(*last));

    o->waits = ll_calloc(h->command_count + 1, sizeof(*o->waits));
    o->next = ll_calloc(h->command_count + 1, sizeof(*o->next));
    o->ready = ll_calloc(h->command_count + 1, sizeof(*o->ready));
    o->depth = 0;
    for (size_t b = 0; b < u->count; b++)
        for (size_t a = u->list[b].begin; a < u->list[b].end; a++)
            o->waits[u->list[b].command] += is_before(h, &u->list[a], &u->list[b]);
    for (size_t i = 0; i < h->event_count; i++) {
        size_t *turn = &last[h->events[i].at.partition], before = *turn;
        size_t owner = h->events[i].owner;

        *turn = i + 1;
        if (before == 0 || owner == SIZE_MAX || h->commands[owner].first != i) continue;
        before = h->events[before - 1].owner;
        if (before == SIZE_MAX || o->next[before] != 0) continue;
        o->next[before] = owner + 1;
        o->waits[owner]++;
    }
    for (size_t c = 0; c < h->command_count; c++)
        if (o->waits[c] == 0) o->ready[o->depth++] = c;
    free(last);
}

static void order_fini(struct order *o)
{
    free(o->waits);
    free(o->next);
    free(o->ready);
}

static void order_release(struct order *o, size_t command)
{
    if (--o->waits[command] == 0) o->ready[o->depth++] = command;
}

/* Take commands off, each when all that come before it are; what stays is a circle.
 * This sees what no single tag shows: two that guard x and y, and write one each. */
ll_rc promise_one_order_explains_all(const struct history *h, struct ll_error *err)
{
    struct uses u;
    struct order o;
    size_t stuck = h->command_count;
    ll_rc rc = LL_OK;

    uses_init(&u, h);
    order_init(&o, h, &u);
    for (; o.depth > 0; stuck--) {
        size_t c = o.ready[--o.depth];

        if (o.next[c] != 0) order_release(&o, o.next[c] - 1);
        for (size_t a = u.first[c]; a != 0; a = u.list[a - 1].sibling)
            for (size_t b = u.list[a - 1].begin; b < u.list[a - 1].end; b++)
                if (is_before(h, &u.list[a - 1], &u.list[b]))
                    order_release(&o, u.list[b].command);
    }
    for (size_t c = 0; rc == LL_OK && c < h->command_count; c++)
        if (o.waits[c] != 0)
            rc = ll_fail(err, LL_EBROKEN,
                         "%zu commands go round in a circle, one is \"%s\"", stuck,
                         history_text(h, h->commands[c].name));
    order_fini(&o);
    uses_fini(&u);
    return rc;
}
