/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* bind.h - one event's values as the parameters of a statement.
 *
 * Straight from MessagePack to the wire: what Postgres takes in binary without a second
 * look (int8, float8, bool, uuid, text) goes in binary, anything else as text that
 * Postgres parses. An absent member is null.
 */
#ifndef LL_BIND_H
#define LL_BIND_H

#include "core/base/arena.h"
#include "core/event/codec.h"
#include "core/projection/handler.h"

struct bound {
    const char *values[SQL_PARAMETERS];
    int lengths[SQL_PARAMETERS], formats[SQL_PARAMETERS];
    char room[SQL_PARAMETERS][16]; /* of the fixed-size ones */
};

enum { BIND_BLOBS = 4, BIND_BLOB_SIZE = 1024 * 1024 };

/* What the statements of one event share: its memory, and the blobs read for it. */
struct bind_event_memory {
    struct arena *arena;
    struct blob_store *blobs; /* NULL where no statement reads one */
    struct {
        struct text name;
        const char *text; /* NULL: there is none to be had */
    } read[BIND_BLOBS];
    size_t read_count;
};

/* `types` are those that Postgres found for the prepared statement; `members` the
 * handler's, out of the data. Values live as long as `out`, the record, and the arena.
 * LL_EINVAL for a string that Postgres has no place for (NUL); LL_ESYSTEM where a blob
 * that is there cannot be read. */
ll_rc bind_event(const struct handler_statement *s, const Oid *types,
                 const struct record *record, const struct codec_value *members,
                 struct bind_event_memory *memory, struct bound *out,
                 struct ll_error *err) LL_MUST_CHECK;

/* An integer's bytes on the wire: int8 or int4. */
void bind_int8(int64_t n, char out[8]);
void bind_int4(int32_t n, char out[4]);

#endif
