/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* replay_command.c - `landlog replay`: a read model made anew from the log, with a
 * progress bar for a person and JSON lines for a program. */
#include "core/cli/command.h"
#include "core/projection/replay.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 30, JSON_EVERY_MS = 1000 };

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
    (void)number;
    is_stopping = 1;
}

struct view {
    const char *name;
    bool is_terminal;
    int64_t next_ms;
};

static double percent(const struct replay_progress *p)
{
    uint64_t total = p->lag.applied + p->lag.behind;

    return total > 0 ? 100.0 * (double)p->lag.applied / (double)total : 100.0;
}

/* Seconds, or -1 while nothing moves. */
static int64_t seconds_left(const struct replay_progress *p)
{
    if (p->lag.behind == 0) return 0;
    return p->rate >= 1 ? (int64_t)((double)p->lag.behind / p->rate) + 1 : -1;
}

static void draw(const struct view *v, const struct replay_progress *p)
{
    static const char full[] = "##############################";
    int done = (int)(percent(p) * BAR / 100);
    int64_t left = seconds_left(p);

    printf("\r\033[K%s -> %s [%.*s%*s] %5.1f%%  %" PRIu64 " events", v->name, p->schema,
           done, full, BAR - done, "", percent(p), p->lag.applied);
    if (p->phase == REPLAY_DONE) {
        printf(", live after %.1f s\n", (double)p->elapsed_ms / 1000);
    } else {
        printf("  %.0f/s", p->rate);
        if (left >= 0) printf("  %" PRId64 ":%02" PRId64 " left", left / 60, left % 60);
    }
    fflush(stdout);
}

static void write_line(struct view *v, const struct replay_progress *p)
{
    static const char *const phases[] = {"folding", "swapping", "live"};

    if (p->phase != REPLAY_DONE && p->elapsed_ms < v->next_ms) return;
    v->next_ms = p->elapsed_ms + JSON_EVERY_MS;
    printf("{\"projection\":\"%s\",\"schema\":\"%s\",\"state\":\"%s\",\"resumed\":%s,"
           "\"applied\":%" PRIu64 ",\"behind\":%" PRIu64 ",\"folded\":%" PRIu64
           ",\"percent\":%.1f,\"rate\":%.0f,\"seconds\":%.3f,\"seconds_left\":%" PRId64
           "}\n",
           v->name, p->schema, phases[p->phase], p->is_resumed ? "true" : "false",
           p->lag.applied, p->lag.behind, p->folded, percent(p), p->rate,
           (double)p->elapsed_ms / 1000, seconds_left(p));
    fflush(stdout);
}

static bool show(void *context, const struct replay_progress *p)
{
    struct view *v = context;

    if (v->is_terminal)
        draw(v, p);
    else
        write_line(v, p);
    return !is_stopping;
}

static int replay(const struct command_line *line, const struct registry *registry,
                  const struct projection *projection)
{
    const struct settings *s = line->settings;
    struct view view = {.name = projection_name(projection),
                        .is_terminal = isatty(STDOUT_FILENO)};
    struct replay_options options = {
        .settings = s,
        .registry = registry,
        .projection = projection,
        .workers = command_option_u64(line, "workers", 1, 64, 2),
        .batch = settings_number(s, SETTING_PROJECT_BATCH),
        .throttle = command_option_u64(line, "throttle", 1, 1000000000, 0),
        .drop_first = command_option(line, "drop-first") != NULL,
        .progress = show,
        .context = &view,
    };
    struct ll_error err;
    ll_rc rc = replay_run(&options, &err);

    if (rc == LL_OK) return 0;
    if (view.is_terminal) fputc('\n', stdout);
    fprintf(stderr, "landlog replay: %s\n", err.text);
    return 1;
}

static int replay_run_command(const struct command_line *line)
{
    const struct sigaction action = {.sa_handler = on_signal};
    struct blob_store *blobs = blob_store_new(line->settings);
    struct projection *projection;
    struct registry *registry;
    struct ll_error err;
    int status;

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (registry_load(&registry, &err) != LL_OK) die("%s", err.text);
    if (projection_load(line->arguments[0], registry, &projection, &err) != LL_OK)
        die("%s", err.text);
    projection_use_blobs(projection, blobs);
    status = replay(line, registry, projection);
    projection_free(projection);
    blob_store_free(blobs);
    registry_free(registry);
    return status;
}

static const struct command_option options[] = {
    {"workers", "N", "threads for each topic; they share its partitions (2)", 0},
    {"throttle", "N", "at most so many events a second", 0},
    {"drop-first", NULL, "drop the read model first; queries answer 503 until it is back",
     0},
    {0},
};

const struct command replay_command = {
    .name = "replay",
    .summary = "make a read model anew from the log",
    .arguments = "PROJECTION",
    .help =
        "Folds the whole log into a new generation beside the live one and puts it in\n"
        "its place in one transaction, while queries go on. What was interrupted goes "
        "on\n"
        "where it was. Without a terminal, progress is a line of JSON a second.",
    .least = 1,
    .most = 1,
    .options = options,
    .run = replay_run_command,
};
