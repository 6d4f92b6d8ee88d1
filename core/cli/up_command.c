/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* up_command.c - `landlog up`: the whole system on this machine, each part a process. */
#include "core/cli/command.h"
#include "core/cli/supervisor.h"
#include "core/base/note.h"

#include <stdio.h>
#include <string.h>

static const struct command_option options[] = {
    {"only", "NAMES",
     "run only these of project, react, serve and relay, separated by commas", 0},
    {0},
};

/* The parts, and when each is wanted. `relay` feeds Kafka, so it needs brokers. */
static const struct part {
    const char *name;
    bool needs_kafka;
} parts[] = {{"project", false}, {"react", false}, {"serve", false}, {"relay", true}};

static bool is_listed(const char *list, const char *name)
{
    struct text rest = text_of(list), item;

    while (rest.len > 0) {
        text_cut(&rest, ',', &item);
        if (text_is(item, name)) return true;
    }
    return false;
}

/* --config and every --set again, so that a part sees what `up` sees. */
static void pass_settings(const struct command_line *line, struct supervisor_child *c,
                          size_t n)
{
    if (settings_file(line->settings)[0] != '\0') {
        c->arguments[n++] = "--config";
        c->arguments[n++] = settings_file(line->settings);
    }
    for (size_t i = 0; i < line->set_count; i++) {
        LL_CHECK(n + 3 < SUPERVISOR_ARGUMENTS);
        c->arguments[n++] = "--set";
        c->arguments[n++] = line->sets[i];
    }
    c->arguments[n] = NULL;
}

static bool reload(void *context)
{
    const struct command_line *line = context;
    const char *file = settings_file(line->settings);
    struct settings *fresh;
    struct ll_error err;

    if (settings_load(file[0] ? file : NULL, &fresh, &err) != LL_OK) {
        note(NOTE_ERROR, "configuration is wrong, what runs goes on",
             NOTE_S("error", err.text));
        return false;
    }
    settings_free(fresh);
    note(NOTE_INFO, "configuration read again", NOTE_S("file", file));
    return true;
}

static int up_run(const struct command_line *line)
{
    const char *only = command_option(line, "only");
    bool has_kafka = settings_string(line->settings, SETTING_KAFKA_BROKERS)[0] != '\0';
    struct supervisor s = {.reload = reload, .context = (void *)(uintptr_t)line};

    for (size_t i = 0; i < LL_LENGTH(parts); i++) {
        struct supervisor_child *c = &s.children[s.count];

        if (only != NULL ? !is_listed(only, parts[i].name)
                         : parts[i].needs_kafka && !has_kafka)
            continue;
        *c = (struct supervisor_child){.name = parts[i].name};
        c->arguments[0] = line->program;
        c->arguments[1] = parts[i].name;
        pass_settings(line, c, 2);
        s.count++;
    }
    if (s.count == 0) die_usage("--only names none of project, react, serve, relay");
    return supervisor_run(&s);
}

const struct command up_command = {
    .name = "up",
    .summary = "run the whole system, restarting what ends",
    .arguments = "",
    .help =
        "Runs `landlog project`, `landlog react`, `landlog serve` and, where\n"
        "kafka.brokers is set, `landlog relay`. SIGTERM or Ctrl-C stops them cleanly; "
        "SIGHUP reads the\n"
        "configuration again and replaces each. Each also runs alone, on a machine of\n"
        "its own.",
    .options = options,
    .run = up_run,
};
