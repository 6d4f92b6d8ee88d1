/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* publish.h - between publish_command.c (reading and checking lines) and publish_append.c
 * (getting them on the log). */
#ifndef LL_PUBLISH_H
#define LL_PUBLISH_H

#include "core/cli/command.h"
#include "core/cli/publish_line.h"
#include "core/log/wake.h"

#include <libpq-fe.h>
#include <stdio.h>

enum { PUBLISH_CONFLICT = 3 }; /* the exit status */

struct publish {
    const struct command_line *line;
    struct publish_rule rule;
    const struct topic *topic;
    FILE *in;
    const char *path;
    bool is_dry, is_verbose, is_guarded;
    uint64_t chunk;

    PGconn *connection;
    struct wake *wake;

    /* The chunk at hand. */
    struct arena arena;
    struct record *records;
    uint64_t *lines;
    size_t count;

    uint64_t line_number, first_line; /* of the input, of the chunk at hand */
    uint64_t published, known;
};

/* Connect, or complain; what follows tries again. */
void publish_connect(struct publish *p);
/* Append the chunk by the bulk path, or die. */
void publish_append_chunk(struct publish *p);
/* Append the chunk as one command on the condition of --expect-position. Returns the
 * exit status. */
int publish_append_guarded(struct publish *p, const char *position);

#endif
