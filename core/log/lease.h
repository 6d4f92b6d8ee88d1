/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lease.h - who may work on what, in Postgres, on both stores (DESIGN, section 5).
 *
 * A lease has an epoch, and names the backend (pid and start time) on which its holder
 * writes. Who takes over an expired one raises the epoch and terminates that backend: a
 * process stopped in mid-flight holds its locks and no time-out of Postgres fires.
 * Writers put the epoch in their first statement, which raises when it is not theirs.
 */
#ifndef LL_LEASE_H
#define LL_LEASE_H

#include "core/base/base.h"

#include <libpq-fe.h>

enum { LEASE_NAME = 128, LEASE_MS = 5000, LEASE_RENEW_MS = 1000 };

struct lease {
    char name[LEASE_NAME];
    uint64_t epoch;
    bool held;
};

/* Take `name` for `owner` to write on `writer`'s backend. `owner` says who for `landlog
 * status` and is unique: host, process, thread. The lease is free when it was given back,
 * has expired, is this owner's already (it has reconnected), or when the backend that it
 * names is gone, as after kill -9: no wait for the time-out then. Whoever loses its
 * writer's connection takes its leases again before it writes.
 * LL_ECONFLICT while another holds it. */
ll_rc lease_take(PGconn *connection, PGconn *writer, const char *name, const char *owner,
                 struct lease *out, struct ll_error *err) LL_MUST_CHECK;
/* Hold it LEASE_MS longer. LL_ECONFLICT when it was lost: stop writing. */
ll_rc lease_renew(PGconn *connection, struct lease *lease,
                  struct ll_error *err) LL_MUST_CHECK;
/* Give it back so that another need not wait. The writer must be idle. */
void lease_release(PGconn *connection, struct lease *lease);

#endif
