/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* conformance.h - one suite over every store that keeps the log.
 *
 * A subject is a file with tests of the form `static void name(struct suite *s)`. They
 * see the log through core/log's headers and a struct testlog, and never ask which store
 * it is; what only one store has is in a file of its own. A store is a struct
 * testlog_kind: how a log of its kind is made and unmade.
 */
#ifndef LL_CONFORMANCE_H
#define LL_CONFORMANCE_H

#include "core/base/settings.h"
#include "core/event/registry.h"
#include "core/log/reader.h"
#include "core/log/referee.h"

#include <stdio.h>

/* ---- what a test reports ---- */

enum { SUITE_FAILURES = 20 };

struct suite {
    unsigned long checks, failed;
    char failures[SUITE_FAILURES][200]; /* the first ones, told again at the end */
    const char *test;
    const struct testlog_kind *kind;
};

/* Counts, names what failed, goes on. For the thread that runs the test only. */
#define OK(e)     suite_check(s, (e), __FILE__, __LINE__, #e)
#define RUN(test) suite_run(s, #test, test)

bool suite_check(struct suite *s, bool holds, const char *file, int line,
                 const char *what);
void suite_run(struct suite *s, const char *name, void (*test)(struct suite *));
/* Print what failed once more, and the sum; main's exit status. */
int suite_end(const struct suite *s);
/* Trouble that is not the log's (no memory, a server gone): print, exit 1. */
_Noreturn void suite_die(const char *fmt, ...) LL_PRINTF(1, 2);

/* ---- a log of its own for a test ---- */

struct testlog {
    const struct testlog_kind *kind;
    const char *database;
    char conninfo[1024];
    struct settings *settings;
    struct topics topics;
    const struct topic *topic; /* "things": 8 partitions, of service "test" */
    void *own;                 /* the kind's */
};

struct testlog_kind {
    const char *name;
    /* Behind the installed referee: switch the store, start what carries events. */
    void (*start)(struct testlog *log);
    void (*stop)(struct testlog *log);
};

enum { THINGS_PARTITIONS = 8 };
#define TEST_SERVICE "test"

/* A log on the suite's store, empty, in a database that has nothing else. One at a time:
 * it is one database, emptied between tests, which is cheaper than a new one each, and
 * dropped when the process ends. */
void testlog_open(struct testlog *log, const struct suite *s);
void testlog_close(struct testlog *log);
/* Never fails. */
PGconn *testlog_connect(const struct testlog *log);
/* Run statements, which must succeed; on the test's database, or on the server's own. */
void testlog_run(const struct testlog *log, const char *sql);
void testlog_run_on_server(const char *sql);
/* One value, as a heap string. */
char *testlog_ask(const struct testlog *log, const char *sql);
/* Events of one type, made of `data`, which it takes, and appended in bulk. */
void testlog_append_data(PGconn *connection, const struct registry *registry,
                         struct text type, json_t **data, size_t n);
/* A reader over all partitions, from the first event on. */
struct log_reader *testlog_reader(const struct testlog *log);

/* An event of type "test.thing-happened" with nothing but what every event has. `data`
 * and `tags` must live as long as it. */
struct record thing(const struct testlog *log, uint32_t partition, const char *data);
/* A command with a new key and one body, about these events. */
struct append_command command_of(const struct record *events, size_t n);
/* Append one command, which must be answered. */
struct append_answer append_one(PGconn *connection, const struct append_command *command);

/* ---- the subjects ---- */

void verdict_tests(struct suite *s);
void order_tests(struct suite *s);
void reader_tests(struct suite *s);
void contention_tests(struct suite *s);
void outcome_tests(struct suite *s);
/* Of the postgres store alone. */
void unsound_tests(struct suite *s);
void lease_tests(struct suite *s);
void postgres_log_tests(struct suite *s);

#endif
