/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* file_baseline.c - see file_baseline.h. */
#include "file_baseline.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { WRITE = 1024 * 1024 };

static struct evbuffer_file_segment *segment;

static void check(int holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "baseline: %s\n", what);
    exit(1);
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct bufferevent *out =
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));

    (void)context;
    bufferevent_set_max_single_write(out, WRITE); /* its own 16 KiB are far less */
    evbuffer_add_file_segment(evhttp_request_get_output_buffer(request), segment, 0, -1);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/octet-stream");
    evhttp_send_reply(request, 200, "OK", NULL);
}

void file_baseline_serve(int port, const char *path)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    signal(SIGPIPE, SIG_IGN); /* whoever measures hangs up in the middle */
    check(fd >= 0 && fstat(fd, &st) == 0, "cannot open the file");
    segment = evbuffer_file_segment_new(fd, 0, st.st_size, EVBUF_FS_CLOSE_ON_FREE);
    check(segment != NULL, "no segment");
    evhttp_set_gencb(http, on_request, NULL);
    check(evhttp_bind_socket(http, "127.0.0.1", (unsigned short)port) == 0,
          "cannot listen");
    event_base_dispatch(base);
    exit(1);
}
