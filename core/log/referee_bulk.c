/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* referee_bulk.c - many unguarded events by COPY, under the referee's lock.
 *
 * What COPY is to read is made before the lock is taken, but for the numbers that only
 * its holder knows: they are written over it then. The lock is held while the client
 * sends, unlike in append; referee_unblock() ends one that stops in the middle.
 */
#include "core/log/referee_encode.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/pg/connect.h"
#include "core/pg/copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char copy_events[] =
    "copy landlog.event (sequence, time, partition, version, id, command, body,"
    " command_index, command_size, causation, correlation, type, source, subject, key,"
    " traceparent, tags, data) from stdin (format binary)";
static const char copy_keys[] =
    "copy landlog.idempotency (key, body, sequence, time, partition)"
    " from stdin (format binary)";
static const char raise_heads[] =
    "insert into landlog.head as h (tag, sequence, partition)"
    " select t.tag, max(t.sequence), t.partition"
    "   from unnest($1::uuid[], $2::bigint[], $3::int[]) t(tag, sequence, partition)"
    "  group by t.tag, t.partition order by t.tag"
    "     on conflict (tag, partition) do update set sequence = excluded.sequence";

/* Bytes from a row's start to the values that are known last. */
enum { AT_SEQUENCE = 6, AT_TIME = AT_SEQUENCE + 12, AT_PARTITION = AT_TIME + 12 };

struct bulk_event {
    const struct record *record;
    size_t row, row_end; /* in `rows` */
    size_t partition;    /* index into bulk.partitions */
    bool is_known;       /* on the log already */
    int64_t sequence;
};

struct bulk_partition {
    int32_t id;
    int64_t last, time;
};

struct bulk {
    PGconn *connection;
    const char *service;
    struct bulk_event *events; /* of different ids */
    size_t count, known;
    struct builder rows, keys;
    struct named named;
    struct bulk_partition *partitions;
};

/* ---- before the lock ---- */

struct sorted {
    const struct record *record;
};

static int by_id_then_place(const void *a, const void *b)
{
    const struct record *x = ((const struct sorted *)a)->record;
    const struct record *y = ((const struct sorted *)b)->record;
    int order = memcmp(&x->id, &y->id, sizeof(x->id));

    return order != 0 ? order : (x > y) - (x < y);
}

/* The events in their order, without those whose id an earlier one has. */
static void drop_repeats(struct bulk *b, const struct record *events, size_t n)
{
    struct sorted *sorted = ll_malloc(n * sizeof(*sorted));
    bool *is_repeat = ll_calloc(n, sizeof(*is_repeat));

    for (size_t i = 0; i < n; i++) sorted[i].record = &events[i];
    qsort(sorted, n, sizeof(*sorted), by_id_then_place);
    for (size_t i = 1; i < n; i++)
        if (uuid_equal(&sorted[i].record->id, &sorted[i - 1].record->id))
            is_repeat[sorted[i].record - events] = true;
    b->events = ll_calloc(n, sizeof(*b->events));
    for (size_t i = 0; i < n; i++)
        if (!is_repeat[i]) b->events[b->count++].record = &events[i];
    free(is_repeat);
    free(sorted);
}

static void add_row(struct builder *rows, const struct record *r)
{
    copy_row(rows, 18);
    copy_int8(rows, 0); /* sequence, time and partition come later */
    copy_int8(rows, 0);
    copy_int4(rows, 0);
    copy_int4(rows, (int32_t)r->version);
    copy_uuid(rows, &r->id);
    copy_uuid(rows, &r->id); /* its own command */
    copy_uuid(rows, &r->body);
    copy_int2(rows, 0);
    copy_int2(rows, 1);
    copy_uuid_or_null(rows, &r->causation);
    copy_uuid_or_null(rows, &r->correlation);
    copy_bytes(rows, r->type);
    copy_bytes(rows, r->source);
    copy_bytes(rows, r->subject);
    copy_bytes(rows, r->key);
    copy_bytes_or_null(rows, r->traceparent);
    if (r->tag_count == 0)
        copy_null(rows);
    else
        copy_texts(rows, r->tags, r->tag_count);
    copy_bytes(rows, r->data);
}

