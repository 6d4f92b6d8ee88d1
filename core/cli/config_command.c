/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* config_command.c - `landlog config`: the effective settings and where each came from.
 */
#include "core/cli/command.h"

#include <stdio.h>
#include <string.h>

/* A connection string without the value of its password. */
static void print_hidden(const char *value)
{
    const char *at = strstr(value, "password=");
    const char *end;

    if (at == NULL) {
        printf("%s", value);
        return;
    }
    end = at + strcspn(at, " ");
    printf("%.*spassword=***%s", (int)(at - value), value, end);
}

static int config_run(const struct command_line *line)
{
    const struct settings *s = line->settings;
    const char *name, *value;

    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_info *info = &setting_table[i];

        printf("%s = ", info->name);
        if (info->secret)
            print_hidden(settings_string(s, (enum setting)i));
        else
            printf("%s", settings_string(s, (enum setting)i));
        printf("  # %s (from %s)\n", info->help, settings_origin(s, (enum setting)i));
    }
    for (size_t i = 0; settings_kafka_property(s, i, &name, &value); i++)
        printf("kafka.%s = %s\n", name, strstr(name, "password") ? "***" : value);
    for (size_t i = 0; settings_service_at(s, i, &name, &value); i++)
        printf("service.%s = %s\n", name, strstr(name, "token") ? "***" : value);
    return 0;
}

const struct command config_command = {
    .name = "config",
    .summary = "print the effective settings and where each came from",
    .arguments = "",
    .run = config_run,
};
