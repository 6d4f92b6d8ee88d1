/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_files.c - files by their hash: GET /contents/:hashId and /available-content
 * (contract: catalyst, 3.2 and 3.3). */
#include "producers/content_service.h"

#include <stdlib.h>

void content_get_content(struct http_request *r)
{
    struct text hash = http_path_parameter(r, "hashId"), ignored;
    bool sniff = http_query_parameter(r, "includeMimeType", &ignored);

    if (!http_respond_blob(r, hash, sniff))
        content_refuse_as(r, 404, "No content found with hash %.*s", TEXT_ARGS(hash));
}

struct survey {
    struct blob_store *store;
    const struct text *cids;
    size_t count;
    enum { IS_THERE, IS_MISSING, IS_DENIED } * found;
};

/* Whoever asks is about to deploy what uses them: they stay for the grace period. */
static void look(void *context)
{
    struct survey *s = context;

    for (size_t i = 0; i < s->count; i++)
        if (blob_is_denied(s->store, s->cids[i]))
            s->found[i] = IS_DENIED;
        else
            s->found[i] =
                cid_form(s->cids[i]) != CID_NONE && blob_touch(s->store, s->cids[i])
                    ? IS_THERE
                    : IS_MISSING;
}

static int compare_texts(const void *a, const void *b)
{
    const struct text *x = a, *y = b;

    return text_compare(*x, *y);
}

/* Sorted, each once; returns how many are left. */
static size_t distinct(struct text *texts, size_t n)
{
    size_t kept = 0;

    qsort(texts, n, sizeof(*texts), compare_texts);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !text_equal(texts[kept - 1], texts[i])) texts[kept++] = texts[i];
    return kept;
}

void content_get_available(struct http_request *r)
{
    struct survey s = {.store = http_blobs(r)};
    struct text *cids = http_query_list(r, "cid", &s.count);
    struct builder b;

    if (s.count == 0) {
        content_refuse_as(r, 400, "Please set at least one cid.");
        return;
    }
    if (s.count > CONTENT_LIST_MOST) {
        content_refuse_as(r, 400, "Too many cids requested; the maximum allowed is %d.",
                          CONTENT_LIST_MOST);
        return;
    }
    s.cids = cids;
    s.count = distinct(cids, s.count);
    s.found = arena_calloc(http_arena(r), s.count, sizeof(*s.found));
    if (!http_offload(r, look, &s)) return;

    builder_init(&b, 1024 * 1024);
    builder_char(&b, '[');
    for (size_t i = 0; i < s.count; i++) {
        if (s.found[i] == IS_DENIED) continue;
        builder_string(&b, b.len > 1 ? ",{\"cid\":" : "{\"cid\":");
        builder_json_string(&b, s.cids[i]);
        builder_printf(&b, ",\"available\":%s}",
                       s.found[i] == IS_THERE ? "true" : "false");
    }
    builder_char(&b, ']');
    http_respond_json(r, 200, builder_view(&b));
    builder_fini(&b);
}
