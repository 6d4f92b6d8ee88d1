/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_bench.c - the relay against raw librdkafka with the same settings and the same
 * records to the same broker, in turns; the same reading back; and where each millisecond
 * goes from an append to a Kafka reader. Needs LANDLOG_TEST_POSTGRES, LANDLOG_TEST_KAFKA.
 */
#include "figure.h"

#include "core/base/clock.h"
#include "core/log/kafka_client.h"
#include "core/log/kafka_envelope.h"
#include "core/log/kafka_topics.h"
#include "core/log/log_copy.h"
#include "core/log/reader.h"
#include "core/log/referee.h"
#include "core/log/relay.h"
#include "core/log/wake.h"
#include "core/pg/connect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 200000, DATA = 400, ROUNDS = 3, LATENCIES = 500, WARM = 50, PARTS = 8 };

static const char topics_json[] =
    "{\"things\": {\"service\": \"bench\", \"partitions\": 8, \"keyed-by\": \"thing\"}}";

struct bench {
    char database[64], conninfo[1024];
    struct settings *settings;
    struct topics topics;
    struct record *events;
    char data[DATA];
};

_Noreturn static void stop(const struct ll_error *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void must(ll_rc rc, const struct ll_error *err)
{
    if (rc != LL_OK) stop(err);
}

static void set(struct bench *b, const char *name, const char *value)
{
    struct ll_error err;

    must(settings_set(b->settings, text_of(name), text_of(value), "bench", &err), &err);
}

static void on_server(const char *sql)
{
    struct ll_error err;
    PGconn *connection;

    must(pg_connect(getenv("LANDLOG_TEST_POSTGRES"), "bench", &connection, &err), &err);
    must(pg_script(connection, sql, &err), &err);
    PQfinish(connection);
}

static PGconn *connect_to(const struct bench *b)
{
    struct ll_error err;
    PGconn *connection;

    must(pg_connect(b->conninfo, "bench", &connection, &err), &err);
    return connection;
}

static double seconds_since(int64_t start)
{
    return (double)(clock_monotonic_us() - start) / 1e6;
}

/* Processor time until now, in seconds. */
struct used {
    double process, thread, backend; /* of Postgres that reads the relay's rows */
};

static double clock_seconds(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double backend_seconds(const struct bench *b)
{
    unsigned long user = 0, system = 0;
    PGconn *connection = connect_to(b);
    char path[64];
    struct ll_error err;
    PGresult *rows;
    FILE *f;

    must(pg_query(
             connection,
             "select pid from pg_stat_activity where application_name like '%relay rows'"
             " and datname = current_database()",
             NULL, 0, &rows, &err),
         &err);
    snprintf(path, sizeof(path), "/proc/%s/stat",
             PQntuples(rows) == 1 ? PQgetvalue(rows, 0, 0) : "none");
    PQclear(rows);
    PQfinish(connection);
    f = fopen(path, "r");
    if (f == NULL) return 0;
    if (fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &user, &system) != 2)
        user = system = 0;
    fclose(f);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static struct used used_now(const struct bench *b, bool has_backend)
{
    return (struct used){clock_seconds(CLOCK_PROCESS_CPUTIME_ID),
                         clock_seconds(CLOCK_THREAD_CPUTIME_ID),
                         has_backend ? backend_seconds(b) : 0};
}

static struct used used_since(const struct bench *b, const struct used *from,
                              bool has_backend)
{
    struct used u = used_now(b, has_backend);

    return (struct used){u.process - from->process, u.thread - from->thread,
                         u.backend - from->backend};
}

/* ---- the log ---- */

static void make_events(struct bench *b)
{
    b->events = ll_calloc(EVENTS, sizeof(*b->events));
    for (size_t i = 0; i < DATA; i++) b->data[i] = (char)('a' + rand() % 26);
    for (size_t i = 0; i < EVENTS; i++) {
        struct record *r = &b->events[i];
        struct text *tag = ll_malloc(sizeof(*tag));
        char *key = ll_malloc(32);

        *tag = (struct text){key, (size_t)snprintf(key, 32, "thing:%zu", i % 50000)};
        *r = (struct record){.topic = &b->topics.topics[0],
                             .id = uuid_v7(clock_now_ms()),
                             .type = TEXT("bench.thing-happened"),
                             .version = 1,
                             .source = TEXT("/bench"),
                             .subject = *tag,
                             .key = *tag,
                             .tags = tag,
                             .tag_count = 1,
                             .time = clock_now_ms(),
                             .sequence = i / PARTS + 1,
                             .command_size = 1,
                             .data = {b->data, DATA}};
        r->partition = topic_partition(r->topic, r->key);
        r->command = r->body = r->id;
    }
}

static void open_log(struct bench *b)
{
    struct ll_error err;
    char sql[160];
    PGconn *connection;

    snprintf(b->database, sizeof(b->database), "landlog_bench_kafka_%d", (int)getpid());
    snprintf(b->conninfo, sizeof(b->conninfo), "%s dbname=%s",
             getenv("LANDLOG_TEST_POSTGRES"), b->database);
    snprintf(sql, sizeof(sql), "create database %s", b->database);
    on_server(sql);
    must(settings_load("/dev/null", &b->settings, &err), &err);
    set(b, "postgres", b->conninfo);
    set(b, "kafka.brokers", getenv("LANDLOG_TEST_KAFKA"));
    snprintf(sql, sizeof(sql), "%s.", b->database);
    set(b, "kafka.topic-prefix", sql);
    must(topics_parse(&b->topics, text_of(topics_json), &err), &err);
    make_events(b);
    connection = connect_to(b);
    must(referee_install(connection, &b->topics, &err), &err);
    for (size_t i = 0; i < EVENTS; i += 2000) {
        size_t duplicates;

        must(referee_append_bulk(connection, "bench", b->events + i, 2000, &duplicates,
                                 &err),
             &err);
    }
    must(pg_script(connection, "vacuum analyze landlog.event", &err), &err);
    PQfinish(connection);
}

static void new_topics(const struct bench *b)
{
    struct ll_error err;

    must(kafka_topics_delete(b->settings, &b->topics, &err), &err);
    must(kafka_topics_create(b->settings, &b->topics, 0, NULL, &err), &err);
}

static void close_log(struct bench *b)
{
    struct ll_error err;
    char sql[160];

    must(kafka_topics_delete(b->settings, &b->topics, &err), &err);
    snprintf(sql, sizeof(sql), "drop database %s with (force)", b->database);
    on_server(sql);
    for (size_t i = 0; i < EVENTS; i++) {
        free((void *)(uintptr_t)b->events[i].key.ptr);
        free((void *)(uintptr_t)b->events[i].tags);
    }
    free(b->events);
    settings_free(b->settings);
}

/* ---- raw librdkafka ---- */

static size_t delivered;

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fprintf(stderr, "raw: %s\n", rd_kafka_err2str(m->err));
        exit(1);
    }
    delivered++;
}

