/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lag.h - how far a generation's checkpoints are behind the ends of the log.
 *
 * Threads: a probe belongs to one.
 */
#ifndef LL_LAG_H
#define LL_LAG_H

#include "core/base/settings.h"
#include "core/projection/projection.h"

#include <libpq-fe.h>

struct lag_probe;

struct lag {
    uint64_t applied; /* events, of all partitions */
    uint64_t total;   /* events on the log, as the probe last saw it */
    uint64_t behind;  /* events that are on the log and not applied */
};

/* Readers on the projection's topics. Settings and projection must outlive the probe. */
ll_rc lag_probe_open(const struct settings *settings, const struct projection *p,
                     struct lag_probe **out, struct ll_error *err) LL_MUST_CHECK;
void lag_probe_close(struct lag_probe *probe);
/* See where the log ends now. */
ll_rc lag_probe_look(struct lag_probe *probe, struct ll_error *err) LL_MUST_CHECK;
/* The end of a partition as last seen; 0 for one that is not the projection's. */
uint64_t lag_probe_end(const struct lag_probe *probe, const char *topic,
                       uint32_t partition);
/* A generation against the ends last seen. */
ll_rc lag_read(PGconn *connection, const struct lag_probe *probe,
               const struct generation *g, struct lag *out,
               struct ll_error *err) LL_MUST_CHECK;

#endif
