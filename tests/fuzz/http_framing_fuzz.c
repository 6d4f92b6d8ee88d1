/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_framing_fuzz.c - the framing's look and http-parser agree on where a head and a
 * chunked body end, for all that the look lets through; and the look says the same in
 * whatever pieces the bytes come. Includes the source under test for its states. */
#include "core/http/framing.c"

#include <http_parser.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct seen {
    bool head, message;
};

static int on_head(http_parser *p)
{
    ((struct seen *)p->data)->head = true;
    p->upgrade = 0;
    return 0;
}

static int on_message(http_parser *p)
{
    ((struct seen *)p->data)->message = true;
    http_parser_pause(p, 1);
    return 0;
}

/* Both over one request; what the look took of it. */
static size_t both(const char *bytes, size_t len, size_t piece)
{
    static const http_parser_settings calls = {.on_headers_complete = on_head,
                                               .on_message_complete = on_message};
    struct seen seen = {false, false};
    struct framing f;
    http_parser p;
    const char *fault = NULL;
    size_t at = 0;

    http_parser_init(&p, HTTP_REQUEST);
    p.data = &seen;
    framing_init(&f);
    while (at < len && fault == NULL && !seen.message) {
        size_t n =
            framing_check(&f, bytes + at, len - at < piece ? len - at : piece, &fault);
        bool head_before = seen.head;

        if (n == 0) break;
        at += http_parser_execute(&p, &calls, bytes + at, n);
        if (HTTP_PARSER_ERRNO(&p) != HPE_OK && HTTP_PARSER_ERRNO(&p) != HPE_PAUSED)
            return SIZE_MAX; /* the parser refuses more: a version, a method, a length */
        LL_CHECK((seen.head && !head_before) == (f.state == HEAD_ENDED));
        if (f.state == ENDED) LL_CHECK(seen.message);
        if (seen.message && f.state != HEAD_ENDED && f.state != UNSEEN)
            LL_CHECK(f.state == ENDED);
        if (f.state == HEAD_ENDED && !seen.message) framing_body(&f, p.flags & F_CHUNKED);
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *bytes = (const char *)data;
    size_t whole = both(bytes, len, SIZE_MAX);

    LL_CHECK(both(bytes, len, 1) == whole && both(bytes, len, 7) == whole);
    return 0;
}
