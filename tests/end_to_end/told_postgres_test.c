/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* told_postgres_test.c - each notification once, the log in Postgres. */
#include "told_story.h"

int main(void)
{
    return told_story("told_postgres", false);
}
