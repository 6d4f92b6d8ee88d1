/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* relay_send.c - rows of landlog.event become records of Kafka.
 *
 * The next rows are asked for as soon as the last are here, so that Postgres reads while
 * librdkafka's queue is filled. A full queue stops that until acknowledgements come.
 */
#include "core/log/relay_private.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/event_row.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    ROWS_LEAST = 16,
    ROWS_MOST = 1000,
    ROWS_BYTES = 8 * 1024 * 1024, /* what an answer should have at most */
    DRAIN_ROWS = 64,
    PLACE = 0,
    EVENT = 1
};

/* The tag of a record in flight: its sequence, and whether it ends its command. */
#define ENDS_COMMAND (UINT64_C(1) << 63)

/* $1 partitions, $2 the last sequence sent of each, $3 most rows. A lateral subquery runs
 * once for each row on its left, so rows come in order without a sort; and a limit by
 * bytes in SQL (a window over them) was measured to cost five times the rest. So `rows`
 * follows the size of what was read last. */
const char *const relay_rows_sql =
    "select c.n, " EVENT_ROW_COLUMNS
    "  from unnest($1::int[], $2::bigint[]) with ordinality c(partition, sequence, n)"
    " cross join lateral (select * from landlog.event e"
    "   where e.partition = c.partition and e.sequence > c.sequence"
    "   order by e.sequence limit $3::int) e"
    " limit $3::int";

/* ---- rows ---- */

/* Each question begins with another partition, so that one with a long backlog does not
 * keep the others waiting. The partition of a row of `result`: */
static struct relay_part *part_of(struct relay *r, int row)
{
    size_t place = (size_t)pg_int(r->result, row, PLACE) - 1;

    return &r->parts[(r->turn + place) % r->part_count];
}

ll_rc relay_ask(struct relay *r, struct ll_error *err)
{
    struct builder ids, sequences;
    char rows[16];
    const char *values[3];
    int sent;

    builder_init(&ids, 256 * 1024);
    builder_init(&sequences, 512 * 1024);
    r->asked_turn = (r->asked_turn + 1) % r->part_count;
    for (size_t i = 0; i < r->part_count; i++) {
        const struct relay_part *p = &r->parts[(r->asked_turn + i) % r->part_count];
        uint64_t after = p->is_held ? p->sent : INT64_MAX;

        builder_printf(&ids, "%c%" PRId32, i == 0 ? '{' : ',', p->id);
        builder_printf(&sequences, "%c%" PRIu64, i == 0 ? '{' : ',', after);
    }
    builder_char(&ids, '}');
    builder_char(&sequences, '}');
    snprintf(rows, sizeof(rows), "%d", r->rows_asked);
    values[0] = builder_view(&ids).ptr;
    values[1] = builder_view(&sequences).ptr;
    values[2] = rows;
    sent = PQsendQueryPrepared(r->rows, "rows", 3, values, NULL, NULL, 1);
    builder_fini(&ids);
    builder_fini(&sequences);
    if (sent != 1) return pg_fail(r->rows, NULL, "read events", err);
    r->is_asking = true;
    r->has_more = false;
    r->asked_at = clock_monotonic_us();
    return LL_OK;
}

/* What is in the answer counts as sent from here on, so that the next may be asked for
 * while it is still being given to librdkafka. */
static void count_as_sent(struct relay *r)
{
    int n = PQntuples(r->result);
    struct ll_error why;

    for (int row = 0; row < n; row++) {
        struct relay_part *p = part_of(r, row);
        uint64_t sequence = (uint64_t)pg_int(r->result, row, EVENT);

        if (!p->is_held) continue;
        if (sequence != p->sent + 1) {
            ll_fail(&why, LL_EBROKEN,
                    "%s/%u: in Postgres, event %" PRIu64 " is followed by %" PRIu64
                    ": the log has a gap",
                    p->topic->topic.name, p->number, p->sent, sequence);
            relay_break(r, p, &why);
            continue;
        }
        p->sent = sequence;
    }
    r->has_more = r->has_more || n == r->rows_asked;
}

/* Twice as many next time, if they would still be within ROWS_BYTES. */
static void adapt_rows(struct relay *r)
{
    int n = PQntuples(r->result), most = r->rows_asked * 2;
    size_t bytes = 0;

    for (int row = 0; row < n; row++)
        bytes += (size_t)PQgetlength(r->result, row, EVENT + EVENT_ROW_WIDTH - 1);
    if (n > 0 && bytes / (size_t)n > 0) {
        size_t fit = ROWS_BYTES / (bytes / (size_t)n);

        if (fit < (size_t)most) most = (int)fit;
    }
    if (most > ROWS_MOST) most = ROWS_MOST;
    r->rows_asked = most < ROWS_LEAST ? ROWS_LEAST : most;
}

