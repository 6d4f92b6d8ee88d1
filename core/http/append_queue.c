/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* append_queue.c - see append_queue.h.
 *
 * An entry is in exactly one list: waiting, or in flight. When its caller gives up it is
 * left without a fiber and dropped when its batch comes home; its command, whose memory
 * is the caller's, is not touched any more.
 */
#include "core/http/append_queue.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/net/connector.h"
#include "core/net/fiber.h"
#include "core/pg/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MOST = 20000, LOCK_TIMEOUT_MS = 2000 };

struct entry {
    struct entry *next;
    const struct append_command *command;
    struct append_command sent; /* only its numbers are read once the caller gave up */
    struct fiber *fiber;        /* NULL: the caller gave up */
    struct append_answer answer;
    struct ll_error error;
    ll_rc rc;
    bool was_sent, is_done;
    bool is_uncertain; /* an answer was lost: it may have happened already */
};

struct list {
    struct entry *first, **last;
    size_t count;
};

struct append_queue {
    struct connector *connector;
    const char *service;
    char *reopen; /* the statement that opens the service's gate after a restart */
    void (*appended)(void *context);
    void *context;
    struct list waiting, flying;
    struct builder sql;
    PGresult *result;
    enum { IDLE, APPENDING, MENDING } state;
    const char *mend;  /* the statement that may help, sent before the next batch */
    bool tried_reopen; /* the last answer was `closed`, and the gate was asked to open */
    struct append_counts counts;
};

static void list_init(struct list *l)
{
    *l = (struct list){.last = &l->first};
}

static void list_add(struct list *l, struct entry *e)
{
    e->next = NULL;
    *l->last = e;
    l->last = &e->next;
    l->count++;
}

static struct entry *list_take(struct list *l)
{
    struct entry *e = l->first;

    if (e == NULL) return NULL;
    l->first = e->next;
    if (l->first == NULL) l->last = &l->first;
    l->count--;
    return e;
}

/* After an answer was lost, neither a failure nor a closed gate says that it did not
 * happen before. */
static void settle(struct entry *e, ll_rc rc)
{
    bool is_closed = rc == LL_OK && e->answer.verdict == APPEND_CLOSED;

    if (e->is_uncertain && (rc != LL_OK || is_closed))
        rc = ll_fail(&e->error, LL_EUNKNOWN, "the answer of the log was lost");
    e->rc = rc;
    e->is_done = true;
    if (e->fiber != NULL)
        fiber_wake(e->fiber);
    else
        free(e);
}

/* Everything in flight goes back in front of what waits, in its order. */
static void put_back(struct append_queue *q, bool is_uncertain)
{
    struct list both;
    struct entry *e;

    list_init(&both);
    while ((e = list_take(&q->flying)) != NULL) {
        e->is_uncertain = e->is_uncertain || is_uncertain;
        if (e->fiber == NULL)
            free(e);
        else
            list_add(&both, e);
    }
    while ((e = list_take(&q->waiting)) != NULL) list_add(&both, e);
    while ((e = list_take(&both)) != NULL) list_add(&q->waiting, e);
}

static bool send_sql(struct append_queue *q, const char *sql)
{
    PGconn *c = connector_connection(q->connector);

    if (PQsendQuery(c, sql) == 1) {
        connector_flush(q->connector);
        return true;
    }
    note(NOTE_WARNING, "cannot send an append", NOTE_S("error", PQerrorMessage(c)));
    connector_reset(q->connector);
    return false;
}

static void send_mend(struct append_queue *q)
{
    q->state = MENDING;
    if (!send_sql(q, q->mend)) q->state = IDLE;
    q->mend = NULL;
}

static void send_batch(struct append_queue *q)
{
    struct append_command commands[APPEND_BATCH];
    struct entry *e;
    size_t n = 0;

    while (n < APPEND_BATCH && (e = list_take(&q->waiting)) != NULL) {
        if (e->fiber == NULL) {
            free(e);
            continue;
        }
        e->was_sent = true;
        e->sent = commands[n++] = *e->command;
        list_add(&q->flying, e);
    }
    if (n == 0) return;
    builder_reset(&q->sql);
    referee_encode(q->service, commands, n, &q->sql);
    LL_CHECK(!q->sql.full);
    q->state = APPENDING;
    q->counts.batches++;
    q->counts.commands += n;
    if (!send_sql(q, builder_view(&q->sql).ptr)) put_back(q, false);
}

