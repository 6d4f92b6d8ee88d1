/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection_replay_test.c - generations: built, replayed, swapped while queries go on,
 * taken up again after kill -9, dropped when nobody needs them. */
#include "folded.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/pg/connect.h"
#include "core/projection/replay.h"
#include "core/projection/status.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- replaying ---- */

struct watched {
    struct replay_progress last;
    uint64_t end_at; /* give up once so many are folded; 0: never */
    size_t calls;
};

static bool watch(void *context, const struct replay_progress *p)
{
    struct watched *w = context;

    w->last = *p;
    w->calls++;
    return w->end_at == 0 || p->folded < w->end_at;
}

static ll_rc replay(struct folded *f, struct watched *w, bool drop_first,
                    uint64_t throttle, struct ll_error *err)
{
    return replay_run(&(struct replay_options){.settings = f->log.settings,
                                               .registry = f->registry,
                                               .projection = f->projection,
                                               .workers = 2,
                                               .batch = 500,
                                               .throttle = throttle,
                                               .drop_first = drop_first,
                                               .progress = watch,
                                               .context = w},
                      err);
}

static pid_t start_replay(struct folded *f, uint64_t throttle)
{
    struct watched w = {0};
    struct ll_error err;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid != 0) return pid;
    note_setup("replay", NOTE_ERROR);
    _exit(replay(f, &w, false, throttle, &err) == LL_OK ? 0 : 4);
}

static bool is_live(void *context)
{
    struct generation g;

    return folded_live(context, &g);
}

/* ---- tests ---- */

static void an_empty_log_is_live_at_once(struct suite *s)
{
    struct folded f;
    pid_t worker;

    folded_open(&f, s, NULL);
    worker = folded_start(&f, NULL, 1);
    OK(wait_until(3, is_live, &f));
    folded_append(&f, 100, -1);
    OK(folded_wait(&f, 5) && folded_is_right(&f));
    OK(folded_end(worker, SIGTERM) == 0);
    folded_close(&f);
}

static void a_replay_gives_the_same_rows(struct suite *s)
{
    struct folded f;
    struct generation was = {0}, is = {0};
    struct watched w = {0};
    struct ll_error err = {0};
    char *before, *after;
    pid_t worker;

    srand(11);
    folded_open(&f, s, NULL);
    folded_append(&f, 9000, -1);
    worker = folded_start(&f, NULL, 2);
    OK(folded_wait(&f, 20) && folded_live(&f, &was));
    before = folded_rows(&f, &was);
    OK(replay(&f, &w, false, 0, &err) == LL_OK);
    OK(folded_live(&f, &is) && is.number == was.number + 1);
    after = folded_rows(&f, &is);
    OK(strcmp(before, after) == 0);
    OK(w.last.phase == REPLAY_DONE && w.last.folded == 9000 && !w.last.is_resumed);
    /* the projector goes on with the new one */
    folded_append(&f, 500, -1);
    OK(folded_wait(&f, 10) && folded_is_right(&f));
    free(after);
    after = folded_rows(&f, &was);
    OK(strncmp(before, after, 60) == 0); /* and the old one stands still */
    free(before);
    free(after);
    OK(folded_end(worker, SIGTERM) == 0);
    folded_close(&f);
}

/* Asks the live generation again and again, as a front-end does. */
struct asker {
    const struct folded *f;
    pthread_t thread;
    atomic_bool is_ending;
    unsigned long asked, failed, empty;
    unsigned generations;
    int64_t longest_us;
};

static bool find_live(const struct asker *a, PGconn *c, struct generation *g)
{
    char identity[UUID_TEXT];
    const char *const values[] = {projection_name(a->f->projection), identity};
    struct uuid id = projection_identity(a->f->projection);
    struct ll_error err;
    PGresult *row;
    bool found;

    uuid_print(&id, identity);
    if (pg_query(c, projection_live_sql, values, 2, &row, &err) != LL_OK) return false;
    found = PQntuples(row) == 1;
    if (found) snprintf(g->schema, sizeof(g->schema), "%s", PQgetvalue(row, 0, 0));
    PQclear(row);
    return found;
}

