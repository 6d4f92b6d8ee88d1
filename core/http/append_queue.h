/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* append_queue.h - fibers' commands on their way to the referee of one service.
 *
 * What waits goes as one batch, on a connection of its own, in one simple query; while it
 * is away the next batch gathers. `retry` verdicts go again at once. A lost connection
 * leaves outcomes unknown: the same commands are sent again when it is back, which their
 * keys make harmless, until each caller's time is up.
 */
#ifndef LL_APPEND_QUEUE_H
#define LL_APPEND_QUEUE_H

#include "core/log/referee.h"

#include <event2/event.h>

struct append_queue;

/* `appended` is told after each batch that put something on the log. */
struct append_queue *append_queue_new(struct event_base *base, const char *conninfo,
                                      const char *service,
                                      void (*appended)(void *context), void *context);
/* Nothing may wait. */
void append_queue_free(struct append_queue *q);
size_t append_queue_length(const struct append_queue *q);
bool append_queue_is_up(const struct append_queue *q);

struct append_counts {
    uint64_t batches, commands, lost; /* lost: connections with something in flight */
};
struct append_counts append_queue_counts(const struct append_queue *q);

/* Append and wait, on a fiber. LL_OK: `out` has a verdict, never `retry`. LL_EFULL: too
 * many wait. LL_ETIMEOUT and LL_EDATABASE: it did not happen. LL_EUNKNOWN: it was sent,
 * and whether it happened could not be learned in `wait_ms`. */
ll_rc append_queue_append(struct append_queue *q, const struct append_command *command,
                          int wait_ms, struct append_answer *out,
                          struct ll_error *err) LL_MUST_CHECK;

/* The same for several commands at once, which then leave in as few batches as can be:
 * each has an outcome of its own. Waits for all of them, `wait_ms` together. */
struct append_outcome {
    ll_rc rc;
    struct append_answer answer; /* where rc is LL_OK */
    struct ll_error err;         /* where it is not */
};
void append_queue_append_all(struct append_queue *q,
                             const struct append_command *commands, size_t n, int wait_ms,
                             struct append_outcome *out);

#endif
