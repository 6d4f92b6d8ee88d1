/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* mover_rows.c - one round: fetch, append, delete. The statements are in mover_session.c.
 */
#include "core/react/mover_private.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GATE_LOOK_US = 1000000, EACH_LEAST = 20 };

/* ---- arrays ---- */

static void add_element(struct builder *b, struct text value)
{
    builder_string(b, b->len == 0 ? "{\"" : ",\"");
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\') builder_char(b, '\\');
        builder_char(b, value.ptr[i]);
    }
    builder_char(b, '"');
}

static void add_number(struct builder *b, uint64_t n)
{
    builder_printf(b, "%c%" PRIu64, b->len == 0 ? '{' : ',', n);
}

static const char *end_array(struct builder *b)
{
    builder_string(b, b->len == 0 ? "{}" : "}");
    LL_CHECK(!b->full);
    return builder_view(b).ptr;
}

/* The partitions held, as three arrays. */
struct held_arrays {
    struct builder topics, numbers, epochs;
    const char *values[3];
};

static void held_arrays_init(struct held_arrays *a, const struct mover *m)
{
    builder_init(&a->topics, ARRAYS_MAX);
    builder_init(&a->numbers, ARRAYS_MAX);
    builder_init(&a->epochs, ARRAYS_MAX);
    for (size_t i = 0; i < m->held_count; i++) {
        add_element(&a->topics, text_of(m->held[i].topic->name));
        add_number(&a->numbers, m->held[i].number);
        add_number(&a->epochs, m->held[i].epoch);
    }
    a->values[0] = end_array(&a->topics);
    a->values[1] = end_array(&a->numbers);
    a->values[2] = end_array(&a->epochs);
}

static void held_arrays_fini(struct held_arrays *a)
{
    builder_fini(&a->topics);
    builder_fini(&a->numbers);
    builder_fini(&a->epochs);
}

/* ---- the gate ---- */

static ll_rc look_at_gate(struct mover *m, struct mover_gate *g, struct ll_error *err)
{
    char limit[24];
    const char *const values[] = {g->service, limit};
    PGresult *result;
    ll_rc rc;

    snprintf(limit, sizeof(limit), "%" PRIu64,
             settings_number(m->options.settings, SETTING_KAFKA_LAG_LIMIT));
    rc = mover_run(m, "gate", values, 2, &result, err);
    if (rc != LL_OK) return rc;
    g->is_shut = PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
    g->looked_us = clock_monotonic_us();
    PQclear(result);
    return LL_OK;
}

static ll_rc is_shut(struct mover *m, const char *service, bool *out,
                     struct ll_error *err)
{
    struct mover_gate *g = m->gates;
    ll_rc rc = LL_OK;

    while (g < m->gates + m->gate_count && strcmp(g->service, service) != 0) g++;
    if (g == m->gates + m->gate_count) {
        LL_CHECK(m->gate_count < MOVER_SERVICES);
        m->gate_count++;
        *g = (struct mover_gate){.service = service, .looked_us = -GATE_LOOK_US};
    }
    if (clock_monotonic_us() - g->looked_us >= GATE_LOOK_US) rc = look_at_gate(m, g, err);
    *out = g->is_shut;
    return rc;
}

/* ---- append ---- */

/* Rows at hand: a part of what was fetched, at most a batch. */
struct window {
    const PGresult *rows;
    int first;
    size_t count;
    struct fact facts[APPEND_BATCH];
    bool is_done[APPEND_BATCH]; /* the fact is on the log */
};

static ll_rc take_verdict(struct mover *m, const struct fact *f,
                          const struct append_answer *a, bool *is_done,
                          struct ll_error *err)
{
    switch (a->verdict) {
    case APPEND_ACCEPTED:
        atomic_fetch_add(&m->accepted, 1);
        *is_done = true;
        return LL_OK;
    case APPEND_DUPLICATE:
    case APPEND_CONFLICT:
    case APPEND_REUSED: /* with other data: the first one stands */
        atomic_fetch_add(&m->known, 1);
        *is_done = true;
        return LL_OK;
    case APPEND_CLOSED:
    case APPEND_RETRY: return LL_OK;
    case APPEND_INVALID: break;
    }
    return ll_fail(err, LL_EBROKEN,
                   "outgoing fact \"%.*s\": the log has no partition %s/%" PRIu32,
                   TEXT_ARGS(f->guard), f->record.topic->name, f->record.partition);
}

/* Those of one service, in order. */
static ll_rc append_service(struct mover *m, struct window *w, const char *service,
                            struct mover_round *out, struct ll_error *err)
{
    struct append_command commands[APPEND_BATCH];
    struct append_answer answers[APPEND_BATCH];
    size_t at[APPEND_BATCH], n = 0;
    bool shut;
    ll_rc rc = is_shut(m, service, &shut, err);

    if (rc != LL_OK || shut) {
        out->is_shut = true;
        return rc;
    }
    for (size_t i = 0; i < w->count; i++) {
        if (strcmp(w->facts[i].record.topic->service, service) != 0) continue;
        at[n] = i;
        commands[n++] = w->facts[i].command;
    }
    rc = referee_append(m->log, service, commands, n, answers, err);
    if (rc != LL_OK) return rc;
    if (m->options.wake != NULL) wake_send(m->options.wake, WAKE_APPENDED);
    for (size_t i = 0; i < n && rc == LL_OK; i++) {
        rc = take_verdict(m, &w->facts[at[i]], &answers[i], &w->is_done[at[i]], err);
        if (!w->is_done[at[i]]) out->is_shut = true;
    }
    return rc;
}

