/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* backend.h - what a served service stands on: its read model and its log.
 *
 * Lanes for reads, the queue to the referee, the live generation, and how far it has
 * come. A fiber of its own keeps the last two up to date: on a wake-up, and by polling
 * while somebody waits.
 * Threads: all on the loop's thread; what waits is called on a fiber.
 */
#ifndef LL_BACKEND_H
#define LL_BACKEND_H

#include "core/base/settings.h"
#include "core/http/append_queue.h"
#include "core/log/token.h"
#include "core/net/fiber.h"
#include "core/net/lane.h"
#include "core/projection/projection.h"

struct backend;

/* `projection` must outlive it; starts fibers in `pool`. */
struct backend *backend_new(struct event_base *base, struct fiber_pool *pool,
                            const struct settings *settings, const char *service,
                            const struct projection *projection);
/* Ask its fibers to end; free it when fiber_pool_alive() is 0. */
void backend_stop(struct backend *b);
void backend_free(struct backend *b);

const struct projection *backend_projection(const struct backend *b);
struct append_queue *backend_queue(struct backend *b);
size_t backend_reads_in_flight(const struct backend *b);
/* Why commands or queries cannot be served now; NULL when they can. */
const char *backend_trouble(const struct backend *b);

/* The generation that answers now. False: none is ready. */
bool backend_generation(const struct backend *b, struct generation *out);
/* A query failed as if its generation were gone: look again, and wait for it. */
void backend_refresh(struct backend *b);
const struct uuid *backend_incarnation(const struct backend *b);

/* Run one of the projection's queries on a generation. `values` in the order of its
 * parameters; the answer's columns as projection_query_sql() says. */
ll_rc backend_query(struct backend *b, const struct generation *g,
                    const struct projection_query *q, const char *const *values,
                    PGresult **out, char state[6], struct ll_error *err) LL_MUST_CHECK;
/* Run any other read-only statement on the fast lane. */
ll_rc backend_read(struct backend *b, const struct lane_statement *statement,
                   PGresult **out, struct ll_error *err) LL_MUST_CHECK;

/* Is a read model at `now` as far as asked? Topics that it does not read are nothing to
 * wait for: a client's token is of all the services it has spoken to. */
bool backend_covers(const struct backend *b, const struct position *now,
                    const struct position *asked);
/* Wait until the read model has come to `p`, `wait_ms` at most. LL_ETIMEOUT;
 * LL_EINVAL when `p` is beyond what the log's end was found to be. */
ll_rc backend_wait(struct backend *b, const struct position *p, int wait_ms,
                   struct ll_error *err) LL_MUST_CHECK;
/* The same for an answer that says what is on the log: from now on, one snapshot has to
 * show both the position and an open gate. In a database that is not the log any more,
 * another event may have that sequence. */
ll_rc backend_wait_answer(struct backend *b, const struct position *p, int wait_ms,
                          struct ll_error *err) LL_MUST_CHECK;

#endif
