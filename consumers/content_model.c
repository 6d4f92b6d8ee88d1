/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_model.c - see content_model.h. */
#include "consumers/content_model.h"

#include "core/log/referee.h"
#include "core/pg/connect.h"

#include <stdlib.h>
#include <string.h>

enum { SQL_MOST = 256 * 1024, EVENT_ARENA = RECORD_DATA + 64 * 1024 };

struct content_model {
    const struct react_context *context;
    PGconn *connection, *log; /* the second is made when it is needed */
    struct projection *projection;
    struct generation generation;
};

static ll_rc find_generation(struct content_model *m, struct ll_error *err)
{
    struct uuid identity = projection_identity(m->projection);
    char text[UUID_TEXT];
    const char *values[] = {"content", text};
    PGresult *result;
    ll_rc rc;

    uuid_print(&identity, text);
    rc = pg_query(m->connection, projection_live_sql, values, 2, &result, err);
    if (rc != LL_OK) return rc;
    if (PQntuples(result) == 1)
        snprintf(m->generation.schema, sizeof(m->generation.schema), "%s",
                 PQgetvalue(result, 0, 0));
    else
        rc = ll_fail(err, LL_ENOTFOUND, "no generation of projection content is live");
    PQclear(result);
    return rc;
}

ll_rc content_model_open(const struct react_context *context, struct content_model **out,
                         struct ll_error *err)
{
    struct content_model *m = ll_calloc(1, sizeof(*m));
    const char *conninfo = settings_string(context->settings, SETTING_POSTGRES);
    ll_rc rc = projection_load("content", context->registry, &m->projection, err);

    m->context = context;
    if (rc == LL_OK) rc = pg_connect(conninfo, "content job", &m->connection, err);
    if (rc == LL_OK) rc = find_generation(m, err);
    if (rc == LL_OK)
        rc = pg_script(m->connection,
                       "begin transaction isolation level repeatable read, read only",
                       err);
    if (rc == LL_OK) {
        *out = m;
        return rc;
    }
    content_model_close(m);
    return rc;
}

void content_model_close(struct content_model *m)
{
    PQfinish(m->connection);
    PQfinish(m->log);
    projection_free(m->projection);
    free(m);
}

ll_rc content_model_ask(struct content_model *m, const char *query,
                        const char *const *values, struct content_answer *out,
                        struct ll_error *err)
{
    const struct projection_query *q = projection_query(m->projection, query);
    struct builder sql;
    PGresult *result;
    ll_rc rc;

    LL_CHECK(q != NULL);
    *out = (struct content_answer){0};
    builder_init(&sql, SQL_MOST);
    projection_query_sql(m->projection, q, &m->generation, &sql);
    LL_CHECK(!sql.full);
    rc = pg_query(m->connection, builder_view(&sql).ptr, values, (int)q->parameter_count,
                  &result, err);
    builder_fini(&sql);
    if (rc != LL_OK) {
        ll_error_prefix(err, "%s", query);
        return rc;
    }
    out->is_found = !PQgetisnull(result, 0, 2);
    if (out->is_found) out->body = ll_strdup(PQgetvalue(result, 0, 2));
    PQclear(result);
    return LL_OK;
}

ll_rc content_model_ask_json(struct content_model *m, const char *query,
                             const char *const *values, json_t **out,
                             struct ll_error *err)
{
    struct content_answer answer;
    ll_rc rc = content_model_ask(m, query, values, &answer, err);

    if (rc != LL_OK) return rc;
    LL_CHECK(answer.is_found);
    rc = json_parse(text_of(answer.body), JSON_DEPTH, out, err);
    free(answer.body);
    return rc;
}

ll_rc content_model_sequence(struct content_model *m, uint64_t *out, struct ll_error *err)
{
    struct position at;
    struct builder sql;
    PGresult *result;
    ll_rc rc;

    *out = 0;
    builder_init(&sql, SQL_MOST);
    projection_position_sql(&m->generation, &sql);
    rc = pg_query(m->connection, builder_view(&sql).ptr, NULL, 0, &result, err);
    builder_fini(&sql);
    if (rc != LL_OK) return rc;
    rc = position_parse(&at, PQgetvalue(result, 0, 0), strlen(PQgetvalue(result, 0, 0)));
    LL_CHECK(rc == LL_OK);
    if (!position_get(&at, "content", 0, out)) *out = 0;
    PQclear(result);
    return LL_OK;
}

static ll_rc append(struct content_model *m, struct record *record,
                    const struct uuid *command, struct ll_error *err)
{
    struct append_command asked = {
        .key = *command, .body = *command, .events = record, .event_count = 1};
    struct append_answer answer;
    ll_rc rc = LL_OK;

    if (m->log == NULL)
        rc = pg_connect(settings_string(m->context->settings, SETTING_POSTGRES),
                        "content job's log", &m->log, err);
    if (rc == LL_OK) rc = referee_append(m->log, "content", &asked, 1, &answer, err);
    if (rc != LL_OK) return rc;
    if (answer.verdict == APPEND_ACCEPTED || answer.verdict == APPEND_DUPLICATE)
        return LL_OK;
    return ll_fail(err, LL_EDATABASE, "the log does not take %.*s now",
                   TEXT_ARGS(record->type));
}

ll_rc content_model_append(struct content_model *m, const char *type, const json_t *data,
                           struct text key, struct ll_error *err)
{
    struct uuid command = uuid_v5(&uuid_landlog, key);
    struct record record = {0};
    struct arena arena;
    ll_rc rc;

    arena_init(&arena, EVENT_ARENA);
    rc = event_make(m->context->registry, text_of(type), data, &arena, &record, err);
    if (rc == LL_OK) {
        record.id = uuid_v5(&command, TEXT("event:0"));
        record.source = TEXT("/content");
        record.command = record.body = command;
        record.command_size = 1;
        rc = append(m, &record, &command, err);
    }
    arena_fini(&arena);
    return rc;
}
