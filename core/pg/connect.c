/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* connect.c - see connect.h. */
#include "core/pg/connect.h"

#include "core/base/note.h"

#include <stdio.h>
#include <string.h>

enum { PURPOSE = 64 };

/* libpq ends its messages with a line feed, and repeats the query behind the first. */
static struct text first_line(const char *message)
{
    struct text rest = text_of(message), line;

    text_cut(&rest, '\n', &line);
    return line;
}

static void on_notice(void *unused, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    bool warns = severity != NULL && strcmp(severity, "WARNING") == 0;

    (void)unused;
    note(warns ? NOTE_WARNING : NOTE_DEBUG, "postgres says",
         NOTE_S("words", words != NULL ? words : ""));
}

ll_rc pg_fail(PGconn *connection, const PGresult *result, const char *what,
              struct ll_error *err)
{
    const char *words =
        result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *state =
        result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    if (words != NULL && state != NULL)
        return ll_fail(err, LL_EDATABASE, "%s: %s (%s)", what, words, state);
    words = result != NULL ? PQresultErrorMessage(result) : "";
    if (words[0] == '\0') words = PQerrorMessage(connection);
    return ll_fail(err, LL_EDATABASE, "%s: %.*s", what, TEXT_ARGS(first_line(words)));
}

/* What every connection has alike. A session's own settings win over those of the role,
 * the database and the options in the conninfo. */
static const char session_settings[] =
    "set search_path = pg_catalog; set standard_conforming_strings = on;"
    "set jit = off; set timezone = 'UTC'; set datestyle = 'ISO'; set bytea_output = "
    "'hex'";

static ll_rc set_up(PGconn *connection, struct ll_error *err)
{
    PQsetNoticeReceiver(connection, on_notice, NULL);
    return pg_script(connection, session_settings, err);
}

ll_rc pg_connect(const char *conninfo, const char *purpose, PGconn **out,
                 struct ll_error *err)
{
    char name[PURPOSE];
    /* Later names win: what the operator wrote may choose the time-out, not the rest. */
    const char *const names[] = {"connect_timeout", "dbname", "application_name",
                                 "client_encoding", NULL};
    const char *const values[] = {"10", conninfo, name, "UTF8", NULL};
    ll_rc rc = LL_OK;

    snprintf(name, sizeof(name), "landlog %s", purpose);
    *out = PQconnectdbParams(names, values, 1);
    if (PQstatus(*out) != CONNECTION_OK)
        rc = pg_fail(*out, NULL, "connect to postgres", err);
    else
        rc = set_up(*out, err);
    if (rc != LL_OK) {
        PQfinish(*out);
        *out = NULL;
    }
    return rc;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

ll_rc pg_query(PGconn *connection, const char *sql, const char *const *values, int n,
               PGresult **out, struct ll_error *err)
{
    PGresult *result = PQexecParams(connection, sql, n, NULL, values, NULL, NULL, 0);
    ll_rc rc = LL_OK;

    if (!is_good(result)) rc = pg_fail(connection, result, "query", err);
    if (rc != LL_OK || out == NULL) {
        PQclear(result);
        result = NULL;
    }
    if (out != NULL) *out = result;
    return rc;
}

ll_rc pg_script(PGconn *connection, const char *sql, struct ll_error *err)
{
    PGresult *result = PQexec(connection, sql);
    ll_rc rc = LL_OK;

    if (!is_good(result)) rc = pg_fail(connection, result, "script", err);
    PQclear(result);
    return rc;
}

static const char *find(const char *from, const char *end, char c)
{
    const char *at = from < end ? memchr(from, c, (size_t)(end - from)) : NULL;

    return at != NULL ? at : end;
}

/* Copy with each `a` and each `b` doubled; what is between them goes in one piece, since
 * a literal may be megabytes of hexadecimal. */
static void add_doubled(struct builder *sql, struct text value, char a, char b)
{
    const char *from = value.ptr, *end = value.ptr + value.len;
    const char *next_a = find(from, end, a), *next_b = find(from, end, b);

    if (find(from, end, '\0') != end) sql->full = true;
    while (next_a < end || next_b < end) {
        const char *at = next_a < next_b ? next_a : next_b;

        builder_add(sql, from, (size_t)(at + 1 - from));
        from = at;
        if (next_a == at) next_a = find(at + 1, end, a);
        if (next_b == at) next_b = find(at + 1, end, b);
    }
    builder_add(sql, from, (size_t)(end - from));
}

/* With a backslash in it, it is written as E'...', which reads alike whatever
 * standard_conforming_strings says. */
void pg_literal(struct builder *sql, struct text value)
{
    bool escapes = value.len > 0 && memchr(value.ptr, '\\', value.len) != NULL;

    builder_string(sql, escapes ? " E'" : "'");
    if (value.len > 0) add_doubled(sql, value, '\'', escapes ? '\\' : '\'');
    builder_char(sql, '\'');
}

void pg_identifier(struct builder *sql, struct text name)
{
    builder_char(sql, '"');
    if (name.len > 0) add_doubled(sql, name, '"', '"');
    builder_char(sql, '"');
}
