/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* keeper.c - one kept projection is in one state: no generation, one with a runner, or
 * halted. All trouble with the keeper's own connection ends in connecting again. */
#include "core/projection/keeper.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/referee.h"
#include "core/log/worker.h"
#include "core/pg/connect.h"
#include "core/projection/catch_up.h"
#include "core/projection/generation.h"
#include "core/projection/outgoing.h"
#include "core/projection/runner.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 1000,
    BUILD_MS = 250,
    HOUSEKEEPING_MS = 60000,
    PURGE_EVENTS = 10000,
    BACK_OFF_MOST_MS = 5000
};

struct kept {
    const struct projection *p;
    struct generation generation;
    enum generation_state state;
    struct runner *runner;
    void *addition; /* of the runner */
    struct catch_up catch_up;
    struct outgoing_broom broom;
    bool was_started; /* once by this process: a halt found before is cleared */
    bool is_halted;   /* until landlog.generation says otherwise */
    bool is_final;    /* a mistake in its files: for good */
    int64_t next_look_us, next_housekeeping_us;
};

struct keeper {
    struct keeper_options options;
    PGconn *connection; /* NULL: none */
    struct wake *wake;
    char name[WORKER_NAME];
    int64_t next_beat_us, next_try_us;
    int back_off_ms;   /* 0 while all is well */
    char trouble[256]; /* said already */
    size_t count;
    struct kept kept[KEEPER_PROJECTIONS];
};

struct keeper *keeper_new(const struct keeper_options *options)
{
    struct keeper *k = ll_calloc(1, sizeof(*k));

    LL_CHECK(options->count <= KEEPER_PROJECTIONS);
    k->options = *options;
    k->count = options->count;
    for (size_t i = 0; i < k->count; i++) k->kept[i].p = options->projections[i];
    worker_name(options->kind, k->name);
    wake_open(settings_string(options->settings, SETTING_POSTGRES), &k->wake);
    return k;
}

static void stop(const struct keeper *k, struct kept *q)
{
    if (q->addition != NULL) k->options.addition->stop(q->addition);
    q->addition = NULL;
    runner_stop(q->runner);
    q->runner = NULL;
    catch_up_fini(&q->catch_up);
}

void keeper_free(struct keeper *k)
{
    if (k == NULL) return;
    for (size_t i = 0; i < k->count; i++) stop(k, &k->kept[i]);
    if (k->connection != NULL) worker_leave(k->connection, k->name);
    PQfinish(k->connection);
    wake_close(k->wake);
    free(k);
}

static ll_rc connect_keeper(struct keeper *k, struct ll_error *err)
{
    ll_rc rc;

    if (k->connection != NULL) return LL_OK;
    rc = pg_connect(settings_string(k->options.settings, SETTING_POSTGRES), "keeper",
                    &k->connection, err);
    if (rc == LL_OK)
        rc = referee_install(k->connection, registry_topics(k->options.registry), err);
    if (rc == LL_OK) rc = generation_install(k->connection, err);
    if (rc == LL_OK) rc = pg_script(k->connection, "listen " WAKE_GENERATION, err);
    return rc;
}

static void disconnect(struct keeper *k)
{
    PQfinish(k->connection);
    k->connection = NULL;
}

/* ---- one projection ---- */

static void start(struct keeper *k, struct kept *q)
{
    const struct settings *s = k->options.settings;
    const struct keeper_addition *addition = k->options.addition;
    struct runner_options options = {
        .settings = s,
        .projection = q->p,
        .generation = q->generation,
        .workers = settings_number(s, SETTING_PROJECT_WORKERS),
        .batch = settings_number(s, SETTING_PROJECT_BATCH),
        .wake = k->wake,
    };

    if (addition != NULL) {
        q->addition = options.context = addition->start(&options);
        options.landed = addition->landed;
    }
    q->runner = runner_start(&options);
    if (addition != NULL) addition->follow(q->addition, q->runner);
    q->was_started = true;
    note(NOTE_INFO, "projecting", NOTE_S("projection", projection_name(q->p)),
         NOTE_S("schema", q->generation.schema),
         NOTE_S("state", q->state == GENERATION_LIVE ? "live" : "building"));
}

