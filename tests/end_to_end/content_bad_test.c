/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_bad_test.c - deployments that must not happen: the contract's answer, no event,
 * no row, no file left behind. */
#include "core/base/clock.h"
#include "deployer.h"
#include "unit/t.h"
#include "world.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60 * 1000 };

static struct world w;
static struct client c;
static struct person ann, bob;
static int64_t now;

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

/* An entity file of these members, sent by ann with nothing else. */
static long send_file(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static long send_file(const char *fmt, ...)
{
    struct deployable d;
    struct builder file;
    va_list args;
    long status;

    builder_init(&file, 4 * 1024 * 1024);
    va_start(args, fmt);
    builder_vprintf(&file, fmt, args);
    va_end(args);
    deployable_of(&d, &ann, builder_view(&file));
    status = deployable_send(&c, &d);
    deployable_fini(&d);
    builder_fini(&file);
    return status;
}

#define SCENE(rest) \
    "{\"version\":\"v3\",\"type\":\"scene\",\"timestamp\":%lld,\"metadata\":{\"main\":" \
    "\"a\"," \
    "\"scene\":{\"base\":\"7,7\",\"parcels\":[\"7,7\"]}}," rest "}"

static void files_that_are_no_entities(void)
{
    static const char unreadable[] = "There was a problem parsing the entity";
    struct builder deep;

    OK(send_file("no json at all") == 400 && answered(unreadable));
    OK(send_file("[]") == 400 && answered(unreadable));
    OK(send_file("{\"type\":\"scene\"}") == 400 && answered(unreadable));
    OK(send_file("{\"type\":\"planet\",\"pointers\":[\"7,7\"],\"timestamp\":%lld}",
                 (long long)now) == 400 &&
       answered(unreadable));
    OK(send_file("{\"type\":\"Scene\",\"pointers\":[\"7,7\"],\"timestamp\":%lld}",
                 (long long)now) == 400 &&
       answered(unreadable));
    OK(send_file(SCENE("\"pointers\":[7]"), (long long)now) == 400 &&
       answered(unreadable));
    OK(send_file(SCENE("\"pointers\":[\"7,7\"],\"pointers\":[\"8,8\"]"),
                 (long long)now) == 400 &&
       answered(unreadable));
    OK(send_file(SCENE("\"pointers\":[\"7,7\"],\"content\":[{\"file\":\"a\"}]"),
                 (long long)now) == 400 &&
       answered(unreadable));
    OK(send_file(SCENE("\"pointers\":[\"7,\\u0000\"]"), (long long)now) == 400);
    OK(send_file(SCENE("\"pointers\":[]"), (long long)now) == 400 &&
       answered("The entity does not have any pointer."));

    builder_init(&deep, 1024 * 1024);
    for (int i = 0; i < 100000; i++) builder_char(&deep, '[');
    OK(send_file("%s", builder_view(&deep).ptr) == 400);
    builder_fini(&deep);
}

static void entities_that_break_the_rules(void)
{
    struct builder many;

    OK(send_file(SCENE("\"pointers\":[\"7,7\",\"7,7\"]"), (long long)now) == 400 &&
       answered("There are repeated pointers in your request."));
    OK(send_file(
           "{\"version\":\"v3\",\"type\":\"scene\",\"timestamp\":%lld,\"pointers\":["
           "\"7,7\"],\"metadata\":{\"main\":7}}",
           (long long)now) == 400 &&
       answered("The metadata for this entity type (scene) is not valid."));
    OK(send_file(SCENE("\"pointers\":[\"7,7\"],\"content\":[{\"file\":\"a\",\"hash\":"
                       "\"../../../etc/passwd\"}]"),
                 (long long)now) == 400 &&
       answered("This hash '../../../etc/passwd' is not valid."));
    OK(send_file(SCENE("\"pointers\":[\"7,7\"],\"content\":[{\"file\":\"a\",\"hash\":"
                       "\"bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                       "\"}]"),
                 (long long)now) == 400 &&
       answered("Couldn't fetch content file with hash: bafkreiaaa"));
    builder_init(&many, 1024 * 1024);
    for (int i = 0; i < 5000; i++) builder_printf(&many, "%s\"%d,1\"", i ? "," : "", i);
    OK(send_file("{\"type\":\"scene\",\"timestamp\":%lld,\"pointers\":[%s]}",
                 (long long)now, builder_view(&many).ptr) == 400);
    builder_fini(&many);
}

static void times_that_are_not_now(void)
{
    OK(send_file(SCENE("\"pointers\":[\"7,7\"]"), (long long)now - 21 * MINUTE) == 400 &&
       answered("The request is not recent enough"));
    OK(send_file(SCENE("\"pointers\":[\"7,7\"]"), (long long)now + 16 * MINUTE) == 400 &&
       answered("The request is too far in the future"));
    OK(send_file(SCENE("\"pointers\":[\"7,7\"]"), 0LL) == 400);
    OK(send_file(SCENE("\"pointers\":[\"7,7\"]"), -5LL) == 400);
}

/* A valid scene, and the chain of somebody or something else. */
static void chains_that_prove_nothing(void)
{
    struct deployable d, other;
    json_t *own;

    deployable_make(&d, "scene", &ann, now, 8);
    deployable_make(&other, "scene", &ann, now, 9);
    own = d.chain;

    d.chain = other.chain;
    OK(deployable_send(&c, &d) == 400 && answered("The signature is invalid."));
    d.chain = json_deep_copy(own);
    json_object_set_new(json_array_get(d.chain, 0), "payload", json_string(bob.address));
    OK(deployable_send_json(&c, &d) == 400 && answered("The signature is invalid."));
    json_array_clear(d.chain);
    OK(deployable_send(&c, &d) == 400 &&
       answered("{\"error\":\"No auth chain can be derivated\"}"));
    OK(deployable_send_json(&c, &d) == 400 &&
       answered("{\"error\":\"Invalid auth chain\"}"));
    for (int i = 0; i < 11; i++) json_array_append(d.chain, json_array_get(own, 0));
    OK(deployable_send(&c, &d) == 400 && answered("Auth chain is too long"));
    OK(deployable_send_json(&c, &d) == 400 && answered("Auth chain is too long"));
    json_decref(d.chain);
    d.chain = own;
    deployable_fini(&other);
    deployable_fini(&d);
}

static void profiles_and_stores_of_others(void)
{
    static const char *const types[] = {"profile", "store", "outfits"};

    for (size_t i = 0; i < LL_LENGTH(types); i++) {
        struct deployable d;

        deployable_make(&d, types[i], &bob, now, 1);
        json_decref(d.chain);
        d.chain = identity_sign_message(&ann.identity, text_of(d.id));
        OK(deployable_send(&c, &d) == 400 && answered("You can only alter your own"));
        deployable_fini(&d);
    }
}

/* With one file more than the entity names. */
static long send_with_stranger(struct deployable *d)
{
    struct deployer_part *part = &d->parts[d->part_count++];
    long status;

    *part = (struct deployer_part){.bytes = TEXT("nobody asked for this"), .hash = "x"};
    status = deployable_send(&c, d);
    d->part_count--;
    return status;
}

static void files_that_do_not_belong(void)
{
    struct deployable d;

    deployable_make(&d, "scene", &ann, now, 8);
    d.parts[0].bytes.len--; /* hashes differently */
    OK(deployable_send(&c, &d) == 400 &&
       answered("Couldn't fetch content file with hash: "));
    d.parts[0].bytes.len++;
    OK(send_with_stranger(&d) == 400 &&
       answered("This hash was uploaded but is not referenced in the entity: "));
    d.id[10] = d.id[10] == 'a' ? 'b' : 'a';
    OK(deployable_send(&c, &d) == 400 &&
       answered("{\"errors\":[\"Failed to find the entity file.\"]}"));
    snprintf(d.id, sizeof(d.id), "../../x");
    OK(deployable_send(&c, &d) == 400 && answered("Failed to find the entity file."));
    deployable_fini(&d);
}

static void forms_that_are_none(void)
{
    struct client_request q = {
        .method = "POST", .path = "/content/entities", .body = "x"};

    OK(client_send(&c, &q) == 400 &&
       answered("Invalid request: expected a multipart/form-data body"));
    q.type = "multipart/form-data; boundary=b";
    q.body = "--b\r\nContent-Disposition: form-data; name=\"entityId\"\r\n\r\nabc";
    OK(client_send(&c, &q) == 400 && answered("Invalid multipart/form-data request"));
    q.body = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nabc\r\n--b--\r\n";
    OK(client_send(&c, &q) == 400 && answered("Missing required field: entityId"));
    q.body =
        "--b\r\nContent-Disposition: form-data; name=\"entityId\"\r\n\r\nabc\r\n--b\r\n"
        "Content-Disposition: form-data; name=\"authChain[1][type]\"\r\n\r\nSIGNER"
        "\r\n--b--\r\n";
    OK(client_send(&c, &q) == 400 && answered("Missing auth chain element at index 0"));
}

/* What would not fit into memory is refused before it is read. */
static void lists_that_are_too_large(void)
{
    struct client_request q = {.method = "POST", .path = "/content/entities/active"};
    struct builder b;

    builder_init(&b, 4 * 1024 * 1024);
    builder_string(&b, "{\"pointers\":[\"");
    while (b.len < 1024 * 1024) builder_string(&b, "\xc8\xba"); /* grows in lower case */
    builder_string(&b, "\"]}");
    q.body = builder_view(&b).ptr;
    OK(client_send(&c, &q) == 200 && strcmp(answer(), "[]") == 0);
    builder_reset(&b);
    while (b.len < 3 * 1024 * 1024) builder_string(&b, "          ");
    q.body = builder_view(&b).ptr;
    OK(client_send(&c, &q) == 413);
    builder_reset(&b);
    builder_string(&b, "{\"ids\":[\"0\"");
    for (int i = 0; i < 1000; i++) builder_string(&b, ",\"0\"");
    builder_string(&b, "]}");
    q.body = builder_view(&b).ptr;
    OK(client_send(&c, &q) == 400 && answered("Invalid JSON body"));
    builder_fini(&b);
}

/* ---- nothing has happened ---- */

/* Blobs below a folder, but for the snapshot of nothing, which a job makes. */
static size_t count_files(const char *folder)
{
    DIR *d = opendir(folder);
    size_t n = 0;

    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char path[2048];

        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_type == DT_DIR)
            n += count_files(path);
        else
            n += (strncmp(e->d_name, "ba", 2) == 0 || strncmp(e->d_name, "Qm", 2) == 0) &&
                 strncmp(e->d_name, "bafkreig6sfhegnp4okzecgx3v6gj6pohh5qz", 37) != 0;
    }
    if (d != NULL) closedir(d);
    return n;
}

