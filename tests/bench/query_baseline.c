/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* query_baseline.c - see query_baseline.h. */
#include "query_baseline.h"

#include "core/base/clock.h"
#include "core/projection/projection.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { ASKERS = 4 };

static char *statement(const struct query_baseline *b)
{
    struct generation g = {0};
    struct projection *p;
    struct registry *registry;
    struct ll_error err;
    struct builder sql;
    char find[256], *schema;

    snprintf(find, sizeof(find),
             "select schema from landlog.generation where projection = '%s'"
             " and state = 'live'",
             b->projection);
    schema = world_query(b->world, find);
    if (registry_load(&registry, &err) != LL_OK ||
        projection_load(b->projection, registry, &p, &err) != LL_OK)
        world_fail("%s", err.text);
    snprintf(g.schema, sizeof(g.schema), "%s", schema);
    free(schema);
    builder_init(&sql, 64 * 1024);
    projection_query_sql(p, projection_query(p, b->query), &g, &sql);
    projection_free(p);
    registry_free(registry);
    return builder_take(&sql);
}

struct asker {
    const struct query_baseline *baseline;
    const char *sql;
    int64_t end;
    unsigned long answers;
};

static void *ask(void *context)
{
    struct asker *a = context;
    const struct query_baseline *b = a->baseline;
    PGconn *c = PQconnectdb(b->world->conninfo);
    PGresult *r = PQprepare(c, "q", a->sql, 0, NULL);

    if (PQresultStatus(r) != PGRES_COMMAND_OK) world_fail("%s", PQerrorMessage(c));
    PQclear(r);
    for (; clock_monotonic_us() < a->end; a->answers++) {
        const char *const *row = b->values + a->answers % b->rows * (size_t)b->parameters;

        r = PQexecPrepared(c, "q", b->parameters, row, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_TUPLES_OK) world_fail("%s", PQerrorMessage(c));
        PQclear(r);
    }
    PQfinish(c);
    return NULL;
}

double query_baseline_run(const struct query_baseline *b)
{
    char *sql = statement(b);
    struct asker askers[ASKERS];
    pthread_t threads[ASKERS];
    int64_t end = clock_monotonic_us() + b->seconds * INT64_C(1000000);
    unsigned long answers = 0;

    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.baseline = b, .sql = sql, .end = end};
        LL_CHECK(pthread_create(&threads[i], NULL, ask, &askers[i]) == 0);
    }
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        answers += askers[i].answers;
    }
    free(sql);
    return (double)answers / b->seconds;
}
