/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema_format.c - the formats, and places in documents. */
#include "core/event/schema_node.h"

#include "core/base/uuid.h"

#include <string.h>

/* `n` digits at `*at`, from `least` to `most`. */
static bool take_digits(const char **at, const char *end, size_t n, unsigned least,
                        unsigned most, unsigned *out)
{
    unsigned value = 0;

    if ((size_t)(end - *at) < n) return false;
    for (size_t i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9') return false;
        value = value * 10 + (unsigned)(**at - '0');
    }
    if (out != NULL) *out = value;
    return value >= least && value <= most;
}

/* A lower-case letter takes its capital too. */
static bool take_char(const char **at, const char *end, char c)
{
    bool is_letter = c >= 'a' && c <= 'z';

    if (*at == end || (**at != c && !(is_letter && **at == c - 'a' + 'A'))) return false;
    (*at)++;
    return true;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(const char **at, const char *end)
{
    unsigned year = 0, month = 0;

    return take_digits(at, end, 4, 0, 9999, &year) && take_char(at, end, '-') &&
           take_digits(at, end, 2, 1, 12, &month) && take_char(at, end, '-') &&
           take_digits(at, end, 2, 1, days_of(year, month), NULL);
}

/* "Z" or "+02:00", as minutes east of UTC. */
static bool take_zone(const char **at, const char *end, int *out)
{
    unsigned hours = 0, minutes = 0;
    bool is_west;

    *out = 0;
    if (take_char(at, end, 'z')) return true;
    if (*at == end || (**at != '+' && **at != '-')) return false;
    is_west = *(*at)++ == '-';
    if (!take_digits(at, end, 2, 0, 23, &hours) || !take_char(at, end, ':') ||
        !take_digits(at, end, 2, 0, 59, &minutes))
        return false;
    *out = (int)(hours * 60 + minutes) * (is_west ? -1 : 1);
    return true;
}

/* RFC 3339: a leap second only where UTC has one, in the last second of a day. */
static bool is_date_time(struct text t)
{
    const char *at = t.ptr, *end = t.ptr + t.len;
    unsigned hour = 0, minute = 0, second = 0;
    int zone;

    if (!take_date(&at, end) || !take_char(&at, end, 't') ||
        !take_digits(&at, end, 2, 0, 23, &hour) || !take_char(&at, end, ':') ||
        !take_digits(&at, end, 2, 0, 59, &minute) || !take_char(&at, end, ':') ||
        !take_digits(&at, end, 2, 0, 60, &second))
        return false;
    if (take_char(&at, end, '.')) {
        if (!take_digits(&at, end, 1, 0, 9, NULL)) return false;
        while (take_digits(&at, end, 1, 0, 9, NULL)) continue;
    }
    if (!take_zone(&at, end, &zone) || at != end) return false;
    return second < 60 || ((int)(hour * 60 + minute) - zone + 1440) % 1440 == 1439;
}

/* The form that Postgres prints and this house writes: lower case. */
static bool is_uuid(struct text t)
{
    struct uuid ignored;

    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] >= 'A' && t.ptr[i] <= 'F') return false;
    return uuid_parse(t, &ignored);
}

bool (*schema_format_find(const char *name))(struct text t)
{
    if (strcmp(name, "date-time") == 0) return is_date_time;
    if (strcmp(name, "uuid") == 0) return is_uuid;
    return NULL;
}

static void print_key(const char *key, struct builder *out)
{
    for (; *key != '\0'; key++) {
        if (*key == '~')
            builder_string(out, "~0");
        else if (*key == '/')
            builder_string(out, "~1");
        else
            builder_char(out, *key);
    }
}

void schema_place_print(const struct schema_place *place, struct builder *out)
{
    if (place == NULL) return;
    schema_place_print(place->up, out);
    builder_char(out, '/');
    if (place->key != NULL)
        print_key(place->key, out);
    else
        builder_u64(out, place->index);
}
