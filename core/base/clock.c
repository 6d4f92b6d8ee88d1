/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* clock.c - see clock.h. */
#include "core/base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_read(clockid_t id, int64_t per_second)
{
    struct timespec t;

    LL_CHECK(clock_gettime(id, &t) == 0);
    return (int64_t)t.tv_sec * per_second +
           (int64_t)t.tv_nsec / (1000000000 / per_second);
}

int64_t clock_now_ms(void)
{
    return clock_read(CLOCK_REALTIME, 1000);
}

int64_t clock_monotonic_us(void)
{
    return clock_read(CLOCK_MONOTONIC, 1000000);
}

void clock_print(int64_t ms, char out[CLOCK_TEXT])
{
    int64_t millis = ((ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((ms - millis) / 1000);
    struct tm parts;

    LL_CHECK(gmtime_r(&seconds, &parts) != NULL);
    snprintf(out, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
             (parts.tm_year + 1900) % 10000, (parts.tm_mon + 1) % 100,
             parts.tm_mday % 100, parts.tm_hour % 100, parts.tm_min % 100,
             parts.tm_sec % 100, (int)(millis % 1000));
}
