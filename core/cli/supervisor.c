/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* supervisor.c - one loop over signals and due times; see supervisor.h. */
#include "core/cli/supervisor.h"

#include "core/base/clock.h"
#include "core/base/note.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PAUSE_FIRST = 100 * 1000,
    PAUSE_MOST = 10 * 1000 * 1000,
    HEALTHY = 2 * 1000 * 1000,
    PATIENCE = 15 * 1000 * 1000
};

static void child_exec(struct supervisor_child *c, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0); /* a terminal's Ctrl-C reaches the supervisor alone */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    execv("/proc/self/exe", (char *const *)(uintptr_t)c->arguments);
    note(NOTE_ERROR, "cannot start", NOTE_S("child", c->name),
         NOTE_S("error", strerror(errno)));
    _exit(127);
}

static void child_start(struct supervisor_child *c)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0) child_exec(c, parent);
    c->started = clock_monotonic_us();
    if (pid < 0) {
        note(NOTE_ERROR, "cannot fork", NOTE_S("child", c->name),
             NOTE_S("error", strerror(errno)));
        c->start_at = c->started + PAUSE_MOST;
        return;
    }
    c->pid = pid;
    c->is_replaced = false;
    note(NOTE_INFO, "started", NOTE_S("child", c->name), NOTE_I("pid", pid));
}

/* Say how it ended and when it comes back. */
static void child_ended(struct supervisor_child *c, int status)
{
    int64_t now = clock_monotonic_us();

    if (now - c->started > HEALTHY || c->is_replaced) c->pause = 0;
    note(c->is_replaced ? NOTE_INFO : NOTE_WARNING, "ended", NOTE_S("child", c->name),
         NOTE_I("pid", c->pid),
         WIFSIGNALED(status) ? NOTE_I("signal", WTERMSIG(status))
                             : NOTE_I("status", WEXITSTATUS(status)),
         NOTE_I("restart_ms", c->pause / 1000));
    c->pid = 0;
    c->start_at = now + c->pause;
    c->pause = c->pause == 0 ? PAUSE_FIRST : c->pause * 2;
    if (c->pause > PAUSE_MOST) c->pause = PAUSE_MOST;
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < s->count; i++)
            if (s->children[i].pid == pid) child_ended(&s->children[i], status);
}

static void start_due(struct supervisor *s)
{
    int64_t now = clock_monotonic_us();

    for (size_t i = 0; i < s->count; i++)
        if (s->children[i].pid == 0 && s->children[i].start_at <= now)
            child_start(&s->children[i]);
}

static void signal_all(struct supervisor *s, int signal)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->children[i].pid > 0) kill(s->children[i].pid, signal);
}

static size_t running(const struct supervisor *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->count; i++) n += s->children[i].pid > 0;
    return n;
}

/* The next signal of ours, or 0 after `wait_us`. */
static int next_signal(const sigset_t *set, int64_t wait_us)
{
    struct timespec wait = {wait_us / 1000000, wait_us % 1000000 * 1000};
    int signal = sigtimedwait(set, NULL, &wait);

    return signal > 0 ? signal : 0;
}

static int stop_all(struct supervisor *s, const sigset_t *set)
{
    int64_t end = clock_monotonic_us() + PATIENCE;

    signal_all(s, SIGTERM);
    while (running(s) > 0 && clock_monotonic_us() < end) {
        next_signal(set, 100 * 1000);
        reap(s);
    }
    if (running(s) == 0) return 0;
    note(NOTE_ERROR, "killing what did not stop", NOTE_I("children", running(s)));
    signal_all(s, SIGKILL);
    while (running(s) > 0) {
        next_signal(set, 100 * 1000);
        reap(s);
    }
    return 1;
}

static void replace_all(struct supervisor *s)
{
    if (s->reload != NULL && !s->reload(s->context)) return;
    for (size_t i = 0; i < s->count; i++) s->children[i].is_replaced = true;
    signal_all(s, SIGTERM);
}

int supervisor_run(struct supervisor *s)
{
    static const int ours[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    sigset_t set;
    int signal = 0;

    sigemptyset(&set);
    for (size_t i = 0; i < LL_LENGTH(ours); i++) sigaddset(&set, ours[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (signal != SIGTERM && signal != SIGINT) {
        start_due(s);
        signal = next_signal(&set, 100 * 1000);
        reap(s);
        if (signal == SIGHUP) replace_all(s);
    }
    note(NOTE_INFO, "stopping", NOTE_I("children", running(s)));
    return stop_all(s, &set);
}
