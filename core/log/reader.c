/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* reader.c - which store a topic is read from. */
#include "core/log/reader_store.h"

#include "core/log/referee.h"
#include "core/pg/connect.h"

#include <string.h>

static const struct {
    const char *name;
    reader_opener open;
} stores[] = {
    {"postgres", postgres_reader_open},
    {"kafka", kafka_reader_open},
};

static ll_rc store_now(const struct settings *settings, const char *service,
                       char out[STORE_NAME], struct ll_error *err)
{
    PGconn *connection;
    ll_rc rc = pg_connect(settings_string(settings, SETTING_POSTGRES), "store",
                          &connection, err);

    if (rc == LL_OK) rc = referee_store(connection, service, out, err);
    PQfinish(connection);
    return rc;
}

ll_rc log_reader_open(const struct settings *settings, const struct topic *topic,
                      const struct log_cursor *cursors, size_t n, struct log_reader **out,
                      struct ll_error *err)
{
    char store[STORE_NAME];
    ll_rc rc = store_now(settings, topic->service, store, err);

    *out = NULL;
    if (rc != LL_OK) return rc;
    for (size_t i = 0; i < LL_LENGTH(stores); i++)
        if (strcmp(stores[i].name, store) == 0)
            return stores[i].open(settings, topic, cursors, n, out, err);
    return ll_fail(err, LL_ENOTFOUND,
                   "topic \"%s\" is on the store \"%s\", which this binary cannot read",
                   topic->name, store);
}
