/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* record.h - one event as the log keeps it, in memory.
 *
 * The same struct goes in (sequence and time are then unset: the referee gives them) and
 * comes out. Views belong to whoever made it: an arena of the command, or the batch it
 * was read in. Data is MessagePack (core/event/codec.h), opaque to the log.
 */
#ifndef LL_RECORD_H
#define LL_RECORD_H

#include "core/base/uuid.h"
#include "core/log/topic.h"

enum {
    RECORD_DATA = 256 * 1024, /* bytes of data, the same on both stores */
    RECORD_TEXT = 1024,       /* bytes of type, source, subject, key, or one tag */
    RECORD_TAGS = 16,
    COMMAND_EVENTS = 64,
    COMMAND_GUARDS = 32
};

struct record {
    const struct topic *topic;
    uint32_t partition;
    uint64_t sequence; /* 1, 2, 3 ... within its partition, without a gap */
    int64_t time;      /* ms since the epoch; never runs backwards within a partition */
    struct uuid id;
    struct text type; /* "social.friendship-requested" */
    uint32_t version; /* of the type's schema */
    struct text source, subject, key;
    const struct text *tags;
    size_t tag_count;
    struct uuid causation, correlation; /* nil: none */
    struct text traceparent;            /* W3C; empty: none */
    struct uuid command;                /* idempotency key of the command it came with */
    struct uuid body;                   /* hash of what that command asked */
    uint32_t command_index, command_size; /* its place among the command's events */
    struct text data;
};

#endif
