/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* commands.c - the table of commands, sorted by name: one extern, one row each. */
#include "core/cli/command.h"

extern const struct command config_command;
extern const struct command deploy_command;
extern const struct command log_command;
extern const struct command project_command;
extern const struct command publish_command;
extern const struct command react_command;
extern const struct command rebuild_command;
extern const struct command relay_command;
extern const struct command replay_command;
extern const struct command request_command;
extern const struct command schemas_command;
extern const struct command serve_command;
extern const struct command status_command;
extern const struct command tail_command;
extern const struct command topics_command;
extern const struct command up_command;
extern const struct command wallet_command;

/* One a line, so that two changes do not meet. */
/* clang-format off */
const struct command *const commands[] = {
    &config_command,
    &deploy_command,
    &log_command,
    &project_command,
    &publish_command,
    &react_command,
    &rebuild_command,
    &relay_command,
    &replay_command,
    &request_command,
    &schemas_command,
    &serve_command,
    &status_command,
    &tail_command,
    &topics_command,
    &up_command,
    &wallet_command,
    NULL,
};
