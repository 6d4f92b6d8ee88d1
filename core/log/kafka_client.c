/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_client.c - the tables of properties, and what every user of Kafka asks first. */
#include "core/log/kafka_client.h"

#include "core/base/note.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READS = 1, WRITES = 2, BOTH = READS | WRITES };

struct property {
    int who;
    const char *name, *value;
};

/* An operator may set these otherwise. Nagle's algorithm and a linger would each cost a
 * lone command 5 to 40 ms; batches form by themselves when there is more to send.
 *
 * A reader's memory is bounded by one fetch and what is left in the queue when it is
 * asked for. A fetch's bytes are compressed: they may be ten times as many once they are
 * here. Neither headers nor librdkafka's own 400 bytes of a message are counted in the
 * queue; hence so few. */
static const struct property defaults[] = {
    {BOTH, "socket.nagle.disable", "true"},
    {BOTH, "socket.keepalive.enable", "true"},
    {BOTH, "reconnect.backoff.ms", "50"},
    {BOTH, "reconnect.backoff.max.ms", "1000"},
    {BOTH, "log.connection.close", "false"},
    {READS, "queued.min.messages", "2000"},
    {READS, "queued.max.messages.kbytes", "1024"},
    {READS, "fetch.message.max.bytes", "262144"},
    {READS, "fetch.max.bytes", "1048576"},
    {READS, "fetch.error.backoff.ms", "50"},
    {READS, "check.crcs", "true"},
    {WRITES, "linger.ms", "0"},
    {WRITES, "queue.buffering.max.messages", "100000"},
    {WRITES, "queue.buffering.max.kbytes", "65536"},
};

/* The best that this build of librdkafka has. */
static const char *const compressions[] = {"zstd", "lz4", "none"};

/* The log's promises rest on these. */
static const struct property fixed[] = {
    {WRITES, "acks", "all"},
    {WRITES, "enable.idempotence", "true"},
    {WRITES, "enable.gapless.guarantee", "true"},
    {WRITES, "message.timeout.ms", "0"},
    {READS, "auto.offset.reset", "error"},
    {READS, "enable.auto.commit", "false"},
    {READS, "enable.auto.offset.store", "false"},
    {READS, "auto.commit.enable", "false"},
    {READS, "enable.partition.eof", "true"},
};

/* Other names of what is fixed, and what has a setting of its own. */
static const char *const refused[] = {
    "bootstrap.servers",
    "metadata.broker.list",
    "request.required.acks",
    "delivery.timeout.ms",
    "retries",
    "message.send.max.retries",
    "transactional.id",
    "group.id",
};

static ll_rc set(rd_kafka_conf_t *conf, const char *name, const char *value,
                 struct ll_error *err)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
        return LL_OK;
    return ll_fail(err, LL_EINVAL, "setting `kafka.%s`: %s", name, why);
}

static bool is_refused(const char *name)
{
    for (size_t i = 0; i < LL_LENGTH(fixed); i++)
        if (strcmp(name, fixed[i].name) == 0) return true;
    for (size_t i = 0; i < LL_LENGTH(refused); i++)
        if (strcmp(name, refused[i]) == 0) return true;
    return false;
}

static ll_rc set_table(rd_kafka_conf_t *conf, const struct property *table, size_t n,
                       int who, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < n && rc == LL_OK; i++)
        if (table[i].who & who) rc = set(conf, table[i].name, table[i].value, err);
    return rc;
}

static ll_rc set_passed_through(rd_kafka_conf_t *conf, const struct settings *settings,
                                struct ll_error *err)
{
    const char *name, *value;
    ll_rc rc = LL_OK;

    for (size_t i = 0; rc == LL_OK && settings_kafka_property(settings, i, &name, &value);
         i++)
        rc =
            is_refused(name)
                ? ll_fail(err, LL_EINVAL,
                          "setting `kafka.%s` cannot be set: the log depends on it", name)
                : set(conf, name, value, err);
    return rc;
}

static ll_rc configure(rd_kafka_conf_t *conf, const struct settings *settings,
                       const struct kafka_options *o, struct ll_error *err)
{
    const char *brokers = settings_string(settings, SETTING_KAFKA_BROKERS);
    int who = o->type == RD_KAFKA_PRODUCER ? WRITES : READS;
    char client[64];
    ll_rc rc;

    if (brokers[0] == '\0')
        return ll_fail(err, LL_EINVAL, "setting `kafka.brokers` is empty");
    snprintf(client, sizeof(client), "landlog-%s-%d", o->purpose, (int)getpid());
    rc = set(conf, "client.id", client, err);
    if (rc == LL_OK) rc = set_table(conf, defaults, LL_LENGTH(defaults), who, err);
    for (size_t i = 0; who == WRITES && i < LL_LENGTH(compressions); i++)
        if (set(conf, "compression.codec", compressions[i], NULL) == LL_OK) break;
    if (rc == LL_OK) rc = set_passed_through(conf, settings, err);
    if (rc == LL_OK) rc = set_table(conf, fixed, LL_LENGTH(fixed), who, err);
    if (rc == LL_OK && set(conf, "bootstrap.servers", brokers, err) != LL_OK)
        rc = ll_fail(err, LL_EINVAL, "setting `kafka.brokers` is malformed: \"%s\"",
                     brokers);
    return rc;
}

