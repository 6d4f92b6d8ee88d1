/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* reactor_test.c - thousands of schedules of reactors keep every promise; unsound shapes
 * do not.
 *
 * `model_reactor_test SEED` runs that one alone.
 */
#include "reactor.h"
#include "unit/t.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEDULES = 4000, BUDGET = 4000 };

/* What all schedules together must have met, at least. */
static const struct {
    const char *text;
    uint64_t minimum;
} wanted[REACTOR_COUNTS] = {
    [REACTOR_ACCEPTED] = {"accepted", 100000},
    [REACTOR_DUPLICATE] = {"found by key", 10000},
    [REACTOR_CONFLICT] = {"found by the guard alone", 5000},
    [REACTOR_LOST] = {"answers lost", 8000},
    [REACTOR_LATE] = {"appends carried out late", 10000},
    [REACTOR_PURGED] = {"keys forgotten", 100000},
    [REACTOR_CRASH] = {"crashes", 50000},
    [REACTOR_PAUSE] = {"pauses", 50000},
    [REACTOR_TAKEOVER] = {"leases taken over", 50000},
    [REACTOR_RAISED] = {"flights that raised", 4000},
    [REACTOR_SWAP] = {"swaps", 1500},
    [REACTOR_ABANDONED] = {"rebuilds left half way", 500},
    [REACTOR_PRUNED] = {"rows pruned", 20000},
    [REACTOR_KEPT] = {"rows that a swap kept", 2000},
    [REACTOR_RANG] = {"timers that rang", 5000},
    [REACTOR_CALLED_OFF] = {"timers called off", 1000},
};

static const char *const faults[REACTOR_FAULTS] = {
    [REACTOR_DELETE_FIRST] = "rows deleted before they are appended",
    [REACTOR_TRUST_LOST] = "a lost answer taken for a yes",
    [REACTOR_ID_OF_TRIGGER] = "ids of the triggering event",
    [REACTOR_NO_GUARD] = "no guard when the key is forgotten",
    [REACTOR_REBUILD_EMITS] = "a rebuild that emits",
    [REACTOR_SWAP_DROPS] = "a swap that drops all",
    [REACTOR_PRUNE_BY_POSITION] = "pruning by the live one's position",
    [REACTOR_APART] = "state and outgoing in two transactions",
};

static void sound_schedules_keep_every_promise(void)
{
    uint64_t counts[REACTOR_COUNTS] = {0};
    int told = 0;

    for (uint64_t seed = 1; seed <= SCHEDULES; seed++) {
        struct ll_error err = {0};
        ll_rc rc = reactor_model_run(seed, REACTOR_SOUND, counts, &err);

        OK(rc == LL_OK);
        if (rc != LL_OK && told++ < 10)
            printf("  seed %" PRIu64 ": %s\n", seed, err.text);
    }
    printf("%d schedules:\n", SCHEDULES);
    for (int i = 0; i < REACTOR_COUNTS; i++) {
        printf("%10" PRIu64 "  %s\n", counts[i], wanted[i].text);
        OK(counts[i] >= wanted[i].minimum);
    }
}

static void unsound_shapes_are_caught(void)
{
    for (int f = REACTOR_SOUND + 1; f < REACTOR_FAULTS; f++) {
        uint64_t counts[REACTOR_COUNTS] = {0}, seed = 0;
        struct ll_error err = {0};
        ll_rc rc = LL_OK;

        while ((rc == LL_OK || strstr(err.text, "to rest") != NULL) && seed < BUDGET)
            rc = reactor_model_run(++seed, (enum reactor_fault)f, counts, &err);
        OK(rc == LL_EBROKEN);
        printf("%s: seed %" PRIu64 ": %s\n", faults[f], seed, err.text);
    }
}

static int run_one(uint64_t seed)
{
    uint64_t counts[REACTOR_COUNTS] = {0};
    struct ll_error err = {0};
    ll_rc rc = reactor_model_run(seed, REACTOR_SOUND, counts, &err);

    for (int i = 0; i < REACTOR_COUNTS; i++)
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
