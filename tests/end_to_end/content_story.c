/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_story.c - entities of all six types are deployed, read back through every
 * endpoint, overwritten and paged through; a replay gives the same bytes. */
#include "core/base/clock.h"
#include "content_story.h"
#include "deployer.h"
#include "unit/t.h"
#include "world.h"

#include <stdlib.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum { PATHS = 64, SCENES = 7 };

static struct world w;
static struct client c;
static struct person ann;
static int64_t now;
static struct deployable deployed[DEPLOYER_TYPES];

/* Answers that a replay must give again. */
static struct {
    char path[1024];
    char *answer;
} kept[PATHS];
static size_t kept_count;

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

/* GET, and remember what it said. */
static long get(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static long get(const char *fmt, ...)
{
    char path[1024];
    va_list args;
    long status;

    va_start(args, fmt);
    vsnprintf(path, sizeof(path), fmt, args);
    va_end(args);
    status = client_get(&c, path);
    if (kept_count < PATHS) {
        snprintf(kept[kept_count].path, sizeof(kept[0].path), "%s", path);
        kept[kept_count++].answer = strdup(answer());
    }
    return status;
}

static long post(const char *path, const char *body)
{
    return client_send(
        &c, &(struct client_request){.method = "POST", .path = path, .body = body});
}

static int64_t created(void)
{
    json_t *body = json_loads(answer(), 0, NULL);
    int64_t at = json_integer_value(json_object_get(body, "creationTimestamp"));

    json_decref(body);
    return at;
}

static void each_type_is_deployed_once(void)
{
    for (size_t i = 0; i < DEPLOYER_TYPES; i++) {
        struct deployable *d = &deployed[i];
        int64_t first = 0;

        deployable_make(d, deployer_types[i], &ann, now - 1000, (int)i + 1);
        OK(deployable_send(&c, d) == 200 && (first = created()) >= now);
        if (created() == 0) printf("%s: %s\n", d->type, answer());
        OK(deployable_send_json(&c, d) == 200 && created() == first);
        OK(post("/content/entities/active", "{}") == 400);
    }
}

/* What POST /entities/active says of it, member for member. */
static void expect_entity(const struct deployable *d)
{
    char expected[8192];
    const char *file = builder_view(&d->file).ptr, *content = strstr(file, "\"content\"");

    snprintf(expected, sizeof(expected),
             "{\"version\":\"v3\",\"id\":\"%s\",\"type\":\"%s\",\"timestamp\":%lld,"
             "\"pointers\":[\"%s\"],%s",
             d->id, d->type, (long long)now - 1000, d->pointer, content);
    OK(answered(expected));
}

static void an_entity_is_found_by_id_and_by_pointer(void)
{
    for (size_t i = 0; i < DEPLOYER_TYPES; i++) {
        const struct deployable *d = &deployed[i];
        char body[1024];

        snprintf(body, sizeof(body), "{\"ids\":[\"%s\",\"nothing\"]}", d->id);
        OK(post("/content/entities/active", body) == 200);
        expect_entity(d);
        snprintf(body, sizeof(body), "{\"pointers\":[\"%s\",\"%s\"]}", d->pointer,
                 d->pointer);
        OK(post("/CONTENT/entities/active", body) == 404);
        OK(post("/content/Entities/ACTIVE", body) == 200);
        expect_entity(d);
        OK(get("/content/entities/%s%s?id=%s", d->type, i < 5 ? "S" : "", d->id) == 200);
        expect_entity(d);
        OK(get("/content/entities/scene?pointer[0]=%s&fields=pointers", d->pointer) ==
           200);
        OK(answered("\"content\":[]}]") && strstr(answer(), "metadata") == NULL);
        OK(get("/content/audit/%s/%s", d->type, d->id) == 200);
        OK(answered("{\"version\":\"v3\",\"localTimestamp\":") &&
           answered("\"authChain\":[{"));
    }
    OK(get("/content/entities/scenery?id=a") == 400 &&
       answered("{\"error\":\"Unrecognized type: scenery\"}"));
    OK(get("/content/entities/scene?id=a&pointer=b") == 400 &&
       answered("ids or pointers must be present, but not both"));
    OK(get("/content/audit/profile/%s", deployed[0].id) == 404 &&
       answered("{\"error\":\"No deployment found\"}"));
    OK(get("/content/nothing") == 404 && strcmp(answer(), "Not found") == 0);
    OK(post("/content/challenge", "") == 405);
}

static void files_are_found_by_their_hash(void)
{
    const struct deployable *d = &deployed[2];

    OK(get("/content/contents/%s", d->id) == 200);
    OK(text_equal(builder_view(&c.body), builder_view(&d->file)));
    OK(client_get(&c, "/content/contents/..%2f..%2fetc%2fpasswd") == 404 &&
       answered("No content found with hash ../../etc/passwd"));
    for (size_t i = 0; i < d->part_count; i++) {
        char path[256];

        snprintf(path, sizeof(path), "/content/contents/%s", d->parts[i].hash);
        OK(client_get(&c, path) == 200 &&
           text_equal(builder_view(&c.body), d->parts[i].bytes));
        OK(get("/content/contents/%s/active-entities", d->parts[i].hash) == 200);
        OK(answered(d->id));
    }
    OK(get("/content/contents/%s/active-entities", d->id) == 404 &&
       answered("The entity was not found"));
    OK(get("/content/available-content?cid=%s&cid[]=Qmnothing&cid=%s", d->id, d->id) ==
       200);
    OK(answered("{\"cid\":\"Qmnothing\",\"available\":false}") &&
       answered(",\"available\":true}]"));
    OK(get("/content/available-content") == 400 &&
       answered("Please set at least one cid."));
}

static void items_have_pictures_and_token_metadata(void)
{
    const struct deployable *d = &deployed[2];
    char path[512];

    snprintf(path, sizeof(path), "/content/queries/items/%s/thumbnail", d->pointer);
    OK(client_get(&c, path) == 200 &&
       text_equal(builder_view(&c.body), d->parts[1].bytes));
    snprintf(path, sizeof(path), "/content/queries/items/%s/image", d->pointer);
    OK(client_get(&c, path) == 200 &&
       text_equal(builder_view(&c.body), d->parts[2].bytes));
    OK(get("/content/queries/items/%s/image", deployed[0].pointer) == 404 &&
       answered("Entity has no image."));
    OK(get("/content/queries/items/nothing/image") == 404 &&
       answered("Entity not found."));
    OK(get("/content/queries/erc721/137/%s/3/7",
           "0x5aeda56215b167893e80b4fe645ba6d5bab767de") == 200);
    OK(answered("\"name\":\"Item 3\",\"description\":\"DCL Wearable 7/1000\"") &&
       answered("{\"trait_type\":\"Body Shape\",\"value\":\"BaseFemale\"}"));
    OK(get("/content/queries/erc721/2/0x00/3") == 400 && answered("Invalid chainId '2'"));
    OK(get("/content/entities/active/collections/"
           "urn:decentraland:matic:collections-v2:"
           "0x5aeda56215b167893e80b4fe645ba6d5bab767de?pageSize=1&pageNum=2") == 200);
    OK(answered("{\"total\":2,\"entities\":[{"));
    OK(get("/content/entities/active/collections/urn:decentraland:off-chain:base-avatars:"
           "x") == 400);
}

static void profiles_are_shown_by_lambdas(void)
{
    char body[256], face[200];

    snprintf(body, sizeof(body), "{\"ids\":[\"%s\",\"default1\"]}", ann.address);
    OK(post("/lambdas/profiles", body) == 200 && answered("\"name\":\"Ann2\""));
    OK(get("/lambdas/profiles/%s", ann.address) == 200);
    snprintf(face, sizeof(face),
             "\"face256\":\"https://profile-images.decentraland.org/entities/%s/"
             "face.png\"",
             deployed[1].id);
    OK(answered(face) && answered("\"emotes\":[{\"slot\":0,\"urn\":\"handsair\"}]"));
    OK(get("/lambdas/profiles/0x00") == 404 && answered("Profile not found"));
    OK(get("/lambdas/profile/0x00") == 200 &&
       answered("{\"avatars\":[],\"timestamp\":0}"));
    OK(post("/lambdas/profiles", "{}") == 400 &&
       answered("No profile ids were specified. Expected ids:string[] in body"));
}

/* ---- history ---- */

static json_t *rows_of(const char *path)
{
    json_t *body;

    OK(client_get(&c, path) == 200);
    body = json_loads(answer(), 0, NULL);
    OK(body != NULL);
    return body;
}

/* Follow `next` from page to page: every row once, in order. */
static size_t walk(const char *service, const char *list, const char *first,
                   bool ascending)
{
    char path[2048];
    int64_t last = ascending ? 0 : INT64_MAX;
    char last_id[CID_TEXT] = "";
    size_t seen = 0, pages = 0;

    snprintf(path, sizeof(path), "/content/%s%s", service, first);
    while (path[0] != '\0' && pages++ < 100) {
        json_t *body = rows_of(path), *row;
        const char *next = json_string_value(
            json_object_get(json_object_get(body, "pagination"), "next"));
        size_t i;

        json_array_foreach(json_object_get(body, list), i, row)
        {
            const char *id = json_string_value(json_object_get(row, "entityId"));
            int64_t at = json_integer_value(json_object_get(row, "localTimestamp"));

            OK(ascending ? at >= last : at <= last);
            OK(at != last ||
               (ascending ? strcmp(id, last_id) > 0 : strcmp(id, last_id) < 0));
            last = at;
            snprintf(last_id, sizeof(last_id), "%s", id);
            seen++;
        }
        if (next != NULL)
            snprintf(path, sizeof(path), "/content/%s%s", service, next);
        else
            path[0] = '\0';
        json_decref(body);
    }
    return seen;
}

static void pages_of_history_go_on_in_both_directions(void)
{
    for (int i = 0; i < SCENES; i++) {
        struct deployable d;

        deployable_make(&d, "scene", &ann, now - 500, 100 + i);
        OK(deployable_send(&c, &d) == 200);
        deployable_fini(&d);
    }
    OK(walk("pointer-changes", "deltas",
            "?limit=2&sortingOrder=ASC&sortingField=local_timestamp",
            true) == DEPLOYER_TYPES + SCENES);
    OK(walk("pointer-changes", "deltas", "?limit=3", false) == DEPLOYER_TYPES + SCENES);
    OK(walk("deployments", "deployments", "?limit=2&entityType=Scenes&sortingOrder=ASC",
            true) == 1 + SCENES);
    OK(walk("deployments", "deployments",
            "?limit=1&pointer=100,0&pointer=101,0&fields="
            "auditInfo",
            false) == 2);
    OK(get("/content/deployments?entityId=%s&fields=pointers,content,metadata,auditInfo",
           deployed[0].id) == 200);
    OK(answered("{\"deployments\":[{\"entityVersion\":\"v3\",\"entityType\":\"scene\","
                "\"entityId\":\"") &&
       answered("\"content\":[{\"key\":\"game.js\",\"hash\":\"") &&
       answered("\"moreData\":false}}"));
    OK(get("/content/pointer-changes?limit=1&includeAuthChain=true") == 200 &&
       answered("\"filters\":{\"entityTypes\":[],\"includeAuthChain\":true}") &&
       answered("{\"deltas\":[{\"deploymentId\":"));
    OK(get("/content/deployments?offset=5001") == 400);
    OK(get("/content/deployments?entityType=odd") == 400 &&
       answered("Found an unrecognized entity type"));
    OK(get("/content/deployments?sortingField=odd") == 400 &&
       get("/content/deployments?sortingOrder=odd") == 400);
}

static void a_later_entity_takes_the_pointers(void)
{
    struct deployable d;
    char body[256];

    deployable_make(&d, "scene", &ann, now - 2000, 100);
    OK(deployable_send(&c, &d) == 400 &&
       answered("There is a newer entity pointed by one or more of the pointers you "
                "provided"));
    deployable_fini(&d);
    deployable_make(&d, "outfits", &ann, now - 100, 9);
    for (int i = 0; i < 50 && deployable_send(&c, &d) != 200; i++) { /* the rate limit */
        OK(answered("Entity rate limited"));
        sleep(1);
    }
    snprintf(body, sizeof(body), "{\"ids\":[\"%s\",\"%s\"]}", d.id, deployed[5].id);
    OK(post("/content/entities/active", body) == 200 && answered(d.id));
    OK(strstr(answer(), deployed[5].id) == NULL);
    OK(get("/content/audit/outfits/%s", deployed[5].id) == 200);
    OK(get("/content/deployments?pointer=%s&onlyCurrentlyPointed=true", d.pointer) ==
       200);
    OK(answered(d.id) && strstr(answer(), deployed[5].id) == NULL);
    deployable_fini(&d);
}

static void the_node_tells_of_itself(void)
{
    /* its start is in it, which a replay need not give again */
    OK(client_get(&c, "/content/status") == 200 &&
       answered("\"synchronizationState\":\"Syncing\""));
    OK(get("/content/challenge") == 200 && answered("{\"challengeText\":\""));
    OK(get("/content/failed-deployments") == 200 && strcmp(answer(), "[]") == 0);
}

static void a_replay_gives_the_same_bytes(void)
{
    size_t differing = 0, first = kept_count;

    /* what was asked before others were deployed has changed: ask all of it again */
    for (size_t i = 0; i < first; i++) {
        client_get(&c, kept[i].path);
        free(kept[i].answer);
        kept[i].answer = strdup(answer());
    }
    OK(world_run(&w, "replay", "content", NULL) == 0);
    for (size_t i = 0; i < first; i++) {
        client_get(&c, kept[i].path);
        if (strcmp(kept[i].answer, answer()) == 0) continue;
        differing++;
        printf("differs: %s\n  %s\n  %s\n", kept[i].path, kept[i].answer, answer());
    }
    OK(differing == 0 && first > 30);
}

int content_story(const char *name, bool on_kafka)
{
    if (!world_start(&w, name, on_kafka)) return 77;
    person_new(&ann);
    client_init(&c, w.url);
    now = clock_now_ms();
    RUN(each_type_is_deployed_once);
    RUN(an_entity_is_found_by_id_and_by_pointer);
    RUN(files_are_found_by_their_hash);
    RUN(items_have_pictures_and_token_metadata);
    RUN(profiles_are_shown_by_lambdas);
    RUN(pages_of_history_go_on_in_both_directions);
    RUN(a_later_entity_takes_the_pointers);
    RUN(the_node_tells_of_itself);
    RUN(a_replay_gives_the_same_bytes);
    OK(world_stop(&w) == 0);
    for (size_t i = 0; i < kept_count; i++) free(kept[i].answer);
    for (size_t i = 0; i < DEPLOYER_TYPES; i++) deployable_fini(&deployed[i]);
    client_fini(&c);
    return t_done();
}
