/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* told_story.c - see told_story.h. */
#include "told_story.h"

#include "traffic.h"
#include "unit/t.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COMMANDS = 1500 /* a client */, WAIT_TRIES = 900, LEAST_KILLS = 5 };

static struct world world;

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

static long number(const char *fmt, const char *schema)
{
    struct builder sql;
    char *value;
    long n;

    builder_init(&sql, 4096);
    for (; *fmt != '\0'; fmt++) /* % is the schema */
        if (*fmt == '%')
            builder_string(&sql, schema);
        else
            builder_char(&sql, *fmt);
    value = world_query(&world, builder_view(&sql).ptr);
    n = strtol(value, NULL, 10);
    builder_fini(&sql);
    free(value);
    return n;
}

/* ---- what goes wrong meanwhile ---- */

struct trouble {
    volatile bool is_over;
    unsigned kills, stops, replays, failed_replays;
    unsigned seed;
};

static void *disturb(void *context)
{
    struct trouble *t = context;

    for (unsigned i = 0; !t->is_over; i++) {
        pid_t pid;

        pause_ms(50 + rand_r(&t->seed) % 600);
        pid = world_part(&world, "react");
        if (pid == 0) continue;
        if (i % 3 == 2 && kill(pid, SIGSTOP) == 0) {
            pause_ms(100 + rand_r(&t->seed) % 900);
            kill(pid, SIGCONT);
            t->stops++;
        } else if (kill(pid, SIGKILL) == 0) {
            t->kills++;
        }
    }
    return NULL;
}

static void *build_anew(void *context)
{
    struct trouble *t = context;

    while (!t->is_over) {
        if (world_run(&world, "replay", "notifier", NULL) == 0)
            t->replays++;
        else
            t->failed_replays++;
        pause_ms(500);
    }
    return NULL;
}

/* ---- what must be true ---- */

#define CAUSES  "('social.friendship-requested', 'social.friendship-accepted')"
#define CREATED "landlog.event where type = 'notifications.notification-created'"

static long causes(void)
{
    return number("select count(*) from landlog.event where type in " CAUSES, "");
}

static void wait_until_all_are_told(long expected)
{
    for (int i = 0;
         i < WAIT_TRIES && number("select count(*) from " CREATED, "") < expected; i++)
        pause_ms(100);
    pause_ms(1500); /* time for one too many */
}

/* One notification an event that makes one: as often on the log as in the inboxes, and
 * each with its cause's id and time. */
static void check(long expected)
{
    char *schema = world_query(&world, "select schema from landlog.generation where "
                                       "projection = 'notifications' and state = 'live'");

    OK(number("select count(*) from " CREATED, "") == expected);
    OK(number("select count(distinct subject) from " CREATED, "") == expected);
    OK(number("select count(*) from " CREATED " and causation in (select id from "
              "landlog.event where type in " CAUSES ")",
              "") == expected);
    OK(number("select count(*) from %.notification", schema) == expected);
    OK(number(
           "select count(distinct e.id) from landlog.event e join %.notification n on "
           "n.event_key = e.id::text and n.happened_at = e.time where e.type in " CAUSES,
           schema) == expected);
    free(schema);
}

static void tell_under_trouble(struct traffic *t)
{
    struct trouble trouble = {.seed = 11};
    pthread_t threads[2];

    LL_CHECK(pthread_create(&threads[0], NULL, disturb, &trouble) == 0 &&
             pthread_create(&threads[1], NULL, build_anew, &trouble) == 0);
    traffic_run(t);
    trouble.is_over = true;
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    printf("killed %u times, stopped %u, built anew %u (%u failed)\n", trouble.kills,
           trouble.stops, trouble.replays, trouble.failed_replays);
    OK(trouble.kills >= LEAST_KILLS && trouble.stops > 0 && trouble.replays > 0);
}

int told_story(const char *name, bool on_kafka)
{
    static struct traffic t;
    long expected;

    if (!world_start(&world, name, on_kafka)) {
        printf("skipped: a service is not there (LANDLOG_TEST_POSTGRES%s)\n",
               on_kafka ? ", LANDLOG_TEST_KAFKA" : "");
        return 77;
    }
    t = (struct traffic){.world = &world, .commands = COMMANDS, .seed = 5};
    tell_under_trouble(&t);
    world_wait_healthy(&world);
    expected = causes();
    printf("%ld events that make a notification\n", expected);
    OK(expected > 500);
    wait_until_all_are_told(expected);
    check(expected);
    OK(world_run(&world, "replay", "notifier", NULL) == 0);
    OK(world_run(&world, "replay", "notifications", NULL) == 0);
    wait_until_all_are_told(expected);
    check(expected);
    OK(world_stop(&world) == 0);
    free(t.seen);
    return t_done();
}
