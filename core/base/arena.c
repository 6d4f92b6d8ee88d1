/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* arena.c - a list of blocks and a mark in the current one. */
#include "core/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 * 1024, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(ALIGN) char bytes[];
};

void arena_init(struct arena *a, size_t maximum)
{
    *a = (struct arena){.maximum = maximum};
}

void arena_fini(struct arena *a)
{
    for (struct arena_block *b = a->first, *next; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    *a = (struct arena){0};
}

void arena_reset(struct arena *a)
{
    for (struct arena_block *b = a->first; b != NULL; b = b->next) b->used = 0;
    a->current = a->first;
    a->used = 0;
}

/* The first block from the current one on that has room, made when there is none. */
static struct arena_block *block_with(struct arena *a, size_t n)
{
    struct arena_block **at = a->current != NULL ? &a->current : &a->first;

    while (*at != NULL && (*at)->size - (*at)->used < n) at = &(*at)->next;
    if (*at == NULL) {
        size_t size = n > BLOCK ? n : BLOCK;

        *at = ll_malloc(sizeof(**at) + size);
        **at = (struct arena_block){.size = size};
    }
    a->current = *at;
    return *at;
}

void *arena_alloc(struct arena *a, size_t n)
{
    struct arena_block *b;
    void *p;

    LL_CHECK(n <= a->maximum && a->used <= a->maximum - n);
    n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    b = block_with(a, n);
    p = b->bytes + b->used;
    b->used += n;
    a->used += n;
    return p;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
    void *p;

    LL_CHECK(size == 0 || n <= SIZE_MAX / size);
    p = arena_alloc(a, n * size);
    memset(p, 0, n * size);
    return p;
}

struct text arena_text(struct arena *a, struct text t)
{
    char *copy = arena_alloc(a, t.len + 1);

    if (t.len > 0) memcpy(copy, t.ptr, t.len);
    copy[t.len] = '\0';
    return (struct text){copy, t.len};
}

char *arena_string(struct arena *a, const char *s)
{
    return memcpy(arena_alloc(a, strlen(s) + 1), s, strlen(s) + 1);
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
    va_list again;
    char *s;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    LL_CHECK(n >= 0);
    s = arena_alloc(a, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, args);
    return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    char *s;

    va_start(args, fmt);
    s = arena_vprintf(a, fmt, args);
    va_end(args);
    return s;
}
