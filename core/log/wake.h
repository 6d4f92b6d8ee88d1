/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* wake.h - empty notifications after a commit; the truth is always read from tables.
 *
 * Sent on a connection that has nothing else to do, with synchronous_commit off, never
 * inside an append or an apply (DESIGN, section 2: it would serialise commits). Who
 * listens also polls every WAKE_POLL_MS and after each reconnect.
 */
#ifndef LL_WAKE_H
#define LL_WAKE_H

#include "core/base/base.h"

#define WAKE_APPENDED "landlog_appended" /* the log has more */
#define WAKE_APPLIED  "landlog_applied"  /* a checkpoint has moved */
#define WAKE_GENERATION \
    "landlog_generation" /* a projection has another live generation */

enum { WAKE_POLL_MS = 50 };

/* A thread with a connection of its own that sends what it is told to, several requests
 * that come while it is busy as one. */
struct wake;

/* Start it (after any fork). The connection is made when first needed and again after a
 * failure; what could not be sent is dropped, since everybody polls. */
void wake_open(const char *conninfo, struct wake **out);
/* Notify one of the channels above. From any thread; never blocks. */
void wake_send(struct wake *w, const char *channel);
/* Send what is left, end the thread. NULL is nothing. */
void wake_close(struct wake *w);

#endif
