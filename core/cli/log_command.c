/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* log_command.c - `landlog log`: where each service's log is kept, and moving it. */
#include "core/cli/command.h"
#include "core/cli/install.h"
#include "core/log/log_copy.h"
#include "core/log/referee.h"
#include "core/log/worker.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- copy ---- */

struct view {
    const char *service;
    bool is_terminal;
};

static void show(void *context, uint64_t done, uint64_t total)
{
    const struct view *v = context;
    double percent = total > 0 ? 100.0 * (double)done / (double)total : 100.0;

    if (v->is_terminal)
        printf("\r\033[K%s: %" PRIu64 " of %" PRIu64 " events (%.1f%%)", v->service, done,
               total, percent);
    else
        printf("{\"service\":\"%s\",\"done\":%" PRIu64 ",\"total\":%" PRIu64 "}\n",
               v->service, done, total);
    fflush(stdout);
}

static void copy_service(const struct settings *settings, const char *service,
                         const char *store)
{
    struct view view = {service, isatty(STDOUT_FILENO)};
    char owner[WORKER_NAME];
    struct log_copy copy = {settings, service, owner, show, &view};
    struct ll_error err;
    ll_rc rc;

    worker_name("log-copy", owner);
    rc = strcmp(store, "kafka") == 0 ? log_copy_to_kafka(&copy, &err)
                                     : log_copy_to_postgres(&copy, &err);
    if (view.is_terminal) fputc('\n', stdout);
    if (rc != LL_OK) die("service \"%s\": %s", service, err.text);
    printf("the log of %s is on %s\n", service, store);
}

/* Each service once, or the one asked for. */
static void for_services(const struct topics *topics, const char *only,
                         const struct settings *settings, const char *store,
                         void (*act)(const struct settings *, const char *, const char *))
{
    bool any = false;

    for (size_t i = 0; i < topics->count; i++) {
        const char *service = topics->topics[i].service;
        bool is_first = true;

        for (size_t k = 0; k < i; k++)
            if (strcmp(topics->topics[k].service, service) == 0) is_first = false;
        if (!is_first || (only != NULL && strcmp(only, service) != 0)) continue;
        any = true;
        act(settings, service, store);
    }
    if (!any) die("no topic belongs to service \"%s\"", only);
}

static void show_store(const struct settings *settings, const char *service,
                       const char *unused)
{
    char store[STORE_NAME];
    struct ll_error err;
    PGconn *connection;
    ll_rc rc =
        pg_connect(settings_string(settings, SETTING_POSTGRES), "log", &connection, &err);

    (void)unused;
    if (rc == LL_OK) rc = referee_store(connection, service, store, &err);
    if (rc != LL_OK) die("service \"%s\": %s", service, err.text);
    PQfinish(connection);
    printf("%-20s %s\n", service, store);
}

static int log_run(const struct command_line *line)
{
    const char *action = line->argument_count > 0 ? line->arguments[0] : "show";
    const char *to = command_option(line, "to");
    bool is_copy = strcmp(action, "copy") == 0;
    struct registry *registry;

    if (!is_copy && strcmp(action, "show") != 0)
        die_usage("unknown action \"%s\"", action);
    if (is_copy &&
        (to == NULL || (strcmp(to, "kafka") != 0 && strcmp(to, "postgres") != 0)))
        die_usage("copy needs --to kafka or --to postgres");
    registry = install(line->settings);
    for_services(registry_topics(registry), command_option(line, "service"),
                 line->settings, to, is_copy ? copy_service : show_store);
    registry_free(registry);
    return 0;
}

static const struct command_option options[] = {
    {"to", "STORE", "copy: kafka or postgres", 0},
    {"service", "NAME", "only this service's log; all without it", 0},
    {0},
};

const struct command log_command = {
    .name = "log",
    .summary = "say which store keeps the log, or move it to another",
    .arguments = "[show | copy]",
    .help =
        "show: each service and the store that keeps its log.\n"
        "copy --to kafka: fill the topics from the first event on, then keep the log\n"
        "there, while everything runs. Outgrowing one machine is this command; "
        "afterwards\n"
        "`landlog relay` must run (`landlog up` does that where kafka.brokers is set).\n"
        "copy --to postgres: fetch back what was dropped, then keep the log in "
        "Postgres.\n"
        "A copy that was interrupted goes on where it was.",
    .most = 1,
    .options = options,
    .run = log_run,
};
