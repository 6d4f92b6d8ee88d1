/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_import.c - see kafka_import.h. The columns are those of landlog.event. */
#include "core/log/kafka_import.h"

#include "core/log/kafka_places.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 18, TEXT_OID = 25 };

static const char begin_sql[] = "begin;"
                                "create temporary table if not exists landlog_import"
                                " (like landlog.event) on commit delete rows";
static const char copy_sql[] =
    "copy landlog_import (sequence, time, partition, version, id, command, body,"
    " command_index, command_size, causation, correlation, type, source, subject, key,"
    " traceparent, tags, data) from stdin (format binary)";

static const char import_sql[] = "select landlog.import_events($1, $2, $3, $4, $5)";
static const char copy_back_sql[] = "select landlog.copy_back($1)";

void kafka_import_init(struct kafka_import *m, PGconn *connection, int32_t partition,
                       int64_t horizon, bool is_copy)
{
    *m = (struct kafka_import){.connection = connection,
                               .partition = partition,
                               .horizon = horizon,
                               .is_copy = is_copy};
    builder_init(&m->rows, IMPORT_BYTES + COMMAND_EVENTS * (RECORD_DATA + 64 * 1024));
}

void kafka_import_fini(struct kafka_import *m)
{
    builder_fini(&m->rows);
}

/* ---- one row ---- */

static void put_int(struct builder *b, int64_t value, size_t bytes)
{
    char out[8];

    for (size_t i = 0; i < bytes; i++)
        out[i] = (char)((uint64_t)value >> (8 * (bytes - 1 - i)));
    builder_add(b, out, bytes);
}

static void put_int_field(struct builder *b, int64_t value, size_t bytes)
{
    put_int(b, (int64_t)bytes, 4);
    put_int(b, value, bytes);
}

static void put_text_field(struct builder *b, struct text t)
{
    put_int(b, (int64_t)t.len, 4);
    if (t.len > 0) builder_add(b, t.ptr, t.len);
}

static void put_uuid_field(struct builder *b, const struct uuid *u, bool nil_is_null)
{
    if (nil_is_null && uuid_is_nil(u))
        put_int(b, -1, 4);
    else
        put_text_field(b, (struct text){(const char *)u->bytes, sizeof(u->bytes)});
}

/* text[]: dimensions, whether there are nulls, the type; length and lower bound of the
 * one dimension; the elements. Null where there is no tag, as append() has it. */
static void put_tags_field(struct builder *b, const struct text *tags, size_t n)
{
    size_t bytes = 20;

    if (n == 0) {
        put_int(b, -1, 4);
        return;
    }
    for (size_t i = 0; i < n; i++) bytes += 4 + tags[i].len;
    put_int(b, (int64_t)bytes, 4);
    put_int(b, 1, 4);
    put_int(b, 0, 4);
    put_int(b, TEXT_OID, 4);
    put_int(b, (int64_t)n, 4);
    put_int(b, 1, 4);
    for (size_t i = 0; i < n; i++) put_text_field(b, tags[i]);
}

static void put_row(struct kafka_import *m, const struct record *r)
{
    struct builder *b = &m->rows;

    put_int(b, COLUMNS, 2);
    put_int_field(b, (int64_t)r->sequence, 8);
    put_int_field(b, r->time, 8);
    put_int_field(b, m->partition, 4);
    put_int_field(b, r->version, 4);
    put_uuid_field(b, &r->id, false);
    put_uuid_field(b, &r->command, false);
    put_uuid_field(b, &r->body, false);
    put_int_field(b, r->command_index, 2);
    put_int_field(b, r->command_size, 2);
    put_uuid_field(b, &r->causation, true);
    put_uuid_field(b, &r->correlation, true);
    put_text_field(b, r->type);
    put_text_field(b, r->source);
    put_text_field(b, r->subject);
    put_text_field(b, r->key);
    if (r->traceparent.len > 0)
        put_text_field(b, r->traceparent);
    else
        put_int(b, -1, 4);
    put_tags_field(b, r->tags, r->tag_count);
    put_text_field(b, r->data);
}

void kafka_import_add(struct kafka_import *m, const struct record *r,
                      const struct kafka_origin *origin)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";

    if (m->events == 0) builder_add(&m->rows, head, sizeof(head));
    put_row(m, r);
    m->events++;
    m->is_whole = r->command_index + 1 == r->command_size;
    if (!m->is_whole) return;
    m->end =
        (struct kafka_place){r->sequence, r->id, origin->offset, origin->epoch, r->time};
}

bool kafka_import_is_full(const struct kafka_import *m)
{
    if (!m->is_whole && !m->is_copy) return false;
    return m->events >= IMPORT_EVENTS || m->rows.len >= IMPORT_BYTES;
}

/* ---- a flush ---- */

static ll_rc copy_rows(struct kafka_import *m, struct ll_error *err)
{
    PGresult *result = PQexec(m->connection, copy_sql);
    bool ok = PQresultStatus(result) == PGRES_COPY_IN;
    ll_rc rc = LL_OK;

    put_int(&m->rows, -1, 2);
    LL_CHECK(!m->rows.full && m->rows.len < INT32_MAX);
    if (ok)
        ok = PQputCopyData(m->connection, m->rows.ptr, (int)m->rows.len) == 1 &&
             PQputCopyEnd(m->connection, NULL) == 1;
    if (ok) {
        PQclear(result);
        result = PQgetResult(m->connection);
        ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    }
    if (!ok) rc = pg_fail(m->connection, result, "copy events from Kafka", err);
    do PQclear(result);
    while ((result = PQgetResult(m->connection)) != NULL);
    return rc;
}

/* What the function raises by itself says that the two logs differ. */
static ll_rc fail(const struct kafka_import *m, const PGresult *result,
                  struct ll_error *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (state != NULL && strcmp(state, "P0001") == 0)
        return ll_fail(err, LL_EBROKEN, "%s",
                       PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    return pg_fail(m->connection, result, "take events from Kafka", err);
}

static ll_rc call(struct kafka_import *m, struct ll_error *err)
{
    char partition[16], horizon[24], place[24], epoch[24];
    bool is_kept = m->end.sequence / PLACE_EVERY > m->kept / PLACE_EVERY;
    const char *const values[] = {partition, horizon, place, epoch, is_kept ? "t" : "f"};
    PGresult *result;
    ll_rc rc = LL_OK;

    snprintf(partition, sizeof(partition), "%" PRId32, m->partition);
    snprintf(horizon, sizeof(horizon), "%" PRId64, m->horizon);
    snprintf(place, sizeof(place), "%" PRId64, m->end.offset);
    snprintf(epoch, sizeof(epoch), "%" PRIu64, m->end.epoch);
    result = PQexecParams(m->connection, m->is_copy ? copy_back_sql : import_sql,
                          m->is_copy ? 1 : 5, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        m->added += strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        if (is_kept) m->kept = m->end.sequence;
    } else {
        rc = fail(m, result, err);
    }
    PQclear(result);
    return rc;
}

ll_rc kafka_import_flush(struct kafka_import *m, struct ll_error *err)
{
    ll_rc rc;

    if (m->events == 0) return LL_OK;
    LL_CHECK(m->is_whole || m->is_copy);
    rc = pg_script(m->connection, begin_sql, err);
    if (rc == LL_OK) rc = copy_rows(m, err);
    if (rc == LL_OK) rc = call(m, err);
    if (rc == LL_OK) rc = pg_script(m->connection, "commit", err);
    if (rc != LL_OK) PQclear(PQexec(m->connection, "rollback"));
    builder_reset(&m->rows);
    m->events = 0;
    return rc;
}
