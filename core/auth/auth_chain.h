/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* auth_chain.h - was this signed by the owner of an address? (contract auth-chain, 4)
 *
 * A chain begins with the owner's address; each further link is signed by the authority
 * that the link before it named, and names the next one. Stricter than the published
 * library: an empty chain, a lone SIGNER and an unknown link type never verify.
 *
 * A link of a contract wallet cannot be judged without asking the blockchain. Everything
 * else is judged first; what is left comes out as questions, which contract_wallet.h can
 * answer on a thread that may block. A chain with open questions is not verified.
 *
 * Views point into the JSON or the arena that the caller gave; they must outlive the
 * chain and the verdict.
 */
#ifndef LL_AUTH_CHAIN_H
#define LL_AUTH_CHAIN_H

#include "core/auth/link_cache.h"
#include "core/base/arena.h"
#include "core/base/json.h"

enum {
    AUTH_CHAIN_LINKS = 10,
    AUTH_CHAIN_TEXT = 100000 /* characters of a payload or a signature */
};

enum auth_link_type {
    AUTH_SIGNER,
    AUTH_EPHEMERAL,          /* delegates to an ephemeral key, signed by a key */
    AUTH_ENTITY,             /* names what was signed, signed by a key */
    AUTH_CONTRACT_EPHEMERAL, /* the same two, signed by a contract wallet */
    AUTH_CONTRACT_ENTITY,
    AUTH_UNKNOWN
};

struct auth_link {
    enum auth_link_type type;
    struct text type_name; /* as it came */
    struct text payload;
    struct text signature; /* empty when there was none */
};

struct auth_chain {
    size_t count;
    struct auth_link links[AUTH_CHAIN_LINKS];
};

/* What only the contract at `authority` can say: is the link's signature of `message`
 * valid? */
struct auth_question {
    const struct auth_link *link;
    struct text authority; /* "0x" and 40 digits */
    struct text message;
    int64_t until; /* ms: the delegation's expiration; INT64_MAX when there is none */
};

struct auth_verdict {
    bool ok;               /* nothing is wrong; verified if there are no questions */
    struct text message;   /* why not: the published library's words */
    struct text authority; /* when ok: the final authority */
    size_t question_count;
    struct auth_question questions[AUTH_CHAIN_LINKS];
};

/* The wire's name of a type; "" of AUTH_UNKNOWN. */
const char *auth_link_type_name(enum auth_link_type type);
/* The type that clients give a signature by its text's length: 132 characters are a
 * key's, any other is a contract wallet's. */
enum auth_link_type auth_link_type_for(size_t signature_length, bool ephemeral);
/* One link from its JSON object: string members type and payload, and a signature that
 * is a string, null or absent. LL_EINVAL otherwise. */
ll_rc auth_link_parse(const json_t *object, struct auth_link *out,
                      struct ll_error *err) LL_MUST_CHECK;
/* A chain from a JSON array; LL_EFULL for more than AUTH_CHAIN_LINKS links. An empty
 * array is a chain that does not verify. */
ll_rc auth_chain_parse(const json_t *array, struct auth_chain *out,
                       struct ll_error *err) LL_MUST_CHECK;
/* Does it satisfy the AuthChain schema of @dcl/schemas? (Deployments ask this first.) */
bool auth_chain_is_valid_schema(const json_t *value);
/* The first link's payload, or "Invalid-Owner-Address" when that is no SIGNER. */
struct text auth_chain_owner(const struct auth_chain *chain);

/* Follow the links at `date_ms` (now for requests, an entity's timestamp for
 * deployments). verdict.authority is then for the caller to compare. `cache` may be
 * NULL. Takes at most three times the size of the chain's texts from the arena, and a few
 * KiB. */
void auth_chain_walk(const struct auth_chain *chain, int64_t date_ms,
                     struct link_cache *cache, struct arena *arena,
                     struct auth_verdict *out);
/* Go on at link `first`, which `authority` must have signed; that the links before it are
 * right is known. */
void auth_chain_walk_on(const struct auth_chain *chain, size_t first,
                        struct text authority, int64_t date_ms, struct link_cache *cache,
                        struct arena *arena, struct auth_verdict *out);
/* auth_chain_walk(), and the chain must end in `expected`, byte for byte. */
void auth_chain_verify(const struct auth_chain *chain, struct text expected,
                       int64_t date_ms, struct link_cache *cache, struct arena *arena,
                       struct auth_verdict *out);

/* "ERROR: Invalid final authority. ..." for a caller that compares by itself. */
struct text auth_chain_authority_message(struct text expected, struct text authority,
                                         struct arena *arena);

struct ephemeral_payload {
    struct text message; /* what was signed: the payload without CRs */
    struct text address; /* as it was written */
    int64_t expiration;  /* ms */
};

/* LL_EINVAL with the published library's words (an odd date is echoed, cut short). */
ll_rc ephemeral_payload_parse(struct text payload, struct arena *arena,
                              struct ephemeral_payload *out,
                              struct ll_error *err) LL_MUST_CHECK;

#endif
