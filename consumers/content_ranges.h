/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_ranges.h - into which stretches of time snapshots are cut, and when one is made
 * anew (contract: catalyst, 3.5). Pure.
 */
#ifndef LL_CONTENT_RANGES_H
#define LL_CONTENT_RANGES_H

#include "core/base/base.h"

#define CONTENT_DAY INT64_C(86400000)
/* Where the first range begins: 2020-01-01. */
#define CONTENT_BEGINNING INT64_C(1577836800000)

enum { CONTENT_RANGES = 256 };

struct content_range {
    int64_t init, end; /* ms, both included: neighbours share an instant */
};

/* The ranges from the beginning to `now`, in order: a unit of a year (12 months), month
 * (4 weeks), week or day is cut off as long as what is left is that and one of each
 * smaller unit. Less than a day is left over for those who ask for pointer-changes.
 * Returns how many, at most CONTENT_RANGES (which lasts for two centuries). */
size_t content_ranges(int64_t now, struct content_range out[CONTENT_RANGES]);

/* A snapshot that was made of a part of a range, or of all of it. */
struct content_saved {
    struct content_range range;
    bool is_stored;       /* its file is there */
    int64_t entities;     /* that it lists */
    int64_t generated_at; /* ms */
    int64_t as_of;        /* sequence of the last deployment that it could know */
};

/* What is true of the range now. */
struct content_truth {
    int64_t now;
    int64_t active; /* entities */
    int64_t newest; /* the largest sequence among them; 0: there are none */
};

/* `saved` lies within the range, in order. */
bool content_is_covered(const struct content_range *range,
                        const struct content_saved *saved, size_t n);
/* Must its snapshot be made anew? Not covered, or by several; a file is missing; more
 * than 28 days old with fewer active entities than it lists; an active entity came later
 * than it. */
bool content_is_due(const struct content_range *range, const struct content_saved *saved,
                    size_t n, const struct content_truth *truth);

#endif
