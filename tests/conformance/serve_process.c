/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* serve_process.c - see serve_process.h. */
#include "serve_process.h"

#include "raw_http.h"
#include "free_port.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 16 };

static _Noreturn void fail(const char *what, const char *why)
{
    printf("FAILED %s: %s\n", what, why);
    exit(1);
}

static void run_sql(PGconn *c, const char *before, const char *name, const char *after)
{
    char sql[256];
    PGresult *r;

    snprintf(sql, sizeof(sql), "%s%s%s", before, name, after);
    r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK) fail(sql, PQerrorMessage(c));
    PQclear(r);
}

static void make_database(const char *conninfo, const char *name)
{
    PGconn *c = PQconnectdb(conninfo);

    if (PQstatus(c) != CONNECTION_OK) fail("cannot connect", PQerrorMessage(c));
    run_sql(c, "set client_min_messages to ", "warning", "");
    run_sql(c, "drop database if exists ", name, " with (force)");
    run_sql(c, "create database ", name, "");
    PQfinish(c);
}

static _Noreturn void become(char *const *arguments, const char *log)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0) _exit(126);
    execv(arguments[0], arguments);
    _exit(127);
}

static bool answers(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_up = s >= 0 && connect(s, (struct sockaddr *)&to, sizeof(to)) == 0;

    if (s >= 0) close(s);
    return is_up;
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

static void wait_until_it_answers(const struct serve_process *p)
{
    for (int i = 0; i < 300; i++) {
        if (answers(p->port)) return;
        if (!serve_is_alive(p)) fail("landlog serve ended", p->log);
        pause_ms(50);
    }
    fail("landlog serve does not answer", p->log);
}

bool serve_start(struct serve_process *p, const char *name, const char *const *settings)
{
    const char *conninfo = getenv("LANDLOG_TEST_POSTGRES");
    char own[3][1200], database[64];
    char *arguments[8 + 2 * SERVE_SETTINGS] = {(char *)LANDLOG_BINARY_DIR "/landlog",
                                               (char *)"serve"};
    size_t n = 2;

    if (conninfo == NULL) return false;
    *p = (struct serve_process){.port = free_port()};
    snprintf(database, sizeof(database), "serve_%s", name);
    make_database(conninfo, database);
    snprintf(p->conninfo, sizeof(p->conninfo), "%s dbname=%s", conninfo, database);
    snprintf(p->log, sizeof(p->log), "%s/serve_%s.log", LANDLOG_BINARY_DIR, name);
    snprintf(own[0], sizeof(own[0]), "postgres=%s", p->conninfo);
    snprintf(own[1], sizeof(own[1]), "postgres.query=%s user=landlog_query", p->conninfo);
    snprintf(own[2], sizeof(own[2]), "http.port=%d", p->port);
    for (size_t i = 0; i < 3; i++) {
        arguments[n++] = (char *)"--set";
        arguments[n++] = own[i];
    }
    for (size_t i = 0; settings[i] != NULL && i < SERVE_SETTINGS; i++) {
        arguments[n++] = (char *)"--set";
        arguments[n++] = (char *)settings[i];
    }
    fflush(stdout);
    p->pid = fork();
    if (p->pid == 0) become(arguments, p->log);
    wait_until_it_answers(p);
    return true;
}

int serve_stop(struct serve_process *p)
{
    int status;

    kill(p->pid, SIGTERM);
    while (waitpid(p->pid, &status, 0) < 0)
        if (errno != EINTR) fail("waitpid", strerror(errno));
    p->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool serve_is_alive(const struct serve_process *p)
{
    return p->pid > 0 && waitpid(p->pid, NULL, WNOHANG) == 0;
}

/* It, and its children. */
static size_t family(const struct serve_process *p, long pids[WORKERS])
{
    char path[64], line[256];
    size_t n = 0;
    FILE *f;

    pids[n++] = p->pid;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", p->pid, p->pid);
    if ((f = fopen(path, "re")) == NULL) return n;
    if (fgets(line, sizeof(line), f) == NULL) line[0] = '\0';
    fclose(f);
    for (char *at = line, *end; n < WORKERS; at = end) {
        pids[n] = strtol(at, &end, 10);
        if (end == at) break;
        n++;
    }
    return n;
}

static size_t descriptors_of(long pid)
{
    char path[64];
    size_t n = 0;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
    if ((d = opendir(path)) == NULL) return 0;
    while (readdir(d) != NULL) n++;
    closedir(d);
    return n - 2; /* "." and ".." */
}

static size_t memory_of(long pid)
{
    char path[64], line[256];
    size_t kib = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/status", pid);
    if ((f = fopen(path, "re")) == NULL) return 0;
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0) kib = strtoul(line + 6, NULL, 10);
    fclose(f);
    return kib;
}

static size_t total(const struct serve_process *p, size_t (*of)(long))
{
    long pids[WORKERS];
    size_t count = family(p, pids), sum = 0;

    for (size_t i = 0; i < count; i++) sum += of(pids[i]);
    return sum;
}

size_t serve_descriptors(const struct serve_process *p)
{
    return total(p, descriptors_of);
}

size_t serve_memory(const struct serve_process *p)
{
    return total(p, memory_of);
}
