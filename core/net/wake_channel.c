/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* wake_channel.c - see wake_channel.h. */
#include "core/net/wake_channel.h"

#include "core/net/connector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENT_CHANNELS = 4 };

struct wake_channel {
    struct connector *connector;
    const char *const *channels;
    void (*heard)(void *context, const char *channel);
    void *context;
    const char *due[SENT_CHANNELS]; /* to be sent; NULL: none */
    bool is_busy;
};

/* Send one statement for all that is due. Channel names are ours. */
static void send_due(struct wake_channel *w)
{
    PGconn *c = connector_connection(w->connector);
    char sql[512];
    size_t n = 0;

    if (c == NULL || w->is_busy) return;
    for (size_t i = 0; i < SENT_CHANNELS; i++) {
        if (w->due[i] == NULL) continue;
        n += (size_t)snprintf(sql + n, sizeof(sql) - n, "notify %s;", w->due[i]);
        w->due[i] = NULL;
    }
    if (n == 0) return;
    LL_CHECK(n < sizeof(sql));
    w->is_busy = PQsendQuery(c, sql) == 1;
    if (w->is_busy)
        connector_flush(w->connector);
    else
        connector_reset(w->connector);
}

static bool connected(void *context, PGconn *c)
{
    struct wake_channel *w = context;
    char sql[512];
    size_t n = 0;

    for (size_t i = 0; w->channels[i] != NULL; i++)
        n += (size_t)snprintf(sql + n, sizeof(sql) - n, "listen %s;", w->channels[i]);
    LL_CHECK(n < sizeof(sql));
    w->is_busy = n > 0;
    if (n > 0 && PQsendQuery(c, sql) != 1) return false;
    w->heard(w->context, NULL);
    return true;
}

static void readable(void *context, PGconn *c)
{
    struct wake_channel *w = context;
    PGnotify *n;

    while (w->is_busy && !PQisBusy(c)) {
        PGresult *r = PQgetResult(c);

        if (r == NULL) w->is_busy = false;
        PQclear(r);
    }
    while ((n = PQnotifies(c)) != NULL) {
        w->heard(w->context, n->relname);
        PQfreemem(n);
    }
    send_due(w);
}

static void lost(void *context)
{
    struct wake_channel *w = context;

    w->is_busy = false;
}

static const struct connector_callbacks callbacks = {connected, readable, lost};

struct wake_channel *wake_channel_new(struct event_base *base, const char *conninfo,
                                      const char *const *channels,
                                      void (*heard)(void *context, const char *channel),
                                      void *context)
{
    struct wake_channel *w = ll_calloc(1, sizeof(*w));

    *w = (struct wake_channel){.channels = channels, .heard = heard, .context = context};
    w->connector = connector_new(base, conninfo, "landlog wake",
                                 "-c synchronous_commit=off", &callbacks, w);
    return w;
}

void wake_channel_free(struct wake_channel *w)
{
    connector_free(w->connector);
    free(w);
}

void wake_channel_send(struct wake_channel *w, const char *channel)
{
    size_t i = 0;

    while (i < SENT_CHANNELS && w->due[i] != NULL && strcmp(w->due[i], channel) != 0) i++;
    LL_CHECK(i < SENT_CHANNELS);
    w->due[i] = channel;
    send_due(w);
}
