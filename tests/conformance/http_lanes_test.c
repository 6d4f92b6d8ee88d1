/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_lanes_test.c - reads share the first lane while it moves, and pass a slow
 * statement on the second. Includes the source under test, so statics are in reach. */
#include "core/http/backend.c"
#include "unit/t.h"

enum { SLOW_MS = 1500 };

static struct backend backend;
static bool may_be_slow, is_over;

static bool ask(const char *name, const char *sql, int64_t *took_us)
{
    struct lane_statement statement = {name, sql, 0, NULL};
    int64_t start = clock_monotonic_us();
    struct ll_error err;
    PGresult *r;

    if (backend_read(&backend, &statement, &r, &err) != LL_OK) {
        printf("  %s: %s\n", name, err.text);
        return false;
    }
    PQclear(r);
    *took_us = clock_monotonic_us() - start;
    return true;
}

static void ask_slowly(void *context)
{
    int64_t took = 0;

    (void)context;
    while (!may_be_slow) fiber_wait(5);
    OK(ask("slow", "select pg_sleep(1.5)", &took) && took >= SLOW_MS * 1000LL);
}

static void wait_until_up(void)
{
    for (int i = 0; i < 500; i++) {
        if (lane_is_up(backend.lanes[0]) && lane_is_up(backend.lanes[1])) return;
        fiber_wait(10);
    }
    OK(!"the lanes come up");
}

static void while_it_moves_all_take_the_first(void)
{
    int64_t took;

    for (int i = 0; i < 20; i++) OK(ask("quick", "select 1", &took));
    OK(lane_has(backend.lanes[0], "quick") && !lane_has(backend.lanes[1], "quick"));
    OK(lane_behind_us(backend.lanes[0]) == 0);
}

static void past_a_slow_one_on_the_second(void)
{
    int64_t took = INT64_MAX;

    may_be_slow = true;
    while (lane_behind_us(backend.lanes[0]) < STUCK_US) fiber_wait(5);
    OK(ask("quick", "select 1", &took) && took < SLOW_MS * 1000LL / 2);
    OK(lane_has(backend.lanes[1], "quick"));
    OK(lane_in_flight(backend.lanes[0]) == 1); /* the slow one is still there */
}

static void and_on_the_first_again(void)
{
    while (lane_in_flight(backend.lanes[0]) > 0) fiber_wait(10);
    OK(choose_lane(&backend) == backend.lanes[0]);
}

static void tests(void *context)
{
    (void)context;
    wait_until_up();
    RUN(while_it_moves_all_take_the_first);
    RUN(past_a_slow_one_on_the_second);
    RUN(and_on_the_first_again);
    is_over = true;
}

int main(void)
{
    const char *conninfo = getenv("LANDLOG_TEST_POSTGRES");
    struct event_base *base;
    struct fiber_pool *pool;

    if (conninfo == NULL) return 77;
    base = event_base_new();
    pool = fiber_pool_new(base, 16);
    for (size_t i = 0; i < LANES; i++)
        backend.lanes[i] = lane_new(base, conninfo, "lanes test", FAST_MS);
    OK(fiber_start(pool, ask_slowly, NULL) == LL_OK);
    OK(fiber_start(pool, tests, NULL) == LL_OK);
    while (!is_over || fiber_pool_alive(pool) > 0) event_base_loop(base, EVLOOP_ONCE);
    for (size_t i = 0; i < LANES; i++) lane_free(backend.lanes[i]);
    fiber_pool_free(pool);
    event_base_free(base);
    return t_done();
}
