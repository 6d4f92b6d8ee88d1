/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* log_probe.c - each look opens a reader; nil ids in its cursors demand nothing. */
#include "core/cli/log_probe.h"

#include "core/cli/command.h"

#include <inttypes.h>
#include <string.h>

enum { PATIENCE_MS = 10000 };

struct log_reader *log_probe_open(const struct settings *settings,
                                  const struct topic *topic,
                                  const struct log_cursor *cursors, size_t n)
{
    struct log_reader *reader;
    struct ll_error err;

    if (log_reader_open(settings, topic, cursors, n, &reader, &err) != LL_OK) {
        bool is_missing = err.rc == LL_ENOTFOUND || strstr(err.text, "does not exist");

        die("topic \"%s\": %s%s", topic->name, err.text,
            is_missing ? "; see: landlog topics create" : "");
    }
    return reader;
}

void log_probe_ends(const struct settings *settings, const struct topic *topic,
                    uint64_t *ends)
{
    struct log_cursor cursors[TOPIC_PARTITIONS_MAX] = {{0}};
    struct log_reader *reader;
    struct ll_error err;

    for (uint32_t i = 0; i < topic->partitions; i++) cursors[i].partition = i;
    reader = log_probe_open(settings, topic, cursors, topic->partitions);
    for (uint32_t i = 0; i < topic->partitions; i++)
        if (log_reader_end(reader, i, &ends[i], &err) != LL_OK)
            die("%s/%" PRIu32 ": %s", topic->name, i, err.text);
    log_reader_close(reader);
}

int64_t log_probe_time(const struct settings *settings, const struct topic *topic,
                       uint32_t partition, uint64_t sequence)
{
    struct log_cursor cursor = {.partition = partition, .sequence = sequence - 1};
    struct log_reader *reader = log_probe_open(settings, topic, &cursor, 1);
    struct log_batch batch;
    struct ll_error err;
    int64_t time;

    if (log_reader_next(reader, 1, PATIENCE_MS, &batch, &err) != LL_OK)
        die("%s/%" PRIu32 ": %s", topic->name, partition, err.text);
    if (batch.count == 0)
        die("%s/%" PRIu32 ": event %" PRIu64 " does not come", topic->name, partition,
            sequence);
    time = batch.records[0].time;
    log_reader_close(reader);
    return time;
}

uint64_t log_probe_before(const struct settings *settings, const struct topic *topic,
                          uint32_t partition, uint64_t end, int64_t time)
{
    uint64_t older = 0; /* this many are known to be older; those past `end` are not */

    if (end == 0 || log_probe_time(settings, topic, partition, 1) >= time) return 0;
    if (log_probe_time(settings, topic, partition, end) < time) return end;
    while (older < end) {
        uint64_t middle = older + (end - older + 1) / 2;

        if (log_probe_time(settings, topic, partition, middle) < time)
            older = middle;
        else
            end = middle - 1;
    }
    return older;
}
