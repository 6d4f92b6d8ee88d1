/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* replay_story.c - see replay_story.h. */
#include "replay_story.h"

#include "answers.h"
#include "core/event/codec.h"
#include "doings.h"
#include "producers/social_decision.h"
#include "traffic.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COMMANDS = 350 /* a client */, KILLS = 12, TELLINGS = 250 };

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
    unsigned kills[4];
    unsigned seed;
};

static const char *const victims[] = {"project", "serve", "react", "relay"};

static void *kill_parts(void *context)
{
    struct killer *k = context;
    int parts = k->world->on_kafka ? 4 : 3;

    /* Each in turn, and each at least once. */
    for (int kills = 0; kills < parts || (!k->is_over && kills < KILLS);) {
        struct timespec pause = {kills < parts ? 0 : 1,
                                 (100 + rand_r(&k->seed) % 800) * 1000000L};
        size_t i = (size_t)(kills % parts);
        pid_t pid;

        nanosleep(&pause, NULL);
        pid = world_part(k->world, victims[i]);
        if (pid <= 0 || kill(pid, SIGKILL) != 0) continue; /* not up again yet */
        k->kills[i]++;
        kills++;
    }
    return NULL;
}

/* ---- every query's bytes ---- */

static void ask_everything(const struct traffic *t, const struct doings *d,
                           struct answers *a)
{
    static const char *const pages[] = {"/social/v1/friends",
                                        "/social/v1/friends?limit=2&offset=1",
                                        "/social/v1/friendship-requests",
                                        "/social/v1/friendship-requests?direction=sent",
                                        "/social/v1/blocks",
                                        "/social/v1/blocking-status"};
    struct client c;
    char path[128];

    client_init(&c, t->world->url);
    for (size_t i = 0; i < PEOPLE; i++) {
        for (size_t k = 0; k < LL_LENGTH(pages); k++)
            answers_ask(a, &c, &t->people[i], pages[k], NULL);
        for (size_t k = 0; k < PEOPLE; k++) {
            snprintf(path, sizeof(path), "/social/v1/friendships/%s",
                     t->people[k].address);
            answers_ask(a, &c, &t->people[i], path, NULL);
            snprintf(path, sizeof(path), "/social/v1/friends/%s/mutual",
                     t->people[k].address);
            answers_ask(a, &c, &t->people[i], path, NULL);
        }
    }
    doings_ask(d, &c, a);
    client_fini(&c);
    HOLDS(a->unanswered == 0, "%zu", a->unanswered);
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

/* Each grant and each notification once; none of them again by a replay. */
static void check_emitted(const struct world *w, const char *type)
{
    char sql[256];
    long all;

    snprintf(sql, sizeof(sql), "select count(*) from landlog.event where type = '%s'",
             type);
    all = number(w, sql);
    snprintf(sql, sizeof(sql),
             "select count(*) from (select distinct t from landlog.event e,"
             " unnest(e.tags) t where type = '%s' and t like 'once:%%') o",
             type);
    HOLDS(number(w, sql) == all && all > PEOPLE, "%ld of %s", all, type);
    printf("%ld of %s, each once\n", all, type);
}

/* ---- the story ---- */

struct story {
    struct world world;
    struct traffic traffic;
    struct doings doings;
    struct answers before;
};

static void *do_things(void *doings)
{
    doings_run(doings);
    return NULL;
}

static void live_under_kills(struct story *s)
{
    struct killer k = {.world = &s->world, .seed = 7};
    pthread_t killing, doing;

    traffic_people(&s->traffic);
    LL_CHECK(pthread_create(&killing, NULL, kill_parts, &k) == 0 &&
             pthread_create(&doing, NULL, do_things, &s->doings) == 0);
    traffic_run(&s->traffic);
    pthread_join(doing, NULL);
    k.is_over = true;
    pthread_join(killing, NULL);
    traffic_print(&s->traffic);
    printf("told %lu, told again %lu, deployed %zu, refused %lu, read in inboxes %lu\n",
           s->doings.told, s->doings.repeated, s->doings.entity_count, s->doings.refused,
           s->doings.marked);
    printf("killed: project %u, serve %u, react %u, relay %u\n", k.kills[0], k.kills[1],
           k.kills[2], k.kills[3]);
    HOLDS(k.kills[0] > 0 && k.kills[1] > 0 && k.kills[2] > 0, "nothing was killed");
    HOLDS(s->traffic.differing == 0, "%lu repeats", s->traffic.differing);
    HOLDS(s->doings.repeated > 0 && s->doings.marked > 0, "nothing was repeated or read");
    HOLDS(s->doings.entity_count > 50, "%zu deployed", s->doings.entity_count);
}

static void compare(struct story *s, const char *what)
{
    struct answers after = {0};

    doings_settle(&s->world);
    ask_everything(&s->traffic, &s->doings, &after);
    HOLDS(answers_compare(&s->before, &after, what) == 0, "%s", what);
    answers_free(&after);
    check_emitted(&s->world, "badges.badge-granted");
    check_emitted(&s->world, "notifications.notification-created");
}

/* Every read model and every reactor is made anew from the log, which stays as it is. */
static void replay(struct story *s)
{
    static const char *const names[] = {"social", "platform", "badges", "notifications",
                                        "notifier"};
    static const char events[] = "select count(*) from landlog.event";
    long before = number(&s->world, events);

    for (size_t i = 0; i < LL_LENGTH(names); i++)
        HOLDS(world_run(&s->world, "replay", names[i], "--drop-first", NULL) == 0,
              "%s: see command.log", names[i]);
    world_wait_healthy(&s->world);
    compare(s, "replayed");
    HOLDS(number(&s->world, events) == before, "a replay emitted something");
}

/* Lose the whole Postgres. */
static void rebuild(struct story *s)
{
    HOLDS(world_stop(&s->world) == 0, "landlog up did not stop cleanly");
    world_recreate_database(&s->world);
    HOLDS(world_run(&s->world, "rebuild", NULL) == 0, "see command.log");
    world_up(&s->world);
    compare(s, "rebuilt from Kafka");
}

int replay_story(const char *name, bool on_kafka)
{
    static struct story s;

    if (!world_prepare(&s.world, name, on_kafka)) {
        printf("skipped: a service is not there (LANDLOG_TEST_POSTGRES%s)\n",
               on_kafka ? ", LANDLOG_TEST_KAFKA" : "");
        return 77;
    }
    doings_allow(&s.world);
    if (on_kafka) world_move_to_kafka(&s.world);
    world_up(&s.world);
    s.traffic = (struct traffic){.world = &s.world, .commands = COMMANDS, .seed = 42};
    s.doings = (struct doings){.world = &s.world,
                               .people = s.traffic.people,
                               .people_count = PEOPLE,
                               .requests = TELLINGS,
                               .seed = 4};
    live_under_kills(&s);
    world_wait_healthy(&s.world);
    doings_settle(&s.world);
    check_answers(&s.traffic);
    check_log(&s.world);
    check_chains(&s.world);
    ask_everything(&s.traffic, &s.doings, &s.before);
    replay(&s);
    if (on_kafka) rebuild(&s);
    HOLDS(world_stop(&s.world) == 0, "landlog up did not stop cleanly");
    answers_free(&s.before);
    free(s.traffic.seen);
    printf("%lu checks, %lu failed\n", checks, failed);
    return failed > 0;
}
