/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* social_decision.h - may this friendship or block action happen now?
 *
 * Pure: the pair's state and the request in, a verdict out (contract: social, 4.1 and the
 * limits of 7). No clock, no memory, no database.
 */
#ifndef LL_SOCIAL_DECISION_H
#define LL_SOCIAL_DECISION_H

#include "core/base/json.h"

enum social_actor_rule { SOCIAL_BY_EITHER, SOCIAL_BY_AUTHOR, SOCIAL_BY_OTHER };

struct social_action {
    const char *name;          /* "request" */
    const char *event;         /* "social.friendship-requested" */
    unsigned allowed_after;    /* which last actions of the pair; 0 for blocks */
    enum social_actor_rule by; /* author: of the pair's last action */
    bool is_block;             /* block and unblock: facts apart from friendship */
};

/* NULL when there is none of that name. */
const struct social_action *social_action_find(struct text name);
/* The action that an event of this type tells of; NULL when there is none. */
const struct social_action *social_action_of(struct text event);

/* What the read model knows of a pair (projections/social/queries.sql, `state`). */
struct social_pair {
    struct text friendship_id; /* empty: neither ever asked the other */
    struct text last_action, last_actor;
    bool blocked_by_actor, blocked_by_target;
    uint64_t actions_of_actor, friendship_actions_of_pair, block_actions_of_pair;
};

/* Views into `state`. */
struct social_pair social_pair_read(const json_t *state);

struct social_limits {
    uint64_t of_actor, of_pair; /* actions a minute */
};

enum social_verdict {
    SOCIAL_HAPPENS,
    SOCIAL_NOTHING, /* it is so already: a repeated block, an unblock of nobody */
    SOCIAL_LIMITED,
    SOCIAL_BLOCKED,  /* one of the two has blocked the other */
    SOCIAL_MISPLACED /* not after the pair's last action, or not by this person */
};

enum social_verdict social_decide(const struct social_action *action, struct text actor,
                                  const struct social_pair *pair,
                                  const struct social_limits *limits);

#endif
