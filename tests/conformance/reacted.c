/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* reacted.c - see reacted.h. */
#include "reacted.h"

#include "folded.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/pg/connect.h"
#include "core/react/fact.h"
#include "core/react/mover.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REACTOR "levels"

#define HEAD(title, key) \
    "{\"$schema\": \"http://json-schema.org/draft-07/schema#\"," \
    " \"title\": \"" title "\", \"description\": \"Something of a test.\"," \
    " \"x-description\": \"Emitted by tests.\", \"x-topic\": \"things\"," \
    " \"x-key\": \"{key}\", \"x-subject\": \"{key}\", \"x-tags\": []," \
    " \"type\": \"object\", \"additionalProperties\": false,"
#define KEY "\"key\": {\"type\": \"string\", \"pattern\": \"^[a-z0-9]+$\"}"

static const char counted_schema[] =
    HEAD("test.counted",
         "{key}") "\"required\": [\"key\", \"n\"], \"properties\": {" KEY
                  ", \"n\": {\"type\": \"integer\"}, \"rings\": {\"type\": \"integer\"},"
                  " \"bell\": {\"type\": \"integer\"}},"
                  " \"examples\": [{\"key\": \"k1\", \"n\": 3}]}";
static const char noted_schema[] =
    HEAD("test.noted", "{key}") "\"required\": [\"key\", \"n\"], \"properties\": {" KEY
                                ", \"n\": {\"type\": \"integer\", \"maximum\": 1000000}},"
                                " \"examples\": [{\"key\": \"k1\", \"n\": 3}]}";
static const char reached_schema[] = HEAD(
    "test.reached", "{key}") "\"required\": [\"key\", \"level\"], \"properties\": {" KEY
                             ", \"level\": {\"type\": \"integer\"}},"
                             " \"examples\": [{\"key\": \"k1\", \"level\": 3}]}";
static const char rang_schema[] = HEAD(
    "test.rang",
    "{key}") "\"required\": [\"key\", \"bell\", \"due\"],"
             " \"properties\": {" KEY
             ", \"bell\": {\"type\": \"integer\"}, \"due\": {\"type\": \"integer\"}},"
             " \"examples\": [{\"key\": \"k1\", \"bell\": 3, \"due\": 17}]}";

static const char topics_json[] =
    "{\"things\": {\"service\": \"test\", \"partitions\": 8, \"keyed-by\": \"nothing\"},"
    " \"others\": {\"service\": \"other\", \"partitions\": 1, \"keyed-by\": "
    "\"nothing\"}}";

#define FILE_ROW(path, text) \
    { \
        (path), (text), (text) + sizeof(text) - 1 \
    }

static const struct embedded_file files[] = {
    FILE_ROW("schemas/test/test.counted.v1.json", counted_schema),
    FILE_ROW("schemas/test/test.noted.v1.json", noted_schema),
    FILE_ROW("schemas/test/test.rang.v1.json", rang_schema),
    FILE_ROW("schemas/test/test.reached.v1.json", reached_schema),
    FILE_ROW("schemas/topics.json", topics_json),
    {0},
};

static const char schema_sql[] =
    "create table tally (key text primary key, events bigint not null);\n"
    "create table said (subject text primary key, times bigint not null);\n"
    "create table rung (bell bigint primary key, times bigint not null);\n";

#define OUTGOING \
    "insert into outgoing (subject, type, data, due, input_topic, input_partition," \
    " input_sequence, input_id, place)\n"
#define ORIGIN ":event.topic, :event.partition, :event.sequence, :event.id"

/* Even ones are called off, and far enough away that this always comes first. */
#define BELL_DUE "(:event.time + case when :bell % 2 = 0 then 3600000 else 400 end)"

