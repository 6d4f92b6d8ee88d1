/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* crowd.h - clients that meet on the same tags, and what they saw, for model/promises.h.
 *
 * A command's content (partition, tags, events) follows from its key, so that a repeat of
 * a key is a true repeat. What it was decided on does not: the ends of the partitions as
 * all clients together know them, less a lag that differs a partition.
 */
#ifndef LL_CROWD_H
#define LL_CROWD_H

#include "conformance.h"
#include "model/promises.h"

#include <stdatomic.h>

enum { CROWD_TAGS = 3, CROWD_EVENTS = 2 };

struct attempt {
    uint64_t key;
    unsigned client, number; /* its name: "c<client>-<number>" */
    bool other_body;         /* the key again, and another request */
    uint64_t seen[THINGS_PARTITIONS];
    enum history_answer answer;
    uint32_t at; /* partition */
    uint64_t sequence;
    int64_t time;
};

struct attempts {
    struct attempt *list;
    size_t count, room;
};

struct crowd {
    struct testlog *log;
    unsigned clients, batch;  /* commands of one append, at most */
    unsigned long commands;   /* of all clients together */
    unsigned hot;             /* tags in use at a time; new ones come in steadily */
    unsigned lag;             /* events that a client may be behind in a partition */
    unsigned repeats, reuses; /* percent: keys used again, alike or for another body */
    bool goes_on;             /* an error of Postgres is an unknown answer, no end */
    atomic_bool *stops;       /* ends early when it is set; may be NULL */
    /* What came of it. */
    atomic_ulong sent, next_key, ends[THINGS_PARTITIONS];
    atomic_ulong counts[ANSWER_CLOSED + 1], lost, errors;
    struct attempts *attempts; /* of each client */
};

/* Fill in what a test does not care for. */
void crowd_init(struct crowd *c, struct testlog *log);
void crowd_fini(struct crowd *c);
/* Let the clients run to the end, a thread each. After a lost connection they connect and
 * send the same commands again until they are answered. */
void crowd_run(struct crowd *c);
/* Run one client in the calling thread. */
void crowd_client(struct crowd *c, unsigned client);

/* The command of an attempt. What it points to lives in `arena`. */
struct append_command attempt_command(const struct testlog *log, const struct attempt *a,
                                      unsigned hot, struct arena *arena);

/* Add to a history a crowd's attempts and all that a reader finds on the log; seal it. */
void crowd_history(const struct crowd *c, struct history *out);
/* Add what is on the log, read to the ends that the clients were told of. */
void history_read_log(struct history *h, const struct crowd *c);
/* Check all promises, printing the one that is broken. */
bool crowd_keeps_promises(const struct crowd *c);

#endif
