/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_snapshots.c - files that list what is active, by stretches of time (contract:
 * catalyst, 3.5). A new node reads them instead of the whole history, and one that knows
 * a snapshot, or all that it replaces, need not read it.
 *
 * A file is a blob and can be made again; that it was made is an event, so that the list
 * comes back with a replay. A run sees one state of the read model; a range whose file is
 * still true of it is left alone. A run that dies half-way has made some of the files.
 */
#include "consumers/content_jobs.h"
#include "consumers/content_model.h"
#include "consumers/content_ranges.h"

#include "core/base/clock.h"
#include "core/blob/blob_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct react_context *context;
    struct content_model *model;
    struct blob_store *store;
    uint64_t sequence; /* that the model has come to */
    int64_t now;
};

static int64_t member(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *hash_of(const json_t *saved)
{
    return json_string_value(json_object_get(saved, "hash"));
}

/* ---- the file ---- */

/* All active entities of the range as lines, a page at a time: the page's first line has
 * the key of its last entity, "<timestamp> <id>"; an empty page is the end. */
static ll_rc write_lines(struct run *run, const struct content_range *range,
                         struct blob_draft *draft, int64_t *count, struct ll_error *err)
{
    char init[24], end[24], time[24], id[CID_TEXT] = "";
    const char *values[] = {init, end, time, id};
    ll_rc rc = LL_OK;
    bool is_end = false;

    *count = 0;
    snprintf(init, sizeof(init), "%lld", (long long)range->init);
    snprintf(end, sizeof(end), "%lld", (long long)range->end);
    snprintf(time, sizeof(time), "%lld", (long long)range->init);
    while (rc == LL_OK && !is_end && !atomic_load(run->context->is_stopping)) {
        struct content_answer page;
        char *lines;

        rc = content_model_ask(run->model, "snapshot_page", values, &page, err);
        if (rc != LL_OK) break;
        is_end = !page.is_found;
        if (!is_end) {
            LL_CHECK(sscanf(page.body, "%23s %59s", time, id) == 2 &&
                     (lines = strchr(page.body, '\n')) != NULL);
            for (const char *c = ++lines; *c != '\0'; c++) *count += *c == '\n';
            rc = blob_draft_write(draft, lines, strlen(lines), err);
        }
        free(page.body);
    }
    if (rc == LL_OK && !is_end) rc = ll_fail(err, LL_ETIMEOUT, "told to stop");
    return rc;
}

static ll_rc write_file(struct run *run, const struct content_range *range,
                        struct cids *name, int64_t *count, struct ll_error *err)
{
    static const char head[] = "### Decentraland json snapshot\n";
    struct blob_draft *draft = NULL;
    ll_rc rc = blob_draft_new_gzip(run->store, &draft, err);

    if (rc == LL_OK) rc = blob_draft_write(draft, head, sizeof(head) - 1, err);
    if (rc == LL_OK) rc = write_lines(run, range, draft, count, err);
    if (rc == LL_OK) rc = blob_draft_end(draft, err);
    if (rc == LL_OK) rc = blob_drafts_keep(&draft, 1, CID_V1, err);
    if (rc == LL_OK) *name = *blob_draft_cids(draft);
    blob_draft_free(draft);
    return rc;
}

/* ---- the fact ---- */

/* Who has read all that this one is made of knows it; but for itself, where the file is
 * what it was. What only covers a part of the range stands for nothing. */
static json_t *replaced_of(const json_t *saved, bool is_covered, const char *hash)
{
    json_t *replaced = json_array();
    const json_t *one;
    size_t i;

    json_array_foreach(saved, i, one)
    {
        if (is_covered && strcmp(hash_of(one), hash) != 0)
            json_array_append(replaced, json_object_get(one, "hash"));
    }
    return replaced;
}

static ll_rc tell(struct run *run, const struct content_range *range, const char *hash,
                  int64_t count, json_t *replaced, struct ll_error *err)
{
    json_t *data = json_pack("{s:s, s:I, s:I, s:o, s:I, s:I, s:I}", "hash", hash,
                             "initTimestamp", (json_int_t)range->init, "endTimestamp",
                             (json_int_t)range->end, "replacedSnapshotHashes", replaced,
                             "numberOfEntities", (json_int_t)count, "generationTimestamp",
                             (json_int_t)run->now, "asOf", (json_int_t)run->sequence);
    char key[160];
    ll_rc rc;

    snprintf(key, sizeof(key), "snapshot %lld %lld %s %llu %lld", (long long)range->init,
             (long long)range->end, hash, (unsigned long long)run->sequence,
             (long long)run->now);
    rc = content_model_append(run->model, "content.snapshot-generated", data,
                              text_of(key), err);
    json_decref(data);
    return rc;
}

/* ---- a range ---- */

static struct content_saved saved_of(struct run *run, const json_t *row)
{
    return (struct content_saved){
        .range = {member(row, "init"), member(row, "end")},
        .is_stored = blob_exists(run->store, text_of(hash_of(row))),
        .entities = member(row, "entities"),
        .generated_at = member(row, "generatedAt"),
        .as_of = member(row, "asOf"),
    };
}

/* Its snapshot, made anew if need be. */
static ll_rc do_range(struct run *run, const struct content_range *range,
                      struct ll_error *err)
{
    char init[24], end[24];
    const char *values[] = {init, end};
    struct content_truth truth = {.now = run->now};
    struct content_saved *saved;
    struct cids name;
    int64_t count;
    json_t *state, *rows;
    size_t n;
    ll_rc rc;

    snprintf(init, sizeof(init), "%lld", (long long)range->init);
    snprintf(end, sizeof(end), "%lld", (long long)range->end);
    rc = content_model_ask_json(run->model, "snapshot_state", values, &state, err);
    if (rc != LL_OK) return rc;
    truth.active = member(state, "active");
    truth.newest = member(state, "newest");
    rows = json_object_get(state, "saved");
    n = json_array_size(rows);
    saved = ll_calloc(n + 1, sizeof(*saved));
    for (size_t i = 0; i < n; i++) saved[i] = saved_of(run, json_array_get(rows, i));
    if (content_is_due(range, saved, n, &truth)) {
        rc = write_file(run, range, &name, &count, err);
        if (rc == LL_OK)
            rc = tell(run, range, name.v1, count,
                      replaced_of(rows, content_is_covered(range, saved, n), name.v1),
                      err);
    }
    free(saved);
    json_decref(state);
    return rc;
}

ll_rc content_snapshots_run(const struct react_context *context, struct ll_error *err)
{
    struct run run = {.context = context, .now = clock_now_ms()};
    struct content_range ranges[CONTENT_RANGES];
    size_t n = content_ranges(run.now, ranges);
    ll_rc rc = content_model_open(context, &run.model, err);

    run.store = blob_store_new(context->settings);
    if (rc == LL_OK) rc = content_model_sequence(run.model, &run.sequence, err);
    for (size_t i = 0; i < n && rc == LL_OK && !atomic_load(context->is_stopping); i++)
        rc = do_range(&run, &ranges[i], err);
    if (run.model != NULL) content_model_close(run.model);
    blob_store_free(run.store);
    return rc;
}