ll_rc relay_receive(struct relay *r, struct ll_error *err)
{
    PGresult *last;

    LL_CHECK(r->result == NULL);
    r->result = PQgetResult(r->rows);
    while ((last = PQgetResult(r->rows)) != NULL) PQclear(last);
    r->is_asking = false;
    r->turn = r->asked_turn;
    r->row = 0;
    if (PQresultStatus(r->result) != PGRES_TUPLES_OK)
        return pg_fail(r->rows, r->result, "read events", err);
    count_as_sent(r);
    adapt_rows(r);
    return LL_OK;
}

/* ---- records ---- */

static rd_kafka_headers_t *headers_of(const struct kafka_writer *w)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(w->count);

    for (size_t i = 0; i < w->count; i++) {
        const struct kafka_header *h = &w->header[i];

        rd_kafka_header_add(headers, h->name.ptr, (ssize_t)h->name.len, h->value.ptr,
                            (ssize_t)h->value.len);
    }
    return headers;
}

ll_rc relay_produce(struct relay *r, struct relay_part *part, struct text key,
                    struct text value, int64_t time, uint64_t tag, struct ll_error *err)
{
    rd_kafka_headers_t *headers = headers_of(&r->headers);
    rd_kafka_vu_t vus[8];
    rd_kafka_error_t *error;
    rd_kafka_resp_err_t code;

    vus[0].vtype = RD_KAFKA_VTYPE_RKT;
    vus[0].u.rkt = part->topic->handle;
    vus[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    vus[1].u.i32 = (int32_t)part->number;
    vus[2].vtype = RD_KAFKA_VTYPE_VALUE;
    vus[2].u.mem.ptr = value.len > 0 ? (void *)value.ptr : NULL;
    vus[2].u.mem.size = value.len;
    vus[3].vtype = RD_KAFKA_VTYPE_KEY;
    vus[3].u.mem.ptr = key.len > 0 ? (void *)key.ptr : NULL;
    vus[3].u.mem.size = key.len;
    vus[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    vus[4].u.i64 = time;
    vus[5].vtype = RD_KAFKA_VTYPE_HEADERS;
    vus[5].u.headers = headers;
    vus[6].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    vus[6].u.i = RD_KAFKA_MSG_F_COPY;
    vus[7].vtype = RD_KAFKA_VTYPE_OPAQUE;
    vus[7].u.ptr = (void *)(uintptr_t)tag;
    error = rd_kafka_produceva(r->producer, vus, LL_LENGTH(vus));
    if (error == NULL) return LL_OK;
    code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return LL_EFULL;
    return kafka_fail(err, LL_EDATABASE, code, "write to %s/%u on Kafka",
                      part->topic->topic.name, part->number);
}

static ll_rc send_row(struct relay *r, int row, struct ll_error *err)
{
    struct relay_part *p = part_of(r, row);
    struct record record;
    uint64_t tag;

    if ((uint64_t)pg_int(r->result, row, EVENT) > p->sent) return LL_OK; /* it broke */
    arena_reset(&r->tags);
    if (!event_row_read(r->result, row, EVENT, &r->tags, &record))
        return ll_fail(err, LL_EBROKEN, "%s/%u: the tags of an event do not decode",
                       p->topic->topic.name, p->number);
    kafka_write_event(&r->headers, &record, p->epoch);
    tag = record.sequence;
    if (record.command_index + 1 == record.command_size) tag |= ENDS_COMMAND;
    return relay_produce(r, p, record.key, record.data, record.time, tag, err);
}

/* Give librdkafka the rows that are here, as far as its queue takes them. */
ll_rc relay_send(struct relay *r, struct ll_error *err)
{
    int n = PQntuples(r->result);
    ll_rc rc = LL_OK;

    while (r->row < n && rc == LL_OK) {
        /* The next rows fill the socket meanwhile, and then keep Postgres waiting. */
        if (r->is_asking && r->row % DRAIN_ROWS == 0) PQconsumeInput(r->rows);
        rc = send_row(r, r->row, err);
        if (rc != LL_OK) break;
        r->row++;
        r->progress.sent++;
    }
    if (rc != LL_OK) return rc == LL_EFULL ? LL_OK : rc;
    PQclear(r->result);
    r->result = NULL;
    return LL_OK;
}

/* ---- acknowledgements ---- */

static void keep_place(struct relay_part *p)
{
    const struct kafka_place *a = &p->acknowledged;

    if (a->sequence / PLACE_EVERY == p->last_kept / PLACE_EVERY) return;
    if (p->kept_count == RELAY_KEPT) return;
    p->kept[p->kept_count++] = *a;
    p->last_kept = a->sequence;
}

/* Our records are the only ones in the partition, side by side: one that is not beside
 * the last shows that somebody else writes. (Where a broker says only that it had the
 * record already, there is no offset; the next one shows the rest.) False when records
 * are not in order: an idempotent producer never does that, so nothing can be relied on.
 */
static bool take_place(struct relay_part *p, uint64_t sequence, int64_t offset)
{
    if (sequence != p->delivered + 1) return false;
    p->delivered = sequence;
    if (offset < 0) return true;
    if (offset < p->next_offset) return false;
    if (offset != p->next_offset && p->hole < 0) {
        p->hole = p->next_offset;
        p->hole_from = p->acknowledged;
    }
    p->next_offset = offset + 1;
    return true;
}

void relay_delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct relay *r = opaque;
    const struct relay_topic *topic = rd_kafka_topic_opaque(m->rkt);
    struct relay_part *p = topic->parts[m->partition];
    uint64_t tag = (uint64_t)(uintptr_t)m->_private;
    char why[256];

    if (r->failed != LL_OK) return;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (rd_kafka_fatal_error(rk, why, sizeof(why)) == RD_KAFKA_RESP_ERR_NO_ERROR)
            snprintf(why, sizeof(why), "%s", rd_kafka_err2str(m->err));
        r->failed =
            ll_fail(&r->failure, LL_EDATABASE, "Kafka refuses records of %s/%u: %s",
                    topic->topic.name, p->number, why);
        return;
    }
    if (tag == RELAY_FENCE_TAG) {
        p->next_offset = m->offset + 1;
        return;
    }
    r->progress.acknowledged++;
    if (!take_place(p, tag & ~ENDS_COMMAND, m->offset)) {
        r->failed = ll_fail(&r->failure, LL_EDATABASE,
                            "Kafka acknowledged records of %s/%u out of order",
                            topic->topic.name, p->number);
        return;
    }
    if (!(tag & ENDS_COMMAND) || m->offset < 0) return;
    p->acknowledged = (struct kafka_place){
        .sequence = tag & ~ENDS_COMMAND, .offset = m->offset, .epoch = p->epoch};
    keep_place(p);
}

