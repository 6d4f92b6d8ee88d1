/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* postgres_reader.c - following partitions in landlog.event.
 *
 * One prepared statement reads all partitions, in one snapshot: whether the last event
 * seen of each is there still, and what is behind it. Its rows come in binary, and the
 * records are views into them. Between batches the same connection listens.
 */
#include "core/log/reader_store.h"

#include "core/base/clock.h"
#include "core/log/event_row.h"
#include "core/log/referee.h"
#include "core/log/wake.h"
#include "core/pg/connect.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TAGS_ARENA = 64 * 1024 * 1024 };

struct followed {
    struct log_cursor seen;
    char id[16]; /* of landlog.partition; text */
};

struct postgres_reader {
    struct log_reader base;
    const struct topic *topic;
    const char *conninfo;
    PGconn *connection;
    int event; /* raised by wake() */
    size_t count, turn;
    struct followed *followed;
    /* The last batch. */
    PGresult *result;
    struct record *records;
    size_t room;
    struct arena tags;
};

/* ---- the statement ---- */

/* $1 partition ids, $2 sequences, $3 ids and $7 times of the last events seen, $4 most
 * events, $5 most bytes, $6 service. One row at least: it says which store has the log,
 * and the first partition (its place in $1) whose last event is not there. The inner
 * LIMIT stops the loop over partitions, so that the sort is of one batch. */
static const char read_sql[] =
    "select s.store, s.broken, b.* from"
    " (select (select r.store from landlog.referee r where r.service = $6) as store,"
    "   (select min(c.n) from unnest($1::int[], $2::bigint[], $3::uuid[], $7::bigint[])"
    "      with ordinality c(partition, sequence, id, time, n)"
    "     where c.sequence > 0 and c.id <> '00000000-0000-0000-0000-000000000000'"
    "       and not exists (select from landlog.event e"
    "       where e.partition = c.partition and e.sequence = c.sequence and e.id = c.id"
    "         and c.time in (0, e.time))"
    "   ) as broken) s"
    " left join lateral"
    " (select e.n, " EVENT_ROW_COLUMNS "    from (select e.*,"
    "            sum(octet_length(e.data)) over (order by e.n, e.sequence) as bytes"
    "       from (select c.n, e.* from unnest($1::int[], $2::bigint[])"
    "               with ordinality c(partition, sequence, n)"
    "              cross join lateral (select * from landlog.event e"
    "                where e.partition = c.partition and e.sequence > c.sequence"
    "                order by e.sequence limit $4::int) e"
    "              limit $4::int) e) e"
    "   where e.bytes <= $5::bigint) b on s.broken is null"
    " order by b.n, b.sequence";

enum read_column { STORE, BROKEN, PLACE, EVENT };

/* A plan made while the table was empty would scan it for ever. */
static const char session_sql[] = "set enable_seqscan = off;"
                                  "set plan_cache_mode = force_generic_plan;"
                                  "listen " WAKE_APPENDED;

static ll_rc find_partitions(struct postgres_reader *r, struct ll_error *err)
{
    const char *const values[] = {r->topic->name};
    PGresult *result;
    ll_rc rc = pg_query(r->connection,
                        "select id from landlog.partition where topic = $1"
                        " order by number",
                        values, 1, &result, err);

    if (rc != LL_OK) return rc;
    for (size_t i = 0; i < r->count && rc == LL_OK; i++) {
        uint32_t number = r->followed[i].seen.partition;

        if ((uint32_t)PQntuples(result) != r->topic->partitions)
            rc = ll_fail(err, LL_EBROKEN, "topic \"%s\" has %d partitions, not %u",
                         r->topic->name, PQntuples(result), r->topic->partitions);
        else
            snprintf(r->followed[i].id, sizeof(r->followed[i].id), "%s",
                     PQgetvalue(result, (int)number, 0));
    }
    PQclear(result);
    return rc;
}

static void disconnect(struct postgres_reader *r)
{
    PQfinish(r->connection);
    r->connection = NULL;
}

static ll_rc connect_reader(struct postgres_reader *r, struct ll_error *err)
{
    PGresult *prepared;
    ll_rc rc;

    if (r->connection != NULL) return LL_OK;
    rc = pg_connect(r->conninfo, "reader", &r->connection, err);
    if (rc == LL_OK) rc = pg_script(r->connection, session_sql, err);
    if (rc == LL_OK) rc = find_partitions(r, err);
    if (rc == LL_OK) {
        prepared = PQprepare(r->connection, "read", read_sql, 0, NULL);
        if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
            rc = pg_fail(r->connection, prepared, "prepare the reader", err);
        PQclear(prepared);
    }
    if (rc != LL_OK) disconnect(r);
    return rc;
}

