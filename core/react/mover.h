/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* mover.h - takes what a reactor has decided to the log: rows of `outgoing`
 * (consumers/README.md), in the order of their input partition.
 *
 *   fetch    rows that are due, of the partitions that this process holds, while the
 *            generation is live
 *   append   each as one command: id and key are UUIDv5 of (reactor, subject), and the
 *            tag `once:<reactor>:<subject>` is guarded as of nothing
 *   delete   rows whose fact is on the log: accepted now, or found there
 *
 * So nothing happens twice, whoever is killed, stopped or overtaken between two of these,
 * and whenever it goes on: a fact that was appended and not deleted is appended again and
 * found. The lease's epoch keeps one at work on a partition at a time; what one does that
 * has lost it without knowing is what another has done, or will do.
 *
 * An event is on the log when the referee has accepted it, on both stores. Where the gate
 * is closed, or the relay behind its limit, the mover waits. Data that its schema refuses
 * halts the reactor: LL_EBROKEN, through runner_halt().
 *
 * Threads: its own, started and ended by its owner.
 */
#ifndef LL_MOVER_H
#define LL_MOVER_H

#include "core/projection/keeper.h"

struct mover;

/* Facts since the start. */
struct mover_counts {
    uint64_t accepted, known; /* known: they were on the log already */
};

/* For a generation whose runner is about to start with these options. */
struct mover *mover_start(const struct runner_options *options);
/* The runner whose partitions it works on; nothing is done before. */
void mover_follow(struct mover *m, struct runner *runner);
/* There may be more to do: a flight has committed. From any thread; never blocks. */
void mover_wake(struct mover *m);
struct mover_counts mover_counts(struct mover *m);
/* End it behind the batch at hand, and free. The runner must still be there. */
void mover_stop(struct mover *m);

/* The four above, for a keeper of reactors. */
extern const struct keeper_addition mover_addition;

#endif
