/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* tail_command.c - `landlog tail`: a topic's events as lines of text, on either store. */
#include "core/cli/command.h"
#include "core/cli/event_print.h"
#include "core/cli/log_probe.h"
#include "core/event/registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 1000, WAIT_MS = 1000, RETRY_MS = 500, LINE = 8 * 1024 * 1024 };

static const struct command_option options[] = {
    {"follow", NULL, "go on with events as they come, instead of ending at the last",
     'F'},
    {"partition", "N", "this partition only", 'p'},
    {"offset", "WHERE",
     "beginning, end, a sequence, or -N for each partition's last N; default beginning, "
     "with --follow end",
     'o'},
    {"since", "TIME", "from this time on: 2026-01-05T10:00:00Z, or 90s, 5m, 12h, 30d ago",
     0},
    {"type", "TYPE", "only events of this type; PREFIX* for several", 'e'},
    {"key", "KEY", "only events with this key (which is in one partition)", 'k'},
    {"tag", "TAG", "only events with this tag", 'g'},
    {"count", "N", "end after N events were printed", 'c'},
    {"format", "FORMAT", "print this instead of a line of JSON", 'f'},
    {0},
};

struct tail {
    const struct command_line *line;
    const struct settings *settings;
    const struct topic *topic;
    size_t count; /* of partitions that are followed */
    struct log_cursor cursors[TOPIC_PARTITIONS_MAX];
    uint64_t ends[TOPIC_PARTITIONS_MAX]; /* when the command started, by partition */
    bool is_following;
    const char *type, *format;
    struct text key, tag;
    uint64_t left; /* of --count */
    struct log_reader *reader;
    struct builder out;
};

/* ---- where to begin ---- */

/* "90s", "5m", "12h", "30d" ago; 0 when it is no duration. */
static int64_t ago(struct text t)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    uint64_t n;

    if (t.len < 2) return 0;
    for (size_t i = 0; i < LL_LENGTH(units); i++)
        if (t.ptr[t.len - 1] == units[i].unit &&
            text_to_u64((struct text){t.ptr, t.len - 1}, 1000000, &n))
            return (int64_t)time(NULL) * 1000 - (int64_t)n * units[i].ms;
    return 0;
}

/* "2026-01-05", "2026-01-05T10:00" or with seconds and fraction, all UTC. */
static int64_t date(const char *text)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d"};

    for (size_t i = 0; i < LL_LENGTH(forms); i++) {
        struct tm parts = {0};
        const char *end = strptime(text, forms[i], &parts);
        double fraction = 0;

        if (end == NULL) continue;
        if (i == 0 && *end == '.') {
            char *after;

            fraction = strtod(end, &after);
            end = after;
        }
        if (strcmp(end, "Z") == 0 || *end == '\0')
            return (int64_t)timegm(&parts) * 1000 + (int64_t)(fraction * 1000);
    }
    die_usage("--since wants a time such as 2026-01-05T10:00:00Z or 12h, not \"%s\"",
              text);
}

/* The sequence after which partition `p` is read. */
static uint64_t after(const struct tail *t, const char *offset, uint32_t p)
{
    uint64_t end = t->ends[p], n;

    if (strcmp(offset, "beginning") == 0) return 0;
    if (strcmp(offset, "end") == 0) return end;
    if (offset[0] == '-' && text_to_u64(text_of(offset + 1), UINT64_MAX, &n))
        return n > end ? 0 : end - n;
    if (text_to_u64(text_of(offset), UINT64_MAX, &n)) return n == 0 ? 0 : n - 1;
    die_usage("--offset is beginning, end, a sequence or -N, not \"%s\"", offset);
}

static void place_cursors(struct tail *t)
{
    const char *offset = command_option(t->line, "offset");
    const char *since = command_option(t->line, "since");
    int64_t from = 0;

    if (since != NULL && offset != NULL) die_usage("give --offset or --since, not both");
    if (offset == NULL) offset = t->is_following ? "end" : "beginning";
    if (since != NULL) {
        from = ago(text_of(since));
        if (from == 0) from = date(since);
    }
    for (size_t i = 0; i < t->count; i++) {
        uint32_t p = t->cursors[i].partition;

        t->cursors[i].sequence =
            since == NULL ? after(t, offset, p)
                          : log_probe_before(t->settings, t->topic, p, t->ends[p], from);
    }
}

static void choose_partitions(struct tail *t)
{
    const char *given = command_option(t->line, "partition");
    uint32_t of_key = t->key.len > 0 ? topic_partition(t->topic, t->key) : 0;
    uint32_t only = (uint32_t)command_option_u64(t->line, "partition", 0,
                                                 t->topic->partitions - 1, of_key);

    if (given != NULL && t->key.len > 0 && only != of_key)
        die_usage("key \"%.*s\" is in partition %" PRIu32, TEXT_ARGS(t->key), of_key);
    if (given != NULL || t->key.len > 0) {
        t->cursors[t->count++].partition = only;
        return;
    }
    for (uint32_t p = 0; p < t->topic->partitions; p++)
        t->cursors[t->count++].partition = p;
}

/* ---- printing ---- */

