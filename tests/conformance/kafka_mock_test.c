/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_mock_test.c - brokers that answer with errors, in the middle of everything, from
 * librdkafka's mock cluster. What passes is ridden out, what is permanent ends the relay,
 * which begins again; whichever it is, readers get every event once. */
#include "kafka_load.h"

#include "core/base/clock.h"
#include "core/log/kafka_client.h"
#include "core/log/log_copy.h"
#include "core/log/relay.h"

#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BROKERS = 3, API_PRODUCE = 0, API_FETCH = 1 };

/* ---- the cluster ---- */

struct mock {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
};

static void set(struct testlog *log, const char *name, const char *value)
{
    struct ll_error err;

    if (settings_set(log->settings, text_of(name), text_of(value), "test", &err) != LL_OK)
        suite_die("%s", err.text);
}

static void mock_open(struct mock *m, struct testlog *log, struct suite *s)
{
    char why[200];

    testlog_open(log, s);
    m->rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
    if (m->rk == NULL) suite_die("%s", why);
    m->cluster = rd_kafka_mock_cluster_new(m->rk, BROKERS);
    if (rd_kafka_mock_topic_create(m->cluster, log->topic->name, THINGS_PARTITIONS, 1) !=
        0)
        suite_die("the mock cluster makes no topic");
    set(log, "kafka.brokers", rd_kafka_mock_cluster_bootstraps(m->cluster));
}

static void mock_close(struct mock *m, struct testlog *log)
{
    rd_kafka_mock_cluster_destroy(m->cluster);
    rd_kafka_destroy(m->rk);
    testlog_close(log);
}

static void move(const struct testlog *log)
{
    struct log_copy copy = {log->settings, TEST_SERVICE, "test", NULL, NULL};
    struct ll_error err;

    if (log_copy_to_kafka(&copy, &err) != LL_OK) suite_die("%s", err.text);
}

/* ---- a relay in a thread, as `landlog relay` keeps it ---- */

struct keeper {
    const struct testlog *log;
    pthread_t thread;
    atomic_bool is_over;
    atomic_uint lives;
    struct ll_error last; /* why the last but one ended */
};

static void *keep(void *context)
{
    struct keeper *k = context;
    struct relay_options options = {.settings = k->log->settings, .owner = "mock"};

    while (!k->is_over) {
        struct relay *relay;
        ll_rc rc = relay_open(&options, &relay, &k->last);

        while (rc == LL_OK && !k->is_over) rc = relay_step(relay, 20, &k->last);
        relay_close(relay, 2000);
        k->lives++;
        if (!k->is_over) usleep(50000);
    }
    return NULL;
}

static void keeper_start(struct keeper *k, const struct testlog *log)
{
    *k = (struct keeper){.log = log};
    if (pthread_create(&k->thread, NULL, keep, k) != 0) suite_die("no thread");
}

static void keeper_stop(struct keeper *k)
{
    k->is_over = true;
    pthread_join(k->thread, NULL);
}

/* A world of its own: everything runs, something was read. The mock cluster does not
 * check the numbers that an idempotent producer gives its batches; one in flight keeps it
 * from taking those behind one that failed. */
struct busy {
    struct testlog log;
    struct mock mock;
    struct keeper keeper;
    struct appender appender;
    struct follower follower;
};

static void busy_start(struct busy *b, struct suite *s)
{
    mock_open(&b->mock, &b->log, s);
    set(&b->log, "kafka.max.in.flight", "1");
    move(&b->log);
    keeper_start(&b->keeper, &b->log);
    follower_start(&b->follower, &b->log);
    appender_start(&b->appender, &b->log, 500);
    while (b->follower.count == 0) usleep(5000);
}

/* All that was accepted has been read, once. */
static void busy_finish(struct busy *b, struct suite *s)
{
    appender_stop(&b->appender);
    kafka_kind_await_relayed(&b->log);
    follower_finish(&b->follower, s);
    keeper_stop(&b->keeper);
    mock_close(&b->mock, &b->log);
}

