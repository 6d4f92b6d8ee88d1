/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* badges_test.c - platform events and deployments come in, badges come out, each once;
 * what administrators tell; the same answers after a replay, and after the reactor was
 * killed in the middle. */
#include "medals.h"
#include "unit/t.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { WALKS = 120, KILLS = 8, OWNERS = 40 };

static struct medals m;
static const char ana[] = "0xa11ce00000000000000000000000000000000001";
static const char Ana[] = "0xA11CE00000000000000000000000000000000001";
static const char ben[] = "0xbe00000000000000000000000000000000000002";
static const char eve[] = "0xe5e0000000000000000000000000000000000003";
static const char zoe[] = "0x20e0000000000000000000000000000000000004";

/* ---- a person's own events ---- */

static long by_client(const char *sub_type, const char *key, long long at,
                      const char *who, const char *rest)
{
    char metadata[512];

    snprintf(metadata, sizeof(metadata), "\"userAddress\":\"%s\",\"sessionId\":\"s\"%s",
             who, rest);
    return medals_tell(&m, "client", sub_type, key, at, metadata);
}

/* However the address is written, it is one person. */
static void a_first_move_makes_a_citizen(void)
{
    const char *where = ",\"parcel\":{\"isEmptyParcel\":false,\"newParcel\":\"(7, 7)\"}";
    json_t *badge;

    OK(by_client("move-to-parcel", "m1", 1000, Ana, where) == 200);
    badge = medals_of(&m, ana, "dclcitizen", "achieved");
    OK(json_is_string(json_object_get(badge, "completedAt")));
    OK(json_is_false(json_object_get(badge, "isTier")));
    json_decref(badge);
    OK(by_client("move-to-parcel", "m2", 2000, ana, where) == 200);
    OK(medals_wait(&m, ana, "dclcitizen", 1));
}

static void one_event_gives_one_tier(void)
{
    json_t *badge, *progress;

    OK(by_client("walked-distance", "w1", 1000, Ana, ",\"stepCount\":200000") == 200);
    OK(medals_wait(&m, ana, "walkabout_wanderer", 1));
    OK(by_client("walked-distance", "w1", 1000, Ana, ",\"stepCount\":200000") == 200);
    OK(by_client("walked-distance", "w2", 1001, ana, ",\"stepCount\":1") == 200);
    badge = medals_of(&m, Ana, "walkabout_wanderer", "achieved");
    progress = json_object_get(badge, "progress");
    OK(json_integer_value(json_object_get(progress, "stepsDone")) == 200001);
    OK(json_integer_value(json_object_get(progress, "nextStepsTarget")) == 150000);
    OK(json_array_size(json_object_get(progress, "achievedTiers")) == 2);
    OK(strcmp(json_string_value(json_object_get(progress, "lastCompletedTierName")),
              "Bronze") == 0);
    json_decref(badge);
    OK(medals_wait(&m, ana, "walkabout_wanderer", 2));
}

static void heights_and_minutes_have_their_limits(void)
{
    OK(by_client("vertical-height-reached", "h1", 1, ana, ",\"height\":499.9") == 200);
    OK(medals_steps(&m, ana, "vertical_voyager", "notAchieved") == 0);
    OK(by_client("vertical-height-reached", "h2", 1, ana, ",\"height\":500") == 200);
    OK(medals_steps(&m, ana, "vertical_voyager", "achieved") == 1);
    OK(by_client("used-emote", "e1", 60000, ana, "") == 200);
    OK(by_client("used-emote", "e2", 119999, ana, "") == 200);
    OK(by_client("used-emote", "e3", 59999, ana, "") == 200);
    OK(by_client("used-emote", "e4", 120000, ana, "") == 200);
    OK(medals_steps(&m, ana, "moves_master", "notAchieved") == 2);
}

