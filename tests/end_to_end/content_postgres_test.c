/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_postgres_test.c - deployments, the log in Postgres. */
#include "content_story.h"

int main(void)
{
    return content_story("content_postgres", false);
}
