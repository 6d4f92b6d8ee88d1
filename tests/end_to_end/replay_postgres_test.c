/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* replay_postgres_test.c - replay equals live, the log in Postgres. */
#include "replay_story.h"

int main(void)
{
    return replay_story("replay_postgres", false);
}
