/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
#include "core/base/clock.h"
#include "t.h"

#include <stdlib.h>
#include <string.h>

static bool parses_to(const char *text, int64_t expected)
{
    int64_t ms = -1;

    return clock_parse(text_of(text), &ms) && ms == expected;
}

static void known_times_are_read(void)
{
    OK(parses_to("1970-01-01T00:00:00.000Z", 0));
    OK(parses_to("1969-12-31T23:59:59.999Z", -1));
    OK(parses_to("2000-02-29T12:00:00.001Z", 951825600001));
    OK(parses_to("2026-01-05T10:00:00.123Z", 1767607200123));
    OK(parses_to("0000-01-01T00:00:00.000Z", -62167219200000));
    OK(parses_to("9999-12-31T23:59:59.999Z", 253402300799999));
}

static void nothing_else_is_read(void)
{
    static const char *const bad[] = {
        "",
        "2026-01-05T10:00:00Z",
        "2026-01-05T10:00:00.123+",
        "2026-01-05 10:00:00.123Z",
        "2026-13-05T10:00:00.123Z",
        "2026-00-05T10:00:00.123Z",
        "2026-02-29T10:00:00.123Z",
        "1900-02-29T10:00:00.123Z",
        "2026-04-31T10:00:00.123Z",
        "2026-01-00T10:00:00.123Z",
        "2026-01-05T24:00:00.123Z",
        "2026-01-05T10:60:00.123Z",
        "2026-01-05T10:00:60.123Z",
        "+026-01-05T10:00:00.123Z",
        "2026-01-05T10:00:00.123ZZ",
    };
    int64_t ms;

    for (size_t i = 0; i < LL_LENGTH(bad); i++) OK(!clock_parse(text_of(bad[i]), &ms));
}

static void what_is_printed_is_read_back(void)
{
    srand(1);
    for (int i = 0; i < 2000; i++) {
        int64_t ms = ((int64_t)rand() << 16 ^ rand()) % 253402300800000;
        char text[CLOCK_TEXT];

        if (i % 2) ms = -(ms % 62167219200000);
        clock_print(ms, text);
        OK(parses_to(text, ms));
    }
}

int main(void)
{
    RUN(known_times_are_read);
    RUN(nothing_else_is_read);
    RUN(what_is_printed_is_read_back);
    return t_done();
}
