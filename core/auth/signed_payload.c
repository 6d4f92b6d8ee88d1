/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* signed_payload.c - the texts that clients sign, see signed_fetch.h. */
#include "core/auth/signed_fetch.h"
#include "core/auth/unicode_lower.h"

#include <openssl/sha.h>

void signed_fetch_payload(struct text method, struct text path, struct text timestamp,
                          struct text metadata, bool legacy, struct builder *out)
{
    unicode_lower(method, out);
    builder_char(out, ':');
    unicode_lower(path, out);
    builder_char(out, ':');
    unicode_lower(timestamp, out);
    builder_char(out, ':');
    if (legacy)
        unicode_lower(metadata, out);
    else
        builder_text(out, metadata);
}

void signed_fetch_body_hash(struct text body, char out[65])
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    static const char digits[] = "0123456789abcdef";

    SHA256((const uint8_t *)(body.len ? body.ptr : ""), body.len, hash);
    for (size_t i = 0; i < sizeof(hash); i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[64] = '\0';
}
