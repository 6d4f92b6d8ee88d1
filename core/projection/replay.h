/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* replay.h - fold the whole log into a new generation, and put it in the place of the
 * live one while queries go on: `landlog replay`.
 *
 * One at a time a projection, by a lease. A replay that was interrupted (kill -9 too) is
 * taken up where its checkpoints are, unless the binary has another identity by then.
 */
#ifndef LL_REPLAY_H
#define LL_REPLAY_H

#include "core/base/settings.h"
#include "core/event/registry.h"
#include "core/projection/lag.h"

enum replay_phase { REPLAY_FOLDING, REPLAY_SWAPPING, REPLAY_DONE };

struct replay_progress {
    enum replay_phase phase;
    const char *schema;
    bool is_resumed;
    struct lag lag;
    uint64_t folded; /* events, by this run */
    int64_t elapsed_ms;
    double rate; /* events a second, over the last seconds */
};

struct replay_options {
    const struct settings *settings;
    const struct registry *registry;
    const struct projection *projection;
    size_t workers, batch;
    uint64_t throttle; /* events a second; 0: no limit */
    /* Drop every other generation of this identity first: queries answer 503 until the
     * new one is live. */
    bool drop_first;
    /* Called several times a second and once at the end; false ends the replay, which can
     * be taken up again. */
    bool (*progress)(void *context, const struct replay_progress *progress);
    void *context;
};

/* Blocks until the new generation is live. LL_ECONFLICT: another is at it, named.
 * LL_EBROKEN: an event cannot be applied, named. LL_ETIMEOUT: ended by progress(). */
ll_rc replay_run(const struct replay_options *options,
                 struct ll_error *err) LL_MUST_CHECK;

#endif