/* ---- one batch ---- */

/* Where everybody is, beginning with another partition each time, so that one with a
 * long backlog does not keep the others from being read. */
static PGresult *run_read(struct postgres_reader *r, size_t max_events)
{
    struct builder ids, sequences, uuids, times;
    char limit[24], bytes[24], uuid[UUID_TEXT];
    const char *values[7];
    PGresult *result;

    builder_init(&ids, 64 * 1024);
    builder_init(&sequences, 64 * 1024);
    builder_init(&uuids, 64 * 1024);
    builder_init(&times, 64 * 1024);
    for (size_t i = 0; i < r->count; i++) {
        const struct followed *f = &r->followed[(r->turn + i) % r->count];
        char comma = i == 0 ? '{' : ',';

        builder_printf(&ids, "%c%s", comma, f->id);
        builder_printf(&sequences, "%c%" PRIu64, comma, f->seen.sequence);
        uuid_print(&f->seen.id, uuid);
        builder_printf(&uuids, "%c%s", comma, uuid);
        builder_printf(&times, "%c%" PRId64, comma, f->seen.time);
    }
    builder_char(&ids, '}');
    builder_char(&sequences, '}');
    builder_char(&uuids, '}');
    builder_char(&times, '}');
    snprintf(limit, sizeof(limit), "%zu", max_events);
    snprintf(bytes, sizeof(bytes), "%d", READER_BYTES);
    values[0] = builder_view(&ids).ptr;
    values[1] = builder_view(&sequences).ptr;
    values[2] = builder_view(&uuids).ptr;
    values[3] = limit;
    values[4] = bytes;
    values[5] = r->topic->service;
    values[6] = builder_view(&times).ptr;
    result = PQexecPrepared(r->connection, "read", 7, values, NULL, NULL, 1);
    builder_fini(&ids);
    builder_fini(&sequences);
    builder_fini(&uuids);
    builder_fini(&times);
    return result;
}

/* Take one row as the next event of its partition, or say why it is not. */
static ll_rc take_row(struct postgres_reader *r, int row, struct ll_error *err)
{
    size_t place = (size_t)pg_int(r->result, row, PLACE) - 1;
    struct followed *f = &r->followed[(r->turn + place) % r->count];
    struct record *record = &r->records[row];

    LL_CHECK(place < r->count);
    if (!event_row_read(r->result, row, EVENT, &r->tags, record))
        return ll_fail(err, LL_EBROKEN, "%s/%u: the tags of an event do not decode",
                       r->topic->name, f->seen.partition);
    if (record->sequence != f->seen.sequence + 1)
        return ll_fail(
            err, LL_EBROKEN,
            "%s/%u: event %" PRIu64 " is followed by %" PRIu64 ": the log has a gap",
            r->topic->name, f->seen.partition, f->seen.sequence, record->sequence);
    record->topic = r->topic;
    record->partition = f->seen.partition;
    f->seen.sequence = record->sequence;
    f->seen.id = record->id;
    f->seen.time = record->time;
    return LL_OK;
}

static ll_rc take_rows(struct postgres_reader *r, struct log_batch *out,
                       struct ll_error *err)
{
    size_t rows = (size_t)PQntuples(r->result);
    const struct followed *f;
    ll_rc rc = LL_OK;

    if (!text_is(pg_bytes(r->result, 0, STORE), "postgres"))
        return ll_fail(err, LL_ECONFLICT, "topic \"%s\" is on another store now: %.*s",
                       r->topic->name, TEXT_ARGS(pg_bytes(r->result, 0, STORE)));
    if (!PQgetisnull(r->result, 0, BROKEN)) {
        size_t place = (size_t)pg_int(r->result, 0, BROKEN) - 1;

        f = &r->followed[(r->turn + place) % r->count];
        return ll_fail(err, LL_EBROKEN,
                       "%s/%u: event %" PRIu64 " that was seen is not there: the log was "
                       "restored or replaced",
                       r->topic->name, f->seen.partition, f->seen.sequence);
    }
    if (PQgetisnull(r->result, 0, PLACE)) return LL_OK;
    if (rows > r->room) {
        r->room = rows;
        r->records = ll_realloc(r->records, rows * sizeof(*r->records));
    }
    for (size_t i = 0; i < rows && rc == LL_OK; i++) rc = take_row(r, (int)i, err);
    *out = (struct log_batch){.records = r->records, .count = rows};
    return rc;
}

static ll_rc read_batch(struct postgres_reader *r, size_t max_events,
                        struct log_batch *out, struct ll_error *err)
{
    ll_rc rc = connect_reader(r, err);

