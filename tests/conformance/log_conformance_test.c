/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* log_conformance_test.c - the suite on the postgres store. Needs LANDLOG_TEST_POSTGRES,
 * the conninfo of a superuser on whose server it makes databases of its own. */
#include "conformance.h"

#include <stdlib.h>

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    verdict_tests(s);
    order_tests(s);
    reader_tests(s);
    contention_tests(s);
    outcome_tests(s);
    unsound_tests(s);
    lease_tests(s);
    postgres_log_tests(s);
    return suite_end(s);
}
