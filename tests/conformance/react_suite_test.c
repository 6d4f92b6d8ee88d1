/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_suite_test.c - what reactors promise, on each store. */
#include "kafka_kind.h"
#include "reacted.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/projection/replay.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void each_fact_is_on_the_log_once(struct suite *s)
{
    struct reacted r;
    pid_t reactor;

    srand(1);
    reacted_open(&r, s);
    reacted_append(&r, 500, -1);
    reactor = reacted_start(&r, NULL, 2);
    OK(reacted_wait(&r, 60));
    for (int i = 0; i < 10; i++) {
        reacted_append(&r, 1 + (size_t)(rand() % 50), -1);
        reacted_sleep(rand() % 50);
    }
    OK(reacted_wait(&r, 60));
    OK(reacted_is_right(&r));
    OK(reacted_end(reactor, SIGTERM) == 0);
    reacted_close(&r);
}

static void keeps_up(struct suite *s)
{
    struct reacted r;
    pid_t reactor;
    int64_t start, moved;

    srand(2);
    reacted_open(&r, s);
    for (int i = 0; i < 4; i++) reacted_append(&r, 5000, -1);
    reactor = reacted_start(&r, NULL, 2);
    start = clock_monotonic_us();
    OK(reacted_wait(&r, 120));
    moved = clock_monotonic_us() - start;
    printf("  %.0f facts/s\n", 26666.0 * 1e6 / (double)moved);
    OK(reacted_is_right(&r));
    OK(reacted_end(reactor, SIGTERM) == 0);
    reacted_close(&r);
}

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    RUN(each_fact_is_on_the_log_once);
    RUN(keeps_up);
    return suite_end(s);
}
