/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* contention.c - many clients on few tags, and the checks of model/promises.h over what
 * they were told and what is on the log. */
#include "crowd.h"

static void print_counts(const struct crowd *c)
{
    printf("    accepted %lu, conflict %lu, retry %lu, duplicate %lu, reused %lu; "
           "connections lost %lu\n",
           c->counts[ANSWER_ACCEPTED], c->counts[ANSWER_CONFLICT],
           c->counts[ANSWER_RETRY], c->counts[ANSWER_DUPLICATE], c->counts[ANSWER_REUSED],
           c->lost);
}

/* 32 clients, one to three tags a command, first uses among them, positions that lag
 * differently a partition, keys shared between clients. */
static void what_was_decided_on_still_held(struct suite *s)
{
    struct testlog log;
    struct crowd crowd;

    testlog_open(&log, s);
    crowd_init(&crowd, &log);
    crowd.clients = 32;
    crowd.commands = 4000;
    crowd.batch = 8;
    crowd.hot = 100;
    crowd.lag = 3;
    crowd.repeats = 8;
    crowd.reuses = 2;
    crowd_run(&crowd);
    print_counts(&crowd);
    OK(crowd_keeps_promises(&crowd));
    /* That all of it was really met. */
    OK(crowd.counts[ANSWER_ACCEPTED] >= 600);
    OK(crowd.counts[ANSWER_CONFLICT] >= 300);
    OK(crowd.counts[ANSWER_RETRY] >= 10);
    OK(crowd.counts[ANSWER_DUPLICATE] >= 40);
    OK(crowd.counts[ANSWER_REUSED] >= 10);
    crowd_fini(&crowd);
    testlog_close(&log);
}

void contention_tests(struct suite *s)
{
    RUN(what_was_decided_on_still_held);
}
