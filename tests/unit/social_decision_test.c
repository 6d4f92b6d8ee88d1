/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* social_decision_test.c - every action against every last action, by either person. */
#include "producers/social_decision.h"
#include "t.h"

#include <string.h>

static const struct social_limits limits = {30, 10};

static enum social_verdict decide(const char *action, const char *last, const char *by)
{
    struct social_pair pair = {.last_action = text_of(last), .last_actor = text_of(by)};

    return social_decide(social_action_find(text_of(action)), TEXT("me"), &pair, &limits);
}

/* Contract social, 4.1: one row an action; a letter a last action: `+` allowed to both,
 * `a` to its author alone, `o` to the other alone, `-` to nobody. */
static void the_state_machine_is_the_contracts(void)
{
    static const char *const last[] = {"",       "request", "cancel", "accept",
                                       "reject", "delete",  "block"};
    static const struct {
        const char *action, *allowed;
    } rows[] = {
        {"request", "+-+-++-"}, {"accept", "-o-----"}, {"reject", "-o-----"},
        {"cancel", "-a-----"},  {"delete", "---+--+"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        for (size_t k = 0; k < LL_LENGTH(last); k++) {
            char allowed = rows[i].allowed[k];
            bool by_me = decide(rows[i].action, last[k], "me") == SOCIAL_HAPPENS;
            bool by_other = decide(rows[i].action, last[k], "you") == SOCIAL_HAPPENS;

            OK(by_me == (allowed == '+' || allowed == 'a'));
            OK(by_other == (allowed == '+' || allowed == 'o'));
        }
    }
}

static void a_block_stops_friendship_either_way(void)
{
    struct social_pair mine = {.blocked_by_actor = true},
                       theirs = {.blocked_by_target = true};
    const struct social_action *request = social_action_find(TEXT("request"));

    OK(social_decide(request, TEXT("me"), &mine, &limits) == SOCIAL_BLOCKED);
    OK(social_decide(request, TEXT("me"), &theirs, &limits) == SOCIAL_BLOCKED);
}

static void only_a_change_of_a_block_happens(void)
{
    const struct social_action *block = social_action_find(TEXT("block"));
    const struct social_action *unblock = social_action_find(TEXT("unblock"));
    struct social_pair blocked = {.blocked_by_actor = true};
    struct social_pair free_pair = {.blocked_by_target = true};

    OK(social_decide(block, TEXT("me"), &blocked, &limits) == SOCIAL_NOTHING);
    OK(social_decide(block, TEXT("me"), &free_pair, &limits) == SOCIAL_HAPPENS);
    OK(social_decide(unblock, TEXT("me"), &blocked, &limits) == SOCIAL_HAPPENS);
    OK(social_decide(unblock, TEXT("me"), &free_pair, &limits) == SOCIAL_NOTHING);
}

static void the_limits_are_of_actor_pair_and_kind(void)
{
    const struct social_action *request = social_action_find(TEXT("request"));
    const struct social_action *block = social_action_find(TEXT("block"));
    struct social_pair pair = {.friendship_actions_of_pair = 10,
                               .block_actions_of_pair = 9};

    OK(social_decide(request, TEXT("me"), &pair, &limits) == SOCIAL_LIMITED);
    OK(social_decide(block, TEXT("me"), &pair, &limits) == SOCIAL_HAPPENS);
    pair.block_actions_of_pair = 10;
    OK(social_decide(block, TEXT("me"), &pair, &limits) == SOCIAL_LIMITED);
    pair = (struct social_pair){.actions_of_actor = 29};
    OK(social_decide(request, TEXT("me"), &pair, &limits) == SOCIAL_HAPPENS);
    pair.actions_of_actor = 30;
    OK(social_decide(request, TEXT("me"), &pair, &limits) == SOCIAL_LIMITED);
}

static void the_state_is_read_from_the_querys_json(void)
{
    struct ll_error err;
    json_t *state;
    struct social_pair pair;

    OK(json_parse(TEXT("{\"friendshipId\":null,\"lastAction\":\"request\","
                       "\"lastActor\":\"0xa\",\"blockedByActor\":false,"
                       "\"blockedByTarget\":true,\"actionsOfActor\":3,"
                       "\"friendshipActionsOfPair\":2,\"blockActionsOfPair\":1}"),
                  JSON_DEPTH, &state, &err) == LL_OK);
    pair = social_pair_read(state);
    OK(pair.friendship_id.len == 0 && text_is(pair.last_action, "request"));
    OK(text_is(pair.last_actor, "0xa") && !pair.blocked_by_actor &&
       pair.blocked_by_target);
    OK(pair.actions_of_actor == 3 && pair.friendship_actions_of_pair == 2 &&
       pair.block_actions_of_pair == 1);
    json_decref(state);
}

static void an_unknown_action_is_none(void)
{
    OK(social_action_find(TEXT("befriend")) == NULL);
    OK(social_action_find(TEXT("")) == NULL);
}

int main(void)
{
    RUN(the_state_machine_is_the_contracts);
    RUN(a_block_stops_friendship_either_way);
    RUN(only_a_change_of_a_block_happens);
    RUN(the_limits_are_of_actor_pair_and_kind);
    RUN(the_state_is_read_from_the_querys_json);
    RUN(an_unknown_action_is_none);
    return t_done();
}
