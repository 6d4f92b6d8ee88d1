/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection_sql.c - the statements with which front-ends ask a generation. */
#include "core/projection/handler.h"

/* As position_print() writes it: sorted bytewise, nothing for a partition not read. */
static void add_position(const struct generation *g, struct builder *sql)
{
    builder_printf(sql,
                   "(select coalesce(string_agg(topic || '/' || partition || '=' ||"
                   " sequence, ',' order by topic collate \"C\", partition), '')"
                   " from \"%s\".checkpoint where sequence > 0)",
                   g->schema);
}

void projection_position_sql(const struct generation *g, struct builder *sql)
{
    builder_string(sql, "select ");
    add_position(g, sql);
    builder_string(sql, " as position");
}

void projection_query_sql(const struct projection *p, const struct projection_query *q,
                          const struct generation *g, struct builder *sql)
{
    LL_CHECK(projection_query(p, q->name) == q);
    builder_string(sql, "select ");
    add_position(g, sql);
    builder_string(sql, " as position, answer.status, answer.body"
                        " from (values (1)) one left join (");
    sql_expand(q->sql, g->schema, sql);
    builder_string(sql, "\n) answer on true");
}

const char *const projection_live_sql =
    "select schema, number from landlog.generation"
    " where projection = $1 and identity = $2::uuid and state = 'live'";

/* The space of advisory locks is the database's; the name's hash keeps us apart. */
const char *const projection_pin_sql =
    "select pg_advisory_lock_shared(hashtext('landlog/' || $1), $2::int)";
const char *const projection_unpin_sql =
    "select pg_advisory_unlock_shared(hashtext('landlog/' || $1), $2::int)";
