/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* jobs.c - the table of jobs: one extern, one row each (core/react/job.h). */
#include "core/react/job.h"

#include "consumers/content_jobs.h"

/* One a line, so that two changes do not meet. */
/* clang-format off */
const struct react_job react_jobs[] = {
    {"content-snapshots", 6 * 3600 * 1000, content_snapshots_run},
    {"content-garbage", 6 * 3600 * 1000, content_garbage_run},
    {"content-denylist", 120 * 1000, content_denylist_run},
    {0},
};
