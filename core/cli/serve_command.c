/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* serve_command.c - `landlog serve`: the HTTP front-end, one or more worker processes.
 *
 * The first process only keeps its workers running; with one worker it is the worker. */
#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/cli/command.h"
#include "core/cli/install.h"
#include "core/http/server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 256, RESTART_MS = 500 };

static const struct command_option options[] = {
    {"workers", "N", "worker processes (the setting http.workers)", 'w'},
    {0},
};

static int work(const struct server_plan *plan)
{
    struct ll_error err;

    if (server_run(plan, &err) == LL_OK) return 0;
    note(NOTE_ERROR, "cannot serve", NOTE_S("error", err.text));
    return 1;
}

static pid_t start_worker(const struct server_plan *plan, size_t worker,
                          const sigset_t *normal)
{
    struct server_plan own = *plan;
    pid_t parent = getpid(), pid = fork();

    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(0);
    sigprocmask(SIG_SETMASK, normal, NULL);
    own.worker = worker;
    _exit(work(&own));
}

/* Start those that are not there, at most every RESTART_MS a worker. */
static void start_missing(const struct server_plan *plan, pid_t *pids, int64_t *started,
                          const sigset_t *normal)
{
    for (size_t i = 0; i < plan->workers; i++) {
        int64_t now = clock_monotonic_us();

        if (pids[i] > 0 || (started[i] > 0 && now - started[i] < RESTART_MS * 1000LL))
            continue;
        started[i] = now;
        pids[i] = start_worker(plan, i, normal);
    }
}

static void reap(pid_t *pids, size_t n, bool is_stopping)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < n; i++) {
            if (pids[i] != pid) continue;
            pids[i] = 0;
            if (!is_stopping)
                note(NOTE_WARNING, "a worker ended", NOTE_I("worker", i),
                     NOTE_I("status", status));
        }
}

static size_t count(const pid_t *pids, size_t n)
{
    size_t alive = 0;

    for (size_t i = 0; i < n; i++) alive += pids[i] > 0;
    return alive;
}

static int keep_workers(const struct server_plan *plan)
{
    static const struct timespec poll = {0, 100 * 1000 * 1000};
    pid_t pids[WORKERS] = {0};
    int64_t started[WORKERS] = {0};
    sigset_t ours, normal;
    int signal = 0;

    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ours, &normal);
    while (signal != SIGTERM && signal != SIGINT) {
        start_missing(plan, pids, started, &normal);
        signal = sigtimedwait(&ours, NULL, &poll);
        reap(pids, plan->workers, false);
    }
    for (size_t i = 0; i < plan->workers; i++)
        if (pids[i] > 0) kill(pids[i], SIGTERM);
    while (count(pids, plan->workers) > 0) {
        sigtimedwait(&ours, NULL, &poll);
        reap(pids, plan->workers, true);
    }
    return 0;
}

static int serve_run(const struct command_line *line)
{
    size_t workers =
        (size_t)command_option_u64(line, "workers", 1, WORKERS,
                                   settings_number(line->settings, SETTING_HTTP_WORKERS));
    struct server_plan plan = {.settings = line->settings,
                               .services = http_services,
                               .metrics = metrics_new(workers),
                               .workers = workers};
    struct registry *registry;
    int status;

    registry = install(line->settings);
    plan.registry = registry;
    status = workers == 1 ? work(&plan) : keep_workers(&plan);
    registry_free(registry);
    return status;
}

const struct command serve_command = {
    .name = "serve",
    .summary = "answer queries and commands over HTTP",
    .arguments = "",
    .help =
        "Listens on http.address and http.port. Commands need `landlog project` to be\n"
        "running somewhere: an answer waits until the read model shows it. SIGTERM lets\n"
        "requests finish.",
    .options = options,
    .run = serve_run,
};
