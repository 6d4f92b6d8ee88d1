/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_suite_test.c - the suite on the kafka store, with a real broker. */
#include "kafka_kind.h"

#include <stdlib.h>

int main(void)
{
    struct suite suite = {.kind = &kafka_kind}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL || getenv("LANDLOG_TEST_KAFKA") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES or LANDLOG_TEST_KAFKA is not set\n");
        return 77;
    }
    verdict_tests(s);
    order_tests(s);
    reader_tests(s);
    contention_tests(s);
    outcome_tests(s);
    return suite_end(s);
}
