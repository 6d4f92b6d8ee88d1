/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* arena.h - memory of one request or one batch, freed whole.
 *
 * Blocks are kept over a reset, so that a loop over batches allocates only until it
 * has seen its largest. Past the maximum an allocation is our bug and aborts: sizes
 * that a stranger chooses are limited before they get here.
 */
#ifndef LL_ARENA_H
#define LL_ARENA_H

#include "core/base/text.h"

struct arena_block;

struct arena {
    struct arena_block *first, *current;
    size_t used, maximum;
};

void arena_init(struct arena *a, size_t maximum);
void arena_fini(struct arena *a);
/* Forget what was allocated, keep the blocks. */
void arena_reset(struct arena *a);
/* Aligned for any type; not zeroed. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_calloc(struct arena *a, size_t n, size_t size);
/* Copies; both are NUL-terminated behind their length. */
struct text arena_text(struct arena *a, struct text t);
char *arena_string(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) LL_PRINTF(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list args) LL_PRINTF(2, 0);

#endif
