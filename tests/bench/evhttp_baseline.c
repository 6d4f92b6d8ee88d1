/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* evhttp_baseline.c - see evhttp_baseline.h. */
#include "evhttp_baseline.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING = 4096, SEGMENT = 128 };

static struct {
    PGconn *connection;
    struct evhttp_request *waiting[WAITING]; /* in the order of their statements */
    size_t first, count;
    int column;
} server;

static void check(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "baseline: %s: %s\n", what, PQerrorMessage(server.connection));
    exit(1);
}

static void answer(struct evhttp_request *request, const PGresult *row)
{
    struct evbuffer *body = evhttp_request_get_output_buffer(request);

    evbuffer_add(body, PQgetvalue(row, 0, server.column),
                 (size_t)PQgetlength(row, 0, server.column));
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/json");
    evhttp_send_reply(request, 200, "OK", NULL);
}

/* A row, the end of its statement, the Sync: once a request. */
static void on_rows(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what, (void)context;
    check(PQconsumeInput(server.connection) == 1, "connection lost");
    while (server.count > 0 && !PQisBusy(server.connection)) {
        PGresult *r = PQgetResult(server.connection);

        if (r == NULL) continue;
        if (PQresultStatus(r) == PGRES_TUPLES_OK) {
            answer(server.waiting[server.first], r);
        } else {
            check(PQresultStatus(r) == PGRES_PIPELINE_SYNC, "statement failed");
            server.first = (server.first + 1) % WAITING;
            server.count--;
        }
        PQclear(r);
    }
}

static const char *cut_last(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL) return "";
    *slash = '\0';
    return slash + 1;
}

static void on_request(struct evhttp_request *request, void *context)
{
    char path[2 * SEGMENT];
    const char *values[2];

    (void)context;
    snprintf(path, sizeof(path), "%s",
             evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request)));
    values[1] = cut_last(path);
    values[0] = cut_last(path);
    check(server.count < WAITING, "too many requests wait");
    check(PQsendQueryPrepared(server.connection, "q", 2, values, NULL, NULL, 0) == 1 &&
              PQpipelineSync(server.connection) == 1,
          "cannot send");
    server.waiting[(server.first + server.count++) % WAITING] = request;
}

void evhttp_baseline_serve(int port, const char *conninfo, const char *sql, int column)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);
    PGresult *r;
    struct event *readable;

    server.column = column;
    server.connection = PQconnectdb(conninfo);
    check(PQstatus(server.connection) == CONNECTION_OK, "cannot connect");
    r = PQprepare(server.connection, "q", sql, 0, NULL);
    check(PQresultStatus(r) == PGRES_COMMAND_OK, "cannot prepare");
    PQclear(r);
    check(PQsetnonblocking(server.connection, 1) == 0 &&
              PQenterPipelineMode(server.connection) == 1,
          "no pipeline");
    readable =
        event_new(base, PQsocket(server.connection), EV_READ | EV_PERSIST, on_rows, NULL);
    event_add(readable, NULL);
    evhttp_set_gencb(http, on_request, NULL);
    check(evhttp_bind_socket(http, "127.0.0.1", (uint16_t)port) == 0, "cannot listen");
    event_base_dispatch(base);
    exit(1);
}
