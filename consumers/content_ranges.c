/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_ranges.c - see content_ranges.h. */
#include "consumers/content_ranges.h"

size_t content_ranges(int64_t now, struct content_range out[CONTENT_RANGES])
{
    static const int64_t units[] = {12 * 28, 28, 7, 1}; /* days */
    int64_t at = CONTENT_BEGINNING, days = (now - at) / CONTENT_DAY;
    size_t n = 0;

    for (size_t u = 0; u < LL_LENGTH(units); u++) {
        int64_t least = 0;

        for (size_t k = u; k < LL_LENGTH(units); k++) least += units[k];
        for (; days >= least && n < CONTENT_RANGES; days -= units[u]) {
            out[n++] = (struct content_range){at, at + units[u] * CONTENT_DAY};
            at = out[n - 1].end;
        }
    }
    return n;
}

bool content_is_covered(const struct content_range *range,
                        const struct content_saved *saved, size_t n)
{
    int64_t to = range->init;

    for (size_t i = 0; i < n && saved[i].range.init <= to; i++)
        if (saved[i].range.end > to) to = saved[i].range.end;
    return to >= range->end;
}

bool content_is_due(const struct content_range *range, const struct content_saved *saved,
                    size_t n, const struct content_truth *truth)
{
    if (n != 1 || !content_is_covered(range, saved, n) || !saved->is_stored) return true;
    if (truth->newest > saved->as_of) return true;
    return truth->now - saved->generated_at > 28 * CONTENT_DAY &&
           truth->active < saved->entities;
}
