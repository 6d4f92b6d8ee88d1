/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* swap.c - one generation in the place of another, and the end of those that nobody uses.
 */
#include "core/projection/generation_row.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/pg/connect.h"
#include "core/projection/handler.h"
#include "core/projection/outgoing.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SWAP_WAIT_MS = 2000, SWAP_POLL_MS = 10 };

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Has `g` passed what `other` has, on each partition? */
static ll_rc covers(PGconn *connection, const struct generation *g,
                    const struct generation *other, bool *out, struct ll_error *err)
{
    struct builder sql;
    PGresult *result;
    ll_rc rc;

    builder_init(&sql, 1024);
    builder_printf(&sql,
                   "select from \"%s\".checkpoint o left join \"%s\".checkpoint n"
                   " using (topic, partition)"
                   " where o.sequence > coalesce(n.sequence, 0) limit 1",
                   other->schema, g->schema);
    rc = pg_query(connection, builder_view(&sql).ptr, NULL, 0, &result, err);
    builder_fini(&sql);
    if (rc != LL_OK) return rc;
    *out = PQntuples(result) == 0;
    PQclear(result);
    return LL_OK;
}

/* READ COMMITTED: each look is a new snapshot. */
static ll_rc wait_until_covers(PGconn *connection, const struct generation *g,
                               const struct generation *other, int64_t wait_ms,
                               struct ll_error *err)
{
    int64_t end = clock_monotonic_us() + wait_ms * 1000;
    bool does = false;

    for (;;) {
        ll_rc rc = covers(connection, g, other, &does, err);

        if (rc != LL_OK || does) return rc;
        if (clock_monotonic_us() >= end)
            return ll_fail(err, LL_ETIMEOUT, "%s has not caught up with %s", g->schema,
                           other->schema);
        sleep_ms(SWAP_POLL_MS);
    }
}

/* Take the place of `was`, of the same identity: its checkpoints stand still from the
 * lock on, and after the fence nobody can move them. */
static ll_rc replace(PGconn *connection, const struct projection *p,
                     const struct generation *g, const struct generation *was,
                     struct ll_error *err)
{
    ll_rc rc = generation_run(connection, err,
                              "set local lock_timeout = '1s';"
                              "lock table \"%s\".checkpoint in share row exclusive mode",
                              was->schema);

    /* a flight that hangs (its process stopped) holds the lock: until its lease is taken
     * over there is no swap */
    if (rc == LL_EDATABASE && strstr(err->text, "(55P03)") != NULL)
        err->rc = rc = LL_ETIMEOUT;
    if (rc == LL_OK) rc = wait_until_covers(connection, g, was, SWAP_WAIT_MS, err);
    if (rc == LL_OK)
        rc = generation_run(connection, err,
                            "update \"%s\".checkpoint set epoch = " GENERATION_FENCED,
                            was->schema);
    if (rc == LL_OK && p->is_reactor) rc = outgoing_prune(connection, p, g, err);
    if (rc == LL_OK) rc = generation_set_state(connection, was, "old", err);
    return rc;
}

/* The one whose place it takes, through `was`; LL_ENOTFOUND when there is none. `ours`:
 * of the same identity; else the newest of another. */
static ll_rc find_live(PGconn *connection, const struct projection *p, bool ours,
                       struct generation *was, struct ll_error *err)
{
    PGresult *rows;
    ll_rc rc = generation_rows(connection, p,
                               ours ? "g.state = 'live' and g.identity = $2::uuid"
                                    : "g.state = 'live' and g.identity <> $2::uuid"
                                      " order by g.number desc limit 1",
                               &rows, err);

    if (rc != LL_OK) return rc;
    if (PQntuples(rows) > 0)
        generation_read(rows, 0, was);
    else
        rc = LL_ENOTFOUND;
    PQclear(rows);
    return rc;
}

static ll_rc check_building(PGconn *connection, const struct projection *p,
                            const struct generation *g, struct ll_error *err)
{
    PGresult *rows;
    ll_rc rc = generation_rows(connection, p, "g.state = 'building'", &rows, err);
    bool found = false;

    if (rc != LL_OK) return rc;
    for (int i = 0; i < PQntuples(rows); i++)
        found = found || strcmp(PQgetvalue(rows, i, 1), g->schema) == 0;
    PQclear(rows);
    if (found) return LL_OK;
    return ll_fail(err, LL_ECONFLICT, "%s is not being built any more", g->schema);
}

static ll_rc swap(PGconn *connection, const struct projection *p,
                  const struct generation *g, struct ll_error *err)
{
    struct generation was;
    ll_rc rc = check_building(connection, p, g, err);

    if (rc == LL_OK) rc = find_live(connection, p, true, &was, err);
    if (rc == LL_OK) {
        rc = replace(connection, p, g, &was, err);
    } else if (rc == LL_ENOTFOUND) {
        rc = find_live(connection, p, false, &was, err);
        if (rc == LL_OK) rc = wait_until_covers(connection, g, &was, 0, err);
        if (rc == LL_ENOTFOUND) rc = LL_OK;
    }
    return rc == LL_OK ? generation_set_state(connection, g, "live", err) : rc;
}

