/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* project_command.c - `landlog project`: keep the read models up with the log. */
#include "core/cli/keep.h"

static int project_run(const struct command_line *line)
{
    static const struct keep_kind projections = {.name = "project"};

    return keep_run(line, &projections);
}

const struct command project_command = {
    .name = "project",
    .summary = "fold the log into read models",
    .arguments = "[PROJECTION]...",
    .help =
        "Keeps the projections named (all, where none is) up with the log, with\n"
        "project.workers threads for each of a projection's topics. Run it on several\n"
        "machines and they share the partitions. A projection of which there is no live\n"
        "generation for this binary is built first, and goes live when it has caught "
        "up.\n"
        "An event that cannot be applied halts its projection: the line of log says "
        "which\n"
        "event and statement; a new start tries again. It ends with 1 when all are "
        "halted.",
    .most = KEEPER_PROJECTIONS,
    .run = project_run,
};
