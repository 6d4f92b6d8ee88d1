/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_jobs_test.c - what the deployments service does by itself: snapshots that serve
 * a new node and save one that follows, the deny-list, stale profiles, garbage. */
#include "consumers/content_jobs.h"
#include "consumers/content_ranges.h"
#include "core/base/clock.h"
#include "core/blob/blob_store.h"
#include "deployer.h"
#include "unit/t.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTITIES = 40 };

static struct world w;
static struct client c;
static struct person ann;
static struct settings *settings;
static struct react_context context;
static const atomic_bool is_stopping;

static const char *answer(void)
{
    return c.body.len > 0 ? builder_view(&c.body).ptr : "";
}

static bool answered(const char *part)
{
    if (strstr(answer(), part) != NULL) return true;
    printf("not in the answer: %s\n  %.2000s\n", part, answer());
    return false;
}

static void run(ll_rc (*job)(const struct react_context *, struct ll_error *))
{
    struct ll_error err;
    ll_rc rc = job(&context, &err);

    OK(rc == LL_OK);
    if (rc != LL_OK) printf("%s\n", err.text);
}

/* Entities of the past, as replication would bring them: their files are there, the facts
 * are published. */
static void publish(const char *type, int64_t timestamp, int mark, char id[CID_TEXT])
{
    struct blob_store *store = blob_store_new(settings);
    struct deployable d;
    struct cids cids;
    struct ll_error err;
    char path[700], *chain;
    FILE *f;

    deployable_make(&d, type, &ann, timestamp, mark);
    OK(blob_put(store, builder_view(&d.file), CID_V1, &cids, &err) == LL_OK);
    for (size_t i = 0; i < d.part_count; i++)
        OK(blob_put(store, d.parts[i].bytes, CID_V1, &cids, &err) == LL_OK);
    blob_store_free(store);
    memcpy(id, d.id, CID_TEXT);

    snprintf(path, sizeof(path), "%s/event.json", w.folder);
    f = fopen(path, "we");
    chain = json_dumps(d.chain, JSON_COMPACT);
    fprintf(f,
            "{\"entityId\":\"%s\",\"entityType\":\"%s\",\"pointers\":[\"%s\"],"
            "\"entityTimestamp\":%lld,\"deployer\":\"%s\",\"deployerAddress\":\"%s\","
            "\"authChain\":%s,\"context\":\"synced\"}\n",
            d.id, type, d.pointer, (long long)timestamp, ann.address, ann.address, chain);
    fclose(f);
    free(chain);
    deployable_fini(&d);
    OK(world_run(&w, "publish", "content.deployment-accepted", path, NULL) == 0);
}

/* Until the read model shows (or hides) an entity; false after 20 s. */
static bool becomes(const char *id, bool is_active)
{
    char body[256];

    snprintf(body, sizeof(body), "{\"ids\":[\"%s\"]}", id);
    for (int i = 0; i < 200; i++) {
        client_send(&c, &(struct client_request){.method = "POST",
                                                 .path = "/content/entities/active",
                                                 .body = body});
        if ((strstr(answer(), id) != NULL) == is_active) return true;
        usleep(100 * 1000);
    }
    return false;
}

/* Until `part` is in the answer of a path. */
static bool says(const char *path, const char *part, bool is_there)
{
    for (int i = 0; i < 200; i++) {
        client_get(&c, path);
        if ((strstr(answer(), part) != NULL) == is_there) return true;
        usleep(100 * 1000);
    }
    return answered(part);
}

/* ---- snapshots ---- */

/* The lines of all listed snapshots together, and the hashes they replace. */
static size_t count_lines(const json_t *list)
{
    const json_t *one;
    size_t lines = 0, i;

    json_array_foreach(list, i, one)
    {
        char path[256];
        size_t own = 0;

        snprintf(path, sizeof(path), "/content/contents/%s",
                 json_string_value(json_object_get(one, "hash")));
        OK(client_get(&c, path) == 200);
        OK(text_starts_with(builder_view(&c.body), "### Decentraland json snapshot\n"));
        for (size_t k = 0; k < c.body.len; k++) own += c.body.ptr[k] == '\n';
        OK((json_int_t)own - 1 ==
           json_integer_value(json_object_get(one, "numberOfEntities")));
        lines += own - 1;
    }
    return lines;
}

static json_t *snapshots(void)
{
    OK(client_get(&c, "/content/snapshots") == 200);
    return json_loads(answer(), 0, NULL);
}

/* The list as soon as it holds so many entities: what a run has appended is applied a
 * moment later, and `landlog react` may have run the job before. */
static json_t *snapshots_of(json_int_t entities)
{
    for (int i = 0;; i++) {
        json_t *list = snapshots();
        const json_t *one;
        json_int_t found = 0;
        size_t k;

        json_array_foreach(list, k, one) found +=
            json_integer_value(json_object_get(one, "numberOfEntities"));
        if (found == entities || i == 300) return list;
        json_decref(list);
        usleep(100 * 1000);
    }
}

