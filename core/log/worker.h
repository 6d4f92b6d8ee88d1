/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* worker.h - processes say that they are at work, for `landlog status`.
 *
 * A row of landlog.worker; one whose `seen` is older than WORKER_LOST_MS is lost.
 */
#ifndef LL_WORKER_H
#define LL_WORKER_H

#include "core/base/base.h"

#include <libpq-fe.h>

enum { WORKER_NAME = 128, WORKER_BEAT_MS = 5000, WORKER_LOST_MS = 15000 };

/* "host/pid/kind", unique while the process lives: a lease's owner too. */
void worker_name(const char *kind, char out[WORKER_NAME]);
/* Say so, every WORKER_BEAT_MS. `detail` is for people: "social/3 at 1042". Rows of
 * workers lost for a day are swept out. */
ll_rc worker_beat(PGconn *connection, const char *name, const char *kind,
                  const char *detail, struct ll_error *err) LL_MUST_CHECK;
/* Gone on purpose. */
void worker_leave(PGconn *connection, const char *name);

#endif
