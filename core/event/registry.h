/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* registry.h - the event types: schemas/<service>/<type>.v<N>.json, loaded once.
 *
 * A schema file is a JSON Schema of the data (the keywords of core/event/schema.h, no
 * others) and, at its root:
 *   x-topic      the topic; it belongs to the service that the folder is named after
 *   x-key        template (core/event/template.h) of what orders the event
 *   x-subject    template of what it happened to
 *   x-tags       list of templates: what append conditions name
 *   x-pair       optional, {"member": "pair", "of": ["actor", "target"]}: `pair` must be
 *                the two others, the lesser first, with a colon between them
 *   x-upcast     in every version but the first: core/event/upcast.h
 *   x-description  who emits it, and when
 *   examples     at least one; each is checked on loading, those of old versions upcast
 * Versions of a type count from 1 without a gap. Nothing that fails its schema is
 * accepted. A published version is frozen: schemas/compatibility.json holds a hash of
 * what decides in each (its words and examples may change), and registry_check() fails
 * the build where one differs.
 *
 * Read-only after loading, so any thread may use it.
 */
#ifndef LL_REGISTRY_H
#define LL_REGISTRY_H

#include "core/base/arena.h"
#include "core/base/embedded.h"
#include "core/base/json.h"
#include "core/log/record.h"

struct event_type; /* one type in one version */
struct registry;

/* From the embedded files, with every example checked against its schema. */
ll_rc registry_load(struct registry **out, struct ll_error *err) LL_MUST_CHECK;
/* The same from other rows of that form, which must stay (tests). */
ll_rc registry_load_files(const struct embedded_file *files, struct registry **out,
                          struct ll_error *err) LL_MUST_CHECK;
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
/* A hash of what decides in a type's schemas and upcasters, all versions: for a
 * projection's identity. Nil when there is no such type. */
struct uuid registry_identity(const struct registry *r, struct text type);

/* Hold the registry against the text of schemas/compatibility.json: LL_EBROKEN names the
 * first version that is missing in either, or has changed. */
ll_rc registry_check(const struct registry *r, struct text lock,
                     struct ll_error *err) LL_MUST_CHECK;
/* What that file should say of the registry as it is. */
void registry_lock(const struct registry *r, struct builder *out);

/* Make a record of the newest version of a type: validate, render key, subject and tags,
 * choose the partition, encode. What the caller fills: id, source, causation,
 * correlation, traceparent, command, body, command_index, command_size; those members
 * are not touched. Memory is the arena's, RECORD_DATA + 32 KiB at most. LL_ENOTFOUND: no
 * such type. LL_EINVAL gives the JSON pointer and the keyword that refused. */
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
