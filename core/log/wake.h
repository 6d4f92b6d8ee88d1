/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* wake.h - empty notifications after a commit; the truth is always read from tables.
 *
 * Sent on a connection that has nothing else to do, with synchronous_commit off, never
 * inside an append or an apply (DESIGN, section 2: it would serialise commits). Who
 * listens also polls every WAKE_POLL_MS and after each reconnect.
 */
#ifndef LL_WAKE_H
#define LL_WAKE_H

#define WAKE_APPENDED "landlog_appended" /* the log has more */
#define WAKE_APPLIED  "landlog_applied"  /* a checkpoint has moved */
#define WAKE_GENERATION \
    "landlog_generation" /* a projection has another live generation */

enum { WAKE_POLL_MS = 50 };

#endif
