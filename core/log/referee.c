/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* referee.c - sending commands and reading verdicts; the rest of the referee's calls. */
#include "core/log/referee_encode.h"

#include "core/base/note.h"
#include "core/pg/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not over the view landlog.partition, which makes a row of every partition there is. */
const char *const referee_known_sql =
    "select i.body, t.name, i.partition % 256, i.sequence, i.time"
    " from landlog.idempotency i join landlog.topic t on t.id = i.partition / 256"
    " where i.key = $1";

/* ---- verdicts ---- */

static const char *const verdict_names[] = {
    [APPEND_ACCEPTED] = "accepted",   [APPEND_CONFLICT] = "conflict",
    [APPEND_DUPLICATE] = "duplicate", [APPEND_RETRY] = "retry",
    [APPEND_REUSED] = "reused",       [APPEND_INVALID] = "invalid",
    [APPEND_CLOSED] = "closed",
};

enum answer_column { VERDICT, TOPIC, NUMBER, SEQUENCE, TIME, GUARD, STORE };

static bool read_verdict(const char *name, enum append_verdict *out)
{
    for (size_t i = 0; i < LL_LENGTH(verdict_names); i++) {
        if (strcmp(name, verdict_names[i]) != 0) continue;
        *out = (enum append_verdict)i;
        return true;
    }
    return false;
}

