/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* own_postgres.h - a Postgres of a test's own, to be killed and replaced. */
#ifndef LL_OWN_POSTGRES_H
#define LL_OWN_POSTGRES_H

#include "core/base/base.h"

/* A new cluster in `folder` (removed first if it is there), on a free port. From then on
 * LANDLOG_TEST_POSTGRES names it. */
void own_postgres_start(const char *folder);
/* `scripts/postgres <command>`: "kill", "start", "stop immediate" ... */
void own_postgres(const char *command);
/* A shell command as the user that the server runs as, in which $bin, $data and $socket
 * and $port are those of the server. */
void own_postgres_shell(const char *command);
/* Stop it and remove the folder. */
void own_postgres_remove(void);

#endif
