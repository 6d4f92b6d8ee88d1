/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* catch_up.c - see catch_up.h. */
#include "core/projection/catch_up.h"

#include "core/base/clock.h"
#include "core/projection/outgoing.h"

static ll_rc look(struct catch_up *c, struct ll_error *err)
{
    ll_rc rc = lag_probe_look(c->probe, err);

    c->looked_us = rc == LL_OK ? clock_monotonic_us() : 0;
    return rc;
}

ll_rc catch_up_try(struct catch_up *c, PGconn *connection,
                   const struct settings *settings, const struct projection *p,
                   const struct generation *g, struct wake *wake, struct lag *lag,
                   struct ll_error *err)
{
    ll_rc rc = LL_OK;

    if (c->probe == NULL) rc = lag_probe_open(settings, p, &c->probe, err);
    if (rc == LL_OK && c->looked_us == 0) rc = look(c, err);
    if (rc == LL_OK) rc = lag_read(connection, c->probe, g, lag, err);
    if (rc != LL_OK) return rc;
    if (lag->behind > 0) return LL_ETIMEOUT;
    if (clock_monotonic_us() - c->looked_us > CATCH_UP_MS * 1000) {
        /* those ends are history: on to the present ones */
        rc = look(c, err);
        return rc == LL_OK ? LL_ETIMEOUT : rc;
    }
    /* before the live one must stand still for what is left of it */
    if (projection_is_reactor(p)) rc = outgoing_prune(connection, p, g, err);
    if (rc == LL_OK) rc = generation_swap(connection, p, g, err);
    if (rc == LL_OK && wake != NULL) wake_send(wake, WAKE_GENERATION);
    return rc;
}

void catch_up_fini(struct catch_up *c)
{
    lag_probe_close(c->probe);
    *c = (struct catch_up){0};
}
