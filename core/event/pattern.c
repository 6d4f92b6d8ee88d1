/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* pattern.c - from a pattern's tree to an automaton over bytes.
 *
 * First Thompson's states with free edges, made back to front so that each state knows
 * its successor; then the sets of states that some text can reach, each of which becomes
 * one state of the result. Bytes that no set tells apart share a column.
 */
#include "core/event/pattern_parse.h"

#include <stdlib.h>
#include <string.h>

enum { STATES = 1024, WORDS = STATES / 64 };

struct pattern {
    uint8_t column[256];
    uint32_t columns;
    const uint16_t *next; /* [state * columns + column]; state 0 is where a text starts */
    const uint8_t *accepts;
};

/* Bits of pattern.accepts. */
enum { ACCEPTS_AT_END = 1, ACCEPTS_NOW = 2 };

struct state {
    enum { STEP, FORK, AT_BEGIN, AT_END, MATCH } kind;
    uint16_t next, other; /* `other` of a fork */
    struct pattern_set set;
};

struct machine {
    struct state states[STATES];
    size_t count;
    bool full; /* latched */
};

static uint16_t add(struct machine *m, struct state s)
{
    if (m->count == STATES) {
        m->full = true;
        return 0;
    }
    m->states[m->count] = s;
    return (uint16_t)m->count++;
}

static uint16_t add_fork(struct machine *m, uint16_t next, uint16_t other)
{
    return add(m, (struct state){.kind = FORK, .next = next, .other = other});
}

static uint16_t add_range(struct machine *m, unsigned from, unsigned to, uint16_t next)
{
    struct state s = {.kind = STEP, .next = next};

    for (unsigned byte = from; byte <= to; byte++) pattern_set_add(&s.set, byte);
    return add(m, s);
}

/* Any character beyond ASCII, of UTF-8 that is known to be well-formed. */
static uint16_t add_beyond_ascii(struct machine *m, uint16_t next)
{
    uint16_t one = add_range(m, 0x80, 0xbf, next), two = add_range(m, 0x80, 0xbf, one),
             three = add_range(m, 0x80, 0xbf, two);

    return add_fork(
        m, add_range(m, 0xc2, 0xdf, one),
        add_fork(m, add_range(m, 0xe0, 0xef, two), add_range(m, 0xf0, 0xf4, three)));
}

static uint16_t add_set(struct machine *m, const struct pattern_set *set, uint16_t next)
{
    uint16_t plain = add(m, (struct state){.kind = STEP, .next = next, .set = *set});

    return set->beyond_ascii ? add_fork(m, plain, add_beyond_ascii(m, next)) : plain;
}

static uint16_t add_tree(struct machine *m, const struct pattern_tree *t, uint16_t next);

static uint16_t add_times(struct machine *m, const struct pattern_tree *t, uint16_t next)
{
    uint16_t at = next;

    if (t->most == PATTERN_FOREVER) {
        at = add_fork(m, 0, next);
        m->states[at].next = add_tree(m, t->left, at);
    }
    for (int i = t->least; i < t->most && !m->full; i++)
        at = add_fork(m, add_tree(m, t->left, at), next);
    for (int i = 0; i < t->least && !m->full; i++) at = add_tree(m, t->left, at);
    return at;
}

/* The state from which `t` is matched and `next` then goes on. */
static uint16_t add_tree(struct machine *m, const struct pattern_tree *t, uint16_t next)
{
    if (m->full) return 0;
    switch (t->kind) {
    case PATTERN_EMPTY: return next;
    case PATTERN_BEGIN: return add(m, (struct state){.kind = AT_BEGIN, .next = next});
    case PATTERN_END: return add(m, (struct state){.kind = AT_END, .next = next});
    case PATTERN_SET: return add_set(m, &t->set, next);
    case PATTERN_BOTH: return add_tree(m, t->left, add_tree(m, t->right, next));
    case PATTERN_EITHER:
        return add_fork(m, add_tree(m, t->left, next), add_tree(m, t->right, next));
    case PATTERN_TIMES: break;
    }
    return add_times(m, t, next);
}

/* ---- sets of states ---- */

struct reach {
    uint64_t bits[WORDS], hash;
};

struct determiner {
    const struct machine *machine;
    struct reach reaches[PATTERN_STATES]; /* of each state of the result */
    uint8_t accepts[PATTERN_STATES];
    size_t count;
    uint16_t stack[2 * STATES + 2]; /* a state is closed over once and adds two at most */
};

static bool has(const struct reach *r, uint16_t state)
{
    return r->bits[state / 64] >> (state % 64) & 1;
}

/* Add `state` and all that free edges lead to; assertions hold as the flags say. */
static void close_over(struct determiner *d, struct reach *r, uint16_t state,
                       bool at_begin, bool at_end)
{
    size_t depth = 0;

    d->stack[depth++] = state;
    while (depth > 0) {
        uint16_t at = d->stack[--depth];
        const struct state *s = &d->machine->states[at];

        if (has(r, at)) continue;
        r->bits[at / 64] |= (uint64_t)1 << (at % 64);
        if (s->kind == FORK) d->stack[depth++] = s->other;
        if (s->kind == FORK || (s->kind == AT_BEGIN && at_begin) ||
            (s->kind == AT_END && at_end))
            d->stack[depth++] = s->next;
    }
}

static bool has_match(const struct determiner *d, const struct reach *r)
{
    for (size_t i = 0; i < d->machine->count; i++)
        if (d->machine->states[i].kind == MATCH) return has(r, (uint16_t)i);
    return false;
}

