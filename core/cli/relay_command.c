/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* relay_command.c - `landlog relay`: carry accepted events to Kafka, for as long as it is
 * let. What fails is opened again after a pause that doubles up to 2 s. */
#include "core/cli/command.h"
#include "core/cli/install.h"
#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/relay.h"
#include "core/log/worker.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { STEP_MS = 50, PAUSE_LEAST_MS = 100, PAUSE_MOST_MS = 2000, FLUSH_MS = 5000 };

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
    (void)number;
    is_stopping = 1;
}

static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

/* Says that it is at work, on a connection that is made when it is needed. */
struct heart {
    const struct settings *settings;
    char name[WORKER_NAME];
    PGconn *connection;
    int64_t next_us;
};

static void beat(struct heart *h, struct relay *relay)
{
    struct relay_progress p;
    struct ll_error err;
    char detail[160];

    if (clock_monotonic_us() < h->next_us) return;
    h->next_us = clock_monotonic_us() + WORKER_BEAT_MS * INT64_C(1000);
    if (relay_progress(relay, &p, &err) != LL_OK) return;
    snprintf(detail, sizeof(detail), "%zu of %zu partitions, %" PRIu64 " behind%s",
             p.held, p.partitions, p.lag, p.broken > 0 ? ", some halted" : "");
    if (h->connection == NULL &&
        pg_connect(settings_string(h->settings, SETTING_POSTGRES), "relay heart",
                   &h->connection, &err) != LL_OK)
        return;
    if (worker_beat(h->connection, h->name, "relay", detail, &err) == LL_OK) return;
    PQfinish(h->connection);
    h->connection = NULL;
}

/* One relay from its opening to its failure or ours. True when it did some work. */
static bool carry(const struct relay_options *options, struct heart *heart)
{
    struct relay *relay;
    struct ll_error err;
    bool has_worked = false;
    ll_rc rc = relay_open(options, &relay, &err);

    while (rc == LL_OK && !is_stopping) {
        rc = relay_step(relay, STEP_MS, &err);
        if (rc == LL_OK) beat(heart, relay);
        has_worked = has_worked || rc == LL_OK;
    }
    if (rc != LL_OK) note(NOTE_WARNING, "relay begins again", NOTE_S("why", err.text));
    relay_close(relay, rc == LL_OK ? FLUSH_MS : 0);
    if (rc == LL_EINVAL) die("%s", err.text);
    return has_worked;
}

static int relay_run(const struct command_line *line)
{
    struct heart heart = {.settings = line->settings};
    struct relay_options options = {.settings = line->settings,
                                    .owner = heart.name,
                                    .service = command_option(line, "service"),
                                    .is_reclaiming =
                                        command_option(line, "reclaim") != NULL};
    long pause = PAUSE_LEAST_MS;

    catch_signals();
    if (settings_string(line->settings, SETTING_KAFKA_BROKERS)[0] == '\0')
        die("setting `kafka.brokers` is empty");
    registry_free(install(line->settings));
    worker_name("relay", heart.name);
    while (!is_stopping) {
        struct timespec t = {pause / 1000, pause % 1000 * 1000000};

        if (carry(&options, &heart))
            pause = PAUSE_LEAST_MS;
        else
            pause = pause * 2 < PAUSE_MOST_MS ? pause * 2 : PAUSE_MOST_MS;
        if (!is_stopping) nanosleep(&t, NULL);
    }
    if (heart.connection != NULL) worker_leave(heart.connection, heart.name);
    PQfinish(heart.connection);
    return 0;
}

static const struct command_option options[] = {
    {"service", "NAME", "only the topics of this service", 0},
    {"reclaim", NULL, "take the log back from the relay of another database", 0},
    {0},
};

const struct command relay_command = {
    .name = "relay",
    .summary = "carry accepted events from Postgres to Kafka",
    .arguments = "",
    .help =
        "Sends the events of services whose log is on Kafka, in order and exactly once\n"
        "for every reader. Each partition is carried by one relay; run a second one\n"
        "elsewhere and it takes over within seconds when the first is gone. While none\n"
        "runs, commands wait, then are refused (kafka.lag-limit). `landlog log copy`\n"
        "says which store a log is on.",
    .options = options,
    .run = relay_run,
};