static void raw_one(rd_kafka_t *rk, rd_kafka_topic_t *topic, const struct record *r,
                    struct kafka_writer *w)
{
    rd_kafka_headers_t *headers;
    rd_kafka_resp_err_t code;

    do {
        headers = rd_kafka_headers_new(w->count);
        for (size_t i = 0; i < w->count; i++)
            rd_kafka_header_add(headers, w->header[i].name.ptr,
                                (ssize_t)w->header[i].name.len, w->header[i].value.ptr,
                                (ssize_t)w->header[i].value.len);
        code = rd_kafka_producev(
            rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION((int32_t)r->partition),
            RD_KAFKA_V_KEY(r->key.ptr, r->key.len),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)r->data.ptr, r->data.len),
            RD_KAFKA_V_TIMESTAMP(r->time), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_headers_destroy(headers);
            rd_kafka_poll(rk, 10);
        }
    } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
}

/* The relay's producer, given the records by a loop: what librdkafka and this broker can
 * do with these records. The headers of all are those of one, made beforehand. */
static double raw_throughput(struct bench *b, struct used *cpu)
{
    struct kafka_options options = {RD_KAFKA_PRODUCER, "raw", on_delivery, NULL};
    char name[KAFKA_TOPIC];
    struct kafka_writer w;
    rd_kafka_topic_t *topic;
    struct ll_error err;
    rd_kafka_t *rk;
    int64_t start;
    double took;

    new_topics(b);
    must(kafka_topic_name(b->settings, "things", name, &err), &err);
    must(kafka_open(b->settings, &options, &rk, &err), &err);
    topic = rd_kafka_topic_new(rk, name, NULL);
    kafka_writer_init(&w);
    kafka_write_event(&w, &b->events[EVENTS / 2], 1);
    delivered = 0;
    for (size_t i = 0; i < PARTS; i++) raw_one(rk, topic, &b->events[i], &w);
    rd_kafka_flush(rk, 10000);
    delivered = 0;
    *cpu = used_now(b, false);
    start = clock_monotonic_us();
    for (size_t i = 0; i < EVENTS; i++) {
        raw_one(rk, topic, &b->events[i], &w);
        if (i % 1000 == 0) rd_kafka_poll(rk, 0);
    }
    while (delivered < EVENTS) rd_kafka_poll(rk, 10);
    took = seconds_since(start);
    *cpu = used_since(b, cpu, false);
    kafka_writer_fini(&w);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return EVENTS / took;
}

