/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* wake_channel.h - sending and hearing wake-ups (core/log/wake.h) on the event loop.
 *
 * One connection that does nothing else. Sending coalesces: however often it is asked for
 * while one is on its way, one more follows. After each reconnect everybody is woken,
 * since something may have been missed.
 */
#ifndef LL_WAKE_CHANNEL_H
#define LL_WAKE_CHANNEL_H

#include "core/base/base.h"

#include <event2/event.h>

struct wake_channel;

/* `channels` (ends with NULL; its strings must stay) are listened to; `heard` gets the
 * name of each as it comes, NULL after a reconnect. */
struct wake_channel *wake_channel_new(struct event_base *base, const char *conninfo,
                                      const char *const *channels,
                                      void (*heard)(void *context, const char *channel),
                                      void *context);
void wake_channel_free(struct wake_channel *w);
/* Notify `channel`, a name of core/log/wake.h, one of at most four. */
void wake_channel_send(struct wake_channel *w, const char *channel);

#endif
