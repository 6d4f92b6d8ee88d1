/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_topics.c - librdkafka's admin calls, one topic at a time. */
#include "core/log/kafka_topics.h"

#include "core/base/clock.h"
#include "core/log/kafka_client.h"

#include <stdio.h>
#include <unistd.h>

enum { ADMIN_MS = 30000 };

static ll_rc admin_open(const struct settings *settings, rd_kafka_t **out,
                        struct ll_error *err)
{
    struct kafka_options options = {.type = RD_KAFKA_CONSUMER, .purpose = "topics"};

    return kafka_open(settings, &options, out, err);
}

/* The one topic's result that came for a request. */
static ll_rc result_of(rd_kafka_event_t *event, const char *what, const char *name,
                       rd_kafka_resp_err_t harmless, bool *was_harmless,
                       struct ll_error *err)
{
    const rd_kafka_topic_result_t **results = NULL;
    rd_kafka_resp_err_t code;
    size_t n = 0;

    if (event == NULL)
        return ll_fail(err, LL_EDATABASE, "%s topic \"%s\": Kafka does not answer", what,
                       name);
    code = rd_kafka_event_error(event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_fail(err, LL_EDATABASE, code, "%s topic \"%s\"", what, name);
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT)
        results = rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(event), &n);
    else
        results = rd_kafka_DeleteTopics_result_topics(
            rd_kafka_event_DeleteTopics_result(event), &n);
    LL_CHECK(n == 1);
    code = rd_kafka_topic_result_error(results[0]);
    *was_harmless = code == harmless;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || *was_harmless) return LL_OK;
    return ll_fail(err, LL_EDATABASE, "%s topic \"%s\": %s", what, name,
                   rd_kafka_topic_result_error_string(results[0]));
}

/* Event time may be ahead of the broker's clock: the referee has judged it. */
static void configure(rd_kafka_NewTopic_t *topic, bool is_ephemeral)
{
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(topic, "retention.bytes", "-1");
    rd_kafka_NewTopic_set_config(topic, "retention.ms", is_ephemeral ? "3600000" : "-1");
    rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", "CreateTime");
    rd_kafka_NewTopic_set_config(topic, "message.timestamp.before.max.ms",
                                 "9223372036854775807");
    rd_kafka_NewTopic_set_config(topic, "message.timestamp.after.max.ms",
                                 "9223372036854775807");
    rd_kafka_NewTopic_set_config(topic, "max.message.bytes", "1048588");
}

static ll_rc create(rd_kafka_t *rk, const char *name, const struct topic *t,
                    unsigned replication, bool *was_there, struct ll_error *err)
{
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
        name, (int)t->partitions, replication == 0 ? -1 : (int)replication, NULL, 0);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_event_t *event;
    ll_rc rc;

    LL_CHECK(topic != NULL);
    configure(topic, t->ephemeral);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, ADMIN_MS);
    rc = result_of(event, "make", name, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, was_there,
                   err);
    if (event != NULL) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return rc;
}

/* That each partition has a leader which knows that it is one. */
static ll_rc check_leaders(rd_kafka_t *rk, const char *name, uint32_t partitions,
                           struct ll_error *err)
{
    ll_rc rc = kafka_topic_check(rk, name, partitions, err);

    for (uint32_t p = 0; p < partitions && rc == LL_OK; p++) {
        int64_t end;

        rc = kafka_end(rk, name, p, &end, err);
    }
    return rc;
}

/* A broker answers before all of them know the new topic. */
static ll_rc wait_until_known(rd_kafka_t *rk, const char *name, uint32_t partitions,
                              struct ll_error *err)
{
    int64_t end = clock_monotonic_us() + ADMIN_MS * INT64_C(1000);
    ll_rc rc;

    for (;;) {
        rc = check_leaders(rk, name, partitions, err);
        if (rc != LL_EDATABASE && rc != LL_ENOTFOUND) return rc;
        if (clock_monotonic_us() > end) return rc;
        usleep(20000);
    }
}

ll_rc kafka_topics_create(const struct settings *settings, const struct topics *topics,
                          unsigned replication, enum kafka_made *made,
                          struct ll_error *err)
{
    rd_kafka_t *rk;
    ll_rc rc = admin_open(settings, &rk, err);

    if (rc != LL_OK) return rc;
    for (size_t i = 0; i < topics->count && rc == LL_OK; i++) {
        const struct topic *t = &topics->topics[i];
        char name[KAFKA_TOPIC];
        bool was_there = false;

        rc = kafka_topic_name(settings, t->name, name, err);
        if (rc == LL_OK) rc = create(rk, name, t, replication, &was_there, err);
        if (rc == LL_OK) rc = wait_until_known(rk, name, t->partitions, err);
        if (made != NULL) made[i] = was_there ? KAFKA_WAS_THERE : KAFKA_MADE;
    }
    rd_kafka_destroy(rk);
    return rc;
}

static ll_rc wait_until_gone(rd_kafka_t *rk, const char *name, struct ll_error *err)
{
    int64_t end = clock_monotonic_us() + ADMIN_MS * INT64_C(1000);
    uint32_t partitions = 0;
    ll_rc rc;

    while ((rc = kafka_topic_partitions(rk, name, &partitions, err)) == LL_OK &&
           partitions > 0) {
        if (clock_monotonic_us() > end)
            return ll_fail(err, LL_EDATABASE, "delete topic \"%s\": it does not go",
                           name);
        usleep(20000);
    }
    return rc;
}

ll_rc kafka_topics_delete(const struct settings *settings, const struct topics *topics,
                          struct ll_error *err)
{
    rd_kafka_t *rk;
    ll_rc rc = admin_open(settings, &rk, err);

    if (rc != LL_OK) return rc;
    for (size_t i = 0; i < topics->count && rc == LL_OK; i++) {
        char name[KAFKA_TOPIC];
        rd_kafka_DeleteTopic_t *topic;
        rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
        rd_kafka_event_t *event;
        bool was_absent;

        rc = kafka_topic_name(settings, topics->topics[i].name, name, err);
        if (rc == LL_OK) {
            topic = rd_kafka_DeleteTopic_new(name);
            rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
            event = rd_kafka_queue_poll(queue, ADMIN_MS);
            rc = result_of(event, "delete", name, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
                           &was_absent, err);
            if (event != NULL) rd_kafka_event_destroy(event);
            rd_kafka_DeleteTopic_destroy(topic);
        }
        if (rc == LL_OK) rc = wait_until_gone(rk, name, err);
        rd_kafka_queue_destroy(queue);
    }
    rd_kafka_destroy(rk);
    return rc;
}
