/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_history.h - what the tests ask of a log whose Kafka or Postgres is not what it
 * was.
 */
#ifndef LL_KAFKA_HISTORY_H
#define LL_KAFKA_HISTORY_H

#include "kafka_load.h"
#include "kafka_raw.h"

/* A log that was moved to Kafka while it was empty; no relay runs. */
void open_on_kafka(struct testlog *log, struct suite *s);
void close_on_kafka(struct testlog *log);

/* ---- append ---- */

/* n commands of one event each, over the partitions in turn. */
void append_only(const struct testlog *log, unsigned n);
/* ... and all is on Kafka afterwards. */
void append_some(const struct testlog *log, unsigned n);
enum append_verdict try_append(const struct testlog *log);
void await_gate(const struct testlog *log);

/* ---- read ---- */

/* Behind event `sequence` of partition 0; 0: at the beginning. */
struct log_cursor cursor_at(const struct testlog *log, uint64_t sequence);
/* What a reader says in the end, whose next events may be there or not. */
ll_rc read_on(struct log_reader *reader, struct ll_error *err);
/* What a reader says that has seen `sequence` (0: none) of partition 0, and not all. */
ll_rc read_from(const struct testlog *log, uint64_t sequence, struct ll_error *err);
/* Whether these words are in it; prints it when not. */
bool says(const struct ll_error *err, const char *words);

/* ---- relay ---- */

/* Relay in this process until it has halted a partition; what it says of it. */
struct ll_error halt_of(const struct testlog *log);
/* Rows whose relaying is long ago go, but for the last of each partition. */
void drop_rows(const struct testlog *log);

#endif
