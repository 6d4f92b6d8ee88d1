/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_rules.c - see entity_rules.h. */
#include "producers/content/entity_rules.h"

#include "core/auth/ethereum.h"
#include "producers/content/metadata_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTES = 60, AGE_MOST = 365 * 24 * 60 * 60 };

static const int64_t ninety_days = (int64_t)90 * 24 * 60 * 60 * 1000;
static const uint64_t latest = 8640000000000000; /* as JavaScript's dates have it */

static const struct {
    const char *name;
    int64_t fallback;
} dates[ENTITY_DATES] = {
    [ENTITY_LAUNCH] = {"content.launch-timestamp", 1582167600000},
    [ENTITY_ADR_45] = {"content.adr-45-timestamp", 1652191200000},
    [ENTITY_ADR_75] = {"content.adr-75-timestamp", 1658275200000},
    [ENTITY_ADR_74] = {"content.adr-74-timestamp", 1662987600000},
    [ENTITY_ADR_173] = {"content.adr-173-timestamp", 1673967600000},
    [ENTITY_ADR_158] = {"content.adr-158-timestamp", 1674576000000},
    [ENTITY_ADR_236] = {"content.adr-236-timestamp", 1684497600000},
    [ENTITY_ADR_232] = {"content.adr-232-timestamp", 1686571200000},
    [ENTITY_ADR_244] = {"content.adr-244-timestamp", 1710428400000},
    [ENTITY_ADR_290_OPTIONAL] = {"content.adr-290-timestamp", 1762743600000},
    [ENTITY_ADR_290_REJECTED] = {"content.adr-290-rejected-timestamp", 0},
    [ENTITY_FILE_CAPS] = {"content.entity-file-caps-timestamp", 1788220800000},
};

static ll_rc read_dates(const struct settings *settings, struct entity_rules *rules,
                        struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; rc == LL_OK && i < ENTITY_DATES; i++) {
        int64_t fallback = dates[i].fallback;
        uint64_t ms;

        if (i == ENTITY_ADR_290_REJECTED)
            fallback = rules->dates[ENTITY_ADR_290_OPTIONAL] + ninety_days;
        rc = settings_service_number(settings, dates[i].name, 0, latest,
                                     (uint64_t)fallback, &ms, err);
        rules->dates[i] = (int64_t)ms;
    }
    return rc;
}

static ll_rc read_ages(const struct settings *settings, struct entity_rules *rules,
                       struct ll_error *err)
{
    uint64_t oldest, newest = 0, newer = 0;
    ll_rc rc;

    rc = settings_service_number(settings, "content.deployment-age", 1, AGE_MOST,
                                 (uint64_t)20 * MINUTES, &oldest, err);
    if (rc == LL_OK)
        rc = settings_service_number(settings, "content.deployment-ahead", 0, AGE_MOST,
                                     (uint64_t)15 * MINUTES, &newest, err);
    if (rc == LL_OK)
        rc = settings_service_number(settings, "content.newer-rules", 0, 1, 0, &newer,
                                     err);
    rules->has_newer_rules = newer == 1;
    rules->oldest = (int64_t)oldest * 1000;
    rules->newest = (int64_t)newest * 1000;
    return rc;
}

static ll_rc read_access(const struct settings *settings, struct entity_rules *rules,
                         struct ll_error *err)
{
    const char *name, *value;
    struct ethereum_address address;
    uint64_t level;
    ll_rc rc = settings_service_number(
        settings, "content.ignore-blockchain-access-checks", ENTITY_ACCESS_FULL,
        ENTITY_ACCESS_NONE, ENTITY_ACCESS_SIGNED, &level, err);

    rules->access_level = (enum entity_access_level)level;
    rules->access =
        level == ENTITY_ACCESS_FULL ? &entity_access_absent : &entity_access_open;
    rules->decentraland[0] = TEXT("0x1337e0507eb4ab47e08a179573ed4533d9e22a7b");
    rules->decentraland[1] = TEXT("");
    for (size_t i = 0; rc == LL_OK && settings_service_at(settings, i, &name, &value);
         i++) {
        if (strcmp(name, "content.additional-decentraland-address") != 0) continue;
        rules->decentraland[1] = text_of(value);
        if (!ethereum_address_parse(rules->decentraland[1], &address))
            rc = ll_fail(err, LL_EINVAL,
                         "setting `service.%s` must be an address, not \"%s\"", name,
                         value);
    }
    return rc;
}

static ll_rc load_schemas(struct entity_rules *rules, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; rc == LL_OK && i < ENTITY_TYPES; i++) {
        char path[100];

        snprintf(path, sizeof(path), "producers/content/metadata/%s.json",
                 entity_type_name((enum entity_type)i));
        rc = metadata_schema_load(path, &rules->schemas[i], err);
    }
    return rc;
}

ll_rc entity_rules_new(const struct settings *settings, struct entity_rules **out,
                       struct ll_error *err)
{
    struct entity_rules *rules = ll_calloc(1, sizeof(*rules));
    ll_rc rc = read_dates(settings, rules, err);

    if (rc == LL_OK) rc = read_ages(settings, rules, err);
    if (rc == LL_OK) rc = read_access(settings, rules, err);
    if (rc == LL_OK) rc = load_schemas(rules, err);
    if (rc != LL_OK) {
        entity_rules_free(rules);
        rules = NULL;
    }
    *out = rules;
    return rc;
}

void entity_rules_free(struct entity_rules *rules)
{
    if (rules == NULL) return;
    for (size_t i = 0; i < ENTITY_TYPES; i++) metadata_schema_free(rules->schemas[i]);
    free(rules);
}

bool entity_is_decentraland(const struct entity_rules *rules, struct text address)
{
    for (size_t i = 0; i < ENTITY_DECENTRALAND; i++)
        if (rules->decentraland[i].len > 0 &&
            text_equal_ignoring_case(rules->decentraland[i], address))
            return true;
    return false;
}
