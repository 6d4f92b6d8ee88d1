/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_denylist.c - the operator's deny-list, <blobs.folder>/denylist.txt, as facts
 * (contract: catalyst, 4.10). The blob store itself refuses the bytes at once; that an id
 * is in no list either is an event, so that a replay hides it too. Ids only accumulate.
 */
#include "consumers/content_jobs.h"
#include "consumers/content_model.h"

#include "core/blob/blob_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096, AT_ONCE = 1000 };

/* What the event's schema takes for a hash. */
static bool is_id(struct text t)
{
    const char *alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    if (cid_form(t) == CID_NONE) return false;
    if (cid_form(t) == CID_V0)
        alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    for (size_t i = 0; i < t.len; i++)
        if (strchr(alphabet, t.ptr[i]) == NULL) return false;
    return true;
}

/* The id of a line, which may end in a comment; empty when it has none. */
static struct text id_of(const char *line)
{
    struct text t = {line, strcspn(line, "#\r\n")};

    while (t.len > 0 && (t.ptr[0] == ' ' || t.ptr[0] == '\t')) t.ptr++, t.len--;
    while (t.len > 0 && (t.ptr[t.len - 1] == ' ' || t.ptr[t.len - 1] == '\t')) t.len--;
    return is_id(t) ? t : TEXT("");
}

/* Those of `ids` that are not denied yet become an event; `ids` is empty then. */
static ll_rc tell(struct content_model *m, json_t *ids, struct ll_error *err)
{
    char *list = json_dumps(ids, JSON_COMPACT), *added = NULL;
    const char *values[] = {list};
    struct builder key;
    json_t *fresh = NULL, *data;
    ll_rc rc = content_model_ask_json(m, "undenied_of", values, &fresh, err);

    if (rc == LL_OK && json_array_size(fresh) > 0) {
        builder_init(&key, AT_ONCE * (CID_TEXT + 8) + 64);
        added = json_dumps(fresh, JSON_COMPACT);
        builder_printf(&key, "denylist %s", added);
        data = json_pack("{s:O, s:s}", "added", fresh, "source", "denylist.txt");
        rc = content_model_append(m, "content.denylist-updated", data, builder_view(&key),
                                  err);
        json_decref(data);
        builder_fini(&key);
    }
    json_decref(fresh);
    free(added);
    free(list);
    json_array_clear(ids);
    return rc;
}

static ll_rc read_list(struct content_model *m, FILE *file, struct ll_error *err)
{
    json_t *ids = json_array();
    char line[LINE];
    ll_rc rc = LL_OK;

    while (rc == LL_OK && fgets(line, sizeof(line), file) != NULL) {
        struct text id = id_of(line);

        if (id.len > 0) json_array_append_new(ids, json_stringn(id.ptr, id.len));
        if (json_array_size(ids) == AT_ONCE) rc = tell(m, ids, err);
    }
    if (rc == LL_OK && json_array_size(ids) > 0) rc = tell(m, ids, err);
    json_decref(ids);
    return rc;
}

ll_rc content_denylist_run(const struct react_context *context, struct ll_error *err)
{
    struct blob_store *store = blob_store_new(context->settings);
    struct content_model *model = NULL;
    char path[4096];
    FILE *file;
    ll_rc rc;

    snprintf(path, sizeof(path), "%s/denylist.txt", blob_store_folder(store));
    blob_store_free(store);
    file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT
                   ? LL_OK
                   : ll_fail(err, LL_ESYSTEM, "%s: %s", path, strerror(errno));
    rc = content_model_open(context, &model, err);
    if (rc == LL_OK) {
        rc = read_list(model, file, err);
        content_model_close(model);
    }
    fclose(file);
    return rc;
}
