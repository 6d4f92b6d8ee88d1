/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_limiter.h - how often a pointer may be deployed to (contract: catalyst, 4.8).
 *
 * In memory, of one process: it slows a client down, it promises nothing. A pointer that
 * was deployed to is remembered for its type's time; while it is, or while as many
 * pointers as allowed are remembered, a deployment is refused. One thread.
 */
#ifndef LL_ENTITY_LIMITER_H
#define LL_ENTITY_LIMITER_H

#include "core/base/settings.h"
#include "producers/content/entity.h"

struct entity_limits {
    int64_t ttl[ENTITY_TYPES]; /* ms; 0: none of this type is remembered */
    size_t most[ENTITY_TYPES]; /* pointers of a type that are remembered at once */
    int64_t same_profile;      /* ms in which a profile may not be sent unchanged */
};

/* service.content.rate-limit-ttl-<type> (seconds) and rate-limit-max-<type>. */
ll_rc entity_limits_read(const struct settings *settings, struct entity_limits *out,
                         struct ll_error *err) LL_MUST_CHECK;

struct entity_limiter;

struct entity_limiter *entity_limiter_new(const struct entity_limits *limits);
void entity_limiter_free(struct entity_limiter *l);
/* May it be deployed at `now` (ms on a clock that does not run backwards)? */
bool entity_limiter_allows(struct entity_limiter *l, const struct entity *e, int64_t now);
/* It was deployed. */
void entity_limiter_note(struct entity_limiter *l, const struct entity *e, int64_t now);
/* Is this profile refused because the active one, deployed at `since` (ms), has equal
 * metadata? `active_metadata` is that one's JSON text, in any spelling. */
bool entity_limiter_is_same_profile(const struct entity_limits *limits,
                                    const struct entity *e, struct text active_metadata,
                                    int64_t since, int64_t now);

#endif