static void ask(struct asker *a, PGconn *c, const struct generation *g)
{
    const struct projection_query *q = projection_query(a->f->projection, "tally");
    const char *const key[] = {"k3"};
    int64_t start = clock_monotonic_us();
    struct builder sql;
    struct ll_error err;
    PGresult *row;

    builder_init(&sql, 4096);
    projection_query_sql(a->f->projection, q, g, &sql);
    a->asked++;
    if (pg_query(c, builder_view(&sql).ptr, key, 1, &row, &err) != LL_OK) {
        a->failed++;
        printf("  %s\n", err.text);
    } else {
        struct position at;
        const char *text = PQgetvalue(row, 0, 0);

        if (PQntuples(row) != 1 || position_parse(&at, text, strlen(text)) != LL_OK)
            a->failed++;
        a->empty += PQgetisnull(row, 0, 1) == 1;
        PQclear(row);
    }
    start = clock_monotonic_us() - start;
    if (start > a->longest_us) a->longest_us = start;
    builder_fini(&sql);
}

static void *keep_asking(void *context)
{
    struct asker *a = context;
    struct generation g, was = {0};
    PGconn *c = testlog_connect(&a->f->log);

    while (!atomic_load(&a->is_ending)) {
        if (!find_live(a, c, &g)) {
            a->failed++;
            sleep_ms(1);
            continue;
        }
        a->generations += strcmp(g.schema, was.schema) != 0;
        was = g;
        ask(a, c, &g);
        sleep_ms(1);
    }
    PQfinish(c);
    return NULL;
}

static void queries_go_on_over_a_swap(struct suite *s)
{
    struct folded f;
    struct asker a = {.f = &f};
    pid_t worker, other;
    int status = -1;

    srand(12);
    folded_open(&f, s, NULL);
    folded_append(&f, 5000, -1);
    worker = folded_start(&f, NULL, 2);
    OK(folded_wait(&f, 20));
    other = start_replay(&f, 8000);
    pthread_create(&a.thread, NULL, keep_asking, &a);
    do {
        folded_append(&f, (size_t)(rand() % 200) + 1, -1);
        sleep_ms(20);
    } while (waitpid(other, &status, WNOHANG) == 0);
    for (int i = 0; i < 20; i++) folded_append(&f, 50, -1);
    OK(status == 0);
    OK(folded_wait(&f, 10) && folded_is_right(&f));
    atomic_store(&a.is_ending, true);
    pthread_join(a.thread, NULL);
    OK(a.asked > 100 && a.failed == 0 && a.empty == 0 && a.generations == 2);
    printf("  %lu queries over the swap, the longest %.1f ms\n", a.asked,
           (double)a.longest_us / 1000);
    OK(folded_end(worker, SIGTERM) == 0);
    folded_close(&f);
}

static void drop_first_empties_and_comes_back(struct suite *s)
{
    struct folded f;
    struct generation was = {0}, is = {0};
    struct watched w = {.end_at = 1};
    struct ll_error err = {0};
    char *before, *after, *tables;
    pid_t worker;

    srand(13);
    folded_open(&f, s, NULL);
    folded_append(&f, 3000, -1);
    worker = folded_start(&f, NULL, 1);
    OK(folded_wait(&f, 20) && folded_live(&f, &was));
    before = folded_rows(&f, &was);
    OK(replay(&f, &w, true, 1000, &err) == LL_ETIMEOUT); /* interrupted */
    tables = folded_ask(&f, &was, "select to_regclass('%s.tally') is null");
    OK(strcmp(tables, "t") == 0);
    /* the projector takes over what is half built */
    OK(folded_wait(&f, 20) && folded_live(&f, &is) && is.number == was.number + 1);
    after = folded_rows(&f, &is);
    OK(strcmp(before, after) == 0);
    free(before);
    free(after);
    free(tables);
    OK(folded_end(worker, SIGTERM) == 0);
    folded_close(&f);
}

