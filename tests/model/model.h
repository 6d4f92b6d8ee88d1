/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* model.h - the log as plain data, and the actors that work on it one step at a time.
 *
 * A step is what happens at once in the real system: one statement, one transaction's
 * commit, one record that lands on Kafka. Between any two steps anything else may
 * happen, which is what the scheduler (world.c) is for: all chance comes from one seed.
 *
 *   client     loads a position, decides, sends; settles what it does not know
 *   worker     takes waiting commands as a batch to the referee
 *   relay      fences, imports, opens the gate, then copies rows to Kafka
 *   projector  folds the log into the view, batch and checkpoint together
 *   reader     follows the log with a memory of its own
 *
 * An actor holds a connection: a database and its identity then. A restart, restore or
 * promotion changes the identity, and whoever held the old one has lost it.
 */
#ifndef LL_MODEL_H
#define LL_MODEL_H

#include "promises.h"

enum {
    PARTITIONS = 3,
    TAGS = 5,
    KEYS = 40,      /* requests of a schedule */
    ATTEMPTS = 200, /* decisions of a schedule */
    EVENTS = 120,   /* of a partition */
    RECORDS = 500,  /* of a partition on Kafka */
    FLIGHT = 16,    /* records on their way to a partition */
    BATCH = 3,
    CLIENTS = 5,
    WORKERS = 3,
    RELAYS = 2,
    PROJECTORS = 2,
    READERS = 2,
    NOBODY = 0 /* ids of processes begin at 1 and are used once */
};

/* What is left out of the sound shape: each must be caught. */
enum fault {
    FAULT_NONE,
    FAULT_ONE_HEAD,        /* a head per tag, not per (tag, partition) */
    FAULT_OLD_SNAPSHOT,    /* what is judged was read before the lock */
    FAULT_PARTITION_LOCKS, /* a lock per partition, not one */
    FAULT_HALF_COMMAND,    /* events taken singly, though a fence may cut their command */
    FAULT_QUIET_CHECKPOINT, /* a checkpoint that matches no row instead of raising */
    FAULT_NO_FENCE,         /* a relay that only reads to the end, then writes */
    FAULT_NO_VOID,          /* readers that take records of a lower epoch */
    FAULT_NO_GATE,          /* a restored database that accepts at once */
    FAULT_BLIND_RESUME,     /* a reader that resumes at any record of its last event */
    FAULT_SEQUENCE_ALONE,   /* an answer as soon as some event has its sequence */
    FAULT_UNSETTLED,        /* a refusal given though an earlier send is not settled */
    FAULT_MERGE,            /* rows kept that were judged beside another database's */
    FAULT_TRUSTING,         /* a reader that does not look for its last event */
    FAULT_SAME_ID,          /* events compared without their times */
    FAULT_ACKNOWLEDGED,     /* rows dropped that were acknowledged, not applied */
    FAULT_NUMBER_ALONE,     /* a fence is another's when its epoch is above one's own */
    FAULTS
};

/* What was met, to be printed and demanded. */
enum count {
    COUNT_ACCEPTED,
    COUNT_CONFLICT,
    COUNT_RETRY,
    COUNT_DUPLICATE,
    COUNT_REUSED,
    COUNT_CLOSED,
    COUNT_SEVERAL,    /* accepted commands of several events */
    COUNT_SENT_AGAIN, /* outcomes unknown, settled by sending again */
    COUNT_RACED,      /* a request sent by two clients */
    COUNT_LAGGED,     /* decided on a position behind the log */
    COUNT_CRASH,
    COUNT_PAUSE,
    COUNT_FENCE,
    COUNT_FENCE_LOST, /* another's fence came first */
    COUNT_TAKEOVER,   /* of a relay's or a projector's lease */
    COUNT_IMPORTED,   /* events that Postgres lacked */
    COUNT_TWICE,      /* valid records that readers had passed */
    COUNT_VOID,       /* of a lower epoch, behind a fence */
    COUNT_FOREIGN,
    COUNT_RAISED,     /* flights refused by the checkpoint */
    COUNT_TERMINATED, /* flights ended by who took over */
    COUNT_RESTARTED,  /* databases: crashed and started again */
    COUNT_RESTORED,   /* brought back from before */
    COUNT_PROMOTED,   /* a lagging copy promoted while the old one lives on */
    COUNT_OVERTAKEN,  /* databases that learnt that they are not the log any more */
    COUNT_REBUILT,    /* emptied and read back from Kafka */
    COUNTS
};

