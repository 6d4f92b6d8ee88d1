/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_garbage.c - files that nothing refers to: an upload whose deployment was
 * refused, a snapshot that was replaced (contract: catalyst, 4.10). */
#include "consumers/content_jobs.h"
#include "consumers/content_model.h"

#include "core/base/note.h"
#include "core/blob/blob_store.h"

#include <stdlib.h>
#include <string.h>

struct garbage {
    struct content_model *model;
    const struct react_context *context;
    bool only_active; /* files of active entities alone count */
};

static bool is_among(const json_t *list, struct text name)
{
    size_t low = 0, high = json_array_size(list);

    while (low < high) {
        size_t middle = (low + high) / 2;
        const json_t *item = json_array_get(list, middle);
        int order = text_compare(
            (struct text){json_string_value(item), json_string_length(item)}, name);

        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static ll_rc referenced(void *context, const struct text *names, size_t n,
                        bool *is_referenced, struct ll_error *err)
{
    struct garbage *g = context;
    struct builder list;
    json_t *found;
    ll_rc rc;

    if (atomic_load(g->context->is_stopping))
        return ll_fail(err, LL_ETIMEOUT, "told to stop");
    builder_init(&list, BLOB_SWEEP_BATCH * (CID_TEXT + 8));
    for (size_t i = 0; i < n; i++) {
        builder_char(&list, i == 0 ? '[' : ',');
        builder_json_string(&list, names[i]);
    }
    builder_string(&list, n == 0 ? "[]" : "]");
    LL_CHECK(!list.full);
    const char *values[] = {builder_view(&list).ptr, g->only_active ? "true" : "false"};
    rc = content_model_ask_json(g->model, "referenced", values, &found, err);
    builder_fini(&list);
    if (rc != LL_OK) return rc;
    for (size_t i = 0; i < n; i++) is_referenced[i] = is_among(found, names[i]);
    json_decref(found);
    return LL_OK;
}

/* A log without a single deployment beside a folder of files looks like the wrong
 * database: nothing is removed. */
static ll_rc sweep(struct garbage *g, struct blob_store *store, struct ll_error *err)
{
    struct blob_sweep swept = {0};
    json_t *known;
    ll_rc rc = content_model_ask_json(g->model, "has_deployments", NULL, &known, err);
    bool is_empty = rc == LL_OK && json_is_false(known);

    if (rc == LL_OK) json_decref(known);
    if (rc != LL_OK || is_empty) return rc;
    rc = blob_store_sweep(store, referenced, g, &swept, err);
    if (swept.removed > 0 || swept.drafts > 0)
        note(NOTE_INFO, "files were removed that nothing refers to",
             NOTE_I("files", swept.removed), NOTE_I("bytes", swept.removed_bytes),
             NOTE_I("drafts", swept.drafts), NOTE_I("of", swept.seen));
    return rc;
}

ll_rc content_garbage_run(const struct react_context *context, struct ll_error *err)
{
    struct garbage g = {.context = context};
    struct blob_store *store = blob_store_new(context->settings);
    uint64_t collect;
    ll_rc rc = settings_service_number(context->settings, "content.garbage-collection", 0,
                                       1, 0, &collect, err);

    if (rc == LL_OK) rc = content_model_open(context, &g.model, err);
    if (rc == LL_OK) {
        g.only_active = collect != 0;
        rc = sweep(&g, store, err);
    }
    if (g.model != NULL) content_model_close(g.model);
    blob_store_free(store);
    return rc;
}
