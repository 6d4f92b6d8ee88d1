/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_suite_test.c - what reactors promise, on the postgres store. */
#include "react_subjects.h"

#include <stdlib.h>

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    RUN(each_fact_is_on_the_log_once);
    RUN(it_keeps_up);
    RUN(a_timer_rings_once_and_not_early);
    RUN(a_fact_that_its_schema_refuses_halts);
    RUN(a_rebuild_emits_nothing);
    RUN(a_rebuild_under_traffic_loses_nothing);
    RUN(other_sql_emits_what_is_new);
    RUN(jobs_run_once_at_a_time);
    return suite_end(s);
}
