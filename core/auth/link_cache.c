/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* link_cache.c - slots in chained buckets, and all slots in one list by last use. Slots
 * are numbers, not pointers: the table never moves and an entry stays small. */
#include "core/auth/link_cache.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define NONE UINT32_MAX

struct slot {
    struct link_key key;
    struct delegation delegation;
    int64_t from, until;
    uint32_t next;         /* in its bucket */
    uint32_t newer, older; /* by last use */
    bool used;
};

struct link_cache {
    EVP_MD *sha256; /* fetched once: looking it up costs more than hashing a link */
    EVP_MD_CTX *context;
    uint64_t seeds[2]; /* so that a stranger cannot aim many links at one bucket */
    uint32_t count, bucket_mask;
    uint32_t newest, oldest;
    uint32_t *buckets;
    struct slot *slots;
};

struct link_cache *link_cache_new(size_t entries)
{
    struct link_cache *c = ll_calloc(1, sizeof(*c));
    uint32_t buckets = 1;

    LL_CHECK(entries > 0 && entries < (1U << 30));
    LL_CHECK(getrandom(c->seeds, sizeof(c->seeds), 0) == sizeof(c->seeds));
    c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    c->context = EVP_MD_CTX_new();
    LL_CHECK(c->sha256 != NULL && c->context != NULL);
    c->count = (uint32_t)entries;
    while (buckets < c->count) buckets *= 2;
    c->bucket_mask = buckets - 1;
    c->buckets = ll_malloc(buckets * sizeof(*c->buckets));
    c->slots = ll_calloc(c->count, sizeof(*c->slots));
    for (uint32_t i = 0; i < buckets; i++) c->buckets[i] = NONE;
    for (uint32_t i = 0; i < c->count; i++) {
        c->slots[i].newer = i == 0 ? NONE : i - 1;
        c->slots[i].older = i + 1 == c->count ? NONE : i + 1;
    }
    c->newest = 0;
    c->oldest = c->count - 1;
    return c;
}

void link_cache_free(struct link_cache *c)
{
    if (c == NULL) return;
    EVP_MD_CTX_free(c->context);
    EVP_MD_free(c->sha256);
    free(c->buckets);
    free(c->slots);
    free(c);
}

struct link_key link_cache_key(struct link_cache *c, const struct text *parts, size_t n)
{
    struct link_key key;
    bool ok = EVP_DigestInit_ex2(c->context, c->sha256, NULL) == 1;

    for (size_t i = 0; i < n; i++) {
        uint64_t length = parts[i].len; /* so that no two splits of a text are one key */

        ok = ok && EVP_DigestUpdate(c->context, &length, sizeof(length)) == 1 &&
             EVP_DigestUpdate(c->context, parts[i].ptr, parts[i].len) == 1;
    }
    LL_CHECK(ok && EVP_DigestFinal_ex(c->context, key.bytes, NULL) == 1);
    return key;
}

static uint32_t *bucket_of(struct link_cache *c, const struct link_key *key)
{
    uint64_t words[2], mixed;

    memcpy(words, key->bytes, sizeof(words));
    mixed = words[0] * (c->seeds[0] | 1) + words[1] * (c->seeds[1] | 1);
    return &c->buckets[(mixed >> 32) & c->bucket_mask];
}

static uint32_t find(struct link_cache *c, const struct link_key *key)
{
    uint32_t at = *bucket_of(c, key);

    while (at != NONE && memcmp(&c->slots[at].key, key, sizeof(*key)) != 0)
        at = c->slots[at].next;
    return at;
}

static void make_newest(struct link_cache *c, uint32_t at)
{
    struct slot *s = &c->slots[at];

    if (c->newest == at) return;
    c->slots[s->newer].older = s->older;
    if (s->older != NONE)
        c->slots[s->older].newer = s->newer;
    else
        c->oldest = s->newer;
    s->newer = NONE;
    s->older = c->newest;
    c->slots[c->newest].newer = at;
    c->newest = at;
}

static void leave_bucket(struct link_cache *c, uint32_t at)
{
    uint32_t *link = bucket_of(c, &c->slots[at].key);

    while (*link != at) link = &c->slots[*link].next;
    *link = c->slots[at].next;
}

bool link_cache_has(struct link_cache *c, const struct link_key *key, int64_t date_ms,
                    struct delegation *out)
{
    uint32_t at = find(c, key);

    if (at == NONE || date_ms < c->slots[at].from || date_ms >= c->slots[at].until)
        return false;
    if (out != NULL) *out = c->slots[at].delegation;
    make_newest(c, at);
    return true;
}

/* The slot of the key, taken from the least recently used one where it has none. */
static struct slot *slot_for(struct link_cache *c, const struct link_key *key)
{
    uint32_t at = find(c, key), *bucket;

    if (at == NONE) {
        at = c->oldest;
        if (c->slots[at].used) leave_bucket(c, at);
        bucket = bucket_of(c, key);
        c->slots[at].next = *bucket;
        *bucket = at;
    }
    make_newest(c, at);
    return &c->slots[at];
}

void link_cache_put(struct link_cache *c, const struct link_key *key, int64_t from_ms,
                    int64_t until_ms, const struct delegation *delegation)
{
    struct slot *s = slot_for(c, key);

    s->key = *key;
    s->delegation = delegation != NULL ? *delegation : (struct delegation){0};
    s->from = from_ms;
    s->until = until_ms;
    s->used = true;
}
