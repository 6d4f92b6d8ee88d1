/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* urn.h - Decentraland's names of things (contract: catalyst, 4.6, "URN forms"). */
#ifndef LL_URN_H
#define LL_URN_H

#include "core/base/arena.h"

enum urn_kind {
    URN_OFF_CHAIN,        /* urn:decentraland:off-chain:{registry}:{name} */
    URN_ENTITY,           /* urn:decentraland:entity:{cid}?baseUrl= */
    URN_COLLECTION_V1,    /* urn:decentraland:{network}:collections-v1:{collection} */
    URN_V1_ASSET,         /* ...:{item} */
    URN_V1_ITEM,          /* ...:{item}:{token} */
    URN_COLLECTION_V2,    /* urn:decentraland:{network}:collections-v2:{0x...} */
    URN_V2_ASSET,         /* ...:{item} */
    URN_V2_ITEM,          /* ...:{item}:{token} */
    URN_THIRD_PARTY,      /* urn:decentraland:{network}:collections-thirdparty:{name} */
    URN_THIRD_COLLECTION, /* ...:{collection} */
    URN_THIRD_ASSET,      /* ...:{collection}:{item} */
    URN_THIRD_ITEM,       /* ...:{collection}:{item}:{chain}:{0x...}:{token} */
    URN_ERC721,           /* urn:decentraland:{network}:erc721:{0x...}:{token} */
    URN_LAND              /* urn:decentraland:{network}:LAND:{x},{y} */
};

/* Views into the text that was parsed; what a kind lacks is empty. */
struct urn {
    enum urn_kind kind;
    struct text network; /* as written: "ethereum", "matic"... */
    struct text registry, collection, item, token;
    struct text third_party, chain, contract;
    int64_t x, y;
};

/* Read a URN, or the old form `dcl://{collection}/{item}` (of collections-v1 on ethereum,
 * or off-chain for base-avatars and base-emotes). False for anything else. The parts are
 * views into `t`; the network may have any case, all else is as written here. */
bool urn_parse(struct text t, struct urn *out);
/* "10,-20": a parcel's place, whole numbers without leading zeros. */
bool urn_parcel(struct text t, int64_t *x, int64_t *y);
/* The kind as published nodes call it: "blockchain-collection-v2-asset". */
const char *urn_kind_name(enum urn_kind kind);
/* A dcl:// name as the URN that it stands for, a URN as it is. */
struct text urn_modern(struct text t, struct arena *arena);
/* "urn:decentraland:{network}:collections-thirdparty:{name}" of a third party's item;
 * ethereum is called mainnet there. */
struct text urn_third_party_id(const struct urn *urn, struct arena *arena);

#endif
