/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* reactor.h - reactors as plain data: generations with state, checkpoint and `outgoing`,
 * movers, a referee that knows keys and heads, and a log that has both the inputs and
 * what was emitted. One step at a time, in an order that one seed decides.
 *
 * The inputs are counted by key over all partitions, so that what triggers a fact depends
 * on how partitions are interleaved. From them follow
 *   note   one for each event
 *   level  one for every third event of a key
 *   bell   a timer, which an event of the same partition may call off
 */
#ifndef LL_REACTOR_MODEL_H
#define LL_REACTOR_MODEL_H

#include "core/base/base.h"

/* What is left out of the sound shape: each must be caught. */
enum reactor_fault {
    REACTOR_SOUND,
    REACTOR_DELETE_FIRST,      /* rows are deleted, then appended */
    REACTOR_TRUST_LOST,        /* a lost answer is taken for a yes */
    REACTOR_ID_OF_TRIGGER,     /* id and guard from the event that led to it */
    REACTOR_NO_GUARD,          /* the key alone, which is forgotten */
    REACTOR_REBUILD_EMITS,     /* a mover at work on a generation that is built */
    REACTOR_SWAP_DROPS,        /* nothing of `outgoing` survives a swap */
    REACTOR_PRUNE_BY_POSITION, /* emitted is what the live one has passed and has not */
    REACTOR_APART,             /* state and `outgoing` commit one behind the other */
    REACTOR_FAULTS
};

/* What was met, to be printed and demanded. */
enum reactor_count {
    REACTOR_ACCEPTED,
    REACTOR_DUPLICATE, /* found by key */
    REACTOR_CONFLICT,  /* found by the guard alone */
    REACTOR_LOST,      /* answers */
    REACTOR_LATE,      /* appends carried out when nobody waited any more */
    REACTOR_PURGED,    /* keys forgotten */
    REACTOR_CRASH,
    REACTOR_PAUSE,
    REACTOR_TAKEOVER,
    REACTOR_RAISED, /* flights refused by the checkpoint */
    REACTOR_SWAP,
    REACTOR_ABANDONED, /* rebuilds that were dropped half way */
    REACTOR_PRUNED,
    REACTOR_KEPT, /* rows that a swap left to be emitted */
    REACTOR_RANG,
    REACTOR_CALLED_OFF,
    REACTOR_COUNTS
};

/* Run one schedule; LL_EBROKEN with the promise that did not hold. */
ll_rc reactor_model_run(uint64_t seed, enum reactor_fault fault,
                        uint64_t counts[REACTOR_COUNTS], struct ll_error *err);

#endif
