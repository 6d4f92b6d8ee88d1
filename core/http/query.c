/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* query.c - reading the read model for a request, never older than it may be.
 *
 * A request pins the generation it first reads from. An answer's position is read in the
 * statement's own snapshot; the request's minimum grows with it, so that a second read of
 * the same request, or the next request that hands the token on, sees no less. */
#include "core/http/request.h"

#include "core/base/note.h"

#include <string.h>

/* The last sequence of each partition: a read model may be of several services' topics.
 */
static const char end_sql[] =
    "select string_agg(p.topic || '/' || p.number || '=' || e.sequence, ','"
    " order by p.topic collate \"C\", p.number)"
    " from landlog.partition p cross join lateral (select sequence from landlog.event"
    " where partition = p.id order by sequence desc limit 1) e";

/* True when the log really has come as far as the client says. */
static bool is_within_log(struct http_request *r)
{
    struct lane_statement statement = {"landlog.end", end_sql, 0, NULL};
    struct position end;
    struct ll_error err;
    PGresult *result;
    bool is_within;
    struct text text;

    if (backend_read(r->served->backend, &statement, &result, &err) != LL_OK) {
        request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503, "%s", err.text);
        return false;
    }
    text = text_of(PQgetvalue(result, 0, 0));
    is_within = position_parse(&end, text.ptr, text.len) == LL_OK &&
                position_covers(&end, &r->minimum.position);
    PQclear(result);
    if (!is_within)
        request_refuse(r, HTTP_REFUSED_INPUT, 412,
                       "Landlog-Position is beyond the end of the log");
    return is_within;
}

bool request_wait_minimum(struct http_request *r, bool is_from_client)
{
    struct backend *b = r->served->backend;
    struct ll_error err;

    if (backend_wait(b, &r->minimum.position, 0, &err) == LL_OK) return true;
    if (is_from_client && !is_within_log(r)) return false;
    if (backend_wait(b, &r->minimum.position, r->server->wait_ms, &err) == LL_OK)
        return true;
    request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503, "%s", err.text);
    return false;
}

/* The values in the order of the query's parameters, as C strings. */
static const char **bind_values(struct http_request *r, const struct projection_query *q,
                                const struct http_query_value *values, size_t n)
{
    const char **out = arena_calloc(&r->arena, q->parameter_count + 1, sizeof(*out));

    for (size_t i = 0; i < q->parameter_count; i++) {
        size_t k = 0;

        while (k < n && strcmp(values[k].name, q->parameters[i].name) != 0) k++;
        LL_CHECK(k < n);
        if (!values[k].is_null) out[i] = arena_text(&r->arena, values[k].value).ptr;
    }
    return out;
}

static bool pin_generation(struct http_request *r)
{
    if (r->has_generation) return true;
    r->has_generation = backend_generation(r->served->backend, &r->generation);
    if (r->has_generation) return true;
    request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503, "the read model is being built");
    return false;
}

/* Run it; a generation that was dropped under it is looked up again, once. */
static ll_rc run(struct http_request *r, const struct projection_query *q,
                 const char *const *values, PGresult **out, struct ll_error *err)
{
    struct backend *b = r->served->backend;
    char state[6];
    ll_rc rc = backend_query(b, &r->generation, q, values, out, state, err);

    if (rc != LL_EDATABASE ||
        (strcmp(state, "42P01") != 0 && strcmp(state, "3F000") != 0 &&
         strcmp(state, "26000") != 0))
        return rc;
    backend_refresh(b);
    if (!backend_generation(b, &r->generation)) return rc;
    return backend_query(b, &r->generation, q, values, out, state, err);
}

static void take_row(struct http_request *r, const PGresult *result,
                     struct http_query_answer *out)
{
    struct text position = text_of(PQgetvalue(result, 0, 0));
    uint64_t status = 200;

    LL_CHECK(PQntuples(result) == 1 && PQnfields(result) == 3);
    LL_CHECK(position_parse(&out->position, position.ptr, position.len) == LL_OK);
    out->found = !PQgetisnull(result, 0, 2);
    if (!PQgetisnull(result, 0, 1)) {
        LL_CHECK(text_to_u64(text_of(PQgetvalue(result, 0, 1)), 599, &status));
    }
    out->status = (int)status;
    out->body = arena_text(&r->arena, (struct text){PQgetvalue(result, 0, 2),
                                                    (size_t)PQgetlength(result, 0, 2)});
}

bool http_query(struct http_request *r, const char *name,
                const struct http_query_value *values, size_t n,
                struct http_query_answer *out)
{
    const struct projection_query *q =
        projection_query(backend_projection(r->served->backend), name);
    struct ll_error err;
    const char **bound;
    PGresult *result;
    ll_rc rc;

    LL_CHECK(q != NULL);
    bound = bind_values(r, q, values, n);
    do {
        if (!request_wait_minimum(r, true) || !pin_generation(r)) return false;
        rc = run(r, q, bound, &result, &err);
        if (rc != LL_OK) {
            note(NOTE_WARNING, "query failed", NOTE_S("query", name), NOTE_S("id", r->id),
                 NOTE_S("error", err.text));
            request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503,
                           "the read model does not answer");
            return false;
        }
        take_row(r, result, out);
        PQclear(result);
        /* A lane may have been connected to a server that lags: then wait again. */
    } while (!backend_covers(r->served->backend, &out->position, &r->minimum.position));

    if (token_merge(&r->minimum, &out->position) == LL_OK) {
        r->has_position = true;
        return true;
    }
    request_refuse(r, HTTP_REFUSED_INPUT, 400,
                   "Landlog-Position has no room for this service's partitions");
    return false;
}

void http_answer_query(struct http_request *r, const char *query,
                       const struct http_query_value *values, size_t n)
{
    struct http_query_answer answer;

    if (!http_query(r, query, values, n, &answer)) return;
    if (answer.found)
        http_respond_json(r, answer.status, answer.body);
    else
        request_refuse(r, HTTP_REFUSED_ROUTE, 404, "not found");
}
