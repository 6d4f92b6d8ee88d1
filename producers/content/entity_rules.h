/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_rules.h - by what deployments are judged: dates, limits, schemas, access.
 *
 * Made once at the start, read-only afterwards, for any thread or fiber. An entity is
 * judged by the rules of its own timestamp, so that history is replicated as it was.
 */
#ifndef LL_ENTITY_RULES_H
#define LL_ENTITY_RULES_H

#include "core/base/settings.h"
#include "producers/content/entity.h"
#include "producers/content/entity_access.h"

/* When each rule began (ms); settings service.content.<name>, as "adr-45-timestamp". */
enum entity_date {
    ENTITY_LAUNCH,
    ENTITY_ADR_45,
    ENTITY_ADR_75,
    ENTITY_ADR_74,
    ENTITY_ADR_173,
    ENTITY_ADR_158,
    ENTITY_ADR_236,
    ENTITY_ADR_232,
    ENTITY_ADR_244,
    ENTITY_ADR_290_OPTIONAL,
    ENTITY_ADR_290_REJECTED,
    ENTITY_FILE_CAPS, /* of the newer rules */
    ENTITY_DATES
};

/* service.content.ignore-blockchain-access-checks (0, 1, 2; default 1). */
enum entity_access_level {
    ENTITY_ACCESS_FULL,   /* everything of 4.6; what nobody can answer is refused */
    ENTITY_ACCESS_SIGNED, /* all that needs no blockchain: whose profile, outfits, store
                             it is, what is Decentraland's alone, how pointers look */
    ENTITY_ACCESS_NONE    /* 4.6 is skipped whole, as a test node of upstream does */
};

enum { ENTITY_DECENTRALAND = 2 };

struct metadata_schema;

struct entity_rules {
    int64_t dates[ENTITY_DATES];
    /* ms that a client's entity may be behind and ahead of now; settings deployment-age
     * and deployment-ahead, in seconds. */
    int64_t oldest, newest;
    bool has_newer_rules; /* 4.11; setting newer-rules, off by default */
    enum entity_access_level access_level;
    const struct entity_access *access; /* who answers for the blockchain */
    void *access_context;
    /* Addresses that may deploy what is Decentraland's; the second from the setting
     * additional-decentraland-address, or empty. */
    struct text decentraland[ENTITY_DECENTRALAND];
    struct metadata_schema *schemas[ENTITY_TYPES];
};

/* From the settings service.content.*; LL_EINVAL names the one at fault. Free with
 * entity_rules_free(). The settings must outlive the rules. */
ll_rc entity_rules_new(const struct settings *settings, struct entity_rules **out,
                       struct ll_error *err) LL_MUST_CHECK;
void entity_rules_free(struct entity_rules *rules);

/* Is the address, of any case, Decentraland's? */
bool entity_is_decentraland(const struct entity_rules *rules, struct text address);

#endif
