/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_command.c - `landlog react`: keep the reactors up with the log, take what they
 * decide to it, and do the jobs. */
#include "core/cli/keep.h"
#include "core/react/job.h"
#include "core/react/mover.h"

static void *start_jobs(const struct settings *settings, const struct registry *registry)
{
    return job_runner_new(react_jobs, settings, registry);
}

static void step_jobs(void *runner)
{
    job_runner_step(runner);
}

static void stop_jobs(void *runner)
{
    job_runner_free(runner);
}

static int react_run(const struct command_line *line)
{
    static const struct keep_kind reactors = {.name = "react",
                                              .reactors = true,
                                              .addition = &mover_addition,
                                              .start = start_jobs,
                                              .step = step_jobs,
                                              .stop = stop_jobs};

    return keep_run(line, &reactors);
}

const struct command react_command = {
    .name = "react",
    .summary = "run reactors, timers and jobs",
    .arguments = "[REACTOR]...",
    .help =
        "Keeps the reactors named (all, where none is) up with the log, as `landlog\n"
        "project` does with projections, and appends the events that they decide on, "
        "each\n"
        "once for ever. Jobs (snapshots, garbage) are done by every such process, one "
        "at\n"
        "a time over all. Run it on several machines and they share the partitions. An\n"
        "event that cannot be applied, or of whose facts no valid event can be made,\n"
        "halts its reactor: `landlog status` says why, a new start tries again.",
    .most = KEEPER_PROJECTIONS,
    .run = react_run,
};
