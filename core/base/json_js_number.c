/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json_js_number.c - Number::toString of ECMA-262: the fewest digits that read back as
 * the same double, of those the nearest to it. */
#include "core/base/json_js.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 17 };

struct decimal {
    char digits[DIGITS + 1]; /* without point; the last is no zero */
    int count;
    int point; /* digits before the decimal point; may be negative or beyond count */
};

/* `number`, positive, rounded to `count` digits. */
static void decimal_round(double number, int count, struct decimal *out)
{
    char text[DIGITS + 16];

    snprintf(text, sizeof(text), "%.*e", count - 1, number);
    out->digits[0] = text[0];
    if (count > 1) memcpy(out->digits + 1, text + 2, (size_t)count - 1);
    out->digits[count] = '\0';
    out->count = count;
    out->point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
}

/* One more in the last place. */
static void decimal_raise(struct decimal *d)
{
    int i = d->count - 1;

    while (i >= 0 && d->digits[i] == '9') d->digits[i--] = '0';
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1'; /* 999 became 000; the zeros behind it stay */
        d->point++;
    }
}

static bool decimal_is(const struct decimal *d, double number)
{
    char text[DIGITS + 24];

    snprintf(text, sizeof(text), "0.%se%d", d->digits, d->point);
    return strtod(text, NULL) == number;
}

static void decimal_trim(struct decimal *d)
{
    while (d->count > 1 && d->digits[d->count - 1] == '0') d->digits[--d->count] = '\0';
}

/* Where the doubles below lie closer than those above (at powers of two) the digits
 * nearest to the number may fall short of it, and one more in the last place may not. */
static void decimal_shortest(double number, struct decimal *out)
{
    /* A normal double of up to 15 digits is what 15 digits say, zeros trimmed. */
    int count = number >= DBL_MIN ? DBL_DIG : 1;

    for (; count < DIGITS; count++) {
        decimal_round(number, count, out);
        if (decimal_is(out, number)) break;
        decimal_raise(out);
        if (decimal_is(out, number)) break;
    }
    if (count == DIGITS) decimal_round(number, DIGITS, out);
    decimal_trim(out);
}

static void write_zeros(int n, struct builder *out)
{
    while (n-- > 0) builder_char(out, '0');
}

static void write_exponent(const struct decimal *d, struct builder *out)
{
    builder_char(out, d->digits[0]);
    if (d->count > 1) builder_printf(out, ".%s", d->digits + 1);
    builder_printf(out, "e%+d", d->point - 1);
}

static void write_decimal(const struct decimal *d, struct builder *out)
{
    if (d->point > 21 || d->point < -5) {
        write_exponent(d, out);
    } else if (d->point <= 0) {
        builder_string(out, "0.");
        write_zeros(-d->point, out);
        builder_string(out, d->digits);
    } else if (d->count <= d->point) {
        builder_string(out, d->digits);
        write_zeros(d->point - d->count, out);
    } else {
        builder_add(out, d->digits, (size_t)d->point);
        builder_printf(out, ".%s", d->digits + d->point);
    }
}

void json_js_number(double number, struct builder *out)
{
    struct decimal d;

    if (!isfinite(number)) {
        builder_string(out, "null");
        return;
    }
    if (number == 0) {
        builder_char(out, '0'); /* JSON.stringify(-0) has no sign */
        return;
    }
    if (number < 0) builder_char(out, '-');
    decimal_shortest(fabs(number), &d);
    write_decimal(&d, out);
}