    if (rc != LL_OK) return rc;
    PQclear(r->result);
    arena_reset(&r->tags);
    r->result = run_read(r, max_events);
    if (PQresultStatus(r->result) != PGRES_TUPLES_OK) {
        rc = pg_fail(r->connection, r->result, "read the log", err);
        disconnect(r);
        return rc;
    }
    rc = take_rows(r, out, err);
    r->turn = (r->turn + 1) % r->count;
    return rc;
}

/* ---- waiting ---- */

/* True when something was appended since this was last asked. */
static bool was_notified(struct postgres_reader *r)
{
    bool any = false;

    PQconsumeInput(r->connection);
    for (PGnotify *n; (n = PQnotifies(r->connection)) != NULL; any = true) PQfreemem(n);
    return any;
}

/* Until a notification, a wake, or `ms` have passed. True after a wake. */
static bool wait_for_more(struct postgres_reader *r, int ms)
{
    struct pollfd polled[] = {{.fd = PQsocket(r->connection), .events = POLLIN},
                              {.fd = r->event, .events = POLLIN}};
    uint64_t count;

    if (was_notified(r)) return false; /* it came with the rows that were just read */
    if (poll(polled, LL_LENGTH(polled), ms) <= 0 || !(polled[1].revents & POLLIN))
        return false;
    return read(r->event, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

static ll_rc next(struct log_reader *base, size_t max_events, int timeout_ms,
                  struct log_batch *out, struct ll_error *err)
{
    struct postgres_reader *r = (struct postgres_reader *)base;
    int64_t end = clock_monotonic_us() + (int64_t)timeout_ms * 1000, left;

    LL_CHECK(max_events >= 1 && max_events <= READER_EVENTS);
    *out = (struct log_batch){0};
    for (;;) {
        struct log_batch batch = {0};
        ll_rc rc = read_batch(r, max_events, &batch, err);

        if (rc != LL_OK) return rc;
        *out = batch;
        left = (end - clock_monotonic_us() + 999) / 1000;
        if (batch.count > 0 || left <= 0) return LL_OK;
        if (wait_for_more(r, left < WAKE_POLL_MS ? (int)left : WAKE_POLL_MS))
            return LL_OK;
    }
}

static ll_rc end_of(struct log_reader *base, uint32_t partition, uint64_t *sequence,
                    struct ll_error *err)
{
    struct postgres_reader *r = (struct postgres_reader *)base;
    char number[16];
    const char *const values[] = {r->topic->name, number};
    PGresult *result;
    ll_rc rc = connect_reader(r, err);

    if (rc != LL_OK) return rc;
    snprintf(number, sizeof(number), "%u", partition);
    rc = pg_query(r->connection,
                  "select e.sequence from landlog.event e where e.partition ="
                  " (select id from landlog.partition where topic = $1 and number = $2)"
                  " order by e.sequence desc limit 1",
                  values, 2, &result, err);
    if (rc != LL_OK) {
        disconnect(r);
        return rc;
    }
    *sequence = PQntuples(result) == 1 ? strtoull(PQgetvalue(result, 0, 0), NULL, 10) : 0;
    PQclear(result);
    return LL_OK;
}

static void wake(struct log_reader *base)
{
    struct postgres_reader *r = (struct postgres_reader *)base;
    uint64_t one = 1;

    LL_CHECK(write(r->event, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

static void close_reader(struct log_reader *base)
{
    struct postgres_reader *r = (struct postgres_reader *)base;

    PQclear(r->result);
    disconnect(r);
    close(r->event);
    arena_fini(&r->tags);
    free(r->records);
    free(r->followed);
    free(r);
}

static const struct log_reader_api api = {next, end_of, wake, close_reader};

ll_rc postgres_reader_open(const struct settings *settings, const struct topic *topic,
                           const struct log_cursor *cursors, size_t n,
                           struct log_reader **out, struct ll_error *err)
{
    struct postgres_reader *r = ll_calloc(1, sizeof(*r));
    ll_rc rc;

    LL_CHECK(n >= 1);
    *r = (struct postgres_reader){.base = {&api},
                                  .topic = topic,
                                  .conninfo = settings_string(settings, SETTING_POSTGRES),
                                  .event = eventfd(0, EFD_CLOEXEC),
                                  .count = n};
    LL_CHECK(r->event >= 0);
    arena_init(&r->tags, TAGS_ARENA);
    r->followed = ll_calloc(n, sizeof(*r->followed));
    for (size_t i = 0; i < n; i++) {
        LL_CHECK(cursors[i].partition < topic->partitions);
        r->followed[i].seen = cursors[i];
    }
    rc = connect_reader(r, err);
    if (rc != LL_OK) {
        close_reader(&r->base);
        return rc;
    }
    *out = &r->base;
    return LL_OK;
}