/* A flight whose process was stopped holds its locks for ever. Where its lease has
 * expired, end its backend, as the next holder of the lease would. */
static ll_rc end_stuck(PGconn *connection, const struct projection *p,
                       struct ll_error *err)
{
    const char *name = p->name;

    return pg_query(connection,
                    "select pg_terminate_backend(l.pid, 2000)"
                    " from landlog.generation g join landlog.lease l"
                    "   on starts_with(l.name, 'project/' || g.schema || '/')"
                    " join pg_stat_get_activity(l.pid) b"
                    "   on b.backend_start = l.backend_start"
                    " where g.projection = $1 and l.expires < clock_timestamp()",
                    &name, 1, NULL, err);
}

ll_rc generation_swap(PGconn *connection, const struct projection *p,
                      const struct generation *g, struct ll_error *err)
{
    ll_rc rc = generation_begin(connection, p, err);

    if (rc == LL_OK) rc = swap(connection, p, g, err);
    rc = generation_end(connection, rc, err);
    if (rc == LL_ETIMEOUT && end_stuck(connection, p, NULL) != LL_OK)
        note(NOTE_WARNING, "stuck projectors are not ended");
    if (rc == LL_OK)
        note(NOTE_INFO, "a generation is live", NOTE_S("projection", p->name),
             NOTE_S("schema", g->schema));
    return rc;
}

/* ---- dropping ---- */

/* Rows, tables, and the leases that go by its name. */
static ll_rc drop(PGconn *connection, const struct generation *g, struct ll_error *err)
{
    ll_rc rc = generation_run(connection, err,
                              "set local lock_timeout = '2s';"
                              "drop schema \"%s\" cascade;"
                              "delete from landlog.lease where starts_with(name,"
                              " 'project/%s/')",
                              g->schema, g->schema);

    return rc == LL_OK ? generation_set_state(connection, g, "dropped", err) : rc;
}

static ll_rc drop_rows(PGconn *connection, const struct projection *p, const char *where,
                       const struct generation *keep, struct ll_error *err)
{
    PGresult *rows;
    ll_rc rc = generation_rows(connection, p, where, &rows, err);

    if (rc != LL_OK) return rc;
    for (int i = 0; i < PQntuples(rows) && rc == LL_OK; i++) {
        struct generation g;

        generation_read(rows, i, &g);
        if (keep != NULL && g.number == keep->number) continue;
        rc = drop(connection, &g, err);
        if (rc == LL_OK)
            note(NOTE_INFO, "a generation is dropped", NOTE_S("projection", p->name),
                 NOTE_S("schema", g.schema));
    }
    PQclear(rows);
    return rc;
}

ll_rc generation_drop_others(PGconn *connection, const struct projection *p,
                             const struct generation *keep, struct ll_error *err)
{
    ll_rc rc = end_stuck(connection, p, err);

    if (rc == LL_OK) rc = generation_begin(connection, p, err);
    if (rc == LL_OK)
        rc = drop_rows(connection, p, "g.identity = $2::uuid and g.state <> 'dropped'",
                       keep, err);
    return generation_end(connection, rc, err);
}

/* Live ones of binaries that are gone, and what they left half built. */
static ll_rc retire(PGconn *connection, const struct projection *p,
                    const struct generation *live, struct ll_error *err)
{
    char number[16];
    const char *const values[] = {p->name, number};

    snprintf(number, sizeof(number), "%u", live->number);
    return pg_query(connection,
                    "update landlog.generation g set state = 'old',"
                    " changed = clock_timestamp()"
                    " where g.projection = $1 and g.number < $2::int"
                    "   and (g.state = 'live' or"
                    "        g.state = 'building' and g.builder = 'project')"
                    "   and g.changed < clock_timestamp() - interval '60 s'"
                    "   and not exists (select from landlog.projector w"
                    "     where w.schema = g.schema"
                    "       and w.seen > clock_timestamp() - interval '60 s')",
                    values, 2, NULL, err);
}

ll_rc generation_sweep(PGconn *connection, const struct projection *p,
                       const struct generation *live, struct ll_error *err)
{
    ll_rc rc = generation_begin(connection, p, err);

    _Static_assert(PROJECTOR_LOST_S == 60 && GENERATION_KEEP_MS == 60000,
                   "the statements here say 60 s");
    if (rc == LL_OK) rc = retire(connection, p, live, err);
    if (rc == LL_OK)
        rc = drop_rows(
            connection, p,
            "g.state = 'old' and g.changed < clock_timestamp() - interval '60 s'"
            " and g.number < (select max(n.number) from landlog.generation n"
            "   where n.projection = $1 and n.state = 'old')"
            " and pg_try_advisory_xact_lock("
            "   hashtext('landlog/' || g.projection), g.number)",
            NULL, err);
    return generation_end(connection, rc, err);
}
