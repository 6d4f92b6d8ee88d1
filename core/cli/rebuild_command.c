/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* rebuild_command.c - `landlog rebuild`: an empty Postgres gets back its log's tables
 * from Kafka. */
#include "core/cli/command.h"
#include "core/cli/install.h"
#include "core/log/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static void show(void *context, const struct rebuild_progress *p)
{
    const bool *is_terminal = context;
    double percent = p->total > 0 ? 100.0 * (double)p->records / (double)p->total : 100.0;

    if (*is_terminal)
        printf("\r\033[K%s: %" PRIu64 " of %" PRIu64 " records (%.1f%%), %" PRIu64
               " events",
               p->topic, p->records, p->total, percent, p->events);
    else
        printf("{\"topic\":\"%s\",\"records\":%" PRIu64 ",\"total\":%" PRIu64
               ",\"events\":%" PRIu64 "}\n",
               p->topic, p->records, p->total, p->events);
    if (*is_terminal && p->records == p->total) fputc('\n', stdout);
    fflush(stdout);
}

static int rebuild_run_command(const struct command_line *line)
{
    bool is_terminal = isatty(STDOUT_FILENO);
    struct registry *registry;
    struct ll_error err;

    if (settings_string(line->settings, SETTING_KAFKA_BROKERS)[0] == '\0')
        die("setting `kafka.brokers` is empty");
    registry = install(line->settings);
    if (rebuild_run(line->settings, registry_topics(registry), show, &is_terminal,
                    &err) != LL_OK)
        die("%s", err.text);
    registry_free(registry);
    printf("rebuilt; `landlog up` opens the log and replays the read models\n");
    return 0;
}

const struct command rebuild_command = {
    .name = "rebuild",
    .summary = "make a lost Postgres anew from Kafka",
    .arguments = "",
    .help =
        "Reads all topics from the first record on and makes in the empty database of\n"
        "setting `postgres` what the log needs there: heads of tags, idempotency keys\n"
        "of the last 7 days, the newest events. The log has a new incarnation then.\n"
        "Read models are replayed by `landlog project`. What was interrupted goes on\n"
        "where it was. A database with events of its own is refused.",
    .run = rebuild_run_command,
};
