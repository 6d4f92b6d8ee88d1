/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* badges_backfill.c - see badges_backfill.h. */
#include "producers/badges_backfill.h"

#include "core/event/schema.h"

#include <stdio.h>

#define MS   "{\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991}"
#define ID   "{\"type\":\"string\",\"minLength\":1,\"maxLength\":512}"
#define WHO  "{\"type\":\"string\",\"pattern\":\"^0x[0-9a-fA-F]{40}$\"}"
#define MOST "\"maxItems\":2500" /* of an event's 256 KiB */

struct backfill_rule {
    const char *badges[8];
    const char *schema; /* of data.progress */
    void (*find_errors)(const json_t *badge, const json_t *progress, json_t *errors);
};

static void say(json_t *errors, const char *fmt, ...) LL_PRINTF(2, 3);

static void say(json_t *errors, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    json_array_append_new(errors, json_string(text));
}

static json_int_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static json_int_t steps_of(const json_t *tier)
{
    return number_of(json_object_get(tier, "criteria"), "steps");
}

static const char *tier_id(const json_t *tier)
{
    return json_string_value(json_object_get(tier, "tierId"));
}

static const json_t *tier_of(const json_t *badge, json_int_t steps)
{
    const json_t *tier;
    size_t i;

    json_array_foreach(json_object_get(badge, "tiers"), i, tier)
    {
        if (steps_of(tier) == steps) return tier;
    }
    return NULL;
}

/* Tiers in the order they are stored: none before the one that was stored before it. */
static void check_order(const json_t *tier, json_int_t at, const json_t **before,
                        json_int_t *before_at, json_t *errors)
{
    if (*before != NULL && at < *before_at)
        say(errors, "tier achieved %s completed before previous tier %s", tier_id(tier),
            tier_id(*before));
    *before = tier;
    *before_at = at;
}

static void moves_errors(const json_t *badge, const json_t *progress, json_t *errors)
{
    json_int_t steps = number_of(progress, "usedEmotesCount"), before_at = 0;
    const json_t *achieved, *before = NULL;
    size_t i;

    json_array_foreach(json_object_get(progress, "achievedTiers"), i, achieved)
    {
        const json_t *tier = tier_of(badge, number_of(achieved, "steps"));

        LL_CHECK(tier != NULL);
        if (steps_of(tier) > steps)
            say(errors, "tier achieved %s criteria steps are greater than progress steps",
                tier_id(tier));
        check_order(tier, number_of(achieved, "completedAt"), &before, &before_at,
                    errors);
    }
}

/* The tier of N steps is reached at the N-th event that is told. */
static void event_errors(const json_t *badge, const json_t *progress, json_t *errors)
{
    const json_t *events = json_object_get(progress, "eventsAttended"), *tier,
                 *before = NULL;
    json_int_t before_at = 0;
    size_t i;

    json_array_foreach(json_object_get(badge, "tiers"), i, tier)
    {
        size_t n = (size_t)steps_of(tier);

        if (n > json_array_size(events)) continue;
        check_order(tier, number_of(json_array_get(events, n - 1), "firstVisitAt"),
                    &before, &before_at, errors);
    }
}

static void business_errors(const json_t *badge, const json_t *progress, json_t *errors)
{
    json_int_t steps = (json_object_get(progress, "collectionCreatedAt") != NULL) +
                       (json_object_get(progress, "storeCreatedAt") != NULL);

    if (json_object_get(progress, "completedAt") != NULL && steps != steps_of(badge))
        say(errors, "mismatch between badge criteria and progress steps");
}

static void no_errors(const json_t *badge, const json_t *progress, json_t *errors)
{
    (void)badge, (void)progress, (void)errors;
}

#define LIST(name, id, at) \
    "{\"type\":\"object\",\"required\":[\"" name "\"],\"properties\":{\"" name \
    "\":{\"type\":\"array\"," MOST ",\"items\":{\"type\":\"object\",\"required\":[\"" id \
    "\",\"" at "\"],\"properties\":{\"" id "\":" ID ",\"" at "\":" MS "}}}}}"

