/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* keep.h - what `landlog project` and `landlog react` share: load those named, or all of
 * a kind, and keep them until told to stop. */
#ifndef LL_KEEP_H
#define LL_KEEP_H

#include "core/cli/command.h"
#include "core/projection/keeper.h"

struct keep_kind {
    const char *name; /* of the command */
    bool reactors;
    const struct keeper_addition *addition;
    /* Work besides, called several times a second; may be NULL. */
    void *(*start)(const struct settings *settings, const struct registry *registry);
    void (*step)(void *besides);
    void (*stop)(void *besides);
};

/* The exit status. */
int keep_run(const struct command_line *line, const struct keep_kind *kind);

#endif
