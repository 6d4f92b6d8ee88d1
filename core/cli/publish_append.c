/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* publish_append.c - the chunk at hand onto the log: in bulk, or as one command. */
#include "core/cli/publish.h"

#include "core/log/referee.h"
#include "core/log/token.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 60, PAUSE_MS = 500 };

static void print_event(const struct publish *p, size_t i, const char *topic,
                        uint32_t partition, uint64_t sequence)
{
    char id[UUID_TEXT];

    uuid_print(&p->records[i].id, id);
    printf("line %" PRIu64 ": %s/%" PRIu32 "=%" PRIu64 " %s\n", p->lines[i], topic,
           partition, sequence, id);
}

/* The bulk path does not say where each went; the keys do. */
static void print_chunk(const struct publish *p)
{
    for (size_t i = 0; i < p->count; i++) {
        char id[UUID_TEXT];
        const char *values[] = {id};
        struct ll_error err;
        PGresult *rows;

        uuid_print(&p->records[i].command, id);
        if (pg_query(p->connection, referee_known_sql, values, 1, &rows, &err) != LL_OK)
            die("%s", err.text);
        if (PQntuples(rows) == 1)
            print_event(p, i, PQgetvalue(rows, 0, 1),
                        (uint32_t)strtoul(PQgetvalue(rows, 0, 2), NULL, 10),
                        strtoull(PQgetvalue(rows, 0, 3), NULL, 10));
        PQclear(rows);
    }
}

void publish_connect(struct publish *p)
{
    struct ll_error err;

    PQfinish(p->connection);
    p->connection = NULL;
    if (pg_connect(settings_string(p->line->settings, SETTING_POSTGRES),
                   "landlog publish", &p->connection, &err) != LL_OK)
        fprintf(stderr, "landlog publish: %s\n", err.text);
}

/* A lost answer is settled by sending the same again, its keys make that harmless. True
 * when it is to be sent again. */
static bool settle(struct publish *p, const struct ll_error *err, int tries)
{
    static const struct timespec pause = {0, PAUSE_MS * 1000 * 1000};
    size_t ended;

    if (tries == 0) die("%s; whether it was appended is not known", err->text);
    if (err->rc == LL_ETIMEOUT) {
        if (referee_unblock(p->connection, &ended, NULL) != LL_OK) publish_connect(p);
        return true;
    }
    if (err->rc != LL_EUNKNOWN) return false;
    fprintf(stderr, "landlog publish: %s; sending it again\n", err->text);
    nanosleep(&pause, NULL);
    publish_connect(p);
    return true;
}

void publish_append_chunk(struct publish *p)
{
    struct ll_error err = {0};
    size_t known = 0;
    ll_rc rc;

    if (p->count == 0 || p->is_dry) {
        p->published += p->count;
        return;
    }
    for (int tries = TRIES;; tries--) {
        rc = p->connection == NULL
                 ? ll_fail(&err, LL_EUNKNOWN, "not connected")
                 : referee_append_bulk(p->connection, p->topic->service, p->records,
                                       p->count, &known, &err);
        if (rc == LL_OK) break;
        if (!settle(p, &err, tries))
            die("lines %" PRIu64 " to %" PRIu64 ": %s; nothing of them was appended",
                p->first_line, p->line_number, err.text);
    }
    p->published += p->count - known;
    p->known += known;
    wake_send(p->wake, WAKE_APPENDED);
    if (p->is_verbose) print_chunk(p);
}

/* ---- one command, on a condition ---- */

struct guarded {
    struct position as_of;
    const struct text *guards;
    struct append_command command;
    struct append_answer answer;
};

/* A position, or the token of a Landlog-Position header, which must be of this log. */
static struct position read_position(struct publish *p, const char *text)
{
    struct token token;
    struct position position;
    struct uuid incarnation;
    struct ll_error err;

    if (strchr(text, ':') == NULL) {
        if (position_parse(&position, text, strlen(text)) != LL_OK)
            die_usage("--expect-position \"%s\" is no position", text);
        return position;
    }
    if (token_parse(&token, text_of(text)) != LL_OK)
        die_usage("--expect-position \"%s\" is no position", text);
    if (referee_incarnation(p->connection, &incarnation, &err) != LL_OK)
        die("%s", err.text);
    if (!uuid_equal(&incarnation, &token.incarnation)) {
        fprintf(stderr, "landlog publish: the position is of another log\n");
        exit(PUBLISH_CONFLICT);
    }
    return token.position;
}

