/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata.h - checks of a signed fetch's metadata that a re-cased key must not dodge.
 * Internal to core/auth; signed_fetch.h is the door. */
#ifndef LL_METADATA_H
#define LL_METADATA_H

#include "core/base/arena.h"
#include "core/base/json.h"

/* Is each declared dotted path spelled exactly, wherever its objects are reached (arrays
 * are looked through)? LL_EINVAL naming the first key that is not, or that came twice. */
ll_rc metadata_check_keys(const json_t *metadata, const char *const *keys,
                          struct ll_error *err) LL_MUST_CHECK;

/* At most `most` characters as JavaScript counts them, then an ellipsis. */
struct text metadata_echo(struct text t, size_t most, struct arena *arena);

#endif
