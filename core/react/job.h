/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* job.h - work that comes back every so often and is no event: `landlog react` does it.
 *
 * A job runs once at a time over all processes, under the lease `job/<name>`: when a
 * process starts, unless another has run it since then, and `every_ms` after each end. In
 * one process one job runs at a time, on a thread of its own. A job that fails is noted,
 * shown by `landlog status`, and tried again after JOB_AGAIN_MS, or when it is next due.
 *
 * A process may die in the middle of a job, and one that was stopped may go on while
 * another is at it: what a job does must be fit to be done again, and to be done twice.
 */
#ifndef LL_JOB_H
#define LL_JOB_H

#include "core/base/settings.h"
#include "core/event/registry.h"

#include <stdatomic.h>

enum { JOB_NAME = 64, JOB_AGAIN_MS = 30000 };

struct react_context {
    const struct settings *settings;
    const struct registry *registry;
    /* True: the process is ending, or the lease is lost. A job that takes longer than a
     * second looks now and then, and returns. */
    const atomic_bool *is_stopping;
};

struct react_job {
    const char *name; /* lower case, "content-snapshots" */
    uint64_t every_ms;
    ll_rc (*run)(const struct react_context *context, struct ll_error *err);
};

/* All there are: consumers/jobs.c. The last has no name. */
extern const struct react_job react_jobs[];

/* ---- for whoever runs them ---- */

struct job_runner;

/* `jobs` as above; settings and registry must outlive the runner. */
struct job_runner *job_runner_new(const struct react_job *jobs,
                                  const struct settings *settings,
                                  const struct registry *registry);
/* Begin what is due, hold its lease, take its end; quick. Call it several times a second.
 * Trouble is noted and tried again. */
void job_runner_step(struct job_runner *r);
/* Tell the job at hand to stop, wait for it, free. */
void job_runner_free(struct job_runner *r);

#endif