static bool is_type(const struct tail *t, struct text type)
{
    size_t n = t->type == NULL ? 0 : strlen(t->type);

    if (t->type == NULL) return true;
    if (n == 0 || t->type[n - 1] != '*') return text_is(type, t->type);
    return type.len >= n - 1 && memcmp(type.ptr, t->type, n - 1) == 0;
}

static bool has_tag(const struct tail *t, const struct record *r)
{
    if (t->tag.len == 0) return true;
    for (size_t i = 0; i < r->tag_count; i++)
        if (text_equal(r->tags[i], t->tag)) return true;
    return false;
}

static bool is_wanted(const struct tail *t, const struct record *r)
{
    if (!t->is_following && r->sequence > t->ends[r->partition]) return false;
    return is_type(t, r->type) && has_tag(t, r) &&
           (t->key.len == 0 || text_equal(r->key, t->key));
}

static void print(struct tail *t, const struct record *r)
{
    builder_reset(&t->out);
    if (t->format == NULL)
        event_print_json(r, &t->out);
    else
        event_print_format(t->format, r, &t->out);
    fwrite(t->out.ptr, 1, t->out.len, stdout);
    t->left--;
}

static void take_batch(struct tail *t, const struct log_batch *batch)
{
    for (size_t i = 0; i < batch->count && t->left > 0; i++) {
        const struct record *r = &batch->records[i];

        for (size_t k = 0; k < t->count; k++) {
            if (t->cursors[k].partition != r->partition) continue;
            t->cursors[k].sequence = r->sequence;
            t->cursors[k].id = r->id;
        }
        if (is_wanted(t, r)) print(t, r);
    }
    if (fflush(stdout) != 0) die("cannot write to the standard output");
}

/* ---- reading ---- */

static bool is_done(const struct tail *t)
{
    if (t->left == 0) return true;
    if (t->is_following) return false;
    for (size_t i = 0; i < t->count; i++)
        if (t->cursors[i].sequence < t->ends[t->cursors[i].partition]) return false;
    return true;
}

static void reopen(struct tail *t)
{
    log_reader_close(t->reader);
    t->reader = log_probe_open(t->settings, t->topic, t->cursors, t->count);
}

/* What is passing is waited out when the user wants to follow. */
static void take_failure(struct tail *t, const struct ll_error *err)
{
    static const struct timespec pause = {0, RETRY_MS * 1000 * 1000};

    if (err->rc == LL_ECONFLICT) { /* the log has moved to another store */
        reopen(t);
        return;
    }
    if (err->rc != LL_EDATABASE || !t->is_following) die("%s", err->text);
    fprintf(stderr, "landlog tail: %s\n", err->text);
    nanosleep(&pause, NULL);
}

static void read_all(struct tail *t)
{
    struct log_batch batch;
    struct ll_error err;

    if (is_done(t)) return;
    reopen(t);
    while (!is_done(t)) {
        err.rc = log_reader_next(t->reader, BATCH, WAIT_MS, &batch, &err);
        if (err.rc != LL_OK)
            take_failure(t, &err);
        else
            take_batch(t, &batch);
    }
    log_reader_close(t->reader);
}

static const struct topic *find_topic(const struct registry *r, const char *name)
{
    const struct topic *topic = topics_find(registry_topics(r), text_of(name));

    if (topic == NULL) die("there is no topic \"%s\"; see: landlog topics", name);
    return topic;
}

static int tail_run(const struct command_line *line)
{
    struct tail t = {.line = line, .settings = line->settings};
    struct registry *registry;
    struct ll_error err;

    if (registry_load(&registry, &err) != LL_OK) die("%s", err.text);
    t.topic = find_topic(registry, line->arguments[0]);
    t.is_following = command_option(line, "follow") != NULL;
    t.type = command_option(line, "type");
    t.key = text_of(command_option(line, "key"));
    t.tag = text_of(command_option(line, "tag"));
    t.format = command_option(line, "format");
    t.left = command_option_u64(line, "count", 1, UINT64_MAX, UINT64_MAX);
    if (t.format != NULL && event_format_check(t.format, &err) != LL_OK)
        die_usage("--%s", err.text);
    builder_init(&t.out, LINE);
    choose_partitions(&t);
    log_probe_ends(t.settings, t.topic, t.ends);
    place_cursors(&t);
    read_all(&t);
    builder_fini(&t.out);
    registry_free(registry);
    return 0;
}

const struct command tail_command = {
    .name = "tail",
    .summary = "print a topic's events",
    .arguments = "TOPIC",
    .help =
        "One line of JSON an event, in order within each partition. Data is printed as\n"
        "it is on the log, in the version it was written in. Ends at what is the last\n"
        "event when it starts, unless it follows.\n\n"
        "A format is text with: %t topic, %p partition, %o sequence, %k key, %s data as\n"
        "JSON, %S its bytes on the log, %T time in ms, %d time as a date, %e type,\n"
        "%v version, %i id, %u subject, %g tags with commas, %% and \\n \\t \\\\.",
    .least = 1,
    .most = 1,
    .options = options,
    .run = tail_run,
};
