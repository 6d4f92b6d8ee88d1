/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* append_load.h - guarded appends: one load, two shapes that carry it. */
#ifndef LL_APPEND_LOAD_H
#define LL_APPEND_LOAD_H

#include "core/log/referee.h"

enum { LOAD_PARTITIONS = 16, LOAD_GUARDS = 2, LOAD_DATA = 400, LOAD_WORKERS = 4 };

/* One command, before a shape gives it its form: two tags, guarded and written, and one
 * event of LOAD_DATA bytes. */
struct load_command {
    uint64_t key;
    uint32_t partition;
    uint64_t tags[LOAD_GUARDS];
    uint64_t seen[LOAD_PARTITIONS]; /* decided on */
};

struct load_verdict {
    bool accepted;
    uint64_t sequence;
};

/* A way to append: `open` returns a worker's own state. */
struct load_shape {
    const char *name;
    void *(*open)(const char *conninfo);
    void (*append)(void *own, const struct load_command *commands, size_t n,
                   struct load_verdict *verdicts);
    void (*close)(void *own);
};

extern const struct load_shape landlog_shape, reference_shape;

/* All figures of guarded append, in a database made for them. */
void append_figures(const char *server);

/* ---- shared by the benches of this room ---- */
void bench_database(const char *server, const char *name, char conninfo[1024]);
void bench_drop(const char *server, const char *name);
PGconn *bench_connect(const char *conninfo);
void bench_run(PGconn *connection, const char *sql);
const struct topic *bench_install(const char *conninfo, struct topics *topics);
_Noreturn void bench_die(const char *fmt, ...) LL_PRINTF(1, 2);

#endif
