/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_client_test.c - what an operator may pass through to librdkafka, and may not. */
#include "core/log/kafka_client.h"
#include "t.h"

#include <string.h>

/* What opening says with these settings, alternately names and values. */
static ll_rc open_with(const char *const *pairs, rd_kafka_type_t type,
                       struct ll_error *err)
{
    struct kafka_options options = {.type = type, .purpose = "test"};
    struct settings *settings;
    rd_kafka_t *rk = NULL;
    ll_rc rc = settings_load("/dev/null", &settings, err);

    for (size_t i = 0; rc == LL_OK && pairs[i] != NULL; i += 2)
        rc =
            settings_set(settings, text_of(pairs[i]), text_of(pairs[i + 1]), "test", err);
    if (rc == LL_OK) rc = kafka_open(settings, &options, &rk, err);
    if (rk != NULL) rd_kafka_destroy(rk);
    settings_free(settings);
    return rc;
}

static void tls_and_sasl_pass_through(void)
{
    static const char *const pairs[] = {"kafka.brokers",
                                        "127.0.0.1:1",
                                        "kafka.security.protocol",
                                        "SASL_SSL",
                                        "kafka.sasl.mechanism",
                                        "SCRAM-SHA-512",
                                        "kafka.sasl.username",
                                        "somebody",
                                        "kafka.sasl.password",
                                        "secret",
                                        "kafka.ssl.endpoint.identification.algorithm",
                                        "https",
                                        "kafka.log_level",
                                        "0",
                                        NULL};
    struct ll_error err;

    OK(open_with(pairs, RD_KAFKA_PRODUCER, &err) == LL_OK);
    OK(open_with(pairs, RD_KAFKA_CONSUMER, &err) == LL_OK);
}

static void a_setting_at_fault_is_named(void)
{
    static const char *const bad[][2] = {
        {"kafka.acks", "1"},
        {"kafka.enable.idempotence", "false"},
        {"kafka.message.timeout.ms", "1000"},
        {"kafka.auto.offset.reset", "earliest"},
        {"kafka.group.id", "x"},
        {"kafka.no.such.property", "1"},
        {"kafka.linger.ms", "soon"},
    };

    for (size_t i = 0; i < LL_LENGTH(bad); i++) {
        const char *const pairs[] = {"kafka.brokers", "127.0.0.1:1", bad[i][0], bad[i][1],
                                     NULL};
        struct ll_error err;

        OK(open_with(pairs, RD_KAFKA_PRODUCER, &err) == LL_EINVAL);
        OK(strstr(err.text, bad[i][0]) != NULL);
    }
}

static void without_brokers_there_is_no_kafka(void)
{
    static const char *const none[] = {NULL};
    struct ll_error err;

    OK(open_with(none, RD_KAFKA_PRODUCER, &err) == LL_EINVAL);
    OK(strstr(err.text, "kafka.brokers") != NULL);
}

static void a_prefix_begins_a_name(void)
{
    static const char *const bad[] = {"a/", "a b", "\xc3\xa9"};
    struct settings *settings;
    char name[KAFKA_TOPIC];
    struct ll_error err;

    OK(settings_load("/dev/null", &settings, &err) == LL_OK);
    OK(kafka_topic_name(settings, "social", name, &err) == LL_OK);
    OK(strcmp(name, "social") == 0);
    OK(settings_set(settings, TEXT("kafka.topic-prefix"), TEXT("Land_log-1."), "test",
                    &err) == LL_OK);
    OK(kafka_topic_name(settings, "social", name, &err) == LL_OK);
    OK(strcmp(name, "Land_log-1.social") == 0);
    for (size_t i = 0; i < LL_LENGTH(bad); i++) {
        OK(settings_set(settings, TEXT("kafka.topic-prefix"), text_of(bad[i]), "test",
                        &err) == LL_OK);
        OK(kafka_topic_name(settings, "social", name, &err) == LL_EINVAL);
        OK(strstr(err.text, "kafka.topic-prefix") != NULL);
    }
    settings_free(settings);
}

int main(void)
{
    RUN(tls_and_sasl_pass_through);
    RUN(a_setting_at_fault_is_named);
    RUN(without_brokers_there_is_no_kafka);
    RUN(a_prefix_begins_a_name);
    return t_done();
}
