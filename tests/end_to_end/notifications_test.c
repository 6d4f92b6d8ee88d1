/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_test.c - what makes a notification: friendships, badges and platform
 * events, each once, and the same inboxes after a replay of inboxes and notifier. */
#include "inbox.h"
#include "unit/t.h"

#include "core/blob/blob_store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEPT = 16 };

static struct inbox b;
static struct person ana, ben, eve;

/* ---- what makes a notification ---- */

/* Events of other services, as whoever has them would publish them. */
static void publish(const char *type, const char *data)
{
    char path[700];
    FILE *f;

    snprintf(path, sizeof(path), "%s/event.json", b.world.folder);
    f = fopen(path, "we");
    if (f == NULL) world_fail("cannot write %s", path);
    fprintf(f, "%s\n", data);
    fclose(f);
    OK(world_run(&b.world, "publish", type, path, NULL) == 0);
}

/* A profile's file among the blobs, and its deployment on the log. */
static void deploy_profile(const struct person *who, const char *name, int64_t at,
                           struct cids *out)
{
    struct settings *settings;
    struct blob_store *store;
    struct ll_error err;
    char data[2048];

    LL_CHECK(settings_load(b.world.config, &settings, &err) == LL_OK);
    store = blob_store_new(settings);
    snprintf(data, sizeof(data),
             "{\"version\":\"v3\",\"type\":\"profile\",\"pointers\":[\"%s\"],"
             "\"timestamp\":%lld,\"content\":[],\"metadata\":{\"avatars\":[{\"name\":"
             "\"%s\",\"hasClaimedName\":true,\"avatar\":{}}]}}",
             who->address, (long long)at, name);
    if (blob_put(store, text_of(data), CID_V1, out, &err) != LL_OK)
        world_fail("%s", err.text);
    blob_store_free(store);
    settings_free(settings);
    snprintf(data, sizeof(data),
             "{\"entityId\":\"%s\",\"entityType\":\"profile\",\"pointers\":[\"%s\"],"
             "\"entityTimestamp\":%lld,\"deployer\":\"%s\",\"deployerAddress\":\"%s\","
             "\"authChain\":[{\"type\":\"SIGNER\",\"payload\":\"%s\"}],\"context\":"
             "\"local\"}",
             out->v1, who->address, (long long)at, who->address, who->address,
             who->address);
    publish("content.deployment-accepted", data);
}

/* Until a table of the notifier's has as many rows. */
static void wait_for_rows(const char *table, long n)
{
    struct timespec pause = {0, 100 * 1000000};
    char *schema =
        world_query(&b.world, "select schema from landlog.generation where projection = "
                              "'notifier' and state = 'live'");
    char sql[128], *value;
    long seen = 0;

    snprintf(sql, sizeof(sql), "select count(*) from %s.%s", schema, table);
    for (int i = 0; i < 300 && seen < n; i++) {
        value = world_query(&b.world, sql);
        seen = strtol(value, NULL, 10);
        free(value);
        nanosleep(&pause, NULL);
    }
    OK(seen == n);
    free(schema);
}

static struct cids anas_profile;

/* What is older does not replace what is newer; what Postgres cannot read is no name. */
static void profiles_are_known(void)
{
    struct cids other;

    deploy_profile(&ana, "Ana", 1767607200002, &anas_profile);
    deploy_profile(&ana, "Anna", 1767607200001, &other);
    deploy_profile(&ben, "\\u0000", 1767607200000, &other);
    wait_for_rows("profile", 2);
}

static long befriend(const struct person *who, const char *action,
                     const struct person *whom)
{
    char body[256];

    snprintf(body, sizeof(body), "{\"action\":\"%s\",\"to\":\"%s\"%s}", action,
             whom->address,
             strcmp(action, "request") == 0 ? ",\"message\":\"at the plaza\"" : "");
    return inbox_ask(&b, who, "POST", "/social/v1/friendships", body);
}

/* A token of one service's topics is as good as none at another. */
static void a_position_of_another_service_is_not_waited_for(void)
{
    struct client_request q = {.who = &eve, .method = "GET", .path = INBOX};
    char position[sizeof(b.client.position)];

    OK(befriend(&eve, "block", &ben) == 200);
    snprintf(position, sizeof(position), "%s", b.client.position);
    OK(strstr(position, "social/") != NULL);
    q.position = position;
    OK(client_send(&b.client, &q) == 200);
    OK(strstr(b.client.position, "social/") != NULL);
    OK(strstr(b.client.position, "notifications/") != NULL);
    OK(befriend(&eve, "unblock", &ben) == 200);
}

