/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_ranges_test.c - the cuts that published nodes make, and when a file is due. */
#include "consumers/content_ranges.h"
#include "t.h"

#include <string.h>

/* "MMWII": months, weeks, days (I) of the ranges after so many days. */
static const char *cuts(int64_t days, char out[CONTENT_RANGES + 1])
{
    struct content_range ranges[CONTENT_RANGES];
    int64_t at = CONTENT_BEGINNING;
    size_t n = content_ranges(CONTENT_BEGINNING + days * CONTENT_DAY + 3600000, ranges);

    for (size_t i = 0; i < n; i++) {
        int64_t length = (ranges[i].end - ranges[i].init) / CONTENT_DAY;

        OK(ranges[i].init == at);
        at = ranges[i].end;
        out[i] = length == 1 ? 'I' : length == 7 ? 'W' : length == 28 ? 'M' : 'Y';
    }
    out[n] = '\0';
    OK(at == CONTENT_BEGINNING + days * CONTENT_DAY);
    return out;
}

static void ranges_are_greedy_and_keep_one_of_each_smaller_unit(void)
{
    char out[CONTENT_RANGES + 1];

    OK(strcmp(cuts(0, out), "") == 0);
    OK(strcmp(cuts(1, out), "I") == 0);
    OK(strcmp(cuts(7, out), "IIIIIII") == 0);
    OK(strcmp(cuts(8, out), "WI") == 0);
    OK(strcmp(cuts(35, out), "WWWWIIIIIII") == 0);
    OK(strcmp(cuts(36, out), "MWI") == 0);
    OK(strcmp(cuts(365, out), "MMMMMMMMMMMMWWWWI") == 0);
    OK(strcmp(cuts(372, out), "YMWI") == 0);
    OK(strlen(cuts(200 * 366, out)) < CONTENT_RANGES);
}

/* Ranges of yesterday are never torn: each lies within one of today. */
static void time_only_joins_ranges(void)
{
    static struct content_range before[CONTENT_RANGES], after[CONTENT_RANGES];

    for (int64_t day = 1; day < 1500; day++) {
        int64_t now = CONTENT_BEGINNING + day * CONTENT_DAY;
        size_t n = content_ranges(now, before),
               m = content_ranges(now + CONTENT_DAY, after);

        for (size_t i = 0, k = 0; i < n; i++) {
            while (k < m && after[k].end < before[i].end) k++;
            OK(k < m && after[k].init <= before[i].init);
        }
    }
}

static void a_snapshot_is_due_for_five_reasons(void)
{
    const struct content_range week = {0, 7 * CONTENT_DAY};
    struct content_saved whole = {week, true, 10, 0, 40};
    struct content_saved halves[] = {
        {{0, 3 * CONTENT_DAY}, true, 5, 0, 40},
        {{3 * CONTENT_DAY, 7 * CONTENT_DAY}, true, 5, 0, 40}};
    struct content_truth truth = {.now = CONTENT_DAY, .active = 9, .newest = 40};

    OK(!content_is_due(&week, &whole, 1, &truth));
    OK(content_is_due(&week, NULL, 0, &truth));
    OK(content_is_covered(&week, halves, 2) && content_is_due(&week, halves, 2, &truth));
    OK(!content_is_covered(&week, halves, 1) && content_is_due(&week, halves, 1, &truth));
    OK(!content_is_covered(&week, halves + 1, 1));
    truth.newest = 41;
    OK(content_is_due(&week, &whole, 1, &truth));
    truth.newest = 40;
    truth.now = 28 * CONTENT_DAY + 1;
    OK(content_is_due(&week, &whole, 1, &truth));
    truth.active = 10;
    OK(!content_is_due(&week, &whole, 1, &truth));
    whole.is_stored = false;
    OK(content_is_due(&week, &whole, 1, &truth));
}

int main(void)
{
    RUN(ranges_are_greedy_and_keep_one_of_each_smaller_unit);
    RUN(time_only_joins_ranges);
    RUN(a_snapshot_is_due_for_five_reasons);
    return t_done();
}
