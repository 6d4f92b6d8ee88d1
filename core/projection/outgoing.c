/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* outgoing.c - see outgoing.h. */
#include "core/projection/outgoing.h"

#include "core/base/clock.h"
#include "core/projection/generation_row.h"
#include "core/projection/handler.h"

#include <string.h>

/* Rows come and go in the order of this index; what was taken is vacuumed soon, so that
 * nobody walks over it for long. */
const char outgoing_table_sql[] =
    "create table outgoing ("
    " subject text collate \"C\" primary key check (octet_length(subject) between 1 and "
    "512),"
    " type text not null,"
    " data jsonb not null,"
    " due bigint not null default 0,"
    " input_topic text not null,"
    " input_partition int not null,"
    " input_sequence bigint not null,"
    " input_id uuid,"
    " place int not null default 0"
    ") with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);"
    "create index outgoing_order on outgoing"
    " (input_topic, input_partition, due, input_sequence, place, subject)";

_Static_assert(OUTGOING_SUBJECT == 512, "the table says so too");

bool outgoing_tag(const char *reactor, struct text subject, struct builder *out)
{
    if (subject.len == 0 || subject.len > OUTGOING_SUBJECT) return false;
    builder_printf(out, "once:%s:%.*s", reactor, TEXT_ARGS(subject));
    return true;
}

/* ---- what is on the log already ---- */

/* As uuid_hash() has it. The plan must not be made for all heads there are. */
static const char prune_sql[] =
    "set local enable_hashjoin = off; set local enable_mergejoin = off;"
    "delete from \"%s\".outgoing o where exists (select from landlog.head h"
    " where h.tag = encode(substr(sha256(convert_to("
    "   'once:%s:' || o.subject, 'UTF8')), 1, 16), 'hex')::uuid);"
    "set local enable_hashjoin = on; set local enable_mergejoin = on";

ll_rc outgoing_prune(PGconn *connection, const struct projection *p,
                     const struct generation *g, struct ll_error *err)
{
    return generation_run(connection, err, prune_sql, g->schema, p->name);
}

ll_rc outgoing_sweep(struct outgoing_broom *broom, PGconn *connection,
                     const struct projection *p, const struct generation *g,
                     struct ll_error *err)
{
    int64_t start = clock_monotonic_us(), took;
    ll_rc rc;

    if (!p->is_reactor || start < broom->next_us) return LL_OK;
    rc = outgoing_prune(connection, p, g, err);
    took = clock_monotonic_us() - start;
    broom->next_us = start + (took < 100000 ? 1000000 : 10 * took);
    return rc;
}

/* ---- lint ---- */

/* A statement under the lint. */
struct look {
    const struct sql_file *f;
    const struct sql_statement *s;
    bool is_reactor;
    struct ll_error *err;
};

static bool is_word(const struct look *l, size_t i, const char *word)
{
    return i < l->s->token_count && sql_token_is_word(&l->s->tokens[i], word);
}

static bool is_outgoing(const struct look *l, size_t i)
{
    const struct sql_token *t = &l->s->tokens[i];

    return sql_token_is_word(t, OUTGOING_TABLE) ||
           (t->kind == SQL_QUOTED && text_is(t->text, "\"" OUTGOING_TABLE "\""));
}

/* A column of it, or of another table: `outgoing.due`, `t.outgoing`. */
static bool is_dotted(const struct look *l, size_t i)
{
    return (i + 1 < l->s->token_count &&
            sql_token_is_symbol(&l->s->tokens[i + 1], '.')) ||
           (i > 0 && sql_token_is_symbol(&l->s->tokens[i - 1], '.'));
}

static bool is_behind(const struct look *l, size_t i)
{
    static const char *const words[] = {"from",   "join",  "into",
                                        "update", "using", "only"};

    for (size_t k = 0; i > 0 && k < LL_LENGTH(words); k++)
        if (is_word(l, i - 1, words[k])) return true;
    return false;
}

static bool is_written(const struct look *l, size_t i)
{
    if (l->f->kind != SQL_FILE_APPLY || i == 0) return false;
    return is_word(l, i - 1, "into") || is_word(l, i - 1, "update") ||
           (i > 1 && is_word(l, i - 1, "from") && is_word(l, i - 2, "delete"));
}

static bool binds(const struct sql_statement *s, const char *parameter)
{
    for (size_t i = 0; i < s->parameter_count; i++)
        if (strcmp(s->parameters[i], parameter) == 0) return true;
    return false;
}

static ll_rc refuse(const struct look *l, size_t i, const char *why)
{
    return ll_fail(l->err, LL_EINVAL, "%s:%u: \"outgoing\" %s", l->f->path,
                   l->s->tokens[i].line, why);
}

/* What the mover's order rests on is the event's, nothing else. */
static ll_rc check_insert(const struct look *l, size_t i)
{
    static const char *const origin[] = {"event.topic", "event.partition",
                                         "event.sequence"};

    for (size_t k = 0; k < LL_LENGTH(origin); k++)
        if (!binds(l->s, origin[k]))
            return refuse(l, i,
                          "needs :event.topic, :event.partition and :event.sequence as "
                          "its input_topic, input_partition and input_sequence");
    return LL_OK;
}

/* What comes back tells whether the row was there: behind the same parentheses. */
static bool returns(const struct look *l, size_t i)
{
    size_t depth = 0;

    for (; i < l->s->token_count; i++) {
        if (sql_token_is_symbol(&l->s->tokens[i], '(')) depth++;
        if (sql_token_is_symbol(&l->s->tokens[i], ')') && depth-- == 0) return false;
        if (depth == 0 && is_word(l, i, "returning")) return true;
    }
    return false;
}

static ll_rc check_mention(const struct look *l, size_t i)
{
    if (!l->is_reactor)
        return is_behind(l, i) ? refuse(l, i, "is a reactor's table (consumers/)")
                               : LL_OK;
    if (l->f->kind == SQL_FILE_SCHEMA && !is_behind(l, i)) return LL_OK; /* a column */
    if (!is_written(l, i))
        return refuse(l, i,
                      "is only inserted into, updated or deleted from: what is in it "
                      "depends on the moment");
    if (returns(l, i))
        return refuse(l, i, "returns nothing: what is in it depends on the moment");
    return is_word(l, i - 1, "into") ? check_insert(l, i) : LL_OK;
}

ll_rc outgoing_lint(const struct sql_file *f, bool is_reactor, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < f->section_count; i++)
        for (size_t k = 0; k < f->sections[i].statement_count; k++) {
            struct look l = {f, &f->sections[i].statements[k], is_reactor, err};

            for (size_t n = 0; n < l.s->token_count && rc == LL_OK; n++)
                if (is_outgoing(&l, n) && !is_dotted(&l, n)) rc = check_mention(&l, n);
        }
    return rc;
}
