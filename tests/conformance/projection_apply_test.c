/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection_apply_test.c - a flight lands whole and once, or not at all. */
#include "folded.h"

#include "core/pg/connect.h"
#include "core/projection/apply.h"

#include <stdlib.h>
#include <string.h>

/* One generation, one partition under an epoch, and its first records. */
struct flight_test {
    struct folded f;
    struct generation g;
    struct applier *a;
    struct log_reader *reader;
    struct log_batch batch;
    struct apply_move move;
};

static void set_epoch(struct flight_test *t, int epoch)
{
    char sql[160];
    struct ll_error err;

    snprintf(sql, sizeof(sql), "update %s.checkpoint set epoch = %d", t->g.schema, epoch);
    if (pg_script(t->f.connection, sql, &err) != LL_OK) suite_die("%s", err.text);
}

static void open_test(struct flight_test *t, struct suite *s, size_t events)
{
    struct ll_error err;
    const struct record *last;

    folded_open(&t->f, s, NULL);
    if (events > 0) folded_append(&t->f, events, 7);
    if (generation_create(t->f.connection, t->f.projection, GENERATION_PROJECT, &t->g,
                          &err) != LL_OK ||
        applier_open(t->f.log.conninfo, t->f.projection, &t->g, &t->a, &err) != LL_OK)
        suite_die("%s", err.text);
    set_epoch(t, 5);
    t->reader = testlog_reader(&t->f.log);
    if (log_reader_next(t->reader, 1000, 1000, &t->batch, &err) != LL_OK)
        suite_die("%s", err.text);
    if (t->batch.count == 0) return;
    last = &t->batch.records[t->batch.count - 1];
    t->move = (struct apply_move){.topic = last->topic,
                                  .partition = last->partition,
                                  .epoch = 5,
                                  .is = last->sequence,
                                  .id = last->id,
                                  .time = last->time};
}

static void close_test(struct flight_test *t)
{
    log_reader_close(t->reader);
    applier_close(t->a);
    folded_close(&t->f);
}

static ll_rc fly(struct flight_test *t, struct ll_error *err)
{
    ll_rc rc = applier_send(t->a, t->batch.records, t->batch.count, &t->move, 1, err);

    if (rc == LL_OK) rc = applier_wait(t->a, 5000, err);
    if (rc != LL_OK) printf("  %s\n", err->text);
    return rc;
}

static bool says(struct flight_test *t, const char *sql, const char *expected)
{
    char *is = folded_ask(&t->f, &t->g, sql);
    bool same = strcmp(is, expected) == 0;

    if (!same) printf("is %s, not %s\n", is, expected);
    free(is);
    return same;
}

static void a_flight_moves_rows_and_checkpoint(struct suite *s)
{
    struct flight_test t = {0};
    struct ll_error err = {0};

    open_test(&t, s, 500);
    OK(t.batch.count == 500);
    OK(fly(&t, &err) == LL_OK);
    OK(says(&t, "select count(*) from %s.trace", "500"));
    OK(says(&t, "select sum(sequence) from %s.checkpoint", "500"));
    OK(says(&t, "select max(events) from %s.tally", "500"));
    close_test(&t);
}

static void every_kind_of_value_arrives(struct suite *s)
{
    struct flight_test t = {0};
    struct ll_error err = {0};

    srand(5);
    open_test(&t, s, 50);
    OK(fly(&t, &err) == LL_OK);
    OK(says(&t,
            "select count(*) from %s.tally where parts->>0 = (round(ratio * 3))::text"
            " and (parts->>1)::int = (parts->>0)::int + 1"
            " and is_odd = ((parts->>0)::int % 2 = 1)"
            " and note is not distinct from case when (parts->>0)::int % 5 <> 0"
            "   then 'it''s \xc3\xa9' end",
            "1"));
    OK(says(&t,
            "select count(*) from %s.trace join %s.tally on id = last_id"
            " where trace.key = 'k7' and at = 50",
            "1"));
    close_test(&t);
}

