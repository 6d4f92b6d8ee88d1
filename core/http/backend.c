/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* backend.c - see backend.h. */
#include "core/http/backend.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/wake.h"
#include "core/net/wake_channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAST_MS = 2000,    /* statement_timeout of the lane for look-ups */
    LANES = 2,         /* fast ones: the second for while the first is stuck */
    STUCK_US = 20000,  /* a look-up takes a hundredth of it */
    WAIT_MS = 10000,   /* for a lane's answer */
    REFRESH_MS = 1000, /* between looks at which generation is live */
    SQL_MOST = 256 * 1024
};

/* Who waits until the read model has come to a position. */
struct waiter {
    struct waiter *next;
    const struct position *position;
    struct fiber *fiber;
    bool answers;   /* wants a look begun after it came, which saw the gate open */
    unsigned looks; /* begun before it came */
    bool is_satisfied;
};

struct backend {
    const char *service;
    const struct projection *projection;
    struct lane *lanes[LANES];
    struct append_queue *queue;
    struct wake_channel *wake;

    struct fiber *keeper;
    bool is_stopping, must_refresh, must_look; /* what the keeper is asked to do */
    int64_t refreshed_us;
    unsigned refreshes;

    bool has_generation;
    struct generation generation;
    struct uuid incarnation;
    uint64_t relay_lag, lag_limit; /* events that Kafka does not have yet */
    bool is_closed;                /* the gate: until the relay has read what Kafka has */
    struct position position;      /* of that generation, as last seen */
    bool may_answer;               /* in the same snapshot: the gate was open */
    unsigned looks;                /* begun */
    struct waiter *waiters;
};

static const char *const heard_channels[] = {WAKE_APPLIED, WAKE_GENERATION, NULL};

static void heard(void *context, const char *channel)
{
    struct backend *b = context;

    if (channel == NULL || strcmp(channel, WAKE_GENERATION) == 0) b->must_refresh = true;
    b->must_look = true;
    if (b->keeper != NULL && (b->must_refresh || b->waiters != NULL))
        fiber_wake(b->keeper);
}

static void appended(void *context)
{
    struct backend *b = context;

    wake_channel_send(b->wake, WAKE_APPENDED);
}

/* ---- reads ---- */

/* The first lane, as long as it moves: the more share one connection, the more statements
 * each switch to Postgres and back carries (taking turns over two costs a fifth of the
 * throughput). Past a slow statement, the lane with the fewest in flight. */
static struct lane *choose_lane(const struct backend *b)
{
    struct lane *best = b->lanes[0];

    for (size_t i = 0; i < LANES; i++) {
        struct lane *l = b->lanes[i];

        if (lane_is_up(l) && lane_behind_us(l) < STUCK_US) return l;
        if (!lane_is_up(best) || lane_in_flight(l) < lane_in_flight(best)) best = l;
    }
    return best;
}

ll_rc backend_read(struct backend *b, const struct lane_statement *statement,
                   PGresult **out, struct ll_error *err)
{
    return lane_query(choose_lane(b), statement, WAIT_MS, out, NULL, err);
}

ll_rc backend_query(struct backend *b, const struct generation *g,
                    const struct projection_query *q, const char *const *values,
                    PGresult **out, char state[6], struct ll_error *err)
{
    struct lane *lane = choose_lane(b);
    char name[PROJECTION_SCHEMA + 64];
    struct builder sql;
    struct lane_statement statement = {
        .name = name, .parameters = (int)q->parameter_count, .values = values};
    ll_rc rc;

    builder_init(&sql, SQL_MOST);
    snprintf(name, sizeof(name), "%s.%s", g->schema, q->name);
    if (!lane_has(lane, name)) {
        projection_query_sql(b->projection, q, g, &sql);
        LL_CHECK(!sql.full);
        statement.sql = builder_view(&sql).ptr;
    }
    rc = lane_query(lane, &statement, WAIT_MS, out, state, err);
    builder_fini(&sql);
    return rc;
}

/* ---- the keeper ---- */

static ll_rc read_generation(struct backend *b, struct ll_error *err)
{
    struct uuid identity = projection_identity(b->projection);
    char text[UUID_TEXT];
    const char *values[] = {projection_name(b->projection), text};
    struct lane_statement live = {"landlog.live", projection_live_sql, 2, values};
    struct generation g = {.identity = identity};
    uint64_t number;
    PGresult *r;
    ll_rc rc;

    uuid_print(&identity, text);
    rc = backend_read(b, &live, &r, err);
    if (rc != LL_OK) return rc;
    b->has_generation = PQntuples(r) == 1 &&
                        text_to_u64(text_of(PQgetvalue(r, 0, 1)), UINT32_MAX, &number);
    if (b->has_generation) {
        g.number = (uint32_t)number;
        snprintf(g.schema, sizeof(g.schema), "%s", PQgetvalue(r, 0, 0));
        if (strcmp(g.schema, b->generation.schema) != 0) position_init(&b->position);
        b->generation = g;
    }
    PQclear(r);
    return LL_OK;
}

