/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* auth_ethereum_test.c - hashes, addresses, signatures and recovery against the vectors.
 */
#include "core/auth/ethereum.h"
#include "t.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

static json_t *vectors;

static void print_hash(const uint8_t hash[KECCAK_SIZE], char out[67])
{
    struct builder b;

    builder_init(&b, 66);
    builder_string(&b, "0x");
    builder_hex(&b, hash, KECCAK_SIZE);
    memcpy(out, builder_view(&b).ptr, 67);
    builder_fini(&b);
}

static void hashes_are_those_of_the_vectors(void)
{
    json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors, "keccak256"), i, row)
    {
        struct text bytes = vectors_bytes(row);
        uint8_t hash[KECCAK_SIZE];
        char text[67];

        keccak256(bytes, hash);
        print_hash(hash, text);
        OK(text_is(vectors_text(row, "hash"), text));
        OK(bytes.len == (size_t)json_integer_value(vectors_get(row, "byteLength")));
        free((void *)bytes.ptr);
    }
}

/* In pieces of any size, over several blocks, it is the same hash. */
static void a_hash_does_not_depend_on_the_pieces(void)
{
    char bytes[700];
    uint8_t whole[KECCAK_SIZE], pieces[KECCAK_SIZE];

    for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (char)(i * 7);
    for (size_t n = 0; n <= sizeof(bytes); n += 13) {
        for (size_t step = 1; step < 150; step += 11) {
            struct keccak k;

            keccak256((struct text){bytes, n}, whole);
            keccak_init(&k);
            for (size_t at = 0; at < n; at += step)
                keccak_add(&k, bytes + at, n - at < step ? n - at : step);
            keccak_final(&k, pieces);
            OK(memcmp(whole, pieces, sizeof(whole)) == 0);
        }
    }
}

static void addresses_have_their_checksum(void)
{
    json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors, "eip55"), i, row)
    {
        struct ethereum_address a, b;
        char text[ETHEREUM_ADDRESS_TEXT];

        OK(ethereum_address_parse(vectors_text(row, "lower"), &a));
        OK(ethereum_address_parse(vectors_text(row, "checksum"), &b));
        OK(ethereum_address_equal(&a, &b));
        ethereum_address_print_checksum(&a, text);
        OK(text_is(vectors_text(row, "checksum"), text));
        ethereum_address_print(&a, text);
        OK(text_is(vectors_text(row, "lower"), text));
    }
}

static void what_is_no_address_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "0x",
        "7e5f4552091a69125d5dfcb7b8c2659029395bdf",
        "0X7e5f4552091a69125d5dfcb7b8c2659029395bdf",
        "0x7e5f4552091a69125d5dfcb7b8c2659029395bd",
        "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf0",
        "0x7e5f4552091a69125d5dfcb7b8c2659029395bdg",
        " 0x7e5f4552091a69125d5dfcb7b8c2659029395bd",
    };
    struct ethereum_address a;

    for (size_t i = 0; i < LL_LENGTH(bad); i++)
        OK(!ethereum_address_parse(text_of(bad[i]), &a));
}

static void key_of(const char *name, struct ethereum_key *out)
{
    json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors, "keys"), i, row)
    {
        if (!text_is(vectors_text(row, "name"), name)) continue;
        OK(ethereum_key_parse(vectors_text(row, "privateKey"), out, NULL) == LL_OK);
        return;
    }
    OK(false); /* a key of that name */
}

static void keys_have_their_addresses(void)
{
    json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors, "keys"), i, row)
    {
        struct ethereum_key key;
        char public[ETHEREUM_PUBLIC_TEXT], address[ETHEREUM_ADDRESS_TEXT];
        char secret[ETHEREUM_KEY_TEXT];

        key_of(vectors_text(row, "name").ptr, &key);
        ethereum_key_print_public(&key, public);
        ethereum_address_print_checksum(&key.address, address);
        ethereum_key_print(&key, secret);
        OK(text_is(vectors_text(row, "publicKey"), public));
        OK(text_is(vectors_text(row, "address"), address));
        OK(text_is(vectors_text(row, "privateKey"), secret));
    }
}

