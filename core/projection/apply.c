/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* apply.c - see apply.h. Each query of the pipeline is a step; results come in the order
 * of the steps, so the first that fails tells which event it was. */
#include "core/projection/applier.h"

#include "core/base/clock.h"
#include "core/event/codec.h"
#include "core/pg/connect.h"
#include "core/projection/bind.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { READ_EVERY = 256 }; /* steps sent between two looks at what has come back */

PGconn *applier_connection(struct applier *a)
{
    return a->connection;
}

size_t applier_flying(const struct applier *a)
{
    return a->flying;
}

/* ---- sending ---- */

static ll_rc lost(struct applier *a, const char *what, struct ll_error *err)
{
    return pg_fail(a->connection, NULL, what, err);
}

static ll_rc send_step(struct applier *a, struct flight *f, struct flight_step step,
                       const char *name, int n, const struct bound *b,
                       struct ll_error *err)
{
    if (f->step_count == f->step_room) {
        f->step_room = f->step_room ? 2 * f->step_room : 1024;
        f->steps = ll_realloc(f->steps, f->step_room * sizeof(*f->steps));
    }
    f->steps[f->step_count++] = step;
    if (PQsendQueryPrepared(a->connection, name, n, n ? b->values : NULL,
                            n ? b->lengths : NULL, n ? b->formats : NULL, 0) != 1)
        return lost(a, "send", err);
    /* The server stops reading when nobody takes its answers. */
    if (f->step_count % READ_EVERY == 0 && PQconsumeInput(a->connection) != 1)
        return lost(a, "receive", err);
    return LL_OK;
}

static ll_rc send_move(struct applier *a, struct flight *f, const struct apply_move *m,
                       struct ll_error *err)
{
    struct bound b;
    const int lengths[] = {(int)strlen(m->topic->name), 4, 8, 8, 8, 16, 8};

    for (size_t i = 0; i < LL_LENGTH(lengths); i++) {
        b.values[i] = b.room[i];
        b.lengths[i] = lengths[i];
        b.formats[i] = 1;
    }
    b.values[0] = m->topic->name;
    bind_int4((int32_t)m->partition, b.room[1]);
    bind_int8((int64_t)m->was, b.room[2]);
    bind_int8((int64_t)m->epoch, b.room[3]);
    bind_int8((int64_t)m->is, b.room[4]);
    memcpy(b.room[5], m->id.bytes, 16);
    bind_int8(m->time, b.room[6]);
    return send_step(a, f, (struct flight_step){APPLY_NO_EVENT, 0}, "advance",
                     (int)LL_LENGTH(lengths), &b, err);
}

/* "event 0190... (social.friendship-requested, social/3 at 1042)" */
static void name_event(const struct record *r, struct ll_error *err)
{
    char id[UUID_TEXT];

    uuid_print(&r->id, id);
    ll_error_prefix(err, "event %s (%.*s, %s/%u at %" PRIu64 ")", id, TEXT_ARGS(r->type),
                    r->topic->name, r->partition, r->sequence);
}

static const struct prepared_handler *find_handler(const struct applier *a,
                                                   struct text type)
{
    for (size_t i = 0; i < a->p->handler_count; i++)
        if (text_equal(a->handlers[i].handler->type, type)) return &a->handlers[i];
    return NULL;
}

static int32_t add_event(struct flight *f, const struct prepared_handler *h,
                         const struct record *r)
{
    if (f->event_count == f->event_room) {
        f->event_room = f->event_room ? 2 * f->event_room : 256;
        f->events = ll_realloc(f->events, f->event_room * sizeof(*f->events));
    }
    f->events[f->event_count] =
        (struct flight_event){h, r->topic, r->partition, r->sequence, r->id};
    return (int32_t)f->event_count++;
}

static ll_rc send_statements(struct applier *a, struct flight *f,
                             const struct prepared_handler *h, const struct record *r,
                             const struct codec_value *members, struct ll_error *err)
{
    struct bind_event_memory memory = {.arena = &a->arena, .blobs = a->p->blobs};
    int32_t event = add_event(f, h, r);
    struct bound b;

    for (size_t i = 0; i < h->handler->statement_count; i++) {
        const struct handler_statement *s = &h->handler->statements[i];
        ll_rc rc = bind_event(s, h->statements[i].types, r, members, &memory, &b, err);

        if (rc != LL_OK) {
            ll_error_prefix(err, "%s:%u", a->p->paths[SQL_FILE_APPLY], s->text->line);
            name_event(r, err);
            /* a disk that gives no answer is passing trouble */
            return rc == LL_ESYSTEM ? LL_EDATABASE : LL_EBROKEN;
        }
        rc = send_step(a, f, (struct flight_step){event, (uint32_t)i},
                       h->statements[i].name, (int)s->text->parameter_count, &b, err);
        if (rc != LL_OK) return rc;
    }
    return LL_OK;
}

/* An event of a type that the projection does nothing about must be known all the same:
 * an unknown one is newer than this binary, or damaged. */
static ll_rc send_event(struct applier *a, struct flight *f, const struct record *r,
                        struct ll_error *err)
{
    const struct prepared_handler *h = find_handler(a, r->type);
    struct codec_value members[HANDLER_MEMBERS];
    struct text data;
    ll_rc rc;

