/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* log_copy.c - see log_copy.h. The switches themselves are in relay.sql. */
#include "core/log/log_copy.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/kafka_import.h"
#include "core/log/kafka_places.h"
#include "core/log/referee.h"
#include "core/log/relay.h"
#include "core/pg/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REPORT_US = 200 * 1000,
    STEP_MS = 50,
    READ_EVENTS = 2000,
    READ_BYTES = 4 << 20,
    DRAIN_MS = 1000, /* less than appends wait for their lock */
    DRAIN_EVENTS = 5000,
    PATIENCE = 20,
    PAUSE_US = 500 * 1000
};

static void report(const struct log_copy *c, uint64_t done, uint64_t total)
{
    if (c->report != NULL) c->report(c->context, done, total);
}

/* Connect, and ask where the log is. */
static ll_rc begin(const struct log_copy *c, PGconn **connection, char store[STORE_NAME],
                   struct ll_error *err)
{
    ll_rc rc = pg_connect(settings_string(c->settings, SETTING_POSTGRES), "log copy",
                          connection, err);

    if (rc == LL_OK)
        rc = pg_script(*connection, "set client_min_messages = warning", err);
    if (rc == LL_OK) rc = referee_store(*connection, c->service, store, err);
    return rc;
}

static ll_rc try_switch(const struct log_copy *c, PGconn *connection, const char *store,
                        bool *is_done, struct ll_error *err)
{
    const char *const values[] = {c->service, store};
    PGresult *result;
    ll_rc rc = pg_query(connection, "select landlog.switch_store($1, $2)", values, 2,
                        &result, err);

    if (rc != LL_OK) return rc;
    *is_done = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return LL_OK;
}

/* ---- to kafka ---- */

/* With appends held up, for a moment: what is still behind, then the switch. */
static ll_rc drain_and_switch(const struct log_copy *c, struct relay *relay,
                              PGconn *connection, bool *is_done, struct ll_error *err)
{
    ll_rc rc = pg_script(connection, "begin", err);

    if (rc == LL_OK)
        rc = pg_query(connection,
                      "select from landlog.referee where service = $1 for update",
                      &c->service, 1, NULL, err);
    if (rc == LL_OK) rc = relay_drain(relay, DRAIN_MS, err);
    if (rc == LL_OK) rc = try_switch(c, connection, "kafka", is_done, err);
    if (rc == LL_OK) return pg_script(connection, "commit", err);
    PQclear(PQexec(connection, "rollback"));
    return rc == LL_ETIMEOUT ? LL_OK : rc;
}

static ll_rc look(const struct log_copy *c, struct relay *relay, PGconn *connection,
                  bool *is_done, struct ll_error *err)
{
    struct relay_progress p;
    ll_rc rc = relay_progress(relay, &p, err);

    if (rc != LL_OK) return rc;
    if (p.broken > 0) {
        if (err != NULL) *err = p.why;
        return LL_EBROKEN;
    }
    report(c, p.relayed, p.relayed + p.lag);
    if (p.held < p.partitions || p.lag > DRAIN_EVENTS) return LL_OK;
    return drain_and_switch(c, relay, connection, is_done, err);
}

static ll_rc fill(const struct log_copy *c, PGconn *connection, struct ll_error *err)
{
    struct relay_options options = {c->settings, c->owner, c->service, true, false};
    int64_t looked_at = 0;
    struct relay *relay;
    bool is_done = false;
    ll_rc rc = relay_open(&options, &relay, err);

    while (rc == LL_OK && !is_done) {
        rc = relay_step(relay, STEP_MS, err);
        if (rc != LL_OK || clock_monotonic_us() - looked_at < REPORT_US) continue;
        looked_at = clock_monotonic_us();
        rc = look(c, relay, connection, &is_done, err);
    }
    relay_close(relay, rc == LL_OK ? 5000 : 0);
    return rc;
}

/* A broker or a lease that is away for a moment ends no copy. */
static ll_rc fill_patiently(const struct log_copy *c, PGconn *connection,
                            struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (int i = 0; i < PATIENCE; i++) {
        if (i > 0) usleep(PAUSE_US);
        rc = fill(c, connection, err);
        if (rc != LL_EDATABASE && rc != LL_ECONFLICT) break;
        note(NOTE_WARNING, "log copy begins again", NOTE_S("why", err->text));
    }
    return rc;
}

ll_rc log_copy_to_kafka(const struct log_copy *copy, struct ll_error *err)
{
    PGconn *connection = NULL;
    char store[STORE_NAME];
    ll_rc rc = begin(copy, &connection, store, err);

    if (rc == LL_OK && strcmp(store, "kafka") != 0)
        rc = fill_patiently(copy, connection, err);
    PQfinish(connection);
    return rc;
}

/* ---- to postgres ---- */

/* One partition whose first rows were dropped. */
struct missing {
    struct topic topic;
    uint32_t number;
    int32_t id;
    uint64_t from, upto;
};

struct copying {
    const struct log_copy *copy;
    PGconn *connection;
    uint64_t done, total;
    int64_t reported_at;
};

