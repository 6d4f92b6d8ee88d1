/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_suite_test.c - what reactors promise, on each store. */
#include "kafka_kind.h"
#include "reacted.h"

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

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    RUN(each_fact_is_on_the_log_once);
    return suite_end(s);
}
