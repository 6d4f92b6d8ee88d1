/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* rebuild.h - a new Postgres from what Kafka has: the log's own tables (heads, keys, the
 * newest rows, places). Projections replay by themselves afterwards, and a relay opens
 * the gates.
 *
 * Stopped half-way, it goes on from there when it is started again. It never touches a
 * database that has events of its own.
 */
#ifndef LL_REBUILD_H
#define LL_REBUILD_H

#include "core/base/settings.h"
#include "core/log/topic.h"

struct rebuild_progress {
    const char *topic;
    uint64_t records, total; /* read and to be read on Kafka, of this topic */
    uint64_t events;         /* that count, of this topic */
};

typedef void (*rebuild_report)(void *context, const struct rebuild_progress *progress);

/* Install the referee where it is not, and fold all topics. LL_EINVAL when the database
 * is not empty. LL_EDATABASE is passing: start again. */
ll_rc rebuild_run(const struct settings *settings, const struct topics *topics,
                  rebuild_report report, void *context,
                  struct ll_error *err) LL_MUST_CHECK;

#endif
