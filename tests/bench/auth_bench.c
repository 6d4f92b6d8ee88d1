/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* auth_bench.c - signed requests verified a second, against bare recoveries with the same
 * libsecp256k1. A request has one recovery when its ephemeral link is remembered, two
 * when it is not. Rounds alternate and the best of each counts.
 */
#include "core/auth/identity.h"
#include "core/auth/signed_fetch.h"
#include "figure.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7, ROUND_US = 200000, BATCH = 50 };

static const int64_t now_ms = INT64_C(1768478400000);

struct header {
    char name[40];
    char value[1024];
    size_t len;
};

struct subject {
    struct header headers[5];
    size_t count;
    struct link_cache *cache; /* NULL: cold */
    struct arena arena;
    uint8_t hash[KECCAK_SIZE], signature[65]; /* for the bare recovery */
};

static void add_header(void *context, const char *name, struct text value)
{
    struct subject *s = context;
    struct header *h = &s->headers[s->count++];

    LL_CHECK(value.len < sizeof(h->value));
    snprintf(h->name, sizeof(h->name), "%s", name);
    memcpy(h->value, value.ptr, value.len);
    h->len = value.len;
}

static bool find_header(const void *context, const char *name, struct text *value)
{
    const struct subject *s = context;

    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->headers[i].name, name) != 0) continue;
        *value = (struct text){s->headers[i].value, s->headers[i].len};
        return true;
    }
    return false;
}

static void verify(struct subject *s)
{
    static const char *const keys[] = {"signer", NULL};
    const struct signed_fetch_rules rules = {.window_ms = SIGNED_FETCH_WINDOW_MS,
                                             .metadata_keys = keys};
    const struct signed_fetch_request in = {.method = TEXT("POST"),
                                            .path = TEXT("/social/v1/friendships"),
                                            .header = find_header,
                                            .context = s,
                                            .now_ms = now_ms};
    struct signed_fetch f;

    signed_fetch_check(&f, &in, &rules, s->cache, &s->arena);
    LL_CHECK(f.state == SIGNED_FETCH_OK);
    signed_fetch_fini(&f);
    arena_reset(&s->arena);
}

/* What any verifier on this library must do for one signature. */
static void recover(struct subject *s)
{
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey key;

    LL_CHECK(secp256k1_ecdsa_recoverable_signature_parse_compact(
        secp256k1_context_static, &parsed, s->signature, s->signature[64] - 27));
    LL_CHECK(secp256k1_ecdsa_recover(secp256k1_context_static, &key, &parsed, s->hash));
}

static void hash_block(struct subject *s)
{
    keccak256((struct text){(char *)s->signature, sizeof(s->signature)}, s->hash);
}

/* Processor time, since the machine is shared. */
static int64_t used_us(void)
{
    struct timespec t;

    LL_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Times a second, in one round. */
static double rate(void (*work)(struct subject *), struct subject *s)
{
    int64_t start = used_us(), end = start;
    uint64_t n = 0;

    for (; end - start < ROUND_US; end = used_us(), n += BATCH)
        for (int i = 0; i < BATCH; i++) work(s);
    return (double)n * 1e6 / (double)(end - start);
}

static void keep_best(double *best, double now)
{
    if (now > *best) *best = now;
}

int main(void)
{
    struct subject cold = {0}, warm;
    struct ethereum_key owner;
    struct identity i;
    char signature[ETHEREUM_SIGNATURE_TEXT];
    double bare = 0, first = 0, cached = 0, hashes = 0;

    ethereum_key_new(&owner);
    identity_new(&i, &owner, now_ms + 3600 * 1000);
    identity_sign_request(&i, TEXT("POST"), TEXT("/social/v1/friendships"), now_ms,
                          TEXT("{\"signer\":\"dcl:explorer\"}"), add_header, &cold);
    ethereum_personal_hash(TEXT("hello"), cold.hash);
    ethereum_sign(&owner, cold.hash, signature);
    LL_CHECK(hex_decode((struct text){signature + 2, 130}, cold.signature, 65));
    arena_init(&cold.arena, 1 << 20);
    warm = cold;
    warm.cache = link_cache_new(1000);
    arena_init(&warm.arena, 1 << 20);

    for (int round = 0; round < ROUNDS; round++) {
        keep_best(&bare, rate(recover, &cold));
        keep_best(&cached, rate(verify, &warm));
        keep_best(&first, rate(verify, &cold));
        keep_best(&hashes, rate(hash_block, &warm));
    }
    figure_ratio("AuthChain verification, ephemeral link cached", cached, "requests/s",
                 bare, 0.8);
    figure_value("AuthChain verification, not cached (two recoveries)", first,
                 "requests/s");
    figure_value("bare recoveries (libsecp256k1)", bare, "1/s");
    figure_value("keccak-256 of one block", hashes, "1/s");
    link_cache_free(warm.cache);
    arena_fini(&cold.arena);
    arena_fini(&warm.arena);
    return 0;
}
