/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schemas_command.c - `landlog schemas`: the event types, and whether they are as they
 * were published. */
#include "core/cli/command.h"
#include "core/cli/schema_folder.h"
#include "core/event/registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOCK "schemas/compatibility.json"

static const struct command_option options[] = {
    {"folder", "DIR", "read the files of this folder, not those in the binary", 0},
    {"type-version", "N", "with show: this version instead of the newest", 0},
    {0},
};

struct schemas {
    const struct command_line *line;
    struct schema_folder *folder; /* NULL: the binary's own */
    struct registry *registry;
};

/* The templates of `x-tags`, with commas. */
static void print_tags(const json_t *schema)
{
    const json_t *tags = json_object_get(schema, "x-tags");

    for (size_t i = 0; i < json_array_size(tags); i++)
        printf("%s%s", i ? ", " : "", json_string_value(json_array_get(tags, i)));
    printf("\n");
}

static int list(const struct schemas *s)
{
    const struct event_type *t;

    printf("%-36s %7s  %-12s %-16s %s\n", "TYPE", "VERSION", "TOPIC", "KEY", "TAGS");
    for (size_t i = 0; (t = registry_at(s->registry, i)) != NULL; i++) {
        printf("%-36s %7" PRIu32 "  %-12s %-16s ", event_type_name(t),
               event_type_version(t), event_type_topic(t)->name,
               json_string_value(json_object_get(event_type_schema(t), "x-key")));
        print_tags(event_type_schema(t));
    }
    return 0;
}

static int show(const struct schemas *s)
{
    uint32_t version =
        (uint32_t)command_option_u64(s->line, "type-version", 1, UINT32_MAX, 0);
    const struct event_type *t;

    if (s->line->argument_count < 2) die_usage("show which type?");
    t = registry_find(s->registry, text_of(s->line->arguments[1]), version);
    if (t == NULL)
        die("there is no event type \"%s\"%s", s->line->arguments[1],
            version ? " in that version" : "; see: landlog schemas list");
    if (json_dumpf(event_type_schema(t), stdout, JSON_INDENT(4)) != 0)
        die("cannot write to the standard output");
    printf("\n");
    return 0;
}

static int check(const struct schemas *s)
{
    struct text lock = TEXT("{}");
    struct ll_error err;
    size_t versions = 0;

    if (s->folder != NULL)
        (void)schema_folder_find(s->folder, LOCK, &lock);
    else
        (void)embedded_find(LOCK, &lock);
    if (registry_check(s->registry, lock, &err) != LL_OK) die("%s", err.text);
    while (registry_at(s->registry, versions) != NULL) versions++;
    printf("%zu versions of event types: examples and upcasters hold, all are as "
           "published\n",
           versions);
    return 0;
}

static int lock(const struct schemas *s)
{
    struct builder b;

    builder_init(&b, (size_t)1 << 20);
    registry_lock(s->registry, &b);
    fputs(b.ptr, stdout);
    builder_fini(&b);
    return 0;
}

static const struct action {
    const char *name;
    size_t arguments;
    int (*run)(const struct schemas *s);
} actions[] = {
    {"list", 1, list}, {"show", 2, show}, {"check", 1, check}, {"lock", 1, lock}};

static const struct action *find_action(const struct command_line *line)
{
    const char *name = line->argument_count > 0 ? line->arguments[0] : "list";

    for (size_t i = 0; i < LL_LENGTH(actions); i++) {
        if (strcmp(actions[i].name, name) != 0) continue;
        if (line->argument_count > actions[i].arguments)
            die_usage("unexpected argument \"%s\"",
                      line->arguments[actions[i].arguments]);
        return &actions[i];
    }
    die_usage("unknown action \"%s\"", name);
}

static int schemas_run(const struct command_line *line)
{
    const struct action *action = find_action(line);
    const char *path = command_option(line, "folder");
    struct schemas s = {.line = line};
    struct ll_error err;
    ll_rc rc;
    int status;

    if (path != NULL) s.folder = schema_folder_read(path);
    rc = s.folder == NULL
             ? registry_load(&s.registry, &err)
             : registry_load_files(schema_folder_files(s.folder), &s.registry, &err);
    if (rc != LL_OK) die("%s", err.text);
    status = action->run(&s);
    registry_free(s.registry);
    schema_folder_free(s.folder);
    return status;
}

const struct command schemas_command = {
    .name = "schemas",
    .summary = "list, show or check the event types",
    .arguments = "[list | show TYPE | check | lock]",
    .help =
        "check  load all schemas, validate their examples, read those of old versions\n"
        "       through the upcasters, and compare with what was published\n"
        "lock   print what schemas/compatibility.json should say, having published\n\n"
        "With --folder schemas they tell of files that were not built in yet.",
    .most = 2,
    .options = options,
    .run = schemas_run,
};
