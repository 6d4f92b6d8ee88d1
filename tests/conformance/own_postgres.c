/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* own_postgres.c - scripts/postgres with a folder and a port of its own. */
#include "own_postgres.h"

#include "conformance.h"
#include "free_port.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 2048 };

static void shell(const char *line)
{
    if (system(line) != 0) suite_die("failed: %s", line);
}

void own_postgres(const char *command)
{
    char line[LINE];

    snprintf(line, sizeof(line), LANDLOG_SOURCE_DIR "/scripts/postgres %s >&2", command);
    shell(line);
}

/* The value that `scripts/postgres env` gives a name. */
static void read_env(const char *name)
{
    char line[LINE], *quote, *end;
    FILE *lines = popen(LANDLOG_SOURCE_DIR "/scripts/postgres env", "r");

    if (lines == NULL) suite_die("scripts/postgres env");
    while (fgets(line, sizeof(line), lines) != NULL) {
        if (strncmp(line, name, strlen(name)) != 0) continue;
        quote = strchr(line, '"');
        end = strrchr(line, '"');
        if (quote == NULL || end == quote) continue;
        *end = '\0';
        setenv(name, quote + 1, 1);
    }
    pclose(lines);
}

void own_postgres_start(const char *folder)
{
    char port[16], line[LINE];

    snprintf(port, sizeof(port), "%d", free_port());
    snprintf(line, sizeof(line), "rm -rf '%s'", folder);
    shell(line);
    setenv("LANDLOG_VAR", folder, 1);
    setenv("LANDLOG_POSTGRES_PORT", port, 1);
    own_postgres("start");
    read_env("LANDLOG_TEST_POSTGRES");
}

void own_postgres_shell(const char *command)
{
    char line[LINE];

    snprintf(line, sizeof(line),
             ". " LANDLOG_SOURCE_DIR
             "/scripts/lib.sh; data=$(readlink -f $var/postgres)/data;"
             " bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1);"
             " conninfo=\"$LANDLOG_TEST_POSTGRES\";"
             " export bin data conninfo; cd /; as_service bash -c '%s' >&2",
             command);
    setenv("OWN_POSTGRES", line, 1);
    shell("bash -c \"$OWN_POSTGRES\"");
}

void own_postgres_remove(void)
{
    own_postgres("stop immediate");
    shell("rm -rf \"$(readlink -f \"$LANDLOG_VAR/postgres\")\" \"$LANDLOG_VAR\"");
}