static void what_is_met_twice_counts_once(void)
{
    char other[128];

    snprintf(other, sizeof(other), ",\"passport\":{\"receiver\":\"%s\"}", Ana);
    OK(by_client("passport-opened", "p1", 1, ana, other) == 200);
    OK(medals_steps(&m, ana, "social_butterfly", "notAchieved") == 0);
    snprintf(other, sizeof(other), ",\"passport\":{\"receiver\":\"%s\"}", ben);
    OK(by_client("passport-opened", "p2", 1, ana, other) == 200);
    OK(by_client("passport-opened", "p3", 1, ana, other) == 200);
    OK(medals_steps(&m, ana, "social_butterfly", "achieved") == 1);
    for (int i = 0; i < 2; i++) {
        char key[16], metadata[512];

        snprintf(key, sizeof(key), "item%d", i); /* another event of the same item */
        snprintf(metadata, sizeof(metadata),
                 "\"creator\":\"%s\",\"category\":\"emote\",\"itemId\":\"0x1-0\","
                 "\"urn\":\"urn:x\",\"network\":\"polygon\"",
                 Ana);
        OK(medals_tell(&m, "blockchain", "item-published", key, 5, metadata) == 200);
    }
    OK(medals_steps(&m, ana, "emote_creator", "achieved") == 1);
    OK(medals_wait(&m, ana, "emote_creator", 1));
}

/* ---- deployments, and what needs both ---- */

static void a_scene_makes_an_architect(void)
{
    medals_deploy(&m, "scene", "3,4", 1, ben, "");
    medals_deploy(&m, "scene", "3,4", 2, ben, "");
    OK(medals_wait(&m, ben, "land_architect", 1));
    OK(medals_steps(&m, ben, "land_architect", "achieved") == 1);
}

static void a_business_is_a_store_and_a_collection(void)
{
    char creator[128];

    medals_deploy(&m, "store", "urn:decentraland:marketplace:store:ben", 1, ben, "");
    snprintf(creator, sizeof(creator), "\"creator\":\"%s\",\"name\":\"hats\"", ben);
    OK(medals_tell(&m, "blockchain", "collection-created", "c1", 1, creator) == 200);
    OK(medals_wait(&m, ben, "open_for_business", 1));
    snprintf(creator, sizeof(creator), "\"creator\":\"%s\",\"name\":\"hats\"", eve);
    OK(medals_tell(&m, "blockchain", "collection-created", "c2", 1, creator) == 200);
    OK(medals_steps(&m, eve, "open_for_business", "notAchieved") == 1);
    medals_deploy(&m, "store", "urn:decentraland:marketplace:store:eve", 1, eve, "");
    OK(medals_wait(&m, eve, "open_for_business", 1));
    OK(medals_steps(&m, eve, "open_for_business", "achieved") == 2);
}

/* The stores of all of them, while their collections are told. */
static void *publish_stores(void *context)
{
    static char data[OWNERS * 640];
    size_t n = 0;

    for (int i = 0; i < OWNERS; i++)
        n += (size_t)snprintf(
            data + n, sizeof(data) - n,
            "%s{\"entityId\":"
            "\"bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
            "\"entityType\":\"store\",\"pointers\":["
            "\"p\"],"
            "\"entityTimestamp\":1,\"deployer\":\"0x%040d\",\"deployerAddress\":"
            "\"0x%040d\",\"authChain\":[{\"type\":\"SIGNER\",\"payload\":\"x\"}],"
            "\"context\":\"local\"}",
            i ? "\n" : "", 1000 + i, 1000 + i);
    medals_publish(context, "content.deployment-accepted", data);
    return NULL;
}

/* Two topics, folded side by side: whoever comes second must see the other. */
static void both_halves_may_come_at_once(void)
{
    pthread_t stores;
    char key[32], creator[128], owner[64];

    LL_CHECK(pthread_create(&stores, NULL, publish_stores, &m) == 0);
    for (int i = 0; i < OWNERS; i++) {
        snprintf(key, sizeof(key), "at once %d", i);
        snprintf(creator, sizeof(creator), "\"creator\":\"0x%040d\",\"name\":\"hats\"",
                 1000 + i);
        OK(medals_tell(&m, "blockchain", "collection-created", key, 1, creator) == 200);
    }
    pthread_join(stores, NULL);
    for (int i = 0; i < OWNERS; i++) {
        snprintf(owner, sizeof(owner), "0x%040d", 1000 + i);
        OK(medals_wait(&m, owner, "open_for_business", 1));
    }
}

/* ---- profiles ---- */

