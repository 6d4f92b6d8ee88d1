/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_bench.c - one look-up by key: our server against bare evhttp with one pipelined
 * prepared statement (evhttp_baseline.c), the same rows, the same load, in turn.
 *
 * The route is an open one of the bench's own service on the friendship projection, since
 * the baseline verifies no signatures. Ours does what it always does: limits, routing,
 * position, ETag, metrics, access log (to standard error). Two baselines: the query
 * alone, which the aim is about, and the statement that ours really sends, with the
 * position in it, which says what of the difference is the front-end's.
 */
#include "core/base/note.h"
#include "core/http/http.h"
#include "core/http/server.h"
#include "core/pg/connect.h"
#include "core/projection/projection.h"
#include "evhttp_baseline.h"
#include "figure.h"
#include "http_load.h"
#include "free_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 10000, ROUNDS = 5, SECONDS = 3, CONNECTIONS = 64, REQUEST = 256 };
#define DATABASE "bench_http"
#define QUERY    "block_outcome"

struct bench {
    char conninfo[1024], postgres[1100];
    int port;
    PGconn *watch; /* asks who the backends are */
    struct settings *settings;
    struct registry *registry;
    struct projection *projection;
    struct generation generation;
};

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "http_bench: %s: %s\n", what, why);
    exit(1);
}

static void must(ll_rc rc, const char *what, const struct ll_error *err)
{
    if (rc != LL_OK) give_up(what, err->text);
}

/* ---- the service ---- */

static void get_pair(struct http_request *r)
{
    struct http_query_value values[] = {
        {"actor", http_path_parameter(r, "actor"), false},
        {"target", http_path_parameter(r, "target"), false},
    };

    http_answer_query(r, QUERY, values, LL_LENGTH(values));
}

static void refuse(struct http_request *r, enum http_refusal why, int status,
                   struct text message)
{
    (void)why;
    http_respond(r, status, "text/plain", message);
}

static const struct http_route routes[] = {
    {.method = "GET",
     .path = "/v1/pairs/:actor/:target",
     .auth = HTTP_OPEN,
     .handle = get_pair,
     .summary = "One row by its key"},
    {0},
};
static const char *const no_keys[] = {NULL};
static const struct http_service service = {.name = "bench",
                                            .title = "Bench",
                                            .projection = "social",
                                            .routes = routes,
                                            .metadata_keys = no_keys,
                                            .signature_window = 300000,
                                            .refuse = refuse};

/* ---- processes ---- */