/* Which log this is, and whether it may be written now. On the postgres store a closed
 * gate opens with the next command (append_queue.c); on kafka only the relay opens it. */
static ll_rc read_log(struct backend *b, struct ll_error *err)
{
    const char *values[] = {b->service};
    struct lane_statement statement = {
        "landlog.log",
        "select l.incarnation, r.store = 'kafka' and not landlog.is_open(r.service),"
        " case r.store when 'kafka' then landlog.relay_lag(r.service) else 0 end"
        " from landlog.log l cross join landlog.referee r where r.service = $1",
        1, values};
    PGresult *r;
    ll_rc rc = backend_read(b, &statement, &r, err);

    if (rc != LL_OK) return rc;
    if (PQntuples(r) == 1 && uuid_parse(text_of(PQgetvalue(r, 0, 0)), &b->incarnation) &&
        text_to_u64(text_of(PQgetvalue(r, 0, 2)), INT64_MAX, &b->relay_lag))
        b->is_closed = PQgetvalue(r, 0, 1)[0] == 't';
    else
        rc = ll_fail(err, LL_ENOTFOUND, "the log has no incarnation: was it installed?");
    PQclear(r);
    return rc;
}

static void refresh(struct backend *b)
{
    bool had = b->has_generation;
    struct ll_error err;
    ll_rc rc;

    b->must_refresh = false;
    rc = read_generation(b, &err);
    if (rc == LL_OK) rc = read_log(b, &err);
    if (rc != LL_OK)
        note(lane_is_up(b->lanes[0]) ? NOTE_WARNING : NOTE_DEBUG,
             "cannot look up the generation and the log", NOTE_S("error", err.text));
    if (had != b->has_generation)
        note(NOTE_INFO,
             b->has_generation ? "a generation is live" : "no generation is live",
             NOTE_S("projection", projection_name(b->projection)),
             NOTE_S("schema", b->generation.schema));
    b->refreshed_us = clock_monotonic_us();
    b->refreshes++;
}

static void look(struct backend *b)
{
    char name[PROJECTION_SCHEMA + 16];
    struct builder sql;
    struct lane_statement statement = {
        .name = name, .parameters = 1, .values = &b->service};
    struct position now;
    struct ll_error err;
    PGresult *r;

    b->must_look = false;
    b->may_answer = false;
    b->looks++;
    if (!b->has_generation) return;
    snprintf(name, sizeof(name), "%s/position", b->generation.schema);
    builder_init(&sql, SQL_MOST);
    builder_string(&sql, "select p.position, landlog.may_answer($1) from (");
    projection_position_sql(&b->generation, &sql);
    builder_string(&sql, ") p");
    statement.sql = builder_view(&sql).ptr;
    if (backend_read(b, &statement, &r, &err) == LL_OK) {
        struct text text = text_of(PQgetvalue(r, 0, 0));

        if (PQntuples(r) == 1 && position_parse(&now, text.ptr, text.len) == LL_OK) {
            b->position = now;
            b->may_answer = PQgetvalue(r, 0, 1)[0] == 't';
        }
        PQclear(r);
    } else {
        b->must_refresh = true;
    }
    builder_fini(&sql);
}

static bool reads(const struct backend *b, const char *name)
{
    const struct topic *topic;

    for (size_t i = 0; (topic = projection_topic_at(b->projection, i)) != NULL; i++)
        if (strcmp(topic->name, name) == 0) return true;
    return false;
}

bool backend_covers(const struct backend *b, const struct position *now,
                    const struct position *asked)
{
    for (size_t i = 0; i < asked->len; i++) {
        const struct position_entry *e = &asked->entry[i];
        uint64_t seen = 0;

        if (position_get(now, e->topic, e->partition, &seen) && seen >= e->sequence)
            continue;
        if (reads(b, e->topic)) return false;
    }
    return true;
}

static bool is_satisfied(const struct backend *b, const struct waiter *w)
{
    if (w->answers && (!b->may_answer || w->looks == b->looks)) return false;
    return backend_covers(b, &b->position, w->position);
}

static void wake_satisfied(struct backend *b)
{
    for (struct waiter **at = &b->waiters; *at != NULL;) {
        struct waiter *w = *at;

        if (!is_satisfied(b, w)) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        w->is_satisfied = true;
        fiber_wake(w->fiber);
    }
}