struct event {
    uint32_t attempt, key, body, partition, index, size, sequence, tags; /* tags: bits */
    int64_t time;
};

/* ---- Kafka ---- */

enum record_kind { RECORD_EVENT, RECORD_FENCE, RECORD_FOREIGN };

struct kafka_record {
    enum record_kind kind;
    uint32_t epoch, writer;
    uint32_t lineage; /* of the writer's database */
    struct event event;
};

struct kafka_partition {
    struct kafka_record records[RECORDS];
    uint32_t count;
    struct kafka_record lost[FLIGHT]; /* of crashed producers: may still land, in order */
    uint32_t lost_count;
};

/* What a reader makes of a partition of Kafka: zero it, then kafka_read(). */
struct reading {
    uint32_t claimed;       /* the relay's epoch */
    uint32_t own[2], since; /* lineages that a relay's database had and has; an epoch */
    bool is_other;          /* after that epoch, yet another lineage fenced */
    uint32_t epoch, writer; /* of the last fence that counts */
    uint32_t count, seen; /* events of whole commands; all, with a command's first part */
    uint32_t twice, voids, foreign;
    bool has_gap, has_two; /* a sequence was missed; two events share one */
    const struct event *events[EVENTS];
};

/* ---- Postgres ---- */

struct view {
    struct event
        last[PARTITIONS]; /* the checkpoint: last event applied; sequence 0: none */
    uint32_t epoch[PARTITIONS], owner[PARTITIONS]; /* leases */
    uint32_t flight[PARTITIONS]; /* whose open transaction has the checkpoint's row */
    uint64_t events[TAGS], sum[TAGS];
};

struct key {
    bool is_used;
    uint32_t body;
    struct event last;
};

/* What the referee judges by. */
struct heads {
    uint32_t sequence[TAGS][PARTITIONS];
    struct key keys[KEYS];
};

struct database {
    bool is_up;
    uint32_t identity, gate;    /* the gate is open when they are equal */
    uint32_t lineage;           /* a new one after a restore, not after a restart */
    uint32_t reconciled, epoch; /* lineage and epoch that last opened the gate */
    int64_t clock;              /* behind or ahead of the others' */
    uint32_t lock[PARTITIONS];  /* the referee's is [0]; holder */
    struct event rows[PARTITIONS][EVENTS];
    uint32_t last[PARTITIONS], kept[PARTITIONS]; /* rows kept < sequence <= last */
    uint32_t relayed[PARTITIONS];
    uint32_t relay; /* who has the relay's lease */
    struct heads heads;
    struct view view;
};

struct connection {
    uint32_t database, identity;
};

/* ---- actors ---- */

struct actor {
    uint32_t id;     /* of the process; a new one after a crash */
    uint32_t paused; /* until this step */
    int state;
    struct connection at;
};

/* A decision: sent unchanged until it is answered. */
struct attempt {
    uint32_t key, body, partition, size, tags, guards; /* tags, guards: bits */
    uint32_t as_of[PARTITIONS];
    enum history_answer answer;
    struct event place; /* sequence 0: not claimed */
};

struct client {
    struct actor actor;
    uint32_t key, body, attempt, tries, ticket; /* the ticket names the last send */
    bool is_unsettled; /* an earlier send may still be carried out */
    enum history_answer verdict;
    struct event place;
};

struct worker {
    struct actor actor;
    bool is_orphan; /* nobody waits for the answer; the server goes on all the same */
    uint32_t count, client[BATCH], attempt[BATCH], ticket[BATCH];
    enum history_answer verdict[BATCH];
    struct event place[BATCH];
    struct heads snapshot;
};