/* ---- the relay ---- */

static void forget(struct bench *b)
{
    PGconn *connection = connect_to(b);
    struct ll_error err;

    must(pg_script(connection,
                   "truncate landlog.relayed, landlog.place;"
                   "update landlog.referee set store = 'postgres'",
                   &err),
         &err);
    PQfinish(connection);
}

static double relay_throughput(struct bench *b, struct used *cpu)
{
    struct relay_options options = {b->settings, "bench", "bench", true, false};
    struct relay_progress p = {0};
    struct relay *relay;
    struct ll_error err;
    int64_t start = 0;
    double took;

    new_topics(b);
    forget(b);
    must(relay_open(&options, &relay, &err), &err);
    while (p.acknowledged < EVENTS) {
        must(relay_step(relay, 50, &err), &err);
        relay_count(relay, &p);
        if (start == 0 && p.held == PARTS) {
            *cpu = used_now(b, true);
            start = clock_monotonic_us();
        }
    }
    took = seconds_since(start);
    *cpu = used_since(b, cpu, true);
    relay_close(relay, 5000);
    return EVENTS / took;
}

/* ---- reading back ---- */

/* Whoever reads events reads their attributes: librdkafka decodes headers when asked. */
static size_t touch_headers(rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t n = 0, len;

    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
    while (rd_kafka_header_get_all(headers, n, &name, &value, &len) ==
           RD_KAFKA_RESP_ERR_NO_ERROR)
        n++;
    return n;
}

/* With a queue that never fills, as librdkafka has it by default (reader: 8 MiB). */
static struct settings *large_queues(void)
{
    static const char *const pairs[][2] = {{"kafka.queued.min.messages", "100000"},
                                           {"kafka.queued.max.messages.kbytes", "65536"},
                                           {"kafka.fetch.message.max.bytes", "1048576"},
                                           {"kafka.fetch.max.bytes", "52428800"}};
    struct settings *settings;
    struct ll_error err;

    must(settings_load("/dev/null", &settings, &err), &err);
    for (size_t i = 0; i < LL_LENGTH(pairs); i++)
        must(settings_set(settings, text_of(pairs[i][0]), text_of(pairs[i][1]), "bench",
                          &err),
             &err);
    must(settings_set(settings, TEXT("kafka.brokers"),
                      text_of(getenv("LANDLOG_TEST_KAFKA")), "bench", &err),
         &err);
    return settings;
}

static double raw_reading(struct bench *b)
{
    struct settings *settings = large_queues();
    struct kafka_options options = {.type = RD_KAFKA_CONSUMER, .purpose = "raw"};
    char name[KAFKA_TOPIC];
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *m;
    struct ll_error err;
    rd_kafka_t *rk;
    int64_t start;
    size_t n = 0;
    double took;

    must(kafka_topic_name(b->settings, "things", name, &err), &err);
    must(kafka_open(settings, &options, &rk, &err), &err);
    topic = rd_kafka_topic_new(rk, name, NULL);
    queue = rd_kafka_queue_new(rk);
    start = clock_monotonic_us();
    for (int32_t i = 0; i < PARTS; i++) rd_kafka_consume_start_queue(topic, i, 0, queue);
    while (n < EVENTS) {
        m = rd_kafka_consume_queue(queue, 1000);
        if (m == NULL) continue;
        n += m->err == RD_KAFKA_RESP_ERR_NO_ERROR && touch_headers(m) > 10;
        rd_kafka_message_destroy(m);
    }
    took = seconds_since(start);
    for (int32_t i = 0; i < PARTS; i++) rd_kafka_consume_stop(topic, i);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    settings_free(settings);
    return EVENTS / took;
}

static struct log_reader *open_reader(struct bench *b, const struct log_cursor *from)
{
    struct log_cursor cursors[PARTS] = {0};
    struct log_reader *reader;
    struct ll_error err;

