/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* event_print_test.c - an event as a line of JSON, and as a format says. */
#include "core/cli/event_print.h"
#include "core/base/json.h"
#include "t.h"

#include <string.h>

static const struct topic topic = {.name = "social", .partitions = 8};
static const struct text tags[] = {TEXT("pair:a:b"), TEXT("user:\"a\"")};

static struct record event(void)
{
    struct record r = {
        .topic = &topic,
        .partition = 3,
        .sequence = 18446744073709551615U,
        .time = 1767607200123,
        .type = TEXT("social.user-blocked"),
        .version = 2,
        .source = TEXT("/test"),
        .subject = TEXT("sub"),
        .key = TEXT("k\tk"),
        .tags = tags,
        .tag_count = 2,
        .data = TEXT("\x81\xa1"
                     "a\x01"),
    };

    OK(uuid_parse(TEXT("01a2120e-023d-71b5-81d3-319dc7e6026a"), &r.id));
    return r;
}

static bool prints(const struct record *r, const char *format, const char *expected)
{
    struct builder b;
    bool same;

    builder_init(&b, 10000);
    if (format == NULL)
        event_print_json(r, &b);
    else
        event_print_format(format, r, &b);
    same = text_is(builder_view(&b), expected);
    if (!same) printf("%s\n", b.ptr);
    builder_fini(&b);
    return same;
}

static void json_has_the_whole_envelope(void)
{
    struct record r = event();

    OK(prints(&r, NULL,
              "{\"topic\":\"social\",\"partition\":3,\"sequence\":18446744073709551615,"
              "\"time\":\"2026-01-05T10:00:00.123Z\","
              "\"id\":\"01a2120e-023d-71b5-81d3-319dc7e6026a\","
              "\"type\":\"social.user-blocked\",\"version\":2,\"source\":\"/test\","
              "\"subject\":\"sub\",\"key\":\"k\\tk\","
              "\"tags\":[\"pair:a:b\",\"user:\\\"a\\\"\"],\"data\":{\"a\":1}}\n"));
    r.tag_count = 0;
    r.correlation = r.id;
    r.traceparent = TEXT("00-1");
    r.data = TEXT("\x81\xff");
    OK(prints(&r, NULL,
              "{\"topic\":\"social\",\"partition\":3,\"sequence\":18446744073709551615,"
              "\"time\":\"2026-01-05T10:00:00.123Z\","
              "\"id\":\"01a2120e-023d-71b5-81d3-319dc7e6026a\","
              "\"type\":\"social.user-blocked\",\"version\":2,\"source\":\"/test\","
              "\"subject\":\"sub\",\"key\":\"k\\tk\",\"tags\":[],"
              "\"correlation\":\"01a2120e-023d-71b5-81d3-319dc7e6026a\","
              "\"traceparent\":\"00-1\",\"data\":null,\"undecodable\":\"81ff\"}\n"));
}

static void each_part_of_a_format_is_printed(void)
{
    struct record r = event();

    OK(prints(&r, "%t/%p=%o\\t%k\\n", "social/3=18446744073709551615\tk\tk\n"));
    OK(prints(&r, "%s %S %T %d", "{\"a\":1} 4 1767607200123 2026-01-05T10:00:00.123Z"));
    OK(prints(&r, "%e v%v %i %u",
              "social.user-blocked v2 "
              "01a2120e-023d-71b5-81d3-319dc7e6026a sub"));
    OK(prints(&r, "[%g] 100%% \\\\", "[pair:a:b,user:\"a\"] 100% \\"));
    r.data = TEXT("");
    OK(prints(&r, "%s", "(undecodable)"));
}

static void an_unknown_part_is_refused(void)
{
    static const char *const bad[] = {"%x", "a%", "\\", "\\r", "%%%"};
    struct ll_error err;

    for (size_t i = 0; i < LL_LENGTH(bad); i++)
        OK(event_format_check(bad[i], &err) == LL_EINVAL);
    OK(event_format_check("%t %p %o %k %s %S %T %d %e %v %i %u %g %% \\n\\t\\\\", &err) ==
       LL_OK);
    OK(event_format_check("", &err) == LL_OK);
}

int main(void)
{
    RUN(json_has_the_whole_envelope);
    RUN(each_part_of_a_format_is_printed);
    RUN(an_unknown_part_is_refused);
    return t_done();
}
