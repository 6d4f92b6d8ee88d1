/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* contract_wallet.h - signatures that only a contract can judge (EIP-1271, EIP-1654).
 *
 * Asked of an Ethereum JSON-RPC endpoint, or of a Catalyst that asks for us. Everything
 * here blocks on the network (at most CONTRACT_TOTAL_MS): call it on an offload thread.
 * Any thread may; nothing is shared.
 */
#ifndef LL_CONTRACT_WALLET_H
#define LL_CONTRACT_WALLET_H

#include "core/auth/auth_chain.h"

enum {
    CONTRACT_CALL_MS = 5000,
    CONTRACT_TOTAL_MS = 15000,
    CONTRACT_BYTES = 1024 * 1024 /* of one answer */
};

struct contract_wallet {
    const char *rpc;            /* JSON-RPC URL; "" for none. It is preferred */
    const char *catalyst;       /* a URL whose origin is asked; "" for none */
    unsigned call_ms, total_ms; /* 0: the limits above */
};

struct contract_answer {
    int status;        /* 200 valid, 401 not valid, 503 cannot be told */
    char message[480]; /* why not; may be empty */
};

/* Judge the open questions of a chain, which was found ok otherwise and ends in
 * `expected` at `date_ms`. Stops at the first that is not valid. The views must stay
 * until it returns. */
void contract_wallet_check(const struct contract_wallet *w,
                           const struct auth_chain *chain,
                           const struct auth_verdict *verdict, struct text expected,
                           int64_t date_ms, struct contract_answer *out);

/* The data of an eth_call to isValidSignature(bytes32,bytes), as 0x text. `signature` is
 * 0x text of whole bytes (LL_CHECK). */
void contract_call_data(const uint8_t hash[KECCAK_SIZE], struct text signature,
                        struct builder *out);
/* The body of a Catalyst's POST /lambdas/crypto/validate-signature. */
void contract_catalyst_body(const struct auth_chain *chain, struct text expected,
                            struct builder *out);

#endif
