/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* main.c - finds the command by its name and runs it. */
#include "core/cli/command.h"

int main(int argc, char **argv)
{
    return command_main(argc, argv);
}
