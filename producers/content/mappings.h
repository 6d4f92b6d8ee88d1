/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* mappings.h - which tokens of which contracts a linked wearable is for (contract:
 * catalyst, 4.4): {network: {contract: [{type: single, any, range or multiple ...}]}}. */
#ifndef LL_MAPPINGS_H
#define LL_MAPPINGS_H

#include "core/base/json.h"

/* Order of decimal numbers of any length; leading zeros do not count. */
int decimal_compare(struct text a, struct text b);

/* Do no two mappings of one contract (its name in any case) speak of the same token?
 * What has not the shape of a mapping speaks of none. */
bool mappings_are_disjoint(const json_t *mappings);

#endif