static int64_t number_at(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/* `guard` counts over the whole call: the referee saw all guards in one array. */
static bool read_answer(const PGresult *result, int row, size_t first_guard,
                        struct append_answer *out)
{
    *out = (struct append_answer){0};
    if (!read_verdict(PQgetvalue(result, row, VERDICT), &out->verdict)) return false;
    snprintf(out->topic, sizeof(out->topic), "%s", PQgetvalue(result, row, TOPIC));
    snprintf(out->store, sizeof(out->store), "%s", PQgetvalue(result, row, STORE));
    out->partition = (uint32_t)number_at(result, row, NUMBER);
    out->sequence = (uint64_t)number_at(result, row, SEQUENCE);
    out->time = number_at(result, row, TIME);
    if (out->verdict == APPEND_CONFLICT)
        out->guard = (size_t)number_at(result, row, GUARD) - 1 - first_guard;
    return true;
}

ll_rc referee_fail(PGconn *connection, const PGresult *result, const char *what,
                   struct ll_error *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    ll_rc rc = pg_fail(connection, result, what, err);

    /* libpq's own words have no state: the connection is lost, even where a failed write
     * leaves it looking well. */
    if (state == NULL || (connection != NULL && PQstatus(connection) != CONNECTION_OK))
        rc = LL_EUNKNOWN;
    else if (strcmp(state, "55P03") == 0)
        rc = LL_ETIMEOUT;
    if (err != NULL) err->rc = rc;
    return rc;
}

ll_rc referee_decode(const PGresult *result, const struct append_command *commands,
                     struct append_answer *answers, size_t n, struct ll_error *err)
{
    size_t guards = 0;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return referee_fail(NULL, result, "append", err);
    if ((size_t)PQntuples(result) != n || PQnfields(result) != STORE + 1)
        return ll_fail(err, LL_EDATABASE,
                       "append: %d answers of %d columns to %zu commands",
                       PQntuples(result), PQnfields(result), n);
    for (size_t i = 0; i < n; i++) {
        if (!read_answer(result, (int)i, guards, &answers[i]))
            return ll_fail(err, LL_EDATABASE, "append: unknown verdict \"%s\"",
                           PQgetvalue(result, (int)i, VERDICT));
        guards += commands[i].guard_count;
    }
    return LL_OK;
}

/* ---- the blocking append ---- */

static ll_rc send_once(PGconn *connection, const char *service,
                       const struct append_command *commands, size_t n,
                       struct append_answer *answers, struct ll_error *err)
{
    struct builder sql;
    PGresult *result = NULL;
    ll_rc rc;

    builder_init(&sql, REFEREE_SQL);
    referee_encode(service, commands, n, &sql);
    if (sql.full) {
        rc = ll_fail(err, LL_EFULL, "append: the commands do not fit one query");
        goto out;
    }
    result = PQexec(connection, builder_view(&sql).ptr);
    if (PQstatus(connection) != CONNECTION_OK)
        rc = referee_fail(connection, result, "append", err);
    else
        rc = referee_decode(result, commands, answers, n, err);
out:
    PQclear(result);
    builder_fini(&sql);
    return rc;
}

/* As send_once(), but who holds the lock and does not let go is ended, once. */
static ll_rc send_past_holder(PGconn *connection, const char *service,
                              const struct append_command *commands, size_t n,
                              struct append_answer *answers, struct ll_error *err)
{
    ll_rc rc = send_once(connection, service, commands, n, answers, err);
    size_t ended;

    if (rc != LL_ETIMEOUT) return rc;
    rc = referee_unblock(connection, &ended, err);
    if (rc != LL_OK) return rc;
    note(NOTE_WARNING, "the referee's lock was held", NOTE_S("service", service),
         NOTE_I("ended", ended));
    return send_once(connection, service, commands, n, answers, err);
}

/* As send_past_holder(), but a gate that only a restart has closed is opened, once. */
static ll_rc send_through_gate(PGconn *connection, const char *service,
                               const struct append_command *commands, size_t n,
                               struct append_answer *answers, struct ll_error *err)
{
    ll_rc rc = send_past_holder(connection, service, commands, n, answers, err);

    if (rc != LL_OK || answers[0].verdict != APPEND_CLOSED) return rc;
    rc = referee_reopen(connection, service, err);
    if (rc == LL_EBROKEN) return LL_OK; /* closed is the answer */
    if (rc != LL_OK) return rc;
    return send_past_holder(connection, service, commands, n, answers, err);
}

ll_rc referee_append(PGconn *connection, const char *service,
                     const struct append_command *commands, size_t n,
                     struct append_answer *answers, struct ll_error *err)
{
    struct append_command waiting[APPEND_BATCH];
    struct append_answer fresh[APPEND_BATCH] = {0};
    size_t place[APPEND_BATCH], left = n;

    LL_CHECK(n >= 1 && n <= APPEND_BATCH);
    memcpy(waiting, commands, n * sizeof(*commands));
    for (size_t i = 0; i < n; i++) place[i] = i;
    /* Each round ends: the first command of a batch is never told to retry. */
    while (left > 0) {
        size_t kept = 0;
        ll_rc rc = send_through_gate(connection, service, waiting, left, fresh, err);

        if (rc != LL_OK) return rc;
        for (size_t i = 0; i < left; i++) {
            answers[place[i]] = fresh[i];
            if (fresh[i].verdict != APPEND_RETRY) continue;
            waiting[kept] = waiting[i];
            place[kept++] = place[i];
        }
        LL_CHECK(kept < left);
        left = kept;
    }
    return LL_OK;
}

/* ---- small calls ---- */

/* One row of one column, or LL_ENOTFOUND. The caller clears *out. */
static ll_rc ask(PGconn *connection, const char *sql, const char *const *values, int n,
                 PGresult **out, struct ll_error *err)
{
    ll_rc rc = pg_query(connection, sql, values, n, out, err);

    if (rc != LL_OK) return rc;
    if (PQntuples(*out) == 1 && !PQgetisnull(*out, 0, 0)) return LL_OK;
    PQclear(*out);
    *out = NULL;
    return ll_fail(err, LL_ENOTFOUND, "the referee has no such row");
}

ll_rc referee_incarnation(PGconn *connection, struct uuid *out, struct ll_error *err)
{
    PGresult *result;
    ll_rc rc =
        ask(connection, "select incarnation from landlog.log", NULL, 0, &result, err);

    if (rc != LL_OK) return rc;
    if (!uuid_parse(text_of(PQgetvalue(result, 0, 0)), out))
        rc = ll_fail(err, LL_EDATABASE, "incarnation: not a UUID");
    PQclear(result);
    return rc;
}

ll_rc referee_store(PGconn *connection, const char *service, char out[STORE_NAME],
                    struct ll_error *err)
{
    PGresult *result;
    ll_rc rc = ask(connection, "select store from landlog.referee where service = $1",
                   &service, 1, &result, err);

    if (rc == LL_ENOTFOUND)
        return ll_fail(err, rc, "the referee has no service \"%s\"", service);
    if (rc != LL_OK) return rc;
    snprintf(out, STORE_NAME, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return LL_OK;
}

ll_rc referee_reopen(PGconn *connection, const char *service, struct ll_error *err)
{
    PGresult *result;
    ll_rc rc = ask(connection, "select landlog.reopen($1)", &service, 1, &result, err);

    if (rc != LL_OK) return rc;
    if (PQgetvalue(result, 0, 0)[0] != 't')
        rc = ll_fail(err, LL_EBROKEN,
                     "the gate of service \"%s\" is closed: this database is not the one "
                     "last reconciled",
                     service);
    PQclear(result);
    return rc;
}

ll_rc referee_unblock(PGconn *connection, size_t *ended, struct ll_error *err)
{
    PGresult *result;
    ll_rc rc = ask(connection, "select landlog.unblock()", NULL, 0, &result, err);

    *ended = 0;
    if (rc != LL_OK) return rc;
    *ended = (size_t)number_at(result, 0, 0);
    PQclear(result);
    return LL_OK;
}

ll_rc referee_purge(PGconn *connection, const char *service, int64_t keep_ms,
                    uint32_t most, uint64_t *forgotten, struct ll_error *err)
{
    char keep[24], limit[16];
    const char *const values[] = {service, keep, limit};
    PGresult *result;
    ll_rc rc;

    *forgotten = 0;
    snprintf(keep, sizeof(keep), "%lld", (long long)keep_ms);
    snprintf(limit, sizeof(limit), "%u", most);
    rc = ask(connection, "select landlog.purge($1, $2, $3)", values, 3, &result, err);
    if (rc != LL_OK) return rc;
    *forgotten = (uint64_t)number_at(result, 0, 0);
    PQclear(result);
    return LL_OK;
}
