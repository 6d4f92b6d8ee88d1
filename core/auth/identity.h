/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* identity.h - the signing side: an ephemeral key that an owner's wallet vouches for.
 *
 * Used by `landlog request` and by tests; a server never holds one. The JSON is what
 * dapps keep in their storage, so identities travel both ways.
 */
#ifndef LL_IDENTITY_H
#define LL_IDENTITY_H

#include "core/auth/ethereum.h"
#include "core/base/json.h"

enum { IDENTITY_PAYLOAD = 128 };

struct identity {
    struct ethereum_address owner;
    struct ethereum_key ephemeral;
    int64_t expiration; /* ms */
    char payload[IDENTITY_PAYLOAD];
    char signature[ETHEREUM_SIGNATURE_TEXT]; /* of the payload, by the owner */
};

/* A fresh ephemeral key, valid until `expiration_ms` (a year 1970 to 9999). */
void identity_new(struct identity *out, const struct ethereum_key *owner,
                  int64_t expiration_ms);
/* {"ephemeralIdentity":…,"expiration":…,"authChain":[…]}; the caller owns it. */
json_t *identity_to_json(const struct identity *i);
/* LL_EINVAL when it is not such an object or its parts contradict each other. */
ll_rc identity_from_json(const json_t *object, struct identity *out,
                         struct ll_error *err) LL_MUST_CHECK;

/* Call `add` with each signed-fetch header of a request. The path is without query. */
void identity_sign_request(const struct identity *i, struct text method, struct text path,
                           int64_t timestamp_ms, struct text metadata,
                           void (*add)(void *context, const char *name,
                                       struct text value),
                           void *context);

/* The AuthChain that binds `message` (the id of an entity, say) to the owner: three
 * links, as catalysts want them. The caller owns it. */
json_t *identity_sign_message(const struct identity *i, struct text message);

#endif
