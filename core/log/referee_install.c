/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* referee_install.c - schema landlog as this binary wants it, in one transaction.
 *
 * An advisory lock keeps two starts apart, and the script runs only where its text is
 * not the one that ran last: functions made anew would throw away every session's plans.
 */
#include "core/log/referee.h"

#include "core/base/embedded.h"
#include "core/pg/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRIPT_MAX = 1024 * 1024 };

static const char grant_sql[] =
    "do $$ begin"
    "  revoke execute on all functions in schema landlog from public;"
    "  if exists (select from pg_roles where rolname = '" REFEREE_QUERY_ROLE "') then"
    "    grant usage on schema landlog to " REFEREE_QUERY_ROLE ";"
    "    grant select on all tables in schema landlog to " REFEREE_QUERY_ROLE ";"
    "    grant execute on function landlog.is_open(text), landlog.may_answer(text),"
    "      landlog.relay_lag(text) to " REFEREE_QUERY_ROLE ";"
    "  end if;"
    "end $$";

/* Whether the script with this hash was the last to run here. */
static ll_rc was_run(PGconn *connection, const char *hash, bool *out,
                     struct ll_error *err)
{
    PGresult *result;
    ll_rc rc = pg_query(connection, "select to_regclass('landlog.log') is not null", NULL,
                        0, &result, err);

    *out = false;
    if (rc != LL_OK) return rc;
    *out = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    if (!*out) return LL_OK;
    rc = pg_query(connection, "select from landlog.log where script = $1", &hash, 1,
                  &result, err);
    if (rc != LL_OK) return rc;
    *out = PQntuples(result) == 1;
    PQclear(result);
    return LL_OK;
}

static void read_script(struct builder *out)
{
    static const char *const files[] = {"core/log/referee.sql", "core/log/relay.sql"};
    struct text script;

    for (size_t i = 0; i < LL_LENGTH(files); i++) {
        LL_CHECK(embedded_find(files[i], &script));
        builder_text(out, script);
    }
    LL_CHECK(!out->full);
}

static ll_rc run_script(PGconn *connection, struct ll_error *err)
{
    struct builder script;
    struct uuid hash;
    char name[UUID_TEXT];
    const char *const values[] = {name};
    bool done;
    ll_rc rc;

    builder_init(&script, SCRIPT_MAX);
    read_script(&script);
    hash = uuid_hash(builder_view(&script));
    uuid_print(&hash, name);
    rc = was_run(connection, name, &done, err);
    if (rc == LL_OK && !done) rc = pg_script(connection, script.ptr, err);
    builder_fini(&script);
    if (rc != LL_OK || done) return rc;
    return pg_query(connection,
                    "insert into landlog.log (incarnation, identity, script)"
                    " values (gen_random_uuid(), landlog.identity(), $1)"
                    " on conflict (one) do update set script = excluded.script",
                    values, 1, NULL, err);
}

/* A row a service and a topic, where they are not there. */
static const char topic_sql[] =
    "with s as (insert into landlog.referee (service) values ($2) on conflict do nothing)"
    " insert into landlog.topic (name, id, service, partitions, ephemeral)"
    " select $1, coalesce(max(id), 0) + 1, $2, $3::int, $4::boolean from landlog.topic"
    " on conflict (name) do nothing";

/* What landlog.lock_referee() wants to know of them. */
static const char known_topics_sql[] =
    "update landlog.referee r set topics = t.names, ids = t.ids, sizes = t.sizes"
    "  from (select service, array_agg(name order by id) as names,"
    "               array_agg(id order by id) as ids,"
    "               array_agg(partitions order by id) as sizes"
    "          from landlog.topic where not ephemeral group by service) t"
    " where t.service = r.service"
    "   and (r.topics, r.ids, r.sizes) is distinct from (t.names, t.ids, t.sizes)";

static ll_rc check_topic(PGconn *connection, const struct topic *t, struct ll_error *err)
{
    const char *const values[] = {t->name};
    PGresult *result;
    ll_rc rc = pg_query(connection,
                        "select service, partitions from landlog.topic where name = $1",
                        values, 1, &result, err);

    if (rc != LL_OK) return rc;
    if (PQntuples(result) != 1)
        rc = ll_fail(err, LL_EDATABASE, "topic \"%s\" was not made", t->name);
    else if (strcmp(PQgetvalue(result, 0, 0), t->service) != 0)
        rc =
            ll_fail(err, LL_EBROKEN, "topic \"%s\" belongs to service \"%s\", not \"%s\"",
                    t->name, PQgetvalue(result, 0, 0), t->service);
    else if (strtoul(PQgetvalue(result, 0, 1), NULL, 10) != t->partitions)
        rc = ll_fail(err, LL_EBROKEN,
                     "topic \"%s\" was made with %s partitions and cannot have %u",
                     t->name, PQgetvalue(result, 0, 1), t->partitions);
    PQclear(result);
    return rc;
}

static ll_rc add_topic(PGconn *connection, const struct topic *t, struct ll_error *err)
{
    char partitions[16];
    const char *const values[] = {t->name, t->service, partitions,
                                  t->ephemeral ? "t" : "f"};
    ll_rc rc;

    snprintf(partitions, sizeof(partitions), "%u", t->partitions);
    rc = pg_query(connection, topic_sql, values, 4, NULL, err);
    return rc != LL_OK ? rc : check_topic(connection, t, err);
}

static ll_rc install(PGconn *connection, const struct topics *topics,
                     struct ll_error *err)
{
    ll_rc rc = pg_query(connection, REFEREE_INSTALL_LOCK, NULL, 0, NULL, err);

    if (rc == LL_OK) rc = run_script(connection, err);
    if (rc == LL_OK) rc = pg_script(connection, grant_sql, err);
    for (size_t i = 0; i < topics->count && rc == LL_OK; i++)
        rc = add_topic(connection, &topics->topics[i], err);
    if (rc == LL_OK) rc = pg_script(connection, known_topics_sql, err);
    if (rc == LL_OK)
        rc = pg_script(connection,
                       "select landlog.reconcile(service) from landlog.referee"
                       " where store = 'postgres' order by service",
                       err);
    return rc;
}

ll_rc referee_install(PGconn *connection, const struct topics *topics,
                      struct ll_error *err)
{
    ll_rc rc = pg_script(connection, "begin", err);

    if (rc != LL_OK) return rc;
    rc = install(connection, topics, err);
    if (rc == LL_OK) rc = pg_script(connection, "commit", err);
    if (rc != LL_OK) {
        ll_error_prefix(err, "install the referee");
        PQclear(PQexec(connection, "rollback"));
    }
    return rc;
}
