/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_kafka_test.c - what reactors promise, on the kafka store. */
#include "kafka_kind.h"
#include "react_subjects.h"

#include <signal.h>
#include <stdlib.h>

static uint64_t rung(struct reacted *r)
{
    return reacted_number(r, "select count(*) from landlog.event"
                             " where type = 'test.rang'");
}

/* A timer is due, and the relay away with more to bring than the limit: nothing is
 * appended until it is back. */
static void a_mover_waits_for_a_relay_that_is_behind(struct suite *s)
{
    static const struct testlog_kind plain = {.name = "kafka, relayed by the test"};
    struct suite own = {.kind = &plain, .test = s->test};
    struct ll_error err;
    struct reacted r;
    pid_t relay, reactor;

    reacted_open(&r, &own);
    kafka_kind_prepare(&r.log);
    OK(settings_set(r.log.settings, TEXT("kafka.lag-limit"), TEXT("5"), "test", &err) ==
       LL_OK);
    kafka_kind_move(&r.log);
    relay = kafka_kind_relay(&r.log, r.log.conninfo);
    reactor = reacted_start(&r, NULL, 1);
    reacted_append(&r, 10, -1);
    OK(reacted_wait(&r, KAFKA_PATIENCE_S));
    reacted_set_bell(&r);
    kafka_kind_await(&r.log, "select count(*) from levels_g1.outgoing where due > 0",
                     "1");
    testlog_run(&r.log, "update levels_g1.outgoing set due = due + 3000");
    kafka_kind_end(relay, SIGKILL);
    reacted_append(&r, 20, -1);
    reacted_sleep(5500);
    OK(rung(&r) == 0);
    relay = kafka_kind_relay(&r.log, r.log.conninfo);
    OK(reacted_wait(&r, KAFKA_PATIENCE_S));
    OK(rung(&r) == 1 && reacted_is_right(&r));
    OK(reacted_end(reactor, SIGTERM) == 0);
    kafka_kind_end(relay, SIGTERM);
    kafka_kind_drop(&r.log);
    reacted_close(&r);
    s->checks += own.checks;
    s->failed += own.failed;
}

int main(void)
{
    struct suite suite = {.kind = &kafka_kind}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL || getenv("LANDLOG_TEST_KAFKA") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES or LANDLOG_TEST_KAFKA is not set\n");
        return 77;
    }
    RUN(each_fact_is_on_the_log_once);
    RUN(a_mover_waits_for_a_relay_that_is_behind);
    RUN(a_timer_rings_once_and_not_early);
    RUN(a_rebuild_emits_nothing);
    RUN(a_rebuild_under_traffic_loses_nothing);
    return suite_end(s);
}