static ll_rc is_halted(struct keeper *k, const struct generation *g, bool *out,
                       struct ll_error *err)
{
    const char *schema = g->schema;
    PGresult *row;
    ll_rc rc = pg_query(k->connection,
                        "select halted is not null from landlog.generation"
                        " where schema = $1",
                        &schema, 1, &row, err);

    if (rc != LL_OK) return rc;
    *out = PQntuples(row) > 0 && PQgetvalue(row, 0, 0)[0] == 't';
    PQclear(row);
    return LL_OK;
}

/* Find what to work on, and begin unless it is halted. */
static ll_rc begin(struct keeper *k, struct kept *q, struct ll_error *err)
{
    ll_rc rc = generation_adopt(k->connection, q->p, &q->generation, &q->state, err);

    if (rc == LL_ECONFLICT) return LL_OK; /* a replay makes one: look again */
    if (rc == LL_OK && !q->was_started)
        rc = generation_set_halted(k->connection, &q->generation, NULL, err);
    if (rc == LL_OK) rc = is_halted(k, &q->generation, &q->is_halted, err);
    if (rc == LL_OK && !q->is_halted) start(k, q);
    return rc;
}

/* Is this still the generation to work on? */
static ll_rc check(struct keeper *k, struct kept *q, bool *out, struct ll_error *err)
{
    char identity[UUID_TEXT];
    const char *const values[] = {projection_name(q->p), identity};
    struct uuid id = projection_identity(q->p);
    PGresult *row;
    ll_rc rc;

    uuid_print(&id, identity);
    rc = pg_query(k->connection, projection_live_sql, values, 2, &row, err);
    if (rc != LL_OK) return rc;
    if (PQntuples(row) > 0)
        *out = strcmp(PQgetvalue(row, 0, 0), q->generation.schema) == 0;
    else
        *out = q->state == GENERATION_BUILDING;
    if (*out && PQntuples(row) > 0) q->state = GENERATION_LIVE;
    PQclear(row);
    return LL_OK;
}

static ll_rc build(struct keeper *k, struct kept *q, struct ll_error *err)
{
    struct lag lag;
    ll_rc rc = outgoing_sweep(&q->broom, k->connection, q->p, &q->generation, err);

    if (rc == LL_OK)
        rc = catch_up_try(&q->catch_up, k->connection, k->options.settings, q->p,
                          &q->generation, k->wake, &lag, err);

    if (rc == LL_ETIMEOUT) return LL_OK;
    if (rc == LL_OK) {
        q->state = GENERATION_LIVE;
        catch_up_fini(&q->catch_up);
    } else if (rc == LL_ECONFLICT) {
        stop(k, q);
        rc = LL_OK;
    }
    return rc;
}

static ll_rc keep_house(struct keeper *k, struct kept *q, struct ll_error *err)
{
    const struct topic *topic;
    ll_rc rc = LL_OK;

    if (q->state == GENERATION_LIVE)
        rc = generation_sweep(k->connection, q->p, &q->generation, err);
    for (size_t i = 0; rc == LL_OK && (topic = projection_topic_at(q->p, i)) != NULL;
         i++) {
        uint64_t forgotten;

        rc = referee_purge(k->connection, topic->service, REFEREE_KEEP_MS, PURGE_EVENTS,
                           &forgotten, err);
    }
    return rc;
}

/* What the runner's end means. */
static void take_end(const struct keeper *k, struct kept *q)
{
    enum runner_state state =
        q->runner != NULL ? runner_state(q->runner) : RUNNER_WORKING;

    if (state == RUNNER_WORKING) return;
    q->is_halted = state == RUNNER_HALTED;
    stop(k, q);
}

static ll_rc look(struct keeper *k, struct kept *q, struct ll_error *err)
{
    bool is_right = true;
    ll_rc rc = LL_OK;

    take_end(k, q);
    if (q->runner != NULL) rc = check(k, q, &is_right, err);
    if (!is_right) stop(k, q);
    if (rc == LL_OK && q->runner == NULL) rc = begin(k, q, err);
    if (rc == LL_OK && q->runner != NULL && q->state == GENERATION_BUILDING)
        rc = build(k, q, err);
    if (rc == LL_OK && clock_monotonic_us() >= q->next_housekeeping_us) {
        q->next_housekeeping_us = clock_monotonic_us() + HOUSEKEEPING_MS * 1000LL;
        rc = keep_house(k, q, err);
    }
    return rc;
}

