/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata_schema.h - a type's metadata against its JSON Schema, with every violation.
 *
 * core/event/schema.h stops at the first and speaks our words; deployments are answered
 * with all of them, in the words and the order of the validator that published nodes
 * use (Ajv 8 with ajv-errors, ajv-keywords). So this is a second, smaller walker, for the
 * schemas of producers/content/metadata/ alone. Beyond draft-07's keywords that these
 * use, it knows
 *   nullable            null is right too
 *   prohibited          members that must not be there
 *   uniqueItemProperties  members by which an array's objects differ
 *   containsMember      the array holds the string that the object around it has there
 *   errorMessage        a text instead of what this schema or one of its keywords says
 *   _isBaseAvatar, _isBaseEmote, _isThirdParty, _containsHashingKeys,
 *   _fromLessThanOrEqualTo, _isMappingsValid   checks of metadata_keyword.c
 * A $ref names a definition of the same file; members beside it are added to that.
 */
#ifndef LL_METADATA_SCHEMA_H
#define LL_METADATA_SCHEMA_H

#include "core/base/json.h"
#include "producers/content/entity_errors.h"

struct metadata_schema;

/* Compile an embedded file. LL_EINVAL says what is wrong with it. Read-only afterwards.
 */
ll_rc metadata_schema_load(const char *path, struct metadata_schema **out,
                           struct ll_error *err) LL_MUST_CHECK;
void metadata_schema_free(struct metadata_schema *s);

/* False, with a message for each violation, when `value` (NULL: there is none) does not
 * satisfy it. Numbers of `value` are doubles. */
bool metadata_schema_check(const struct metadata_schema *s, const json_t *value,
                           struct entity_errors *errors);

#endif
