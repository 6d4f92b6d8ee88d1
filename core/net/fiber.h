/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* fiber.h - a request's own stack, so that a handler reads top to bottom.
 *
 * A fiber runs on its thread's event loop until it calls fiber_wait(); whoever holds its
 * pointer resumes it with fiber_wake() from the same thread, outside of any fiber or in
 * another one (it then runs when the loop gets to it). 256 KiB stacks with a guard page,
 * pooled; sanitizers are told of each switch.
 */
#ifndef LL_FIBER_H
#define LL_FIBER_H

#include "core/base/base.h"

#include <event2/event.h>

struct fiber;
struct fiber_pool;

/* `most`: fibers alive at a time. The base must outlive the pool. */
struct fiber_pool *fiber_pool_new(struct event_base *base, size_t most);
/* None may be alive. */
void fiber_pool_free(struct fiber_pool *pool);
size_t fiber_pool_alive(const struct fiber_pool *pool);
/* Run `body(argument)` on a fiber of its own, at once. LL_EFULL when `most` are alive. */
ll_rc fiber_start(struct fiber_pool *pool, void (*body)(void *),
                  void *argument) LL_MUST_CHECK;
/* The running fiber; NULL outside. */
struct fiber *fiber_self(void);
/* Give up the processor until woken, or `timeout_ms` (-1: none) has passed: false then.
 * A wake that came before the wait is not lost. */
bool fiber_wait(int timeout_ms);
void fiber_wake(struct fiber *fiber);

#endif
