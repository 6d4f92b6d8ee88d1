/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* world.c - see world.h. */
#include "world.h"
#include "free_port.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS = 32 };

void world_fail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    printf("FAILED ");
    vprintf(fmt, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    exit(1);
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* ---- the database ---- */

static PGconn *connect_to(const char *conninfo)
{
    PGconn *c = PQconnectdb(conninfo);

    if (PQstatus(c) != CONNECTION_OK) world_fail("cannot connect: %s", PQerrorMessage(c));
    return c;
}

static void admin(const char *before, const char *database, const char *after)
{
    PGconn *c = connect_to(getenv("LANDLOG_TEST_POSTGRES"));
    char sql[256];
    PGresult *r;

    snprintf(sql, sizeof(sql), "%s%s%s", before, database, after);
    r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        world_fail("%s: %s", sql, PQerrorMessage(c));
    PQclear(r);
    PQfinish(c);
}

void world_recreate_database(struct world *w)
{
    admin("drop database if exists ", w->name, " with (force)");
    admin("create database ", w->name, "");
}

char *world_query(const struct world *w, const char *sql)
{
    PGconn *c = connect_to(w->conninfo);
    PGresult *r = PQexec(c, sql);
    char *value;

    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1)
        world_fail("%s: %s", sql, PQerrorMessage(c));
    value = strdup(PQgetvalue(r, 0, 0));
    PQclear(r);
    PQfinish(c);
    return value;
}

/* ---- the configuration ---- */

static void write_config(struct world *w)
{
    int port = free_port();
    FILE *f = fopen(w->config, "we");

    if (f == NULL) world_fail("cannot write %s", w->config);
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d", port);
    fprintf(f, "postgres = %s\n", w->conninfo);
    fprintf(f, "postgres.query = %s user=landlog_query\n", w->conninfo);
    fprintf(f, "http.port = %d\nhttp.workers = 2\n", port);
    fprintf(f, "service.social.actions-per-minute = 1000000\n");
    fprintf(f, "service.social.pair-actions-per-minute = 1000000\n");
    if (w->on_kafka) fprintf(f, "kafka.brokers = %s\n", getenv("LANDLOG_TEST_KAFKA"));
    fclose(f);
}

/* ---- processes ---- */

static pid_t start(const struct world *w, char *const *arguments, const char *log)
{
    char path[700];
    pid_t pid;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", w->folder, log);
    fflush(stdout);
    pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0) _exit(126);
    execv(arguments[0], arguments);
    _exit(127);
}

static int finish(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) world_fail("waitpid: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int world_run(const struct world *w, ...)
{
    char *arguments[ARGUMENTS] = {(char *)LANDLOG_BINARY_DIR "/landlog"};
    size_t n = 1;
    va_list args;

    va_start(args, w);
    while (n < ARGUMENTS - 3 && (arguments[n] = va_arg(args, char *)) != NULL) n++;
    va_end(args);
    arguments[n++] = (char *)"--config";
    arguments[n++] = (char *)(uintptr_t)w->config;
    arguments[n] = NULL;
    return finish(start(w, arguments, "command.log"));
}

/* The parent's pid of a process, and its second argument; false when it is gone. */
static bool process_of(const char *pid, pid_t *parent, char part[32])
{
    char path[300], line[1024];
    FILE *f;
    size_t n;
    const char *at;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    if ((f = fopen(path, "re")) == NULL) return false;
    n = fread(line, 1, sizeof(line) - 1, f);
    fclose(f);
    line[n] = '\0';
    at = strrchr(line, ')');
    if (at == NULL || sscanf(at + 1, " %*c %d", parent) != 1) return false;

    snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
    if ((f = fopen(path, "re")) == NULL) return false;
    n = fread(line, 1, sizeof(line) - 1, f);
    fclose(f);
    line[n] = '\0';
    snprintf(part, 32, "%s", strlen(line) + 1 < n ? line + strlen(line) + 1 : "");
    return true;
}

pid_t world_part(const struct world *w, const char *part)
{
    DIR *d = opendir("/proc");
    pid_t found = 0;

    for (struct dirent *e; d != NULL && found == 0 && (e = readdir(d)) != NULL;) {
        pid_t parent;
        char name[32];

        if (e->d_name[0] < '1' || e->d_name[0] > '9') continue;
        if (process_of(e->d_name, &parent, name) && parent == w->up &&
            strcmp(name, part) == 0)
            found = (pid_t)strtol(e->d_name, NULL, 10);
    }
    if (d != NULL) closedir(d);
    return found;
}

static size_t ignore(char *bytes, size_t size, size_t n, void *context)
{
    (void)bytes, (void)context;
    return size * n;
}

static long health(const struct world *w)
{
    CURL *c = curl_easy_init();
    char url[128];
    long status = 0;

    snprintf(url, sizeof(url), "%s/health", w->url);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 2000L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    if (curl_easy_perform(c) == CURLE_OK)
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(c);
    return status;
}

void world_wait_healthy(const struct world *w)
{
    for (int i = 0; i < 600; i++) {
        if (health(w) == 200) return;
        if (waitpid(w->up, NULL, WNOHANG) == w->up)
            world_fail("landlog up ended; see %s/up.log", w->folder);
        pause_ms(100);
    }
    world_fail("%s/health is not 200 after a minute; see %s/up.log", w->url, w->folder);
}

void world_up(struct world *w)
{
    char *arguments[] = {(char *)LANDLOG_BINARY_DIR "/landlog", (char *)"up",
                         (char *)"--config", w->config, NULL};

    w->up = start(w, arguments, "up.log");
    world_wait_healthy(w);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

/* Files of an earlier run, which the new database knows nothing of. */
static void remove_blobs(const struct world *w)
{
    char path[600];

    snprintf(path, sizeof(path), "%s/blobs", w->folder);
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        world_fail("cannot remove %s: %s", path, strerror(errno));
}

bool world_prepare(struct world *w, const char *name, bool on_kafka)
{
    const char *conninfo = getenv("LANDLOG_TEST_POSTGRES");

    if (conninfo == NULL || (on_kafka && getenv("LANDLOG_TEST_KAFKA") == NULL))
        return false;
    *w = (struct world){.on_kafka = on_kafka};
    snprintf(w->name, sizeof(w->name), "e2e_%s", name);
    snprintf(w->folder, sizeof(w->folder), "%s/end_to_end", LANDLOG_BINARY_DIR);
    mkdir(w->folder, 0755);
    snprintf(w->folder, sizeof(w->folder), "%s/end_to_end/%s", LANDLOG_BINARY_DIR, name);
    mkdir(w->folder, 0755);
    snprintf(w->config, sizeof(w->config), "%s/landlog.conf", w->folder);
    snprintf(w->conninfo, sizeof(w->conninfo), "%s dbname=%s", conninfo, w->name);
    world_recreate_database(w);
    remove_blobs(w);
    write_config(w);
    return true;
}

void world_move_to_kafka(const struct world *w)
{
    if (world_run(w, "topics", "create", "--recreate", NULL) != 0 ||
        world_run(w, "log", "copy", "--to", "kafka", NULL) != 0)
        world_fail("cannot move the log to Kafka; see %s/command.log", w->folder);
}

bool world_start(struct world *w, const char *name, bool on_kafka)
{
    if (!world_prepare(w, name, on_kafka)) return false;
    if (on_kafka) world_move_to_kafka(w);
    world_up(w);
    return true;
}

int world_stop(struct world *w)
{
    kill(w->up, SIGTERM);
    return finish(w->up);
}
