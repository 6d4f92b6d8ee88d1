/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_rebuild.c - reactors that fold the log anew: nothing is emitted by it, nothing
 * twice behind it, and nothing is lost at the swap. */
#include "react_subjects.h"

#include "folded.h"

#include "core/base/note.h"
#include "core/projection/outgoing.h"
#include "core/projection/replay.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

static int replay(struct reacted *r, uint64_t throttle)
{
    struct ll_error err;
    ll_rc rc = replay_run(&(struct replay_options){.settings = r->log.settings,
                                                   .registry = r->registry,
                                                   .projection = r->reactor,
                                                   .workers = 1,
                                                   .batch = 50,
                                                   .throttle = throttle},
                          &err);

    if (rc != LL_OK) printf("  replay: %s\n", err.text);
    return rc == LL_OK ? 0 : 1;
}

static pid_t start_replay(struct reacted *r, uint64_t throttle)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0) suite_die("fork failed");
    if (pid > 0) return pid;
    note_setup("replay", NOTE_ERROR);
    _exit(replay(r, throttle));
}

static bool has_ended(pid_t pid, int *status)
{
    return waitpid(pid, status, WNOHANG) == pid;
}

static uint32_t live_number(struct reacted *r)
{
    struct generation g = {0};

    return reacted_live(r, &g) ? g.number : 0;
}

/* The live one's reactor is away with work left undone. The rebuild leaves the log as it
 * is, and behind the swap there is just what nobody has emitted. */
void a_rebuild_emits_nothing(struct suite *s)
{
    struct reacted r;
    uint64_t events, pending;
    pid_t reactor;

    srand(4);
    reacted_open(&r, s);
    reactor = reacted_start(&r, NULL, 1);
    reacted_append(&r, 300, -1);
    OK(reacted_wait(&r, PATIENCE_S));
    reacted_end(reactor, SIGKILL);
    reacted_append(&r, 90, -1);
    events = reacted_number(&r, "select count(*) from landlog.event");
    for (uint32_t i = 0; i < 3; i++) {
        OK(replay(&r, 0) == 0 && live_number(&r) == i + 2);
        OK(reacted_number(&r, "select count(*) from landlog.event") == events);
        pending = reacted_number(&r, "select count(*) from %s.outgoing");
        OK(pending >= 90 && pending < 130);
    }
    reactor = reacted_start(&r, NULL, 1);
    OK(reacted_wait(&r, PATIENCE_S));
    OK(reacted_number(&r, "select count(*) from landlog.event") == events + pending);
    OK(reacted_is_right(&r));
    OK(reacted_end(reactor, SIGTERM) == 0);
    reacted_close(&r);
}

/* Swap after swap while events come, and reactors die. */
void a_rebuild_under_traffic_loses_nothing(struct suite *s)
{
    struct reacted r;
    pid_t reactors[2];
    uint32_t number;

    srand(5);
    reacted_open(&r, s);
    reacted_append(&r, 1000, -1);
    reactors[0] = reacted_start(&r, NULL, 1);
    reactors[1] = reacted_start(&r, NULL, 2);
    OK(reacted_wait(&r, PATIENCE_S));
    for (int i = 0; i < 6; i++) {
        pid_t builder = start_replay(&r, i % 2 == 0 ? 0 : 5000);
        int status = 0;

        number = live_number(&r);
        while (!has_ended(builder, &status)) {
            reacted_append(&r, 1 + (size_t)(rand() % 20), -1);
            reacted_sleep(rand() % 30);
            if (rand() % 40 != 0) continue;
            reacted_end(reactors[i % 2], SIGKILL);
            reactors[i % 2] = reacted_start(&r, NULL, 1);
        }
        OK(status == 0 && live_number(&r) == number + 1);
    }
    OK(reacted_wait(&r, PATIENCE_S));
    OK(reacted_is_right(&r));
    OK(reacted_end(reactors[0], SIGTERM) == 0);
    OK(reacted_end(reactors[1], SIGTERM) == 0);
    reacted_close(&r);
}

static const char more_sql[] = "insert into said (subject, times) values ('never', 1);\n";

static bool has_two_live(void *context)
{
    struct reacted *r = context;

    return reacted_number(r, "select count(*) from landlog.generation"
                             " where state = 'live'") == 2;
}

/* A binary with other SQL folds the whole log, beside the one before, and finds all that
 * was emitted. Both move facts of the same subjects then. */
void other_sql_emits_what_is_new(struct suite *s)
{
    struct reacted r;
    struct projection *other;
    uint64_t events;
    pid_t before, behind;

    srand(6);
    reacted_open(&r, s);
    other = reacted_reactor(&r, more_sql);
    reacted_append(&r, 500, -1);
    before = reacted_start(&r, NULL, 1);
    OK(reacted_wait(&r, PATIENCE_S));
    events = reacted_number(&r, "select count(*) from landlog.event");
    behind = reacted_start_as(&r, other, NULL, 1);
    OK(wait_until(PATIENCE_S, has_two_live, &r));
    OK(reacted_wait(&r, PATIENCE_S));
    OK(reacted_number(&r, "select count(*) from landlog.event") == events);
    for (int i = 0; i < 20; i++) {
        reacted_append(&r, 30, -1);
        reacted_sleep(20);
    }
    OK(reacted_wait(&r, PATIENCE_S));
    OK(reacted_is_right(&r));
    OK(reacted_end(before, SIGTERM) == 0);
    OK(reacted_end(behind, SIGTERM) == 0);
    projection_free(other);
    reacted_close(&r);
}
