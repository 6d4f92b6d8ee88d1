/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* command.c - see command.h. */
#include "core/cli/command.h"

#include "core/base/note.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *running = NULL; /* the command's name, for die() */

static const struct command_option common[] = {
    {"config", "FILE", "read this configuration file", 0},
    {"set", "NAME=VALUE", "override one setting; may be repeated", 0},
    {"help", NULL, "print this help", 'h'},
    {0},
};

static void die_start(void)
{
    fprintf(stderr, running ? "landlog %s: " : "landlog: ", running);
}

void die(const char *fmt, ...)
{
    va_list args;

    die_start();
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

void die_usage(const char *fmt, ...)
{
    va_list args;

    die_start();
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nsee: landlog %s%s--help\n", running ? running : "",
            running ? " " : "");
    exit(2);
}

static void print_option(const struct command_option *o)
{
    char left[64];

    snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : "",
             o->letter ? o->letter : ' ', o->letter ? ", " : "   ", o->name,
             o->argument ? " " : "", o->argument ? o->argument : "");
    printf("  %-30s %s\n", left, o->help);
}

static int print_help(const struct command *c)
{
    printf("usage: landlog %s [options]%s%s\n\n%s\n", c->name, c->arguments[0] ? " " : "",
           c->arguments, c->summary);
    if (c->help != NULL) printf("\n%s\n", c->help);
    printf("\noptions:\n");
    for (const struct command_option *o = c->options; o != NULL && o->name != NULL; o++)
        print_option(o);
    for (const struct command_option *o = common; o->name != NULL; o++) print_option(o);
    return 0;
}

static int print_commands(void)
{
    printf("usage: landlog COMMAND [options] [arguments]\n\n"
           "Decentraland's backend as an event log and its projections.\n\ncommands:\n");
    for (const struct command *const *c = commands; *c != NULL; c++)
        printf("  %-12s %s\n", (*c)->name, (*c)->summary);
    printf("\n`landlog COMMAND --help` tells more; `landlog --version` prints %s.\n",
           LANDLOG_VERSION);
    return 0;
}

/* The option's index in `table`, or -1. `given` is "--name", "--name=value" or "-l". */
static int find_option(const struct command_option *table, const char *given)
{
    size_t n = strcspn(given, "=");

    for (int i = 0; table != NULL && table[i].name != NULL; i++) {
        const char *name = table[i].name;

        if (strncmp(given, "--", 2) == 0 && strlen(name) == n - 2 &&
            strncmp(given + 2, name, n - 2) == 0)
            return i;
        if (table[i].letter && given[1] == table[i].letter && given[2] == '\0') return i;
    }
    return -1;
}

/* The option's value; takes the next argument where it stands apart. */
static const char *option_value(const struct command_option *o, char **argv, int argc,
                                int *at)
{
    const char *equals = strncmp(argv[*at], "--", 2) == 0 ? strchr(argv[*at], '=') : NULL;

    if (o->argument == NULL) {
        if (equals != NULL) die_usage("--%s takes no value", o->name);
        return "";
    }
    if (equals != NULL) return equals + 1;
    if (*at + 1 >= argc) die_usage("--%s needs %s", o->name, o->argument);
    return argv[++*at];
}

static void take_own(struct command_line *line, int option, const char *value)
{
    if (line->all_count == COMMAND_GIVEN) die_usage("too many options");
    line->all[line->all_count++] = (struct command_given){option, value};
    line->given[option] = value;
}

struct parsed {
    const char *config;
    const char *sets[32];
    size_t set_count;
    bool help;
};

static void take_common(struct parsed *p, int option, const char *value)
{
    if (option == 0) p->config = value;
    if (option == 1) {
        if (p->set_count == LL_LENGTH(p->sets)) die_usage("too many --set");
        p->sets[p->set_count++] = value;
    }
    if (option == 2) p->help = true;
}

