/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* job_runner.c - see job.h. The owner's thread holds the lease and the row of
 * landlog.job; the job's thread does nothing but the job. */
#include "core/react/job.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/lease.h"
#include "core/log/referee.h"
#include "core/log/worker.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_US = 1000000, RENEW_US = LEASE_RENEW_MS * 1000, BACK_OFF_US = 5000000 };

static const char install_sql[] =
    "begin; set local client_min_messages = warning;" REFEREE_INSTALL_LOCK ";"
    "create table if not exists landlog.job ("
    " name    text        primary key,"
    " runs    bigint      not null default 0,"
    " started timestamptz,"
    " ended   timestamptz," /* of the last run that came to an end */
    " error   text);"       /* why that one failed; null: it did not */
    "commit";

/* $1 name, $2 its interval, $3 ms since this process began, $4 the interval after a
 * failure. */
static const char due_sql[] =
    "select not exists (select from landlog.job j where j.name = $1"
    " and j.ended > clock_timestamp() - $3::bigint * interval '1 ms'"
    " and j.ended > clock_timestamp() - interval '1 ms' *"
    "   case when j.error is null then $2::bigint else least($2::bigint, $4) end)";

static const char begin_sql[] =
    "insert into landlog.job as j (name, started) values ($1, clock_timestamp())"
    " on conflict (name) do update set started = excluded.started";

static const char end_sql[] =
    "update landlog.job set ended = clock_timestamp(), runs = runs + 1, error = $2"
    " where name = $1";

struct job_runner {
    const struct react_job *jobs;
    struct react_context context;
    char owner[WORKER_NAME];
    PGconn *connection; /* NULL: none */
    int64_t start_us, next_look_us, next_renew_us;

    const struct react_job *job; /* at hand; NULL: none */
    struct lease lease;
    pthread_t thread;
    atomic_bool is_stopping, has_ended;
    ll_rc rc; /* of the job that has ended */
    struct ll_error why;
};

struct job_runner *job_runner_new(const struct react_job *jobs,
                                  const struct settings *settings,
                                  const struct registry *registry)
{
    struct job_runner *r = ll_calloc(1, sizeof(*r));

    r->jobs = jobs;
    r->context = (struct react_context){settings, registry, &r->is_stopping};
    r->start_us = clock_monotonic_us();
    worker_name("job", r->owner);
    return r;
}

static void *do_job(void *runner)
{
    struct job_runner *r = runner;

    r->why.text[0] = '\0';
    r->rc = r->job->run(&r->context, &r->why);
    atomic_store(&r->has_ended, true);
    return NULL;
}

/* ---- beginning ---- */

static ll_rc connect_runner(struct job_runner *r, struct ll_error *err)
{
    ll_rc rc;

    if (r->connection != NULL) return LL_OK;
    rc = pg_connect(settings_string(r->context.settings, SETTING_POSTGRES), "jobs",
                    &r->connection, err);
    if (rc == LL_OK)
        rc = referee_install(r->connection, registry_topics(r->context.registry), err);
    if (rc == LL_OK) rc = pg_script(r->connection, install_sql, err);
    return rc;
}

static ll_rc is_due(struct job_runner *r, const struct react_job *job, bool *out,
                    struct ll_error *err)
{
    char every[24], since[24], again[24];
    const char *const values[] = {job->name, every, since, again};
    PGresult *result;
    ll_rc rc;

    snprintf(every, sizeof(every), "%" PRIu64, job->every_ms);
    snprintf(since, sizeof(since), "%" PRId64,
             (clock_monotonic_us() - r->start_us) / 1000);
    snprintf(again, sizeof(again), "%d", JOB_AGAIN_MS);
    rc = pg_query(r->connection, due_sql, values, 4, &result, err);
    if (rc != LL_OK) return rc;
    *out = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return LL_OK;
}

/* Behind the lease: another may have run it since we looked. */
static ll_rc begin_held(struct job_runner *r, const struct react_job *job,
                        struct ll_error *err)
{
    bool due = false;
    ll_rc rc = is_due(r, job, &due, err);

    if (rc == LL_OK && due)
        rc = pg_query(r->connection, begin_sql, &job->name, 1, NULL, err);
    if (rc != LL_OK || !due) {
        lease_release(r->connection, &r->lease);
        return rc;
    }
    r->job = job;
    r->next_renew_us = clock_monotonic_us() + RENEW_US;
    atomic_store(&r->is_stopping, false);
    atomic_store(&r->has_ended, false);
    LL_CHECK(pthread_create(&r->thread, NULL, do_job, r) == 0);
    return LL_OK;
}

static ll_rc begin_due(struct job_runner *r, struct ll_error *err)
{
    ll_rc rc = connect_runner(r, err);

    for (const struct react_job *j = r->jobs;
         rc == LL_OK && r->job == NULL && j->name != NULL; j++) {
        char name[LEASE_NAME];
        bool due = false;

        rc = is_due(r, j, &due, err);
        if (rc != LL_OK || !due) continue;
        snprintf(name, sizeof(name), "job/%s", j->name);
        rc = lease_take(r->connection, r->connection, name, r->owner, &r->lease, err);
        if (rc == LL_OK)
            rc = begin_held(r, j, err);
        else if (rc == LL_ECONFLICT)
            rc = LL_OK; /* another is at it */
    }
    return rc;
}

/* ---- holding and ending ---- */

static ll_rc take_end(struct job_runner *r, struct ll_error *err)
{
    const struct react_job *job = r->job;
    const char *const values[] = {job->name, r->rc == LL_OK ? NULL : r->why.text};
    ll_rc rc = LL_OK;

    pthread_join(r->thread, NULL);
    r->job = NULL;
    if (r->rc != LL_OK)
        note(NOTE_ERROR, "a job failed", NOTE_S("job", job->name),
             NOTE_S("why", r->why.text));
    if (r->connection == NULL || !r->lease.held) return LL_OK;
    rc = pg_query(r->connection, end_sql, values, 2, NULL, err);
    lease_release(r->connection, &r->lease);
    return rc;
}

/* While another may take the lease over, the job at hand must come to an end. */
static ll_rc renew(struct job_runner *r, struct ll_error *err)
{
    ll_rc rc;

    if (!r->lease.held || clock_monotonic_us() < r->next_renew_us) return LL_OK;
    r->next_renew_us = clock_monotonic_us() + RENEW_US;
    rc = lease_renew(r->connection, &r->lease, err);
    if (rc != LL_OK) atomic_store(&r->is_stopping, true);
    return rc;
}

void job_runner_step(struct job_runner *r)
{
    int64_t now = clock_monotonic_us();
    struct ll_error err;
    ll_rc rc = LL_OK;

    if (r->job != NULL) {
        rc = atomic_load(&r->has_ended) ? take_end(r, &err) : renew(r, &err);
        r->next_look_us = 0;
    } else if (now >= r->next_look_us) {
        r->next_look_us = now + LOOK_US;
        rc = begin_due(r, &err);
    }
    if (rc == LL_OK) return;
    note(NOTE_WARNING, "jobs wait", NOTE_S("why", err.text));
    r->lease.held = false; /* the backend that it names is gone */
    PQfinish(r->connection);
    r->connection = NULL;
    r->next_look_us = now + BACK_OFF_US;
}

void job_runner_free(struct job_runner *r)
{
    if (r == NULL) return;
    atomic_store(&r->is_stopping, true);
    if (r->job != NULL && take_end(r, NULL) != LL_OK)
        note(NOTE_WARNING, "a job's end is not in landlog.job");
    PQfinish(r->connection);
    free(r);
}
