/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* publish_line_test.c - lines of `landlog publish` as records, and their ids. */
#include "core/cli/publish_line.h"
#include "t.h"

#include <string.h>

#define DATA \
    "{\"pair\":\"0x5b38da6a701c568545dcfcb03fcb875f56beddc4:" \
    "0xab8483f64d9c6d1ecf9b849ae677dd3315835cb2\"," \
    "\"blocker\":\"0xab8483f64d9c6d1ecf9b849ae677dd3315835cb2\"," \
    "\"blocked\":\"0x5b38da6a701c568545dcfcb03fcb875f56beddc4\"," \
    "\"friendshipId\":null,\"actionId\":\"7c9e6679-7425-40de-944b-e07fc1f90ae7\"," \
    "\"actorProof\":\"none\",\"actorSigner\":null,\"authTimestamp\":null}"
#define ID "01a2120e-023d-71b5-81d3-319dc7e6026a"

static struct registry *registry;
static struct arena arena;

static struct publish_rule rule(void)
{
    return (struct publish_rule){.registry = registry,
                                 .type = TEXT("social.user-blocked"),
                                 .source = TEXT("/test")};
}

static struct record take(const struct publish_rule *r, const char *line)
{
    struct record out;
    struct ll_error err;

    OK(publish_line(r, text_of(line), &arena, &out, &err) == LL_OK);
    return out;
}

static void a_line_is_a_command_of_its_own(void)
{
    struct publish_rule r = rule();
    struct record out = take(&r, DATA), again = take(&r, DATA);

    OK(text_is(out.type, "social.user-blocked") && out.version == 1);
    OK(text_is(out.source, "/test") && out.tag_count == 1 && out.data.len > 100);
    OK(uuid_equal(&out.id, &out.command) && out.command_size == 1);
    OK(uuid_equal(&out.body, &again.body) && !uuid_is_nil(&out.body));
    OK(!uuid_equal(&out.id, &again.id)); /* no id of its own: another event */
}

static void an_id_of_its_own_makes_the_same_event(void)
{
    struct publish_rule r = rule();
    struct record one, two;

    r.id_member = "actionId";
    one = take(&r, DATA);
    two = take(&r, DATA);
    OK(uuid_equal(&one.id, &two.id));
    r.source = TEXT("/other");
    two = take(&r, DATA);
    OK(!uuid_equal(&one.id, &two.id)); /* another's id */
    r = rule();
    r.has_envelope = true;
    one = take(&r, "{\"id\":\"" ID "\",\"data\":" DATA "}");
    OK(uuid_parse(TEXT(ID), &two.id) && uuid_equal(&one.id, &two.id));
    one = take(&r, "{\"id\":\"17\",\"data\":" DATA "}");
    two = take(&r, "{\"data\":" DATA ",\"id\":\"17\"}");
    OK(uuid_equal(&one.id, &two.id));
    two = take(&r, "{\"id\":\"17\",\"source\":\"/other\",\"data\":" DATA "}");
    OK(!uuid_equal(&one.id, &two.id) && text_is(two.source, "/other"));
}

static void an_envelope_carries_causes(void)
{
    struct publish_rule r = rule();
    struct record out;
    struct uuid id;

    r.has_envelope = true;
    out = take(&r, "{\"causation\":\"" ID "\",\"correlation\":\"" ID "\","
                   "\"traceparent\":\"00-1-2-01\",\"type\":\"social.user-blocked\","
                   "\"topic\":\"social\",\"partition\":9,\"sequence\":1,\"time\":\"\","
                   "\"version\":1,\"subject\":\"\",\"key\":\"\",\"tags\":[],"
                   "\"data\":" DATA "}");
    OK(uuid_parse(TEXT(ID), &id) && uuid_equal(&out.causation, &id));
    OK(uuid_equal(&out.correlation, &id) && text_is(out.traceparent, "00-1-2-01"));
    OK(out.partition == topic_partition(out.topic, out.key) && out.sequence == 0);
}

static void a_bad_line_says_why(void)
{
    static const struct {
        bool has_envelope;
        const char *line, *says;
    } rows[] = {
        {false, "", "near end of file"},
        {false, "{} {}", "end of file expected"},
        {false, "{}", "\"\" fails required: \"pair\" is missing"},
        {false, "[]", "\"\" fails type: must be object"},
        {true, "[]", "an envelope must be an object"},
        {true, "{}", "the envelope has no \"data\""},
        {true, "{\"data\":{}}", "\"\" fails required"},
        {true, "{\"data\":" DATA ",\"ID\":1}", "unknown member \"ID\""},
        {true, "{\"data\":" DATA ",\"id\":1}", "\"id\" must be a text"},
        {true, "{\"data\":" DATA ",\"id\":\"\"}", "\"id\" must be a text"},
        {true, "{\"data\":" DATA ",\"source\":7}", "\"source\" must be a text"},
        {true, "{\"data\":" DATA ",\"causation\":\"7\"}", "\"causation\" must be a UUID"},
        {true, "{\"data\":" DATA ",\"type\":\"social.user-unblocked\"}",
         "\"type\" is not \"social.user-blocked\""},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        struct publish_rule r = rule();
        struct record out;
        struct ll_error err = {0};

        r.has_envelope = rows[i].has_envelope;
        OK(publish_line(&r, text_of(rows[i].line), &arena, &out, &err) == LL_EINVAL);
        OK(strstr(err.text, rows[i].says) != NULL);
        if (strstr(err.text, rows[i].says) == NULL) printf("%s\n", err.text);
    }
}

static void another_key_or_no_id_is_refused(void)
{
    struct publish_rule r = rule();
    struct record out;
    struct ll_error err;

    r.key = TEXT("0xa:0xb");
    OK(publish_line(&r, TEXT(DATA), &arena, &out, &err) == LL_EINVAL);
    OK(strstr(err.text, "the event's key is \"0x5b38") != NULL);
    r = rule();
    r.id_member = "friendshipId";
    OK(publish_line(&r, TEXT(DATA), &arena, &out, &err) == LL_EINVAL);
    OK(strstr(err.text, "member \"friendshipId\", the id") != NULL);
}

int main(void)
{
    struct ll_error err;

    arena_init(&arena, (size_t)16 << 20);
    if (registry_load(&registry, &err) != LL_OK) {
        printf("FAILED: %s\n", err.text);
        return 1;
    }
    RUN(a_line_is_a_command_of_its_own);
    RUN(an_id_of_its_own_makes_the_same_event);
    RUN(an_envelope_carries_causes);
    RUN(a_bad_line_says_why);
    RUN(another_key_or_no_id_is_refused);
    registry_free(registry);
    arena_fini(&arena);
    return t_done();
}
