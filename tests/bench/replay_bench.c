/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* replay_bench.c - a large log published, moved to Kafka, and replayed from there: rates,
 * and the memory of the processes, which must not grow with the log. (From Postgres:
 * projection_bench.c.) LANDLOG_BENCH_EVENTS (1,000,000) is how large. */
#include "figure.h"
#include "world.h"

#include "core/base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAIRS = 100000 };

/* Lines of JSON for `landlog publish`: requests of so many pairs, over and over. */
static void write_events(FILE *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char low[43], high[43];

        snprintf(low, sizeof(low), "0x%040zx", i % PAIRS);
        snprintf(high, sizeof(high), "0xf%039zx", i % PAIRS);
        fprintf(out,
                "{\"pair\":\"%s:%s\",\"friendshipId\":\"00000000-0000-5000-8000-%012zx\","
                "\"actionId\":\"00000000-0000-5000-9000-%012zx\",\"actor\":\"%s\","
                "\"target\":\"%s\",\"message\":null,\"actorProof\":\"none\","
                "\"actorSigner\":null,\"authTimestamp\":1700000000000}\n",
                low, high, i % PAIRS, i, low, high);
    }
}

struct run {
    double seconds, rss_mib;
};

/* `landlog <arguments>` to its end, with its own peak memory; `feed` events on its input.
 */
static struct run run(const struct world *w, const char *const *arguments, size_t feed)
{
    const char *all[16] = {LANDLOG_BINARY_DIR "/landlog"};
    int64_t start = clock_monotonic_us();
    struct rusage usage;
    int status, fds[2], n = 1;
    pid_t pid;

    while (arguments[n - 1] != NULL) all[n] = arguments[n - 1], n++;
    all[n++] = "--config";
    all[n] = w->config;
    if (pipe(fds) != 0) world_fail("pipe");
    pid = fork();
    if (pid == 0) {
        dup2(fds[0], 0);
        close(fds[1]);
        if (freopen("/dev/null", "w", stdout) == NULL) _exit(126);
        execv(all[0], (char *const *)(uintptr_t)all);
        _exit(127);
    }
    close(fds[0]);
    FILE *in = fdopen(fds[1], "w");
    write_events(in, feed);
    fclose(in);
    if (wait4(pid, &status, 0, &usage) != pid || status != 0)
        world_fail("landlog %s failed", arguments[0]);
    return (struct run){(double)(clock_monotonic_us() - start) / 1e6,
                        (double)usage.ru_maxrss / 1024};
}

static void report(const char *what, size_t n, struct run r)
{
    char figure[128];

    snprintf(figure, sizeof(figure), "%s of %zu events", what, n);
    figure_value(figure, (double)n / r.seconds, "events/s");
    snprintf(figure, sizeof(figure), "peak memory: %s of %zu events", what, n);
    figure_value(figure, r.rss_mib, "MiB");
}

static void measure(const char *name, size_t n)
{
    static const char *const publish[] = {"publish", "social.friendship-requested", NULL};
    static const char *const copy[] = {"log", "copy", "--to", "kafka", NULL};
    static const char *const replay[] = {"replay", "social", NULL};
    struct world w;

    if (!world_prepare(&w, name, true)) exit(77);
    report("publish", n, run(&w, publish, n));
    if (world_run(&w, "topics", "create", "--recreate", NULL) != 0)
        world_fail("cannot make the topics");
    report("log copy to Kafka", n, run(&w, copy, 0));
    report("replay from Kafka", n, run(&w, replay, 0));
}

int main(void)
{
    const char *given = getenv("LANDLOG_BENCH_EVENTS");
    size_t n = given != NULL ? strtoul(given, NULL, 10) : 1000000;

    measure("bench_replay_small", n / 10);
    measure("bench_replay", n);
    return 0;
}