/* All tags of all events, each once. */
static void collect_guards(struct publish *p, struct guarded *g)
{
    struct text *guards = arena_calloc(&p->arena, COMMAND_GUARDS, sizeof(*guards));
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->records[i].tag_count; k++) {
            struct text tag = p->records[i].tags[k];
            size_t at = 0;

            while (at < n && !text_equal(guards[at], tag)) at++;
            if (at < n) continue;
            if (n == COMMAND_GUARDS)
                die("the events have more than %d tags", COMMAND_GUARDS);
            guards[n++] = tag;
        }
    g->command.guards = guards;
    g->command.guard_count = n;
}

/* The same events are the same command. */
static void make_command(struct publish *p, struct guarded *g)
{
    struct builder ids, bodies;

    builder_init(&ids, COMMAND_EVENTS * sizeof(struct uuid));
    builder_init(&bodies, COMMAND_EVENTS * sizeof(struct uuid));
    for (size_t i = 0; i < p->count; i++) {
        if (p->records[i].partition != p->records[0].partition)
            die("lines %" PRIu64 " and %" PRIu64
                " are of different partitions: a command's events go to one",
                p->lines[0], p->lines[i]);
        builder_add(&ids, &p->records[i].id, sizeof(struct uuid));
        builder_add(&bodies, &p->records[i].body, sizeof(struct uuid));
    }
    g->command.key = p->count == 1 ? p->records[0].id : uuid_hash(builder_view(&ids));
    g->command.body =
        p->count == 1 ? p->records[0].body : uuid_hash(builder_view(&bodies));
    for (size_t i = 0; i < p->count; i++) {
        p->records[i].command = g->command.key;
        p->records[i].body = g->command.body;
        p->records[i].command_index = (uint32_t)i;
        p->records[i].command_size = (uint32_t)p->count;
    }
    g->command.as_of = &g->as_of;
    g->command.events = p->records;
    g->command.event_count = p->count;
    builder_fini(&ids);
    builder_fini(&bodies);
}

static int report_verdict(struct publish *p, const struct guarded *g)
{
    const struct append_answer *a = &g->answer;

    switch (a->verdict) {
    case APPEND_ACCEPTED:
    case APPEND_DUPLICATE:
        *(a->verdict == APPEND_ACCEPTED ? &p->published : &p->known) += p->count;
        for (size_t i = 0; p->is_verbose && i < p->count; i++)
            print_event(p, i, a->topic, a->partition, a->sequence - (p->count - 1 - i));
        return 0;
    case APPEND_CONFLICT:
        fprintf(
            stderr,
            "landlog publish: nothing was appended: tag \"%.*s\" has event %s/%" PRIu32
            "=%" PRIu64 ", beyond the expected position\n",
            TEXT_ARGS(g->command.guards[a->guard]), a->topic, a->partition, a->sequence);
        return PUBLISH_CONFLICT;
    case APPEND_REUSED:
        die("nothing was appended: an event of this id is there with other data");
    case APPEND_CLOSED:
        die("nothing was appended: the log's gate is closed (this database is not the "
            "one "
            "that was last reconciled)");
    case APPEND_RETRY:
    case APPEND_INVALID: break;
    }
    die("nothing was appended: the referee found the command malformed");
}

int publish_append_guarded(struct publish *p, const char *position)
{
    struct guarded g = {0};
    struct ll_error err = {0};

    g.as_of = read_position(p, position);
    if (p->count == 0) return 0;
    collect_guards(p, &g);
    make_command(p, &g);
    for (int tries = TRIES;; tries--) {
        ll_rc rc = p->connection == NULL
                       ? ll_fail(&err, LL_EUNKNOWN, "not connected")
                       : referee_append(p->connection, p->topic->service, &g.command, 1,
                                        &g.answer, &err);
        if (rc == LL_OK) break;
        if (!settle(p, &err, tries)) die("%s; nothing was appended", err.text);
    }
    wake_send(p->wake, WAKE_APPENDED);
    return report_verdict(p, &g);
}
