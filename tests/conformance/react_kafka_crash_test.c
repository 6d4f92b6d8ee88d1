/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_kafka_crash_test.c - reactors killed and stopped, on the kafka store. */
#include "kafka_kind.h"
#include "react_subjects.h"

#include <stdlib.h>

int main(void)
{
    struct suite suite = {.kind = &kafka_kind}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL || getenv("LANDLOG_TEST_KAFKA") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES or LANDLOG_TEST_KAFKA is not set\n");
        return 77;
    }
    RUN(reactors_killed_at_random_moments);
    RUN(a_reactor_stopped_at_each_message_of_its_mover);
    RUN(a_reactor_away_for_longer_than_a_key_lives);
    RUN(a_reactor_stopped_at_each_message_of_a_flight);
    return suite_end(s);
}