/* The contract's table of payloads, row by row. */
static const struct backfill_rule rules[] = {
    {{"epic_ensemble", "regally_rare", "legendary_look", "mythic_model", "unique_unicorn",
      "exotic_elegance"},
     "{\"type\":\"object\",\"required\":[\"completedWith\",\"completedAt\"],"
     "\"properties\":{\"completedWith\":{\"type\":\"array\",\"maxItems\":100,"
     "\"items\":" ID "},\"completedAt\":" MS "}}",
     no_errors},
    {{"emotionista"}, LIST("emotesBought", "transactionHash", "saleAt"), no_errors},
    {{"fashionista"}, LIST("wearablesBought", "transactionHash", "saleAt"), no_errors},
    {{"emote_creator"}, LIST("emotesPublished", "itemId", "createdAt"), no_errors},
    {{"wearable_designer"}, LIST("wearablesPublished", "itemId", "createdAt"), no_errors},
    {{"event_enthusiast"},
     LIST("eventsAttended", "eventId", "firstVisitAt"),
     event_errors},
    {{"moves_master"},
     "{\"type\":\"object\",\"required\":[\"usedEmotesCount\",\"lastEmoteTriggeredAt\","
     "\"achievedTiers\"],\"properties\":{\"usedEmotesCount\":" MS
     ",\"lastEmoteTriggeredAt\":{\"type\":\"integer\",\"minimum\":1,"
     "\"maximum\":9007199254740991},"
     "\"achievedTiers\":{\"type\":\"array\",\"maxItems\":6,\"uniqueItems\":true,"
     "\"items\":{\"type\":\"object\",\"required\":[\"steps\",\"completedAt\"],"
     "\"properties\":{\"steps\":" MS ",\"completedAt\":" MS "}}}}}",
     moves_errors},
    {{"social_butterfly"},
     "{\"type\":\"object\",\"required\":[\"profiles_visited\"],\"properties\":{"
     "\"profiles_visited\":{\"type\":\"array\"," MOST ",\"items\":{\"type\":\"object\","
     "\"required\":[\"profile_address\",\"visited_at\"],\"properties\":{"
     "\"profile_address\":" WHO ",\"visited_at\":" MS "}}}}}",
     no_errors},
    {{"land_architect"},
     "{\"type\":\"object\",\"required\":[\"firstSceneDeployedAt\"],\"properties\":{"
     "\"firstSceneDeployedAt\":" MS "}}",
     no_errors},
    {{"profile_pro"},
     "{\"type\":\"object\",\"required\":[\"completedAt\",\"description\"],\"properties\":"
     "{\"completedAt\":" MS
     ",\"description\":{\"type\":\"string\",\"maxLength\":10000}}}",
     no_errors},
    {{"open_for_business"},
     "{\"type\":\"object\",\"properties\":{\"completedAt\":" MS
     ",\"collectionCreatedAt\":" MS ",\"storeCreatedAt\":" MS "}}",
     business_errors},
    {{"music_festival_2024", "fashion_week_2025", "builder_talent_trail_2025",
      "music_talent_trail_2025"},
     "{\"type\":\"object\",\"required\":[\"completedAt\"],\"properties\":{"
     "\"completedAt\":" MS "}}",
     no_errors},
};

const struct backfill_rule *backfill_rule_find(struct text badge_id)
{
    for (size_t i = 0; i < LL_LENGTH(rules); i++)
        for (size_t k = 0; k < LL_LENGTH(rules[i].badges); k++)
            if (rules[i].badges[k] != NULL && text_is(badge_id, rules[i].badges[k]))
                return &rules[i];
    return NULL;
}

/* Every tier that is told of is one of the badge's. */
static ll_rc check_tiers(const json_t *badge, const json_t *progress,
                         struct ll_error *err)
{
    const json_t *achieved;
    size_t i;

    json_array_foreach(json_object_get(progress, "achievedTiers"), i, achieved)
    {
        if (tier_of(badge, number_of(achieved, "steps")) == NULL)
            return ll_fail(err, LL_EINVAL, "\"/achievedTiers/%zu/steps\" matches no tier",
                           i);
    }
    return LL_OK;
}

ll_rc backfill_check_shape(const struct backfill_rule *rule, const json_t *badge,
                           const json_t *progress, struct ll_error *err)
{
    struct schema *schema;
    json_t *document;
    ll_rc rc;

    /* made anew each time: nobody back-fills often */
    LL_CHECK(json_parse(text_of(rule->schema), JSON_DEPTH, &document, err) == LL_OK &&
             schema_compile(document, &schema, err) == LL_OK);
    json_decref(document);
    rc = schema_validate(schema, progress, err);
    schema_free(schema);
    return rc == LL_OK ? check_tiers(badge, progress, err) : rc;
}

json_t *backfill_errors(const struct backfill_rule *rule, const json_t *badge,
                        const json_t *progress)
{
    json_t *errors = json_array();

    rule->find_errors(badge, progress, errors);
    return errors;
}
