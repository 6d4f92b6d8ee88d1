/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_load.h - somebody who appends, somebody who reads, and whether they agree. */
#ifndef LL_KAFKA_LOAD_H
#define LL_KAFKA_LOAD_H

#include "kafka_kind.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- append ---- */

/* A thread that appends commands of 1 to 4 events to random partitions, and sends each
 * again until it is answered, whatever happens to Postgres or the gate. */
struct appender {
    const struct testlog *log;
    unsigned pause_us; /* between two commands */
    pthread_t thread;
    atomic_bool is_over;
    atomic_uint accepted, duplicates; /* commands; the latter were settled by resending */
};

void appender_start(struct appender *a, const struct testlog *log, unsigned pause_us);
void appender_stop(struct appender *a);
/* Until it has had so many more commands accepted. */
void appender_await(struct appender *a, unsigned more);

/* ---- read ---- */

/* A thread that follows all partitions as a projection would: it opens again behind its
 * last event on what passes, and ends on what does not. */
struct follower {
    const struct testlog *log;
    pthread_t thread;
    atomic_bool is_over;
    atomic_ullong count;
    atomic_uint switches; /* of the store */
    unsigned long long void_records;
    struct {
        struct uuid *ids; /* by sequence - 1 */
        size_t count, room;
    } seen[THINGS_PARTITIONS];
    bool is_torn;        /* a sequence came that was not the next */
    _Atomic ll_rc ended; /* LL_OK while it goes on */
    struct ll_error err;
};

void follower_start(struct follower *f, const struct testlog *log);
/* Waits until it has all, ends it, and compares what it saw with landlog.event: the very
 * same. */
void follower_finish(struct follower *f, struct suite *s);
/* Until it has seen so many events, or ended. */
void follower_await(const struct follower *f, unsigned long long count);
/* Until it has had so many switches of the store; false when it has not. (There and back
 * within a second is not noticed.) */
bool follower_await_switches(const struct follower *f, unsigned times);
/* Until it has ended by itself; false when it has not. */
bool follower_await_end(struct follower *f);
void follower_free(struct follower *f);

#endif
