/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* iso_date_test.c - expected values are those of JavaScript's Date.parse(), in UTC. */
#include "core/auth/iso_date.h"
#include "core/base/clock.h"
#include "t.h"

#include <stdlib.h>

static void dates_are_read(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00.000Z", 0},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2030-01-01T00:00:00.000Z", 1893456000000},
        {"2030-01-01T00:00:00Z", 1893456000000},
        {"2030-01-01T00:00:00", 1893456000000},
        {"2030-01-01T00:00Z", 1893456000000},
        {"2030-01-01", 1893456000000},
        {"2030-01", 1893456000000},
        {"2030", 1893456000000},
        {"2030-01-01T00:00:00.5Z", 1893456000500},
        {"2030-01-01T00:00:00.1239999999999999999999Z", 1893456000123},
        {"2030-01-01T00:00:00-03:30", 1893468600000},
        {"2030-01-01T02:00:00+0200", 1893456000000},
        {"2029-12-31T24:00:00Z", 1893456000000},
        {"2024-02-29T12:00:00Z", 1709208000000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"0001-01-01T00:00:00Z", -62135596800000},
        {"0000-02-29T00:00:00Z", -62162121600000},
        {"-000001-01-01T00:00:00Z", -62198755200000},
        {"+275760-09-13T00:00:00.000Z", 8640000000000000},
        {"-271821-04-20T00:00:00.000Z", -8640000000000000},
        {"Tue Jan 01 2030 00:00:00 GMT+0000 (Coordinated Universal Time)", 1893456000000},
        {"Tue Jan 01 2030 02:00:00 GMT+0200 (Eastern European Time)", 1893456000000},
        {"Sat Dec 31 2022 23:59:59 GMT-0330", 1672543799000},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        int64_t ms = 42;

        OK(iso_date_parse(text_of(rows[i].text), &ms));
        if (ms != rows[i].ms) printf("%s: %lld\n", rows[i].text, (long long)ms);
        OK(ms == rows[i].ms);
    }
}

static void what_is_no_date_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "soon",
        "1893456000000",
        "20300101",
        "2030-1-01T00:00:00Z",
        "2030-13-01T00:00:00Z",
        "2030-00-01T00:00:00Z",
        "2030-01-32T00:00:00Z",
        "2030-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2030-01-01T24:00:01Z",
        "2030-01-01T25:00:00Z",
        "2030-01-01T00:60:00Z",
        "2030-01-01T00:00:60Z",
        "2030-01-01T00:00:00.Z",
        "2030-01-01T00:00:00+2:00",
        "2030-01-01T00:00:00+24:00",
        "2030-01-01T00:00:00Zx",
        "2030-01-01T00:00:00Z ",
        " 2030-01-01T00:00:00Z",
        "2030-01-01T",
        "2030-01-01T00Z",
        "-000000-01-01T00:00:00Z",
        "+275760-09-13T00:00:00.001Z",
        "10000-01-01T00:00:00Z",
        "Xxx Jan 01 2030 00:00:00 GMT+0000",
        "Tue Xxx 01 2030 00:00:00 GMT+0000",
        "Tue Jan 01 2030 00:00:00",
        "Tue Jan 01 2030 00:00:00 GMT",
        "Tue Jan 01 2030 00:00:00 GMT+0000 (",
        "Tue Feb 30 2030 00:00:00 GMT+0000",
    };
    int64_t ms;

    for (size_t i = 0; i < LL_LENGTH(bad); i++) {
        if (iso_date_parse(text_of(bad[i]), &ms)) printf("read: %s\n", bad[i]);
        OK(!iso_date_parse(text_of(bad[i]), &ms));
    }
    OK(!iso_date_parse((struct text){"2030-01-01\0", 11}, &ms));
}

/* Whatever the clock prints is read back. */
static void what_is_printed_is_read_back(void)
{
    srand(3);
    for (int i = 0; i < 20000; i++) {
        int64_t ms = ((int64_t)rand() << 20 ^ rand()) % 253402300800000, back = -1;
        char text[CLOCK_TEXT];

        clock_print(ms, text);
        OK(iso_date_parse(text_of(text), &back) && back == ms);
    }
}

int main(void)
{
    RUN(dates_are_read);
    RUN(what_is_no_date_is_refused);
    RUN(what_is_printed_is_read_back);
    return t_done();
}
