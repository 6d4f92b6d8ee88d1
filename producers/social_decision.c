/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* social_decision.c - the state machine as a table; see social_decision.h. */
#include "producers/social_decision.h"

#include <string.h>

/* The pair's last action, as bits so that a set of them is a number. */
enum {
    AFTER_NONE = 1,
    AFTER_REQUEST = 2,
    AFTER_CANCEL = 4,
    AFTER_ACCEPT = 8,
    AFTER_REJECT = 16,
    AFTER_DELETE = 32,
    AFTER_BLOCK = 64
};

static const struct social_action actions[] = {
    {"request", "social.friendship-requested",
     AFTER_NONE | AFTER_CANCEL | AFTER_REJECT | AFTER_DELETE, SOCIAL_BY_EITHER, false},
    {"accept", "social.friendship-accepted", AFTER_REQUEST, SOCIAL_BY_OTHER, false},
    {"reject", "social.friendship-rejected", AFTER_REQUEST, SOCIAL_BY_OTHER, false},
    {"cancel", "social.friendship-cancelled", AFTER_REQUEST, SOCIAL_BY_AUTHOR, false},
    {"delete", "social.friendship-deleted", AFTER_ACCEPT | AFTER_BLOCK, SOCIAL_BY_EITHER,
     false},
    {"block", "social.user-blocked", 0, SOCIAL_BY_EITHER, true},
    {"unblock", "social.user-unblocked", 0, SOCIAL_BY_EITHER, true},
};

static const struct {
    const char *name;
    unsigned bit;
} last_actions[] = {
    {"request", AFTER_REQUEST}, {"cancel", AFTER_CANCEL}, {"accept", AFTER_ACCEPT},
    {"reject", AFTER_REJECT},   {"delete", AFTER_DELETE}, {"block", AFTER_BLOCK},
};

const struct social_action *social_action_find(struct text name)
{
    for (size_t i = 0; i < LL_LENGTH(actions); i++)
        if (text_is(name, actions[i].name)) return &actions[i];
    return NULL;
}

const struct social_action *social_action_of(struct text event)
{
    for (size_t i = 0; i < LL_LENGTH(actions); i++)
        if (text_is(event, actions[i].event)) return &actions[i];
    return NULL;
}

static unsigned last_action_bit(struct text name)
{
    for (size_t i = 0; i < LL_LENGTH(last_actions); i++)
        if (text_is(name, last_actions[i].name)) return last_actions[i].bit;
    return AFTER_NONE;
}

static uint64_t count_of(const json_t *state, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(state, name));

    return n > 0 ? (uint64_t)n : 0;
}

struct social_pair social_pair_read(const json_t *state)
{
    struct social_pair pair = {
        .blocked_by_actor = json_is_true(json_object_get(state, "blockedByActor")),
        .blocked_by_target = json_is_true(json_object_get(state, "blockedByTarget")),
        .actions_of_actor = count_of(state, "actionsOfActor"),
        .friendship_actions_of_pair = count_of(state, "friendshipActionsOfPair"),
        .block_actions_of_pair = count_of(state, "blockActionsOfPair"),
    };

    if (!json_member_text(state, "friendshipId", &pair.friendship_id))
        pair.friendship_id = TEXT("");
    if (!json_member_text(state, "lastAction", &pair.last_action))
        pair.last_action = TEXT("");
    if (!json_member_text(state, "lastActor", &pair.last_actor))
        pair.last_actor = TEXT("");
    return pair;
}

static enum social_verdict decide_friendship(const struct social_action *action,
                                             struct text actor,
                                             const struct social_pair *pair)
{
    bool is_author = text_equal(pair->last_actor, actor);

    if (pair->blocked_by_actor || pair->blocked_by_target) return SOCIAL_BLOCKED;
    if ((action->allowed_after & last_action_bit(pair->last_action)) == 0)
        return SOCIAL_MISPLACED;
    if (action->by == SOCIAL_BY_AUTHOR && !is_author) return SOCIAL_MISPLACED;
    if (action->by == SOCIAL_BY_OTHER && is_author) return SOCIAL_MISPLACED;
    return SOCIAL_HAPPENS;
}

enum social_verdict social_decide(const struct social_action *action, struct text actor,
                                  const struct social_pair *pair,
                                  const struct social_limits *limits)
{
    uint64_t of_pair =
        action->is_block ? pair->block_actions_of_pair : pair->friendship_actions_of_pair;
    bool is_blocking = strcmp(action->name, "block") == 0;

    if (pair->actions_of_actor >= limits->of_actor || of_pair >= limits->of_pair)
        return SOCIAL_LIMITED;
    if (!action->is_block) return decide_friendship(action, actor, pair);
    /* The first block counts, and only a block that is there can be taken back. */
    return pair->blocked_by_actor == is_blocking ? SOCIAL_NOTHING : SOCIAL_HAPPENS;
}
