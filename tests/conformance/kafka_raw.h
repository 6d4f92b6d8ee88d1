/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_raw.h - what others may do to a topic of the log. Trouble ends the test. */
#ifndef LL_KAFKA_RAW_H
#define LL_KAFKA_RAW_H

#include "conformance.h"

/* A record without a header of ours. */
void raw_foreign(const struct testlog *log, uint32_t partition);
/* A record as a relay of that epoch would write it. */
void raw_event(const struct testlog *log, const struct record *r, uint64_t epoch);
/* Cut off all records before this offset. */
void raw_truncate(const struct testlog *log, uint32_t partition, int64_t before);
/* Delete the topic with all that is in it, and make it again, empty. */
void raw_recreate(const struct testlog *log);
/* Give it more partitions. */
void raw_grow(const struct testlog *log, unsigned partitions);

/* The offset that the next record of a partition will get. */
int64_t raw_end(const struct testlog *log, uint32_t partition);

#endif