static void send_next(struct append_queue *q)
{
    if (q->state != IDLE || !connector_is_up(q->connector)) return;
    if (q->mend != NULL)
        send_mend(q);
    else
        send_batch(q);
}

/* Serialization, deadlock, shutdown, crash, starting up: the same batch may pass. */
static bool is_passing(const PGresult *r)
{
    static const char *const passing[] = {"40001", "40P01", "57P01", "57P02", "57P03"};
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

    for (size_t i = 0; state != NULL && i < LL_LENGTH(passing); i++)
        if (strcmp(state, passing[i]) == 0) return true;
    return false;
}

/* Nothing of the batch happened, or the connection is lost and nobody knows. */
static void batch_failed(struct append_queue *q, ll_rc rc, const struct ll_error *err)
{
    struct entry *e;

    if (rc == LL_ETIMEOUT) q->mend = "select landlog.unblock()";
    if (rc == LL_ETIMEOUT || rc == LL_EUNKNOWN || is_passing(q->result)) {
        put_back(q, rc != LL_ETIMEOUT);
        return;
    }
    note(NOTE_ERROR, "append failed", NOTE_S("service", q->service),
         NOTE_S("error", err->text));
    while ((e = list_take(&q->flying)) != NULL) {
        e->error = *err;
        settle(e, LL_EDATABASE);
    }
}

/* Hand out the verdicts; what must go again is put back. */
static void batch_answered(struct append_queue *q, const struct append_answer *answers)
{
    struct list again;
    struct entry *e;
    size_t accepted = 0;
    bool is_closed = false;

    list_init(&again);
    for (size_t i = 0; (e = list_take(&q->flying)) != NULL; i++) {
        bool goes_again = answers[i].verdict == APPEND_RETRY ||
                          (answers[i].verdict == APPEND_CLOSED && !q->tried_reopen);

        accepted += answers[i].verdict == APPEND_ACCEPTED;
        is_closed = is_closed || answers[i].verdict == APPEND_CLOSED;
        if (goes_again && e->fiber != NULL) {
            list_add(&again, e);
            continue;
        }
        e->answer = answers[i];
        settle(e, LL_OK);
    }
    while ((e = list_take(&again)) != NULL) list_add(&q->flying, e);
    put_back(q, false);
    if (accepted > 0) q->appended(q->context);
    if (is_closed && !q->tried_reopen) q->mend = q->reopen;
    q->tried_reopen = is_closed;
}

/* The whole answer to the query in flight is here. */
static void answered(struct append_queue *q)
{
    struct append_answer answers[APPEND_BATCH];
    struct append_command commands[APPEND_BATCH];
    struct ll_error err;
    size_t n = 0;
    ll_rc rc;

    if (q->state == APPENDING) {
        for (struct entry *e = q->flying.first; e != NULL; e = e->next)
            commands[n++] = e->sent;
        rc = referee_decode(q->result, commands, answers, n, &err);
        if (rc == LL_OK)
            batch_answered(q, answers);
        else
            batch_failed(q, rc, &err);
    }
    q->state = IDLE;
    PQclear(q->result);
    q->result = NULL;
    send_next(q);
}

static void readable(void *context, PGconn *c)
{
    struct append_queue *q = context;

    while (q->state != IDLE && !PQisBusy(c)) {
        PGresult *r = PQgetResult(c);

        if (r == NULL) {
            answered(q);
        } else {
            PQclear(q->result);
            q->result = r;
        }
    }
}

static bool connected(void *context, PGconn *c)
{
    (void)c;
    send_next(context);
    return true;
}

static void lost(void *context)
{
    struct append_queue *q = context;

    if (q->flying.count > 0) q->counts.lost++;
    PQclear(q->result);
    q->result = NULL;
    q->state = IDLE;
    put_back(q, true);
}

static const struct connector_callbacks callbacks = {connected, readable, lost};