#define HATS \
    "urn:decentraland:matic:collections-v2:0x1f9b8a1c2f2a7f0f8d8c0a3b4c5d6e7f80910213"

static void a_profile_that_says_something_is_a_pros(void)
{
    medals_deploy(&m, "profile", zoe, 1, zoe, "\"avatars\":[{\"description\":\"\"}]");
    medals_deploy(&m, "profile", ben, 1, ben, "\"avatars\":[{\"description\":\"me\"}]");
    OK(medals_wait(&m, ben, "profile_pro", 1));
    OK(medals_steps(&m, ben, "profile_pro", "achieved") == 1);
    OK(medals_steps(&m, zoe, "profile_pro", "notAchieved") == 0);
}

static void wear(const char *who, long long at, const char *urns)
{
    char metadata[1024];

    snprintf(metadata, sizeof(metadata),
             "\"avatars\":[{\"avatar\":{\"wearables\":[%s]}}]", urns);
    medals_deploy(&m, "profile", who, at, who, metadata);
}

/* Three of a rarity, however they are written; not twice the same, nor what stands behind
 * a name that is none. */
static void three_of_a_kind_are_an_ensemble(void)
{
    for (int i = 0; i < 3; i++) {
        char pointer[160], metadata[256];

        snprintf(pointer, sizeof(pointer), HATS ":%d", i);
        snprintf(metadata, sizeof(metadata), "\"id\":\"" HATS ":%d\",\"rarity\":\"epic\"",
                 i);
        medals_deploy(&m, "wearable", pointer, 1, ben, metadata);
    }
    wear(ben, 2, "\"" HATS ":0\",\"" HATS ":0:7\",\"" HATS ":1\"");
    wear(ben, 3, "\"" HATS ":0\",\"" HATS ":1\",\"hat\",\"" HATS ":2\"");
    OK(medals_steps(&m, ben, "epic_ensemble", "notAchieved") == 0);
    wear(ben, 4,
         "\"urn:decentraland:off-chain:base-avatars:hat\",\"" HATS ":0\",\"" HATS
         ":1:7\",\"" HATS ":2\"");
    OK(medals_wait(&m, ben, "epic_ensemble", 1));
    OK(medals_steps(&m, ben, "epic_ensemble", "achieved") == 1);
    OK(medals_steps(&m, ben, "regally_rare", "notAchieved") == 0);
}

/* ---- journeys ---- */

static void go(const char *parcel, const char *is_empty, long long at)
{
    static int moves;
    char key[32], rest[128];

    snprintf(key, sizeof(key), "go%d", moves++);
    snprintf(rest, sizeof(rest),
             ",\"parcel\":{\"isEmptyParcel\":%s,\"newParcel\":\"%s\"}", is_empty, parcel);
    OK(by_client("move-to-parcel", key, at, zoe, rest) == 200);
}

/* A minute in a scene, in one go or in several; only what a next move ends counts, and
 * not over two hours without a move. */
static void a_minute_in_a_scene_is_a_visit(void)
{
    static const char *const titles[] = {"Plaza", "Park", "Museum", "Library", ""};

    for (int i = 0; i < 5; i++) {
        char pointer[16], metadata[64];

        snprintf(pointer, sizeof(pointer), "%d,9", i);
        snprintf(metadata, sizeof(metadata), "\"display\":{\"title\":\"%s\"}", titles[i]);
        medals_deploy(&m, "scene", pointer, 10 + i, eve, metadata);
    }
    go("0,9", "false", 1000);
    go("4,9", "false", 50000); /* it has no title: as if not gone there */
    go("2,9", "true", 55000);
    OK(medals_steps(&m, zoe, "traveler", "notAchieved") == 0);
    go("(1, 9)", "false", 61000);
    OK(medals_steps(&m, zoe, "traveler", "achieved") == 1); /* the Plaza */
    go("0,9", "false", 91000);
    go("1,9", "false", 100000);
    OK(medals_steps(&m, zoe, "traveler", "achieved") == 1); /* the Park: 30 s */
    go("2,9", "false", 130000);
    OK(medals_steps(&m, zoe, "traveler", "achieved") == 2); /* and 30 more */
    go("3,9", "false", 130000 + 7200001);
    OK(medals_steps(&m, zoe, "traveler", "achieved") == 2); /* the Museum is forgotten */
    go("2,9", "false", 130000 + 7200001 + 60000);
    OK(medals_steps(&m, zoe, "traveler", "achieved") == 3); /* the Library */
    OK(medals_wait(&m, zoe, "traveler", 1));
}

