/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* badges_backfill.h - what an administrator may tell of somebody's badge (contract:
 * badges, 3.3).
 *
 * The shape of each badge's progress is a JSON Schema in a table; what a schema cannot
 * say is checked against the badge itself, as the API shows it. Pure. How a back-fill is
 * merged is consumers/badges/apply.sql.
 */
#ifndef LL_BADGES_BACKFILL_H
#define LL_BADGES_BACKFILL_H

#include "core/base/json.h"

struct backfill_rule;

/* NULL: this badge takes no back-fill. */
const struct backfill_rule *backfill_rule_find(struct text badge_id);

/* Is `progress` of the badge's shape? LL_EINVAL says where it is not, and then the whole
 * request is refused. `badge` is the badge's JSON as the API answers it. */
ll_rc backfill_check_shape(const struct backfill_rule *rule, const json_t *badge,
                           const json_t *progress, struct ll_error *err) LL_MUST_CHECK;

/* What contradicts itself in it: a list of the contract's messages, which the caller
 * owns; empty when it may be merged. `progress` has passed backfill_check_shape(). */
json_t *backfill_errors(const struct backfill_rule *rule, const json_t *badge,
                        const json_t *progress);

#endif
