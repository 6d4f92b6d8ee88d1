/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_kind.h - a test's log on a real Kafka: its own topics, its own relay process. */
#ifndef LL_KAFKA_KIND_H
#define LL_KAFKA_KIND_H

#include "conformance.h"

#include <sys/types.h>

/* For suites of every store: a log that was moved to Kafka while it was empty. Needs
 * LANDLOG_TEST_KAFKA. */
extern const struct testlog_kind kafka_kind;

/* ---- for what only Kafka has ---- */

/* Settings for the test's cluster and topics; the topics made. */
void kafka_kind_prepare(struct testlog *log);
/* landlog.log's move to Kafka; must succeed. */
void kafka_kind_move(struct testlog *log);
/* `landlog relay` as a child, of that database. Any number may run. */
pid_t kafka_kind_relay(const struct testlog *log, const char *conninfo);
/* End it, which it must do. */
void kafka_kind_end(pid_t relay, int signal);
/* Drop the topics and the relay's folder; the log itself is testlog_close()'s. */
void kafka_kind_drop(struct testlog *log);

/* Nothing here is a matter of time: what does not come in this long is broken. */
enum { KAFKA_PATIENCE_S = 120 };

/* Until the query gives this value: prints and exits when it does not. */
void kafka_kind_await(const struct testlog *log, const char *sql, const char *value);
/* Until all that was accepted is marked as relayed. */
void kafka_kind_await_relayed(const struct testlog *log);

#endif