static void is_as_it_was(void)
{
    char blobs[700];
    char *events = world_query(&w, "select count(*) from landlog.event where type = "
                                   "'content.deployment-accepted'");

    snprintf(blobs, sizeof(blobs), "%s/blobs", w.folder);
    OK(strcmp(events, "0") == 0);
    OK(client_get(&c, "/content/deployments") == 200 && answered("{\"deployments\":[],"));
    OK(count_files(blobs) == 0);
    free(events);
}

/* Whoever was refused may come again and do it right. */
static void it_can_still_be_done_right(void)
{
    struct deployable d;

    deployable_make(&d, "scene", &ann, now, 8);
    OK(deployable_send(&c, &d) == 200);
    deployable_fini(&d);
}

int main(void)
{
    if (!world_start(&w, "content_bad", false)) return 77;
    person_new(&ann);
    person_new(&bob);
    client_init(&c, w.url);
    now = clock_now_ms();
    RUN(files_that_are_no_entities);
    RUN(entities_that_break_the_rules);
    RUN(times_that_are_not_now);
    RUN(chains_that_prove_nothing);
    RUN(profiles_and_stores_of_others);
    RUN(files_that_do_not_belong);
    RUN(forms_that_are_none);
    RUN(lists_that_are_too_large);
    RUN(is_as_it_was);
    RUN(it_can_still_be_done_right);
    OK(world_stop(&w) == 0);
    client_fini(&c);
    return t_done();
}
