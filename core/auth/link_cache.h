/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* link_cache.h - which delegations were verified already: halves the cost of a request,
 * since a client sends the same ephemeral link each time.
 *
 * A bounded table; the least recently used entry goes first. Keys are cryptographic
 * hashes, and only verified links get in. One owner, one thread.
 */
#ifndef LL_LINK_CACHE_H
#define LL_LINK_CACHE_H

#include "core/auth/keccak.h"

struct link_cache;

struct link_key {
    uint8_t bytes[KECCAK_SIZE];
};

/* `entries`: how many links are remembered, at least 1; about 100 bytes each. */
struct link_cache *link_cache_new(size_t entries);
void link_cache_free(struct link_cache *c);

/* The key of a link: its type, who signs (lower case), what, and the signature. */
struct link_key link_cache_key(struct text type, struct text signer, struct text payload,
                               struct text signature);
/* True when the link was put in and holds at `date_ms`. NULL is an empty cache. */
bool link_cache_has(struct link_cache *c, const struct link_key *key, int64_t date_ms);
/* The link was verified and holds for dates from `from_ms` on, before `until_ms`. */
void link_cache_put(struct link_cache *c, const struct link_key *key, int64_t from_ms,
                    int64_t until_ms);

#endif