    for (uint32_t i = 0; i < PARTS; i++) {
        if (from != NULL) cursors[i] = from[i];
        cursors[i].partition = i;
    }
    must(
        log_reader_open(b->settings, &b->topics.topics[0], cursors, PARTS, &reader, &err),
        &err);
    return reader;
}

static double reading(struct bench *b)
{
    struct log_reader *reader = open_reader(b, NULL);
    int64_t start = clock_monotonic_us();
    struct log_batch batch;
    struct ll_error err;
    double took;

    for (size_t n = 0; n < EVENTS; n += batch.count)
        must(log_reader_next(reader, 1000, 1000, &batch, &err), &err);
    took = seconds_since(start);
    log_reader_close(reader);
    return EVENTS / took;
}

/* ---- latency ---- */

struct seen {
    struct bench *bench;
    const struct log_cursor *from;
    atomic_llong at; /* monotonic us of the last event seen */
    atomic_int count;
    atomic_bool is_ready, is_over;
};

static void *watch(void *context)
{
    struct seen *seen = context;
    struct log_reader *reader = open_reader(seen->bench, seen->from);
    struct log_batch batch;
    struct ll_error err;

    while (!seen->is_over) {
        must(log_reader_next(reader, 1000, 100, &batch, &err), &err);
        seen->is_ready = true;
        if (batch.count == 0) continue;
        seen->at = clock_monotonic_us();
        seen->count += (int)batch.count;
    }
    log_reader_close(reader);
    return NULL;
}

