/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* project_command.c - `landlog project`: keep the read models up with the log. */
#include "core/cli/command.h"
#include "core/projection/keeper.h"
#include "core/base/note.h"

#include <signal.h>
#include <string.h>

enum { STEP_MS = 100 };

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
    (void)number;
    is_stopping = 1;
}

static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static void load_one(const char *name, const struct registry *registry,
                     struct projection **out, size_t *n)
{
    struct ll_error err;

    if (*n == KEEPER_PROJECTIONS) die("more than %d projections", KEEPER_PROJECTIONS);
    if (projection_load(name, registry, &out[(*n)++], &err) != LL_OK) die("%s", err.text);
}

/* Those named, or all. */
static size_t load(const struct command_line *line, const struct registry *registry,
                   struct projection **out)
{
    size_t n = 0;
    const char *name;

    for (size_t i = 0; i < line->argument_count; i++) {
        if (projection_name_is_reactor(line->arguments[i]))
            die("\"%s\" is a reactor: landlog react runs it", line->arguments[i]);
        load_one(line->arguments[i], registry, out, &n);
    }
    for (size_t i = 0;
         line->argument_count == 0 && (name = projection_name_at(i)) != NULL; i++)
        if (!projection_name_is_reactor(name)) load_one(name, registry, out, &n);
    return n;
}

static int keep(const struct keeper_options *options)
{
    struct keeper *k = keeper_new(options);
    struct ll_error err;
    ll_rc rc = LL_OK;

    while (!is_stopping && rc == LL_OK) rc = keeper_step(k, STEP_MS, &err);
    keeper_free(k);
    if (rc != LL_OK) note(NOTE_ERROR, "stopped", NOTE_S("why", err.text));
    return rc != LL_OK;
}

static int project_run(const struct command_line *line)
{
    struct projection *projections[KEEPER_PROJECTIONS] = {NULL};
    struct keeper_options options = {.settings = line->settings,
                                     .projections =
                                         (const struct projection *const *)projections};
    struct registry *registry;
    struct ll_error err;
    int status;

    catch_signals();
    if (registry_load(&registry, &err) != LL_OK) die("%s", err.text);
    options.registry = registry;
    options.count = load(line, registry, projections);
    status = keep(&options);
    for (size_t i = 0; i < options.count; i++) projection_free(projections[i]);
    registry_free(registry);
    return status;
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
