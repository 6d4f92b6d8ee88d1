/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection_crash_test.c - projectors killed at any moment, and stopped at every message
 * of a flight, overtaken and continued: the tables say what the log says, once. */
#include "folded.h"
#include "stopping_proxy.h"

#include "core/base/note.h"
#include "core/projection/replay.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    KILLS = 40,
    MESSAGES = 80 /* more than any flight of three events has */
};

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void killed_at_random_moments(struct suite *s)
{
    struct folded f;
    pid_t workers[2];

    srand(1);
    folded_open(&f, s, NULL);
    workers[0] = folded_start(&f, NULL, 2);
    workers[1] = folded_start(&f, NULL, 1);
    for (int i = 0; i < KILLS; i++) {
        int which = rand() % 2;

        folded_append(&f, 1 + (size_t)(rand() % 400), -1);
        sleep_ms(rand() % 120);
        folded_end(workers[which], SIGKILL);
        workers[which] = folded_start(&f, NULL, which == 0 ? 2 : 1);
    }
    OK(folded_wait(&f, 30));
    OK(folded_is_right(&f));
    OK(folded_end(workers[0], SIGTERM) == 0);
    OK(folded_end(workers[1], SIGTERM) == 0);
    OK(folded_is_right(&f));
    folded_close(&f);
}

/* Wait for the stop, or for all to be applied without one: only then had the flight fewer
 * messages, however slow the machine is. */
static bool stops_before_it_is_done(struct folded *f, struct stopping_proxy *proxy)
{
    for (int i = 0; i < 600 && !proxy_has_stopped(proxy); i++) {
        if (!folded_wait(f, 0.05)) continue;
        sleep_ms(100); /* the last message may commit, and stop behind that */
        break;
    }
    return proxy_has_stopped(proxy);
}

/* As if the time of its leases had passed. */
static void expire(struct folded *f)
{
    testlog_run(&f->log, "update landlog.lease set expires = now() - interval '1 s';"
                         "update landlog.projector set seen = '-infinity'");
}

/* Who was stopped behind message n, is overtaken and then continued, writes nothing.
 * False when its flight had fewer messages. */
static bool stop_at(struct suite *s, struct folded *f, struct stopping_proxy *proxy,
                    const char *through_proxy, size_t n)
{
    struct generation g;
    pid_t stopped, other;
    char *before, *after;
    bool was_stopped;

    stopped = folded_start(f, through_proxy, 1);
    OK(folded_wait(f, 20));
    proxy_arm(proxy, stopped, n);
    folded_append(f, 3, 7);
    was_stopped = stops_before_it_is_done(f, proxy);
    if (was_stopped) {
        expire(f);
        other = folded_start(f, NULL, 1);
        OK(folded_wait(f, 20));
        OK(folded_live(f, &g));
        before = folded_rows(f, &g);
        proxy_release(proxy);
        kill(stopped, SIGCONT);
        sleep_ms(300);
        after = folded_rows(f, &g);
        OK(strcmp(before, after) == 0);
        free(before);
        free(after);
        folded_append(f, 20, -1);
        OK(folded_wait(f, 20));
        folded_end(other, SIGKILL);
    }
    proxy_release(proxy);
    folded_end(stopped, SIGKILL);
    OK(folded_is_right(f));
    return was_stopped;
}

static void stopped_at_each_message(struct suite *s)
{
    struct folded f;
    char through_proxy[1200];
    struct stopping_proxy *proxy;
    size_t n = 1;

    srand(2);
    folded_open(&f, s, NULL);
    proxy = proxy_start(f.log.conninfo, "landlog projector writer", through_proxy,
                        sizeof(through_proxy));
    while (n < MESSAGES && stop_at(s, &f, proxy, through_proxy, n)) n++;
    printf("  a flight of three events has %zu messages\n", n - 1);
    OK(n > 20 && n < MESSAGES);
    proxy_end(proxy);
    folded_close(&f);
}

