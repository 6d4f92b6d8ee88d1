/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_limiter_test.c - how often a pointer may be deployed to. */
#include "producers/content/entity_limiter.h"
#include "t.h"

#include <stdlib.h>

static struct entity entity_on(enum entity_type type, struct text *pointers, size_t count)
{
    return (struct entity){.type = type, .pointers = pointers, .pointer_count = count};
}

static struct entity_limits default_limits(void)
{
    struct entity_limits limits = {.same_profile = 0};
    struct settings *settings;
    struct ll_error err;

    OK(settings_load("/dev/null", &settings, &err) == LL_OK);
    OK(entity_limits_read(settings, &limits, &err) == LL_OK);
    settings_free(settings);
    return limits;
}

static void the_limits_are_those_of_the_contract(void)
{
    static const struct {
        int64_t ttl;
        size_t most;
    } wanted[ENTITY_TYPES] = {
        [ENTITY_PROFILE] = {3000, 500},    [ENTITY_SCENE] = {20000, 1000},
        [ENTITY_WEARABLE] = {20000, 1000}, [ENTITY_EMOTE] = {20000, 1000},
        [ENTITY_STORE] = {3000, 300},      [ENTITY_OUTFITS] = {3000, 2000},
    };
    struct entity_limits limits = default_limits();

    for (size_t i = 0; i < ENTITY_TYPES; i++)
        OK(limits.ttl[i] == wanted[i].ttl && limits.most[i] == wanted[i].most);
    OK(limits.same_profile == 300000);
}

static void a_pointer_rests_after_a_deployment(void)
{
    struct entity_limits limits = default_limits();
    struct entity_limiter *l = entity_limiter_new(&limits);
    struct text a[] = {TEXT("0,0"), TEXT("0,1")}, b[] = {TEXT("0,1"), TEXT("0,2")},
                c[] = {TEXT("0,3")};
    struct entity first = entity_on(ENTITY_SCENE, a, 2),
                  second = entity_on(ENTITY_SCENE, b, 2),
                  other = entity_on(ENTITY_SCENE, c, 1),
                  type = entity_on(ENTITY_STORE, a, 2);

    OK(entity_limiter_allows(l, &first, 1000));
    OK(entity_limiter_allows(l, &first, 1000)); /* asking is no deployment */
    entity_limiter_note(l, &first, 1000);
    OK(!entity_limiter_allows(l, &first, 1000) &&
       !entity_limiter_allows(l, &second, 20999));
    OK(entity_limiter_allows(l, &other, 1000) && entity_limiter_allows(l, &type, 1000));
    OK(entity_limiter_allows(l, &second, 21000));
    entity_limiter_free(l);
}

static void a_full_memory_refuses_all(void)
{
    struct entity_limits limits = default_limits();
    struct entity_limiter *l;
    struct text a[] = {TEXT("a"), TEXT("b"), TEXT("c")}, b[] = {TEXT("d")};
    struct entity first = entity_on(ENTITY_STORE, a, 3),
                  second = entity_on(ENTITY_STORE, b, 1);

    limits.most[ENTITY_STORE] = 2;
    l = entity_limiter_new(&limits);
    for (int64_t round = 0; round < 5; round++) { /* the ring goes round */
        int64_t now = 10000 * round;

        OK(entity_limiter_allows(l, &second, now));
        entity_limiter_note(l, &second, now);
        OK(!entity_limiter_allows(l, &second, now + 1));
        OK(entity_limiter_allows(l, &first, now + 1));
        entity_limiter_note(l, &first, now + 1);
        OK(!entity_limiter_allows(l, &second, now + 2999));
        OK(entity_limiter_allows(l, &second, now + 3000));
    }
    entity_limiter_free(l);
}

static void no_time_is_no_limit(void)
{
    struct entity_limits limits = default_limits();
    struct entity_limiter *l;
    struct text a[] = {TEXT("a")};
    struct entity e = entity_on(ENTITY_EMOTE, a, 1);

    limits.ttl[ENTITY_EMOTE] = 0;
    l = entity_limiter_new(&limits);
    entity_limiter_note(l, &e, 0);
    OK(entity_limiter_allows(l, &e, 0));
    entity_limiter_free(l);
}

/* Against the obvious answer: when each pointer was last deployed to. */
static void random_deployments_agree(void)
{
    enum { POINTERS = 6, ROUNDS = 3000 };
    static struct text names[POINTERS] = {{"0", 1}, {"1", 1}, {"2", 1},
                                          {"3", 1}, {"4", 1}, {"5", 1}};
    struct entity_limits limits = default_limits();
    struct entity_limiter *l = entity_limiter_new(&limits);
    int64_t last[POINTERS], now = 0;

    for (size_t i = 0; i < POINTERS; i++) last[i] = -100000;
    srand(7);
    for (int round = 0; round < ROUNDS; round++) {
        size_t which = (size_t)rand() % POINTERS;
        struct entity e = entity_on(ENTITY_PROFILE, &names[which], 1);
        bool allowed = now - last[which] >= 3000;

        OK(entity_limiter_allows(l, &e, now) == allowed);
        if (allowed) entity_limiter_note(l, &e, now);
        if (allowed) last[which] = now;
        now += rand() % 900;
    }
    entity_limiter_free(l);
}

static void an_unchanged_profile_waits_longer(void)
{
    static const struct {
        const char *sent, *active;
        int64_t age;
        bool same;
    } cases[] = {
        {"{\"a\":1,\"b\":[]}", "{\"a\":1.0, \"b\" : [ ]}", 299999, true},
        {"{\"a\":1,\"b\":[]}", "{\"a\":1.0, \"b\" : [ ]}", 300000, false},
        {"{\"a\":1,\"b\":[]}", "{\"b\":[],\"a\":1}", 0, false},
        {"{\"a\":1}", "{\"a\":2}", 0, false},
        {"{\"a\":1}", "{", 0, false},
    };
    struct entity_limits limits = default_limits();

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        struct entity e = {.type = ENTITY_PROFILE,
                           .metadata_text = text_of(cases[i].sent)};

        OK(entity_limiter_is_same_profile(&limits, &e, text_of(cases[i].active), 1000,
                                          1000 + cases[i].age) == cases[i].same);
        e.type = ENTITY_SCENE;
        OK(!entity_limiter_is_same_profile(&limits, &e, text_of(cases[i].active), 1000,
                                           1000));
    }
}

int main(void)
{
    RUN(the_limits_are_those_of_the_contract);
    RUN(a_pointer_rests_after_a_deployment);
    RUN(a_full_memory_refuses_all);
    RUN(no_time_is_no_limit);
    RUN(random_deployments_agree);
    RUN(an_unchanged_profile_waits_longer);
    return t_done();
}
