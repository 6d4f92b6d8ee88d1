/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* jobs.c - the table of jobs: one extern, one row each (core/react/job.h). */
#include "core/react/job.h"

/* One a line, so that two changes do not meet. */
/* clang-format off */
const struct react_job react_jobs[] = {
    {0},
};
