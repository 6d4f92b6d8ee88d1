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

/* Days from 1970-01-01 to a day of the Gregorian calendar; years start in March here, so
 * that the leap day is the last. */
static int64_t days_to(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool clock_parse(struct text t, int64_t *ms)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t part[7] = {0}, limit;
    size_t at = 0;

    if (t.len != sizeof(form) - 1) return false;
    for (size_t i = 0; i < t.len; i++) {
        if (form[i] != 'd') {
            if (t.ptr[i] != form[i]) return false;
            at += i < t.len - 1;
        } else {
            if (t.ptr[i] < '0' || t.ptr[i] > '9') return false;
            part[at] = part[at] * 10 + (t.ptr[i] - '0');
        }
    }
    if (part[1] < 1 || part[1] > 12) return false;
    limit = days[part[1] - 1] + (part[1] == 2 && is_leap(part[0]) ? 1 : 0);
    if (part[2] < 1 || part[2] > limit || part[3] > 23 || part[4] > 59 || part[5] > 59)
        return false;
    *ms = (((days_to(part[0], part[1], part[2]) * 24 + part[3]) * 60 + part[4]) * 60 +
           part[5]) *
              1000 +
          part[6];
    return true;
}
