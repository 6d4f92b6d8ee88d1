/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* command.h - the command line: a table of commands, each a table of options.
 *
 * `landlog NAME [options] [arguments]`. Help texts, parsing and their errors come from
 * the tables. Every command also knows --config FILE, --set NAME=VALUE and --help.
 * To add one: a file core/cli/<name>_command.c with its `const struct command`, and a
 * row in commands.c.
 */
#ifndef LL_COMMAND_H
#define LL_COMMAND_H

#include "core/base/settings.h"

struct command_option {
    const char *name;     /* "key", given as --key VALUE or --key=VALUE */
    const char *argument; /* "VALUE"; NULL for a flag */
    const char *help;
    char letter; /* 'k' for -k VALUE; 0 for none */
};

enum { COMMAND_OPTIONS = 24, COMMAND_GIVEN = 64 };

/* One option as it stood on the command line. */
struct command_given {
    int option; /* its index in the command's table */
    const char *value;
};

struct command_line {
    const struct command *command;
    const char *given[COMMAND_OPTIONS];      /* by the option's index; NULL: not given */
    struct command_given all[COMMAND_GIVEN]; /* in order, for options that may repeat */
    size_t all_count;
    size_t argument_count;
    const char *const *arguments;
    struct settings *settings; /* loaded before run() is called */
    const char *const *sets;   /* each --set as it was given */
    size_t set_count;
    const char *program; /* argv[0], for starting other commands */
};

struct command {
    const char *name;
    const char *summary;                         /* one line, for the list */
    const char *arguments;                       /* "TYPE [FILE]", or "" */
    const char *help;                            /* paragraphs; NULL for none */
    size_t least, most;                          /* arguments */
    const struct command_option *options;        /* ends with a NULL name; may be NULL */
    int (*run)(const struct command_line *line); /* the exit status */
};

/* Every command, sorted by name; ends with NULL (commands.c). */
extern const struct command *const commands[];

int command_main(int argc, char **argv);

/* The option's value ("" for a flag), or NULL when it was not given; the last one, where
 * it was repeated. The name must be in the command's table. */
const char *command_option(const struct command_line *line, const char *name);
/* The i-th value of an option that may be repeated; NULL past the last. */
const char *command_option_at(const struct command_line *line, const char *name,
                              size_t i);
/* The option as a number from min to max, `fallback` when not given; dies otherwise. */
uint64_t command_option_u64(const struct command_line *line, const char *name,
                            uint64_t min, uint64_t max, uint64_t fallback);

/* The operator's voice: "landlog NAME: message" on standard error, exit 1 (exit 2 for
 * a usage error, with a hint at --help). Only cli may call these. */
_Noreturn void die(const char *fmt, ...) LL_PRINTF(1, 2);
_Noreturn void die_usage(const char *fmt, ...) LL_PRINTF(1, 2);

#endif
