/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* uuid.c - see uuid.h. */
#include "core/base/uuid.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* uuid_v5(the URL namespace of RFC 9562, "https://landlog.dev/") */
const struct uuid uuid_landlog = {{0xb8, 0x6c, 0x75, 0xa9, 0xcb, 0xf2, 0x5a, 0xe6, 0x84,
                                   0xe6, 0x4c, 0x73, 0x1f, 0xcb, 0xa0, 0xb1}};

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool uuid_is_nil(const struct uuid *u)
{
    static const struct uuid nil;

    return uuid_equal(u, &nil);
}

bool uuid_parse(struct text t, struct uuid *out)
{
    static const size_t digits[] = {8, 4, 4, 4, 12};
    struct uuid u;
    size_t at = 0, byte = 0;

    if (t.len != 36) return false;
    for (size_t i = 0; i < LL_LENGTH(digits); i++) {
        struct text part = {t.ptr + at, digits[i]};

        if (i > 0 && t.ptr[at - 1] != '-') return false;
        if (!hex_decode(part, u.bytes + byte, digits[i] / 2)) return false;
        byte += digits[i] / 2;
        at += digits[i] + 1;
    }
    *out = u;
    return true;
}

void uuid_print(const struct uuid *u, char out[UUID_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    size_t n = 0;

    for (size_t i = 0; i < sizeof(u->bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out[n++] = '-';
        out[n++] = hex[u->bytes[i] >> 4];
        out[n++] = hex[u->bytes[i] & 15];
    }
    out[n] = '\0';
}

static void mark(struct uuid *u, uint8_t version)
{
    u->bytes[6] = (uint8_t)((u->bytes[6] & 0x0f) | version << 4);
    u->bytes[8] = (uint8_t)((u->bytes[8] & 0x3f) | 0x80);
}

/* The first 16 bytes of a digest over two pieces. */
static struct uuid digest(const EVP_MD *kind, const void *first, size_t first_len,
                          const void *second, size_t second_len)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct uuid u;

    LL_CHECK(context != NULL && EVP_DigestInit_ex(context, kind, NULL) == 1 &&
             EVP_DigestUpdate(context, first, first_len) == 1 &&
             EVP_DigestUpdate(context, second, second_len) == 1 &&
             EVP_DigestFinal_ex(context, out, NULL) == 1);
    EVP_MD_CTX_free(context);
    memcpy(u.bytes, out, sizeof(u.bytes));
    return u;
}

struct uuid uuid_v5(const struct uuid *name_space, struct text name)
{
    struct uuid u = digest(EVP_sha1(), name_space->bytes, sizeof(name_space->bytes),
                           name.len ? name.ptr : "", name.len);

    mark(&u, 5);
    return u;
}

struct uuid uuid_v7(int64_t now_ms)
{
    struct uuid u;

    LL_CHECK(RAND_bytes(u.bytes, sizeof(u.bytes)) == 1);
    for (int i = 0; i < 6; i++) u.bytes[i] = (uint8_t)((uint64_t)now_ms >> (40 - 8 * i));
    mark(&u, 7);
    return u;
}

struct uuid uuid_hash(struct text t)
{
    return digest(EVP_sha256(), t.len ? t.ptr : "", t.len, "", 0);
}
