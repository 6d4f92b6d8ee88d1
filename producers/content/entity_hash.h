/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_hash.h - what collections and third parties commit to on a blockchain. */
#ifndef LL_ENTITY_HASH_H
#define LL_ENTITY_HASH_H

#include "core/auth/keccak.h"
#include "core/base/arena.h"
#include "core/base/json.h"
#include "producers/content/entity.h"

/* The ADR-32 text of an item, whose CID is its content hash: {"content":[{"key","hash"}
 * sorted by hash, then key],"metadata":...}; no metadata, no member. */
ll_rc entity_item_text(const struct entity_content *content, size_t count,
                       struct text metadata, struct arena *arena, struct text *out,
                       struct ll_error *err) LL_MUST_CHECK;
/* The ADR-62 hash: Keccak-256 of the metadata's JSON reduced to `keys`. */
ll_rc entity_metadata_hash(struct text metadata, const struct text *keys, size_t count,
                           uint8_t out[KECCAK_SIZE], struct ll_error *err) LL_MUST_CHECK;

/* {"proof":[hex],"index":n,"entityHash":hex} of a third party's item: the root of the
 * tree that it proves. False when that is no proof. */
bool merkle_root(const json_t *proof, uint8_t out[KECCAK_SIZE]);

#endif
