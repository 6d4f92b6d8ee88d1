/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* blob_gzip.c - the plain bytes of compressed blobs, a piece at a time. */
#include "core/blob/blob_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* What is wanted of the plain bytes, and who takes it. */
struct wanted {
    uint64_t skip, left;
    ll_rc (*take)(void *context, const void *bytes, size_t n, struct ll_error *err);
    void *context;
};

static ll_rc pass_on(struct wanted *w, const unsigned char *bytes, size_t n,
                     struct ll_error *err)
{
    size_t skip = w->skip < n ? (size_t)w->skip : n;

    w->skip -= skip;
    bytes += skip;
    n -= skip;
    if (n > w->left) n = (size_t)w->left;
    w->left -= n;
    return n > 0 ? w->take(w->context, bytes, n, err) : LL_OK;
}

/* One buffer of compressed bytes. */
static ll_rc inflate_piece(z_stream *z, struct wanted *w, struct ll_error *err)
{
    unsigned char plain[BLOB_BUFFER];
    ll_rc rc = LL_OK;
    int state = Z_OK;

    do {
        z->next_out = plain;
        z->avail_out = sizeof(plain);
        state = inflate(z, Z_NO_FLUSH);
        if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
            return ll_fail(err, LL_EBROKEN, "a compressed blob is damaged");
        rc = pass_on(w, plain, sizeof(plain) - z->avail_out, err);
    } while (rc == LL_OK && w->left > 0 && z->avail_out == 0);
    return rc;
}

ll_rc blob_gunzip(int fd, uint64_t from, uint64_t n,
                  ll_rc (*take)(void *context, const void *bytes, size_t n,
                                struct ll_error *err),
                  void *context, struct ll_error *err)
{
    enum { GZIP = 16 + MAX_WBITS };
    struct wanted w = {from, n, take, context};
    unsigned char packed[BLOB_BUFFER];
    z_stream z = {0};
    ll_rc rc = LL_OK;
    off_t at = 0;

    LL_CHECK(inflateInit2(&z, GZIP) == Z_OK);
    while (rc == LL_OK && w.left > 0) {
        ssize_t got = pread(fd, packed, sizeof(packed), at);

        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            rc = ll_fail(err, LL_EBROKEN, "a compressed blob is cut short");
            break;
        }
        at += got;
        z.next_in = packed;
        z.avail_in = (unsigned)got;
        rc = inflate_piece(&z, &w, err);
    }
    inflateEnd(&z);
    return rc;
}

static ll_rc write_piece(void *context, const void *bytes, size_t n, struct ll_error *err)
{
    return blob_write_all(*(int *)context, bytes, n, err);
}

ll_rc blob_inflate(struct blob_store *s, const struct blob *blob, uint64_t from,
                   uint64_t n, int *out, struct ll_error *err)
{
    ll_rc rc;

    LL_CHECK(blob->is_gzip && from <= blob->size && n <= blob->size - from);
    rc = blob_nameless(s, out, err);
    if (rc != LL_OK) return rc;
    rc = blob_gunzip(blob->fd, from, n, write_piece, out, err);
    if (rc == LL_OK) return LL_OK;
    close(*out);
    *out = -1;
    return rc;
}
