/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* apply_open.c - an applier's connection and its prepared statements. */
#include "core/pg/connect.h"
#include "core/projection/applier.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVENT_MEMORY = 64 * 1024 * 1024 };

/* Plans made while tables are empty must be those of full ones. */
static const char session_sql[] =
    "set synchronous_commit = off; set plan_cache_mode = force_generic_plan;"
    "set enable_seqscan = off; set statement_timeout = 0; set lock_timeout = 0";

static ll_rc prepare(PGconn *connection, const char *name, const char *sql, size_t n,
                     const Oid *types, struct ll_error *err)
{
    PGresult *result = PQprepare(connection, name, sql, (int)n, types);
    ll_rc rc = LL_OK;

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = pg_fail(connection, result, "prepare", err);
    PQclear(result);
    return rc;
}

static ll_rc read_types(PGconn *connection, struct prepared *s, struct ll_error *err)
{
    PGresult *result = PQdescribePrepared(connection, s->name);
    ll_rc rc = LL_OK;

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = pg_fail(connection, result, "describe", err);
    for (int i = 0; i < PQnparams(result) && rc == LL_OK; i++)
        s->types[i] = PQparamtype(result, i);
    PQclear(result);
    return rc;
}

static ll_rc prepare_statement(struct applier *a, const struct generation *g,
                               const struct handler_statement *s, struct prepared *out,
                               struct ll_error *err)
{
    struct builder sql;
    Oid types[SQL_PARAMETERS];
    ll_rc rc;

    for (size_t i = 0; i < SQL_PARAMETERS; i++) types[i] = s->parameters[i].type;
    builder_init(&sql, 4 * SQL_FILE_MAX);
    sql_expand(s->text->sql, g->schema, &sql);
    LL_CHECK(!sql.full);
    rc = prepare(a->connection, out->name, builder_view(&sql).ptr,
                 s->text->parameter_count, types, err);
    if (rc == LL_OK) rc = read_types(a->connection, out, err);
    if (rc != LL_OK)
        ll_error_prefix(err, "%s:%u", a->p->paths[SQL_FILE_APPLY], s->text->line);
    builder_fini(&sql);
    return rc;
}

static ll_rc prepare_handlers(struct applier *a, const struct generation *g,
                              struct ll_error *err)
{
    a->handlers = ll_calloc(a->p->handler_count, sizeof(*a->handlers));
    for (size_t i = 0; i < a->p->handler_count; i++) {
        const struct handler *h = &a->p->handlers[i];

        a->handlers[i].handler = h;
        a->handlers[i].statements =
            ll_calloc(h->statement_count, sizeof(*a->handlers[i].statements));
        for (size_t k = 0; k < h->statement_count; k++) {
            struct prepared *s = &a->handlers[i].statements[k];
            ll_rc rc;

            snprintf(s->name, sizeof(s->name), "%zu.%zu", i, k);
            rc = prepare_statement(a, g, &h->statements[k], s, err);
            if (rc != LL_OK) return rc;
        }
    }
    return LL_OK;
}

static ll_rc prepare_frame(struct applier *a, const struct generation *g,
                           struct ll_error *err)
{
    enum { INT4 = 23 };
    static const Oid types[] = {TYPE_TEXT, INT4,      TYPE_INT8, TYPE_INT8,
                                TYPE_INT8, TYPE_UUID, TYPE_INT8};
    char sql[PROJECTION_SCHEMA + 128];
    ll_rc rc = pg_script(a->connection, session_sql, err);

    snprintf(sql, sizeof(sql),
             "select \"%s\".advance($1, $2, $3, $4, $5, $6),"
             " landlog.hold_against_referee($1, $2, $5, $6, $7)",
             g->schema);
    if (rc == LL_OK) rc = prepare(a->connection, "begin", "begin", 0, NULL, err);
    if (rc == LL_OK) rc = prepare(a->connection, "commit", "commit", 0, NULL, err);
    if (rc == LL_OK)
        rc = prepare(a->connection, "advance", sql, LL_LENGTH(types), types, err);
    return rc;
}

ll_rc applier_open(const char *conninfo, const struct projection *p,
                   const struct generation *g, struct applier **out, struct ll_error *err)
{
    struct applier *a = ll_calloc(1, sizeof(*a));
    ll_rc rc;

    *out = NULL;
    if (p->needs_blobs && p->blobs == NULL) {
        free(a);
        return ll_fail(err, LL_EINVAL, "projection \"%s\" reads blobs, and has none",
                       p->name);
    }
    a->p = p;
    arena_init(&a->arena, EVENT_MEMORY);
    rc = pg_connect(conninfo, "projector writer", &a->connection, err);
    if (rc == LL_OK) rc = prepare_frame(a, g, err);
    if (rc == LL_OK) rc = prepare_handlers(a, g, err);
    if (rc == LL_OK && (PQsetnonblocking(a->connection, 1) != 0 ||
                        PQenterPipelineMode(a->connection) != 1))
        rc = pg_fail(a->connection, NULL, "enter pipeline mode", err);
    if (rc == LL_OK)
        *out = a;
    else
        applier_close(a);
    return rc;
}

void applier_close(struct applier *a)
{
    if (a == NULL) return;
    PQfinish(a->connection);
    for (size_t i = 0; a->handlers != NULL && i < a->p->handler_count; i++)
        free(a->handlers[i].statements);
    free(a->handlers);
    for (size_t i = 0; i < APPLY_FLIGHTS; i++) {
        free(a->flights[i].events);
        free(a->flights[i].steps);
    }
    arena_fini(&a->arena);
    free(a);
}
