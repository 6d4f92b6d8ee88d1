/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content.c - a blob as an answer (contract catalyst, 3.3). The file is opened and looked
 * at on a thread of the pool, and goes from the disk to the socket without us. */
#include "core/http/range.h"
#include "core/http/request.h"
#include "core/http/sniff.h"

#include "core/base/note.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { READ_AHEAD = 4 * 1024 * 1024 };

struct opening {
    struct blob_store *blobs;
    struct text name, range;
    bool sniffs;

    struct blob blob;
    enum range kind;
    uint64_t first, last;
    int inflated; /* a compressed blob's range, plain; -1: none */
    const char *type;
    ll_rc rc;
    struct ll_error err;
};

/* A compressed file's own first bytes say only that it is one. */
static const char *sniff(const struct opening *o)
{
    char bytes[SNIFF_BYTES];
    ssize_t n;

    if (o->blob.is_gzip) return NULL;
    n = pread(o->blob.fd, bytes, sizeof(bytes), 0);
    return n > 0 ? sniff_type((struct text){bytes, (size_t)n}) : NULL;
}

static void open_blob(void *context)
{
    struct opening *o = context;

    o->inflated = -1;
    o->rc = blob_open(o->blobs, o->name, &o->blob, &o->err);
    if (o->rc != LL_OK) return;
    if (o->sniffs) o->type = sniff(o);
    o->kind = range_parse(o->range, o->blob.size, &o->first, &o->last);
    if (o->blob.is_gzip && o->kind == RANGE_PART)
        o->rc = blob_inflate(o->blobs, &o->blob, o->first, o->last - o->first + 1,
                             &o->inflated, &o->err);
    else if (posix_fadvise(o->blob.fd, (off_t)(o->kind == RANGE_PART ? o->first : 0),
                           READ_AHEAD, POSIX_FADV_WILLNEED) != 0) { /* only a hint */
    }
    if (o->rc != LL_OK) close(o->blob.fd);
}

/* ---- headers ---- */

/* `name` in the list of an If-None-Match, strong or weak, or `*`. */
static bool is_known(struct http_request *r, const char *tag)
{
    struct text wanted = http_header(r, "if-none-match"), one;

    while (wanted.len > 0) {
        text_cut(&wanted, ',', &one);
        while (one.len > 0 && (one.ptr[0] == ' ' || one.ptr[0] == '\t'))
            one.ptr++, one.len--;
        while (one.len > 0 &&
               (one.ptr[one.len - 1] == ' ' || one.ptr[one.len - 1] == '\t'))
            one.len--;
        if (text_starts_with(one, "W/")) one.ptr += 2, one.len -= 2;
        if (text_is(one, tag) || text_is(one, "*")) return true;
    }
    return false;
}

static void add_headers(struct http_request *r, const char *tag)
{
    http_add_header(r, "ETag", tag);
    http_add_header(r, "Cache-Control",
                    "public,max-age=31536000,s-maxage=31536000,immutable");
    http_add_header(r, "Access-Control-Expose-Headers",
                    "ETag, Content-Range, Accept-Ranges, Content-Length");
}

static void add_range(struct http_request *r, const struct opening *o)
{
    char text[80];

    if (o->kind == RANGE_PART)
        snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, o->first,
                 o->last, o->blob.size);
    else
        snprintf(text, sizeof(text), "bytes */%" PRIu64, o->blob.size);
    http_add_header(r, "Content-Range", text);
}

/* ---- answers ---- */

static void respond_part(struct http_request *r, const struct opening *o,
                         const char *type)
{
    struct file_part part = {o->blob.fd, o->first, o->last - o->first + 1};

    add_range(r, o);
    if (o->inflated >= 0) {
        close(o->blob.fd);
        part = (struct file_part){o->inflated, 0, part.length};
    }
    request_respond_file(r, 206, type, part);
}

static void respond(struct http_request *r, const struct opening *o, const char *tag)
{
    const char *type = o->type != NULL ? o->type : "application/octet-stream";

    add_headers(r, tag);
    if (is_known(r, tag)) {
        close(o->blob.fd);
        if (o->inflated >= 0) close(o->inflated);
        http_respond(r, 304, type, TEXT(""));
        return;
    }
    http_add_header(r, "Accept-Ranges", "bytes");
    if (o->kind == RANGE_PART) {
        respond_part(r, o, type);
    } else if (o->kind == RANGE_OUTSIDE) {
        close(o->blob.fd);
        add_range(r, o);
        http_respond(r, 416, type, TEXT(""));
    } else {
        if (o->blob.is_gzip) http_add_header(r, "Content-Encoding", "gzip");
        request_respond_file(r, 200, type,
                             (struct file_part){o->blob.fd, 0, o->blob.disk_size});
    }
}

bool http_respond_blob(struct http_request *r, struct text name, bool sniff_it)
{
    struct opening o = {.blobs = r->server->blobs,
                        .name = name,
                        .range = http_header(r, "range"),
                        .sniffs = sniff_it};
    struct text condition = http_header(r, "if-range");
    char tag[CID_TEXT + 2];

    if (cid_form(name) == CID_NONE) return false;
    snprintf(tag, sizeof(tag), "\"%.*s\"", TEXT_ARGS(name));
    /* A range of something else than the client has is of no use to it. */
    if (condition.len > 0 && !text_is(condition, tag)) o.range = TEXT("");
    if (!http_offload(r, open_blob, &o)) return true;
    if (o.rc == LL_ENOTFOUND) return false;
    if (o.rc == LL_OK) {
        respond(r, &o, tag);
        return true;
    }
    note(NOTE_ERROR, "a blob cannot be read", NOTE_S("id", r->id),
         NOTE_S("error", o.err.text));
    request_refuse(r, HTTP_REFUSED_UNAVAILABLE, o.rc == LL_EFULL ? 507 : 500,
                   "Internal Server Error");
    return true;
}
