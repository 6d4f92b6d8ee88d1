/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* publish_command.c - `landlog publish`: events from lines of JSON, validated first.
 *
 * Without a condition they go in chunks, each of which is appended whole or not at all,
 * by the referee's bulk path. With --expect-position the input is one command.
 */
#include "core/cli/install.h"
#include "core/cli/publish.h"
#include "core/log/referee.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* CHUNK_BYTES is what a chunk's events may take before it is sent early. */
enum { CHUNK = 1000, CHUNK_BYTES = 32 << 20, LINE_BYTES = 4 << 20 };

static const struct command_option options[] = {
    {"envelope", NULL, "each line is {\"data\", \"id\"?, \"source\"?, ...}, not the data",
     0},
    {"id-member", "NAME", "this member of the data identifies the event", 0},
    {"source", "SOURCE", "where the events come from (default /publish)", 0},
    {"key", "KEY", "refuse an event that has another key", 'k'},
    {"expect-position", "POSITION",
     "only if nothing came after it in the events' tags; \"\" for nothing ever", 0},
    {"chunk", "N", "events that are appended together (default 1000)", 0},
    {"dry-run", NULL, "validate all, append nothing", 'n'},
    {"verbose", NULL, "print line, position and id of each event", 'v'},
    {0},
};

/* ---- reading ---- */

/* The operator's answer to a bad line: where, why, and what has been done. */
_Noreturn static void refuse_line(const struct publish *p, const char *why)
{
    fprintf(stderr, "landlog publish: %s line %" PRIu64 ": %s\n", p->path, p->line_number,
            why);
    if (p->is_dry || p->is_guarded || p->published + p->known == 0)
        die("nothing was appended");
    die("nothing was appended from line %" PRIu64 " on; of the lines before, %" PRIu64
        " events were appended, %" PRIu64 " were there already",
        p->first_line, p->published, p->known);
}

/* One more record from `line`. */
static void take_line(struct publish *p, struct text line)
{
    struct ll_error err;

    if (line.len > LINE_BYTES) refuse_line(p, "the line is too long");
    if (publish_line(&p->rule, line, &p->arena, &p->records[p->count], &err) != LL_OK)
        refuse_line(p, err.text);
    p->lines[p->count++] = p->line_number;
}

static bool is_blank(struct text line)
{
    for (size_t i = 0; i < line.len; i++)
        if (strchr(" \t\r\n", line.ptr[i]) == NULL || line.ptr[i] == '\0') return false;
    return true;
}

/* Fill the chunk; false at the end of the input. */
static bool read_chunk(struct publish *p)
{
    char *buffer = NULL;
    size_t room = 0;
    ssize_t n = 0;

    arena_reset(&p->arena);
    p->count = 0;
    p->first_line = p->line_number + 1;
    while (p->count < p->chunk && p->arena.used < CHUNK_BYTES &&
           (n = getline(&buffer, &room, p->in)) >= 0) {
        struct text line = {buffer, (size_t)n};

        p->line_number++;
        if (!is_blank(line)) take_line(p, line);
    }
    if (n < 0 && ferror(p->in)) die("cannot read %s", p->path);
    free(buffer);
    return n >= 0;
}

/* ---- the command ---- */

static void set_up(struct publish *p, const struct registry *registry)
{
    const struct command_line *line = p->line;
    const char *source = command_option(line, "source");
    const struct event_type *type =
        registry_find(registry, text_of(line->arguments[0]), 0);

    if (type == NULL)
        die("there is no event type \"%s\"; see: landlog schemas", line->arguments[0]);
    p->topic = event_type_topic(type);
    if (p->topic->ephemeral)
        die("topic \"%s\" is ephemeral: its events are not kept", p->topic->name);
    p->rule = (struct publish_rule){
        .registry = registry,
        .type = text_of(event_type_name(type)),
        .has_envelope = command_option(line, "envelope") != NULL,
        .id_member = command_option(line, "id-member"),
        .source = text_of(source == NULL ? "/publish" : source),
        .key = text_of(command_option(line, "key")),
    };
    if (p->rule.source.len == 0 || p->rule.source.len > RECORD_TEXT ||
        !text_is_utf8(p->rule.source))
        die_usage("--source must be a text of 1 to %d bytes", RECORD_TEXT);
    p->is_dry = command_option(line, "dry-run") != NULL;
    p->is_verbose = command_option(line, "verbose") != NULL;
    p->is_guarded = command_option(line, "expect-position") != NULL;
    p->chunk = command_option_u64(line, "chunk", 1, BULK_EVENTS, CHUNK);
    if (p->is_guarded) p->chunk = COMMAND_EVENTS + 1;
    p->path = line->argument_count > 1 ? line->arguments[1] : "-";
    p->in = strcmp(p->path, "-") == 0 ? stdin : fopen(p->path, "re");
    if (p->in == NULL) die("cannot open %s", p->path);
    arena_init(&p->arena, (size_t)2 * CHUNK_BYTES);
    p->records = ll_calloc(p->chunk, sizeof(*p->records));
    p->lines = ll_calloc(p->chunk, sizeof(*p->lines));
}

static int publish_all(struct publish *p)
{
    const char *position = command_option(p->line, "expect-position");
    bool is_more = true;

    if (!p->is_dry) {
        publish_connect(p);
        wake_open(settings_string(p->line->settings, SETTING_POSTGRES), &p->wake);
    }
    if (!p->is_guarded) {
        while (is_more) {
            is_more = read_chunk(p);
            publish_append_chunk(p);
        }
        return 0;
    }
    if (read_chunk(p)) die("--expect-position takes at most %d events", COMMAND_EVENTS);
    if (!p->is_dry) return publish_append_guarded(p, position);
    p->published += p->count;
    return 0;
}

static void tear_down(struct publish *p)
{
    wake_close(p->wake);
    PQfinish(p->connection);
    arena_fini(&p->arena);
    free(p->records);
    free(p->lines);
    if (p->in != stdin) fclose(p->in);
}

static int publish_run(const struct command_line *line)
{
    struct publish p = {.line = line};
    struct registry *registry;
    struct ll_error err;
    int status;

    if (command_option(line, "dry-run") == NULL)
        registry = install(line->settings);
    else if (registry_load(&registry, &err) != LL_OK)
        die("%s", err.text);
    set_up(&p, registry);
    status = publish_all(&p);
    if (status == 0 && p.is_dry)
        printf("%" PRIu64 " events are valid\n", p.published);
    else if (status == 0)
        printf("published %" PRIu64 " events to %s, %" PRIu64 " were there already\n",
               p.published, p.topic->name, p.known);
    tear_down(&p);
    registry_free(registry);
    return status;
}

const struct command publish_command = {
    .name = "publish",
    .summary = "append events from lines of JSON",
    .arguments = "TYPE [FILE]",
    .help =
        "Reads a line of JSON an event, from FILE or the standard input, and checks "
        "each\n"
        "against the type's schema. Events go in chunks: a chunk is appended whole, or\n"
        "nothing of it where one line is wrong. Events that have an id of their own\n"
        "(--envelope with \"id\", or --id-member) are appended once, however often they\n"
        "are published.\n\n"
        "With --expect-position all lines are one command of at most 64 events in one\n"
        "partition. It ends with status 3 when one of the events' tags has an event "
        "beyond\n"
        "that position (a Landlog-Position header does, too).",
    .least = 1,
    .most = 2,
    .options = options,
    .run = publish_run,
};
