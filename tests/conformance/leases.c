/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* leases.c - one holder at a time, and what becomes of one that was overtaken. */
#include "conformance.h"

#include "core/base/clock.h"
#include "core/log/lease.h"
#include "core/log/worker.h"
#include "core/pg/connect.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pair {
    struct testlog log;
    PGconn *a, *b; /* each takes and writes on its own */
    struct lease lease_a, lease_b;
};

static void pair_open(struct pair *p, const struct suite *s)
{
    testlog_open(&p->log, s);
    p->a = testlog_connect(&p->log);
    p->b = testlog_connect(&p->log);
}

static void pair_close(struct pair *p)
{
    PQfinish(p->a);
    PQfinish(p->b);
    testlog_close(&p->log);
}

static ll_rc take_a(struct pair *p)
{
    return lease_take(p->a, p->a, "work", "a", &p->lease_a, NULL);
}

static ll_rc take_b(struct pair *p)
{
    return lease_take(p->b, p->b, "work", "b", &p->lease_b, NULL);
}

static void expire(const struct pair *p)
{
    testlog_run(&p->log, "update landlog.lease set expires = now() - interval '1 s'");
}

static void a_lease_has_one_holder(struct suite *s)
{
    struct pair p;
    struct lease other;

    pair_open(&p, s);
    OK(take_a(&p) == LL_OK && p.lease_a.held && p.lease_a.epoch == 1);
    OK(take_b(&p) == LL_ECONFLICT && !p.lease_b.held);
    OK(lease_take(p.b, p.b, "other work", "b", &other, NULL) == LL_OK);
    OK(lease_renew(p.a, &p.lease_a, NULL) == LL_OK);
    lease_release(p.a, &p.lease_a);
    OK(!p.lease_a.held);
    OK(take_b(&p) == LL_OK && p.lease_b.epoch == 2);
    OK(take_a(&p) == LL_ECONFLICT);
    pair_close(&p);
}

/* A is stopped in the middle of a transaction, as by SIGSTOP; B overtakes it. */
static void the_overtaken_ones_backend_is_ended(struct suite *s)
{
    struct pair p;
    struct ll_error err;

    pair_open(&p, s);
    testlog_run(&p.log,
                "create table public.work (n int); insert into public.work values (1)");
    OK(take_a(&p) == LL_OK);
    OK(pg_script(p.a, "begin; update public.work set n = 2", &err) == LL_OK);
    expire(&p);
    OK(take_b(&p) == LL_OK && p.lease_b.epoch == 2);
    /* Its lock is gone with its backend. */
    OK(pg_script(p.b, "set lock_timeout = '1s'; update public.work set n = n + 10",
                 &err) == LL_OK);
    OK(pg_script(p.a, "commit", &err) == LL_EDATABASE);
    PQreset(p.a);
    OK(lease_renew(p.a, &p.lease_a, &err) == LL_ECONFLICT && !p.lease_a.held);
    OK(lease_renew(p.b, &p.lease_b, &err) == LL_OK);
    pair_close(&p);
}

static void the_lease_of_a_dead_backend_is_free(struct suite *s)
{
    struct pair p;
    int64_t start;
    ll_rc rc;

    pair_open(&p, s);
    OK(take_a(&p) == LL_OK);
    PQfinish(p.a); /* as kill -9 would end it */
    p.a = NULL;
    start = clock_monotonic_us();
    do {
        rc = take_b(&p);
        if (rc == LL_ECONFLICT) usleep(5000);
    } while (rc == LL_ECONFLICT && clock_monotonic_us() < start + 3000000);
    OK(rc == LL_OK && p.lease_b.epoch == 2);
    pair_close(&p);
}

static void an_owner_that_reconnected_takes_its_own(struct suite *s)
{
    struct pair p;
    struct ll_error err;

    pair_open(&p, s);
    OK(take_a(&p) == LL_OK);
    OK(lease_take(p.b, p.b, "work", "a", &p.lease_b, &err) == LL_OK);
    OK(p.lease_b.epoch == 2);
    OK(pg_script(p.a, "select 1", &err) == LL_EDATABASE); /* its old one was ended */
    pair_close(&p);
}

static void workers_come_and_go(struct suite *s)
{
    struct testlog log;
    char name[WORKER_NAME], *seen;
    struct ll_error err;
    PGconn *connection;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    worker_name("project", name);
    OK(worker_beat(connection, name, "project", "starting", &err) == LL_OK);
    OK(worker_beat(connection, name, "project", "at 7", &err) == LL_OK);
    seen = testlog_ask(&log, "select kind || ' ' || detail from landlog.worker");
    OK(strcmp(seen, "project at 7") == 0);
    free(seen);
    worker_leave(connection, name);
    seen = testlog_ask(&log, "select count(*) from landlog.worker");
    OK(strcmp(seen, "0") == 0);
    free(seen);
    PQfinish(connection);
    testlog_close(&log);
}

void lease_tests(struct suite *s)
{
    RUN(a_lease_has_one_holder);
    RUN(the_overtaken_ones_backend_is_ended);
    RUN(the_lease_of_a_dead_backend_is_free);
    RUN(an_owner_that_reconnected_takes_its_own);
    RUN(workers_come_and_go);
}
