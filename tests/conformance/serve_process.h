/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* serve_process.h - `landlog serve` alone, as a child of the test, on a free port and a
 * database of its own. Trouble in here ends the test with a message. */
#ifndef LL_SERVE_PROCESS_H
#define LL_SERVE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SERVE_SETTINGS = 16 };

struct serve_process {
    pid_t pid;
    int port;
    char conninfo[1024];
    char log[600]; /* what it writes to standard error */
};

/* Start it with `settings` ("http.body-limit=4096", NULL ends them) over the defaults and
 * wait until it answers. False where LANDLOG_TEST_POSTGRES is not set. */
bool serve_start(struct serve_process *p, const char *name, const char *const *settings);
/* SIGTERM, and its exit status; 128 + the signal where one ended it. */
int serve_stop(struct serve_process *p);
/* True while it, started once, has not ended. */
bool serve_is_alive(const struct serve_process *p);
/* File descriptors, and KiB of resident memory, of it and its workers together. */
size_t serve_descriptors(const struct serve_process *p);
size_t serve_memory(const struct serve_process *p);

#endif
