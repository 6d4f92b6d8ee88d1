/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* connector.h - one libpq connection kept up on the event loop.
 *
 * Connects in the background, again and again with a growing pause, and tells its owner
 * when there is something to read and when it was lost. The connection is non-blocking.
 * Threads: all on the loop's thread.
 */
#ifndef LL_CONNECTOR_H
#define LL_CONNECTOR_H

#include "core/base/base.h"

#include <event2/event.h>
#include <libpq-fe.h>

struct connector;

struct connector_callbacks {
    /* Just connected; false resets it. */
    bool (*connected)(void *context, PGconn *connection);
    /* Input was consumed: take results, notifications. */
    void (*readable)(void *context, PGconn *connection);
    /* What was in flight is lost. Also called by connector_free(). */
    void (*lost)(void *context);
};

/* `options` are server settings ("-c name=value ..."); may be NULL. */
struct connector *connector_new(struct event_base *base, const char *conninfo,
                                const char *purpose, const char *options,
                                const struct connector_callbacks *callbacks,
                                void *context);
void connector_free(struct connector *c);
bool connector_is_up(const struct connector *c);
/* NULL while it is not up. */
PGconn *connector_connection(struct connector *c);
/* Send what libpq has buffered, now and whenever the socket takes more. */
void connector_flush(struct connector *c);
/* Drop the connection and begin again, once the loop gets to it. */
void connector_reset(struct connector *c);

#endif