static const char apply_sql[] =
    "-- on test.counted\n"
    "insert into tally (key, events) values (:key, 1)\n"
    "on conflict (key) do update set events = tally.events + 1;\n" OUTGOING
    "values (:event.id::text, 'test.noted', jsonb_build_object('key', :key::text, 'n', "
    ":n), "
    "0,\n"
    " " ORIGIN ", 1) on conflict (subject) do nothing;\n" OUTGOING
    "select key || '-' || events / 3, 'test.reached',\n"
    " jsonb_build_object('key', key, 'level', events / 3), 0, " ORIGIN ", 2\n"
    " from tally where key = :key and events % 3 = 0\n"
    "on conflict (subject) do nothing;\n" OUTGOING
    "select 'bell-' || :bell, 'test.rang', jsonb_build_object('key', :key::text, 'bell', "
    ":bell,\n"
    " 'due', " BELL_DUE "), " BELL_DUE ", " ORIGIN ", 3 where :rings = 1\n"
    "on conflict (subject) do nothing;\n"
    "delete from outgoing where subject = 'bell-' || :bell and :rings = 2;\n"
    "-- on test.reached\n"
    "insert into said (subject, times) values (:key || '-' || :level, 1)\n"
    "on conflict (subject) do update set times = said.times + 1;\n"
    "-- on test.noted\n"
    "insert into said (subject, times) values (:event.id::text, 1)\n"
    "on conflict (subject) do update set times = said.times + 1;\n"
    "-- on test.rang\n"
    "insert into rung (bell, times) values (:bell, 1)\n"
    "on conflict (bell) do update set times = rung.times + 1;\n";

static const char queries_sql[] =
    "-- query said(subject text)\n"
    "select 200 as status, times::text as body from said where subject = :subject;\n";

_Static_assert(RANG_MS == 400, "apply.sql says so too");

static void must(ll_rc rc, const struct ll_error *err)
{
    if (rc != LL_OK) suite_die("%s", err->text);
}

