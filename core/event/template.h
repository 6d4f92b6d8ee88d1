/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* template.h - texts made from an event's data: keys, subjects and tags.
 *
 * "community:{id}/member:{member}": literal text and members of the data in braces. A
 * member must always be there, be an integer or a string, and a string's form must be
 * limited by its schema: free text could be made to look like another tag.
 * Read-only once compiled; memory is the arena's.
 */
#ifndef LL_TEMPLATE_H
#define LL_TEMPLATE_H

#include "core/base/arena.h"
#include "core/event/schema.h"

struct template;

/* LL_EINVAL says which part of `source` is wrong, held against `schema`. */
ll_rc template_compile(const char *source, const struct schema *schema,
                       struct arena *arena, const struct template **out,
                       struct ll_error *err) LL_MUST_CHECK;

/* `data` has passed the schema. LL_EINVAL when the text is empty or longer than
 * RECORD_TEXT. */
ll_rc template_render(const struct template *t, const json_t *data, struct arena *arena,
                      struct text *out, struct ll_error *err) LL_MUST_CHECK;

#endif
