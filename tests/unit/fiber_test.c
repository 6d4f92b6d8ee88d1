/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* fiber_test.c - fibers wait, are woken, time out, and give their stacks back. */
#include "core/net/fiber.h"
#include "t.h"

#include <string.h>

struct story {
    struct event_base *base;
    struct fiber_pool *pool;
    struct fiber *waiting;
    char told[64];
    size_t count;
};

static void tell(struct story *s, char c)
{
    s->told[strlen(s->told)] = c;
}

static void waits(void *context)
{
    struct story *s = context;

    tell(s, 'a');
    s->waiting = fiber_self();
    tell(s, fiber_wait(-1) ? 'w' : 't');
    tell(s, fiber_wait(1) ? 'w' : 't');
}

static void wakes(void *context)
{
    struct story *s = context;

    tell(s, 'b');
    fiber_wake(s->waiting);
    tell(s, 'c');
}

static void a_fiber_runs_until_it_waits(void)
{
    struct story s = {.base = event_base_new()};

    s.pool = fiber_pool_new(s.base, 4);
    OK(fiber_start(s.pool, waits, &s) == LL_OK);
    OK(strcmp(s.told, "a") == 0);
    OK(fiber_start(s.pool, wakes, &s) == LL_OK);
    OK(strcmp(s.told, "abc") == 0 && fiber_pool_alive(s.pool) == 1);
    event_base_dispatch(s.base);
    OK(strcmp(s.told, "abcwt") == 0 && fiber_pool_alive(s.pool) == 0);
    fiber_pool_free(s.pool);
    event_base_free(s.base);
}

static void wakes_itself(void *context)
{
    struct story *s = context;

    fiber_wake(fiber_self());
    tell(s, fiber_wait(-1) ? 'w' : 't');
}

static void a_wake_before_the_wait_is_not_lost(void)
{
    struct story s = {.base = event_base_new()};

    s.pool = fiber_pool_new(s.base, 1);
    OK(fiber_start(s.pool, wakes_itself, &s) == LL_OK);
    OK(strcmp(s.told, "w") == 0);
    fiber_pool_free(s.pool);
    event_base_free(s.base);
}

static void uses_stack(void *context)
{
    struct story *s = context;
    char bytes[200 * 1024];

    memset(bytes, 1, sizeof(bytes));
    fiber_wait(1);
    for (size_t i = 0; i < sizeof(bytes); i++) s->count += (size_t)bytes[i];
}

static void more_than_the_most_are_refused(void)
{
    struct story s = {.base = event_base_new()};

    s.pool = fiber_pool_new(s.base, 300);
    for (int i = 0; i < 300; i++) OK(fiber_start(s.pool, uses_stack, &s) == LL_OK);
    OK(fiber_start(s.pool, uses_stack, &s) == LL_EFULL);
    event_base_dispatch(s.base);
    OK(s.count == 300UL * 200 * 1024 && fiber_pool_alive(s.pool) == 0);
    OK(fiber_start(s.pool, uses_stack, &s) == LL_OK);
    event_base_dispatch(s.base);
    fiber_pool_free(s.pool);
    event_base_free(s.base);
}

int main(void)
{
    RUN(a_fiber_runs_until_it_waits);
    RUN(a_wake_before_the_wait_is_not_lost);
    RUN(more_than_the_most_are_refused);
    return t_done();
}
