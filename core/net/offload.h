/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* offload.h - threads for what blocks (a remote call, an fsync), awaited by fibers. */
#ifndef LL_OFFLOAD_H
#define LL_OFFLOAD_H

#include "core/base/base.h"

#include <event2/event.h>

struct offload;

enum { OFFLOAD_QUEUE = 1024 };

struct offload *offload_new(struct event_base *base, size_t threads);
/* Waits for what runs. No fiber may wait. */
void offload_free(struct offload *o);
/* Run `job(argument)` on one of the threads and wait for it on this fiber. LL_EFULL when
 * OFFLOAD_QUEUE jobs wait. `argument` is the thread's alone meanwhile. */
ll_rc offload_run(struct offload *o, void (*job)(void *), void *argument) LL_MUST_CHECK;

#endif
