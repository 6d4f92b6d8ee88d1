/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* world.h - a whole Landlog for a test: a database of its own, a configuration file, and
 * `landlog up` as a child. Trouble in here ends the test with a message.
 */
#ifndef LL_WORLD_H
#define LL_WORLD_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <sys/types.h>

struct world {
    char name[48];       /* also the database's */
    char folder[512];    /* configuration and logs */
    char conninfo[1024]; /* of the owner */
    char config[600];
    char url[64]; /* "http://127.0.0.1:PORT" */
    bool on_kafka;
    pid_t up;
};

/* Only the database and the configuration, and no blobs; false as below. */
bool world_prepare(struct world *w, const char *name, bool on_kafka);
/* Make the topics anew and bring the log there. */
void world_move_to_kafka(const struct world *w);
/* False when the services it needs are not there (the test then exits 77). Makes the
 * database anew and starts the system. */
bool world_start(struct world *w, const char *name, bool on_kafka);
/* SIGTERM, wait; the exit status of `landlog up`. */
int world_stop(struct world *w);
/* Start `landlog up` (again). Returns when /health answers 200. */
void world_up(struct world *w);
void world_wait_healthy(const struct world *w);

/* Run `landlog <arguments...>` (a NULL ends them) with this world's configuration, its
 * output appended to the folder's command.log. The exit status. */
int world_run(const struct world *w, ...);
/* The pid of one of the running parts ("serve", "project", "relay"); 0 when it is not
 * there just now. */
pid_t world_part(const struct world *w, const char *part);

/* One value of one row, as a heap string the caller frees; ends the test on an error. */
char *world_query(const struct world *w, const char *sql);
void world_recreate_database(struct world *w);

/* Print and exit 1. */
_Noreturn void world_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