static pid_t start_child(void)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0) give_up("fork", strerror(errno));
    if (pid == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

/* ---- the read model ---- */

static void set(struct bench *b, const char *name, const char *value)
{
    struct ll_error err;

    must(settings_set(b->settings, text_of(name), text_of(value), "bench", &err), name,
         &err);
}

static void make_database(struct bench *b, const char *admin)
{
    struct ll_error err;
    PGconn *c;

    must(pg_connect(admin, "bench", &c, &err), "connect", &err);
    must(pg_script(c, "drop database if exists " DATABASE " with (force)", &err), "drop",
         &err);
    must(pg_script(c, "create database " DATABASE, &err), "create", &err);
    PQfinish(c);
    snprintf(b->conninfo, sizeof(b->conninfo), "%s dbname=" DATABASE, admin);
    snprintf(b->postgres, sizeof(b->postgres), "postgres=%s", b->conninfo);
}

static pid_t start_project(struct bench *b)
{
    char *arguments[] = {(char *)LANDLOG_BINARY_DIR "/landlog", (char *)"project",
                         (char *)"--set", b->postgres, NULL};
    pid_t pid = start_child();

    if (pid != 0) return pid;
    dup2(2, 1);
    execv(arguments[0], arguments);
    _exit(127);
}

static bool find_generation(struct bench *b, PGconn *c)
{
    struct uuid identity = projection_identity(b->projection);
    char text[UUID_TEXT];
    const char *values[] = {"social", text};
    PGresult *r = NULL;
    bool found;

    uuid_print(&identity, text);
    if (pg_query(c, projection_live_sql, values, 2, &r, NULL) != LL_OK) return false;
    found = PQntuples(r) == 1;
    if (found)
        snprintf(b->generation.schema, sizeof(b->generation.schema), "%s",
                 PQgetvalue(r, 0, 0));
    PQclear(r);
    return found;
}

static void fill(struct bench *b, PGconn *c)
{
    struct ll_error err;
    char sql[512];

    snprintf(sql, sizeof(sql),
             "insert into %s.block select 'actor' || i, 'target' || i, 1767571200000 + i"
             " from generate_series(0, %d) i; analyze %s.block",
             b->generation.schema, ROWS - 1, b->generation.schema);
    must(pg_script(c, sql, &err), "rows", &err);
}

static void make_read_model(struct bench *b)
{
    struct ll_error err;
    pid_t project = start_project(b);
    PGconn *c;

    must(pg_connect(b->conninfo, "bench", &c, &err), "connect", &err);
    for (int i = 0; i < 300 && !find_generation(b, c); i++) usleep(100000);
    if (b->generation.schema[0] == '\0') give_up("landlog project", "no live generation");
    fill(b, c);
    b->watch = c;
    end_child(project);
}

/* ---- the measured ---- */

static pid_t start_ours(const struct bench *b)
{
    const struct http_service *const services[] = {&service, NULL};
    struct server_plan plan = {.settings = b->settings,
                               .registry = b->registry,
                               .services = services,
                               .metrics = metrics_new(1),
                               .workers = 1};
    struct ll_error err;
    pid_t pid = start_child();

    if (pid != 0) return pid;
    must(server_run(&plan, &err), "server", &err);
    _exit(0);
}

static pid_t start_baseline(const struct bench *b, bool with_position)
{
    const struct projection_query *q = projection_query(b->projection, QUERY);
    struct builder sql;
    pid_t pid = start_child();
    const char *text, *from = ", answer.status";

    if (pid != 0) return pid;
    builder_init(&sql, 64 * 1024);
    projection_query_sql(b->projection, q, &b->generation, &sql);
    text = builder_view(&sql).ptr;
    if (!with_position) {
        /* What is in front of it is the position; its column stays, and is empty. */
        struct builder plain;

        builder_init(&plain, 64 * 1024);
        builder_string(&plain, "select '' as position");
        builder_string(&plain, strstr(text, from));
        text = builder_take(&plain);
    }
    evhttp_baseline_serve(b->port, b->conninfo, text, 2);
}

/* Nanoseconds that a process has had a processor; 0 when it is gone. */
static double cpu_of(long pid)
{
    char path[64];
    char line[128] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/schedstat", pid);
    if ((f = fopen(path, "re")) == NULL) return 0;
    if (fgets(line, sizeof(line), f) == NULL) line[0] = '\0';
    fclose(f);
    return strtod(line, NULL);
}

/* Of the front-end and all its backends. */
static double cpu_of_all(const struct bench *b, pid_t front_end)
{
    double sum = cpu_of(front_end);
    struct ll_error err;
    PGresult *r;

    must(pg_query(b->watch,
                  "select pid from pg_stat_activity where datname = current_database()"
                  " and pid <> pg_backend_pid() and backend_type = 'client backend'",
                  NULL, 0, &r, &err),
         "backends", &err);
    for (int i = 0; i < PQntuples(r); i++)
        sum += cpu_of(strtol(PQgetvalue(r, i, 0), NULL, 10));
    PQclear(r);
    return sum;
}

struct measured {
    double rate;     /* answers a second */
    double per_cpu;  /* answers a second of processor time */
    double p50, p99; /* us */
};

static struct measured measure(const struct bench *b, const struct text *requests,
                               pid_t front_end)
{
    struct http_load load = {b->port, CONNECTIONS, SECONDS, requests, ROWS};
    struct http_load_result result;
    double cpu;
    struct ll_error err;
    ll_rc rc = LL_EDATABASE;

    /* Until it listens, and has found the generation. */
    for (int i = 0; i < 50 && (rc != LL_OK || result.refused > 0); i++) {
        struct http_load probe = load;

        probe.connections = 1;
        probe.seconds = 0;
        usleep(100000);
        rc = http_load_run(&probe, &result, &err);
    }
    usleep(500000);
    cpu = cpu_of_all(b, front_end);
    must(http_load_run(&load, &result, &err), "load", &err);
    cpu = cpu_of_all(b, front_end) - cpu;
    if (result.refused > 0) give_up("load", "an answer other than 200");
    /* The processor's time has the warm-up in it, so count its answers too. */
    return (struct measured){result.per_second, (double)result.answers_in_all * 1e9 / cpu,
                             result.p50_us, result.p99_us};
}

static const struct text *make_requests(void)
{
    static char bytes[ROWS][REQUEST];
    static struct text requests[ROWS];

    for (int i = 0; i < ROWS; i++) {
        int n = snprintf(bytes[i], REQUEST,
                         "GET /bench/v1/pairs/actor%d/target%d HTTP/1.1\r\n"
                         "Host: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n",
                         i, i);
        requests[i] = (struct text){bytes[i], (size_t)n};
    }
    return requests;
}

struct rounds {
    double rate[ROUNDS], per_cpu[ROUNDS], p50[ROUNDS], p99[ROUNDS];
};

static void add_round(struct rounds *all, int i, struct measured m)
{
    all->rate[i] = m.rate;
    all->per_cpu[i] = m.per_cpu;
    all->p50[i] = m.p50;
    all->p99[i] = m.p99;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Sorts. */
static double median(double all[ROUNDS])
{
    qsort(all, ROUNDS, sizeof(all[0]), by_value);
    return all[ROUNDS / 2];
}

static void report(struct rounds *ours, struct rounds *bare, struct rounds *same)
{
    double rate = median(ours->rate), per_cpu = median(ours->per_cpu);

    figure_ratio("query: look-up by key, against bare evhttp", rate, "requests/s",
                 median(bare->rate), 0.7);
    figure_ratio("query: the same, per second of processor time", per_cpu, "requests/s",
                 median(bare->per_cpu), 0.7);
    figure_ratio("query: against bare evhttp reading the position too", rate,
                 "requests/s", median(same->rate), 0.7);
    figure_ratio("query: the same, per second of processor time, with position", per_cpu,
                 "requests/s", median(same->per_cpu), 0.7);
    figure_value("query: p50, 64 connections", median(ours->p50) / 1000, "ms");
    figure_value("query: p99, 64 connections", median(ours->p99) / 1000, "ms");
    figure_value("query: p99 of bare evhttp, 64 connections", median(bare->p99) / 1000,
                 "ms");
    figure_value("query: fastest round of bare evhttp by its slowest",
                 bare->rate[ROUNDS - 1] / bare->rate[0], "times");
}

static struct measured measure_and_end(const struct bench *b, const struct text *requests,
                                       pid_t front_end)
{
    struct measured m = measure(b, requests, front_end);

    end_child(front_end);
    return m;
}

static void compare(const struct bench *b, const struct text *requests)
{
    static struct rounds ours, bare, same;

    for (int i = 0; i < ROUNDS; i++) {
        add_round(&ours, i, measure_and_end(b, requests, start_ours(b)));
        add_round(&bare, i, measure_and_end(b, requests, start_baseline(b, false)));
        add_round(&same, i, measure_and_end(b, requests, start_baseline(b, true)));
    }
    report(&ours, &bare, &same);
}

int main(void)
{
    const char *admin = getenv("LANDLOG_TEST_POSTGRES");
    static struct bench b;
    struct ll_error err;
    char port[16];

    if (admin == NULL) return 77;
    note_setup("bench", NOTE_INFO);
    signal(SIGPIPE, SIG_IGN);
    make_database(&b, admin);
    must(settings_load(NULL, &b.settings, &err), "settings", &err);
    b.port = free_port();
    snprintf(port, sizeof(port), "%d", b.port);
    set(&b, "postgres", b.conninfo);
    set(&b, "http.port", port);
    must(registry_load(&b.registry, &err), "registry", &err);
    must(projection_load("social", b.registry, &b.projection, &err), "projection", &err);
    make_read_model(&b);
    compare(&b, make_requests());
    PQfinish(b.watch);
    projection_free(b.projection);
    registry_free(b.registry);
    settings_free(b.settings);
    return 0;
}
