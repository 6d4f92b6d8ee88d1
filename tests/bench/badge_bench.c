/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* badge_bench.c - platform events through the reactor of badges: those that are only
 * counted, and those of which each is a grant, which the reactor takes to the log itself.
 *
 * The events are on the log before the reactor starts, and nothing else runs, so what is
 * measured is `landlog react badges` and its Postgres. The clock starts with the first
 * batch that is seen applied, so that starting up is not in it. */
#include "core/base/clock.h"
#include "core/pg/connect.h"
#include "figure.h"
#include "world.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { COUNTED = 30000, GRANTED = 10000, PEOPLE = 2000, PATIENCE_S = 300 };

/* Asked a hundred times a second, so on a connection of its own, and cheaply. */
static struct {
    PGconn *connection;
    char schema[64]; /* of the live generation */
} watch;

static long number(const char *sql)
{
    struct ll_error err;
    PGresult *r;
    long n;

    if (pg_query(watch.connection, sql, NULL, 0, &r, &err) != LL_OK)
        world_fail("%s", err.text);
    n = strtol(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return n;
}

static void start_watch(const struct world *w)
{
    char *schema = world_query(w, "select schema from landlog.generation where projection"
                                  " = 'badges' and state = 'live'");
    struct ll_error err;

    snprintf(watch.schema, sizeof(watch.schema), "%s", schema);
    free(schema);
    if (pg_connect(w->conninfo, "bench", &watch.connection, &err) != LL_OK)
        world_fail("%s", err.text);
}

/* Events of the topic `platform` that the reactor has applied. */
static long applied(void)
{
    char sql[200];

    snprintf(sql, sizeof(sql),
             "select coalesce(sum(sequence), 0) from %s.checkpoint"
             " where topic = 'platform'",
             watch.schema);
    return number(sql);
}

static bool has_outgoing(void)
{
    char sql[200];

    snprintf(sql, sizeof(sql), "select count(*) from (select from %s.outgoing limit 1) o",
             watch.schema);
    return number(sql) > 0;
}

static long grants(void)
{
    return number(
        "select count(*) from landlog.event where type = 'badges.badge-granted'");
}

static void write_counted(FILE *f, int i)
{
    fprintf(f,
            "{\"source\":\"bench\",\"key\":\"walk-%d\",\"timestamp\":1767571200000,"
            "\"address\":\"0x%040x\",\"metadata\":{\"userAddress\":\"0x%040x\","
            "\"stepCount\":7}}\n",
            i, i % PEOPLE, i % PEOPLE);
}

static void write_granted(FILE *f, int i)
{
    fprintf(f,
            "{\"source\":\"bench\",\"key\":\"move-%d\",\"timestamp\":1767571200000,"
            "\"address\":\"0x%040x\",\"metadata\":{\"userAddress\":\"0x%040x\","
            "\"parcel\":{\"oldParcel\":\"0,0\",\"newParcel\":\"1,0\"}}}\n",
            i, PEOPLE + i, PEOPLE + i);
}

static void publish(const struct world *w, const char *type, int count,
                    void (*write)(FILE *, int))
{
    char path[700];
    FILE *f;

    snprintf(path, sizeof(path), "%s/events.jsonl", w->folder);
    f = fopen(path, "we");
    if (f == NULL) world_fail("cannot write %s", path);
    for (int i = 0; i < count; i++) write(f, i);
    fclose(f);
    if (world_run(w, "publish", type, path, NULL) != 0)
        world_fail("cannot publish; see %s/command.log", w->folder);
}

static pid_t start_react(const struct world *w)
{
    char *arguments[] = {(char *)LANDLOG_BINARY_DIR "/landlog",
                         (char *)"react",
                         (char *)"badges",
                         (char *)"--config",
                         (char *)(uintptr_t)w->config,
                         NULL};
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(2, 1);
    execv(arguments[0], arguments);
    _exit(127);
}

static void end_react(pid_t pid)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

/* Events a second, from the first batch to the end of everything. */
static double measure(const struct world *w, long events)
{
    long before = applied(), first = 0, now = before;
    int64_t start = 0, end = clock_monotonic_us() + PATIENCE_S * INT64_C(1000000);
    pid_t pid = start_react(w);

    while (now < before + events || has_outgoing()) {
        usleep(10000);
        now = applied();
        if (start == 0 && now > before) {
            start = clock_monotonic_us();
            first = now;
        }
        if (clock_monotonic_us() > end)
            world_fail("the reactor is at %ld of %ld", now - before, events);
    }
    end = clock_monotonic_us();
    end_react(pid);
    return (double)(now - first) * 1e6 / (double)(end - start);
}

int main(void)
{
    struct world w;
    long before;

    if (!world_start(&w, "bench_badges", false)) return 77;
    world_stop(&w);
    start_watch(&w);
    publish(&w, "platform.client-walked-distance", COUNTED, write_counted);
    figure_value("badges: events through the reactor, counted", measure(&w, COUNTED),
                 "events/s");
    before = grants();
    publish(&w, "platform.client-move-to-parcel", GRANTED, write_granted);
    figure_value("badges: events through the reactor, each a grant on the log",
                 measure(&w, GRANTED), "events/s");
    if (grants() != before + GRANTED) world_fail("not one grant an event");
    PQfinish(watch.connection);
    return 0;
}