/* Sort what follows the command's name into options and arguments (in place). */
static void parse(struct command_line *line, int argc, char **argv, struct parsed *p)
{
    size_t arguments = 0;
    bool only_arguments = false;

    for (int i = 0; i < argc; i++) {
        const char *given = argv[i];
        int own, shared;

        if (!only_arguments && strcmp(given, "--") == 0) {
            only_arguments = true;
            continue;
        }
        if (only_arguments || given[0] != '-' || given[1] == '\0') {
            argv[arguments++] = argv[i];
            continue;
        }
        own = find_option(line->command->options, given);
        shared = find_option(common, given);
        if (own >= 0)
            take_own(line, own,
                     option_value(&line->command->options[own], argv, argc, &i));
        else if (shared >= 0)
            take_common(p, shared, option_value(&common[shared], argv, argc, &i));
        else
            die_usage("unknown option %s", given);
    }
    line->argument_count = arguments;
    line->arguments = (const char *const *)argv;
}

static void load_settings(struct command_line *line, const struct parsed *p)
{
    struct ll_error err;

    if (settings_load(p->config, &line->settings, &err) != LL_OK) die("%s", err.text);
    for (size_t i = 0; i < p->set_count; i++) {
        struct text name, value = text_of(p->sets[i]);

        if (!text_cut(&value, '=', &name)) die_usage("--set wants NAME=VALUE");
        if (settings_set(line->settings, name, value, "--set", &err) != LL_OK)
            die("%s", err.text);
    }
}

static enum note_level level_of(const char *name)
{
    if (strcmp(name, "debug") == 0) return NOTE_DEBUG;
    if (strcmp(name, "warning") == 0) return NOTE_WARNING;
    return strcmp(name, "error") == 0 ? NOTE_ERROR : NOTE_INFO;
}

static int run(const struct command *c, int argc, char **argv)
{
    struct command_line line = {.command = c, .program = argv[0]};
    struct parsed p = {0};
    int status;

    running = c->name;
    parse(&line, argc - 2, argv + 2, &p);
    if (p.help) return print_help(c);
    if (line.argument_count < c->least) die_usage("expected: %s", c->arguments);
    if (line.argument_count > c->most)
        die_usage("unexpected argument \"%s\"", line.arguments[c->most]);
    line.sets = p.sets;
    line.set_count = p.set_count;
    load_settings(&line, &p);
    note_setup(c->name, level_of(settings_string(line.settings, SETTING_LOG_LEVEL)));
    status = c->run(&line);
    settings_free(line.settings);
    return status;
}

int command_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "--help";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        strcmp(name, "help") == 0)
        return print_commands();
    if (strcmp(name, "--version") == 0) {
        printf("landlog %s\n", LANDLOG_VERSION);
        return 0;
    }
    for (const struct command *const *c = commands; *c != NULL; c++)
        if (strcmp((*c)->name, name) == 0) return run(*c, argc, argv);
    die_usage("unknown command \"%s\"", name);
}

static int index_of(const struct command_line *line, const char *name)
{
    for (int i = 0; line->command->options[i].name != NULL; i++)
        if (strcmp(line->command->options[i].name, name) == 0) return i;
    LL_BUG("an option that the command's table does not have");
}

const char *command_option(const struct command_line *line, const char *name)
{
    return line->given[index_of(line, name)];
}

const char *command_option_at(const struct command_line *line, const char *name, size_t i)
{
    int option = index_of(line, name);

    for (size_t at = 0; at < line->all_count; at++)
        if (line->all[at].option == option && i-- == 0) return line->all[at].value;
    return NULL;
}

uint64_t command_option_u64(const struct command_line *line, const char *name,
                            uint64_t min, uint64_t max, uint64_t fallback)
{
    const char *value = command_option(line, name);
    uint64_t n;

    if (value == NULL) return fallback;
    if (!text_to_u64(text_of(value), max, &n) || n < min)
        die_usage("--%s must be a number from %llu to %llu, not \"%s\"", name,
                  (unsigned long long)min, (unsigned long long)max, value);
    return n;
}
