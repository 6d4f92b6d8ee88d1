/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_flight.c - see content_flight.h. */
#include "producers/content_flight.h"

#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *a, const void *b)
{
    const struct text *x = a, *y = b;

    return text_compare(*x, *y);
}

static bool share_pointer(const struct content_flight *a, const struct content_flight *b)
{
    size_t i = 0, k = 0;

    while (a->type == b->type && i < a->count && k < b->count) {
        int order = text_compare(a->pointers[i], b->pointers[k]);

        if (order == 0) return true;
        if (order < 0)
            i++;
        else
            k++;
    }
    return false;
}

bool content_flight_begin(struct content_flight *mine, const struct entity *e,
                          struct content_state *state, struct arena *arena)
{
    size_t n = e->pointer_count;

    *mine = (struct content_flight){.type = e->type, .count = n};
    mine->pointers = arena_calloc(arena, n, sizeof(*mine->pointers));
    memcpy(mine->pointers, e->pointers, n * sizeof(*mine->pointers));
    qsort(mine->pointers, n, sizeof(*mine->pointers), compare_texts);
    for (struct content_flight *f = state->flights; f != NULL; f = f->next)
        if (share_pointer(f, mine)) return false;
    mine->next = state->flights;
    state->flights = mine;
    return true;
}

void content_flight_end(struct content_flight *mine, struct content_state *state)
{
    struct content_flight **at = &state->flights;

    while (*at != mine) at = &(*at)->next;
    *at = mine->next;
}
