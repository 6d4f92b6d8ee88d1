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

static inline uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

/* The steps of a round are written out, not looped over with remainders and tables of
 * turns: constants in the instructions make it three times as fast. */

static inline void add_to_column(uint64_t a[25], size_t x, uint64_t d)
{
    a[x] ^= d;
    a[x + 5] ^= d;
    a[x + 10] ^= d;
    a[x + 15] ^= d;
    a[x + 20] ^= d;
}

static inline uint64_t column(const uint64_t a[25], size_t x)
{
    return a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
}

static inline void theta(uint64_t a[25])
{
    uint64_t c0 = column(a, 0), c1 = column(a, 1), c2 = column(a, 2);
    uint64_t c3 = column(a, 3), c4 = column(a, 4);

    add_to_column(a, 0, c4 ^ rotate(c1, 1));
    add_to_column(a, 1, c0 ^ rotate(c2, 1));
    add_to_column(a, 2, c1 ^ rotate(c3, 1));
    add_to_column(a, 3, c2 ^ rotate(c4, 1));
    add_to_column(a, 4, c3 ^ rotate(c0, 1));
}

/* Put the lane in hand, turned, where pi says, and take up the one that was there. */
static inline uint64_t move(uint64_t *lane, uint64_t moving, unsigned turn)
{
    uint64_t next = *lane;

    *lane = rotate(moving, turn);
    return next;
}

static inline void rho_and_pi(uint64_t a[25])
{
    uint64_t m = a[1];

    m = move(a + 10, m, 1);
    m = move(a + 7, m, 3);
    m = move(a + 11, m, 6);
    m = move(a + 17, m, 10);
    m = move(a + 18, m, 15);
    m = move(a + 3, m, 21);
    m = move(a + 5, m, 28);
    m = move(a + 16, m, 36);
    m = move(a + 8, m, 45);
    m = move(a + 21, m, 55);
    m = move(a + 24, m, 2);
    m = move(a + 4, m, 14);
    m = move(a + 15, m, 27);
    m = move(a + 23, m, 41);
    m = move(a + 19, m, 56);
    m = move(a + 13, m, 8);
    m = move(a + 12, m, 25);
    m = move(a + 2, m, 43);
    m = move(a + 20, m, 62);
    m = move(a + 14, m, 18);
    m = move(a + 22, m, 39);
    m = move(a + 9, m, 61);
    m = move(a + 6, m, 20);
    move(a + 1, m, 44);
}

static inline void chi_of_row(uint64_t *a)
{
    uint64_t a0 = a[0], a1 = a[1];

    a[0] = a0 ^ (~a1 & a[2]);
    a[1] = a1 ^ (~a[2] & a[3]);
    a[2] ^= ~a[3] & a[4];
    a[3] ^= ~a[4] & a0;
    a[4] ^= ~a0 & a1;
}

static void permute(uint64_t a[25])
{
    for (size_t round = 0; round < 24; round++) {
        theta(a);
        rho_and_pi(a);
        for (size_t y = 0; y < 25; y += 5) chi_of_row(a + y);
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
