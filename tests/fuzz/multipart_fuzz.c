/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* multipart_fuzz.c - a form fed whole and fed in pieces says the same, and no more data
 * comes out than went in. Up to the first LF is the Content-Type; the byte behind it is
 * the size of the pieces. */
#include "core/http/multipart.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { MOST = 4 * 1024 * 1024 };

struct heard {
    struct builder text;
    size_t data;
    bool in_part;
};

static ll_rc heard_begin(void *context, const struct multipart_part *p)
{
    struct heard *h = context;

    LL_CHECK(!h->in_part && p->name.len > 0 && p->name.len <= MULTIPART_NAME);
    LL_CHECK(text_is_utf8(p->name) && text_is_utf8(p->file_name) &&
             text_is_utf8(p->type));
    LL_CHECK(p->file_name.len <= MULTIPART_NAME && p->type.len <= MULTIPART_TYPE);
    h->in_part = true;
    builder_printf(&h->text, "\n%d %zu:", p->is_file, p->name.len);
    builder_text(&h->text, p->name);
    builder_text(&h->text, p->file_name);
    builder_text(&h->text, p->type);
    return LL_OK;
}

static ll_rc heard_data(void *context, const char *bytes, size_t n)
{
    struct heard *h = context;

    LL_CHECK(h->in_part && n > 0);
    h->data += n;
    builder_add(&h->text, bytes, n);
    return LL_OK;
}

static ll_rc heard_end(void *context)
{
    struct heard *h = context;

    LL_CHECK(h->in_part);
    h->in_part = false;
    return LL_OK;
}

static ll_rc feed(struct text type, struct text body, size_t piece, struct heard *h)
{
    static const struct multipart_sink sink = {heard_begin, heard_data, heard_end};
    size_t all = body.len;
    struct multipart m;
    ll_rc rc = multipart_init(&m, type);

    builder_init(&h->text, MOST);
    while (rc == LL_OK && body.len > 0) {
        size_t n = body.len < piece ? body.len : piece;

        rc = multipart_feed(&m, (struct text){body.ptr, n}, &sink, h);
        body.ptr += n;
        body.len -= n;
    }
    if (rc == LL_OK && !multipart_is_complete(&m)) rc = LL_EFULL;
    LL_CHECK(rc != LL_OK || !h->in_part);
    LL_CHECK(h->data <= all);
    multipart_fini(&m);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct text body = {(const char *)data, len}, type;
    struct heard whole = {0}, pieces = {0};
    size_t piece;
    ll_rc rc;

    if (!text_cut(&body, '\n', &type) || body.len == 0) return 0;
    piece = (size_t)(unsigned char)body.ptr[0] + 1;
    body.ptr++;
    body.len--;
    rc = feed(type, body, SIZE_MAX, &whole);
    LL_CHECK(feed(type, body, piece, &pieces) == rc);
    /* Of what is refused as much may have been told as came before the fault. */
    if (rc == LL_OK || rc == LL_EFULL)
        LL_CHECK(text_equal(builder_view(&whole.text), builder_view(&pieces.text)));
    builder_fini(&whole.text);
    builder_fini(&pieces.text);
    return 0;
}
