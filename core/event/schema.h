/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema.h - JSON Schema, draft-07, the part of it that event schemas use.
 *
 * Asserted: type, enum, const, multipleOf, minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, minLength, maxLength (code points), pattern (pattern.h), format
 * (date-time; uuid, lower case; always asserted), items (one schema for all), minItems,
 * maxItems, uniqueItems, properties, required, additionalProperties, propertyNames,
 * minProperties, maxProperties, allOf, anyOf, oneOf, not, $ref ("#" and JSON pointers
 * within the document), and true and false as schemas. Annotations: title, description,
 * default, examples, $schema (draft-07 only), $id, $comment; at the root also every
 * member that begins with `x-`, for the caller. Anything else is refused when it is
 * compiled, and so is a keyword beside $ref (the draft would ignore it). Held against the
 * official test suite (schema_suite_test.c).
 *
 * A compiled schema is read-only: any thread or fiber may validate with it. Work and
 * stack are bounded: what would take more than SCHEMA_STEPS is LL_EFULL (uniqueItems
 * compares each pair: give it a maxItems).
 */
#ifndef LL_SCHEMA_H
#define LL_SCHEMA_H

#include "core/base/json.h"

enum {
    SCHEMA_NODES = 4096,   /* subschemas of a schema */
    SCHEMA_IN_PLACE = 16,  /* schemas that say of one value: follow $ref, allOf ... */
    SCHEMA_STEPS = 1000000 /* subschemas tried, values compared, in one validation */
};

struct schema;

/* `document` is kept (a reference) and must not be changed afterwards. LL_EINVAL gives
 * the JSON pointer of the subschema and what is wrong. */
ll_rc schema_compile(json_t *document, struct schema **out,
                     struct ll_error *err) LL_MUST_CHECK;
void schema_free(struct schema *s);

/* LL_EINVAL gives the JSON pointer of the value that is refused and the keyword that
 * refuses it: `"/actor" fails pattern: ...`. */
ll_rc schema_validate(const struct schema *s, const json_t *value,
                      struct ll_error *err) LL_MUST_CHECK;

/* What the root says of one of its properties, for templates and upcasters. */
struct schema_member {
    bool is_known;    /* named in `properties` */
    bool is_required; /* never absent */
    bool is_text;     /* a string and nothing else */
    bool is_integer;  /* an integer and nothing else */
    bool is_bounded;  /* pattern, format, enum or const limits its form */
};
struct schema_member schema_member(const struct schema *s, const char *name);
/* False when members beyond `properties` are refused. */
bool schema_is_open(const struct schema *s);
/* The i-th name of the root's `required`; NULL past the last. */
const char *schema_required_at(const struct schema *s, size_t i);

/* A copy without the annotations, `x-` members kept: what decides. Two schemas that
 * differ only in their words are equal in it. The caller owns it. */
json_t *schema_bare(const json_t *document);

#endif
