/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* link_cache.h - which delegations were verified already: halves the cost of a request,
 * since a client sends the same ephemeral link each time.
 *
 * A bounded table; the least recently used entry goes first. Keys are cryptographic
 * hashes, and only verified links get in. One owner, one thread.
 */
#ifndef LL_LINK_CACHE_H
#define LL_LINK_CACHE_H

#include "core/auth/ethereum.h"

struct link_cache;

struct link_key {
    uint8_t bytes[32];
};

/* Who delegated to whom; as they were written, NUL-terminated. */
struct delegation {
    char owner[ETHEREUM_ADDRESS_TEXT], ephemeral[ETHEREUM_ADDRESS_TEXT];
};

/* `entries`: how many links are remembered, at least 1; about 200 bytes each. */
struct link_cache *link_cache_new(size_t entries);
void link_cache_free(struct link_cache *c);

/* The key of what was verified: a hash of n texts that determine it wholly. */
struct link_key link_cache_key(struct link_cache *c, const struct text *parts, size_t n);
/* True when the link was put in and holds at `date_ms`; what was put with it goes to
 * `out`, which may be NULL. */
bool link_cache_has(struct link_cache *c, const struct link_key *key, int64_t date_ms,
                    struct delegation *out);
/* The link was verified and holds for dates from `from_ms` on, before `until_ms`.
 * `delegation` may be NULL. */
void link_cache_put(struct link_cache *c, const struct link_key *key, int64_t from_ms,
                    int64_t until_ms, const struct delegation *delegation);

#endif
