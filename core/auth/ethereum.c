/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* ethereum.c - see ethereum.h. Verifying needs no context of libsecp256k1's own; signing
 * makes one each time and blinds it, since only tools sign. */
#include "core/auth/ethereum.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { SIGNATURE_SIZE = 65 };

/* `0x` and the digits of n bytes, NUL-terminated. */
static void print_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    *out++ = '0';
    *out++ = 'x';
    for (size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static bool parse_hex(struct text t, uint8_t *out, size_t n)
{
    return text_starts_with(t, "0x") &&
           hex_decode((struct text){t.ptr + 2, t.len - 2}, out, n);
}

/* ---- addresses ---- */

bool ethereum_address_equal(const struct ethereum_address *a,
                            const struct ethereum_address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ethereum_address_parse(struct text t, struct ethereum_address *out)
{
    return parse_hex(t, out->bytes, sizeof(out->bytes));
}

void ethereum_address_print(const struct ethereum_address *a,
                            char out[ETHEREUM_ADDRESS_TEXT])
{
    print_hex(a->bytes, sizeof(a->bytes), out);
}

/* A letter is a capital where the hash of the lower-case digits has a nibble above 7. */
void ethereum_address_print_checksum(const struct ethereum_address *a,
                                     char out[ETHEREUM_ADDRESS_TEXT])
{
    uint8_t hash[KECCAK_SIZE];

    ethereum_address_print(a, out);
    keccak256((struct text){out + 2, 40}, hash);
    for (size_t i = 0; i < 40; i++) {
        unsigned nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15U;

        if (out[i + 2] >= 'a' && nibble > 7) out[i + 2] = (char)(out[i + 2] - 'a' + 'A');
    }
}

static void address_of(const uint8_t public[64], struct ethereum_address *out)
{
    uint8_t hash[KECCAK_SIZE];

    keccak256((struct text){(const char *)public, 64}, hash);
    memcpy(out->bytes, hash + KECCAK_SIZE - sizeof(out->bytes), sizeof(out->bytes));
}

/* The 64 bytes of a public key, without the 04 that libsecp256k1 puts before them. */
static void public_bytes(const secp256k1_context *context, const secp256k1_pubkey *key,
                         uint8_t out[64])
{
    uint8_t whole[65];
    size_t n = sizeof(whole);

    LL_CHECK(secp256k1_ec_pubkey_serialize(context, whole, &n, key,
                                           SECP256K1_EC_UNCOMPRESSED) == 1);
    memcpy(out, whole + 1, 64);
}

/* ---- recovery ---- */

void ethereum_personal_hash(struct text message, uint8_t out[KECCAK_SIZE])
{
    struct keccak k;
    char start[64];
    int n = snprintf(start, sizeof(start),
                     "\x19"
                     "Ethereum Signed Message:\n%zu",
                     message.len);

    LL_CHECK(n > 0 && (size_t)n < sizeof(start));
    keccak_init(&k);
    keccak_add(&k, start, (size_t)n);
    keccak_add(&k, message.ptr, message.len);
    keccak_final(&k, out);
}

/* True for `0x` and at least one whole byte of digits. */
static bool is_hex_text(struct text t)
{
    if (!text_starts_with(t, "0x") || t.len == 2 || t.len % 2 != 0) return false;
    for (size_t i = 2; i < t.len; i += 2) {
        uint8_t byte;

        if (!hex_decode((struct text){t.ptr + i, 2}, &byte, 1)) return false;
    }
    return true;
}

static ll_rc parse_signature(struct text t, uint8_t out[SIGNATURE_SIZE],
                             struct ll_error *err)
{
    if (t.len != 2 + 2 * SIGNATURE_SIZE || !parse_hex(t, out, SIGNATURE_SIZE))
        return ll_fail(err, LL_EINVAL, "%s",
                       is_hex_text(t) ? "Invalid ethereum signature"
                                      : "String signatures must be encoded in hex");
    if (out[64] == 0 || out[64] == 1) out[64] = (uint8_t)(out[64] + 27);
    if (out[64] != 27 && out[64] != 28)
        return ll_fail(err, LL_EINVAL,
                       "Invalid signature recovery value: %u. Expected 27 or 28.",
                       out[64]);
    return LL_OK;
}

ll_rc ethereum_recover(const uint8_t hash[KECCAK_SIZE], struct text signature,
                       struct ethereum_address *out, struct ll_error *err)
{
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey key;
    uint8_t bytes[SIGNATURE_SIZE] = {0}, public[64];
    ll_rc rc = parse_signature(signature, bytes, err);

    if (rc != LL_OK) return rc;
    /* Refuses r and s that are 0 or not below the order; a high s is taken. */
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(context, &parsed, bytes,
                                                            bytes[64] - 27) != 1 ||
        secp256k1_ecdsa_recover(context, &key, &parsed, hash) != 1)
        return ll_fail(err, LL_EINVAL, "no public key fits the signature");
    public_bytes(context, &key, public);
    address_of(public, out);
    return LL_OK;
}

/* ---- keys and signing ---- */

static void random_bytes(uint8_t out[32])
{
    LL_CHECK(getrandom(out, 32, 0) == 32);
}

static secp256k1_context *blinded_context(void)
{
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    uint8_t seed[32];

    LL_CHECK(context != NULL);
    random_bytes(seed);
    LL_CHECK(secp256k1_context_randomize(context, seed) == 1);
    return context;
}

/* False when `secret` is 0 or not below the order. */
static bool key_from_secret(struct ethereum_key *out)
{
    secp256k1_context *context = blinded_context();
    secp256k1_pubkey key;
    bool ok = secp256k1_ec_pubkey_create(context, &key, out->secret) == 1;

    if (ok) {
        public_bytes(context, &key, out->public);
        address_of(out->public, &out->address);
    }
    secp256k1_context_destroy(context);
    return ok;
}

void ethereum_key_new(struct ethereum_key *out)
{
    do random_bytes(out->secret);
    while (!key_from_secret(out));
}

ll_rc ethereum_key_parse(struct text t, struct ethereum_key *out, struct ll_error *err)
{
    if (!parse_hex(t, out->secret, sizeof(out->secret)))
        return ll_fail(err, LL_EINVAL, "a private key is 0x and 64 hexadecimal digits");
    if (!key_from_secret(out))
        return ll_fail(err, LL_EINVAL, "the private key is not in the curve's range");
    return LL_OK;
}

void ethereum_key_print(const struct ethereum_key *key, char out[ETHEREUM_KEY_TEXT])
{
    print_hex(key->secret, sizeof(key->secret), out);
}

void ethereum_key_print_public(const struct ethereum_key *key,
                               char out[ETHEREUM_PUBLIC_TEXT])
{
    print_hex(key->public, sizeof(key->public), out);
}

void ethereum_sign(const struct ethereum_key *key, const uint8_t hash[KECCAK_SIZE],
                   char out[ETHEREUM_SIGNATURE_TEXT])
{
    secp256k1_context *context = blinded_context();
    secp256k1_ecdsa_recoverable_signature signature;
    uint8_t bytes[SIGNATURE_SIZE];
    int recovery = 0;

    LL_CHECK(secp256k1_ecdsa_sign_recoverable(context, &signature, hash, key->secret,
                                              secp256k1_nonce_function_rfc6979,
                                              NULL) == 1);
    LL_CHECK(secp256k1_ecdsa_recoverable_signature_serialize_compact(
                 context, bytes, &recovery, &signature) == 1);
    /* 2 and 3 would need an r above the order: nobody will ever see one. */
    LL_CHECK(recovery == 0 || recovery == 1);
    bytes[64] = (uint8_t)(27 + recovery);
    print_hex(bytes, sizeof(bytes), out);
    secp256k1_context_destroy(context);
}

void ethereum_personal_sign(const struct ethereum_key *key, struct text message,
                            char out[ETHEREUM_SIGNATURE_TEXT])
{
    uint8_t hash[KECCAK_SIZE];

    ethereum_personal_hash(message, hash);
    ethereum_sign(key, hash, out);
}
