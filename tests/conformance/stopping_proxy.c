/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* stopping_proxy.c - one thread, poll over all connections; see stopping_proxy.h. */
#include "stopping_proxy.h"

#include "conformance.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECTIONS = 64, BUFFER = 2 * 1024 * 1024, PORT = 6543 };

struct relayed {
    int client, server; /* -1: free */
    bool is_started;    /* its startup message has passed */
    bool is_watched;    /* it has the application's name */
    bool is_counting;   /* its flight has begun */
    size_t len;         /* from the client, not sent on yet: */
    char bytes[BUFFER]; /* in place, since a fork must never meet an allocation */
};

struct stopping_proxy {
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below */
    bool is_up, is_ending, is_armed, has_stopped;
    pid_t pid;
    size_t stop_at, counted;
    char folder[64], path[96], server[108], application[64], first[32];
    int listener;
    struct relayed relayed[CONNECTIONS];
};

static int unix_socket(const char *path, bool listens)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    if (fd < 0 || (listens ? bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
                                 listen(fd, 16) != 0
                           : connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0))
        suite_die("proxy: %s: %s", path, strerror(errno));
    return fd;
}

static void forget(struct relayed *r, int client, int server)
{
    r->client = client;
    r->server = server;
    r->is_started = r->is_watched = r->is_counting = false;
    r->len = 0;
}

static void drop(struct relayed *r)
{
    close(r->client);
    close(r->server);
    forget(r, -1, -1);
}

static void take_client(struct stopping_proxy *p)
{
    int client = accept(p->listener, NULL, NULL);

    for (size_t i = 0; i < CONNECTIONS && client >= 0; i++) {
        struct relayed *r = &p->relayed[i];

        if (r->client >= 0) continue;
        forget(r, client, unix_socket(p->server, false));
        return;
    }
    suite_die("proxy: too many connections");
}

static bool send_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

        if (sent <= 0) return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static uint32_t length_at(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The length of the whole message at `bytes`; 0 while not all of it is there. */
static size_t message_length(const struct relayed *r, const char *bytes, size_t len)
{
    size_t head = r->is_started ? 1 : 0, n;

    if (len < head + 4) return 0;
    n = head + length_at(bytes + head);
    return n <= len ? n : 0;
}

static void read_startup(const struct stopping_proxy *p, struct relayed *r,
                         const char *bytes, size_t n)
{
    uint32_t code = length_at(bytes + 4);

    if (code != 196608) return; /* asks for TLS or the like: the startup comes next */
    r->is_started = true;
    for (const char *at = bytes + 8; at < bytes + n && *at != '\0';) {
        const char *value = at + strlen(at) + 1;

        if (strcmp(at, "application_name") == 0)
            r->is_watched = strncmp(value, p->application, strlen(p->application)) == 0;
        at = value + strlen(value) + 1;
    }
}

/* Bind: portal "", and the statement; or a simple query that has it. */
static bool begins_flight(const struct stopping_proxy *p, const char *bytes, size_t n)
{
    size_t len = strlen(p->first) + 1;

    if (bytes[0] == 'Q') return memmem(bytes, n, p->first, len - 1) != NULL;
    return n > 6 + len && bytes[0] == 'B' && bytes[5] == '\0' &&
           memcmp(bytes + 6, p->first, len) == 0;
}

/* True when nothing behind this message may pass. */
static bool count(struct stopping_proxy *p, struct relayed *r, const char *bytes,
                  size_t n)
{
    if (!p->is_armed || !r->is_watched) return false;
    if (!r->is_counting) r->is_counting = p->counted > 0 || begins_flight(p, bytes, n);
    if (!r->is_counting || ++p->counted < p->stop_at) return false;
    kill(p->pid, SIGSTOP);
    p->has_stopped = true;
    return true;
}

/* Send on what is whole, up to the message at which to stop. */
static bool pass_on(struct stopping_proxy *p, struct relayed *r)
{
    size_t sent = 0, n;
    bool fine = true;

    while (fine && !(p->has_stopped && r->is_counting) &&
           (n = message_length(r, r->bytes + sent, r->len - sent)) > 0) {
        const char *message = r->bytes + sent;

        if (!r->is_started) read_startup(p, r, message, n);
        fine = send_all(r->server, message, n);
        sent += n;
        count(p, r, message, n);
    }
    memmove(r->bytes, r->bytes + sent, r->len - sent);
    r->len -= sent;
    return fine;
}

static bool from_client(struct stopping_proxy *p, struct relayed *r)
{
    ssize_t n = recv(r->client, r->bytes + r->len, BUFFER - r->len, 0);

    if (n <= 0) return false;
    r->len += (size_t)n;
    return pass_on(p, r);
}

static bool from_server(const struct relayed *r)
{
    char bytes[64 * 1024];
    ssize_t n = recv(r->server, bytes, sizeof(bytes), 0);

    return n > 0 && send_all(r->client, bytes, (size_t)n);
}

/* A stopped client takes nothing; the server must not wait for room in its socket. */
static void serve(struct stopping_proxy *p, struct pollfd *polled)
{
    if (polled[0].revents != 0) take_client(p);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct relayed *r = &p->relayed[i];
        const struct pollfd *own = &polled[1 + 2 * i];
        bool fine = true;

        if (r->client < 0 || own[0].fd != r->client) continue;
        if (own[0].revents != 0) fine = from_client(p, r);
        if (fine && own[1].revents != 0) fine = from_server(r);
        if (!fine) drop(r);
    }
}

