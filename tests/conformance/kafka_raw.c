/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
#include "kafka_raw.h"

#include "kafka_kind.h"

#include "core/base/clock.h"
#include "core/log/kafka_client.h"
#include "core/log/kafka_envelope.h"
#include "core/log/kafka_topics.h"

#include <unistd.h>

enum { WAIT_MS = KAFKA_PATIENCE_S * 1000 };

static rd_kafka_t *open_as(const struct testlog *log, rd_kafka_type_t type,
                           char name[KAFKA_TOPIC])
{
    struct kafka_options options = {.type = type, .purpose = "raw"};
    struct ll_error err;
    rd_kafka_t *rk;

    if (kafka_topic_name(log->settings, log->topic->name, name, &err) != LL_OK ||
        kafka_open(log->settings, &options, &rk, &err) != LL_OK)
        suite_die("%s", err.text);
    return rk;
}

static void produce(const struct testlog *log, uint32_t partition, int64_t time,
                    struct text key, struct text value, rd_kafka_headers_t *headers)
{
    char name[KAFKA_TOPIC];
    rd_kafka_t *rk = open_as(log, RD_KAFKA_PRODUCER, name);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(name), RD_KAFKA_V_PARTITION((int32_t)partition),
        RD_KAFKA_V_KEY(key.ptr, key.len), RD_KAFKA_V_VALUE((void *)value.ptr, value.len),
        RD_KAFKA_V_TIMESTAMP(time), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || rd_kafka_flush(rk, WAIT_MS) != 0)
        suite_die("produce: %s", rd_kafka_err2str(code));
    rd_kafka_destroy(rk);
}

void raw_foreign(const struct testlog *log, uint32_t partition)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);

    rd_kafka_header_add(headers, "ce_sequence", -1, "1", 1);
    produce(log, partition, 1000, TEXT("a stranger's"), TEXT("hello"), headers);
}

void raw_event(const struct testlog *log, const struct record *r, uint64_t epoch)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(KAFKA_OURS);
    struct kafka_writer w;

    kafka_writer_init(&w);
    kafka_write_event(&w, r, epoch);
    for (size_t i = 0; i < w.count; i++)
        rd_kafka_header_add(headers, w.header[i].name.ptr, (ssize_t)w.header[i].name.len,
                            w.header[i].value.ptr, (ssize_t)w.header[i].value.len);
    produce(log, r->partition, r->time, r->key, r->data, headers);
    kafka_writer_fini(&w);
}

int64_t raw_end(const struct testlog *log, uint32_t partition)
{
    char name[KAFKA_TOPIC];
    rd_kafka_t *rk = open_as(log, RD_KAFKA_PRODUCER, name);
    struct ll_error err;
    int64_t end;

    if (kafka_end(rk, name, partition, &end, &err) != LL_OK) suite_die("%s", err.text);
    rd_kafka_destroy(rk);
    return end;
}

/* ---- admin ---- */

static void await_event(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);

    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        suite_die("%s: %s", what,
                  event == NULL ? "no answer" : rd_kafka_event_error_string(event));
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

void raw_truncate(const struct testlog *log, uint32_t partition, int64_t before)
{
    char name[KAFKA_TOPIC];
    rd_kafka_t *rk = open_as(log, RD_KAFKA_PRODUCER, name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t *request;

    rd_kafka_topic_partition_list_add(list, name, (int32_t)partition)->offset = before;
    request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    await_event(rk, queue, "delete records");
}

void raw_recreate(const struct testlog *log)
{
    struct topics one = {.count = 1, .topics = {*log->topic}};
    struct ll_error err;

    if (kafka_topics_delete(log->settings, &one, &err) != LL_OK ||
        kafka_topics_create(log->settings, &one, 0, NULL, &err) != LL_OK)
        suite_die("%s", err.text);
}

/* A broker answers before it shows them. */
static void await_count(const struct testlog *log, uint32_t partitions)
{
    char name[KAFKA_TOPIC];
    rd_kafka_t *rk = open_as(log, RD_KAFKA_PRODUCER, name);
    int64_t end = clock_monotonic_us() + KAFKA_PATIENCE_S * INT64_C(1000000);
    uint32_t found = 0;

    while (found != partitions) {
        if (clock_monotonic_us() > end)
            suite_die("%u partitions are not seen", partitions);
        if (kafka_topic_partitions(rk, name, &found, NULL) != LL_OK) found = 0;
        usleep(10000);
    }
    rd_kafka_destroy(rk);
}

void raw_grow(const struct testlog *log, unsigned partitions)
{
    char name[KAFKA_TOPIC], why[200];
    rd_kafka_t *rk = open_as(log, RD_KAFKA_PRODUCER, name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewPartitions_t *request =
        rd_kafka_NewPartitions_new(name, partitions, why, sizeof(why));

    if (request == NULL) suite_die("%s", why);
    rd_kafka_CreatePartitions(rk, &request, 1, NULL, queue);
    rd_kafka_NewPartitions_destroy(request);
    await_event(rk, queue, "create partitions");
    await_count(log, partitions);
}
