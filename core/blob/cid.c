/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* cid.c - a node's links come before what it says of itself, so each level of the tree
 * is hashed while it grows and nothing is kept of it but its children's sizes. */
#include "core/blob/cid.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 262144, /* bytes of a leaf */
    FANOUT = 174,   /* children of a node */
    LEVELS = 6,     /* of nodes: more than 2^64 bytes */
    HASH = 32,
    CID_BYTES = 4 + HASH,
    CODEC_RAW = 0x55,
    CODEC_DAG_PB = 0x70,
    VARINT = 10
};

struct level {
    EVP_MD_CTX *hash; /* of the node so far: its links */
    size_t children;
    uint64_t sizes[FANOUT]; /* file bytes under each child */
    uint64_t encoded;       /* bytes of the node so far */
    uint64_t below;         /* encoded bytes under it, the children's own included */
};

/* A finished leaf or node, as its parent sees it. */
struct child {
    unsigned char cid[CID_BYTES];
    uint64_t size, total; /* file bytes; encoded bytes with all that is under it */
};

struct cid_hasher {
    EVP_MD_CTX *leaf, *whole;
    size_t leaf_size;
    uint64_t size;
    size_t used; /* levels */
    struct level levels[LEVELS];
};

static void hash_begin(EVP_MD_CTX *c)
{
    LL_CHECK(EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1);
}

static void hash_add(EVP_MD_CTX *c, const void *bytes, size_t n)
{
    LL_CHECK(EVP_DigestUpdate(c, bytes, n) == 1);
}

static void hash_end(EVP_MD_CTX *c, unsigned char out[HASH])
{
    LL_CHECK(EVP_DigestFinal_ex(c, out, NULL) == 1);
}

static EVP_MD_CTX *hash_new(void)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();

    LL_CHECK(c != NULL);
    return c;
}

struct cid_hasher *cid_hasher_new(void)
{
    struct cid_hasher *h = ll_calloc(1, sizeof(*h));

    h->leaf = hash_new();
    h->whole = hash_new();
    hash_begin(h->leaf);
    return h;
}

void cid_hasher_free(struct cid_hasher *h)
{
    if (h == NULL) return;
    EVP_MD_CTX_free(h->leaf);
    EVP_MD_CTX_free(h->whole);
    for (size_t i = 0; i < LEVELS; i++) EVP_MD_CTX_free(h->levels[i].hash);
    free(h);
}

/* ---- the tree ---- */

static size_t put_varint(uint64_t n, unsigned char *out)
{
    size_t len = 0;

    for (; n >= 0x80; n >>= 7) out[len++] = (unsigned char)(n | 0x80);
    out[len++] = (unsigned char)n;
    return len;
}

static void node_add(struct level *l, const void *bytes, size_t n)
{
    hash_add(l->hash, bytes, n);
    l->encoded += n;
}

static void set_cid(struct child *c, unsigned char codec)
{
    memcpy(c->cid, (const unsigned char[]){1, codec, 0x12, HASH}, 4);
}

/* PBNode.Links: {Hash, Name "", Tsize}. */
static void add_link(struct level *l, const struct child *c)
{
    unsigned char link[2 + 2 + CID_BYTES + 2 + 1 + VARINT];
    size_t n = 2;

    link[0] = 0x12;
    link[n++] = 0x0a;
    link[n++] = CID_BYTES;
    memcpy(link + n, c->cid, CID_BYTES);
    n += CID_BYTES;
    link[n++] = 0x12;
    link[n++] = 0;
    link[n++] = 0x18;
    n += put_varint(c->total, link + n);
    link[1] = (unsigned char)(n - 2);
    if (l->hash == NULL) l->hash = hash_new();
    if (l->children == 0) hash_begin(l->hash);
    node_add(l, link, n);
    l->below += c->total;
    l->sizes[l->children++] = c->size;
}

/* PBNode.Data: UnixFS {Type file, filesize, blocksizes}; then the node is whole. */
static void end_node(struct level *l, struct child *out)
{
    unsigned char data[3 + VARINT + FANOUT * (1 + VARINT)], head[1 + VARINT];
    size_t n = 2, head_len;

    out->size = 0;
    for (size_t i = 0; i < l->children; i++) out->size += l->sizes[i];
    data[0] = 0x08;
    data[1] = 2;
    data[n++] = 0x18;
    n += put_varint(out->size, data + n);
    for (size_t i = 0; i < l->children; i++) {
        data[n++] = 0x20;
        n += put_varint(l->sizes[i], data + n);
    }
    head[0] = 0x0a;
    head_len = 1 + put_varint(n, head + 1);
    node_add(l, head, head_len);
    node_add(l, data, n);
    set_cid(out, CODEC_DAG_PB);
    hash_end(l->hash, out->cid + 4);
    out->total = l->encoded + l->below;
    l->children = 0;
    l->encoded = l->below = 0;
}

