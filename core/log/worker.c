/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* worker.c - see worker.h. */
#include "core/log/worker.h"

#include "core/pg/connect.h"

#include <stdio.h>
#include <unistd.h>

static void host_name(char *out, size_t room)
{
    if (gethostname(out, room) != 0) snprintf(out, room, "unknown");
    out[room - 1] = '\0';
}

void worker_name(const char *kind, char out[WORKER_NAME])
{
    char host[64];

    host_name(host, sizeof(host));
    snprintf(out, WORKER_NAME, "%s/%d/%s", host, (int)getpid(), kind);
}

ll_rc worker_beat(PGconn *connection, const char *name, const char *kind,
                  const char *detail, struct ll_error *err)
{
    char host[64], pid[16];
    const char *const values[] = {name, kind, host, pid, detail};

    host_name(host, sizeof(host));
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    return pg_query(
        connection,
        "with lost as (delete from landlog.worker"
        "  where seen < now() - interval '1 day' and name <> $1)"
        " insert into landlog.worker as w values"
        " ($1, $2, $3, $4::int, $5, now(), now()) on conflict (name) do update"
        " set seen = now(), detail = excluded.detail",
        values, LL_LENGTH(values), NULL, err);
}

void worker_leave(PGconn *connection, const char *name)
{
    if (pg_query(connection, "delete from landlog.worker where name = $1", &name, 1, NULL,
                 NULL) != LL_OK) { /* then it is swept out */
    }
}
