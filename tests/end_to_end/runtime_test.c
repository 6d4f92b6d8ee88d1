/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* runtime_test.c - `landlog up` brings back what dies, takes a new configuration when it
 * is sound and none that is not, and stops cleanly; mistakes name their place. */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned long checks, failed;

static void holds(bool is_true, const char *what)
{
    checks++;
    if (is_true) return;
    failed++;
    printf("FAILED %s\n", what);
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* The part's pid once it is another than `before`; 0 when that does not happen in 20 s.
 */
static pid_t other_than(const struct world *w, const char *part, pid_t before)
{
    for (int i = 0; i < 200; i++) {
        pid_t now = world_part(w, part);

        if (now > 0 && now != before) return now;
        pause_ms(100);
    }
    return 0;
}

static void what_dies_comes_back(const struct world *w)
{
    static const char *const parts[] = {"serve", "project"};

    for (size_t i = 0; i < 2; i++) {
        pid_t before = world_part(w, parts[i]);

        holds(before > 0 && kill(before, SIGKILL) == 0, "a part was killed");
        holds(other_than(w, parts[i], before) > 0, "it came back");
    }
    world_wait_healthy(w);
}

static void append_line(const struct world *w, const char *line)
{
    FILE *f = fopen(w->config, "ae");

    if (f == NULL) world_fail("cannot write %s", w->config);
    fprintf(f, "%s\n", line);
    fclose(f);
}

static void a_sound_configuration_is_taken(const struct world *w)
{
    pid_t serve = world_part(w, "serve"), project = world_part(w, "project");

    append_line(w, "http.body-limit = 4096");
    kill(w->up, SIGHUP);
    holds(other_than(w, "serve", serve) > 0, "serve was replaced");
    holds(other_than(w, "project", project) > 0, "project was replaced");
    world_wait_healthy(w);
}

/* Run and keep what it writes; the exit status. */
static int run(const char *arguments, const struct world *w, char *out, size_t size)
{
    char command[1400];
    FILE *p;
    size_t n;

    snprintf(command, sizeof(command), "%s/landlog %s --config %s 2>&1",
             LANDLOG_BINARY_DIR, arguments, w->config);
    p = popen(command, "re");
    if (p == NULL) world_fail("cannot run %s", command);
    n = fread(out, 1, size - 1, p);
    out[n] = '\0';
    return pclose(p) >> 8 & 255;
}

static void a_mistake_is_named_and_changes_nothing(const struct world *w)
{
    pid_t serve = world_part(w, "serve");
    char out[8192];

    append_line(w, "http.prot = 80");
    kill(w->up, SIGHUP);
    pause_ms(1500);
    holds(world_part(w, "serve") == serve, "serve goes on as it was");
    holds(run("config", w, out, sizeof(out)) == 1, "a wrong file is an error");
    holds(strstr(out, "landlog.conf:") != NULL, "that names the file and line");
    holds(strstr(out, "unknown setting `http.prot`") != NULL, "and the setting");
}

static void status_tells_of_everything(const struct world *w)
{
    static const char *const told[] = {"\"store\":\"postgres\"",
                                       "\"gate\":\"open\"",
                                       "\"topic\":\"social\"",
                                       "\"generation\":\"social_g1\"",
                                       "\"state\":\"live\"",
                                       "\"behind\":\"0\"",
                                       "\"name\":\"project/social_g1/social/0\""};
    char out[16384];

    holds(run("status --json", w, out, sizeof(out)) == 0, "status is told");
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        holds(strstr(out, told[i]) != NULL, told[i]);
}

static void the_command_line_explains_itself(const struct world *w)
{
    char out[8192];

    holds(run("status --jsno", w, out, sizeof(out)) == 2, "an unknown option is exit 2");
    holds(strstr(out, "unknown option --jsno") != NULL, "that names it");
    holds(run("statsu", w, out, sizeof(out)) == 2, "so is an unknown command");
    holds(run("replay", w, out, sizeof(out)) == 2, "and a missing argument");
    holds(run("up --help", w, out, sizeof(out)) == 0 && strstr(out, "--only") != NULL,
          "help lists the options");
}

int main(void)
{
    struct world w;

    if (!world_start(&w, "runtime", false)) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    what_dies_comes_back(&w);
    a_sound_configuration_is_taken(&w);
    status_tells_of_everything(&w);
    the_command_line_explains_itself(&w);
    a_mistake_is_named_and_changes_nothing(&w);
    holds(world_stop(&w) == 0, "landlog up stops cleanly");
    printf("%lu checks, %lu failed\n", checks, failed);
    return failed > 0;
}
