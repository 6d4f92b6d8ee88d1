/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* medals.c - see medals.h. */
#include "medals.h"

#include "core/blob/blob_store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_TRIES = 600 };

bool medals_start(struct medals *m, const char *name)
{
    FILE *f;

    if (!world_prepare(&m->world, name, false)) return false;
    f = fopen(m->world.config, "ae");
    if (f == NULL) world_fail("cannot write %s", m->world.config);
    fprintf(f, "service.platform.token = " INTAKE_TOKEN "\n"
               "service.badges.admin-token = " ADMIN_TOKEN "\n"
               "service.badges.environment = test\n"
               "project.workers = 2\n");
    fclose(f);
    world_up(&m->world);
    client_init(&m->client, m->world.url);
    return true;
}

int medals_stop(struct medals *m)
{
    client_fini(&m->client);
    return world_stop(&m->world);
}

long medals_ask(struct medals *m, const char *token, const char *method, const char *path,
                const char *body)
{
    return client_send(&m->client, &(struct client_request){.method = method,
                                                            .path = path,
                                                            .body = body,
                                                            .bearer = token,
                                                            .type = "application/json"});
}

const char *medals_answer(const struct medals *m)
{
    const char *bytes = builder_view(&m->client.body).ptr;

    return bytes != NULL ? bytes : "";
}

bool medals_says(const struct medals *m, const char *words)
{
    if (strstr(medals_answer(m), words) != NULL) return true;
    printf("\"%s\" is not in: %s\n", words, medals_answer(m));
    return false;
}

long medals_tell(struct medals *m, const char *type, const char *sub_type,
                 const char *key, long long timestamp, const char *metadata)
{
    char body[2048];

    snprintf(body, sizeof(body),
             "{\"source\":\"test\",\"type\":\"%s\",\"subType\":\"%s\",\"key\":\"%s\","
             "\"timestamp\":%lld,\"metadata\":{%s}}",
             type, sub_type, key, timestamp, metadata);
    return medals_ask(m, INTAKE_TOKEN, "POST", "/events", body);
}

void medals_publish(struct medals *m, const char *type, const char *data)
{
    char path[700];
    FILE *f;

    snprintf(path, sizeof(path), "%s/event.json", m->world.folder);
    f = fopen(path, "we");
    if (f == NULL) world_fail("cannot write %s", path);
    fprintf(f, "%s\n", data);
    fclose(f);
    if (world_run(&m->world, "publish", type, path, NULL) != 0)
        world_fail("cannot publish %.400s", data);
}

/* Where the system looks for the files of entities. */
static void put_file(struct medals *m, struct text bytes, char id[CID_TEXT])
{
    struct settings *settings;
    struct blob_store *store;
    struct ll_error err;
    struct cids cids;

    if (settings_load(m->world.config, &settings, &err) != LL_OK)
        world_fail("%s", err.text);
    store = blob_store_new(settings);
    if (blob_put(store, bytes, CID_V1, &cids, &err) != LL_OK) world_fail("%s", err.text);
    snprintf(id, CID_TEXT, "%s", cids.v1);
    blob_store_free(store);
    settings_free(settings);
}

void medals_deploy(struct medals *m, const char *type, const char *pointer,
                   long long timestamp, const char *who, const char *metadata)
{
    char entity[2048], data[1024], id[CID_TEXT];

    snprintf(entity, sizeof(entity),
             "{\"version\":\"v3\",\"type\":\"%s\",\"pointers\":[\"%s\"],\"timestamp\":"
             "%lld,\"content\":[],\"metadata\":{%s}}",
             type, pointer, timestamp, metadata);
    put_file(m, text_of(entity), id);
    snprintf(
        data, sizeof(data),
        "{\"entityId\":\"%s\",\"entityType\":\"%s\",\"pointers\":[\"%s\"],"
        "\"entityTimestamp\":%lld,\"deployer\":\"%s\",\"deployerAddress\":\"%s\","
        "\"authChain\":[{\"type\":\"SIGNER\",\"payload\":\"%s\"}],\"context\":\"local\"}",
        id, type, pointer, timestamp, who, who, who);
    medals_publish(m, "content.deployment-accepted", data);
}

json_t *medals_of(struct medals *m, const char *address, const char *badge,
                  const char *list)
{
    char path[256], position[sizeof(m->client.position)];
    struct client_request q = {.method = "GET", .path = path};
    json_t *answer, *item, *found = NULL;
    size_t i;

    snprintf(position, sizeof(position), "%s", m->client.position);
    if (position[0] != '\0') q.position = position;
    snprintf(path, sizeof(path), "/badges/users/%s/badges?includeNotAchieved=true",
             address);
    if (client_send(&m->client, &q) != 200) world_fail("%s: %s", path, medals_answer(m));
    if (json_parse(text_of(medals_answer(m)), JSON_DEPTH, &answer, NULL) != LL_OK)
        world_fail("no JSON: %s", medals_answer(m));
    json_array_foreach(json_object_get(json_object_get(answer, "data"), list), i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "id")), badge) == 0)
            found = json_incref(item);
    }
    json_decref(answer);
    return found;
}

long long medals_steps(struct medals *m, const char *address, const char *badge,
                       const char *list)
{
    json_t *item = medals_of(m, address, badge, list);
    json_t *steps = json_object_get(json_object_get(item, "progress"), "stepsDone");
    long long n = json_is_integer(steps) ? json_integer_value(steps) : -1;

    json_decref(item);
    return n;
}

size_t medals_grants(const struct medals *m, const char *address, const char *badge)
{
    char sql[512], *value;
    size_t n;

    snprintf(
        sql, sizeof(sql),
        "select count(*) from landlog.event e where type = 'badges.badge-granted' and "
        "key = '%s' and exists (select from unnest(e.tags) t where t like "
        "'once:badges:%s-%s%%')",
        address, address, badge);
    value = world_query(&m->world, sql);
    n = (size_t)strtoull(value, NULL, 10);
    free(value);
    return n;
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

bool medals_wait(const struct medals *m, const char *address, const char *badge, size_t n)
{
    size_t found = 0;

    for (int i = 0; i < WAIT_TRIES; i++) {
        found = medals_grants(m, address, badge);
        if (found >= n) break;
        pause_ms(50);
    }
    if (found != n) printf("%zu grants of \"%s\", not %zu\n", found, badge, n);
    return found == n;
}

void medals_settle(const struct medals *m)
{
    char sql[512], *schema, *left = NULL;

    schema = world_query(&m->world, "select schema from landlog.generation where "
                                    "projection = 'badges' and state = 'live'");
    snprintf(
        sql, sizeof(sql),
        "select (select count(*) from %s.outgoing) + (select greatest(0, (select "
        "count(*) from landlog.event where type = 'badges.badge-granted') - count(*))"
        " from %s.granted)",
        schema, schema);
    for (int i = 0; i < WAIT_TRIES; i++) {
        free(left);
        left = world_query(&m->world, sql);
        if (strcmp(left, "0") == 0) break;
        pause_ms(50);
    }
    if (strcmp(left, "0") != 0) world_fail("the badges do not settle: %s left", left);
    free(left);
    free(schema);
}
