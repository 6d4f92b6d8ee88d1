/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* keccak.c - Keccak-f[1600] (FIPS 202, section 3) in a sponge of rate 136, padding 01. */
#include "core/auth/keccak.h"

#include <string.h>

static const uint64_t round_constants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

/* Rho and pi in the order in which pi visits the lanes, from lane 1 on. */
static const uint8_t lanes[24] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                  15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
static const uint8_t turns[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                  27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};

static inline uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void theta(uint64_t a[25])
{
    uint64_t c[5];

    for (size_t x = 0; x < 5; x++)
        c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (size_t x = 0; x < 5; x++) {
        uint64_t d = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1);

        for (size_t y = 0; y < 25; y += 5) a[y + x] ^= d;
    }
}

static void rho_and_pi(uint64_t a[25])
{
    uint64_t moving = a[1];

    for (size_t i = 0; i < 24; i++) {
        uint64_t next = a[lanes[i]];

        a[lanes[i]] = rotate(moving, turns[i]);
        moving = next;
    }
}

static void chi(uint64_t a[25])
{
    for (size_t y = 0; y < 25; y += 5) {
        uint64_t b[5];

        memcpy(b, a + y, sizeof(b));
        for (size_t x = 0; x < 5; x++)
            a[y + x] = b[x] ^ (~b[(x + 1) % 5] & b[(x + 2) % 5]);
    }
}

static void permute(uint64_t a[25])
{
    for (size_t round = 0; round < 24; round++) {
        theta(a);
        rho_and_pi(a);
        chi(a);
        a[0] ^= round_constants[round];
    }
}

/* A byte of the block goes to its place in the little-endian lanes, on any machine. */
static void absorb(struct keccak *k, uint8_t byte)
{
    k->state[k->used / 8] ^= (uint64_t)byte << (8 * (k->used % 8));
    if (++k->used == KECCAK_RATE) {
        permute(k->state);
        k->used = 0;
    }
}

static uint64_t load_lane(const uint8_t *s)
{
    uint64_t lane = 0;

    for (size_t i = 0; i < 8; i++) lane |= (uint64_t)s[i] << (8 * i);
    return lane;
}

void keccak_init(struct keccak *k)
{
    memset(k, 0, sizeof(*k));
}

void keccak_add(struct keccak *k, const void *bytes, size_t n)
{
    const uint8_t *s = bytes, *end = s + n;

    while (s < end && k->used % 8 != 0) absorb(k, *s++);
    for (; end - s >= 8; s += 8) {
        k->state[k->used / 8] ^= load_lane(s);
        if ((k->used += 8) == KECCAK_RATE) {
            permute(k->state);
            k->used = 0;
        }
    }
    while (s < end) absorb(k, *s++);
}

void keccak_final(struct keccak *k, uint8_t out[KECCAK_SIZE])
{
    k->state[k->used / 8] ^= (uint64_t)1 << (8 * (k->used % 8));
    k->state[KECCAK_RATE / 8 - 1] ^= (uint64_t)1 << 63;
    permute(k->state);
    for (size_t i = 0; i < KECCAK_SIZE; i++)
        out[i] = (uint8_t)(k->state[i / 8] >> (8 * (i % 8)));
}

void keccak256(struct text t, uint8_t out[KECCAK_SIZE])
{
    struct keccak k;

    keccak_init(&k);
    keccak_add(&k, t.ptr, t.len);
    keccak_final(&k, out);
}
