/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* query_baseline.h - a named query asked by plain libpq, on as many connections as keep
 * Postgres busy: no HTTP, no signatures. What Postgres can give at most. */
#ifndef LL_QUERY_BASELINE_H
#define LL_QUERY_BASELINE_H

#include "world.h"

#include <stddef.h>

struct query_baseline {
    const struct world *world;
    const char *projection, *query;
    int parameters;
    const char *const *values; /* `parameters` of a row, `rows` rows; asked in turn */
    size_t rows;
    int seconds;
};

/* Answers a second, of the statement that a front-end sends, with the position in it. */
double query_baseline_run(const struct query_baseline *b);

#endif
