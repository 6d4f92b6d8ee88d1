/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* published_clients_test.c - the JavaScript clients that people use get past core/auth.
 */
#include "checker.h"
#include "unit/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static int status;
static unsigned answered;

static void published_clients_are_accepted(void)
{
    char url[64], command[600];

    checker_start(url);
    snprintf(command, sizeof(command), "'%s/tests/clients/run' %s", LANDLOG_SOURCE_DIR,
             url);
    fflush(stdout);
    status = system(command);
    answered = checker_count();
    checker_stop();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return;
    OK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    OK(answered >= 10);
}

int main(void)
{
    RUN(published_clients_are_accepted);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return 77;
    return t_done();
}
