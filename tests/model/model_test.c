/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* model_test.c - thousands of schedules keep every promise; unsound shapes do not.
 *
 * `model_model_test SEED` runs that one alone and says what it met.
 */
#include "model.h"
#include "unit/t.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEDULES = 8000, BUDGET = 8000 };

/* What all schedules together must have met, at least. */
static const struct {
    const char *text;
    uint64_t minimum;
} wanted[COUNTS] = {
    [COUNT_ACCEPTED] = {"accepted", 40000},
    [COUNT_CONFLICT] = {"conflicts", 50000},
    [COUNT_RETRY] = {"retries", 5000},
    [COUNT_DUPLICATE] = {"duplicates", 20000},
    [COUNT_REUSED] = {"keys reused for another body", 3000},
    [COUNT_CLOSED] = {"closed", 10000},
    [COUNT_SEVERAL] = {"accepted with several events", 10000},
    [COUNT_SENT_AGAIN] = {"unknown outcomes sent again", 50000},
    [COUNT_RACED] = {"requests sent by two clients", 10000},
    [COUNT_LAGGED] = {"decided behind the log", 50000},
    [COUNT_CRASH] = {"crashes", 40000},
    [COUNT_PAUSE] = {"pauses", 80000},
    [COUNT_FENCE] = {"fences", 80000},
    [COUNT_FENCE_LOST] = {"fences that came second", 300},
    [COUNT_TAKEOVER] = {"leases taken over", 60000},
    [COUNT_IMPORTED] = {"events imported", 8000},
    [COUNT_TWICE] = {"records written twice", 1500},
    [COUNT_VOID] = {"records void behind a fence", 3000},
    [COUNT_FOREIGN] = {"foreign records", 1500},
    [COUNT_RAISED] = {"flights that raised", 3000},
    [COUNT_TERMINATED] = {"flights terminated", 1000},
    [COUNT_RESTARTED] = {"databases restarted", 6000},
    [COUNT_RESTORED] = {"databases restored", 2500},
    [COUNT_PROMOTED] = {"replicas promoted", 2500},
    [COUNT_OVERTAKEN] = {"databases that found themselves overtaken", 15},
    [COUNT_REBUILT] = {"databases rebuilt from Kafka", 1000},
};

static const char *const faults[FAULTS] = {
    [FAULT_ONE_HEAD] = "one head per tag",
    [FAULT_OLD_SNAPSHOT] = "a snapshot older than the lock",
    [FAULT_PARTITION_LOCKS] = "a lock per partition",
    [FAULT_HALF_COMMAND] = "events taken before their command is whole",
    [FAULT_QUIET_CHECKPOINT] = "a checkpoint that matches no row",
    [FAULT_NO_FENCE] = "a relay without a fence",
    [FAULT_NO_VOID] = "readers that take lower epochs",
    [FAULT_NO_GATE] = "a gate that is not checked",
    [FAULT_BLIND_RESUME] = "resuming at a record that may be void",
    [FAULT_SEQUENCE_ALONE] = "answering by sequence alone",
    [FAULT_UNSETTLED] = "refusing what is not settled",
    [FAULT_MERGE] = "sending rows judged beside another log",
    [FAULT_TRUSTING] = "not looking for one's last event",
    [FAULT_SAME_ID] = "events compared without their times",
    [FAULT_ACKNOWLEDGED] = "rows dropped that were only acknowledged",
    [FAULT_NUMBER_ALONE] = "fences told apart by their number alone",
};

static void sound_schedules_keep_every_promise(void)
{
    uint64_t counts[COUNTS] = {0};
    int told = 0;

    for (uint64_t seed = 1; seed <= SCHEDULES; seed++) {
        struct ll_error err = {0};
        ll_rc rc = world_run(seed, FAULT_NONE, counts, &err);

        OK(rc == LL_OK);
        if (rc != LL_OK && told++ < 10)
            printf("  seed %" PRIu64 ": %s\n", seed, err.text);
    }
    printf("%d schedules:\n", SCHEDULES);
    for (int i = 0; i < COUNTS; i++) {
        printf("%10" PRIu64 "  %s\n", counts[i], wanted[i].text);
        OK(counts[i] >= wanted[i].minimum);
    }
}

static void unsound_shapes_are_caught(void)
{
    for (int f = FAULT_NONE + 1; f < FAULTS; f++) {
        uint64_t counts[COUNTS] = {0}, seed = 0;
        struct ll_error err = {0};
        ll_rc rc = LL_OK;

        while ((rc == LL_OK || strstr(err.text, "to rest") != NULL) && seed < BUDGET)
            rc = world_run(++seed, (enum fault)f, counts, &err);
        OK(rc == LL_EBROKEN);
        printf("%s: seed %" PRIu64 ": %s\n", faults[f], seed, err.text);
    }
}

static int run_one(uint64_t seed)
{
    uint64_t counts[COUNTS] = {0};
    struct ll_error err = {0};
    ll_rc rc = world_run(seed, FAULT_NONE, counts, &err);

    for (int i = 0; i < COUNTS; i++)
        printf("%10" PRIu64 "  %s\n", counts[i], wanted[i].text);
    printf("seed %" PRIu64 ": %s\n", seed, rc == LL_OK ? "kept" : err.text);
    return rc != LL_OK;
}

int main(int argc, char **argv)
{
    if (argc > 1) return run_one(strtoull(argv[1], NULL, 10));
    RUN(sound_schedules_keep_every_promise);
    RUN(unsound_shapes_are_caught);
    return t_done();
}
