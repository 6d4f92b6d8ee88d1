/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lambdas_profile.h - a deployed profile as lambdas shows it (contract: lamb2, 3.5).
 * Pure.
 *
 * What a wallet owns is not known here yet: wearables, emotes and hasClaimedName are
 * shown as deployed, but for those of default profiles, which have base items only.
 */
#ifndef LL_LAMBDAS_PROFILE_H
#define LL_LAMBDAS_PROFILE_H

#include "core/base/arena.h"
#include "core/base/json.h"

struct lambdas_profile {
    struct text entity_id;
    const char *cdn; /* where pictures of avatars are */
    bool is_default; /* a pointer default<n> */
};

/* Change the profile's metadata in place: every avatar gets pictures by the entity's id,
 * emotes as slot and urn, distinct wearables, and links that are valid URLs. */
void lambdas_profile_shape(const struct lambdas_profile *p, json_t *metadata,
                           struct arena *arena);

/* An HTTP date, "Sun, 06 Nov 1994 08:49:37 GMT", as seconds; false for anything else. */
bool lambdas_http_date(struct text t, int64_t *out);

#endif