static void keep(void *context)
{
    struct backend *b = context;

    b->keeper = fiber_self();
    while (!b->is_stopping) {
        if (b->must_refresh ||
            clock_monotonic_us() - b->refreshed_us > REFRESH_MS * 1000LL)
            refresh(b);
        if (b->waiters != NULL) {
            look(b);
            wake_satisfied(b);
        }
        if (b->must_look && b->waiters != NULL) continue; /* it moved meanwhile */
        fiber_wait(b->waiters != NULL ? WAKE_POLL_MS
                                      : (b->has_generation ? REFRESH_MS : 100));
        if (!b->has_generation) b->must_refresh = true;
    }
    b->keeper = NULL;
}

static void forget_waiter(struct backend *b, const struct waiter *w)
{
    for (struct waiter **at = &b->waiters; *at != NULL; at = &(*at)->next) {
        if (*at != w) continue;
        *at = w->next;
        return;
    }
}

static ll_rc wait_for(struct backend *b, const struct position *p, bool answers,
                      int wait_ms, struct ll_error *err)
{
    int64_t end = clock_monotonic_us() + wait_ms * 1000LL, left;
    struct waiter *w = ll_calloc(1, sizeof(*w));
    bool is_there;

    *w = (struct waiter){.next = b->waiters,
                         .position = p,
                         .fiber = fiber_self(),
                         .answers = answers,
                         .looks = b->looks};
    b->waiters = w;
    b->must_look = true;
    if (b->keeper != NULL) fiber_wake(b->keeper);
    while (!w->is_satisfied && (left = end - clock_monotonic_us()) > 0)
        fiber_wait((int)(left / 1000) + 1);
    is_there = w->is_satisfied;
    if (!is_there) forget_waiter(b, w);
    free(w);
    if (is_there) return LL_OK;
    return ll_fail(err, LL_ETIMEOUT, "the read model did not come so far in %d ms",
                   wait_ms);
}

ll_rc backend_wait(struct backend *b, const struct position *p, int wait_ms,
                   struct ll_error *err)
{
    if (backend_covers(b, &b->position, p)) return LL_OK;
    return wait_for(b, p, false, wait_ms, err);
}

ll_rc backend_wait_answer(struct backend *b, const struct position *p, int wait_ms,
                          struct ll_error *err)
{
    return wait_for(b, p, true, wait_ms, err);
}

void backend_refresh(struct backend *b)
{
    unsigned seen = b->refreshes;

    b->must_refresh = true;
    if (b->keeper != NULL) fiber_wake(b->keeper);
    for (int i = 0; i < 20 && b->refreshes == seen; i++) fiber_wait(5);
}

/* ---- life ---- */

struct backend *backend_new(struct event_base *base, struct fiber_pool *pool,
                            const struct settings *settings, const char *service,
                            const struct projection *projection)
{
    struct backend *b = ll_calloc(1, sizeof(*b));
    const char *owner = settings_string(settings, SETTING_POSTGRES);
    const char *query = settings_string(settings, SETTING_POSTGRES_QUERY);

    b->service = service;
    b->projection = projection;
    position_init(&b->position);
    for (size_t i = 0; i < LANES; i++)
        b->lanes[i] = lane_new(base, query[0] ? query : owner, "landlog query", FAST_MS);
    b->queue = append_queue_new(base, owner, service, appended, b);
    b->wake = wake_channel_new(base, owner, heard_channels, heard, b);
    b->lag_limit = settings_number(settings, SETTING_KAFKA_LAG_LIMIT);
    b->must_refresh = true;
    LL_CHECK(fiber_start(pool, keep, b) == LL_OK);
    return b;
}

void backend_stop(struct backend *b)
{
    b->is_stopping = true;
    if (b->keeper != NULL) fiber_wake(b->keeper);
}

void backend_free(struct backend *b)
{
    LL_CHECK(b->keeper == NULL && b->waiters == NULL);
    for (size_t i = 0; i < LANES; i++) lane_free(b->lanes[i]);
    append_queue_free(b->queue);
    wake_channel_free(b->wake);
    free(b);
}

const struct projection *backend_projection(const struct backend *b)
{
    return b->projection;
}

struct append_queue *backend_queue(struct backend *b)
{
    return b->queue;
}

size_t backend_reads_in_flight(const struct backend *b)
{
    size_t n = 0;

    for (size_t i = 0; i < LANES; i++) n += lane_in_flight(b->lanes[i]);
    return n;
}

const char *backend_trouble(const struct backend *b)
{
    if (!lane_is_up(b->lanes[0])) return "the database does not answer";
    if (!b->has_generation) return "no generation of the read model is ready";
    if (!append_queue_is_up(b->queue)) return "the log takes no commands";
    if (b->is_closed) return "the log is closed until the relay has reconciled it";
    if (b->relay_lag > b->lag_limit) return "Kafka is too far behind for more commands";
    return NULL;
}

bool backend_generation(const struct backend *b, struct generation *out)
{
    *out = b->generation;
    return b->has_generation;
}

const struct uuid *backend_incarnation(const struct backend *b)
{
    return &b->incarnation;
}
