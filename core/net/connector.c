/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* connector.c - see connector.h. States: down (a timer runs), connecting, up. */
#include "core/net/connector.h"

#include "core/base/note.h"
#include "core/base/text.h"

#include <stdlib.h>

enum { PAUSE_FIRST_MS = 50, PAUSE_MOST_MS = 2000, CONNECT_SECONDS = 10 };

struct connector {
    struct event_base *base;
    char *conninfo;
    const char *purpose;
    char *options;
    const struct connector_callbacks *callbacks;
    void *context;
    PGconn *connection;
    enum { DOWN, CONNECTING, UP } state;
    struct event *reading, *writing, *again;
    int pause_ms;
};

static void begin(evutil_socket_t fd, short what, void *context);
static void progress(evutil_socket_t fd, short what, void *context);

static void events_free(struct connector *c)
{
    if (c->reading != NULL) event_free(c->reading);
    if (c->writing != NULL) event_free(c->writing);
    c->reading = c->writing = NULL;
}

static void try_later(struct connector *c, int pause_ms)
{
    struct timeval pause = {pause_ms / 1000, pause_ms % 1000 * 1000};

    event_add(c->again, &pause);
}

/* Drop it, tell the owner, and start the pause. */
static void drop(struct connector *c, const char *why)
{
    bool was_up = c->state == UP;

    if (why != NULL)
        note(was_up || c->pause_ms >= PAUSE_MOST_MS ? NOTE_WARNING : NOTE_DEBUG,
             "database connection lost", NOTE_S("purpose", c->purpose),
             NOTE_S("error", why));
    events_free(c);
    c->state = DOWN;
    if (was_up) c->callbacks->lost(c->context);
    PQfinish(c->connection);
    c->connection = NULL;
    try_later(c, c->pause_ms);
    c->pause_ms = c->pause_ms * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : c->pause_ms * 2;
}

static void can_read(evutil_socket_t fd, short what, void *context)
{
    struct connector *c = context;
    PGconn *connection = c->connection;

    (void)fd, (void)what;
    if (PQconsumeInput(connection) != 1) {
        c->callbacks->readable(c->context, connection);
        if (c->connection == connection) drop(c, PQerrorMessage(connection));
        return;
    }
    c->callbacks->readable(c->context, connection);
    if (c->connection == connection && PQstatus(connection) == CONNECTION_BAD)
        drop(c, PQerrorMessage(connection));
}

static void can_write(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    connector_flush(context);
}

static void come_up(struct connector *c)
{
    int fd = PQsocket(c->connection);

    events_free(c);
    PQsetnonblocking(c->connection, 1);
    c->reading = event_new(c->base, fd, EV_READ | EV_PERSIST, can_read, c);
    c->writing = event_new(c->base, fd, EV_WRITE, can_write, c);
    LL_CHECK(c->reading != NULL && c->writing != NULL);
    event_add(c->reading, NULL);
    c->state = UP;
    c->pause_ms = PAUSE_FIRST_MS;
    if (!c->callbacks->connected(c->context, c->connection)) {
        drop(c, PQerrorMessage(c->connection));
        return;
    }
    connector_flush(c);
}

static void watch(struct connector *c, short what)
{
    struct timeval patience = {CONNECT_SECONDS, 0};

    events_free(c);
    c->reading = event_new(c->base, PQsocket(c->connection), what, progress, c);
    LL_CHECK(c->reading != NULL);
    event_add(c->reading, &patience);
}

static void progress(evutil_socket_t fd, short what, void *context)
{
    struct connector *c = context;

    (void)fd;
    if (what & EV_TIMEOUT) {
        drop(c, "no answer");
        return;
    }
    switch (PQconnectPoll(c->connection)) {
    case PGRES_POLLING_READING: watch(c, EV_READ); return;
    case PGRES_POLLING_WRITING: watch(c, EV_WRITE); return;
    case PGRES_POLLING_OK: come_up(c); return;
    default: drop(c, PQerrorMessage(c->connection));
    }
}

static void begin(evutil_socket_t fd, short what, void *context)
{
    struct connector *c = context;
    const char *names[] = {"dbname", "application_name", "client_encoding", "options",
                           NULL};
    const char *values[] = {c->conninfo, c->purpose, "UTF8", c->options, NULL};

    (void)fd, (void)what;
    if (c->state != DOWN) { /* connector_reset() */
        drop(c, "reset");
        return;
    }
    c->connection = PQconnectStartParams(names, values, 1);
    LL_CHECK(c->connection != NULL);
    c->state = CONNECTING;
    if (PQstatus(c->connection) == CONNECTION_BAD)
        drop(c, PQerrorMessage(c->connection));
    else
        watch(c, EV_WRITE);
}

struct connector *connector_new(struct event_base *base, const char *conninfo,
                                const char *purpose, const char *options,
                                const struct connector_callbacks *callbacks,
                                void *context)
{
    struct connector *c = ll_calloc(1, sizeof(*c));

    *c = (struct connector){
        .base = base,
        .conninfo = ll_strdup(conninfo),
        .purpose = purpose,
        .options = ll_strdup(options ? options : ""),
        .callbacks = callbacks,
        .context = context,
        .pause_ms = PAUSE_FIRST_MS,
    };
    c->again = event_new(base, -1, 0, begin, c);
    LL_CHECK(c->again != NULL);
    event_active(c->again, EV_TIMEOUT, 0);
    return c;
}

void connector_free(struct connector *c)
{
    events_free(c);
    event_free(c->again);
    if (c->state == UP) c->callbacks->lost(c->context);
    PQfinish(c->connection);
    free(c->conninfo);
    free(c->options);
    free(c);
}

bool connector_is_up(const struct connector *c)
{
    return c->state == UP;
}

PGconn *connector_connection(struct connector *c)
{
    return c->state == UP ? c->connection : NULL;
}

void connector_flush(struct connector *c)
{
    int left;

    if (c->state != UP) return;
    left = PQflush(c->connection);
    if (left == 1) event_add(c->writing, NULL);
    if (left < 0) connector_reset(c);
}

void connector_reset(struct connector *c)
{
    if (c->state != DOWN) event_active(c->again, EV_TIMEOUT, 0);
}
