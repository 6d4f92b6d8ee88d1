/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* signed_fetch.h - a signed HTTP request (ADR-44): who sent it?
 *
 * The last link of the request's chain signs `method:path:timestamp:metadata`, in which
 * published clients differ: current ones keep the metadata byte for byte, older ones
 * lower-case all of it. Both are accepted; since the older form does not bind the case
 * of keys, each declared key must then be spelled exactly (contract auth-chain, 3.3).
 *
 * Life of one: signed_fetch_check(); while its state is SIGNED_FETCH_ASK, answer it with
 * contract_wallet_check() (on a thread that may block) and signed_fetch_answer(); read;
 * signed_fetch_fini(). One thread but for that; any number at a time.
 */
#ifndef LL_SIGNED_FETCH_H
#define LL_SIGNED_FETCH_H

#include "core/auth/auth_chain.h"
#include "core/auth/contract_wallet.h"

enum {
    SIGNED_FETCH_WINDOW_MS = 60000,
    SIGNED_FETCH_BYTES = 64 * 1024, /* of all identity headers together */
    SIGNED_FETCH_ECHO = 64          /* characters of a stranger's text in a message */
};

struct signed_fetch_request {
    struct text method, path; /* as sent; the path without query and fragment */
    /* The first header of that name (lower case); false when there is none. */
    bool (*header)(const void *context, const char *name, struct text *value);
    const void *context;
    int64_t now_ms;
};

/* What an endpoint asks of its requests. */
struct signed_fetch_rules {
    int64_t window_ms; /* a timestamp may be this much older or younger than now */
    /* Dotted paths of each metadata key that the endpoint reads; ends with NULL. A NULL
     * list accepts the current form only. */
    const char *const *metadata_keys;
    bool (*accepts_metadata)(const json_t *metadata); /* NULL: all */
};

enum signed_fetch_state {
    SIGNED_FETCH_OK,
    SIGNED_FETCH_REFUSED, /* status and message */
    SIGNED_FETCH_ASK      /* ok but for the questions to a contract wallet */
};

struct signed_fetch {
    enum signed_fetch_state state;
    int status; /* 200, 400, 401, 503 */
    struct text message;

    /* when it was not refused */
    struct text address; /* lower case */
    struct text signer;  /* metadata.signer; empty: none, or not a string */
    int64_t timestamp;   /* ms, the header's */
    struct text payload; /* what was signed, in the form that the client used */
    json_t *metadata;    /* an object; NULL only when refused before it was read */

    /* For contract_wallet_check(), when the state is SIGNED_FETCH_ASK. */
    struct auth_chain chain;
    struct auth_verdict verdict;
    int64_t now_ms;

    /* Internal. */
    json_t *links[AUTH_CHAIN_LINKS]; /* what the chain's views point into */
    struct link_key key;             /* of the headers of the first two links */
    bool has_key;
};

/* Judge a request; never fails otherwise. Texts live in the arena and in `out`, which
 * signed_fetch_fini() ends. Takes at most sixteen times the size of the identity
 * headers from the arena, which SIGNED_FETCH_BYTES limits, and a few KiB. `cache` may be
 * NULL. */
void signed_fetch_check(struct signed_fetch *out, const struct signed_fetch_request *in,
                        const struct signed_fetch_rules *rules, struct link_cache *cache,
                        struct arena *arena);
/* What contract_wallet_check() said of its questions; the state is then OK or REFUSED.
 * A delegation that the contract confirmed is remembered in `cache` for a minute. */
void signed_fetch_answer(struct signed_fetch *f, const struct contract_answer *answer,
                         struct link_cache *cache, struct arena *arena);
void signed_fetch_fini(struct signed_fetch *f);

/* The text that is signed; `legacy` is the older, all lower-case form. An absent header
 * is an empty text. */
void signed_fetch_payload(struct text method, struct text path, struct text timestamp,
                          struct text metadata, bool legacy, struct builder *out);
/* True when `signer` is, or could be taken for, the metadata's signer: equal, equal once
 * trimmed and lower-cased, or when a key is `signer` only in another case. For rules
 * that refuse a signer; one that requires a signer compares exactly. */
bool signed_fetch_may_be_signer(const json_t *metadata, const char *signer);
/* ADR-289's hashPayload: SHA-256 of the body, lower-case hexadecimal. */
void signed_fetch_body_hash(struct text body, char out[65]);

#endif