void reacted_sleep(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

struct projection *reacted_reactor(struct reacted *r, const char *more)
{
    struct builder apply;
    struct projection_files texts = {.schema = text_of(schema_sql),
                                     .queries = text_of(queries_sql),
                                     .is_reactor = true};
    struct projection *p;
    struct ll_error err;

    LL_CHECK(r->text_count < LL_LENGTH(r->texts));
    builder_init(&apply, 64 * 1024);
    builder_string(&apply, apply_sql);
    builder_string(&apply, more);
    r->texts[r->text_count] = builder_take(&apply);
    texts.apply = text_of(r->texts[r->text_count++]);
    must(projection_make(REACTOR, &texts, r->registry, &p, &err), &err);
    return p;
}

void reacted_open(struct reacted *r, const struct suite *s)
{
    struct ll_error err;

    *r = (struct reacted){0};
    testlog_open(&r->log, s);
    must(registry_load_files(files, &r->registry, &err), &err);
    r->reactor = reacted_reactor(r, "");
    r->connection = testlog_connect(&r->log);
    must(generation_install(r->connection, &err), &err);
}

void reacted_close(struct reacted *r)
{
    PQfinish(r->connection);
    projection_free(r->reactor);
    registry_free(r->registry);
    for (size_t i = 0; i < r->text_count; i++) free(r->texts[i]);
    testlog_close(&r->log);
}

/* ---- appending ---- */

static void append_data(struct reacted *r, json_t **data, size_t n)
{
    testlog_append_data(r->connection, r->registry, TEXT("test.counted"), data, n);
    r->appended += n;
}

void reacted_append(struct reacted *r, size_t n, int only)
{
    json_t **data = ll_calloc(n, sizeof(json_t *));

    for (size_t i = 0; i < n; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%d", only >= 0 ? only : rand() % REACTED_KEYS);
        data[i] = json_pack("{s:s, s:i}", "key", key, "n", rand() % 1000);
    }
    append_data(r, data, n);
    free(data);
}

static void append_bell(struct reacted *r, uint64_t bell, int rings)
{
    char key[32];
    json_t *data;

    snprintf(key, sizeof(key), "bell%" PRIu64, bell % 7);
    data = json_pack("{s:s, s:i, s:i, s:I}", "key", key, "n", 1, "rings", rings, "bell",
                     (json_int_t)bell);
    append_data(r, &data, 1);
}

uint64_t reacted_set_bell(struct reacted *r)
{
    append_bell(r, ++r->bells, 1);
    return r->bells;
}

void reacted_call_off(struct reacted *r, uint64_t bell)
{
    append_bell(r, bell, 2);
}

void reacted_append_poison(struct reacted *r)
{
    json_t *data = json_pack("{s:s, s:i}", "key", "k1", "n", 1000001);

    append_data(r, &data, 1);
}

/* ---- looking ---- */

bool reacted_live(struct reacted *r, struct generation *out)
{
    struct ll_error err;
    PGresult *row;
    bool found;

    must(pg_query(r->connection,
                  "select schema, number from landlog.generation"
                  " where state = 'live' order by number desc limit 1",
                  NULL, 0, &row, &err),
         &err);
    found = PQntuples(row) == 1;
    if (found) {
        *out = (struct generation){
            .number = (uint32_t)strtoul(PQgetvalue(row, 0, 1), NULL, 10)};
        snprintf(out->schema, sizeof(out->schema), "%s", PQgetvalue(row, 0, 0));
    }
    PQclear(row);
    return found;
}

char *reacted_ask(struct reacted *r, const char *sql)
{
    struct generation g = {0};
    struct builder b;
    struct ll_error err;
    PGresult *row;
    char *value;

    reacted_live(r, &g);
    builder_init(&b, 16 * 1024);
    for (const char *at; (at = strstr(sql, "%s")) != NULL; sql = at + 2) {
        builder_add(&b, sql, (size_t)(at - sql));
        builder_string(&b, g.schema);
    }
    builder_string(&b, sql);
    must(pg_query(r->connection, builder_view(&b).ptr, NULL, 0, &row, &err), &err);
    if (PQntuples(row) != 1) suite_die("%d rows: %s", PQntuples(row), b.ptr);
    value = ll_strdup(PQgetvalue(row, 0, 0));
    PQclear(row);
    builder_fini(&b);
    return value;
}

uint64_t reacted_number(struct reacted *r, const char *sql)
{
    char *text = reacted_ask(r, sql);
    uint64_t n = strtoull(text, NULL, 10);

    free(text);
    return n;
}

/* Facts that must follow and are not there, or are there and do not follow. */
static const char wrong_notes[] =
    "select count(*) from (select id from landlog.event where type = 'test.counted') c"
    " full join (select causation from landlog.event where type = 'test.noted') n"
    "   on n.causation = c.id where n.causation is null or c.id is null";
static const char wrong_levels[] =
    "select count(*) from (select key, count(*) / 3 as n from landlog.event"
    "   where type = 'test.counted' group by key having count(*) > 2) c"
    " full join (select key, count(*) as n from landlog.event"
    "   where type = 'test.reached' group by key) r using (key)"
    " where c.n is distinct from r.n";
static const char not_folded[] =
    "select (select count(*) from landlog.event)"
    " - (select coalesce(sum(sequence), 0) from %s.checkpoint)";
static const char to_go[] = "select count(*) from %s.outgoing";

/* All that follows is said; and what is said is folded, whatever came between two looks.
 */
static bool is_done(void *context)
{
    struct reacted *r = context;
    struct generation g;

    if (!reacted_live(r, &g) || reacted_number(r, wrong_notes) > 0 ||
        reacted_number(r, wrong_levels) > 0)
        return false;
    for (int i = 0; i < 2; i++)
        if (reacted_number(r, to_go) > 0 || reacted_number(r, not_folded) > 0)
            return false;
    return true;
}

bool reacted_wait(struct reacted *r, double seconds)
{
    return wait_until(seconds, is_done, r);
}

static bool expect(struct reacted *r, const char *what, const char *sql,
                   uint64_t expected)
{
    uint64_t is = reacted_number(r, sql);

    if (is != expected)
        printf("  %s: %" PRIu64 ", not %" PRIu64 "\n", what, is, expected);
    return is == expected;
}

/* UUIDv5 of (reactor, subject), for each of them. */
static bool ids_follow(struct reacted *r)
{
    struct ll_error err;
    PGresult *rows;
    bool follow = true;

    must(pg_query(r->connection,
                  "select e.id, case e.type when 'test.noted' then e.causation::text else"
                  "  e.key || '-' || row_number() over (partition by e.type, e.key"
                  "    order by e.sequence) end"
                  " from landlog.event e where e.type in ('test.noted', 'test.reached')",
                  NULL, 0, &rows, &err),
         &err);
    for (int i = 0; i < PQntuples(rows); i++) {
        struct uuid is, must_be = fact_id(REACTOR, text_of(PQgetvalue(rows, i, 1)));

        follow = follow && uuid_parse(text_of(PQgetvalue(rows, i, 0)), &is) &&
                 uuid_equal(&is, &must_be);
    }
    PQclear(rows);
    return follow;
}

bool reacted_is_right(struct reacted *r)
{
    bool right = expect(r, "counted",
                        "select count(*) from landlog.event where type = 'test.counted'",
                        r->appended);

    right &= expect(r, "facts that are there twice",
                    "select count(*) - count(distinct id) from landlog.event", 0);
    right &= expect(r, "notes that are wrong", wrong_notes, 0);
    right &= expect(r, "levels that are wrong", wrong_levels, 0);
    right &= expect(r, "bells that rang twice",
                    "select count(*) - count(distinct id) from landlog.event"
                    " where type = 'test.rang'",
                    0);
    right &=
        expect(r, "folded twice", "select count(*) from %s.said where times <> 1", 0);
    right &= expect(r, "folded and not said, or the other way round",
                    "select abs((select count(*) from %s.said) - (select count(*) from"
                    " landlog.event where type in ('test.noted', 'test.reached')))",
                    0);
    right &= expect(r, "counted wrongly",
                    "select count(*) from %s.tally t where t.events <> (select count(*)"
                    " from landlog.event e where e.type = 'test.counted'"
                    " and e.key = t.key)",
                    0);
    if (!ids_follow(r)) {
        printf("  an id does not follow from its subject\n");
        right = false;
    }
    return right;
}

/* ---- processes ---- */

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
    (void)number;
    is_stopping = 1;
}