/* A full node is ended only when one more child comes: it may be the root. */
static void add_child(struct cid_hasher *h, size_t level, const struct child *c)
{
    struct child full;

    LL_CHECK(level < LEVELS);
    if (h->levels[level].children == FANOUT) {
        end_node(&h->levels[level], &full);
        add_child(h, level + 1, &full);
    }
    if (level >= h->used) h->used = level + 1;
    add_link(&h->levels[level], c);
}

static void end_leaf(struct cid_hasher *h, struct child *out)
{
    set_cid(out, CODEC_RAW);
    /* Up to here the first leaf is the whole file: it need not be hashed twice. */
    if (h->size == h->leaf_size) LL_CHECK(EVP_MD_CTX_copy_ex(h->whole, h->leaf) == 1);
    hash_end(h->leaf, out->cid + 4);
    out->size = out->total = h->leaf_size;
    hash_begin(h->leaf);
    h->leaf_size = 0;
}

void cid_hasher_add(struct cid_hasher *h, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;

    while (n > 0) {
        size_t take = CHUNK - h->leaf_size;
        struct child leaf;

        if (take == 0) {
            end_leaf(h, &leaf);
            add_child(h, 0, &leaf);
            continue;
        }
        if (take > n) take = n;
        hash_add(h->leaf, at, take);
        if (h->used > 0) hash_add(h->whole, at, take);
        h->leaf_size += take;
        h->size += take;
        at += take;
        n -= take;
    }
}

/* ---- text ---- */

/* RFC 4648 base32, lower case, no padding, behind multibase's letter for it. */
static void print_base32(const unsigned char cid[CID_BYTES], char out[CID_TEXT])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned bits = 0, held = 0;
    size_t n = 0;

    out[n++] = 'b';
    for (size_t i = 0; i < CID_BYTES; i++) {
        bits = (bits << 8 | cid[i]) & 0xfff;
        for (held += 8; held >= 5; held -= 5) out[n++] = digits[bits >> (held - 5) & 31];
    }
    if (held > 0) out[n++] = digits[bits << (5 - held) & 31];
    LL_CHECK(n == CID_TEXT - 1);
    out[n] = '\0';
}

/* Base58 (Bitcoin's digits) of a multihash of sha2-256: always 46 digits, since 0x1220 in
 * front leaves no zero byte there. */
static void print_base58(const unsigned char hash[HASH], char out[CID_TEXT])
{
    enum { DIGITS = 46 };
    static const char alphabet[] =
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    unsigned char digits[DIGITS] = {0}, bytes[2 + HASH] = {0x12, HASH};

    memcpy(bytes + 2, hash, HASH);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        unsigned carry = bytes[i];

        for (size_t k = DIGITS; k-- > 0;) {
            carry += 256U * digits[k];
            digits[k] = (unsigned char)(carry % 58);
            carry /= 58;
        }
        LL_CHECK(carry == 0);
    }
    for (size_t k = 0; k < DIGITS; k++) out[k] = alphabet[digits[k]];
    out[DIGITS] = '\0';
}

void cid_hasher_finish(struct cid_hasher *h, struct cids *out)
{
    unsigned char whole[HASH];
    struct child top;

    memset(out, 0, sizeof(*out));
    out->size = h->size;
    end_leaf(h, &top);
    if (h->used > 0) add_child(h, 0, &top);
    for (size_t i = 0; i < h->used; i++) {
        end_node(&h->levels[i], &top);
        if (i + 1 < h->used) add_child(h, i + 1, &top);
    }
    print_base32(top.cid, out->v1);
    hash_end(h->whole, whole);
    print_base58(whole, out->v0);
    h->size = 0;
    h->used = 0;
}

void cids_of(struct text bytes, struct cids *out)
{
    struct cid_hasher *h = cid_hasher_new();

    cid_hasher_add(h, bytes.ptr, bytes.len);
    cid_hasher_finish(h, out);
    cid_hasher_free(h);
}

enum cid_form cid_form(struct text t)
{
    enum { V0_LENGTH = 46, V1_LENGTH = 59 };

    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
            return CID_NONE;
    }
    if (t.len == V1_LENGTH && text_starts_with(t, "ba")) return CID_V1;
    if (t.len == V0_LENGTH && text_starts_with(t, "Qm")) return CID_V0;
    return CID_NONE;
}

const char *cids_name(const struct cids *c, enum cid_form form)
{
    LL_CHECK(form != CID_NONE);
    return form == CID_V1 ? c->v1 : c->v0;
}