static void a_stale_epoch_writes_nothing(struct suite *s)
{
    struct flight_test t = {0};
    struct ll_error err = {0};

    open_test(&t, s, 20);
    set_epoch(&t, 6);
    OK(fly(&t, &err) == LL_ECONFLICT);
    OK(strstr(err.text, "LL001") != NULL);
    OK(says(&t, "select count(*) from %s.trace", "0"));
    OK(says(&t, "select sum(sequence) from %s.checkpoint", "0"));
    close_test(&t);
}

static void a_stale_position_writes_nothing(struct suite *s)
{
    struct flight_test t = {0};
    struct ll_error err = {0};

    open_test(&t, s, 20);
    OK(fly(&t, &err) == LL_OK);
    OK(fly(&t, &err) == LL_ECONFLICT); /* the same once more */
    OK(says(&t, "select count(*) from %s.trace", "20"));
    close_test(&t);
}

/* The second goes before the first has answered: it must fail with it. */
static void a_flight_behind_a_failed_one_fails_too(struct suite *s)
{
    struct flight_test t = {0};
    struct ll_error err = {0};

    open_test(&t, s, 20);
    t.move.epoch = 4;
    OK(applier_send(t.a, t.batch.records, 10, &t.move, 1, &err) == LL_OK);
    t.move.epoch = 5;
    OK(applier_send(t.a, t.batch.records, 20, &t.move, 1, &err) == LL_OK);
    OK(applier_flying(t.a) == 2);
    OK(applier_wait(t.a, 5000, &err) == LL_ECONFLICT);
    applier_close(t.a);
    t.a = NULL;
    OK(says(&t, "select count(*) from %s.trace", "0"));
    close_test(&t);
}

static void a_failing_event_is_named(struct suite *s)
{
    struct flight_test t = {0};
    struct ll_error err = {0};
    char id[UUID_TEXT];

    open_test(&t, s, 0);
    folded_append(&t.f, 3, 1);
    folded_append_poison(&t.f);
    if (log_reader_next(t.reader, 1000, 1000, &t.batch, &err) != LL_OK)
        suite_die("%s", err.text);
    OK(t.batch.count == 4);
    t.move = (struct apply_move){.topic = t.f.log.topic,
                                 .partition = t.batch.records[0].partition,
                                 .epoch = 5,
                                 .is = 4,
                                 .id = t.batch.records[3].id,
                                 .time = t.batch.records[3].time};
    OK(fly(&t, &err) == LL_EBROKEN);
    uuid_print(&t.batch.records[3].id, id);
    OK(strstr(err.text, id) != NULL && strstr(err.text, "test.counted") != NULL);
    OK(strstr(err.text, "at 4") != NULL);
    OK(strstr(err.text, "projections/counts/apply.sql:2") != NULL);
    OK(strstr(err.text, "integer out of range (22003)") != NULL);
    OK(says(&t, "select count(*) from %s.trace", "0"));
    close_test(&t);
}

static void a_lost_connection_is_passing(struct suite *s)
{
    struct flight_test t = {0};
    struct ll_error err = {0};

    open_test(&t, s, 20);
    testlog_run(&t.f.log, "select pg_terminate_backend(pid) from pg_stat_activity"
                          " where application_name = 'landlog projector writer'");
    OK(fly(&t, &err) == LL_EDATABASE);
    close_test(&t);
}

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    RUN(a_flight_moves_rows_and_checkpoint);
    RUN(every_kind_of_value_arrives);
    RUN(a_stale_epoch_writes_nothing);
    RUN(a_stale_position_writes_nothing);
    RUN(a_flight_behind_a_failed_one_fails_too);
    RUN(a_failing_event_is_named);
    RUN(a_lost_connection_is_passing);
    printf("%lu checks, %lu failed\n", s->checks, s->failed);
    return s->failed > 0 || s->checks == 0;
}
