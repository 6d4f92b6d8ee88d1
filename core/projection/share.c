/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* share.c - see share.h. */
#include "core/projection/share.h"

#include "core/base/note.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* $1 owner, $2 schema, $3 topic, $4 the writer's pid -> state, halted, others. */
static const char beat_sql[] =
    "with me as ("
    " insert into landlog.projector select $1, $2, $3, $4::int, b.backend_start,"
    "   clock_timestamp() from pg_stat_get_activity($4::int) b"
    " on conflict (owner) do update set schema = excluded.schema,"
    "   topic = excluded.topic, pid = excluded.pid,"
    "   backend_start = excluded.backend_start, seen = excluded.seen)"
    " select g.state, g.halted is not null,"
    "  (select count(*) from landlog.projector w"
    "     join pg_stat_get_activity(w.pid) b on b.backend_start = w.backend_start"
    "    where w.schema = $2 and w.topic = $3 and w.owner <> $1"
    "      and w.seen > clock_timestamp() - interval '5 s')"
    " from landlog.generation g where g.schema = $2";

/* $1 prefix of the leases' names, $2 partitions: the numbers that nobody holds. */
static const char free_sql[] =
    "select n from generate_series(0, $2::int - 1) n where not exists"
    " (select from landlog.lease l join pg_stat_get_activity(l.pid) b"
    "    on b.backend_start = l.backend_start"
    "   where l.name = $1 || n and l.expires > clock_timestamp())"
    " order by n";

static void lease_prefix(const struct share *s, char out[LEASE_NAME])
{
    int n = snprintf(out, LEASE_NAME, "project/%s/%s/", s->generation->schema,
                     s->topic->name);

    LL_CHECK(n > 0 && n < LEASE_NAME - 8);
}

ll_rc share_open(struct share *s, const char *conninfo, const struct generation *g,
                 const struct topic *topic, size_t workers, size_t index,
                 struct ll_error *err)
{
    char name[WORKER_NAME];
    ll_rc rc;

    *s = (struct share){.generation = g, .topic = topic, .workers = workers};
    worker_name("project", name);
    snprintf(s->owner, sizeof(s->owner), "%s/%s/%s/%zu", name, g->schema, topic->name,
             index);
    rc = pg_connect(conninfo, "projector control", &s->control, err);
    if (rc != LL_OK) return rc;
    rc = pg_script(s->control,
                   "set synchronous_commit = off;"
                   "delete from landlog.projector"
                   " where seen < clock_timestamp() - interval '1 day'",
                   err);
    if (rc != LL_OK) share_close(s);
    return rc;
}

void share_close(struct share *s)
{
    const char *owner = s->owner;

    if (s->control == NULL) return;
    while (s->count > 0) lease_release(s->control, &s->held[--s->count].lease);
    if (pg_query(s->control, "delete from landlog.projector where owner = $1", &owner, 1,
                 NULL, NULL) != LL_OK) { /* nobody counts a worker without a backend */
    }
    PQfinish(s->control);
    s->control = NULL;
}

/* Say so, and hear how many share, and what has become of the generation. */
static ll_rc beat(struct share *s, PGconn *writer, struct share_news *out,
                  struct ll_error *err)
{
    char pid[16];
    const char *const values[] = {s->owner, s->generation->schema, s->topic->name, pid};
    size_t sharing = 1;
    PGresult *result;
    ll_rc rc;

    snprintf(pid, sizeof(pid), "%d", PQbackendPID(writer));
    rc = pg_query(s->control, beat_sql, values, 4, &result, err);
    if (rc != LL_OK) return rc;
    if (PQntuples(result) == 0) {
        out->is_over = true;
    } else {
        const char *state = PQgetvalue(result, 0, 0);

        out->is_over = strcmp(state, "building") != 0 && strcmp(state, "live") != 0;
        out->is_halted = PQgetvalue(result, 0, 1)[0] == 't';
        sharing += strtoul(PQgetvalue(result, 0, 2), NULL, 10);
    }
    PQclear(result);
    if (sharing < s->workers) sharing = s->workers;
    s->part = (s->topic->partitions + sharing - 1) / sharing;
    return LL_OK;
}

static void forget(struct share *s, size_t i)
{
    memmove(&s->held[i], &s->held[i + 1], (s->count - i - 1) * sizeof(s->held[0]));
    s->count--;
}