static uint64_t number_at(const PGresult *rows, int row, int column)
{
    return strtoull(PQgetvalue(rows, row, column), NULL, 10);
}

static ll_rc list_missing(const struct log_copy *c, PGconn *connection,
                          struct missing **out, size_t *n, struct ll_error *err)
{
    PGresult *rows;
    ll_rc rc = pg_query(connection,
                        "select topic, partitions, number, id, from_sequence, upto"
                        " from landlog.begin_copy_back($1)",
                        &c->service, 1, &rows, err);

    *out = NULL;
    *n = 0;
    if (rc != LL_OK) return rc;
    *n = (size_t)PQntuples(rows);
    *out = ll_calloc(*n + 1, sizeof(**out));
    for (size_t i = 0; i < *n; i++) {
        struct missing *m = &(*out)[i];
        int row = (int)i;

        snprintf(m->topic.name, sizeof(m->topic.name), "%s", PQgetvalue(rows, row, 0));
        snprintf(m->topic.service, sizeof(m->topic.service), "%s", c->service);
        m->topic.partitions = (uint32_t)number_at(rows, row, 1);
        m->number = (uint32_t)number_at(rows, row, 2);
        m->id = (int32_t)number_at(rows, row, 3);
        m->from = number_at(rows, row, 4);
        m->upto = number_at(rows, row, 5);
    }
    PQclear(rows);
    return LL_OK;
}

static void count(struct copying *c, uint64_t n)
{
    c->done += n;
    if (clock_monotonic_us() - c->reported_at < REPORT_US) return;
    c->reported_at = clock_monotonic_us();
    report(c->copy, c->done, c->total);
}

static ll_rc take(struct copying *c, const struct missing *m, struct kafka_import *import,
                  const struct kafka_feed_batch *batch, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < batch->count && rc == LL_OK; i++) {
        const struct record *r = &batch->records[i];

        if (r->sequence < m->from || r->sequence > m->upto) continue;
        kafka_import_add(import, r, &batch->origins[i]);
        count(c, 1);
        if (kafka_import_is_full(import)) rc = kafka_import_flush(import, err);
    }
    return rc;
}

static ll_rc fetch(struct copying *c, const struct missing *m, struct ll_error *err)
{
    struct kafka_feed_options options = {
        c->copy->settings, &m->topic, "copy", NULL, NULL, false};
    struct kafka_feed_partition part = {.number = m->number};
    uint64_t before = m->from - 1, last = 0;
    struct kafka_feed *feed = NULL;
    struct kafka_feed_batch batch;
    struct kafka_import import;
    struct kafka_known known;
    ll_rc rc = kafka_places_find(c->connection, m->topic.name, &m->number, &before, 1,
                                 &known, err);

    kafka_import_init(&import, c->connection, m->id, 0, true);
    part.place = known.place;
    if (rc == LL_OK) rc = kafka_feed_open(&options, &part, 1, &feed, err);
    while (rc == LL_OK && last < m->upto) {
        rc = kafka_feed_next(feed, READ_EVENTS, READ_BYTES, 1000, &batch, err);
        if (rc == LL_OK && batch.count == 0 && kafka_feed_is_at_end(feed, 0))
            rc = ll_fail(err, LL_EBROKEN, "%s/%u: Kafka ends at event %llu of %llu",
                         m->topic.name, m->number, (unsigned long long)last,
                         (unsigned long long)m->upto);
        if (rc == LL_OK) rc = take(c, m, &import, &batch, err);
        if (batch.count > 0) last = batch.records[batch.count - 1].sequence;
    }
    if (rc == LL_OK) rc = kafka_import_flush(&import, err);
    kafka_import_fini(&import);
    kafka_feed_close(feed);
    return rc;
}

static ll_rc fetch_all(struct copying *c, struct ll_error *err)
{
    struct missing *missing;
    size_t n;
    ll_rc rc = list_missing(c->copy, c->connection, &missing, &n, err);

    for (size_t i = 0; i < n; i++) c->total += missing[i].upto - missing[i].from + 1;
    for (size_t i = 0; i < n && rc == LL_OK; i++) rc = fetch(c, &missing[i], err);
    free(missing);
    if (rc == LL_OK) report(c->copy, c->done, c->total);
    return rc;
}

ll_rc log_copy_to_postgres(const struct log_copy *copy, struct ll_error *err)
{
    struct copying c = {.copy = copy};
    char store[STORE_NAME];
    bool is_done = false;
    ll_rc rc = begin(copy, &c.connection, store, err);

    if (rc == LL_OK && strcmp(store, "postgres") != 0) {
        rc = fetch_all(&c, err);
        if (rc == LL_OK) rc = try_switch(copy, c.connection, "postgres", &is_done, err);
        if (rc == LL_OK && !is_done)
            rc = ll_fail(err, LL_EDATABASE,
                         "the gate of service \"%s\" is closed: a relay has to reconcile "
                         "it first",
                         copy->service);
    }
    PQfinish(c.connection);
    return rc;
}
