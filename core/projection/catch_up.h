/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* catch_up.h - when a generation that is being built has caught up, and goes live.
 *
 * While events come in nobody is ever at the end of the log. Caught up is who has passed
 * where the log ended at most CATCH_UP_MS ago.
 */
#ifndef LL_CATCH_UP_H
#define LL_CATCH_UP_H

#include "core/log/wake.h"
#include "core/projection/generation.h"
#include "core/projection/lag.h"

enum { CATCH_UP_MS = 2000 };

struct catch_up {
    struct lag_probe *probe;
    int64_t looked_us; /* when the probe last saw the ends; 0: never */
};

/* Look how far it is, through `lag`; where it has caught up, make it live and tell the
 * front-ends, and LL_OK. LL_ETIMEOUT: not yet. Else as generation_swap(). */
ll_rc catch_up_try(struct catch_up *c, PGconn *connection,
                   const struct settings *settings, const struct projection *p,
                   const struct generation *g, struct wake *wake, struct lag *lag,
                   struct ll_error *err) LL_MUST_CHECK;
void catch_up_fini(struct catch_up *c);

#endif
