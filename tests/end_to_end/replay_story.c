/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* replay_story.c - see replay_story.h. */
#include "replay_story.h"

#include "core/event/codec.h"
#include "producers/social_decision.h"
#include "traffic.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COMMANDS = 350 /* a client */, KILLS = 12, ANSWERS = 4000 };

static unsigned long checks, failed;

#define HOLDS(e, ...) \
    do { \
        checks++; \
        if (!(e)) { \
            failed++; \
            printf("FAILED %s: ", #e); \
            printf(__VA_ARGS__); \
            printf("\n"); \
        } \
    } while (0)

/* ---- kill -9, at random moments ---- */

struct killer {
    const struct world *world;
    volatile bool is_over;
    unsigned kills[3];
    unsigned seed;
};

static const char *const victims[] = {"project", "serve", "relay"};

static void *kill_parts(void *context)
{
    struct killer *k = context;

    for (int kills = 0; !k->is_over && kills < KILLS; kills++) {
        struct timespec pause = {1, (rand_r(&k->seed) % 1000) * 1000000L};
        size_t i = (size_t)kills % (k->world->on_kafka ? 3 : 2); /* each in turn */
        pid_t pid;

        nanosleep(&pause, NULL);
        pid = world_part(k->world, victims[i]);
        if (pid > 0 && kill(pid, SIGKILL) == 0) k->kills[i]++;
    }
    return NULL;
}

/* ---- every query's bytes ---- */

struct answers {
    size_t count;
    char *path[ANSWERS], *bytes[ANSWERS];
};

static void ask(struct client *c, const struct person *who, const char *path,
                struct answers *a)
{
    struct client_request q = {.who = who, .method = "GET", .path = path};
    long status = 0;

    for (int i = 0; i < 100 && status != 200; i++) {
        struct timespec pause = {0, 100 * 1000000};

        status = client_send(c, &q);
        if (status != 200) nanosleep(&pause, NULL);
    }
    HOLDS(status == 200, "%s: %ld", path, status);
    LL_CHECK(a->count < ANSWERS);
    a->path[a->count] = ll_strdup(path);
    a->bytes[a->count++] = ll_strdup(builder_view(&c->body).ptr);
}

static void ask_everything(const struct traffic *t, struct answers *a)
{
    static const char *const pages[] = {"/social/v1/friends",
                                        "/social/v1/friends?limit=2&offset=1",
                                        "/social/v1/friendship-requests",
                                        "/social/v1/friendship-requests?direction=sent",
                                        "/social/v1/blocks",
                                        "/social/v1/blocking-status"};
    struct client c;
    char path[128];

    *a = (struct answers){0};
    client_init(&c, t->world->url);
    for (size_t i = 0; i < PEOPLE; i++) {
        for (size_t k = 0; k < LL_LENGTH(pages); k++) ask(&c, &t->people[i], pages[k], a);
        for (size_t k = 0; k < PEOPLE; k++) {
            snprintf(path, sizeof(path), "/social/v1/friendships/%s",
                     t->people[k].address);
            ask(&c, &t->people[i], path, a);
            snprintf(path, sizeof(path), "/social/v1/friends/%s/mutual",
                     t->people[k].address);
            ask(&c, &t->people[i], path, a);
        }
    }
    client_fini(&c);
}

static void compare(const struct answers *before, const struct answers *after,
                    const char *what)
{
    size_t bytes = 0;

    HOLDS(before->count == after->count, "%zu, %zu", before->count, after->count);
    for (size_t i = 0; i < before->count && i < after->count; i++) {
        HOLDS(strcmp(before->bytes[i], after->bytes[i]) == 0, "%s %s:\n  %s\n  %s", what,
              before->path[i], before->bytes[i], after->bytes[i]);
        bytes += strlen(before->bytes[i]);
    }
    printf("%s: %zu answers, %zu bytes compared\n", what, before->count, bytes);
}

static void answers_free(struct answers *a)
{
    for (size_t i = 0; i < a->count; i++) {
        free(a->path[i]);
        free(a->bytes[i]);
    }
}

/* ---- what must be true of the log ---- */

static long number(const struct world *w, const char *sql)
{
    char *value = world_query(w, sql);
    long n = strtol(value, NULL, 10);

    free(value);
    return n;
}

/* Each answer was true: a success has its one event (or found nothing to do), a refusal
 * has none. */
static void check_answers(const struct traffic *t)
{
    size_t accepted = 0, idle = 0, refused = 0;

    for (size_t i = 0; i < CLIENTS * t->commands; i++) {
        const struct command_seen *c = &t->seen[i];
        char sql[200], command[UUID_TEXT];
        long events;

        uuid_print(&c->command, command);
        snprintf(sql, sizeof(sql),
                 "select count(*) from landlog.event where command = '%s'", command);
        events = number(t->world, sql);
        HOLDS(c->status == 200 ? events <= 1 : events == 0,
              "%s answered %ld has %ld events", command, c->status, events);
        HOLDS(!c->is_invalid || (c->status >= 400 && c->status < 500),
              "an invalid one got %ld", c->status);
        accepted += c->status == 200 && events == 1;
        idle += c->status == 200 && events == 0;
        refused += c->status != 200;
    }
    printf("accepted %zu, already so %zu, refused %zu\n", accepted, idle, refused);
    HOLDS(accepted > COMMANDS && refused > COMMANDS / 4, "%zu, %zu", accepted, refused);
}

/* What one event did to its pair, judged as a command on the state before it. */
struct fold {
    char key[128], last_actor[64];
    const struct social_action *last;
    bool is_blocked[2]; /* by the lower address, by the higher */
};

static bool step(struct fold *f, struct text type, struct text actor)
{
    static const struct social_limits none = {UINT64_MAX, UINT64_MAX};
    const struct social_action *action = social_action_of(type);
    size_t who =
        text_starts_with(actor, "0x") && strncmp(f->key, actor.ptr, actor.len) == 0 ? 0
                                                                                    : 1;
    struct social_pair pair = {.last_action = text_of(f->last ? f->last->name : ""),
                               .last_actor = text_of(f->last_actor),
                               .blocked_by_actor = f->is_blocked[who],
                               .blocked_by_target = f->is_blocked[1 - who]};
    bool is_allowed =
        action != NULL && social_decide(action, actor, &pair, &none) == SOCIAL_HAPPENS;

    if (!is_allowed) return false;
    snprintf(f->last_actor, sizeof(f->last_actor), "%.*s", TEXT_ARGS(actor));
    if (action->is_block) f->is_blocked[who] = strcmp(action->name, "block") == 0;
    /* Blocks touch a friendship only where there is one; an unblock ends it. */
    if (!action->is_block)
        f->last = action;
    else if (f->last != NULL)
        f->last = social_action_find(f->is_blocked[who] ? TEXT("block") : TEXT("delete"));
    return true;
}

/* Fold each pair's events: every one must be allowed after those before, which is what
 * deciding them one after the other means. */
static void check_chains(const struct world *w)
{
    static const char sql[] =
        "select key, type, data from landlog.event"
        " where type like 'social.%' order by key, partition, sequence";
    PGconn *c = PQconnectdb(w->conninfo);
    PGresult *r = PQexecParams(c, sql, 0, NULL, NULL, NULL, NULL, 1);
    struct fold f = {0};
    int pairs = 0;

    LL_CHECK(PQresultStatus(r) == PGRES_TUPLES_OK);
    for (int i = 0; i < PQntuples(r); i++) {
        struct text names[] = {TEXT("actor"), TEXT("blocker")};
        struct text data = {PQgetvalue(r, i, 2), (size_t)PQgetlength(r, i, 2)};
        struct codec_value found[2];
        struct text actor;

        if (strcmp(f.key, PQgetvalue(r, i, 0)) != 0) {
            f = (struct fold){0};
            snprintf(f.key, sizeof(f.key), "%s", PQgetvalue(r, i, 0));
            pairs++;
        }
        LL_CHECK(codec_members(data, names, 2, found, NULL) == LL_OK);
        actor = found[0].kind == CODEC_STRING ? found[0].text : found[1].text;
        HOLDS(step(&f, text_of(PQgetvalue(r, i, 1)), actor),
              "%s of %s is not allowed there", PQgetvalue(r, i, 1), f.key);
    }
    printf("%d events of %d pairs form their chains\n", PQntuples(r), pairs);
    PQclear(r);
    PQfinish(c);
}

static void check_log(const struct world *w)
{
    HOLDS(number(w,
                 "select count(*) from (select partition, sequence, row_number() over "
                 "(partition by partition order by sequence) as n from landlog.event) e "
                 "where sequence <> n") == 0,
          "a gap");
    HOLDS(number(
              w,
              "select count(*) from (select time, lag(time) over (partition by partition "
              "order by sequence) as before from landlog.event) e where before > time") ==
              0,
          "time runs backwards");
    HOLDS(number(w, "select count(*) - count(distinct command) from landlog.event") == 0,
          "a command twice");
}

/* ---- the story ---- */

static void replay(const struct world *w, const struct traffic *t,
                   const struct answers *before)
{
    struct answers after;

    HOLDS(world_run(w, "replay", "social", "--drop-first", NULL) == 0, "see command.log");
    world_wait_healthy(w);
    ask_everything(t, &after);
    compare(before, &after, "replayed");
    answers_free(&after);
}

/* Lose the whole Postgres. */
static void rebuild(struct world *w, const struct traffic *t,
                    const struct answers *before)
{
    struct answers after;

    HOLDS(world_stop(w) == 0, "landlog up did not stop cleanly");
    world_recreate_database(w);
    HOLDS(world_run(w, "rebuild", NULL) == 0, "see command.log");
    world_up(w);
    ask_everything(t, &after);
    compare(before, &after, "rebuilt from Kafka");
    answers_free(&after);
}

int replay_story(const char *name, bool on_kafka)
{
    static struct traffic t;
    static struct answers before;
    struct world w;
    struct killer k = {.world = &w, .seed = 7};
    pthread_t killing;

    if (!world_start(&w, name, on_kafka)) {
        printf("skipped: a service is not there (LANDLOG_TEST_POSTGRES%s)\n",
               on_kafka ? ", LANDLOG_TEST_KAFKA" : "");
        return 77;
    }
    t = (struct traffic){.world = &w, .commands = COMMANDS, .seed = 42};
    LL_CHECK(pthread_create(&killing, NULL, kill_parts, &k) == 0);
    traffic_run(&t);
    k.is_over = true;
    pthread_join(killing, NULL);
    traffic_print(&t);
    printf("killed: project %u, serve %u, relay %u\n", k.kills[0], k.kills[1],
           k.kills[2]);
    HOLDS(k.kills[0] > 0 && k.kills[1] > 0, "nothing was killed");
    HOLDS(t.differing == 0, "%lu repeats", t.differing);

    world_wait_healthy(&w);
    check_answers(&t);
    check_log(&w);
    check_chains(&w);
    ask_everything(&t, &before);
    replay(&w, &t, &before);
    if (on_kafka) rebuild(&w, &t, &before);
    HOLDS(world_stop(&w) == 0, "landlog up did not stop cleanly");
    answers_free(&before);
    free(t.seen);
    printf("%lu checks, %lu failed\n", checks, failed);
    return failed > 0;
}
