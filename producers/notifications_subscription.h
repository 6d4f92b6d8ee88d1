/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_subscription.h - what somebody wants to hear of, and how: the details of
 * a subscription (contract: notifications, 3.3). Pure. */
#ifndef LL_NOTIFICATIONS_SUBSCRIPTION_H
#define LL_NOTIFICATIONS_SUBSCRIPTION_H

#include "core/base/json.h"

/* True when `details` are whole and well formed; else `why` has the contract's message,
 * which names the first kind of trouble there is, all of its places. */
bool subscription_check(const json_t *details, struct builder *why);

/* The details that hold: `stored` (an object, or NULL where nothing was chosen) over the
 * defaults, one entry a known type, in their order; types not known are left out. */
void subscription_print(const json_t *stored, struct builder *out);

#endif
