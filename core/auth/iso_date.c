/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* iso_date.c - a cursor over the text; the calendar is ours, since timegm() would take
 * the 31st of February and strptime() depends on the locale. */
#include "core/auth/iso_date.h"

#include <string.h>

struct date {
    int64_t year;
    int month, day, hour, minute, second, ms; /* month and day from 1 */
    int offset;                               /* minutes east */
};

static bool take_char(struct text *t, char c)
{
    if (t->len == 0 || t->ptr[0] != c) return false;
    t->ptr++;
    t->len--;
    return true;
}

static bool take_word(struct text *t, const char *word)
{
    if (!text_starts_with(*t, word)) return false;
    t->ptr += strlen(word);
    t->len -= strlen(word);
    return true;
}

/* Exactly n digits. */
static bool take_digits(struct text *t, size_t n, int *out)
{
    int value = 0;

    if (t->len < n) return false;
    for (size_t i = 0; i < n; i++) {
        if (t->ptr[i] < '0' || t->ptr[i] > '9') return false;
        value = value * 10 + (t->ptr[i] - '0');
    }
    t->ptr += n;
    t->len -= n;
    *out = value;
    return true;
}

/* Four digits, or a sign and six (ECMAScript's expanded years; -000000 is none). */
static bool take_year(struct text *t, int64_t *out)
{
    int sign = take_char(t, '+') ? 1 : take_char(t, '-') ? -1 : 0;
    int year;

    if (!take_digits(t, sign == 0 ? 4 : 6, &year)) return false;
    if (sign < 0 && year == 0) return false;
    *out = sign < 0 ? -year : year;
    return true;
}

/* ".123456": ms of the first three digits, the rest is dropped. At least one digit. */
static bool take_fraction(struct text *t, int *ms)
{
    static const int worth[3] = {100, 10, 1};
    int digit;
    size_t n = 0;

    for (*ms = 0; take_digits(t, 1, &digit); n++)
        if (n < 3) *ms += digit * worth[n];
    return n > 0;
}

/* hh:mm or, as in Date.toString(), hhmm. */
static bool take_offset(struct text *t, int *minutes)
{
    int sign = take_char(t, '+') ? 1 : take_char(t, '-') ? -1 : 0;
    int hour, minute;

    if (sign == 0 || !take_digits(t, 2, &hour)) return false;
    take_char(t, ':');
    if (!take_digits(t, 2, &minute) || hour > 23 || minute > 59) return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

static bool take_clock(struct text *t, struct date *d)
{
    return take_digits(t, 2, &d->hour) && take_char(t, ':') &&
           take_digits(t, 2, &d->minute);
}

static bool take_iso(struct text t, struct date *d)
{
    if (!take_year(&t, &d->year)) return false;
    if (take_char(&t, '-')) {
        if (!take_digits(&t, 2, &d->month)) return false;
        if (take_char(&t, '-') && !take_digits(&t, 2, &d->day)) return false;
    }
    if (take_char(&t, 'T')) {
        if (!take_clock(&t, d)) return false;
        if (take_char(&t, ':') && !take_digits(&t, 2, &d->second)) return false;
        if (take_char(&t, '.') && !take_fraction(&t, &d->ms)) return false;
        if (!take_char(&t, 'Z') && t.len > 0 && !take_offset(&t, &d->offset))
            return false;
    }
    return t.len == 0;
}

/* Which of the three-letter names, from 0, or -1. */
static int take_name(struct text *t, const char *names)
{
    for (int i = 0; names[3 * i] != '\0'; i++)
        if (t->len >= 3 && memcmp(t->ptr, names + 3 * i, 3) == 0) {
            t->ptr += 3;
            t->len -= 3;
            return i;
        }
    return -1;
}

/* "Tue Jan 01 2030 00:00:00 GMT+0000 (Coordinated Universal Time)". The weekday is not
 * compared with the date: JavaScript does not either. */
static bool take_date_string(struct text t, struct date *d)
{
    if (take_name(&t, "MonTueWedThuFriSatSun") < 0 || !take_char(&t, ' ')) return false;
    d->month = take_name(&t, "JanFebMarAprMayJunJulAugSepOctNovDec") + 1;
    if (d->month == 0 || !take_char(&t, ' ') || !take_digits(&t, 2, &d->day) ||
        !take_char(&t, ' ') || !take_year(&t, &d->year) || !take_char(&t, ' '))
        return false;
    if (!take_clock(&t, d) || !take_char(&t, ':') || !take_digits(&t, 2, &d->second) ||
        !take_word(&t, " GMT") || !take_offset(&t, &d->offset))
        return false;
    return t.len == 0 || (take_word(&t, " (") && t.len > 0 && t.ptr[t.len - 1] == ')');
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* 24:00:00 is the end of a day; otherwise what a clock shows. */
static bool is_real(const struct date *d)
{
    if (d->month < 1 || d->month > 12 || d->day < 1 ||
        d->day > days_in_month(d->year, d->month))
        return false;
    if (d->hour == 24) return d->minute == 0 && d->second == 0 && d->ms == 0;
    return d->hour < 24 && d->minute < 60 && d->second < 60;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400
 * years that begin in March, so that the leap day comes last. */
static int64_t days_from(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool iso_date_parse(struct text t, int64_t *out)
{
    const int64_t most = 8640000000000000; /* ECMAScript's last ms, either side of 1970 */
    struct date d = {.month = 1, .day = 1};
    int64_t minutes, ms;

    if (!take_iso(t, &d)) {
        d = (struct date){.month = 1, .day = 1};
        if (!take_date_string(t, &d)) return false;
    }
    if (!is_real(&d)) return false;
    minutes =
        (days_from(d.year, d.month, d.day) * 24 + d.hour) * 60 + d.minute - d.offset;
    ms = (minutes * 60 + d.second) * 1000 + d.ms;
    if (ms < -most || ms > most) return false;
    *out = ms;
    return true;
}