static void a_killed_replay_goes_on_where_it_was(struct suite *s)
{
    struct folded f;
    struct generation was = {0}, is = {0};
    struct watched w = {0};
    struct ll_error err = {0};
    pid_t worker, other;
    char *before, *after;

    srand(14);
    folded_open(&f, s, NULL);
    folded_append(&f, 6000, -1);
    worker = folded_start(&f, NULL, 1);
    OK(folded_wait(&f, 20) && folded_live(&f, &was));
    before = folded_rows(&f, &was);
    other = start_replay(&f, 1500);
    sleep_ms(1200);
    OK(replay(&f, &w, false, 0, &err) == LL_ECONFLICT); /* while that one is at it */
    OK(strstr(err.text, "is being replayed by") != NULL);
    OK(waitpid(other, NULL, 0) == other);

    other = start_replay(&f, 1500);
    sleep_ms(1200);
    folded_end(other, SIGKILL);
    OK(replay(&f, &w, false, 0, &err) == LL_OK);
    OK(w.last.is_resumed && w.last.folded > 0 && w.last.folded < 6000);
    OK(folded_live(&f, &is) && is.number == was.number + 2);
    after = folded_rows(&f, &is);
    OK(strcmp(before, after) == 0);
    free(before);
    free(after);
    OK(folded_end(worker, SIGTERM) == 0);
    folded_close(&f);
}

/* A binary with other SQL, on the same log and in the same database. */
static void another_identity_serves_beside(struct suite *s)
{
    static const char other_apply[] =
        "-- on test.counted\n"
        "insert into tally (key, events, total, last_id, last_at)\n"
        "values (:key, 1, :n, :event.id, :event.time)\n"
        "on conflict (key) do update set events = tally.events + 1,\n"
        " total = tally.total + excluded.total;\n"
        "insert into trace (id, key, at) values (:event.id, :event.key, "
        ":event.sequence);\n";
    struct folded f, mine;
    pid_t old_worker, new_worker;
    struct generation g, h;

    srand(15);
    folded_open(&f, s, NULL);
    folded_append(&f, 2000, -1);
    old_worker = folded_start(&f, NULL, 1);
    OK(folded_wait(&f, 20));
    mine = f;
    mine.projection = folded_projection(&f, other_apply);
    new_worker = folded_start(&mine, NULL, 1);
    OK(folded_wait(&mine, 20));
    folded_append(&f, 1000, -1);
    mine.appended = f.appended;
    memcpy(mine.count, f.count, sizeof(f.count));
    memcpy(mine.total, f.total, sizeof(f.total));
    OK(folded_wait(&f, 10) && folded_wait(&mine, 10));
    OK(folded_is_right(&f) && folded_is_right(&mine));
    OK(folded_live(&f, &g) && folded_live(&mine, &h) && g.number != h.number);
    OK(folded_end(old_worker, SIGTERM) == 0);
    OK(folded_end(new_worker, SIGTERM) == 0);
    projection_free(mine.projection);
    folded_close(&f);
}

static bool says(struct folded *f, const char *sql, const char *expected)
{
    struct generation none = {0};
    char *is = folded_ask(f, &none, sql);
    bool same = strcmp(is, expected) == 0;

    if (!same) printf("is %s, not %s\n", is, expected);
    free(is);
    return same;
}

static bool is_unpinned(void *context)
{
    struct generation none = {0};
    char *pins = folded_ask(context, &none,
                            "select count(*) from pg_locks where locktype = 'advisory'"
                            " and database = (select oid from pg_database"
                            "  where datname = current_database())");
    bool none_left = strcmp(pins, "0") == 0;

    free(pins);
    return none_left;
}

