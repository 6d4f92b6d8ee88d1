/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* topics_command.c - `landlog topics`: what is on the log, and making what is missing. */
#include "core/cli/command.h"
#include "core/cli/install.h"
#include "core/cli/log_probe.h"
#include "core/base/clock.h"
#include "core/log/kafka_topics.h"
#include "core/log/referee.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct command_option options[] = {
    {"json", NULL, "list: print one line of JSON a topic", 0},
    {"replication", "N", "create: copies on Kafka (the cluster's own default)", 0},
    {"recreate", NULL, "create: first delete those on Kafka, if no log is kept there", 0},
    {0},
};

/* ---- list ---- */

struct extent {
    uint64_t events;
    int64_t first, last; /* ms; of the oldest and newest event, where there are events */
};

static struct extent extent_of(const struct settings *settings, const struct topic *topic)
{
    uint64_t ends[TOPIC_PARTITIONS_MAX];
    struct extent e = {.first = INT64_MAX, .last = INT64_MIN};

    log_probe_ends(settings, topic, ends);
    for (uint32_t p = 0; p < topic->partitions; p++) {
        int64_t first, last;

        if (ends[p] == 0) continue;
        e.events += ends[p];
        first = log_probe_time(settings, topic, p, 1);
        last = log_probe_time(settings, topic, p, ends[p]);
        if (first < e.first) e.first = first;
        if (last > e.last) e.last = last;
    }
    return e;
}

static void print_row(const struct topic *t, const struct extent *e)
{
    char first[CLOCK_TEXT] = "-", last[CLOCK_TEXT] = "-";

    if (e->events > 0) {
        clock_print(e->first, first);
        clock_print(e->last, last);
    }
    printf("%-20s %-12s %10" PRIu32 " %12" PRIu64 "  %-24s  %-24s  %s%s\n", t->name,
           t->service, t->partitions, e->events, first, last, t->keyed_by,
           t->ephemeral ? " (ephemeral)" : "");
}

static void print_json(const struct topic *t, const struct extent *e)
{
    char text[CLOCK_TEXT];
    json_t *row = json_pack(
        "{s:s, s:s, s:I, s:s, s:b, s:I, s:n, s:n}", "topic", t->name, "service",
        t->service, "partitions", (json_int_t)t->partitions, "keyedBy", t->keyed_by,
        "ephemeral", t->ephemeral, "events", (json_int_t)e->events, "first", "last");
    struct builder b;

    LL_CHECK(row != NULL);
    if (e->events > 0) {
        clock_print(e->first, text);
        json_object_set_new(row, "first", json_string(text));
        clock_print(e->last, text);
        json_object_set_new(row, "last", json_string(text));
    }
    builder_init(&b, 4096);
    json_write(row, &b);
    printf("%s\n", b.ptr);
    builder_fini(&b);
    json_decref(row);
}

static int list(const struct command_line *line, const struct topics *topics)
{
    bool is_json = command_option(line, "json") != NULL;

    if (!is_json)
        printf("%-20s %-12s %10s %12s  %-24s  %-24s  %s\n", "TOPIC", "SERVICE",
               "PARTITIONS", "EVENTS", "FIRST", "LAST", "KEYED BY");
    for (size_t i = 0; i < topics->count; i++) {
        const struct topic *t = &topics->topics[i];
        struct extent e = {0};

        if (!t->ephemeral) e = extent_of(line->settings, t);
        if (is_json)
            print_json(t, &e);
        else
            print_row(t, &e);
    }
    return 0;
}

/* ---- create ---- */

static void create_in_postgres(const struct command_line *line,
                               const struct topics *topics)
{
    (void)topics;
    registry_free(install(line->settings)); /* checks partition counts too */
}

static bool is_always(const struct settings *settings)
{
    (void)settings;
    return true;
}

/* Topics that hold the only copy of a log are not for deleting. */
static void delete_on_kafka(const struct command_line *line, const struct topics *topics)
{
    char store[STORE_NAME];
    struct ll_error err;
    PGconn *connection;

    if (pg_connect(settings_string(line->settings, SETTING_POSTGRES), "topics",
                   &connection, &err) != LL_OK)
        die("%s", err.text);
    for (size_t i = 0; i < topics->count; i++) {
        if (referee_store(connection, topics->topics[i].service, store, &err) != LL_OK)
            die("%s", err.text);
        if (strcmp(store, "kafka") == 0)
            die("the log of service \"%s\" is kept on Kafka", topics->topics[i].service);
    }
    PQfinish(connection);
    if (kafka_topics_delete(line->settings, topics, &err) != LL_OK) die("%s", err.text);
}

static void create_on_kafka(const struct command_line *line, const struct topics *topics)
{
    unsigned replication = (unsigned)command_option_u64(line, "replication", 1, 15, 0);
    enum kafka_made made[TOPICS_MAX];
    struct ll_error err;

    if (command_option(line, "recreate") != NULL) delete_on_kafka(line, topics);
    if (kafka_topics_create(line->settings, topics, replication, made, &err) != LL_OK)
        die("%s", err.text);
    for (size_t i = 0; i < topics->count; i++)
        if (made[i] == KAFKA_MADE)
            printf("made \"%s\" with %" PRIu32 " partitions on Kafka\n",
                   topics->topics[i].name, topics->topics[i].partitions);
}

static bool has_kafka(const struct settings *settings)
{
    return settings_string(settings, SETTING_KAFKA_BROKERS)[0] != '\0';
}

/* One row for each place where topics are kept. */
static const struct keeper {
    const char *name;
    bool (*is_used)(const struct settings *settings);
    void (*create)(const struct command_line *line, const struct topics *topics);
} keepers[] = {
    {"Postgres", is_always, create_in_postgres},
    {"Kafka", has_kafka, create_on_kafka},
};

static int create(const struct command_line *line, const struct topics *topics)
{
    for (size_t i = 0; i < LL_LENGTH(keepers); i++) {
        if (!keepers[i].is_used(line->settings)) continue;
        keepers[i].create(line, topics);
        printf("%s has all %zu topics\n", keepers[i].name, topics->count);
    }
    return 0;
}

static const struct action {
    const char *name;
    int (*run)(const struct command_line *line, const struct topics *topics);
} actions[] = {{"list", list}, {"create", create}};

static int topics_run(const struct command_line *line)
{
    const char *name = line->argument_count > 0 ? line->arguments[0] : "list";
    struct registry *registry;
    struct ll_error err;
    int status;

    for (size_t i = 0; i < LL_LENGTH(actions); i++) {
        if (strcmp(actions[i].name, name) != 0) continue;
        if (registry_load(&registry, &err) != LL_OK) die("%s", err.text);
        status = actions[i].run(line, registry_topics(registry));
        registry_free(registry);
        return status;
    }
    die_usage("unknown action \"%s\"", name);
}

const struct command topics_command = {
    .name = "topics",
    .summary = "list the topics, or make those that are missing",
    .arguments = "[list | create]",
    .help =
        "list    name, service, partitions, events, time of the first and last event\n"
        "create  make what schemas/topics.json declares and is not there; a topic whose\n"
        "        partition count or service has changed is refused. Where kafka.brokers "
        "is\n"
        "        set, on Kafka too: kept for ever, never compacted",
    .most = 1,
    .options = options,
    .run = topics_run,
};
