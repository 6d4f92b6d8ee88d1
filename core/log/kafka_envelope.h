/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_envelope.h - an event as a record of Kafka, and back.
 *
 * The CloudEvents Kafka binding's binary mode: attributes are headers `ce_<name>`, the
 * record key is the event's key, the value its MessagePack, the record's timestamp its
 * time. `ce_landlogepoch`, the epoch of the relay that wrote it, marks a record as ours.
 *
 *   ce_specversion 1.0           ce_schemaversion  of the type's schema
 *   ce_id          UUID          ce_tags           parted by a space; `%`, space and
 *   ce_type                                        controls are written %XX
 *   ce_source                    ce_causation      UUID
 *   ce_subject                   ce_correlation    UUID
 *   ce_time        2026-01-05T10:00:00.123Z        ce_traceparent
 *   ce_sequence    decimal       ce_commandkey     UUID: the idempotency key
 *   content-type   application/msgpack             ce_bodyhash       UUID
 *   ce_landlogepoch decimal      ce_commandindex, ce_commandsize     decimal
 *
 * What is empty or nil has no header. A fence is a record of type "landlog.fence" without
 * key, value and sequence: its id says which relay wrote it (DESIGN, section 2), and
 * `ce_landloglineage` (UUID) in which database.
 *
 * Parsing takes exactly what writing makes. Headers it does not know are ignored, so that
 * a tracing tool or a later version may add some.
 */
#ifndef LL_KAFKA_ENVELOPE_H
#define LL_KAFKA_ENVELOPE_H

#include "core/base/clock.h"
#include "core/log/record.h"

enum {
    KAFKA_HEADERS = 64, /* of one record; more are not looked at and make it damaged */
    KAFKA_OURS = 20     /* headers that we write at most */
};

struct kafka_header {
    struct text name, value;
};

/* ---- writing ---- */

/* Headers of one record at a time; they are valid until the next. Reused for many. */
struct kafka_writer {
    struct kafka_header header[KAFKA_OURS];
    size_t count;
    struct builder tags;
    int64_t time; /* of time_text: events of one millisecond share it */
    char time_text[CLOCK_TEXT];
    char scratch[512];
    size_t used;
};

void kafka_writer_init(struct kafka_writer *w);
void kafka_writer_fini(struct kafka_writer *w);
/* The event's headers; key, value and timestamp are the record's own. */
void kafka_write_event(struct kafka_writer *w, const struct record *r, uint64_t epoch);
void kafka_write_fence(struct kafka_writer *w, const struct uuid *relay,
                       const struct uuid *lineage, int64_t time, uint64_t epoch);

/* ---- reading ---- */

enum kafka_kind {
    KAFKA_FOREIGN, /* without our epoch: not ours, void */
    KAFKA_FENCE,
    KAFKA_EVENT
};

struct kafka_envelope {
    enum kafka_kind kind;
    uint64_t epoch;
    struct uuid relay, lineage; /* of a fence; a nil lineage is not told */
    struct record record; /* of an event; topic and partition are left to the caller */
    struct text tags[RECORD_TAGS];
    char *decoded; /* tags that had to be decoded; NULL for none */
};

/* What of a record says whether it counts, before the rest is looked at. */
struct kafka_record {
    const struct kafka_header *headers;
    size_t count;
    struct text key, value;
    int64_t timestamp;
};

/* The epoch of a record that is ours. False for a foreign one. LL_EBROKEN is told by the
 * parse that follows: an epoch that cannot be read is UINT64_MAX here. */
bool kafka_record_epoch(const struct kafka_record *k, uint64_t *epoch);

/* Read all of it; views are into the record. LL_EBROKEN, naming the header, for one of
 * ours that is damaged or newer than this binary. kafka_envelope_fini() frees. */
ll_rc kafka_envelope_parse(const struct kafka_record *k, struct kafka_envelope *out,
                           struct ll_error *err) LL_MUST_CHECK;
void kafka_envelope_fini(struct kafka_envelope *e);

#endif