static void is_told_of_ana(const json_t *person)
{
    char url[256];

    snprintf(url, sizeof(url),
             "https://profile-images.decentraland.org/entities/%s/face.png",
             anas_profile.v1);
    OK(json_object_size(person) == 4);
    OK(strcmp(inbox_member(person, "address"), ana.address) == 0);
    OK(strcmp(inbox_member(person, "name"), "Ana") == 0);
    OK(strcmp(inbox_member(person, "profileImageUrl"), url) == 0);
    OK(json_is_true(json_object_get(person, "hasClaimedName")));
}

static void friendships_are_told(void)
{
    json_t *items, *metadata;

    OK(befriend(&ana, "request", &ben) == 200);
    items = inbox_wait(&b, &ben, 1);
    OK(strcmp(inbox_member(json_array_get(items, 0), "type"),
              "social_service_friendship_request") == 0);
    OK(strcmp(inbox_member(json_array_get(items, 0), "address"), ben.address) == 0);
    OK(json_is_false(json_object_get(json_array_get(items, 0), "read")));
    OK(strlen(inbox_member(json_array_get(items, 0), "timestamp")) == 13);
    metadata = json_object_get(json_array_get(items, 0), "metadata");
    OK(strcmp(inbox_member(metadata, "message"), "at the plaza") == 0);
    is_told_of_ana(json_object_get(metadata, "sender"));
    OK(json_object_size(json_object_get(metadata, "receiver")) == 4);
    OK(strcmp(inbox_member(json_object_get(metadata, "receiver"), "name"), "") == 0);
    json_decref(items);

    OK(befriend(&ben, "accept", &ana) == 200);
    items = inbox_wait(&b, &ana, 1);
    OK(strcmp(inbox_member(json_array_get(items, 0), "type"),
              "social_service_friendship_accepted") == 0);
    metadata = json_object_get(json_array_get(items, 0), "metadata");
    OK(strcmp(inbox_member(json_object_get(metadata, "sender"), "address"),
              ben.address) == 0);
    OK(json_object_get(metadata, "message") == NULL);
    json_decref(items);
}

static void badges_are_told(void)
{
    json_t *items, *metadata;
    char data[512];

    snprintf(data, sizeof(data),
             "{\"key\":\"%s-traveler-traveler-bronze\",\"address\":\"%s\",\"badgeId\":"
             "\"traveler\",\"badgeName\":\"Traveler\",\"badgeTierId\":"
             "\"traveler-bronze\",\"badgeTierName\":\"Bronze\",\"badgeImageUrl\":"
             "\"https://x/1.png\",\"grantedAt\":1767607200000}",
             ana.address, ana.address);
    publish("badges.badge-granted", data);
    items = inbox_wait(&b, &ana, 2);
    OK(strcmp(inbox_member(json_array_get(items, 1), "type"), "badge_granted") == 0);
    OK(strcmp(inbox_member(json_array_get(items, 1), "timestamp"), "1767607200000") == 0);
    metadata = json_object_get(json_array_get(items, 1), "metadata");
    OK(json_object_size(metadata) == 4);
    OK(strcmp(inbox_member(metadata, "id"), "traveler") == 0);
    OK(strcmp(inbox_member(metadata, "title"), "New Badge Unlocked!") == 0);
    OK(strcmp(inbox_member(metadata, "description"), "Traveler Bronze") == 0);
    OK(strcmp(inbox_member(metadata, "image"), "https://x/1.png") == 0);
    json_decref(items);
}

/* From two sources, with one key: one notification, which says what came first. */
static void platform_events_are_told_once(void)
{
    json_t *items, *metadata;
    char data[512];

    for (int i = 1; i <= 2; i++) {
        snprintf(data, sizeof(data),
                 "{\"source\":\"test%d\",\"key\":\"tip\",\"timestamp\":176760720000%d,"
                 "\"address\":\"%s\",\"metadata\":{\"senderAddress\":"
                 "\"0x5B38Da6a701c568545dCfcB03FcB875f56beddC4\",\"receiverAddress\":"
                 "\"%s\",\"amount\":\"1.5\",\"beyond\":[1]}}",
                 i, i, ana.address, ana.address);
        publish("platform.blockchain-tip-received", data);
        items = inbox_wait(&b, &ana, 3);
        OK(strcmp(inbox_member(json_array_get(items, 1), "type"), "tip_received") == 0);
        OK(strcmp(inbox_member(json_array_get(items, 1), "timestamp"), "1767607200001") ==
           0);
        metadata = json_object_get(json_array_get(items, 1), "metadata");
        OK(strcmp(inbox_member(metadata, "manaAmount"), "1500000000000000000") == 0);
        OK(json_object_size(metadata) == 4); /* `beyond` is not stored */
        json_decref(items);
    }
}

