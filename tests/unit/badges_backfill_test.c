/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* badges_backfill_test.c - which back-fills are malformed, and which contradict
 * themselves (contract: badges, 3.3). */
#include "producers/badges_backfill.h"
#include "t.h"

#include <string.h>

/* A badge of six tiers, at 1, 2, 3, 4, 5 and 6 steps. */
static const char tiered[] = "{\"id\":\"b\",\"tiers\":["
                             "{\"tierId\":\"b-starter\",\"criteria\":{\"steps\":1}},"
                             "{\"tierId\":\"b-bronze\",\"criteria\":{\"steps\":2}},"
                             "{\"tierId\":\"b-silver\",\"criteria\":{\"steps\":3}},"
                             "{\"tierId\":\"b-gold\",\"criteria\":{\"steps\":4}},"
                             "{\"tierId\":\"b-platinum\",\"criteria\":{\"steps\":5}},"
                             "{\"tierId\":\"b-diamond\",\"criteria\":{\"steps\":6}}]}";
static const char of_two_steps[] = "{\"id\":\"b\",\"criteria\":{\"steps\":2}}";

static json_t *parse(const char *text)
{
    struct ll_error err;
    json_t *value;

    LL_CHECK(json_parse(text_of(text), JSON_DEPTH, &value, &err) == LL_OK);
    return value;
}

/* "malformed", the messages joined by "; ", or "" where it may be merged. */
static const char *verdict(const char *id, const char *badge, const char *progress)
{
    static char text[1024];
    const struct backfill_rule *rule = backfill_rule_find(text_of(id));
    json_t *shown = parse(badge), *said = parse(progress), *errors, *one;
    struct ll_error err;
    size_t i;

    text[0] = '\0';
    LL_CHECK(rule != NULL);
    if (backfill_check_shape(rule, shown, said, &err) != LL_OK) {
        snprintf(text, sizeof(text), "malformed");
    } else {
        errors = backfill_errors(rule, shown, said);
        json_array_foreach(errors, i, one)
        {
            size_t used = strlen(text);
            snprintf(text + used, sizeof(text) - used, "%s%s", used ? "; " : "",
                     json_string_value(one));
        }
        json_decref(errors);
    }
    json_decref(shown);
    json_decref(said);
    return text;
}

static void some_badges_take_none(void)
{
    static const char *const none[] = {
        "traveler",           "dclcitizen", "vertical_voyager",
        "walkabout_wanderer", "",           "Emotionista"};

    for (size_t i = 0; i < LL_LENGTH(none); i++)
        OK(backfill_rule_find(text_of(none[i])) == NULL);
}

static void each_badge_has_its_shape(void)
{
    static const struct {
        const char *id, *good, *bad;
    } cases[] = {
        {"epic_ensemble", "{\"completedWith\":[\"urn\"],\"completedAt\":1}",
         "{\"completedWith\":[7],\"completedAt\":1}"},
        {"emotionista", "{\"emotesBought\":[{\"transactionHash\":\"0x1\",\"saleAt\":1}]}",
         "{\"wearablesBought\":[]}"},
        {"fashionista", "{\"wearablesBought\":[]}",
         "{\"wearablesBought\":[{\"transactionHash\":\"\",\"saleAt\":1}]}"},
        {"emote_creator", "{\"emotesPublished\":[{\"itemId\":\"i\",\"createdAt\":1}]}",
         "{\"emotesPublished\":[{\"itemId\":\"i\",\"createdAt\":-1}]}"},
        {"wearable_designer", "{\"wearablesPublished\":[]}",
         "{\"wearablesPublished\":{}}"},
        {"event_enthusiast",
         "{\"eventsAttended\":[{\"eventId\":\"e\",\"eventName\":\"n\","
         "\"firstVisitAt\":1,\"timeSpentInSeconds\":400}]}",
         "{\"eventsAttended\":[{\"eventId\":\"e\"}]}"},
        {"moves_master",
         "{\"usedEmotesCount\":1,\"lastEmoteTriggeredAt\":1,\"achievedTiers\":[]}",
         "{\"usedEmotesCount\":1,\"lastEmoteTriggeredAt\":0,\"achievedTiers\":[]}"},
        {"social_butterfly",
         "{\"profiles_visited\":[{\"profile_address\":"
         "\"0x5B38Da6a701c568545dCfcB03FcB875f56beddC4\",\"visited_at\":1}]}",
         "{\"profiles_visited\":[{\"profile_address\":\"me\",\"visited_at\":1}]}"},
        {"land_architect", "{\"firstSceneDeployedAt\":1}",
         "{\"firstSceneDeployedAt\":\"1\"}"},
        {"profile_pro", "{\"completedAt\":1,\"description\":\"I\"}",
         "{\"completedAt\":1}"},
        {"open_for_business", "{}", "{\"storeCreatedAt\":1.5}"},
        {"fashion_week_2025", "{\"completedAt\":1}", "{}"},
    };

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        OK(strcmp(verdict(cases[i].id, tiered, cases[i].good), "") == 0);
        OK(strcmp(verdict(cases[i].id, tiered, cases[i].bad), "malformed") == 0);
    }
}

#define MOVES(count, tiers) \
    "{\"usedEmotesCount\":" count \
    ",\"lastEmoteTriggeredAt\":9,\"achievedTiers\":[" tiers "]}"
#define TIER(steps, at) "{\"steps\":" steps ",\"completedAt\":" at "}"

static void told_tiers_must_be_the_badges(void)
{
    const char *id = "moves_master";

    OK(strcmp(verdict(id, tiered, MOVES("2", TIER("1", "5") "," TIER("2", "5"))), "") ==
       0);
    OK(strcmp(verdict(id, tiered, MOVES("9", TIER("7", "5"))), "malformed") == 0);
    OK(strcmp(verdict(id, tiered, MOVES("1", TIER("2", "5"))),
              "tier achieved b-bronze criteria steps are greater than progress steps") ==
       0);
    OK(strcmp(verdict(id, tiered, MOVES("2", TIER("1", "6") "," TIER("2", "5"))),
              "tier achieved b-bronze completed before previous tier b-starter") == 0);
}

static void events_must_come_in_order(void)
{
    const char *id = "event_enthusiast";

    OK(strcmp(verdict(id, tiered,
                      "{\"eventsAttended\":[{\"eventId\":\"a\",\"firstVisitAt\":5},"
                      "{\"eventId\":\"b\",\"firstVisitAt\":4}]}"),
              "tier achieved b-bronze completed before previous tier b-starter") == 0);
}

static void a_business_needs_both_parts(void)
{
    const char *id = "open_for_business";
    static const char message[] = "mismatch between badge criteria and progress steps";

    OK(strcmp(verdict(id, of_two_steps, "{\"completedAt\":1}"), message) == 0);
    OK(strcmp(verdict(id, of_two_steps, "{\"completedAt\":1,\"storeCreatedAt\":1}"),
              message) == 0);
    OK(strcmp(verdict(id, of_two_steps,
                      "{\"completedAt\":1,\"storeCreatedAt\":1,"
                      "\"collectionCreatedAt\":1}"),
              "") == 0);
    OK(strcmp(verdict(id, of_two_steps, "{\"storeCreatedAt\":1}"), "") == 0);
}

int main(void)
{
    RUN(some_badges_take_none);
    RUN(each_badge_has_its_shape);
    RUN(told_tiers_must_be_the_badges);
    RUN(events_must_come_in_order);
    RUN(a_business_needs_both_parts);
    return t_done();
}
