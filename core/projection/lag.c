/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lag.c - see lag.h. */
#include "core/projection/lag.h"

#include "core/log/reader.h"
#include "core/pg/connect.h"
#include "core/projection/handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct topic_ends {
    const struct topic *topic;
    struct log_reader *reader;
    uint64_t *ends;
};

struct lag_probe {
    size_t count;
    struct topic_ends topics[PROJECTION_TOPICS];
};

static ll_rc open_topic(const struct settings *settings, struct topic_ends *t,
                        struct ll_error *err)
{
    struct log_cursor *cursors = ll_calloc(t->topic->partitions, sizeof(*cursors));
    ll_rc rc;

    t->ends = ll_calloc(t->topic->partitions, sizeof(*t->ends));
    for (uint32_t i = 0; i < t->topic->partitions; i++) cursors[i].partition = i;
    rc = log_reader_open(settings, t->topic, cursors, t->topic->partitions, &t->reader,
                         err);
    free(cursors);
    return rc;
}

ll_rc lag_probe_open(const struct settings *settings, const struct projection *p,
                     struct lag_probe **out, struct ll_error *err)
{
    struct lag_probe *probe = ll_calloc(1, sizeof(*probe));
    ll_rc rc = LL_OK;

    *out = NULL;
    for (size_t i = 0; i < p->topic_count && rc == LL_OK; i++) {
        probe->topics[i].topic = p->topics[i];
        probe->count++;
        rc = open_topic(settings, &probe->topics[i], err);
    }
    if (rc == LL_OK)
        *out = probe;
    else
        lag_probe_close(probe);
    return rc;
}

void lag_probe_close(struct lag_probe *probe)
{
    if (probe == NULL) return;
    for (size_t i = 0; i < probe->count; i++) {
        log_reader_close(probe->topics[i].reader);
        free(probe->topics[i].ends);
    }
    free(probe);
}

ll_rc lag_probe_look(struct lag_probe *probe, struct ll_error *err)
{
    for (size_t i = 0; i < probe->count; i++) {
        struct topic_ends *t = &probe->topics[i];

        for (uint32_t k = 0; k < t->topic->partitions; k++) {
            ll_rc rc = log_reader_end(t->reader, k, &t->ends[k], err);

            if (rc != LL_OK) return rc;
        }
    }
    return LL_OK;
}

uint64_t lag_probe_end(const struct lag_probe *probe, const char *topic,
                       uint32_t partition)
{
    for (size_t i = 0; i < probe->count; i++) {
        const struct topic_ends *t = &probe->topics[i];

        if (strcmp(t->topic->name, topic) == 0 && partition < t->topic->partitions)
            return t->ends[partition];
    }
    return 0;
}

ll_rc lag_read(PGconn *connection, const struct lag_probe *probe,
               const struct generation *g, struct lag *out, struct ll_error *err)
{
    char sql[PROJECTION_SCHEMA + 96];
    PGresult *rows;
    ll_rc rc;

    *out = (struct lag){0};
    snprintf(sql, sizeof(sql), "select topic, partition, sequence from \"%s\".checkpoint",
             g->schema);
    rc = pg_query(connection, sql, NULL, 0, &rows, err);
    if (rc != LL_OK) return rc;
    for (int i = 0; i < PQntuples(rows); i++) {
        uint64_t at = strtoull(PQgetvalue(rows, i, 2), NULL, 10);
        uint64_t end = lag_probe_end(probe, PQgetvalue(rows, i, 0),
                                     (uint32_t)strtoul(PQgetvalue(rows, i, 1), NULL, 10));

        out->applied += at;
        out->total += end;
        out->behind += end > at ? end - at : 0;
    }
    PQclear(rows);
    return LL_OK;
}
