/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_check.h - may this entity be deployed? (contract: catalyst, 4.2 to 4.6)
 *
 * Pure: all that must be known is given. Steps run in the contract's order and the first
 * that refuses answers; within a step there may be several messages.
 *
 *   entity_parse()            step 3; its error is the only message
 *   entity_check_pointers()   step 4
 *   entity_check_arrival()    step 6, for what a client sends; not for replication
 *   entity_check()            step 7: generic rules, schema, signature, size, type,
 * access
 */
#ifndef LL_ENTITY_CHECK_H
#define LL_ENTITY_CHECK_H

#include "producers/content/entity_errors.h"
#include "producers/content/entity_rules.h"

/* A file that came with the request. */
struct entity_upload {
    struct text hash;
    uint64_t size;
};

struct entity_deployment {
    const struct entity *entity;
    /* Everything uploaded, the entity file too, each hash once, sorted by it. */
    const struct entity_upload *uploads;
    size_t upload_count;
    /* The signer as sent (auth_chain_owner()); compared whatever its case. */
    struct text deployer;
    /* What was wrong with the auth chain, judged at the entity's timestamp against the
     * entity's id (auth_verdict.message); empty when nothing was. */
    struct text signature_problem;
    /* Is a file of this hash stored already? Its size through `size`. */
    bool (*is_stored)(void *context, struct text hash, uint64_t *size);
    void *is_stored_context;
};

/* False, and the messages in `errors`, when it is refused. Memory is errors->arena's. */
bool entity_check_pointers(const struct entity *e, struct entity_errors *errors);
bool entity_check(const struct entity_deployment *d, const struct entity_rules *rules,
                  struct entity_errors *errors);

struct entity_arrival {
    int64_t now; /* ms */
    /* A later entity (timestamp, id) of the type is on one of the pointers already. */
    bool is_outdated;
    bool is_limited; /* entity_limiter_allows() said no */
};

bool entity_check_arrival(const struct entity *e, const struct entity_arrival *arrival,
                          const struct entity_rules *rules, struct entity_errors *errors);

/* Other refusals of the contract, one message each. All return false. */
bool entity_refuse_no_file(struct entity_errors *errors); /* step 2 */
bool entity_refuse_in_flight(const struct entity *e, struct entity_errors *errors);

#endif
