/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* event_row.h - a row of landlog.event, in binary, as a record. */
#ifndef LL_EVENT_ROW_H
#define LL_EVENT_ROW_H

#include "core/log/record.h"
#include "core/pg/binary.h"

/* The columns that event_row_read() expects beside each other, of a table `e`. */
#define EVENT_ROW_COLUMNS \
    "e.sequence, e.time, e.version, e.id, e.command, e.body, e.command_index," \
    " e.command_size, e.causation, e.correlation, e.type, e.source, e.subject, e.key," \
    " e.traceparent, e.tags, e.data"
enum { EVENT_ROW_WIDTH = 17 };

/* Read the row whose first such column is `first`. Views are into `result`, tags in the
 * arena; topic and partition are left to the caller. False when the tags do not decode.
 */
bool event_row_read(const PGresult *result, int row, int first, struct arena *arena,
                    struct record *out);

#endif