static void keys_out_of_range_are_refused(void)
{
    static const char *const bad[] = {
        "0x0000000000000000000000000000000000000000000000000000000000000000",
        "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0x11",
        "1111111111111111111111111111111111111111111111111111111111111111",
    };
    struct ethereum_key key;
    struct ll_error err;

    for (size_t i = 0; i < LL_LENGTH(bad); i++)
        OK(ethereum_key_parse(text_of(bad[i]), &key, &err) == LL_EINVAL);
}

static void messages_are_signed_as_wallets_do(void)
{
    json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors, "personalSign"), i, row)
    {
        struct text message = vectors_bytes(row);
        struct ethereum_address signer;
        struct ethereum_key key;
        uint8_t hash[KECCAK_SIZE];
        char text[67], signature[ETHEREUM_SIGNATURE_TEXT];

        key_of(vectors_text(row, "key").ptr, &key);
        ethereum_personal_hash(message, hash);
        print_hash(hash, text);
        OK(text_is(vectors_text(row, "hash"), text));
        ethereum_personal_sign(&key, message, signature);
        OK(text_is(vectors_text(row, "signature"), signature));
        OK(ethereum_recover(hash, text_of(signature), &signer, NULL) == LL_OK);
        OK(ethereum_address_equal(&signer, &key.address));
        free((void *)message.ptr);
    }
}

static void signatures_are_recovered_or_refused(void)
{
    json_t *recover = vectors_get(vectors, "recover"), *row;
    struct ethereum_address signer, expected;
    uint8_t hash[KECCAK_SIZE];
    size_t i;

    ethereum_personal_hash(vectors_text(recover, "message"), hash);
    OK(ethereum_address_parse(vectors_text(recover, "signer"), &signer));
    json_array_foreach(vectors_get(recover, "cases"), i, row)
    {
        struct ethereum_address found;
        struct ll_error err;
        struct text words;
        ll_rc rc = ethereum_recover(hash, vectors_text(row, "signature"), &found, &err);

        if (json_member_text(row, "error", &words)) {
            OK(rc == LL_EINVAL);
            OK(strstr(words.ptr, "CURVE") != NULL || text_is(words, err.text));
            continue;
        }
        OK(rc == LL_OK);
        OK(ethereum_address_parse(vectors_text(row, "address"), &expected));
        OK(ethereum_address_equal(&found, &expected));
        OK(ethereum_address_equal(&found, &signer) ==
           json_is_true(vectors_get(row, "matchesSigner")));
    }
}

static void new_keys_differ_and_work(void)
{
    struct ethereum_key a, b;
    struct ethereum_address signer;
    uint8_t hash[KECCAK_SIZE];
    char signature[ETHEREUM_SIGNATURE_TEXT];

    ethereum_key_new(&a);
    ethereum_key_new(&b);
    OK(memcmp(a.secret, b.secret, sizeof(a.secret)) != 0);
    ethereum_personal_sign(&a, TEXT("hello"), signature);
    ethereum_personal_hash(TEXT("hello"), hash);
    OK(ethereum_recover(hash, text_of(signature), &signer, NULL) == LL_OK);
    OK(ethereum_address_equal(&signer, &a.address));
    OK(!ethereum_address_equal(&signer, &b.address));
}

int main(void)
{
    vectors = vectors_load("auth-chain.json");
    RUN(hashes_are_those_of_the_vectors);
    RUN(a_hash_does_not_depend_on_the_pieces);
    RUN(addresses_have_their_checksum);
    RUN(what_is_no_address_is_refused);
    RUN(keys_have_their_addresses);
    RUN(keys_out_of_range_are_refused);
    RUN(messages_are_signed_as_wallets_do);
    RUN(signatures_are_recovered_or_refused);
    RUN(new_keys_differ_and_work);
    json_decref(vectors);
    return t_done();
}
