/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* clients_test.c - what others have published reads and writes what we serve: the
 * JavaScript clients of signed fetch, and on Kafka kcat, which must see CloudEvents. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static unsigned long checks, failed;

static void holds(bool is_true, const char *what)
{
    checks++;
    if (is_true) return;
    failed++;
    printf("FAILED %s\n", what);
}

/* Run a command of ours through the shell; its output, which the caller frees. */
static char *run(const char *command, int *status)
{
    FILE *p = popen(command, "re");
    size_t size = 1024 * 1024, n;
    char *out = malloc(size);

    if (p == NULL || out == NULL) world_fail("cannot run %s", command);
    n = fread(out, 1, size - 1, p);
    out[n] = '\0';
    *status = WEXITSTATUS(pclose(p));
    return out;
}

static int javascript(const struct world *w)
{
    char command[1024], *out;
    int status;

    snprintf(command, sizeof(command), "%s/tests/clients/run %s 2>&1", LANDLOG_SOURCE_DIR,
             w->url);
    out = run(command, &status);
    printf("%s", out);
    free(out);
    if (status != 77) holds(status == 0, "the published JavaScript clients are accepted");
    return status;
}

static void kcat(void)
{
    static const char *const wanted[] = {"ce_specversion=1.0",
                                         "ce_type=social.friendship-requested",
                                         "ce_id=",
                                         "ce_source=/social",
                                         "ce_sequence=",
                                         "ce_time=20",
                                         "content-type=application/msgpack"};
    char command[512], *out;
    int status;

    snprintf(command, sizeof(command),
             "kcat -C -q -b %s -t social -o beginning -e -f '%%h\\n' 2>&1",
             getenv("LANDLOG_TEST_KAFKA"));
    out = run(command, &status);
    holds(status == 0, "kcat reads the topic");
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        holds(strstr(out, wanted[i]) != NULL, wanted[i]);
    printf("kcat sees, of the last record: %.300s\n",
           strlen(out) > 300 ? out + strlen(out) - 300 : out);
    free(out);
}

int main(void)
{
    bool on_kafka = getenv("LANDLOG_TEST_KAFKA") != NULL;
    struct world w;
    int status;

    if (!world_start(&w, "clients", on_kafka)) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    status = javascript(&w);
    if (status == 0 && on_kafka) kcat();
    holds(world_stop(&w) == 0, "landlog up stops cleanly");
    printf("%lu checks, %lu failed\n", checks, failed);
    return failed > 0 ? 1 : status == 77 ? 77 : 0;
}
