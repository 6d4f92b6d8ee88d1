/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json_js_members.c - in which order JavaScript has an object's members. */
#include "core/base/json_js_private.h"

#include <stdlib.h>

/* "12" is the index 12; "012", "-1" and "4294967295" are names. */
uint64_t json_js_index(struct text quoted)
{
    uint64_t n;

    if (!text_to_u64((struct text){quoted.ptr + 1, quoted.len - 2}, UINT32_MAX - 1, &n))
        return UINT64_MAX;
    return n;
}

static struct text key_of(const char *base, const struct json_js_member *m)
{
    return (struct text){base + m->key_at, m->key_len};
}

static int by_key(const void *a, const void *b, void *base)
{
    const struct json_js_member *x = a, *y = b;
    int order = text_compare(key_of(base, x), key_of(base, y));

    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_place(const void *a, const void *b)
{
    const struct json_js_member *x = a, *y = b;

    if (x->index != y->index) return x->index < y->index ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Of sorted members that repeat one another keep the first's place with the last's
 * value. Returns how many are left. */
static size_t drop_repeated(const char *base, struct json_js_member *m, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && text_equal(key_of(base, &m[kept - 1]), key_of(base, &m[i]))) {
            size_t place = m[kept - 1].order;

            m[kept - 1] = m[i];
            m[kept - 1].order = place;
        } else {
            m[kept++] = m[i];
        }
    }
    return kept;
}

static int compare_picks(const void *a, const void *b)
{
    return text_compare(((const struct json_js_pick *)a)->key,
                        ((const struct json_js_pick *)b)->key);
}

size_t json_js_sort_picks(struct json_js_pick *picks, size_t n)
{
    size_t kept = 0;

    qsort(picks, n, sizeof(*picks), compare_picks);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || compare_picks(&picks[kept - 1], &picks[i]) != 0)
            picks[kept++] = picks[i];
        else if (picks[i].order < picks[kept - 1].order)
            picks[kept - 1].order = picks[i].order;
    }
    return kept;
}

/* Only what is asked for, in the order in which it is. */
static size_t keep_picked(const char *base, const struct json_js_picks *picks,
                          struct json_js_member *m, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        struct json_js_pick key = {.key = key_of(base, &m[i])};
        const struct json_js_pick *pick = bsearch(&key, picks->items, picks->count,
                                                  sizeof(*picks->items), compare_picks);

        if (pick == NULL) continue;
        m[kept] = m[i];
        m[kept++].order = pick->order;
    }
    return kept;
}

/* Is it written in this order already? */
static bool is_in_order(const struct json_js_member *m, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (m[i - 1].key_at > m[i].key_at) return false;
    return true;
}

size_t json_js_arrange(const char *base, const struct json_js_picks *picks,
                       struct json_js_member *m, size_t n, bool *as_written)
{
    size_t kept;

    qsort_r(m, n, sizeof(*m), by_key, (void *)(uintptr_t)base);
    kept = drop_repeated(base, m, n);
    if (picks != NULL) kept = keep_picked(base, picks, m, kept);
    qsort(m, kept, sizeof(*m), by_place);
    *as_written = kept == n && is_in_order(m, n);
    return kept;
}