struct relay {
    struct actor actor;
    uint32_t epoch;
    struct kafka_record memory[PARTITIONS][BATCH]; /* rows read and not yet produced */
    uint32_t memory_count[PARTITIONS];
    struct kafka_record flight[PARTITIONS][FLIGHT];
    uint32_t flight_count[PARTITIONS];
    uint32_t read[PARTITIONS], acked[PARTITIONS];
};

struct projector {
    struct actor actor;
    uint32_t partition, epoch, count;
    bool is_ours; /* the checkpoint was as we left it */
    struct event last, batch[BATCH];
};

struct reader {
    struct actor actor;
    struct event last[PARTITIONS], passed[PARTITIONS][EVENTS];
};

struct world {
    uint64_t random;
    enum fault fault;
    bool is_kafka;
    bool is_calm; /* the end: no more requests, crashes and chance */
    bool has_copy;
    uint32_t step, ids, tickets, current, attempt_count, key_count;
    int64_t clock;
    struct ll_error broken; /* what an actor found; rc LL_OK: nothing */
    uint64_t *counts;
    struct database databases[2], copy; /* a backup, or a replica that lags */
    struct kafka_partition kafka[PARTITIONS];
    struct attempt requests[KEYS], attempts[ATTEMPTS];
    struct client clients[CLIENTS];
    struct worker workers[WORKERS];
    struct relay relays[RELAYS];
    struct projector projectors[PROJECTORS];
    struct reader readers[READERS];
};

/* ---- world.c: chance, connections, and the schedule ---- */

uint32_t pick(struct world *w, uint32_t n); /* 0 .. n-1 */
/* One in n; never when calm. */
bool chance(struct world *w, uint32_t n);
void count(struct world *w, enum count c);
void connect_to(struct world *w, struct actor *a);
/* The database, or NULL when the connection is lost. */
struct database *database_of(struct world *w, const struct actor *a);
bool is_gate_open(const struct world *w, const struct database *d);
/* Record a breach in a partition; the first one stays. */
void breach(struct world *w, const char *what, uint32_t partition, uint32_t sequence);
/* Another database becomes the current one: a copy of `from` (NULL: an empty one). */
void failover(struct world *w, const struct database *from, bool old_lives);

/* Run one schedule; LL_EBROKEN with the promise that did not hold. */
ll_rc world_run(uint64_t seed, enum fault fault, uint64_t counts[COUNTS],
                struct ll_error *err);

/* ---- referee.c ---- */

void referee_insert(struct world *w, struct database *d, const struct event *e);
void worker_step(struct world *w, struct worker *k);
void worker_crash(struct world *w, struct worker *k);

/* ---- client.c ---- */

enum client_state { CLIENT_IDLE, CLIENT_DECIDE, CLIENT_SEND, CLIENT_WAIT, CLIENT_APPLY };

void client_step(struct world *w, struct client *c);
/* The answer will not come: the outcome is unknown. */
void client_lose(struct world *w, struct client *c);
/* The answer is in `verdict` and `place`. */
void client_answer(struct world *w, struct client *c);

/* ---- store.c: Kafka, and reading either store ---- */

void kafka_land(struct world *w, uint32_t partition, const struct kafka_record *r);
/* Go over records `from` to `end` by the rules of readers, save those in `fault`. */
void kafka_read(const struct world *w, uint32_t partition, uint32_t from, uint32_t end,
                enum fault fault, struct reading *r);
/* As all readers must in the end agree to read it. */
void kafka_read_all(const struct world *w, uint32_t partition, struct reading *r);
bool is_same_event(enum fault fault, const struct event *a, const struct event *b);
/* Up to `max` events behind `last`, which must itself be there. */
uint32_t log_read(struct world *w, const struct database *d, uint32_t partition,
                  const struct event *last, struct event *out, uint32_t max);
void reader_step(struct world *w, struct reader *r);

/* ---- relay.c, projector.c ---- */

void relay_step(struct world *w, struct relay *r);
void relay_crash(struct world *w, struct relay *r);
/* Let a record of a relay that is on its way arrive. */
void network_step(struct world *w);
void projector_step(struct world *w, struct projector *p);
void projector_crash(struct world *w, struct projector *p);

#endif