/* ---- errors ---- */

struct trouble {
    const char *what;
    int16_t api;
    rd_kafka_resp_err_t code;
    size_t times;
};

/* Errors strike three times while commands flow. */
static void strike(struct busy *b, const struct trouble *t)
{
    rd_kafka_resp_err_t codes[8];

    for (size_t i = 0; i < LL_LENGTH(codes); i++) codes[i] = t->code;
    for (int i = 0; i < 3; i++) {
        rd_kafka_mock_push_request_errors_array(b->mock.cluster, t->api, t->times, codes);
        appender_await(&b->appender, 40);
    }
}

static const struct trouble passing[] = {
    {"not the leader", API_PRODUCE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 3},
    {"too few replicas", API_PRODUCE, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, 3},
    {"timed out", API_PRODUCE, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, 2},
    {"disconnected", API_PRODUCE, RD_KAFKA_RESP_ERR__TRANSPORT, 2},
    {"fetch disconnected", API_FETCH, RD_KAFKA_RESP_ERR__TRANSPORT, 2},
    {"fetch from another", API_FETCH, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 2},
};

static void passing_errors_are_ridden_out(struct suite *s)
{
    struct busy b;
    unsigned lives;

    busy_start(&b, s);
    lives = b.keeper.lives;
    for (size_t i = 0; i < LL_LENGTH(passing); i++) strike(&b, &passing[i]);
    if (!OK(b.keeper.lives == lives)) printf("it ended: %s\n", b.keeper.last.text);
    busy_finish(&b, s);
}

static void permanent_errors_end_the_relay_and_lose_nothing(struct suite *s)
{
    static const struct trouble permanent[] = {
        {"too large", API_PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1},
        {"not allowed", API_PRODUCE, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1},
        {"out of order", API_PRODUCE, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 1},
        {"fenced", API_PRODUCE, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 1},
    };
    struct busy b;

    busy_start(&b, s);
    for (size_t i = 0; i < LL_LENGTH(permanent); i++) {
        unsigned lives = b.keeper.lives;

        strike(&b, &permanent[i]);
        for (int k = 0; k < 6000 && b.keeper.lives == lives; k++) usleep(20000);
        if (!OK(b.keeper.lives > lives)) printf("it went on: %s\n", permanent[i].what);
    }
    busy_finish(&b, s);
}

/* Each broker goes away for a while, with the partitions that it leads. */
static void brokers_come_and_go(struct suite *s)
{
    struct busy b;

    busy_start(&b, s);
    for (int32_t broker = 1; broker <= BROKERS; broker++) {
        rd_kafka_mock_broker_set_down(b.mock.cluster, broker);
        appender_await(&b.appender, 100);
        rd_kafka_mock_broker_set_up(b.mock.cluster, broker);
        appender_await(&b.appender, 40);
    }
    busy_finish(&b, s);
}

/* Events wait in Postgres, not in the relay. */
static void while_kafka_is_away_events_wait(struct suite *s)
{
    struct busy b;
    char *lag;

    busy_start(&b, s);
    for (int32_t broker = 1; broker <= BROKERS; broker++)
        rd_kafka_mock_broker_set_down(b.mock.cluster, broker);
    appender_await(&b.appender, 300);
    lag = testlog_ask(&b.log, "select landlog.relay_lag('" TEST_SERVICE "') > 200");
    OK(strcmp(lag, "t") == 0);
    free(lag);
    for (int32_t broker = 1; broker <= BROKERS; broker++)
        rd_kafka_mock_broker_set_up(b.mock.cluster, broker);
    busy_finish(&b, s);
}

int main(void)
{
    static const struct testlog_kind plain = {.name = "kafka, mocked"};
    struct suite suite = {.kind = &plain}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    RUN(passing_errors_are_ridden_out);
    RUN(permanent_errors_end_the_relay_and_lose_nothing);
    RUN(brokers_come_and_go);
    RUN(while_kafka_is_away_events_wait);
    return suite_end(s);
}
