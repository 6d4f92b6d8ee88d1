/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* figure.h - what a bench prints: one JSON object a line, read by scripts/bench. */
#ifndef LL_FIGURE_H
#define LL_FIGURE_H

#include <stdio.h>

/* An absolute figure without a baseline. */
static inline void figure_value(const char *figure, double value, const char *unit)
{
    printf("{\"figure\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"}\n", figure, value, unit);
    fflush(stdout);
}

/* value / baseline against an aim that it must reach. */
static inline void figure_ratio(const char *figure, double value, const char *unit,
                                double baseline, double aim)
{
    double ratio = baseline > 0 ? value / baseline : 0;

    printf("{\"figure\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"baseline\":%.6g,"
           "\"ratio\":%.4g,\"aim\":\">= %.3g\",\"met\":%s}\n",
           figure, value, unit, baseline, ratio, aim, ratio >= aim ? "true" : "false");
    fflush(stdout);
}

/* A value that must stay under an aim (a latency). */
static inline void figure_below(const char *figure, double value, const char *unit,
                                double aim)
{
    printf("{\"figure\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"aim\":\"< %.3g\","
           "\"met\":%s}\n",
           figure, value, unit, aim, value < aim ? "true" : "false");
    fflush(stdout);
}

#endif