/* What does not fit an event is passed over; what comes behind it is told. */
static void numbers_that_no_integer_holds_stop_nobody(void)
{
    static const char *const obtained[] = {"1e30", "1e300", "2.5"};
    json_t *items;
    char data[512];

    for (size_t i = 0; i < LL_LENGTH(obtained); i++) {
        snprintf(data, sizeof(data),
                 "{\"source\":\"test\",\"key\":\"goal%zu\",\"timestamp\":1767607200000,"
                 "\"address\":\"%s\",\"metadata\":{\"goalId\":\"g\",\"seasonId\":1,"
                 "\"weekNumber\":1,\"address\":\"%s\",\"creditsObtained\":%s}}",
                 i, eve.address, eve.address, obtained[i]);
        publish("platform.credits-service-credits-goal-completed", data);
    }
    items = inbox_wait(&b, &eve, 1);
    OK(json_real_value(json_object_get(
           json_object_get(json_array_get(items, 0), "metadata"), "creditsObtained")) ==
       2.5);
    json_decref(items);
}

/* Who opted out of a community is not told of it; the others are. */
static void who_opted_out_is_not_told(void)
{
    char data[1024];
    json_t *items;

    OK(client_send(&b.client,
                   &(struct client_request){
                       .who = &ben,
                       .method = "POST",
                       .path = OPT_OUTS,
                       .type = "application/json",
                       .body = "{\"scope\":\"community\",\"scopeId\":\"c1\"}"}) == 201);
    wait_for_rows("opt_out", 1);
    for (int i = 1; i <= 2; i++) {
        snprintf(data, sizeof(data),
                 "{\"source\":\"test\",\"key\":\"c%d-renamed\",\"timestamp\":"
                 "1767607199999,\"address\":\"%s\",\"metadata\":{\"id\":\"c%d\","
                 "\"oldName\":\"a\",\"newName\":\"b\",\"thumbnailUrl\":\"t\","
                 "\"memberAddresses\":[\"%s\",\"%s\"]}}",
                 i, ana.address, i, ana.address, ben.address);
        publish("platform.community-community-renamed", data);
    }
    json_decref(inbox_wait(&b, &ana, 5));
    items = inbox_wait(&b, &ben, 2);
    OK(strcmp(inbox_member(json_object_get(json_array_get(items, 1), "metadata"),
                           "communityId"),
              "c2") == 0);
    json_decref(items);
}

/* ---- replay ---- */

static char *kept[KEPT];

static void ask_everything(bool is_first)
{
    static const char *const paths[] = {INBOX, INBOX "?onlyUnread=1", CHOICE};
    const struct person *people[] = {&ana, &ben, &eve};
    size_t n = 0;

    for (size_t i = 0; i < LL_LENGTH(people); i++)
        for (size_t k = 0; k < LL_LENGTH(paths); k++, n++) {
            OK(inbox_ask(&b, people[i], "GET", paths[k], NULL) == 200);
            LL_CHECK(n < KEPT);
            if (is_first)
                kept[n] = ll_strdup(inbox_answer(&b));
            else
                OK(strcmp(kept[n], inbox_answer(&b)) == 0);
        }
}

/* How many were ever told, and how many of them are different ones. */
static void told(long *events, long *notifications)
{
    char *both =
        world_query(&b.world, "select count(*) || ' ' || count(distinct subject) "
                              "from landlog.event where type = "
                              "'notifications.notification-created'");
    char *rest;

    *events = strtol(both, &rest, 10);
    *notifications = strtol(rest, NULL, 10);
    free(both);
}

static void a_replay_gives_the_same_bytes_and_tells_nothing_again(void)
{
    json_t *items = inbox_list(&b, &ben, INBOX);
    long before, after, different;

    OK(inbox_mark(&b, &ben, inbox_member(json_array_get(items, 0), "id")) == 200);
    json_decref(items);
    ask_everything(true);
    told(&before, &different);
    OK(before == different);
    OK(world_run(&b.world, "replay", "notifications", "--drop-first", NULL) == 0);
    OK(world_run(&b.world, "replay", "notifier", NULL) == 0);
    world_wait_healthy(&b.world);
    ask_everything(false);
    OK(befriend(&eve, "request", &ben) == 200); /* and it goes on */
    json_decref(inbox_wait(&b, &ben, 3));
    told(&after, &different);
    OK(after == before + 1 && different == after);
    for (size_t i = 0; i < KEPT; i++) free(kept[i]);
}

int main(void)
{
    if (!inbox_start(&b, "notifications")) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    person_new(&ana);
    person_new(&ben);
    person_new(&eve);
    RUN(profiles_are_known);
    RUN(friendships_are_told);
    RUN(badges_are_told);
    RUN(a_position_of_another_service_is_not_waited_for);
    RUN(platform_events_are_told_once);
    RUN(numbers_that_no_integer_holds_stop_nobody);
    RUN(who_opted_out_is_not_told);
    RUN(a_replay_gives_the_same_bytes_and_tells_nothing_again);
    OK(inbox_stop(&b) == 0);
    return t_done();
}