/* Each service once, in the order in which they first occur. */
static ll_rc append_window(struct mover *m, struct window *w, struct mover_round *out,
                           struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < w->count && rc == LL_OK; i++) {
        const char *service = w->facts[i].record.topic->service;
        size_t k = 0;

        while (strcmp(w->facts[k].record.topic->service, service) != 0) k++;
        if (k == i) rc = append_service(m, w, service, out, err);
    }
    return rc;
}

enum { COLUMN_HELD, COLUMN_SUBJECT, COLUMN_TYPE, COLUMN_DATA, COLUMN_CAUSE };

static struct text text_at(const PGresult *rows, int i, int column)
{
    return (struct text){PQgetvalue(rows, i, column),
                         (size_t)PQgetlength(rows, i, column)};
}

/* Facts of the rows from `first` on. One of which no event can be made ends the window:
 * those before it are appended all the same. */
static ll_rc make_window(struct mover *m, struct window *w, const PGresult *rows,
                         int first, struct ll_error *err)
{
    const struct projection *p = m->options.projection;
    ll_rc rc = LL_OK;

    arena_reset(&m->arena);
    *w = (struct window){.rows = rows, .first = first};
    while (w->count < APPEND_BATCH && first + (int)w->count < PQntuples(rows)) {
        int i = first + (int)w->count;
        struct fact_row row = {.subject = text_at(rows, i, COLUMN_SUBJECT),
                               .type = text_at(rows, i, COLUMN_TYPE),
                               .data = text_at(rows, i, COLUMN_DATA)};

        if (!PQgetisnull(rows, i, COLUMN_CAUSE))
            LL_CHECK(uuid_parse(text_at(rows, i, COLUMN_CAUSE), &row.cause));
        rc = fact_make(projection_registry(p), projection_name(p), &row, &m->arena,
                       &w->facts[w->count], err);
        if (rc != LL_OK) break;
        w->count++;
    }
    return rc;
}

/* ---- delete ---- */

struct done {
    struct builder subjects, held;
    size_t count;
};

static void add_done(struct done *d, const struct window *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (!w->is_done[i]) continue;
        add_element(&d->subjects, text_at(w->rows, w->first + (int)i, COLUMN_SUBJECT));
        add_number(&d->held, strtoull(PQgetvalue(w->rows, w->first + (int)i, COLUMN_HELD),
                                      NULL, 10));
        d->count++;
    }
}

static ll_rc delete_done(struct mover *m, struct done *d, const struct held_arrays *held,
                         struct ll_error *err)
{
    const char *values[5] = {NULL, NULL, held->values[0], held->values[1],
                             held->values[2]};

    if (d->count == 0) return LL_OK;
    values[0] = end_array(&d->subjects);
    values[1] = end_array(&d->held);
    return mover_run(m, "delete", values, LL_LENGTH(values), NULL, err);
}

/* ---- the round ---- */

static ll_rc move_rows(struct mover *m, const PGresult *rows,
                       const struct held_arrays *held, struct mover_round *out,
                       struct ll_error *err)
{
    struct window *w = ll_malloc(sizeof(*w));
    struct done done = {.count = 0};
    ll_rc rc = LL_OK, made = LL_OK, deleted;
    struct ll_error made_err;

    builder_init(&done.subjects, ARRAYS_MAX);
    builder_init(&done.held, ARRAYS_MAX);
    for (int i = 0; i < PQntuples(rows) && rc == LL_OK && made == LL_OK;
         i += (int)w->count) {
        made = make_window(m, w, rows, i, &made_err);
        rc = append_window(m, w, out, err);
        add_done(&done, w);
    }
    if (rc == LL_OK && made != LL_OK) {
        rc = made;
        *err = made_err;
    }
    deleted = delete_done(m, &done, held, rc == LL_OK ? err : NULL);
    builder_fini(&done.subjects);
    builder_fini(&done.held);
    free(w);
    return rc == LL_OK ? deleted : rc;
}

static ll_rc find_next(struct mover *m, const struct held_arrays *held,
                       struct mover_round *out, struct ll_error *err)
{
    PGresult *result;
    ll_rc rc = mover_run(m, "next", held->values, 2, &result, err);

    out->wait_ms = MOVER_POLL_MS;
    if (rc != LL_OK) return rc;
    if (!PQgetisnull(result, 0, 0)) {
        int64_t ms = strtoll(PQgetvalue(result, 0, 0), NULL, 10);

        if (ms < out->wait_ms) out->wait_ms = ms > 1 ? (int)ms : 1;
    }
    PQclear(result);
    return LL_OK;
}

ll_rc mover_move(struct mover *m, struct mover_round *out, struct ll_error *err)
{
    size_t each = MOVER_ROWS / m->held_count;
    struct held_arrays held;
    char limit[16];
    PGresult *rows;
    ll_rc rc;

    *out = (struct mover_round){.wait_ms = MOVER_POLL_MS};
    held_arrays_init(&held, m);
    snprintf(limit, sizeof(limit), "%zu", each < EACH_LEAST ? (size_t)EACH_LEAST : each);
    rc = mover_run(m, "fetch",
                   (const char *const[]){held.values[0], held.values[1], limit}, 3, &rows,
                   err);
    if (rc == LL_OK) {
        out->fetched = (size_t)PQntuples(rows);
        rc = out->fetched > 0 ? move_rows(m, rows, &held, out, err)
                              : find_next(m, &held, out, err);
        PQclear(rows);
    }
    held_arrays_fini(&held);
    return rc;
}
