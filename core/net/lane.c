/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lane.c - libpq's pipeline mode under libevent; see lane.h.
 *
 * Every operation on the wire ends with a pipeline sync, so results are matched to
 * operations by counting syncs. A statement's Parse is an operation of its own, without a
 * fiber, in front of the first that uses it.
 */
#include "core/net/lane.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/net/connector.h"
#include "core/net/fiber.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct operation {
    struct operation *next;
    struct fiber *fiber; /* NULL: nobody waits (a Parse, or one that gave up) */
    PGresult *result;
    int64_t first_us; /* since when it is the first; 0: it is not */
    bool is_done;
    struct prepared *prepares; /* what a Parse made */
};

struct prepared {
    UT_hash_handle hh;
    char name[];
};

struct lane {
    struct connector *connector;
    struct operation *first, **last;
    size_t count;
    struct prepared *prepared; /* of this connection */
};

static void forget_prepared(struct lane *l)
{
    struct prepared *p, *next;

    HASH_ITER(hh, l->prepared, p, next) /* the analyser does not follow uthash: */
    {
        HASH_DEL(l->prepared, p); // NOLINT(clang-analyzer-unix.Malloc)
        free(p);
    }
}

/* The first operation has its answer, or never will: tell its fiber. */
static void finish_first(struct lane *l)
{
    struct operation *o = l->first;

    l->first = o->next;
    if (l->first == NULL)
        l->last = &l->first;
    else
        l->first->first_us = clock_monotonic_us();
    l->count--;
    o->is_done = true;
    if (o->fiber != NULL) {
        fiber_wake(o->fiber);
        return;
    }
    /* A Parse that failed must be tried again by the next one that needs it. */
    if (o->prepares != NULL && PQresultStatus(o->result) != PGRES_COMMAND_OK) {
        HASH_DEL(l->prepared, o->prepares); // NOLINT(clang-analyzer-core.NullDereference)
        free(o->prepares);
    }
    PQclear(o->result);
    free(o);
}

static void connection_lost(void *context)
{
    struct lane *l = context;

    while (l->first != NULL) {
        if (l->first->prepares != NULL) l->first->prepares = NULL;
        PQclear(l->first->result);
        l->first->result = NULL;
        finish_first(l);
    }
    forget_prepared(l);
}

static void take_results(struct lane *l, PGconn *c)
{
    while (l->first != NULL && !PQisBusy(c)) {
        PGresult *r = PQgetResult(c);

        if (r == NULL) continue; /* the end of one statement's results */
        if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
            PQclear(r);
            finish_first(l);
            continue;
        }
        if (l->first->result == NULL)
            l->first->result = r;
        else
            PQclear(r);
    }
}

static void readable(void *context, PGconn *c)
{
    take_results(context, c);
}

static bool connected(void *context, PGconn *c)
{
    (void)context;
    return PQenterPipelineMode(c) == 1;
}

static const struct connector_callbacks callbacks = {connected, readable,
                                                     connection_lost};

struct lane *lane_new(struct event_base *base, const char *conninfo, const char *purpose,
                      int statement_timeout_ms)
{
    struct lane *l = ll_calloc(1, sizeof(*l));
    char settings[128];

    l->last = &l->first;
    /* Plans made while tables are empty must be those of full ones. */
    snprintf(settings, sizeof(settings),
             "-c statement_timeout=%d -c default_transaction_read_only=on -c jit=off"
             " -c enable_seqscan=off",
             statement_timeout_ms);
    l->connector = connector_new(base, conninfo, purpose, settings, &callbacks, l);
    return l;
}

void lane_free(struct lane *l)
{
    connector_free(l->connector);
    LL_CHECK(l->first == NULL);
    free(l);
}

bool lane_is_up(const struct lane *l)
{
    return connector_is_up(l->connector);
}

size_t lane_in_flight(const struct lane *l)
{
    return l->count;
}

int64_t lane_behind_us(const struct lane *l)
{
    return l->first == NULL ? 0 : clock_monotonic_us() - l->first->first_us;
}

static struct prepared *find_prepared(const struct lane *l, const char *name)
{
    struct prepared *p;

    HASH_FIND(hh, l->prepared, name, strlen(name), p);
    return p;
}

bool lane_has(const struct lane *l, const char *name)
{
    return find_prepared(l, name) != NULL;
}

static struct operation *append_operation(struct lane *l, struct fiber *fiber)
{
    struct operation *o = ll_calloc(1, sizeof(*o));

    o->fiber = fiber;
    if (l->first == NULL) o->first_us = clock_monotonic_us();
    *l->last = o;
    l->last = &o->next;
    l->count++;
    return o;
}

static bool send_parse(struct lane *l, PGconn *c, const struct lane_statement *s)
{
    struct prepared *p;
    size_t n = strlen(s->name);

    if (lane_has(l, s->name)) return true;
    LL_CHECK(s->sql != NULL);
    if (PQsendPrepare(c, s->name, s->sql, s->parameters, NULL) != 1 ||
        PQpipelineSync(c) != 1)
        return false;
    p = ll_malloc(sizeof(*p) + n + 1);
    memcpy(p->name, s->name, n + 1);
    HASH_ADD(hh, l->prepared, name, n, p);
    append_operation(l, NULL)->prepares = p;
    return true;
}

static ll_rc answer(struct operation *o, PGresult **out, char state[6],
                    struct ll_error *err)
{
    PGresult *r = o->result;
    const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE);

    free(o);
    if (PQresultStatus(r) == PGRES_TUPLES_OK) {
        *out = r;
        return LL_OK;
    }
    if (state != NULL && code != NULL) memcpy(state, code, 5);
    if (r == NULL) return ll_fail(err, LL_EDATABASE, "the database connection was lost");
    ll_fail(err, LL_EDATABASE, "%s",
            PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)
                ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)
                : "the query failed");
    PQclear(r);
    return LL_EDATABASE;
}

ll_rc lane_query(struct lane *l, const struct lane_statement *s, int wait_ms,
                 PGresult **out, char state[6], struct ll_error *err)
{
    PGconn *c = connector_connection(l->connector);
    struct operation *o;

    if (state != NULL) memset(state, 0, 6);
    if (c == NULL) return ll_fail(err, LL_EDATABASE, "the database is not reachable");
    if (l->count >= LANE_QUEUE)
        return ll_fail(err, LL_EFULL, "more than %d queries are in flight", LANE_QUEUE);
    if (!send_parse(l, c, s) ||
        PQsendQueryPrepared(c, s->name, s->parameters, s->values, NULL, NULL, 0) != 1 ||
        PQpipelineSync(c) != 1) {
        ll_fail(err, LL_EDATABASE, "cannot send a query: %s", PQerrorMessage(c));
        connector_reset(l->connector);
        return LL_EDATABASE;
    }
    o = append_operation(l, fiber_self());
    connector_flush(l->connector);
    while (!o->is_done) {
        if (fiber_wait(wait_ms) || o->is_done) continue;
        o->fiber = NULL;
        return ll_fail(err, LL_ETIMEOUT, "the database gave no answer in %d ms", wait_ms);
    }
    return answer(o, out, state, err);
}
