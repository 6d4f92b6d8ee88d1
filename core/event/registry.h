/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* registry.h - the event types: schemas/<service>/<type>.v<N>.json, loaded once.
 *
 * A schema file is a JSON Schema (the keywords of core/event/schema.h, no others) with
 * the members `x-topic`, `x-key`, `x-subject`, `x-tags` (templates such as
 * "pair:{pair}" or "community:{id}/member:{member}", over the data's members) and
 * `examples`. Nothing that fails its schema is accepted.
 * Read-only after loading, so any thread may use it.
 */
#ifndef LL_REGISTRY_H
#define LL_REGISTRY_H

#include "core/base/arena.h"
#include "core/base/json.h"
#include "core/log/record.h"

struct event_type; /* one type in one version */
struct registry;

/* From the embedded files, with every example checked against its schema. */
ll_rc registry_load(struct registry **out, struct ll_error *err) LL_MUST_CHECK;
void registry_free(struct registry *r);
const struct topics *registry_topics(const struct registry *r);

/* version 0 is the newest. NULL when there is none. */
const struct event_type *registry_find(const struct registry *r, struct text type,
                                       uint32_t version);
/* In the order of their names and versions; NULL past the last. */
const struct event_type *registry_at(const struct registry *r, size_t i);
const char *event_type_name(const struct event_type *t);
uint32_t event_type_version(const struct event_type *t);
const struct topic *event_type_topic(const struct event_type *t);
const json_t *event_type_schema(const struct event_type *t);

/* Make a record of the newest version of a type: validate, render key, subject and tags,
 * choose the partition, encode. What the caller fills: id, source, causation,
 * correlation, traceparent, command, body, command_index, command_size. Memory is the
 * arena's. LL_EINVAL gives the JSON pointer and the keyword that refused. */
ll_rc event_make(const struct registry *r, struct text type, const json_t *data,
                 struct arena *arena, struct record *out,
                 struct ll_error *err) LL_MUST_CHECK;

/* A record's data as JSON of the newest version (upcast where it is older), checked.
 * LL_EBROKEN: "newer than this binary, or damaged". The caller owns *out. */
ll_rc event_data(const struct registry *r, const struct record *record, json_t **out,
                 struct ll_error *err) LL_MUST_CHECK;
/* The same as MessagePack: the record's own bytes where they are of the newest version
 * (then only checked to decode, not against the schema, which the writer did). */
ll_rc event_newest(const struct registry *r, const struct record *record,
                   struct arena *arena, struct text *out,
                   struct ll_error *err) LL_MUST_CHECK;

#endif
