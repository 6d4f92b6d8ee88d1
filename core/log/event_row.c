/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* event_row.c - see event_row.h. */
#include "core/log/event_row.h"

enum event_column {
    SEQUENCE,
    TIME,
    VERSION,
    ID,
    COMMAND,
    BODY,
    COMMAND_INDEX,
    COMMAND_SIZE,
    CAUSATION,
    CORRELATION,
    TYPE,
    SOURCE,
    SUBJECT,
    KEY,
    TRACEPARENT,
    TAGS,
    DATA
};

bool event_row_read(const PGresult *result, int row, int first, struct arena *arena,
                    struct record *out)
{
    *out = (struct record){
        .sequence = (uint64_t)pg_int(result, row, first + SEQUENCE),
        .time = pg_int(result, row, first + TIME),
        .id = pg_uuid(result, row, first + ID),
        .type = pg_bytes(result, row, first + TYPE),
        .version = (uint32_t)pg_int(result, row, first + VERSION),
        .source = pg_bytes(result, row, first + SOURCE),
        .subject = pg_bytes(result, row, first + SUBJECT),
        .key = pg_bytes(result, row, first + KEY),
        .causation = pg_uuid(result, row, first + CAUSATION),
        .correlation = pg_uuid(result, row, first + CORRELATION),
        .traceparent = pg_bytes(result, row, first + TRACEPARENT),
        .command = pg_uuid(result, row, first + COMMAND),
        .body = pg_uuid(result, row, first + BODY),
        .command_index = (uint32_t)pg_int(result, row, first + COMMAND_INDEX),
        .command_size = (uint32_t)pg_int(result, row, first + COMMAND_SIZE),
        .data = pg_bytes(result, row, first + DATA),
    };
    return pg_texts(result, row, first + TAGS, arena, &out->tags, &out->tag_count);
}