static void snapshots_hold_what_is_active(void)
{
    int64_t now = clock_now_ms(), first = now - 300 * CONTENT_DAY;
    char id[CID_TEXT];
    struct content_range ranges[CONTENT_RANGES];
    json_t *list, *again;

    for (int i = 0; i < ENTITIES; i++) /* four of each parcel: one of them is active */
        publish("scene", first + i * CONTENT_DAY, i % 10, id);
    OK(becomes(id, true));
    run(content_snapshots_run);
    list = snapshots_of(10);
    OK(json_array_size(list) == content_ranges(now, ranges));
    OK(count_lines(list) == 10);
    OK(client_get(&c, "/content/snapshots") == 200 &&
       answered("bafkreig6sfhegnp4okzecgx3v6gj6pohh5qzw6zjtrdqtggx64743rkmz4"));

    run(content_snapshots_run); /* nothing has changed */
    again = snapshots_of(10);
    OK(json_equal(list, again));
    json_decref(list);
    json_decref(again);
}

/* A late arrival makes one range anew, in the place of the old file. */
static void a_snapshot_that_is_no_longer_true_is_replaced(void)
{
    int64_t at = clock_now_ms() - 250 * CONTENT_DAY;
    json_t *before = snapshots(), *after;
    size_t differing = 0;
    char id[CID_TEXT];

    publish("scene", at, 77, id);
    OK(becomes(id, true));
    run(content_snapshots_run);
    after = snapshots_of(11);
    OK(json_array_size(after) == json_array_size(before) && count_lines(after) == 11);
    for (size_t i = 0; i < json_array_size(after); i++) {
        const json_t *was = json_array_get(before, i), *is = json_array_get(after, i);
        const json_t *replaced = json_object_get(is, "replacedSnapshotHashes");

        if (json_equal(was, is)) continue;
        differing++;
        OK(json_array_size(replaced) == 1 &&
           json_equal(json_array_get(replaced, 0), json_object_get(was, "hash")));
    }
    OK(differing == 1);
    json_decref(before);
    json_decref(after);
}

static void the_list_comes_back_with_a_replay(void)
{
    json_t *before = snapshots(), *after;

    OK(world_run(&w, "replay", "content", NULL) == 0);
    after = snapshots();
    OK(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

/* ---- the others ---- */

static void a_profile_is_forgotten_after_a_year(void)
{
    int64_t now = clock_now_ms();
    char old[CID_TEXT], fresh[CID_TEXT], path[256];

    publish("profile", now - 366 * CONTENT_DAY, 1, old);
    snprintf(path, sizeof(path), "/content/audit/profile/%s", old);
    OK(says(path, "localTimestamp", true) && becomes(old, false));
    publish("profile", now - 364 * CONTENT_DAY, 2, fresh);
    OK(becomes(fresh, true));
    sleep(2); /* longer than a timer may be late */
    OK(becomes(fresh, true));
}

static void what_is_denied_is_in_no_list(void)
{
    char id[CID_TEXT], path[700];
    FILE *f;

    publish("scene", clock_now_ms() - 10 * CONTENT_DAY, 50, id);
    OK(becomes(id, true));
    snprintf(path, sizeof(path), "%s/blobs/denylist.txt", w.folder);
    f = fopen(path, "we");
    fprintf(f, "# not these\n%s # a scene\n../../no-id\n", id);
    fclose(f);
    run(content_denylist_run);
    run(content_denylist_run); /* known already */
    OK(becomes(id, false));
    OK(says("/content/deployments?pointer=50,0", id, false));
    OK(says("/content/pointer-changes", id, false));
    snprintf(path, sizeof(path), "/content/audit/scene/%s", id);
    OK(client_get(&c, path) == 200);
    snprintf(path, sizeof(path), "/content/contents/%s", id);
    OK(client_get(&c, path) == 404);
    snprintf(path, sizeof(path), "/content/available-content?cid=%s", id);
    OK(client_get(&c, path) == 200 && strcmp(answer(), "[]") == 0);
}

static void garbage_is_what_nothing_refers_to(void)
{
    struct blob_store *store = blob_store_new(settings);
    struct cids junk;
    struct ll_error err;
    json_t *list = snapshots();
    char used[CID_TEXT];

    publish("scene", clock_now_ms() - 5 * CONTENT_DAY, 60, used);
    OK(becomes(used, true));
    OK(blob_put(store, TEXT("nobody wants this"), CID_V1, &junk, &err) == LL_OK);
    run(content_garbage_run);
    OK(blob_exists(store, text_of(junk.v1))); /* young */
    OK(settings_set(settings, TEXT("blobs.grace"), TEXT("0"), "test", &err) == LL_OK);
    sleep(1);
    run(content_garbage_run);
    OK(!blob_exists(store, text_of(junk.v1)));
    OK(blob_exists(store, text_of(used)));
    OK(count_lines(list) == 11);
    json_decref(list);
    blob_store_free(store);
}

int main(void)
{
    struct registry *registry;
    struct ll_error err;

    if (!world_start(&w, "content_jobs", false)) return 77;
    LL_CHECK(settings_load(w.config, &settings, &err) == LL_OK);
    LL_CHECK(registry_load(&registry, &err) == LL_OK);
    context = (struct react_context){settings, registry, &is_stopping};
    person_new(&ann);
    client_init(&c, w.url);
    RUN(snapshots_hold_what_is_active);
    RUN(a_snapshot_that_is_no_longer_true_is_replaced);
    RUN(the_list_comes_back_with_a_replay);
    RUN(a_profile_is_forgotten_after_a_year);
    RUN(what_is_denied_is_in_no_list);
    RUN(garbage_is_what_nothing_refers_to);
    OK(world_stop(&w) == 0);
    client_fini(&c);
    registry_free(registry);
    settings_free(settings);
    return t_done();
}
