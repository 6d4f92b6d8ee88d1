/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* install.c - see install.h. */
#include "core/cli/install.h"

#include "core/base/clock.h"
#include "core/cli/command.h"
#include "core/log/referee.h"
#include "core/pg/connect.h"
#include "core/projection/generation.h"

#include <time.h>

enum { PATIENCE_MS = 30000 };

static PGconn *connect_patiently(const struct settings *settings)
{
    static const struct timespec pause = {0, 200 * 1000 * 1000};
    int64_t end = clock_monotonic_us() + PATIENCE_MS * 1000LL;
    struct ll_error err;
    PGconn *connection;

    while (pg_connect(settings_string(settings, SETTING_POSTGRES), "landlog install",
                      &connection, &err) != LL_OK) {
        if (clock_monotonic_us() > end)
            die("setting `postgres` (%s): %s",
                settings_origin(settings, SETTING_POSTGRES), err.text);
        nanosleep(&pause, NULL);
    }
    return connection;
}

struct registry *install(const struct settings *settings)
{
    PGconn *connection = connect_patiently(settings);
    struct registry *registry;
    struct ll_error err;

    if (registry_load(&registry, &err) != LL_OK) die("%s", err.text);
    if (referee_install(connection, registry_topics(registry), &err) != LL_OK)
        die("cannot install the log: %s", err.text);
    if (generation_install(connection, &err) != LL_OK)
        die("cannot install the projections' catalog: %s", err.text);
    PQfinish(connection);
    return registry;
}
