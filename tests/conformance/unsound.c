/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* unsound.c - the suite must be able to fail: append() spoiled in three ways that look
 * right (unsound.sql) breaks promises under the load that the real one withstands. */
#include "crowd.h"

#include <stdlib.h>
#include <string.h>

enum { SCRIPT = 16 * 1024, ROUNDS = 5 };

static void spoil(const struct testlog *log, const char *shape)
{
    char script[SCRIPT], call[64];
    FILE *file = fopen(LANDLOG_SOURCE_DIR "/tests/conformance/unsound.sql", "r");
    size_t n;

    if (file == NULL) suite_die("unsound.sql is not there");
    n = fread(script, 1, sizeof(script) - 1, file);
    fclose(file);
    script[n] = '\0';
    testlog_run(log, script);
    snprintf(call, sizeof(call), "select unsound.make('%s')", shape);
    testlog_run(log, call);
}

/* The promise about tags that the crowd's history breaks; false when it keeps both. */
static bool is_found_out(const struct crowd *c)
{
    struct history h;
    struct ll_error err;
    bool found;

    history_init(&h);
    crowd_history(c, &h);
    found = promise_tags_are_chains(&h, &err) != LL_OK ||
            promise_one_order_explains_all(&h, &err) != LL_OK;
    if (found) printf("    found out: %s\n", err.text);
    history_fini(&h);
    return found;
}

/* One round is nearly always enough; the load is random, so it gets a few. */
static bool breaks_promises(const struct suite *s, const char *shape)
{
    bool found = false;

    for (int round = 0; round < ROUNDS && !found; round++) {
        struct testlog log;
        struct crowd crowd;

        testlog_open(&log, s);
        spoil(&log, shape);
        crowd_init(&crowd, &log);
        crowd.clients = 8;
        crowd.commands = 600;
        crowd.hot = 12;
        crowd.lag = 2;
        crowd.goes_on = true;
        crowd_run(&crowd);
        found = is_found_out(&crowd);
        crowd_fini(&crowd);
        testlog_close(&log);
    }
    return found;
}

static void a_snapshot_older_than_the_lock_is_found_out(struct suite *s)
{
    OK(breaks_promises(s, "snapshot"));
}

static void locks_of_partitions_are_found_out(struct suite *s)
{
    OK(breaks_promises(s, "partitions"));
}

static void one_head_a_tag_is_found_out(struct suite *s)
{
    OK(breaks_promises(s, "one head"));
}

void unsound_tests(struct suite *s)
{
    RUN(a_snapshot_older_than_the_lock_is_found_out);
    RUN(locks_of_partitions_are_found_out);
    RUN(one_head_a_tag_is_found_out);
}
