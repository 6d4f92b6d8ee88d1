/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_life.c - what reactors, timers and jobs do when nothing is wrong, and how one
 * that cannot go on says so. */
#include "react_subjects.h"

#include "folded.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"
#include "core/react/job.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

void each_fact_is_on_the_log_once(struct suite *s)
{
    struct reacted r;
    pid_t reactor;

    srand(1);
    reacted_open(&r, s);
    reacted_append(&r, 500, -1);
    reactor = reacted_start(&r, NULL, 2);
    OK(reacted_wait(&r, PATIENCE_S));
    for (int i = 0; i < 10; i++) {
        reacted_append(&r, 1 + (size_t)(rand() % 50), -1);
        reacted_sleep(rand() % 50);
    }
    OK(reacted_wait(&r, PATIENCE_S));
    OK(reacted_is_right(&r));
    /* in the order of their causes, where these are of one partition */
    OK(reacted_number(&r, "select count(*) from (select c.sequence, lag(c.sequence) over"
                          "   (partition by c.partition, n.partition order by n.sequence)"
                          "   as before from landlog.event n join landlog.event c"
                          "   on c.id = n.causation where n.type = 'test.noted') o"
                          " where before > sequence") == 0);
    OK(reacted_end(reactor, SIGTERM) == 0);
    reacted_close(&r);
}

void it_keeps_up(struct suite *s)
{
    enum { EVENTS = 12000 };
    struct reacted r;
    int64_t start;
    pid_t reactor;

    srand(2);
    reacted_open(&r, s);
    for (int i = 0; i < 4; i++) reacted_append(&r, EVENTS / 4, -1);
    reactor = reacted_start(&r, NULL, 2);
    start = clock_monotonic_us();
    OK(reacted_wait(&r, 2 * PATIENCE_S));
    printf("  %.0f facts/s from the start of the process to the end of folding them\n",
           EVENTS * 4 / 3.0 * 1e6 / (double)(clock_monotonic_us() - start));
    OK(reacted_is_right(&r));
    OK(reacted_end(reactor, SIGTERM) == 0);
    reacted_close(&r);
}

/* ---- timers ---- */

static bool have_rung(void *context)
{
    struct reacted *r = context;

    return reacted_number(r, "select count(*) from landlog.event where"
                             " type = 'test.rang'") >= r->bells / 2;
}

void a_timer_rings_once_and_not_early(struct suite *s)
{
    struct reacted r;
    pid_t reactor;
    int64_t start;

    srand(7);
    reacted_open(&r, s);
    reactor = reacted_start(&r, NULL, 1);
    reacted_append(&r, 5, -1);
    OK(reacted_wait(&r, PATIENCE_S));
    for (int i = 0; i < 60; i++) {
        uint64_t bell = reacted_set_bell(&r);

        if (bell % 2 == 0) reacted_call_off(&r, bell);
        reacted_sleep(rand() % 20);
        if (i % 12 != 0) continue;
        reacted_end(reactor, SIGKILL);
        reactor = reacted_start(&r, NULL, 1);
    }
    start = clock_monotonic_us();
    OK(wait_until(PATIENCE_S, have_rung, &r));
    OK(reacted_wait(&r, PATIENCE_S));
    printf("  the last rang %" PRId64 " ms behind its setting\n",
           (clock_monotonic_us() - start) / 1000);
    OK(reacted_is_right(&r));
    OK(reacted_number(
           &r, "select count(*) from %s.rung where times <> 1 or bell % 2 = 0") == 0);
    OK(reacted_number(&r, "select count(*) from %s.rung") == r.bells / 2);
    OK(reacted_number(&r, "select count(*) from landlog.event t join landlog.event c"
                          " on c.id = t.causation where t.type = 'test.rang'"
                          " and t.time < c.time + 400") == 0);
    OK(reacted_end(reactor, SIGTERM) == 0);
    reacted_close(&r);
}

/* ---- halting ---- */

static bool is_halted(void *context)
{
    struct reacted *r = context;

    return reacted_number(r, "select count(*) from landlog.generation"
                             " where halted is not null") == 1;
}

void a_fact_that_its_schema_refuses_halts(struct suite *s)
{
    struct reacted r;
    pid_t reactor;
    char *why;

    srand(8);
    reacted_open(&r, s);
    reactor = reacted_start(&r, NULL, 1);
    reacted_append(&r, 10, -1);
    OK(reacted_wait(&r, PATIENCE_S));
    reacted_append(&r, 1, 1);
    reacted_append_poison(&r);
    OK(wait_until(PATIENCE_S, is_halted, &r));
    why = reacted_ask(&r, "select halted from landlog.generation");
    OK(strstr(why, "outgoing fact \"") == why && strstr(why, "test.noted") != NULL &&
       strstr(why, "/n") != NULL);
    if (strstr(why, "/n") == NULL) puts(why);
    free(why);
    /* what came before it of that partition is on the log */
    OK(reacted_number(&r, "select count(*) from landlog.event where"
                          " type = 'test.noted'") == 11);
    OK(reacted_end(reactor, 0) != 0); /* by itself: nothing is left to do */
    reacted_close(&r);
}

/* ---- jobs ---- */

static const char *job_conninfo;

/* Says when it began and ended; fails in every third run. */
static ll_rc do_test_job(const struct react_context *context, struct ll_error *err)
{
    PGconn *connection;
    ll_rc rc = pg_connect(job_conninfo, "job", &connection, err);

    (void)context;
    if (rc == LL_OK)
        rc = pg_script(connection, "insert into public.did (ended) values (false)", err);
    reacted_sleep(30);
    if (rc == LL_OK)
        rc = pg_script(connection, "insert into public.did (ended) values (true)", err);
    PQfinish(connection);
    return rc == LL_OK ? ll_fail(err, LL_ESYSTEM, "said to fail") : rc;
}

static const struct react_job test_jobs[] = {{"test-job", 100, do_test_job}, {0}};

static void run_jobs(const struct reacted *r)
{
    struct job_runner *jobs = job_runner_new(test_jobs, r->log.settings, r->registry);
    int64_t end = clock_monotonic_us() + 8000000;

    while (clock_monotonic_us() < end) {
        job_runner_step(jobs);
        reacted_sleep(20);
    }
    job_runner_free(jobs);
}

void jobs_run_once_at_a_time(struct suite *s)
{
    struct reacted r;
    pid_t runners[3];
    char *error;

    reacted_open(&r, s);
    job_conninfo = r.log.conninfo;
    testlog_run(&r.log, "create table public.did (n bigint generated always as identity,"
                        " ended boolean)");
    for (size_t i = 0; i < LL_LENGTH(runners); i++) {
        fflush(stdout);
        runners[i] = fork();
        if (runners[i] == 0) {
            run_jobs(&r);
            _exit(0);
        }
    }
    reacted_sleep(2500);
    for (size_t i = 1; i < LL_LENGTH(runners); i++) reacted_end(runners[i], SIGKILL);
    testlog_run(&r.log, "delete from public.did where n = (select max(n) from public.did)"
                        " and not ended");
    OK(reacted_end(runners[0], 0) == 0);
    OK(reacted_number(&r, "select count(*) from public.did where ended") >= 5);
    /* begun and ended by turns: never two at once */
    OK(reacted_number(&r,
                      "select count(*) from (select ended, lag(ended) over (order by n)"
                      " as before from public.did) d where ended = before") == 0);
    error = reacted_ask(&r, "select error from landlog.job where name = 'test-job'");
    OK(strcmp(error, "said to fail") == 0);
    free(error);
    reacted_close(&r);
}
