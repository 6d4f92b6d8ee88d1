/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* keep.c - see keep.h. */
#include "core/cli/keep.h"

#include "core/base/note.h"

#include <signal.h>

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

static void check_kind(const char *name, const struct keep_kind *kind)
{
    if (projection_name_is_reactor(name) && !kind->reactors)
        die("\"%s\" is a reactor: landlog react runs it", name);
    if (!projection_name_is_reactor(name) && kind->reactors)
        die("\"%s\" is no reactor", name);
}

/* Those named, or all of the kind. */
static size_t load(const struct command_line *line, const struct keep_kind *kind,
                   const struct registry *registry, struct projection **out)
{
    size_t n = 0;
    const char *name;

    for (size_t i = 0; i < line->argument_count; i++) {
        check_kind(line->arguments[i], kind);
        load_one(line->arguments[i], registry, out, &n);
    }
    for (size_t i = 0;
         line->argument_count == 0 && (name = projection_name_at(i)) != NULL; i++)
        if (projection_name_is_reactor(name) == kind->reactors)
            load_one(name, registry, out, &n);
    return n;
}

static int keep(const struct keeper_options *options, const struct keep_kind *kind)
{
    struct keeper *k = keeper_new(options);
    void *besides =
        kind->start != NULL ? kind->start(options->settings, options->registry) : NULL;
    struct ll_error err;
    ll_rc rc = LL_OK;

    while (!is_stopping && rc == LL_OK) {
        rc = keeper_step(k, STEP_MS, &err);
        if (besides != NULL) kind->step(besides);
    }
    if (besides != NULL) kind->stop(besides);
    keeper_free(k);
    if (rc != LL_OK) note(NOTE_ERROR, "stopped", NOTE_S("why", err.text));
    return rc != LL_OK;
}

int keep_run(const struct command_line *line, const struct keep_kind *kind)
{
    struct projection *projections[KEEPER_PROJECTIONS] = {NULL};
    struct keeper_options options = {.kind = kind->name,
                                     .addition = kind->addition,
                                     .settings = line->settings,
                                     .projections =
                                         (const struct projection *const *)projections};
    struct blob_store *blobs = blob_store_new(line->settings);
    struct registry *registry;
    struct ll_error err;
    int status;

    catch_signals();
    if (registry_load(&registry, &err) != LL_OK) die("%s", err.text);
    options.registry = registry;
    options.count = load(line, kind, registry, projections);
    for (size_t i = 0; i < options.count; i++)
        projection_use_blobs(projections[i], blobs);
    status = keep(&options, kind);
    for (size_t i = 0; i < options.count; i++) projection_free(projections[i]);
    blob_store_free(blobs);
    registry_free(registry);
    return status;
}
