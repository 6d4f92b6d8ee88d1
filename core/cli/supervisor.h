/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* supervisor.h - keeps a set of processes running until told to stop.
 *
 * A child that ends is started again: at once, then after a pause that doubles from 100
 * ms to 10 s and is forgotten once it has run for 2 s. SIGTERM or SIGINT stops all
 * (SIGKILL after 15 s); SIGHUP asks `reload`, and where that says yes replaces each child
 * in turn. A child dies with its supervisor, even by kill -9.
 */
#ifndef LL_SUPERVISOR_H
#define LL_SUPERVISOR_H

#include "core/base/base.h"

#include <sys/types.h>

enum { SUPERVISOR_CHILDREN = 8, SUPERVISOR_ARGUMENTS = 160 };

struct supervisor_child {
    const char *name;
    const char *arguments[SUPERVISOR_ARGUMENTS]; /* of exec; ends with NULL */
    pid_t pid;                                   /* 0: not running */
    int64_t started, start_at;                   /* monotonic us */
    int64_t pause;                               /* us before the next start */
    bool is_replaced; /* told to stop so that it comes back with new settings */
};

struct supervisor {
    struct supervisor_child children[SUPERVISOR_CHILDREN];
    size_t count;
    bool (*reload)(void *context); /* false: keep what runs */
    void *context;
};

/* Run until stopped. 0 when all ended by themselves on being told, 1 when one had to be
 * killed. Blocks its signals itself; the process must have no other threads. */
int supervisor_run(struct supervisor *s);

#endif
