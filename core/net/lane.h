/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lane.h - a shared, pipelined database connection on the event loop.
 *
 * Many fibers send single-statement reads down one connection; each has a Sync of its
 * own, so that a statement that fails takes nothing else with it. Statements are prepared
 * once a connection, under the name they are given with. What is sent within one turn of
 * the loop leaves with one write. A lost connection fails what was in flight and comes
 * back by itself, with a growing pause.
 *
 * Threads: all on the loop's thread; lane_query() only on a fiber.
 */
#ifndef LL_LANE_H
#define LL_LANE_H

#include "core/base/text.h"

#include <event2/event.h>
#include <libpq-fe.h>

struct lane;

enum { LANE_QUEUE = 4096 }; /* statements in flight; more are refused */

/* `statement_timeout_ms` is the server's, a statement. Connects in the background. */
struct lane *lane_new(struct event_base *base, const char *conninfo, const char *purpose,
                      int statement_timeout_ms);
void lane_free(struct lane *lane);
bool lane_is_up(const struct lane *lane);
size_t lane_in_flight(const struct lane *lane);
/* How long the statement that all others wait behind has been in flight; 0 when none is.
 */
int64_t lane_behind_us(const struct lane *lane);
/* True when this connection has prepared that name, so that its SQL is not looked at. */
bool lane_has(const struct lane *lane, const char *name);

struct lane_statement {
    const char *name; /* the same name is always the same SQL */
    const char *sql;  /* may be NULL where lane_has() the name */
    int parameters;
    const char *const *values; /* text; NULL is SQL null */
};

/* Send and wait. *out is a result with rows, which the caller clears. LL_EDATABASE with
 * the server's words and, in `state` (6 bytes, may be NULL), the SQLSTATE; LL_EFULL when
 * too many are in flight; LL_ETIMEOUT when no answer came within `wait_ms`. */
ll_rc lane_query(struct lane *lane, const struct lane_statement *statement, int wait_ms,
                 PGresult **out, char state[6], struct ll_error *err) LL_MUST_CHECK;

#endif