/* What reaching `r` says of the text so far, and of the text if it ends here. */
static uint8_t verdict(struct determiner *d, const struct reach *r, bool at_begin)
{
    struct reach end = {0};

    if (has_match(d, r)) return ACCEPTS_NOW | ACCEPTS_AT_END;
    for (size_t i = 0; i < d->machine->count; i++)
        if (has(r, (uint16_t)i) && d->machine->states[i].kind == AT_END)
            close_over(d, &end, (uint16_t)i, at_begin, true);
    return has_match(d, &end) ? ACCEPTS_AT_END : 0;
}

/* The number of `r` among the states, which it joins when it is new; -1 when full. The
 * first is where a text starts, and nothing comes back to it. */
static int number_of(struct determiner *d, struct reach *r)
{
    r->hash = 14695981039346656037U;
    for (size_t i = 0; i < WORDS; i++) r->hash = (r->hash ^ r->bits[i]) * 1099511628211U;
    for (size_t i = 1; i < d->count; i++)
        if (d->reaches[i].hash == r->hash &&
            memcmp(d->reaches[i].bits, r->bits, sizeof(r->bits)) == 0)
            return (int)i;
    if (d->count == PATTERN_STATES) return -1;
    d->accepts[d->count] = verdict(d, r, d->count == 0);
    d->reaches[d->count] = *r;
    return (int)d->count++;
}

static int step(struct determiner *d, const struct reach *from, unsigned byte)
{
    struct reach to = {0};

    for (size_t i = 0; i < d->machine->count; i++) {
        const struct state *s = &d->machine->states[i];

        if (has(from, (uint16_t)i) && s->kind == STEP && pattern_set_has(&s->set, byte))
            close_over(d, &to, s->next, false, false);
    }
    return number_of(d, &to);
}

/* Give bytes that some set tells apart columns of their own. */
static uint32_t columns_of(const struct machine *m, uint8_t column[256])
{
    uint32_t count = 1;

    memset(column, 0, 256);
    for (size_t i = 0; i < m->count; i++) {
        int16_t split[256]; /* a column's new half, where the set cuts through it */
        bool outside[256] = {false};

        if (m->states[i].kind != STEP) continue;
        memset(split, -1, sizeof(split));
        for (unsigned b = 0; b < 256; b++)
            if (!pattern_set_has(&m->states[i].set, b)) outside[column[b]] = true;
        for (unsigned b = 0; b < 256; b++) {
            uint8_t old = column[b];

            if (!pattern_set_has(&m->states[i].set, b) || !outside[old]) continue;
            if (split[old] < 0) split[old] = (int16_t)count++;
            column[b] = (uint8_t)split[old];
        }
    }
    return count;
}

static ll_rc too_large(struct text source, struct ll_error *err)
{
    return ll_fail(err, LL_EFULL, "pattern \"%.*s\": its automaton is too large",
                   TEXT_ARGS(source));
}

/* All states that a text can reach, in `table` (PATTERN_STATES rows of `columns`). */
static bool determine(struct determiner *d, const struct pattern *p, uint16_t start,
                      uint16_t *table)
{
    unsigned sample[256] = {0};
    struct reach first = {0};

    for (unsigned b = 0; b < 256; b++) sample[p->column[b]] = b;
    close_over(d, &first, start, true, false);
    LL_CHECK(number_of(d, &first) == 0);
    for (size_t i = 0; i < d->count; i++)
        for (uint32_t c = 0; c < p->columns; c++) {
            int to = step(d, &d->reaches[i], sample[c]);

            if (to < 0) return false;
            table[i * p->columns + c] = (uint16_t)to;
        }
    return true;
}

static ll_rc build(const struct machine *m, uint16_t start, struct text source,
                   struct arena *arena, const struct pattern **out, struct ll_error *err)
{
    struct determiner *d = ll_calloc(1, sizeof(*d));
    struct pattern p = {0};
    uint16_t *table;
    size_t size;
    ll_rc rc = LL_OK;

    d->machine = m;
    p.columns = columns_of(m, p.column);
    table = ll_calloc((size_t)PATTERN_STATES * p.columns, sizeof(*table));
    if (!determine(d, &p, start, table)) rc = too_large(source, err);
    size = d->count * p.columns * sizeof(*table);
    if (rc == LL_OK && size + d->count + sizeof(p) + 64 > arena->maximum - arena->used)
        rc = too_large(source, err);
    if (rc == LL_OK) {
        p.next = memcpy(arena_alloc(arena, size), table, size);
        p.accepts = memcpy(arena_alloc(arena, d->count), d->accepts, d->count);
        *out = memcpy(arena_alloc(arena, sizeof(p)), &p, sizeof(p));
    }
    free(table);
    free(d);
    return rc;
}

ll_rc pattern_compile(struct text source, struct arena *arena, const struct pattern **out,
                      struct ll_error *err)
{
    struct machine *m = ll_calloc(1, sizeof(*m));
    const struct pattern_tree *tree;
    struct arena scratch;
    uint16_t start, match;
    ll_rc rc;

    arena_init(&scratch, (size_t)1 << 20);
    *out = NULL;
    rc = pattern_parse(source, &scratch, &tree, err);
    if (rc == LL_OK) {
        match = add(m, (struct state){.kind = MATCH});
        start = add_fork(m, 0, 0); /* try here, and after any byte again */
        m->states[start].other = add_range(m, 0, 255, start);
        m->states[start].next = add_tree(m, tree, match);
        rc = m->full ? too_large(source, err) : build(m, start, source, arena, out, err);
    }
    arena_fini(&scratch);
    free(m);
    return rc;
}

bool pattern_matches(const struct pattern *p, struct text t)
{
    uint32_t state = 0;

    for (size_t i = 0; i < t.len; i++) {
        if (p->accepts[state] & ACCEPTS_NOW) return true;
        state = p->next[state * p->columns + p->column[(unsigned char)t.ptr[i]]];
    }
    return p->accepts[state] != 0;
}
