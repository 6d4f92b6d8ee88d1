/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_postgres_test.c - reactors whose Postgres is killed: commits of theirs that did
 * not wait for the disk are lost with it, and nothing is emitted twice or not at all. */
#include "own_postgres.h"
#include "react_subjects.h"

#include <signal.h>
#include <stdlib.h>

enum { KILLS = 5, PATIENCE_S = 60 };

static void a_killed_postgres_loses_nothing(struct suite *s)
{
    static const char *const ways[] = {"kill", "stop immediate"};
    struct reacted r;
    pid_t reactor;

    srand(9);
    reacted_open(&r, s);
    reactor = reacted_start(&r, NULL, 2);
    for (int i = 0; i < KILLS; i++) {
        reacted_append(&r, 400, -1);
        reacted_sleep(100 + rand() % 400);
        own_postgres(ways[i % 2]);
        own_postgres("start");
        PQreset(r.connection);
        OK(PQstatus(r.connection) == CONNECTION_OK);
        OK(referee_reopen(r.connection, TEST_SERVICE, NULL) == LL_OK);
    }
    OK(reacted_wait(&r, PATIENCE_S));
    OK(reacted_is_right(&r));
    OK(reacted_end(reactor, SIGTERM) == 0);
    reacted_close(&r);
}

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    own_postgres_start(LANDLOG_BINARY_DIR "/react_postgres");
    atexit(own_postgres_remove);
    RUN(a_killed_postgres_loses_nothing);
    return suite_end(s);
}