/* Called from librdkafka's threads. Errors that concern no record come here too, since
 * there is no error callback. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *message)
{
    enum note_level l = level <= 4 ? NOTE_WARNING : level <= 6 ? NOTE_INFO : NOTE_DEBUG;

    (void)rk;
    if (strcmp(facility, "CONFWARN") == 0) return; /* our tables are so on purpose */
    note(l, "librdkafka says", NOTE_S("facility", facility), NOTE_S("text", message));
}

ll_rc kafka_open(const struct settings *settings, const struct kafka_options *options,
                 rd_kafka_t **out, struct ll_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];
    ll_rc rc = configure(conf, settings, options, err);

    *out = NULL;
    if (rc != LL_OK) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_opaque(conf, options->opaque);
    if (options->delivered != NULL) rd_kafka_conf_set_dr_msg_cb(conf, options->delivered);
    *out = rd_kafka_new(options->type, conf, why, sizeof(why));
    if (*out != NULL) return LL_OK;
    rd_kafka_conf_destroy(conf);
    return ll_fail(err, LL_EINVAL, "settings `kafka.*`: %s", why);
}

ll_rc kafka_topic_name(const struct settings *settings, const char *topic,
                       char out[KAFKA_TOPIC], struct ll_error *err)
{
    const char *prefix = settings_string(settings, SETTING_KAFKA_TOPIC_PREFIX);
    int n = snprintf(out, KAFKA_TOPIC, "%s%s", prefix, topic);

    for (const char *c = prefix; *c != '\0'; c++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                   *c) == NULL)
            n = KAFKA_TOPIC;
    if (n < 250) return LL_OK;
    return ll_fail(err, LL_EINVAL,
                   "setting `kafka.topic-prefix`: \"%s\" is no beginning of a name",
                   prefix);
}

ll_rc kafka_topic_partitions(rd_kafka_t *rk, const char *name, uint32_t *out,
                             struct ll_error *err)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    const struct rd_kafka_metadata *m = NULL;
    rd_kafka_resp_err_t code;
    ll_rc rc = LL_OK;

    *out = 0;
    if (topic == NULL)
        return kafka_fail(err, LL_EDATABASE, rd_kafka_last_error(), "topic \"%s\"", name);
    code = rd_kafka_metadata(rk, 0, topic, &m, KAFKA_TIMEOUT_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && m->topic_cnt == 1) {
        code = m->topics[0].err;
        *out = (uint32_t)m->topics[0].partition_cnt;
    }
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        *out = 0;
    else if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = kafka_fail(err, LL_EDATABASE, code, "ask Kafka about topic \"%s\"", name);
    if (m != NULL) rd_kafka_metadata_destroy(m);
    rd_kafka_topic_destroy(topic);
    return rc;
}

ll_rc kafka_topic_check(rd_kafka_t *rk, const char *name, uint32_t partitions,
                        struct ll_error *err)
{
    uint32_t n;
    ll_rc rc = kafka_topic_partitions(rk, name, &n, err);

    if (rc != LL_OK || n == partitions) return rc;
    if (n == 0)
        return ll_fail(
            err, LL_ENOTFOUND,
            "topic \"%s\" is not on Kafka: make it with `landlog topics create`", name);
    return ll_fail(err, LL_EBROKEN,
                   "topic \"%s\" has %u partitions on Kafka and %u in the topics that "
                   "are declared",
                   name, n, partitions);
}

ll_rc kafka_end(rd_kafka_t *rk, const char *name, uint32_t partition, int64_t *out,
                struct ll_error *err)
{
    int64_t low;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        rk, name, (int32_t)partition, &low, out, KAFKA_TIMEOUT_MS);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return LL_OK;
    return kafka_fail(err, LL_EDATABASE, code, "ask Kafka for the end of %s/%u", name,
                      partition);
}

ll_rc kafka_fail(struct ll_error *err, ll_rc rc, rd_kafka_resp_err_t code,
                 const char *fmt, ...)
{
    struct builder what;
    va_list args;

    builder_init(&what, sizeof(err->text));
    va_start(args, fmt);
    builder_vprintf(&what, fmt, args);
    va_end(args);
    ll_fail(err, rc, "%.*s: %s", TEXT_ARGS(builder_view(&what)), rd_kafka_err2str(code));
    builder_fini(&what);
    return rc;
}