/* One partition's worker is killed while its flight is under way in Postgres. */
static void backends_terminated(struct suite *s)
{
    struct folded f;
    pid_t worker;

    srand(3);
    folded_open(&f, s, NULL);
    worker = folded_start(&f, NULL, 3);
    for (int i = 0; i < 20; i++) {
        folded_append(&f, 300, -1);
        sleep_ms(rand() % 60);
        testlog_run(&f.log,
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                    " and application_name like 'landlog projector%'");
    }
    OK(folded_wait(&f, 30));
    OK(folded_is_right(&f));
    OK(folded_end(worker, SIGTERM) == 0);
    folded_close(&f);
}

/* How many partitions each owner holds, most first: "4 4". */
static char *shares(struct folded *f)
{
    struct generation none = {0};

    return folded_ask(f, &none,
                      "select coalesce(string_agg(n::text, ' ' order by n desc), '')"
                      " from (select count(*) as n from landlog.lease l"
                      "   join pg_stat_get_activity(l.pid) b"
                      "     on b.backend_start = l.backend_start"
                      "  where l.name like 'project/%' and l.expires > now()"
                      "  group by l.owner) held");
}

struct expected_shares {
    struct folded *f;
    const char *text;
};

static bool is_shared_so(void *context)
{
    const struct expected_shares *e = context;
    char *is = shares(e->f);
    bool same = strcmp(is, e->text) == 0;

    free(is);
    return same;
}

static bool becomes(struct folded *f, const char *text)
{
    struct expected_shares e = {f, text};
    bool does = wait_until(8, is_shared_so, &e);
    char *is = shares(f);

    if (!does) printf("  shared %s, not %s\n", is, text);
    free(is);
    return does;
}

static void partitions_are_shared_evenly(struct suite *s)
{
    struct folded f;
    pid_t a, b, c;

    srand(4);
    folded_open(&f, s, NULL);
    a = folded_start(&f, NULL, 1);
    OK(becomes(&f, "8"));
    b = folded_start(&f, NULL, 2);
    OK(becomes(&f, "3 3 2"));
    c = folded_start(&f, NULL, 1);
    OK(becomes(&f, "2 2 2 2"));
    folded_append(&f, 2000, -1);
    OK(folded_end(b, SIGTERM) == 0);
    OK(becomes(&f, "4 4"));
    folded_end(a, SIGKILL);
    OK(becomes(&f, "8"));
    OK(folded_wait(&f, 10) && folded_is_right(&f));
    OK(folded_end(c, SIGTERM) == 0);
    OK(becomes(&f, ""));
    folded_close(&f);
}

/* Its flight holds the old checkpoints' lock, and nobody else is there to take over. */
static void a_replay_gets_past_a_stopped_projector(struct suite *s)
{
    struct folded f;
    struct generation g = {0};
    struct stopping_proxy *proxy;
    struct ll_error err = {0};
    char through_proxy[1200];
    pid_t stopped;

    srand(5);
    folded_open(&f, s, NULL);
    folded_append(&f, 500, -1);
    proxy = proxy_start(f.log.conninfo, "landlog projector writer", through_proxy,
                        sizeof(through_proxy));
    stopped = folded_start(&f, through_proxy, 1);
    OK(folded_wait(&f, 20));
    proxy_arm(proxy, stopped, 8);
    folded_append(&f, 3, 7);
    OK(stops_before_it_is_done(&f, proxy));
    expire(&f);
    OK(replay_run(&(struct replay_options){.settings = f.log.settings,
                                           .registry = f.registry,
                                           .projection = f.projection,
                                           .workers = 1,
                                           .batch = 100},
                  &err) == LL_OK);
    OK(folded_live(&f, &g) && g.number == 2 && folded_is_right(&f));
    proxy_release(proxy);
    kill(stopped, SIGCONT);
    folded_append(&f, 100, -1);
    OK(folded_wait(&f, 20) && folded_is_right(&f));
    OK(folded_end(stopped, SIGTERM) == 0);
    proxy_end(proxy);
    folded_close(&f);
}

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    note_setup("test", NOTE_ERROR);
    RUN(killed_at_random_moments);
    RUN(backends_terminated);
    RUN(partitions_are_shared_evenly);
    RUN(stopped_at_each_message);
    RUN(a_replay_gets_past_a_stopped_projector);
    printf("%lu checks, %lu failed\n", s->checks, s->failed);
    return s->failed > 0 || s->checks == 0;
}