    if (h == NULL && registry_find(a->p->registry, r->type, r->version) != NULL)
        return LL_OK;
    arena_reset(&a->arena);
    rc = event_newest(a->p->registry, r, &a->arena, &data, err);
    if (rc == LL_OK && h == NULL) return LL_OK;
    if (rc == LL_OK)
        rc = codec_members(data, h->handler->members, h->handler->member_count, members,
                           err);
    if (rc != LL_OK) {
        name_event(r, err);
        return LL_EBROKEN;
    }
    return send_statements(a, f, h, r, members, err);
}

ll_rc applier_send(struct applier *a, const struct record *records, size_t n,
                   const struct apply_move *moves, size_t move_count,
                   struct ll_error *err)
{
    struct flight *f = &a->flights[(a->oldest + a->flying) % APPLY_FLIGHTS];
    const struct flight_step frame = {APPLY_NO_EVENT, 0};
    ll_rc rc;

    LL_CHECK(a->flying < APPLY_FLIGHTS);
    f->event_count = f->step_count = f->answered = 0;
    rc = send_step(a, f, frame, "begin", 0, NULL, err);
    for (size_t i = 0; i < move_count && rc == LL_OK; i++)
        rc = send_move(a, f, &moves[i], err);
    for (size_t i = 0; i < n && rc == LL_OK; i++) rc = send_event(a, f, &records[i], err);
    if (rc == LL_OK) rc = send_step(a, f, frame, "commit", 0, NULL, err);
    if (rc == LL_OK && PQpipelineSync(a->connection) != 1) rc = lost(a, "sync", err);
    if (rc == LL_OK && PQflush(a->connection) < 0) rc = lost(a, "send", err);
    if (rc == LL_OK) a->flying++;
    return rc;
}

/* ---- receiving ---- */

/* Trouble of the moment: the same flight may well succeed later. */
static bool is_passing(const char *state)
{
    static const char *const classes[] = {"08", "40", "53", "57", "58"};

    if (state == NULL) return true;
    for (size_t i = 0; i < LL_LENGTH(classes); i++)
        if (strncmp(state, classes[i], 2) == 0) return true;
    return strcmp(state, "55P03") == 0 || strcmp(state, "25006") == 0;
}

static void describe_event(const struct applier *a, const struct flight *f,
                           struct flight_step step, struct ll_error *err)
{
    const struct flight_event *e = &f->events[step.event];
    const struct handler *h = e->handler->handler;
    const struct record r = {.id = e->id,
                             .type = h->type,
                             .topic = e->topic,
                             .partition = e->partition,
                             .sequence = e->sequence};

    ll_error_prefix(err, "%s:%u", a->p->paths[SQL_FILE_APPLY],
                    h->statements[step.statement].text->line);
    name_event(&r, err);
}

/* Keep what the first failed step says. */
static void take_failure(struct applier *a, const struct flight *f,
                         const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    struct flight_step step = f->steps[f->answered];

    if (a->failed != LL_OK) return;
    a->failed = pg_fail(a->connection, result, "postgres", &a->why);
    if (is_passing(state)) return;
    if (step.event == APPLY_NO_EVENT) {
        /* a checkpoint that raised, or a generation that is gone; or, at the commit, a
         * deferred constraint: then nobody can say which event it was */
        bool commits = f->answered + 1 == f->step_count;

        a->failed = commits ? LL_EBROKEN : LL_ECONFLICT;
        if (commits)
            ll_error_prefix(&a->why, "at the commit of %zu events", f->event_count);
        return;
    }
    a->failed = LL_EBROKEN;
    describe_event(a, f, step, &a->why);
}

/* Take one result. True when it was the oldest flight's end. */
static bool take_result(struct applier *a, PGresult *result)
{
    struct flight *f = &a->flights[a->oldest];
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_PIPELINE_SYNC) {
        a->oldest = (a->oldest + 1) % APPLY_FLIGHTS;
        a->flying--;
        return true;
    }
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
        status != PGRES_PIPELINE_ABORTED)
        take_failure(a, f, result);
    if (f->answered + 1 < f->step_count) f->answered++;
    return false;
}

/* Everything that is there. LL_ETIMEOUT: more must come. */
static ll_rc take_results(struct applier *a, struct ll_error *err)
{
    if (PQconsumeInput(a->connection) != 1) return lost(a, "receive", err);
    while (PQisBusy(a->connection) == 0) {
        PGresult *result = PQgetResult(a->connection);
        bool ended;

        if (result == NULL) {
            if (PQstatus(a->connection) != CONNECTION_OK) return lost(a, "receive", err);
            continue;
        }
        ended = take_result(a, result);
        PQclear(result);
        if (PQstatus(a->connection) != CONNECTION_OK && a->failed == LL_OK)
            return lost(a, "receive", err);
        if (!ended && a->failed == LL_OK) continue;
        if (a->failed != LL_OK) *err = a->why;
        return a->failed;
    }
    return LL_ETIMEOUT;
}

ll_rc applier_wait(struct applier *a, int timeout_ms, struct ll_error *err)
{
    int64_t end = clock_monotonic_us() + (int64_t)timeout_ms * 1000;

    LL_CHECK(a->flying > 0);
    for (;;) {
        int unsent = PQflush(a->connection);
        struct pollfd polled = {.fd = PQsocket(a->connection),
                                .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
        int64_t left = (end - clock_monotonic_us() + 999) / 1000;
        ll_rc rc;

        if (unsent < 0) return lost(a, "send", err);
        rc = take_results(a, err);
        if (rc != LL_ETIMEOUT) return rc;
        if (left <= 0) return LL_ETIMEOUT;
        if (poll(&polled, 1, (int)left) < 0 && errno != EINTR)
            return ll_fail(err, LL_EDATABASE, "poll: %s", strerror(errno));
    }
}