struct append_queue *append_queue_new(struct event_base *base, const char *conninfo,
                                      const char *service,
                                      void (*appended)(void *context), void *context)
{
    struct append_queue *q = ll_calloc(1, sizeof(*q));
    struct builder reopen;
    char options[96];

    *q = (struct append_queue){
        .service = service, .appended = appended, .context = context};
    list_init(&q->waiting);
    list_init(&q->flying);
    builder_init(&q->sql, REFEREE_SQL);
    builder_init(&reopen, 256);
    builder_string(&reopen, "select landlog.reopen(");
    pg_literal(&reopen, text_of(service));
    builder_string(&reopen, ")");
    q->reopen = builder_take(&reopen);
    snprintf(options, sizeof(options), "-c lock_timeout=%d -c jit=off", LOCK_TIMEOUT_MS);
    q->connector =
        connector_new(base, conninfo, "landlog append", options, &callbacks, q);
    return q;
}

void append_queue_free(struct append_queue *q)
{
    connector_free(q->connector);
    free(q->reopen);
    LL_CHECK(q->waiting.count == 0 && q->flying.count == 0);
    builder_fini(&q->sql);
    free(q);
}

size_t append_queue_length(const struct append_queue *q)
{
    return q->waiting.count + q->flying.count;
}

bool append_queue_is_up(const struct append_queue *q)
{
    return connector_is_up(q->connector);
}

struct append_counts append_queue_counts(const struct append_queue *q)
{
    return q->counts;
}

ll_rc append_queue_append(struct append_queue *q, const struct append_command *command,
                          int wait_ms, struct append_answer *out, struct ll_error *err)
{
    struct entry *e;
    ll_rc rc;

    if (append_queue_length(q) >= WAITING_MOST)
        return ll_fail(err, LL_EFULL, "%d commands wait for the log", WAITING_MOST);
    e = ll_calloc(1, sizeof(*e));
    e->command = command;
    e->fiber = fiber_self();
    list_add(&q->waiting, e);
    send_next(q);
    while (!e->is_done) {
        if (fiber_wait(wait_ms) || e->is_done) continue;
        e->fiber = NULL; /* whoever takes it from its list frees it */
        if (e->was_sent)
            return ll_fail(err, LL_EUNKNOWN, "the log gave no answer in %d ms", wait_ms);
        return ll_fail(err, LL_ETIMEOUT, "the log took no command in %d ms", wait_ms);
    }
    *out = e->answer;
    rc = e->rc;
    if (rc != LL_OK && err != NULL) *err = e->error;
    free(e);
    return rc;
}

static struct entry *add(struct append_queue *q, const struct append_command *command)
{
    struct entry *e;

    if (append_queue_length(q) >= WAITING_MOST) return NULL;
    e = ll_calloc(1, sizeof(*e));
    e->command = command;
    e->fiber = fiber_self();
    list_add(&q->waiting, e);
    return e;
}

static void take_outcome(struct entry *e, int wait_ms, struct append_outcome *out)
{
    if (e == NULL) {
        out->rc =
            ll_fail(&out->err, LL_EFULL, "%d commands wait for the log", WAITING_MOST);
    } else if (e->is_done) {
        *out = (struct append_outcome){e->rc, e->answer, e->error};
        free(e);
    } else {
        e->fiber = NULL; /* whoever takes it from its list frees it */
        out->rc = ll_fail(&out->err, e->was_sent ? LL_EUNKNOWN : LL_ETIMEOUT,
                          "the log gave no answer in %d ms", wait_ms);
    }
}

void append_queue_append_all(struct append_queue *q,
                             const struct append_command *commands, size_t n, int wait_ms,
                             struct append_outcome *out)
{
    struct entry **entries = ll_calloc(n + 1, sizeof(struct entry *));
    int64_t until = clock_monotonic_us() + wait_ms * 1000LL, left = wait_ms;
    size_t done = 0;

    for (size_t i = 0; i < n; i++) entries[i] = add(q, &commands[i]);
    send_next(q);
    for (; done < n && left > 0; left = (until - clock_monotonic_us()) / 1000) {
        if (entries[done] == NULL || entries[done]->is_done)
            done++;
        else
            fiber_wait((int)left);
    }
    for (size_t i = 0; i < n; i++) take_outcome(entries[i], wait_ms, &out[i]);
    free(entries);
}