/* ---- administrators ---- */

static long backfill(const char *badge, const char *who, const char *progress)
{
    char path[128], body[2048];

    snprintf(path, sizeof(path), "/badges/badges/%s/backfill", badge);
    snprintf(body, sizeof(body),
             "{\"registries\":[{\"userAddress\":\"%s\",\"data\":{\"progress\":%s}}]}",
             who, progress);
    return medals_ask(&m, ADMIN_TOKEN, "POST", path, body);
}

static void what_is_told_of_before_grants_nothing(void)
{
    OK(backfill("moves_master", zoe,
                "{\"usedEmotesCount\":100,\"lastEmoteTriggeredAt\":600000,"
                "\"achievedTiers\":[{\"steps\":100,\"completedAt\":77}]}") == 200 &&
       medals_says(&m, "\"userProgressesMerged\":1,\"failures\":[]"));
    OK(medals_steps(&m, zoe, "moves_master", "achieved") == 100);
    OK(by_client("used-emote", "z1", 600000, zoe, "") == 200);
    OK(by_client("used-emote", "z2", 660000, zoe, "") == 200);
    OK(medals_steps(&m, zoe, "moves_master", "achieved") == 101);
    OK(backfill("music_festival_2024", zoe, "{\"completedAt\":5}") == 200);
    OK(medals_steps(&m, zoe, "music_festival_2024", "achieved") == 1);
    medals_settle(&m);
    OK(medals_grants(&m, zoe, "moves_master") == 0);
    OK(medals_grants(&m, zoe, "music_festival_2024") == 0);
}

static void a_wrong_back_fill_is_refused_or_left_out(void)
{
    OK(backfill("moves_master", zoe, "{\"usedEmotesCount\":1}") == 400 &&
       medals_says(&m, "{\"message\":\"Could not backfill this badge\",\"details\":{"));
    OK(backfill("traveler", zoe, "{}") == 400);
    OK(backfill("nothing", zoe, "{}") == 404 &&
       medals_says(&m, "{\"message\":\"Badge does not exists\""));
    OK(backfill("open_for_business", zoe, "{\"completedAt\":5}") == 200 &&
       medals_says(&m, "\"userProgressesMerged\":0,\"failures\":[{\"address\":\"0x20e00"
                       "00000000000000000000000000000000004\",\"errors\":[\"mismatch "
                       "between badge criteria and progress steps\"]}]"));
    OK(medals_ask(&m, NULL, "POST", "/badges/badges/traveler/backfill", "{}") == 401);
    OK(medals_ask(&m, ADMIN_TOKEN, "POST", "/badges/badges/traveler/backfill", "{") ==
           400 &&
       medals_says(&m, "{\"message\":\"Invalid body\""));
}

static void a_row_is_shown_and_forgotten(void)
{
    char path[128];

    snprintf(path, sizeof(path), "/badges/users/%s/badges/music_festival_2024", zoe);
    OK(medals_ask(&m, ADMIN_TOKEN, "GET", path, NULL) == 200 &&
       medals_says(&m, "{\"data\":{\"badge_id\":\"music_festival_2024\"") &&
       medals_says(&m, "\"achieved_tiers\":null,\"completed_at\":\"5\""));
    OK(medals_ask(&m, ADMIN_TOKEN, "DELETE", path, NULL) == 204);
    OK(medals_ask(&m, ADMIN_TOKEN, "GET", path, NULL) == 404 &&
       medals_says(&m, "User progress not found for this badge"));
    OK(medals_ask(&m, NULL, "GET", path, NULL) == 401);
}

/* ---- whatever happens to the reactor ---- */

/* Killed again and again while events come in: each counts once, each tier is granted
 * once. */
