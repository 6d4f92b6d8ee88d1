/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* commands_test.c - publish, tail, topics and schemas as a person runs them: the real
 * binary against a log of its own. Needs LANDLOG_TEST_POSTGRES. */
#include "conformance.h"

#include "core/base/json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADDRESS(digit) \
    "0x" digit digit digit digit digit digit digit digit digit digit \
    "00000000000000000000" \
    "0000000000"
#define TYPE "social.friendship-requested"

static struct testlog tested;

/* Run `landlog <arguments>` in a shell with `input`; its outputs, as one text, are
 * `*out`, a heap string. Returns the exit status. */
static int run(const char *arguments, const char *input, char **out)
{
    char command[2000], file[] = "/tmp/landlog-commands-XXXXXX", chunk[4096];
    int in = mkstemp(file), status;
    struct builder text;
    FILE *f;
    size_t n;

    if (in < 0 || write(in, input, strlen(input)) != (ssize_t)strlen(input))
        suite_die("cannot write %s", file);
    close(in);
    snprintf(command, sizeof(command),
             LANDLOG_BINARY_DIR "/landlog %s --set \"postgres=%s\" <%s 2>&1", arguments,
             tested.conninfo, file);
    f = popen(command, "r");
    if (f == NULL) suite_die("cannot run %s", command);
    builder_init(&text, 64 << 20);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) builder_add(&text, chunk, n);
    status = pclose(f);
    unlink(file);
    *out = builder_take(&text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* True when it ends with `status` and prints `says` somewhere. */
static bool runs(const char *arguments, const char *input, int status, const char *says)
{
    char *out;
    int got = run(arguments, input, &out);
    bool ok = got == status && strstr(out, says) != NULL;

    if (!ok) printf("landlog %s: status %d\n%s\n", arguments, got, out);
    free(out);
    return ok;
}

/* True when it succeeds and prints exactly this. */
static bool prints(const char *arguments, const char *expected)
{
    char *out;
    int got = run(arguments, "", &out);
    bool ok = got == 0 && strcmp(out, expected) == 0;

    if (!ok) printf("landlog %s: status %d\n%s\n", arguments, got, out);
    free(out);
    return ok;
}

/* How many lines it prints. */
static size_t lines_of(const char *arguments)
{
    char *out;
    size_t n = 0;

    if (run(arguments, "", &out) != 0) suite_die("landlog %s: %s", arguments, out);
    for (const char *at = out; (at = strchr(at, '\n')) != NULL; at++) n++;
    free(out);
    return n;
}

/* Lines `from` to `to` of requests from one address each to another. */
static char *requests(unsigned from, unsigned to)
{
    struct builder b;

    builder_init(&b, 64 << 20);
    for (unsigned i = from; i <= to; i++)
        builder_printf(
            &b,
            "{\"pair\":\"0x%040x:" ADDRESS(
                "f") "\",\"friendshipId\":"
                     "\"00000000-0000-4000-8000-%012x\",\"actionId\":"
                     "\"00000000-0000-4000-9000-%012x\",\"actor\":\"0x%040x\",\"target\":"
                     "\"" ADDRESS("f") "\",\"actorProof\":\"none\",\"actorSigner\":null,"
                                       "\"authTimestamp\":null}\n",
            i, i, i, i);
    return builder_take(&b);
}

static void a_dry_run_needs_no_log(struct suite *s)
{
    char *lines = requests(1, 3);

    OK(runs("publish " TYPE " --dry-run", lines, 0, "3 events are valid"));
    OK(runs("tail social", "", 1, "see: landlog topics create"));
    OK(runs("schemas check", "", 0, "all are as published"));
    OK(runs("schemas check --folder " LANDLOG_SOURCE_DIR "/schemas", "", 0, "published"));
    OK(runs("schemas show " TYPE, "", 0, "\"x-topic\": \"social\""));
    OK(runs("schemas frob", "", 2, "unknown action \"frob\""));
    free(lines);
}

static void what_is_published_is_tailed(struct suite *s)
{
    char *lines = requests(1, 2500), *out;

    OK(runs("publish " TYPE " --id-member actionId --chunk 1000", lines, 0,
            "published 2500 events to social, 0 were there already"));
    OK(runs("publish " TYPE " --id-member actionId --chunk 700", lines, 0,
            "published 0 events to social, 2500 were there already"));
    free(lines);
    OK(run("tail social --format '%p %o\\n'", "", &out) == 0);
    for (uint64_t p = 0, seen[8] = {0}, n = 0; p < 8; p++) {
        for (const char *at = out; *at != '\0'; at = strchr(at, '\n') + 1) {
            if ((uint64_t)(*at - '0') != p) continue;
            OK(strtoull(at + 2, NULL, 10) == ++seen[p]); /* gapless, in order */
            n++;
        }
        if (p == 7) OK(n == 2500);
    }
    free(out);
    OK(runs("topics", "", 0, " 2500 "));
    OK(runs("topics --json", "", 0, "\"events\":2500"));
}

static void a_bad_line_stops_its_chunk(struct suite *s)
{
    char *lines = requests(3001, 3010), *bad;
    struct builder b;

    builder_init(&b, 1 << 20);
    builder_string(&b, lines);
    builder_string(&b, "\n{\"pair\":\"0xa\"}\n");
    bad = builder_take(&b);
    OK(runs("publish " TYPE " --chunk 4", bad, 1, "line 12: \"/pair\" fails pattern"));
    OK(runs("publish " TYPE, bad, 1, "nothing was appended"));
    OK(runs("topics", "", 0, " 2508 "));
    OK(runs("publish social.no", bad, 1, "there is no event type \"social.no\""));
    OK(runs("publish " TYPE " /no/such/file", "", 1, "cannot open /no/such/file"));
    OK(runs("publish " TYPE " --key x", lines, 1, "the event's key is \"0x"));
    free(lines);
    free(bad);
}

static void a_condition_holds_or_nothing_happens(struct suite *s)
{
    char *first = requests(5000, 5000), *many = requests(6000, 6100), *out;
    char arguments[300], *end;

    OK(runs("publish " TYPE " --id-member actionId --expect-position ''", first, 0,
            "published 1 events"));
    OK(runs("publish " TYPE " --id-member actionId --expect-position ''", first, 0,
            "0 events to social, 1 were there already"));
    OK(runs("publish " TYPE " --expect-position ''", first, 3,
            "beyond the expected position"));
    OK(run("tail social --offset -20 --tag "
           "pair:0x0000000000000000000000000000000000001388:" ADDRESS("f") " --format "
                                                                           "'%t/%p=%o'",
           "", &out) == 0);
    end = strchr(out, '=');
    OK(end != NULL && strchr(end + 1, '=') == NULL); /* it is there once */
    snprintf(arguments, sizeof(arguments), "publish " TYPE " -v --expect-position %s",
             out);
    OK(runs(arguments, first, 0, "line 1: social/"));
    OK(runs(arguments, first, 3, "beyond the expected position"));
    OK(runs("publish " TYPE " --expect-position social/0=x", first, 2, "is no position"));
    OK(runs("publish " TYPE " --expect-position ''", many, 1, "at most 64 events"));
    free(first);
    free(many);
    free(out);
}

static void tail_begins_and_ends_where_it_is_told(struct suite *s)
{
    size_t all = lines_of("tail social --format '\\n'");

    OK(prints("tail social --partition 3 --offset 7 --count 2 --format '[%o]'",
              "[7][8]"));
    OK(prints("tail social --partition 3 --offset end", ""));
    OK(lines_of("tail social --offset -2") == 16);
    OK(all > 2500 && lines_of("tail social --since 1h") == all);
    OK(prints("tail social --since 2099-01-01T00:00:00Z", ""));
    OK(prints("tail social --type 'social.user*'", ""));
    OK(lines_of("tail social --type 'social.fr*'") == all);
    OK(prints("tail social --type " TYPE " --count 1 --format '%e'", TYPE));
    OK(runs("tail social --partition 8", "", 2, "a number from 0 to 7"));
    OK(runs("tail social --format %q", "", 2, "\"%q\" is not known"));
    OK(runs("tail social --since yesterday", "", 2, "--since wants a time"));
    OK(runs("tail nothing", "", 1, "there is no topic \"nothing\""));
}

/* A line of tail is an envelope of publish: here it brings nothing new. */
static void tail_feeds_publish(struct suite *s)
{
    char *out;

    OK(run("tail social --partition 0 --count 50 --type " TYPE, "", &out) == 0);
    OK(strlen(out) > 5000);
    OK(runs("publish " TYPE " --envelope", out, 0, "0 events to social, 50 were there"));
    free(out);
}

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    testlog_open(&tested, s);
    RUN(a_dry_run_needs_no_log);
    RUN(what_is_published_is_tailed);
    RUN(a_bad_line_stops_its_chunk);
    RUN(a_condition_holds_or_nothing_happens);
    RUN(tail_begins_and_ends_where_it_is_told);
    RUN(tail_feeds_publish);
    testlog_close(&tested);
    printf("%lu checks, %lu failed\n", s->checks, s->failed);
    return s->failed > 0 || s->checks == 0;
}