static void old_ones_are_swept_away(struct suite *s)
{
    static const char states[] = "select string_agg(state, ' ' order by number)"
                                 " from landlog.generation";
    static const char age[] = "update landlog.generation"
                              " set changed = changed - interval '1 hour'";
    struct folded f;
    struct generation g;
    struct watched w = {0};
    struct ll_error err = {0};
    PGconn *front_end;

    folded_open(&f, s, NULL);
    for (int i = 0; i < 4; i++) OK(replay(&f, &w, false, 0, &err) == LL_OK);
    OK(says(&f, states, "old old old live"));
    front_end = testlog_connect(&f.log);
    OK(pg_query(front_end, projection_pin_sql, (const char *const[]){"counts", "2"}, 2,
                NULL, &err) == LL_OK);
    OK(folded_live(&f, &g));
    OK(generation_sweep(f.connection, f.projection, &g, &err) == LL_OK);
    OK(says(&f, states, "old old old live")); /* too young */
    testlog_run(&f.log, age);
    OK(generation_sweep(f.connection, f.projection, &g, &err) == LL_OK);
    OK(says(&f, states, "dropped old old live")); /* pinned; kept */
    PQfinish(front_end);
    OK(wait_until(5, is_unpinned, &f));
    OK(generation_sweep(f.connection, f.projection, &g, &err) == LL_OK);
    OK(says(&f, states, "dropped dropped old live"));
    OK(says(&f, "select count(*) from pg_namespace where nspname like 'counts_g%'", "2"));
    OK(says(&f, "select count(*) from landlog.lease where name like '%/counts_g2/%'",
            "0"));
    folded_close(&f);
}

/* It stands in the table and in the exit status, what was applied before stays, and a new
 * start tries again. */
static void a_poisonous_event_halts(struct suite *s)
{
    struct folded f;
    int status;

    folded_open(&f, s, NULL);
    folded_append(&f, 10, 1);
    for (int i = 0; i < 2; i++) {
        pid_t worker = folded_start(&f, NULL, 2);

        OK(folded_wait(&f, 10));
        if (i == 0) folded_append_poison(&f);
        OK(waitpid(worker, &status, 0) == worker && WEXITSTATUS(status) == 3);
        OK(says(&f,
                "select halted like 'event %(test.counted, things/_ at 11)%"
                "apply.sql:2%out of range%' from landlog.generation",
                "t"));
        f.appended = 10;
        OK(folded_is_right(&f));
    }
    folded_close(&f);
}

static void keep_status(void *context, const struct status_generation *g)
{
    struct status_generation *out = context;

    *out = *g;
    out->partitions = NULL;
}

static void status_tells_stuck_from_idle(struct suite *s)
{
    struct folded f;
    struct status_generation status = {0};
    struct ll_error err;
    pid_t worker;

    folded_open(&f, s, NULL);
    folded_append(&f, 100, -1);
    worker = folded_start(&f, NULL, 1);
    OK(folded_wait(&f, 10));
    OK(projection_status(f.connection, f.log.settings, f.projection, keep_status, &status,
                         &err) == LL_OK);
    OK(status.state == GENERATION_LIVE && status.is_ours && !status.is_replay);
    OK(status.applied == 100 && status.behind == 0 && status.stalled_s <= 0);
    OK(status.projectors == 1 && status.partition_count == 8 && status.halted[0] == '\0');
    folded_end(worker, SIGTERM);
    sleep_ms(2000);
    folded_append(&f, 7, -1);
    sleep_ms(100);
    OK(projection_status(f.connection, f.log.settings, f.projection, keep_status, &status,
                         &err) == LL_OK);
    OK(status.behind == 7 && status.stalled_s >= 0.1 && status.stalled_s < 2 &&
       status.projectors == 0);
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
    RUN(an_empty_log_is_live_at_once);
    RUN(a_replay_gives_the_same_rows);
    RUN(queries_go_on_over_a_swap);
    RUN(drop_first_empties_and_comes_back);
    RUN(a_killed_replay_goes_on_where_it_was);
    RUN(another_identity_serves_beside);
    RUN(old_ones_are_swept_away);
    RUN(a_poisonous_event_halts);
    RUN(status_tells_stuck_from_idle);
    printf("%lu checks, %lu failed\n", s->checks, s->failed);
    return s->failed > 0 || s->checks == 0;
}
