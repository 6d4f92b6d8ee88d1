/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_clients_test.c - the published clients of a content server, unmodified: one
 * deploys and reads back by every call it has; another follows one Landlog and brings
 * what it finds to a second one. Both on the Node.js of Debian 12 and on a current one.
 */
#include "world.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { YEAR_S = 365 * 24 * 3600, SNAPSHOTS_S = 3 };

/* A world that takes entities of the past, as fast as they come. */
static bool start(struct world *w, const char *name)
{
    static const char *const types[] = {"scene", "profile", "wearable",
                                        "emote", "store",   "outfits"};
    FILE *f;

    if (!world_prepare(w, name, false)) return false;
    f = fopen(w->config, "ae");
    if (f == NULL) world_fail("cannot write %s", w->config);
    fprintf(f, "service.content.deployment-age = %d\n", YEAR_S);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        fprintf(f, "service.content.rate-limit-ttl-%s = 0\n", types[i]);
    fclose(f);
    world_up(w);
    return true;
}

struct restarter {
    const struct world *world;
    volatile bool is_over;
};

/* A reactor that starts makes snapshots; nobody waits six hours here. */
static void *restart_react(void *context)
{
    struct restarter *r = context;

    while (!r->is_over) {
        static const struct timespec pause = {SNAPSHOTS_S, 0};
        pid_t pid = world_part(r->world, "react");

        if (pid > 0) kill(pid, SIGKILL);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* Its exit status; what it prints is our output. */
static int run(const char *script, const char *url, const char *other)
{
    char command[1024];
    int status;

    snprintf(command, sizeof(command), "%s/tests/clients/run %s %s %s 2>&1",
             LANDLOG_SOURCE_DIR, script, url, other);
    fflush(stdout);
    status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(void)
{
    struct world w, other;
    struct restarter r = {.world = &w};
    pthread_t thread;
    int status, followed;

    if (!start(&w, "content_clients") || !start(&other, "content_clients_other")) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    if (pthread_create(&thread, NULL, restart_react, &r) != 0) world_fail("no thread");
    followed = run("follow.mjs", w.url, other.url);
    r.is_over = true;
    pthread_join(thread, NULL);
    world_wait_healthy(&w);
    status = run("content.mjs", w.url, "");
    if (world_stop(&w) != 0 || world_stop(&other) != 0)
        world_fail("landlog up did not stop cleanly");
    if (status == 77 && followed == 77) return 77;
    return status != 0 || followed != 0;
}