static ll_rc renew(struct share *s, struct share_news *out, struct ll_error *err)
{
    for (size_t i = s->count; i-- > 0;) {
        ll_rc rc = lease_renew(s->control, &s->held[i].lease, err);

        if (rc == LL_ECONFLICT) {
            note(NOTE_WARNING, "a partition was taken over",
                 NOTE_S("schema", s->generation->schema), NOTE_S("why", err->text));
            forget(s, i);
            out->changed = true;
        } else if (rc != LL_OK) {
            return rc;
        }
    }
    return LL_OK;
}

/* The checkpoint under our epoch, and where it is. LL_ECONFLICT: it is under a later one,
 * which means that the generation was fenced. */
static ll_rc claim(struct share *s, struct share_partition *p, struct ll_error *err)
{
    char sql[PROJECTION_SCHEMA + 256], number[16], epoch[24];
    const char *const values[] = {s->topic->name, number, epoch};
    PGresult *row;
    ll_rc rc;

    snprintf(sql, sizeof(sql),
             "update \"%s\".checkpoint set epoch = $3::bigint where topic = $1"
             " and partition = $2::int and epoch < $3::bigint"
             " returning sequence, event_id",
             s->generation->schema);
    snprintf(number, sizeof(number), "%u", p->number);
    snprintf(epoch, sizeof(epoch), "%" PRIu64, p->lease.epoch);
    rc = pg_query(s->control, sql, values, 3, &row, err);
    if (rc != LL_OK) return rc;
    if (PQntuples(row) == 0) {
        rc = ll_fail(err, LL_ECONFLICT, "%s is fenced", s->generation->schema);
    } else {
        p->sequence = strtoull(PQgetvalue(row, 0, 0), NULL, 10);
        if (!PQgetisnull(row, 0, 1))
            LL_CHECK(uuid_parse(text_of(PQgetvalue(row, 0, 1)), &p->id));
    }
    PQclear(row);
    return rc;
}

static ll_rc take(struct share *s, PGconn *writer, uint32_t number,
                  struct share_news *out, struct ll_error *err)
{
    struct share_partition *p = &s->held[s->count];
    char name[LEASE_NAME];
    ll_rc rc;

    *p = (struct share_partition){.number = number};
    lease_prefix(s, name);
    snprintf(name + strlen(name), 8, "%u", number);
    rc = lease_take(s->control, writer, name, s->owner, &p->lease, err);
    if (rc == LL_ECONFLICT) return LL_OK; /* somebody was faster */
    if (rc == LL_OK) rc = claim(s, p, err);
    if (rc != LL_OK) {
        lease_release(s->control, &p->lease);
        return rc;
    }
    s->count++;
    out->changed = true;
    return LL_OK;
}

static bool holds(const struct share *s, uint32_t number)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->held[i].number == number) return true;
    return false;
}

static ll_rc take_free(struct share *s, PGconn *writer, struct share_news *out,
                       struct ll_error *err)
{
    char prefix[LEASE_NAME], partitions[16];
    const char *const values[] = {prefix, partitions};
    PGresult *numbers;
    ll_rc rc;

    lease_prefix(s, prefix);
    snprintf(partitions, sizeof(partitions), "%u", s->topic->partitions);
    rc = pg_query(s->control, free_sql, values, 2, &numbers, err);
    if (rc != LL_OK) return rc;
    for (int i = 0; i < PQntuples(numbers) && s->count < s->part && rc == LL_OK; i++) {
        uint32_t number = (uint32_t)strtoul(PQgetvalue(numbers, i, 0), NULL, 10);

        if (!holds(s, number)) rc = take(s, writer, number, out, err);
    }
    PQclear(numbers);
    return rc;
}

ll_rc share_beat(struct share *s, PGconn *writer, bool is_idle, struct share_news *out,
                 struct ll_error *err)
{
    ll_rc rc;

    *out = (struct share_news){0};
    rc = beat(s, writer, out, err);
    if (rc != LL_OK || out->is_over || out->is_halted) return rc;
    rc = renew(s, out, err);
    while (rc == LL_OK && is_idle && s->count > s->part) {
        lease_release(s->control, &s->held[--s->count].lease);
        out->changed = true;
    }
    if (rc == LL_OK && s->count < s->part) rc = take_free(s, writer, out, err);
    return rc;
}