/* ---- marks ---- */

struct mark_arrays {
    struct builder column[5];
    size_t count;
};

static void add_mark(struct mark_arrays *a, const struct relay_part *p,
                     const struct kafka_place *place, bool is_kept)
{
    char comma = a->count++ == 0 ? '{' : ',';

    builder_printf(&a->column[0], "%c%" PRId32, comma, p->id);
    builder_printf(&a->column[1], "%c%" PRIu64, comma, place->sequence);
    builder_printf(&a->column[2], "%c%" PRId64, comma, place->offset);
    builder_printf(&a->column[3], "%c%" PRIu64, comma, place->epoch);
    builder_printf(&a->column[4], "%c%c", comma, is_kept ? 't' : 'f');
}

static ll_rc write_marks(struct relay *r, struct mark_arrays *a, struct ll_error *err)
{
    const char *values[5];

    for (size_t i = 0; i < LL_LENGTH(a->column); i++) {
        builder_char(&a->column[i], '}');
        LL_CHECK(!a->column[i].full);
        values[i] = a->column[i].ptr;
    }
    return pg_query(r->writer,
                    "select landlog.mark_relayed($1::int[], $2::bigint[], $3::bigint[],"
                    " $4::bigint[], $5::boolean[])",
                    values, 5, NULL, err);
}

/* Write down what was acknowledged, having looked into holes first. */
ll_rc relay_mark(struct relay *r, struct ll_error *err)
{
    struct mark_arrays a = {0};
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < LL_LENGTH(a.column); i++)
        builder_init(&a.column[i], 16 * 1024 * 1024);
    for (size_t i = 0; i < r->part_count && rc == LL_OK; i++) {
        struct relay_part *p = &r->parts[i];

        if (!p->is_held) continue;
        if (p->hole >= 0) rc = relay_inspect(r, p, err);
        if (rc == LL_EBROKEN) {
            relay_break(r, p, err);
            rc = LL_OK;
            continue;
        }
        if (rc != LL_OK || p->acknowledged.sequence == p->marked) continue;
        for (size_t k = 0; k < p->kept_count; k++) add_mark(&a, p, &p->kept[k], true);
        add_mark(&a, p, &p->acknowledged, false);
        p->kept_count = 0;
        p->marked = p->acknowledged.sequence;
    }
    if (rc == LL_OK && a.count > 0) rc = write_marks(r, &a, err);
    for (size_t i = 0; i < LL_LENGTH(a.column); i++) builder_fini(&a.column[i]);
    r->marked_at = clock_monotonic_us();
    return rc;
}
