/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* referee_bulk.c - many unguarded events as one call of landlog.append_bulk(). */
#include "core/log/referee_encode.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"

#include <stdlib.h>
#include <string.h>

/* In the order of the function's arguments. */
enum bulk_column {
    N_TOPIC,
    P_FIRST,
    E_PARTITION = P_FIRST + NAMED_COLUMNS,
    E_BODY,
    E_FIRST,
    T_EVENT = E_FIRST + EVENT_COLUMNS,
    T_TAG,
    BULK_COLUMNS
};

static int by_id_then_place(const void *a, const void *b)
{
    const struct record *x = *(const struct record *const *)a;
    const struct record *y = *(const struct record *const *)b;
    int order = memcmp(&x->id, &y->id, sizeof(x->id));

    return order != 0 ? order : (x > y) - (x < y);
}

/* is_repeat[i]: an earlier one of `events` has the same id. Returns how many. */
static size_t find_repeats(const struct record *events, size_t n, bool *is_repeat)
{
    const struct record **sorted = ll_malloc(n * sizeof(*sorted));
    size_t repeats = 0;

    for (size_t i = 0; i < n; i++) sorted[i] = &events[i];
    qsort(sorted, n, sizeof(*sorted), by_id_then_place);
    for (size_t i = 1; i < n; i++) {
        if (!uuid_equal(&sorted[i]->id, &sorted[i - 1]->id)) continue;
        is_repeat[sorted[i] - events] = true;
        repeats++;
    }
    free(sorted);
    return repeats;
}

static void add_event(struct columns *c, struct named *named, const struct record *r,
                      size_t number, size_t *end)
{
    columns_integer(c, E_PARTITION,
                    (int64_t)named_partition(named, r->topic->name, r->partition));
    columns_uuid(c, E_BODY, &r->body);
    event_columns(c, E_FIRST, r, end);
    for (size_t i = 0; i < r->tag_count; i++) {
        struct uuid hash = uuid_hash(r->tags[i]);

        columns_integer(c, T_EVENT, (int64_t)number);
        columns_uuid(c, T_TAG, &hash);
    }
}

static void encode(const char *service, const struct record *events, size_t n,
                   const bool *is_repeat, struct builder *sql)
{
    struct named named = {0};
    struct columns c;
    size_t number = 0, end = 0;

    columns_init(&c, BULK_COLUMNS);
    for (size_t i = 0; i < n; i++)
        if (!is_repeat[i]) add_event(&c, &named, &events[i], ++number, &end);
    named_columns(&named, &c, N_TOPIC, P_FIRST);

    builder_string(sql, "select landlog.append_bulk(");
    pg_literal(sql, text_of(service));
    builder_printf(sql, ", %lld", (long long)clock_now_ms());
    columns_literals(&c, sql);
    builder_char(sql, ')');
    columns_fini(&c);
    named_fini(&named);
}

/* Postgres' answer: how many were there already. */
static ll_rc run(PGconn *connection, const char *sql, size_t *known, struct ll_error *err)
{
    PGresult *result = PQexec(connection, sql);
    ll_rc rc = LL_OK;

    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        rc = pg_fail(connection, result, "bulk append", err);
        if (PQstatus(connection) != CONNECTION_OK) rc = LL_EUNKNOWN;
        if (err != NULL) err->rc = rc;
    } else {
        *known = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    }
    PQclear(result);
    return rc;
}

ll_rc referee_append_bulk(PGconn *connection, const char *service,
                          const struct record *events, size_t n, size_t *duplicates,
                          struct ll_error *err)
{
    bool *is_repeat = ll_calloc(n, sizeof(*is_repeat));
    struct builder sql;
    size_t repeats, known = 0;
    ll_rc rc;

    *duplicates = 0;
    LL_CHECK(n <= BULK_EVENTS);
    builder_init(&sql, REFEREE_SQL);
    if (n == 0) {
        rc = LL_OK;
        goto out;
    }
    repeats = find_repeats(events, n, is_repeat);
    encode(service, events, n, is_repeat, &sql);
    if (sql.full)
        rc = ll_fail(err, LL_EFULL, "bulk append: the events do not fit one query");
    else
        rc = run(connection, builder_view(&sql).ptr, &known, err);
    if (rc == LL_OK) *duplicates = known + repeats;
out:
    builder_fini(&sql);
    free(is_repeat);
    return rc;
}