static void counters_are_right_when_it_was_killed(void)
{
    char key[32];

    for (int i = 0; i < WALKS; i++) {
        snprintf(key, sizeof(key), "kill%d", i);
        if (i % (WALKS / KILLS) == 0) {
            pid_t react = world_part(&m.world, "react");

            if (react > 0) kill(react, SIGKILL);
        }
        OK(by_client("walked-distance", key, 1, eve, ",\"stepCount\":5000") == 200);
    }
    OK(medals_wait(&m, eve, "walkabout_wanderer", 4));
    world_wait_healthy(&m.world);
    OK(medals_steps(&m, eve, "walkabout_wanderer", "achieved") == WALKS * 5000);
    medals_settle(&m);
    OK(medals_grants(&m, eve, "walkabout_wanderer") == 4);
}

static const char *const paths[] = {"/badges", "/preview"};

static void fetch(const char *who, const char *path, char **out)
{
    char full[160];

    snprintf(full, sizeof(full), "/badges/users/%s%s", who, path);
    OK(medals_ask(&m, NULL, "GET", full, NULL) == 200);
    *out = strdup(medals_answer(&m));
}

/* A hash of every row that the reactor has, but for what waits to be emitted. */
static char *rows_hash(void)
{
    static const char *const tables[] = {
        "progress", "tier_held", "item",     "emote_minute", "movement",
        "reset",    "deployed",  "wearable", "business",     "granted"};
    char *schema = world_query(&m.world, "select schema from landlog.generation where "
                                         "projection = 'badges' and state = 'live'");
    char sql[2048], *hash;
    size_t n = 0;

    n += (size_t)snprintf(sql, sizeof(sql),
                          "select md5(string_agg(r, '' order by r)) from (");
    for (size_t i = 0; i < LL_LENGTH(tables); i++)
        n += (size_t)snprintf(sql + n, sizeof(sql) - n,
                              "%sselect '%s' || t::text as r from %s.%s t",
                              i ? " union all " : "", tables[i], schema, tables[i]);
    snprintf(sql + n, sizeof(sql) - n, ") rows");
    hash = world_query(&m.world, sql);
    free(schema);
    return hash;
}

static void a_replay_gives_the_same(void)
{
    static const char *const people[] = {ana, ben, eve, zoe};
    char *before[LL_LENGTH(people)][LL_LENGTH(paths)], *now;
    char *rows, *rows_now;
    size_t grants = 0, after = 0;

    medals_settle(&m);
    rows = rows_hash();
    for (size_t i = 0; i < LL_LENGTH(people); i++) {
        grants += medals_grants(&m, people[i], "");
        for (size_t k = 0; k < LL_LENGTH(paths); k++)
            fetch(people[i], paths[k], &before[i][k]);
    }
    OK(world_run(&m.world, "replay", "--workers", "4", "badges", NULL) == 0);
    medals_settle(&m);
    rows_now = rows_hash();
    OK(strcmp(rows, rows_now) == 0);
    free(rows);
    free(rows_now);
    for (size_t i = 0; i < LL_LENGTH(people); i++) {
        after += medals_grants(&m, people[i], "");
        for (size_t k = 0; k < LL_LENGTH(paths); k++) {
            fetch(people[i], paths[k], &now);
            OK(strcmp(now, before[i][k]) == 0);
            free(now);
            free(before[i][k]);
        }
    }
    OK(grants == after && grants > 0);
}

int main(void)
{
    if (!medals_start(&m, "badges")) return 77;
    RUN(a_first_move_makes_a_citizen);
    RUN(one_event_gives_one_tier);
    RUN(heights_and_minutes_have_their_limits);
    RUN(what_is_met_twice_counts_once);
    RUN(a_scene_makes_an_architect);
    RUN(a_business_is_a_store_and_a_collection);
    RUN(both_halves_may_come_at_once);
    RUN(a_profile_that_says_something_is_a_pros);
    RUN(three_of_a_kind_are_an_ensemble);
    RUN(a_minute_in_a_scene_is_a_visit);
    RUN(what_is_told_of_before_grants_nothing);
    RUN(a_wrong_back_fill_is_refused_or_left_out);
    RUN(a_row_is_shown_and_forgotten);
    RUN(counters_are_right_when_it_was_killed);
    RUN(a_replay_gives_the_same);
    OK(medals_stop(&m) == 0);
    return t_done();
}