static void *carry(void *context)
{
    struct seen *seen = context;
    struct relay_options options = {.settings = seen->bench->settings, .owner = "bench"};
    struct relay_progress p = {0};
    struct relay *relay;
    struct ll_error err;

    must(relay_open(&options, &relay, &err), &err);
    while (!seen->is_over) {
        must(relay_step(relay, 50, &err), &err);
        relay_count(relay, &p);
        if (p.held == PARTS) seen->is_ready = true;
    }
    relay_close(relay, 5000);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void print_times(const char *what, int64_t *us, size_t n, double aim_p99)
{
    char figure[120];

    qsort(us, n, sizeof(*us), ascending);
    snprintf(figure, sizeof(figure), "%s, p50", what);
    figure_value(figure, (double)us[n / 2] / 1000, "ms");
    snprintf(figure, sizeof(figure), "%s, p99", what);
    if (aim_p99 > 0)
        figure_below(figure, (double)us[n * 99 / 100] / 1000, "ms", aim_p99);
    else
        figure_value(figure, (double)us[n * 99 / 100] / 1000, "ms");
}

static void wait_until(const atomic_bool *flag)
{
    while (!*flag) usleep(1000);
}

static void find_ends(PGconn *connection, struct log_cursor ends[PARTS])
{
    PGresult *rows;
    struct ll_error err;

    must(pg_query(connection,
                  "select r.sequence, r.id from landlog.relayed r"
                  " join landlog.partition p on p.id = r.partition order by p.number",
                  NULL, 0, &rows, &err),
         &err);
    for (int i = 0; i < PARTS; i++) {
        ends[i].sequence = strtoull(PQgetvalue(rows, i, 0), NULL, 10);
        uuid_parse(text_of(PQgetvalue(rows, i, 1)), &ends[i].id);
    }
    PQclear(rows);
}

/* One event at a time, from the call of append to a reader that has it. */
static void latency(struct bench *b)
{
    struct log_cursor ends[PARTS];
    static int64_t append[LATENCIES], carried[LATENCIES], whole[LATENCIES];
    struct seen reader = {.bench = b, .from = ends}, relay = {.bench = b};
    PGconn *connection = connect_to(b);
    pthread_t watching, carrying;
    struct wake *wake;

    find_ends(connection, ends);
    wake_open(b->conninfo, &wake);
    if (pthread_create(&carrying, NULL, carry, &relay) != 0) abort();
    wait_until(&relay.is_ready);
    if (pthread_create(&watching, NULL, watch, &reader) != 0) abort();
    wait_until(&reader.is_ready);
    for (int i = -WARM; i < LATENCIES; i++) {
        struct record event = b->events[(size_t)(i + WARM) * 17];
        struct append_command command = {.events = &event, .event_count = 1};
        struct append_answer answer;
        struct ll_error err;
        int before = reader.count;
        int64_t start, committed;

        event.id = command.key = uuid_v7(clock_now_ms());
        start = clock_monotonic_us();
        must(referee_append(connection, "bench", &command, 1, &answer, &err), &err);
        committed = clock_monotonic_us();
        wake_send(wake, WAKE_APPENDED);
        while (reader.count == before) usleep(50);
        if (i >= 0) {
            append[i] = committed - start;
            carried[i] = reader.at - committed;
            whole[i] = reader.at - start;
        }
        usleep(2000);
    }
    reader.is_over = relay.is_over = true;
    pthread_join(watching, NULL);
    pthread_join(carrying, NULL);
    wake_close(wake);
    PQfinish(connection);
    print_times("append to a Kafka reader", whole, LATENCIES, 15);
    print_times("  of that: append committed", append, LATENCIES, 0);
    print_times("  of that: relay and Kafka", carried, LATENCIES, 0);
}

/* A record alone, to its acknowledgement: what Kafka itself needs of that. */
static void raw_latency(struct bench *b)
{
    static int64_t times[LATENCIES];
    struct kafka_options options = {RD_KAFKA_PRODUCER, "raw", on_delivery, NULL};
    char name[KAFKA_TOPIC];
    struct kafka_writer w;
    rd_kafka_topic_t *topic;
    struct ll_error err;
    rd_kafka_t *rk;

    new_topics(b);
    must(kafka_topic_name(b->settings, "things", name, &err), &err);
    must(kafka_open(b->settings, &options, &rk, &err), &err);
    topic = rd_kafka_topic_new(rk, name, NULL);
    kafka_writer_init(&w);
    kafka_write_event(&w, &b->events[0], 1);
    for (int i = -WARM; i < LATENCIES; i++) {
        int64_t start = clock_monotonic_us();

        delivered = 0;
        raw_one(rk, topic, &b->events[(i + WARM) * 17], &w);
        while (delivered == 0) rd_kafka_poll(rk, 100);
        if (i >= 0) times[i] = clock_monotonic_us() - start;
        usleep(2000);
    }
    kafka_writer_fini(&w);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    print_times("  raw librdkafka, record to acknowledgement", times, LATENCIES, 0);
}

/* ---- all of it ---- */

static double middle(double *values)
{
    for (size_t i = 1; i < ROUNDS; i++)
        for (size_t k = i; k > 0 && values[k] < values[k - 1]; k--) {
            double swapped = values[k];

            values[k] = values[k - 1];
            values[k - 1] = swapped;
        }
    return values[ROUNDS / 2];
}

static double per_event(double seconds)
{
    return seconds * 1e6 / EVENTS;
}

static void throughput(struct bench *b)
{
    double raw[ROUNDS], relayed[ROUNDS];
    struct used raw_used[ROUNDS], used[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        raw[i] = raw_throughput(b, &raw_used[i]);
        relayed[i] = relay_throughput(b, &used[i]);
    }
    figure_ratio("relay to Kafka, against raw librdkafka", middle(relayed), "events/s",
                 middle(raw), 0.9);
    figure_value("  raw librdkafka, processor time", per_event(raw_used[0].process),
                 "us/event");
    figure_value("  relay, processor time of its thread", per_event(used[0].thread),
                 "us/event");
    figure_value("  relay, of librdkafka's threads",
                 per_event(used[0].process - used[0].thread), "us/event");
    figure_value("  relay, of Postgres", per_event(used[0].backend), "us/event");
}

static void read_back(struct bench *b)
{
    double raw[ROUNDS], ours[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        raw[i] = raw_reading(b);
        ours[i] = reading(b);
    }
    figure_value("reader over Kafka", middle(ours), "events/s");
    figure_value("  raw librdkafka, headers read", middle(raw), "events/s");
}

static bool is_wanted(const char *only, const char *part)
{
    return only[0] == '\0' || strcmp(only, part) == 0;
}

/* kafka_bench [throughput|reading|latency] */
int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    static struct bench b;
    struct log_copy copy;
    struct ll_error err;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL || getenv("LANDLOG_TEST_KAFKA") == NULL)
        return 77;
    open_log(&b);
    if (is_wanted(only, "throughput")) throughput(&b);
    new_topics(&b);
    forget(&b);
    copy = (struct log_copy){b.settings, "bench", "bench", NULL, NULL};
    must(log_copy_to_kafka(&copy, &err), &err);
    if (is_wanted(only, "reading")) read_back(&b);
    if (is_wanted(only, "latency")) {
        latency(&b);
        raw_latency(&b);
    }
    close_log(&b);
    return 0;
}
