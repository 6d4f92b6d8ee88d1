/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* topic_test.c - Kafka's own published values of its hash, and mistakes in the file. */
#include "core/log/topic.c"
#include "t.h"

#include "core/base/embedded.h"

/* From Apache Kafka's UtilsTest. */
static void the_hash_is_kafkas(void)
{
    static const struct {
        const char *key;
        int32_t hash;
    } rows[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++)
        OK((int32_t)murmur2(text_of(rows[i].key)) == rows[i].hash);
}

static void a_negative_hash_loses_its_sign_first(void)
{
    struct topic t = {.partitions = 1000};

    OK(topic_partition(&t, TEXT("21")) == (-973932308 & 0x7fffffff) % 1000);
    OK(topic_partition(&t, TEXT("abc")) == 479470107 % 1000);
}

static void the_declared_topics_are_read(void)
{
    struct topics t;
    struct ll_error err;
    struct text file;

    OK(embedded_find("schemas/topics.json", &file));
    OK(topics_parse(&t, file, &err) == LL_OK);
    OK(topics_find(&t, TEXT("social")) != NULL);
    OK(topics_find(&t, TEXT("social"))->partitions == 8);
    OK(topics_find(&t, TEXT("soci")) == NULL);
}

static void topics_are_sorted(void)
{
    struct topics t;

    OK(topics_parse(&t,
                    TEXT("{\"b\":{\"service\":\"s\",\"partitions\":1,\"keyed-by\":\"k\"},"
                         "\"a\":{\"service\":\"s\",\"partitions\":2,\"keyed-by\":\"k\","
                         "\"ephemeral\":true}}"),
                    NULL) == LL_OK);
    OK(t.count == 2 && t.topics[0].ephemeral && !t.topics[1].ephemeral);
    OK(strcmp(t.topics[0].name, "a") == 0 && t.topics[0].partitions == 2);
}

static void a_mistake_names_topic_and_member(void)
{
    static const struct {
        const char *json, *says;
    } rows[] = {
        {"[]", "must be an object of topics"},
        {"{\"a\":1}", "topic \"a\": must be an object"},
        {"{\"A\":{}}", "topic \"A\": a name is"},
        {"{\"abcdefghijklmnopqrstuvwx\":{}}", "a name is"},
        {"{\"a\":{\"service\":\"s\",\"keyed-by\":\"k\"}}",
         "\"a\": member \"partitions\""},
        {"{\"a\":{\"partitions\":257}}", "\"partitions\" must be a number from 1 to 256"},
        {"{\"a\":{\"partitions\":1.5}}", "\"partitions\" must be a number"},
        {"{\"a\":{\"partitions\":1,\"keyed-by\":\"k\"}}",
         "member \"service\" must be given"},
        {"{\"a\":{\"partitions\":1,\"service\":\"s\"}}",
         "member \"keyed-by\" must be given"},
        {"{\"a\":{\"service\":\"S\"}}", "member \"service\" must be a name"},
        {"{\"a\":{\"ephemeral\":0}}", "member \"ephemeral\" must be true or false"},
        {"{\"a\":{\"retention\":0}}", "unknown member \"retention\""},
        {"{\"a\":{},\"a\":{}}", "duplicate object key"},
    };

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        struct topics t;
        struct ll_error err = {0};

        OK(topics_parse(&t, text_of(rows[i].json), &err) == LL_EINVAL && t.count == 0);
        OK(strstr(err.text, rows[i].says) != NULL);
    }
}

int main(void)
{
    RUN(the_hash_is_kafkas);
    RUN(a_negative_hash_loses_its_sign_first);
    RUN(the_declared_topics_are_read);
    RUN(topics_are_sorted);
    RUN(a_mistake_names_topic_and_member);
    return t_done();
}
