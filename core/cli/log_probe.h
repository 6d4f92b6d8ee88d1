/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* log_probe.h - looking at single places of a topic, on whichever store it is: for
 * commands that a person runs, not for readers. All die when the store does not answer.
 */
#ifndef LL_LOG_PROBE_H
#define LL_LOG_PROBE_H

#include "core/log/reader.h"

/* The sequence of the last event of each of the topic's partitions; 0 for none. */
void log_probe_ends(const struct settings *settings, const struct topic *topic,
                    uint64_t *ends);
/* The time of one event that is there, ms. */
int64_t log_probe_time(const struct settings *settings, const struct topic *topic,
                       uint32_t partition, uint64_t sequence);
/* How many events of the partition, whose last one is `end`, are older than `time`: by
 * halves, since time never runs backwards in a partition. */
uint64_t log_probe_before(const struct settings *settings, const struct topic *topic,
                          uint32_t partition, uint64_t end, int64_t time);

/* Open at these cursors, or die. */
struct log_reader *log_probe_open(const struct settings *settings,
                                  const struct topic *topic,
                                  const struct log_cursor *cursors, size_t n);

#endif