static ll_rc make_rows(struct bulk *b, struct ll_error *err)
{
    for (size_t i = 0; i < b->count; i++) {
        struct bulk_event *e = &b->events[i];

        e->row = b->rows.len;
        add_row(&b->rows, e->record);
        e->row_end = b->rows.len;
        e->partition =
            named_partition(&b->named, e->record->topic->name, e->record->partition) - 1;
    }
    if (b->rows.full)
        return ll_fail(err, LL_EFULL, "bulk append: more than %d bytes at once",
                       BULK_BYTES);
    return LL_OK;
}

/* ---- the lock ---- */

enum bulk_argument { N_TOPIC, P_FIRST, KEYS = P_FIRST + NAMED_COLUMNS, ARGUMENTS };
enum bulk_column { KIND, N, ID, SEQUENCE, TIME };

static void encode_lock(const struct bulk *b, struct builder *sql)
{
    struct columns c;

    columns_init(&c, ARGUMENTS);
    named_columns(&b->named, &c, N_TOPIC, P_FIRST);
    for (size_t i = 0; i < b->count; i++)
        columns_uuid(&c, KEYS, &b->events[i].record->id);
    builder_string(sql, "begin; select kind, n, id, sequence, time"
                        " from landlog.begin_bulk(");
    pg_literal(sql, text_of(b->service));
    builder_printf(sql, ", %lld", (long long)clock_now_ms());
    columns_literals(&c, sql);
    builder_char(sql, ')');
    columns_fini(&c);
}

static int64_t number_at(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static void read_lock(struct bulk *b, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        size_t n = (size_t)number_at(result, i, N) - 1;

        if (strcmp(PQgetvalue(result, i, KIND), "known") == 0) {
            LL_CHECK(n < b->count);
            b->events[n].is_known = true;
            b->known++;
        } else {
            LL_CHECK(n < b->named.count);
            b->partitions[n] = (struct bulk_partition){(int32_t)number_at(result, i, ID),
                                                       number_at(result, i, SEQUENCE),
                                                       number_at(result, i, TIME)};
        }
    }
}

static ll_rc lock_once(struct bulk *b, struct ll_error *err)
{
    struct builder sql;
    PGresult *result;
    ll_rc rc = LL_OK;

    builder_init(&sql, REFEREE_SQL);
    encode_lock(b, &sql);
    LL_CHECK(!sql.full);
    result = PQexec(b->connection, builder_view(&sql).ptr);
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        read_lock(b, result);
    else
        rc = referee_fail(b->connection, result, "bulk append", err);
    PQclear(result);
    builder_fini(&sql);
    return rc;
}

static void roll_back(struct bulk *b)
{
    if (PQtransactionStatus(b->connection) != PQTRANS_IDLE)
        PQclear(PQexec(b->connection, "rollback"));
}

/* As in append: who holds the lock and does not let go is ended, once. */
static ll_rc lock(struct bulk *b, struct ll_error *err)
{
    ll_rc rc = lock_once(b, err);
    size_t ended;

    if (rc != LL_ETIMEOUT) return rc;
    roll_back(b);
    rc = referee_unblock(b->connection, &ended, err);
    if (rc != LL_OK) return rc;
    note(NOTE_WARNING, "the referee's lock was held", NOTE_S("service", b->service),
         NOTE_I("ended", ended));
    return lock_once(b, err);
}

/* ---- under the lock ---- */

static void number_rows(struct bulk *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct bulk_event *e = &b->events[i];
        struct bulk_partition *p = &b->partitions[e->partition];

        if (e->is_known) continue;
        e->sequence = ++p->last;
        copy_patch_int8(&b->rows, e->row + AT_SEQUENCE, e->sequence);
        copy_patch_int8(&b->rows, e->row + AT_TIME, p->time);
        copy_patch_int4(&b->rows, e->row + AT_PARTITION, p->id);
        copy_row(&b->keys, 5);
        copy_uuid(&b->keys, &e->record->id);
        copy_uuid(&b->keys, &e->record->body);
        copy_int8(&b->keys, e->sequence);
        copy_int8(&b->keys, p->time);
        copy_int4(&b->keys, p->id);
    }
}

