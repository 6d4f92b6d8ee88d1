/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* generation.h - the life of a projection's generations (DESIGN, section 5).
 *
 *   building --> live --> old --> dropped
 *
 * A generation is a schema (`social_g7`) with the projection's tables and a table
 * `checkpoint`: per partition, the sequence and id of the last event applied, and the
 * epoch of the lease under which that was done. What becomes of it:
 *
 *   - A binary works on the live generation of its own identity. Where there is none it
 *     builds one, which goes live when it has caught up. A binary of another identity
 *     keeps its own live one meanwhile, with its own projectors, so both serve.
 *   - `landlog replay` builds one of the same identity beside the live one. The swap is
 *     one transaction: it locks the old checkpoints, waits until the new ones have passed
 *     them, fences the old projectors (an epoch that nobody can have) and changes the
 *     states. Queries go on all the time.
 *   - A live one of another identity, older than ours, that no projector has worked on
 *     for PROJECTOR_LOST_S becomes old.
 *   - Of the old ones the newest is kept: going back to the binary before finds its
 * tables and catches up. The others are dropped GENERATION_KEEP_MS after they were
 *     replaced, unless a front-end has them pinned.
 *
 * All functions block, and run in transactions of their own on `connection`.
 */
#ifndef LL_GENERATION_H
#define LL_GENERATION_H

#include "core/projection/projection.h"

#include <libpq-fe.h>

enum { PROJECTOR_LOST_S = 60 };

/* Who makes it: a projector, because it needs one, or a replay. */
enum generation_builder { GENERATION_PROJECT, GENERATION_REPLAY };
enum generation_state {
    GENERATION_BUILDING,
    GENERATION_LIVE,
    GENERATION_OLD,
    GENERATION_DROPPED
};

/* Tables of schema landlog. Safe at every start, by several processes at once; behind
 * referee_install(). */
ll_rc generation_install(PGconn *connection, struct ll_error *err) LL_MUST_CHECK;

/* Make a schema, its tables and a checkpoint a partition, all or nothing. The SQL is
 * checked against the catalog on the way (catalog_lint.h): LL_EINVAL names file and line.
 */
ll_rc generation_create(PGconn *connection, const struct projection *p,
                        enum generation_builder builder, struct generation *out,
                        struct ll_error *err) LL_MUST_CHECK;

/* What a projector of this binary works on: the live generation of its identity, else the
 * one being built, else an old one (live again), else a new one. LL_ECONFLICT while a
 * replay is at work on the only one. */
ll_rc generation_adopt(PGconn *connection, const struct projection *p,
                       struct generation *out, enum generation_state *state,
                       struct ll_error *err) LL_MUST_CHECK;

/* The unfinished generation of a replay that was interrupted. LL_ENOTFOUND: none. */
ll_rc generation_find_replay(PGconn *connection, const struct projection *p,
                             struct generation *out, struct ll_error *err) LL_MUST_CHECK;

/* Make a building generation live, in the place of the live one of its identity. Waits up
 * to two seconds for it to pass that one's checkpoints, which stand still meanwhile.
 * LL_ETIMEOUT: not there yet, nothing has changed. LL_ECONFLICT: it is not building any
 * more. */
ll_rc generation_swap(PGconn *connection, const struct projection *p,
                      const struct generation *g, struct ll_error *err) LL_MUST_CHECK;

/* Drop every generation of this projection and identity but `keep`, at once: its queries
 * get 503 until `keep` goes live. */
ll_rc generation_drop_others(PGconn *connection, const struct projection *p,
                             const struct generation *keep,
                             struct ll_error *err) LL_MUST_CHECK;

/* Retire and drop as said above. `live`: ours. */
ll_rc generation_sweep(PGconn *connection, const struct projection *p,
                       const struct generation *live, struct ll_error *err) LL_MUST_CHECK;

/* Why it stands still, for `landlog status` and for other processes; NULL: go on. */
ll_rc generation_set_halted(PGconn *connection, const struct generation *g,
                            const char *why, struct ll_error *err) LL_MUST_CHECK;

#endif