/* ---- all of them ---- */

static ll_rc beat(struct keeper *k, struct ll_error *err)
{
    struct builder detail;
    ll_rc rc;

    builder_init(&detail, 4096);
    for (size_t i = 0; i < k->count; i++)
        builder_printf(&detail, "%s%s", i ? ", " : "",
                       k->kept[i].runner != NULL ? k->kept[i].generation.schema
                                                 : projection_name(k->kept[i].p));
    rc = worker_beat(k->connection, k->name, k->options.kind, builder_view(&detail).ptr,
                     err);
    builder_fini(&detail);
    k->next_beat_us = clock_monotonic_us() + WORKER_BEAT_MS * 1000LL;
    return rc;
}

static ll_rc look_at_all(struct keeper *k, struct ll_error *err)
{
    ll_rc rc = connect_keeper(k, err);

    if (rc == LL_OK && clock_monotonic_us() >= k->next_beat_us) rc = beat(k, err);
    for (size_t i = 0; i < k->count && rc == LL_OK; i++) {
        struct kept *q = &k->kept[i];
        int64_t now = clock_monotonic_us();
        bool builds = q->runner == NULL ? !q->is_halted : q->state == GENERATION_BUILDING;

        if (q->is_final ||
            (now < q->next_look_us &&
             (q->runner == NULL || runner_state(q->runner) == RUNNER_WORKING)))
            continue;
        q->next_look_us = now + (builds ? BUILD_MS : LOOK_MS) * 1000LL;
        rc = look(k, q, err);
        if (rc == LL_EINVAL) {
            note(NOTE_ERROR, "the projection cannot be made",
                 NOTE_S("projection", projection_name(q->p)), NOTE_S("why", err->text));
            q->is_final = true;
            rc = LL_OK;
        }
    }
    return rc;
}

/* Nothing is left to do when every projection stands still. */
static bool is_over(const struct keeper *k)
{
    for (size_t i = 0; i < k->count; i++)
        if (!k->kept[i].is_halted && !k->kept[i].is_final) return false;
    return k->count > 0;
}

/* Another generation may be live: look at once. */
static void take_notifications(struct keeper *k)
{
    bool any = false;

    if (PQconsumeInput(k->connection) != 1) {
        disconnect(k);
        return;
    }
    for (PGnotify *n; (n = PQnotifies(k->connection)) != NULL; any = true) PQfreemem(n);
    for (size_t i = 0; any && i < k->count; i++) k->kept[i].next_look_us = 0;
}

static void wait_for_news(struct keeper *k, int timeout_ms)
{
    struct pollfd polled = {.fd = k->connection != NULL ? PQsocket(k->connection) : -1,
                            .events = POLLIN};

    poll(&polled, 1, timeout_ms);
    if (k->connection != NULL) take_notifications(k);
}

/* Connect again, later and later; what has not changed is said once. */
static void back_off(struct keeper *k, const struct ll_error *err)
{
    if (strncmp(k->trouble, err->text, sizeof(k->trouble) - 1) != 0)
        note(NOTE_WARNING, "the keeper connects again", NOTE_S("why", err->text));
    snprintf(k->trouble, sizeof(k->trouble), "%.*s", (int)sizeof(k->trouble) - 1,
             err->text);
    k->back_off_ms = k->back_off_ms == 0 ? 100 : 2 * k->back_off_ms;
    if (k->back_off_ms > BACK_OFF_MOST_MS) k->back_off_ms = BACK_OFF_MOST_MS;
    k->next_try_us = clock_monotonic_us() + k->back_off_ms * 1000LL;
    disconnect(k);
}

ll_rc keeper_step(struct keeper *k, int timeout_ms, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    if (clock_monotonic_us() >= k->next_try_us) {
        rc = look_at_all(k, err);
        if (rc == LL_EBROKEN) return rc;
        if (rc != LL_OK) {
            back_off(k, err);
        } else if (k->back_off_ms > 0) {
            k->back_off_ms = 0;
            k->trouble[0] = '\0';
        }
    }
    if (is_over(k)) return ll_fail(err, LL_EBROKEN, "every projection is halted");
    wait_for_news(k, timeout_ms);
    return LL_OK;
}
