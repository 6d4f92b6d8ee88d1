/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lease.c - calls of landlog.take_lease() and updates of its row (referee.sql). */
#include "core/log/lease.h"

#include "core/base/note.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ll_rc lease_take(PGconn *connection, PGconn *writer, const char *name, const char *owner,
                 struct lease *out, struct ll_error *err)
{
    char pid[16], ms[16];
    const char *const values[] = {name, owner, pid, ms};
    PGresult *result;
    ll_rc rc;

    LL_CHECK(strlen(name) < LEASE_NAME);
    *out = (struct lease){0};
    snprintf(out->name, sizeof(out->name), "%s", name);
    snprintf(pid, sizeof(pid), "%d", PQbackendPID(writer));
    snprintf(ms, sizeof(ms), "%d", LEASE_MS);
    rc = pg_query(connection, "select landlog.take_lease($1, $2, $3, $4)", values, 4,
                  &result, err);
    if (rc != LL_OK) {
        ll_error_prefix(err, "lease \"%s\"", name);
        return rc;
    }
    if (PQgetisnull(result, 0, 0)) {
        rc = ll_fail(err, LL_ECONFLICT, "lease \"%s\" is held by another", name);
    } else {
        out->epoch = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        out->held = true;
    }
    PQclear(result);
    return rc;
}

/* Run an UPDATE of the row while its epoch is ours; false when it is not any more. */
static ll_rc update(PGconn *connection, const struct lease *lease, const char *sql,
                    bool *is_ours, struct ll_error *err)
{
    char epoch[24], ms[16];
    const char *const values[] = {lease->name, epoch, ms};
    PGresult *result;
    ll_rc rc;

    snprintf(epoch, sizeof(epoch), "%" PRIu64, lease->epoch);
    snprintf(ms, sizeof(ms), "%d", LEASE_MS);
    rc = pg_query(connection, sql, values, 3, &result, err);
    if (rc != LL_OK) {
        ll_error_prefix(err, "lease \"%s\"", lease->name);
        return rc;
    }
    *is_ours = PQntuples(result) == 1;
    PQclear(result);
    return LL_OK;
}

ll_rc lease_renew(PGconn *connection, struct lease *lease, struct ll_error *err)
{
    bool is_ours = false;
    ll_rc rc;

    LL_CHECK(lease->held);
    rc = update(connection, lease,
                "update landlog.lease set expires ="
                " clock_timestamp() + $3::int * interval '1 ms'"
                " where name = $1 and epoch = $2::bigint returning 1",
                &is_ours, err);
    if (rc != LL_OK || is_ours) return rc;
    lease->held = false;
    return ll_fail(err, LL_ECONFLICT, "lease \"%s\" was taken by another", lease->name);
}

void lease_release(PGconn *connection, struct lease *lease)
{
    struct ll_error err;
    bool is_ours;

    if (!lease->held) return;
    lease->held = false;
    if (update(connection, lease,
               "update landlog.lease set pid = null, backend_start = null,"
               " expires = clock_timestamp() - $3::int * interval '1 ms'"
               " where name = $1 and epoch = $2::bigint returning 1",
               &is_ours, &err) != LL_OK)
        note(NOTE_WARNING, "a lease is left to expire", NOTE_S("lease", lease->name),
             NOTE_S("why", err.text));
}
