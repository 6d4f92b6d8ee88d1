/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_access.h - the questions of 4.6 that only a blockchain indexer can answer.
 *
 * Two implementations until there are indexers: `entity_access_open` says yes to
 * everything (the level ENTITY_ACCESS_SIGNED), `entity_access_absent` knows nothing, and
 * what it is asked about is refused (ENTITY_ACCESS_FULL). Answers are about the block at
 * the entity's timestamp and may be waited for on the fiber that asks.
 */
#ifndef LL_ENTITY_ACCESS_H
#define LL_ENTITY_ACCESS_H

#include "core/base/text.h"
#include "producers/content/urn.h"

enum entity_access_answer { ENTITY_ACCESS_YES, ENTITY_ACCESS_NO, ENTITY_ACCESS_UNKNOWN };

struct entity_access {
    /* May `address` deploy to this parcel (owner, operator, manager, by estate)? */
    enum entity_access_answer (*land)(void *context, struct text address, int64_t x,
                                      int64_t y, int64_t timestamp);
    /* Does `address` own all of these names? owned[i] is set false for each it does not.
     */
    enum entity_access_answer (*names)(void *context, struct text address,
                                       const struct text *names, size_t count,
                                       int64_t timestamp, bool *owned);
    /* The same of item URNs, with or without a token's id. */
    enum entity_access_answer (*items)(void *context, struct text address,
                                       const struct text *urns, size_t count,
                                       int64_t timestamp, bool *owned);
    /* May `address` change this item of a collection (v2)? `item_text` is the ADR-32 text
     * whose hash the collection's committee has approved. */
    enum entity_access_answer (*collection_item)(void *context, struct text address,
                                                 const struct urn *item,
                                                 struct text item_text,
                                                 int64_t timestamp);
    /* Is `root` registered for the third party, "urn:decentraland:...:NAME"? */
    enum entity_access_answer (*third_party)(void *context, struct text third_party,
                                             const uint8_t root[32], int64_t timestamp);
};

extern const struct entity_access entity_access_open, entity_access_absent;

#endif
