/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* ethereum.h - addresses, personal_sign digests, recovery and signing.
 *
 * Signatures are malleable (a high s is accepted, as all published verifiers do), so the
 * bytes of one never identify anything. Any thread may call; nothing is shared.
 */
#ifndef LL_ETHEREUM_H
#define LL_ETHEREUM_H

#include "core/auth/keccak.h"

enum {
    ETHEREUM_ADDRESS_TEXT = 43,   /* 0x, 40 digits, NUL */
    ETHEREUM_KEY_TEXT = 67,       /* 0x, 64 digits, NUL */
    ETHEREUM_PUBLIC_TEXT = 131,   /* 0x, 128 digits, NUL */
    ETHEREUM_SIGNATURE_TEXT = 133 /* 0x, 130 digits, NUL */
};

struct ethereum_address {
    uint8_t bytes[20];
};

struct ethereum_key {
    uint8_t secret[32];
    uint8_t public[64];
    struct ethereum_address address;
};

bool ethereum_address_equal(const struct ethereum_address *a,
                            const struct ethereum_address *b);
/* `0x` and 40 digits of either case; a checksum in the case is not looked at. */
bool ethereum_address_parse(struct text t, struct ethereum_address *out);
/* Lower case: what identifies a person everywhere in Landlog. */
void ethereum_address_print(const struct ethereum_address *a,
                            char out[ETHEREUM_ADDRESS_TEXT]);
/* The case of EIP-55, for people. */
void ethereum_address_print_checksum(const struct ethereum_address *a,
                                     char out[ETHEREUM_ADDRESS_TEXT]);

/* The digest that a wallet's personal_sign signs (EIP-191 version 0x45). */
void ethereum_personal_hash(struct text message, uint8_t out[KECCAK_SIZE]);

/* Who signed the digest. `signature` is the text of the wire: 0x, r, s, v with v one of
 * 0, 1, 27, 28. LL_EINVAL with the words of the published libraries. */
ll_rc ethereum_recover(const uint8_t hash[KECCAK_SIZE], struct text signature,
                       struct ethereum_address *out, struct ll_error *err) LL_MUST_CHECK;

/* A fresh key from the system's randomness. */
void ethereum_key_new(struct ethereum_key *out);
/* `0x` and 64 digits. LL_EINVAL when it is no key of the curve. */
ll_rc ethereum_key_parse(struct text t, struct ethereum_key *out,
                         struct ll_error *err) LL_MUST_CHECK;
void ethereum_key_print(const struct ethereum_key *key, char out[ETHEREUM_KEY_TEXT]);
/* The public key without the leading 04 byte. */
void ethereum_key_print_public(const struct ethereum_key *key,
                               char out[ETHEREUM_PUBLIC_TEXT]);

/* Deterministic (RFC 6979), low s, v as 1b or 1c. */
void ethereum_sign(const struct ethereum_key *key, const uint8_t hash[KECCAK_SIZE],
                   char out[ETHEREUM_SIGNATURE_TEXT]);
/* ethereum_sign() of the message's personal_sign digest. */
void ethereum_personal_sign(const struct ethereum_key *key, struct text message,
                            char out[ETHEREUM_SIGNATURE_TEXT]);

#endif
