/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* upcast.h - from one version of an event type's data to the next.
 *
 * Declared in the newer schema, so that a hash of the schemas covers it:
 *   "x-upcast": {"rename": {"old": "new"}, "remove": ["gone"], "default": {"new": null}}
 * Renames come first, then removals, then defaults for members that are absent.
 */
#ifndef LL_UPCAST_H
#define LL_UPCAST_H

#include "core/event/schema.h"

/* Check the member `x-upcast` (NULL where it is missing) of `newer` against both
 * schemas: each member that `newer` requires must come from one that `older` requires or
 * from a default, and where `newer` is closed each member of `older` must be known to
 * it, renamed or removed. LL_EINVAL names the member. */
ll_rc upcast_check(const json_t *upcast, const struct schema *older,
                   const json_t *older_document, const struct schema *newer,
                   struct ll_error *err) LL_MUST_CHECK;

/* Change `data` in place. LL_EINVAL when a rename meets a member of that name. */
ll_rc upcast_apply(const json_t *upcast, json_t *data,
                   struct ll_error *err) LL_MUST_CHECK;

#endif
