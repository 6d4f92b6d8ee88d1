/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* publish_line.h - one line of what `landlog publish` reads, as a record.
 *
 * A line is the event's data, or with an envelope {"data", "id"?, "source"?,
 * "causation"?, "correlation"?, "traceparent"?}; what else `landlog tail` prints may be
 * there and is made anew, but `type` must be the one that is published.
 *
 * Ids: an envelope's `id` that is a UUID is the event's. Another text there is somebody's
 * own id: the event's is UUIDv5 of (source, id). A member of the data that is named as
 * the id gives UUIDv5 of (source, type, member). Else it is a new UUIDv7, and publishing
 * again is publishing twice.
 */
#ifndef LL_PUBLISH_LINE_H
#define LL_PUBLISH_LINE_H

#include "core/event/registry.h"

struct publish_rule {
    const struct registry *registry;
    struct text type;
    bool has_envelope;
    const char *id_member; /* NULL: none */
    struct text source;    /* where the envelope names none */
    struct text key;       /* every event must have this key; empty: any */
};

/* Memory is the arena's, RECORD_DATA + 64 KiB at most. LL_EINVAL says what is wrong. */
ll_rc publish_line(const struct publish_rule *rule, struct text line, struct arena *arena,
                   struct record *out, struct ll_error *err) LL_MUST_CHECK;

#endif