static void *run(void *argument)
{
    struct stopping_proxy *p = argument;
    struct pollfd polled[1 + 2 * CONNECTIONS];
    bool ending = false;

    while (!ending) {
        polled[0] = (struct pollfd){.fd = p->listener, .events = POLLIN};
        pthread_mutex_lock(&p->mutex);
        for (size_t i = 0; i < CONNECTIONS; i++) {
            const struct relayed *r = &p->relayed[i];
            bool room = r->client >= 0 && r->len < BUFFER;

            polled[1 + 2 * i] =
                (struct pollfd){.fd = room ? r->client : -1, .events = POLLIN};
            polled[2 + 2 * i] = (struct pollfd){.fd = r->server, .events = POLLIN};
        }
        pthread_mutex_unlock(&p->mutex);
        poll(polled, 1 + 2 * CONNECTIONS, 20);
        pthread_mutex_lock(&p->mutex);
        p->is_up = true;
        serve(p, polled);
        ending = p->is_ending;
        pthread_mutex_unlock(&p->mutex);
    }
    return NULL;
}

/* host=/folder port=N of the conninfo, as libpq reads it. */
static void find_server(struct stopping_proxy *p, const char *conninfo)
{
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    const char *host = "", *port = "5432";

    if (options == NULL) suite_die("proxy: conninfo");
    for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (o->val == NULL) continue;
        if (strcmp(o->keyword, "host") == 0) host = o->val;
        if (strcmp(o->keyword, "port") == 0) port = o->val;
    }
    if (host[0] != '/') suite_die("proxy: a Unix socket is needed, not \"%s\"", host);
    snprintf(p->server, sizeof(p->server), "%s/.s.PGSQL.%s", host, port);
    PQconninfoFree(options);
}

struct stopping_proxy *proxy_start(const char *conninfo, const char *application,
                                   char *out, size_t room)
{
    struct stopping_proxy *p = ll_calloc(1, sizeof(*p));

    find_server(p, conninfo);
    snprintf(p->application, sizeof(p->application), "%s", application);
    snprintf(p->first, sizeof(p->first), "begin");
    snprintf(p->folder, sizeof(p->folder), "/tmp/landlog-proxy-XXXXXX");
    if (mkdtemp(p->folder) == NULL) suite_die("proxy: mkdtemp");
    snprintf(p->path, sizeof(p->path), "%s/.s.PGSQL.%d", p->folder, PORT);
    p->listener = unix_socket(p->path, true);
    for (size_t i = 0; i < CONNECTIONS; i++) forget(&p->relayed[i], -1, -1);
    pthread_mutex_init(&p->mutex, NULL);
    if (pthread_create(&p->thread, NULL, run, p) != 0) suite_die("proxy: thread");
    /* a thread's start allocates (the sanitizer's own memory), and the caller forks */
    for (bool up = false; !up;) {
        usleep(1000);
        pthread_mutex_lock(&p->mutex);
        up = p->is_up;
        pthread_mutex_unlock(&p->mutex);
    }
    snprintf(out, room, "%s host=%s port=%d", conninfo, p->folder, PORT);
    return p;
}

void proxy_end(struct stopping_proxy *p)
{
    pthread_mutex_lock(&p->mutex);
    p->is_ending = true;
    pthread_mutex_unlock(&p->mutex);
    pthread_join(p->thread, NULL);
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (p->relayed[i].client >= 0) drop(&p->relayed[i]);
    close(p->listener);
    unlink(p->path);
    rmdir(p->folder);
    free(p);
}

void proxy_arm(struct stopping_proxy *p, pid_t pid, size_t n)
{
    pthread_mutex_lock(&p->mutex);
    p->pid = pid;
    p->stop_at = n;
    p->counted = 0;
    p->is_armed = true;
    p->has_stopped = false;
    for (size_t i = 0; i < CONNECTIONS; i++) p->relayed[i].is_counting = false;
    pthread_mutex_unlock(&p->mutex);
}

bool proxy_has_stopped(struct stopping_proxy *p)
{
    bool stopped;

    pthread_mutex_lock(&p->mutex);
    stopped = p->has_stopped;
    pthread_mutex_unlock(&p->mutex);
    return stopped;
}

void proxy_release(struct stopping_proxy *p)
{
    pthread_mutex_lock(&p->mutex);
    p->is_armed = p->has_stopped = false;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct relayed *r = &p->relayed[i];

        r->is_counting = false;
        if (r->client >= 0 && r->len > 0 && !pass_on(p, r)) drop(r);
    }
    pthread_mutex_unlock(&p->mutex);
}

void proxy_count_from(struct stopping_proxy *p, const char *statement)
{
    pthread_mutex_lock(&p->mutex);
    snprintf(p->first, sizeof(p->first), "%s", statement);
    pthread_mutex_unlock(&p->mutex);
}