static ll_rc send_rows(struct bulk *b, struct ll_error *err)
{
    ll_rc rc = copy_begin(b->connection, copy_events, err);

    if (rc != LL_OK) return rc;
    for (size_t i = 0, next; i < b->count; i = next) {
        /* Those that stay lie side by side: send them as one. */
        for (next = i; next < b->count && !b->events[next].is_known; next++) {
        }
        if (next > i)
            copy_put(b->connection,
                     (struct text){b->rows.ptr + b->events[i].row,
                                   b->events[next - 1].row_end - b->events[i].row});
        else
            next++;
    }
    rc = copy_end(b->connection, err);
    if (rc == LL_OK) rc = copy_begin(b->connection, copy_keys, err);
    if (rc != LL_OK) return rc;
    copy_put(b->connection, builder_view(&b->keys));
    return copy_end(b->connection, err);
}

static ll_rc send_heads(struct bulk *b, struct ll_error *err)
{
    enum { TAG, LAST, PARTITION, HEAD_COLUMNS };
    const char *values[HEAD_COLUMNS];
    struct columns c;
    ll_rc rc = LL_OK;

    columns_init(&c, HEAD_COLUMNS);
    for (size_t i = 0; i < b->count; i++) {
        const struct bulk_event *e = &b->events[i];

        for (size_t k = 0; k < e->record->tag_count && !e->is_known; k++) {
            struct uuid tag = uuid_hash(e->record->tags[k]);

            columns_uuid(&c, TAG, &tag);
            columns_integer(&c, LAST, e->sequence);
            columns_integer(&c, PARTITION, b->partitions[e->partition].id);
        }
    }
    for (size_t i = 0; i < HEAD_COLUMNS; i++) {
        builder_char(&c.column[i], '}');
        values[i] = builder_view(&c.column[i]).ptr;
    }
    if (c.column[TAG].len > 1)
        rc = pg_query(b->connection, raise_heads, values, HEAD_COLUMNS, NULL, err);
    columns_fini(&c);
    return rc;
}

static ll_rc commit(struct bulk *b, struct ll_error *err)
{
    PGresult *result = PQexec(b->connection, "commit");
    ll_rc rc = LL_OK;

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = referee_fail(b->connection, result, "bulk append", err);
    PQclear(result);
    return rc;
}

static ll_rc run(struct bulk *b, struct ll_error *err)
{
    ll_rc rc = make_rows(b, err);

    if (rc != LL_OK) return rc;
    b->partitions = ll_calloc(b->named.count, sizeof(*b->partitions));
    rc = lock(b, err);
    if (rc == LL_OK && b->known < b->count) {
        number_rows(b);
        rc = send_rows(b, err);
        if (rc == LL_OK) rc = send_heads(b, err);
        if (rc == LL_OK) rc = commit(b, err);
    }
    roll_back(b);
    return rc;
}

ll_rc referee_append_bulk(PGconn *connection, const char *service,
                          const struct record *events, size_t n, size_t *duplicates,
                          struct ll_error *err)
{
    struct bulk b = {.connection = connection, .service = service};
    ll_rc rc = LL_OK;

    *duplicates = 0;
    LL_CHECK(n <= BULK_EVENTS);
    if (n == 0) return LL_OK;
    builder_init(&b.rows, BULK_BYTES);
    builder_init(&b.keys, BULK_BYTES);
    drop_repeats(&b, events, n);
    rc = run(&b, err);
    if (rc == LL_OK) *duplicates = n - b.count + b.known;
    builder_fini(&b.rows);
    builder_fini(&b.keys);
    named_fini(&b.named);
    free(b.partitions);
    free(b.events);
    return rc;
}
