/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* cid_test.c - both names of a file against the vectors, however its bytes arrive. */
#include "core/blob/cid.h"
#include "t.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

static json_t *vectors;

/* The vectors' formula, `n` bytes from `from` on. */
static void fill(unsigned char *out, uint64_t from, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        uint32_t i = (uint32_t)(from + k);

        out[k] = (unsigned char)((i * 1103515245U + 12345U) >> 16);
    }
}

static void check(const struct cids *c, const json_t *row, uint64_t size)
{
    OK(c->size == size);
    OK(text_is(vectors_text(row, "hashV1"), c->v1));
    OK(text_is(vectors_text(row, "hashV0"), c->v0));
    OK(strcmp(cids_name(c, CID_V1), c->v1) == 0);
    OK(strcmp(cids_name(c, CID_V0), c->v0) == 0);
    OK(cid_form(text_of(c->v1)) == CID_V1 && cid_form(text_of(c->v0)) == CID_V0);
}

/* In pieces of `piece` bytes, with a hasher that was used before. */
static void hash_formula(struct cid_hasher *h, const json_t *row, size_t piece)
{
    uint64_t size = (uint64_t)json_integer_value(vectors_get(row, "size"));
    unsigned char *bytes = malloc(piece);
    struct cids c;

    for (uint64_t at = 0; at < size;) {
        size_t n = size - at < piece ? (size_t)(size - at) : piece;

        fill(bytes, at, n);
        cid_hasher_add(h, bytes, n);
        at += n;
    }
    cid_hasher_finish(h, &c);
    check(&c, row, size);
    free(bytes);
}

static void formula_vectors_agree(void)
{
    static const size_t pieces[] = {65536, 262144, 262145, 1000003};
    struct cid_hasher *h = cid_hasher_new();
    const json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors, "formulaVectors"), i, row)
    {
        uint64_t size = (uint64_t)json_integer_value(vectors_get(row, "size"));

        for (size_t k = 0; k < LL_LENGTH(pieces); k++)
            if (k == 0 || size < 6000000) hash_formula(h, row, pieces[k]);
    }
    cid_hasher_free(h);
}

static void literal_vectors_agree(void)
{
    const json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors, "literalVectors"), i, row)
    {
        struct text bytes = vectors_text(row, "utf8");
        struct cid_hasher *h = cid_hasher_new();
        struct cids c;

        cids_of(bytes, &c);
        check(&c, row, bytes.len);
        for (size_t k = 0; k < bytes.len; k++) cid_hasher_add(h, bytes.ptr + k, 1);
        cid_hasher_finish(h, &c);
        check(&c, row, bytes.len);
        cid_hasher_free(h);
    }
}

static void repeat_vectors_agree(void)
{
    const json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors, "repeatVectors"), i, row)
    {
        size_t n = (size_t)json_integer_value(vectors_get(row, "count"));
        char *bytes = malloc(n);
        struct cids c;

        memset(bytes, (int)json_integer_value(vectors_get(row, "byte")), n);
        cids_of((struct text){bytes, n}, &c);
        check(&c, row, n);
        free(bytes);
    }
}

static void a_name_is_told_by_its_shape(void)
{
    const json_t *row;
    size_t i;

    json_array_foreach(vectors_get(vectors_get(vectors, "format_checks"), "samples"), i,
                       row)
    {
        enum cid_form form = cid_form(vectors_text(row, "text"));

        /* The vectors count IPFS' forms from one, the content server from zero. */
        OK((form == CID_V0) == json_is_true(vectors_get(row, "v1")));
        OK((form == CID_V1) == json_is_true(vectors_get(row, "v2")));
    }
}

static void a_path_is_no_name(void)
{
    static const char *const bad[] = {
        "..",
        "/etc/passwd",
        "Qm/../../../../../../../../../../etc/passwd0000",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyk.",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyk/",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykuu",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyk\xc3\xbc",
    };
    char with_nul[] = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";

    for (size_t i = 0; i < LL_LENGTH(bad); i++) OK(cid_form(text_of(bad[i])) == CID_NONE);
    OK(cid_form(text_of(with_nul)) == CID_V0);
    with_nul[10] = '\0';
    OK(cid_form((struct text){with_nul, 46}) == CID_NONE);
}

int main(void)
{
    vectors = vectors_load("cid.json");
    RUN(formula_vectors_agree);
    RUN(literal_vectors_agree);
    RUN(repeat_vectors_agree);
    RUN(a_name_is_told_by_its_shape);
    RUN(a_path_is_no_name);
    json_decref(vectors);
    return t_done();
}
