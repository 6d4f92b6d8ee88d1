/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* keccak.h - Keccak-256 with the original padding, as Ethereum uses it.
 *
 * Ours because OpenSSL 3.0 has only SHA-3, whose padding differs. Nothing fails.
 */
#ifndef LL_KECCAK_H
#define LL_KECCAK_H

#include "core/base/text.h"

enum { KECCAK_SIZE = 32, KECCAK_RATE = 136 };

struct keccak {
    uint64_t state[25];
    size_t used; /* bytes of the current block, always less than KECCAK_RATE */
};

void keccak_init(struct keccak *k);
void keccak_add(struct keccak *k, const void *bytes, size_t n);
/* The hash of all that was added; `k` must be initialised again before its next use. */
void keccak_final(struct keccak *k, uint8_t out[KECCAK_SIZE]);

void keccak256(struct text t, uint8_t out[KECCAK_SIZE]);

#endif