static void set(struct settings *settings, const char *name, const char *value)
{
    struct ll_error err;

    must(settings_set(settings, text_of(name), text_of(value), "test", &err), &err);
}

/* The test's own settings, through another door to Postgres. */
static struct settings *child_settings(const struct reacted *r, const char *conninfo,
                                       size_t workers)
{
    struct settings *settings;
    struct ll_error err;
    char number[16];

    snprintf(number, sizeof(number), "%zu", workers);
    must(settings_load("/dev/null", &settings, &err), &err);
    set(settings, "postgres", conninfo ? conninfo : r->log.conninfo);
    set(settings, "project.workers", number);
    set(settings, "kafka.brokers",
        settings_string(r->log.settings, SETTING_KAFKA_BROKERS));
    snprintf(number, sizeof(number), "%" PRIu64,
             settings_number(r->log.settings, SETTING_KAFKA_LAG_LIMIT));
    set(settings, "kafka.lag-limit", number);
    set(settings, "kafka.topic-prefix",
        settings_string(r->log.settings, SETTING_KAFKA_TOPIC_PREFIX));
    return settings;
}

static int keep(const struct reacted *r, const struct projection *reactor,
                const char *conninfo, size_t workers)
{
    const struct sigaction action = {.sa_handler = on_signal};
    struct settings *settings = child_settings(r, conninfo, workers);
    const char *level = getenv("LANDLOG_TEST_NOTES");
    struct keeper *k;
    struct ll_error err;
    ll_rc rc = LL_OK;

    sigaction(SIGTERM, &action, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    note_setup("reacted", level != NULL ? NOTE_INFO : NOTE_ERROR);
    k = keeper_new(&(struct keeper_options){.kind = "react",
                                            .addition = &mover_addition,
                                            .settings = settings,
                                            .registry = r->registry,
                                            .projections = &reactor,
                                            .count = 1});
    while (!is_stopping && rc == LL_OK) rc = keeper_step(k, 50, &err);
    keeper_free(k);
    settings_free(settings);
    return rc == LL_OK ? 0 : 3;
}

pid_t reacted_start_as(struct reacted *r, const struct projection *reactor,
                       const char *conninfo, size_t workers)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0) suite_die("fork failed");
    if (pid > 0) return pid;
    _exit(keep(r, reactor, conninfo, workers));
}

pid_t reacted_start(struct reacted *r, const char *conninfo, size_t workers)
{
    return reacted_start_as(r, r->reactor, conninfo, workers);
}

int reacted_end(pid_t pid, int number)
{
    return folded_end(pid, number);
}
