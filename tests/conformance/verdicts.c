/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* verdicts.c - each verdict for its reason, one command after the other; bulk append. */
#include "conformance.h"

#include "core/pg/connect.h"

#include <stdlib.h>
#include <string.h>

/* Three commands at most are enough for each verdict. */
struct scene {
    struct testlog log;
    PGconn *connection;
    struct text tags[2];
    struct record events[3];
    struct position seen;
};

static void scene_open(struct scene *c, const struct suite *s)
{
    testlog_open(&c->log, s);
    c->connection = testlog_connect(&c->log);
    c->tags[0] = TEXT("pair:a:b");
    c->tags[1] = TEXT("pair:c:d");
    position_init(&c->seen);
    for (size_t i = 0; i < LL_LENGTH(c->events); i++)
        c->events[i] = thing(&c->log, 3, "data");
}

static void scene_close(struct scene *c)
{
    PQfinish(c->connection);
    testlog_close(&c->log);
}

/* A command of one event that writes and guards a tag, decided on what `seen` says. */
static struct append_command guarded(struct scene *c, size_t event, size_t tag)
{
    struct append_command command = command_of(&c->events[event], 1);

    c->events[event].tags = &c->tags[tag];
    c->events[event].tag_count = 1;
    command.as_of = &c->seen;
    command.guards = &c->tags[tag];
    command.guard_count = 1;
    return command;
}

/* ---- what is kept ---- */

static void check_first(struct suite *s, const struct scene *c, const struct record *r,
                        const struct record *sent, const struct append_command *command)
{
    OK(r->topic == c->log.topic && r->partition == 3 && r->sequence == 1);
    OK(r->version == sent->version && uuid_equal(&r->id, &sent->id));
    OK(uuid_equal(&r->causation, &sent->causation));
    OK(uuid_equal(&r->correlation, &sent->correlation));
    OK(uuid_equal(&r->command, &command->key) && uuid_equal(&r->body, &command->body));
    OK(r->command_index == 0 && r->command_size == 2);
    OK(text_equal(r->type, sent->type) && text_equal(r->source, sent->source));
    OK(text_equal(r->subject, sent->subject) && text_equal(r->key, sent->key));
    OK(text_equal(r->traceparent, sent->traceparent));
    OK(text_equal(r->data, sent->data));
    OK(r->tag_count == 2 && text_equal(r->tags[0], sent->tags[0]) &&
       text_equal(r->tags[1], sent->tags[1]));
}

static void check_second(struct suite *s, const struct record *r)
{
    OK(r->sequence == 2 && r->command_index == 1 && r->tag_count == 0);
    OK(uuid_is_nil(&r->causation) && r->traceparent.len == 0);
    OK(text_is(r->data, "data"));
}

static void what_goes_in_comes_out(struct suite *s)
{
    static const char data[] = "\x00\x81'\"\\\xff{},";
    struct text tags[] = {TEXT("pair:a:b"), TEXT("odd \"\\{},' tag \xc3\xa9 NULL")};
    struct scene c;
    struct append_command command;
    struct append_answer answer;
    struct log_reader *reader;
    struct log_batch batch;
    struct ll_error err;

    scene_open(&c, s);
    c.events[0].data = (struct text){data, sizeof(data) - 1};
    c.events[0].tags = tags;
    c.events[0].tag_count = 2;
    c.events[0].version = 7;
    c.events[0].subject = TEXT("it's a \\ \"subject\"");
    c.events[0].key = TEXT("NULL");
    c.events[0].causation = uuid_v7(1);
    c.events[0].correlation = uuid_v7(2);
    c.events[0].traceparent =
        TEXT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    command = command_of(c.events, 2);
    answer = append_one(c.connection, &command);
    OK(answer.verdict == APPEND_ACCEPTED && answer.partition == 3 &&
       answer.sequence == 2);
    OK(text_is(text_of(answer.topic), "things"));
    OK(text_is(text_of(answer.store), c.log.kind->name));

    reader = testlog_reader(&c.log);
    OK(log_reader_next(reader, 10, 60000, &batch, &err) == LL_OK && batch.count == 2);
    if (batch.count == 2) {
        check_first(s, &c, &batch.records[0], &c.events[0], &command);
        check_second(s, &batch.records[1]);
        OK(batch.records[0].time == answer.time && batch.records[1].time == answer.time);
    }
    log_reader_close(reader);
    scene_close(&c);
}

/* ---- verdicts ---- */

static void a_key_is_one_command(struct suite *s)
{
    struct scene c;
    struct append_command command;
    struct append_answer first, again;

    scene_open(&c, s);
    command = guarded(&c, 0, 0);
    first = append_one(c.connection, &command);
    OK(first.verdict == APPEND_ACCEPTED && first.sequence == 1);
    /* Its own event is beyond what it was decided on: that is no conflict. */
    again = append_one(c.connection, &command);
    OK(again.verdict == APPEND_DUPLICATE && again.partition == first.partition &&
       again.sequence == first.sequence && again.time == first.time);
    command.body.bytes[0]++;
    again = append_one(c.connection, &command);
    OK(again.verdict == APPEND_REUSED && again.sequence == first.sequence);
    scene_close(&c);
}

static void what_came_since_is_a_conflict(struct suite *s)
{
    struct scene c;
    struct append_command command;
    struct append_answer answer;

    scene_open(&c, s);
    command = guarded(&c, 0, 0);
    OK(append_one(c.connection, &command).verdict == APPEND_ACCEPTED);
    c.events[1].partition = 5; /* a tag's events may be anywhere */
    command = guarded(&c, 1, 0);
    answer = append_one(c.connection, &command);
    OK(answer.verdict == APPEND_CONFLICT && answer.partition == 3 &&
       answer.sequence == 1 && answer.guard == 0);
    OK(text_is(text_of(answer.topic), "things"));
    OK(position_raise(&c.seen, "things", 3, 1) == LL_OK);
    answer = append_one(c.connection, &command); /* the refused key is free */
    OK(answer.verdict == APPEND_ACCEPTED && answer.partition == 5);
    /* Seen in one partition is not seen in the other. */
    command = guarded(&c, 2, 0);
    answer = append_one(c.connection, &command);
    OK(answer.verdict == APPEND_CONFLICT && answer.partition == 5);
    command.guards = c.tags;
    command.guard_count = 2;
    c.tags[0] = TEXT("never used");
    c.tags[1] = TEXT("pair:a:b");
    answer = append_one(c.connection, &command);
    OK(answer.verdict == APPEND_CONFLICT && answer.guard == 1);
    command.as_of = NULL;
    answer = append_one(c.connection, &command);
    OK(answer.verdict == APPEND_CONFLICT);
    scene_close(&c);
}

/* Sent as it is, without referee_append's sending again. */
static void decode_raw(struct suite *s, struct scene *c,
                       const struct append_command *commands, size_t n,
                       struct append_answer *answers)
{
    struct builder sql;
    struct ll_error err;
    PGresult *result;

    builder_init(&sql, REFEREE_SQL);
    referee_encode(TEST_SERVICE, commands, n, &sql);
    result = PQexec(c->connection, builder_view(&sql).ptr);
    if (!OK(referee_decode(result, commands, answers, n, &err) == LL_OK))
        printf("    %s\n", err.text);
    PQclear(result);
    builder_fini(&sql);
}

static void what_a_batch_is_in_the_way_of_waits(struct suite *s)
{
    struct scene c;
    struct append_command commands[3];
    struct append_answer answers[3];
    struct ll_error err;

    scene_open(&c, s);
    commands[0] = guarded(&c, 0, 0);
    commands[1] = guarded(&c, 1, 0); /* guards what the first writes */
    commands[2] = guarded(&c, 2, 1);
    commands[2].key = commands[0].key; /* has the key of the first */
    decode_raw(s, &c, commands, 3, answers);
    OK(answers[0].verdict == APPEND_ACCEPTED);
    OK(answers[1].verdict == APPEND_RETRY && answers[2].verdict == APPEND_RETRY);
    OK(referee_append(c.connection, TEST_SERVICE, commands, 3, answers, &err) == LL_OK);
    OK(answers[0].verdict == APPEND_DUPLICATE && answers[1].verdict == APPEND_CONFLICT &&
       answers[2].verdict == APPEND_DUPLICATE);

    /* An earlier command that is refused is in nobody's way. */
    commands[0] = guarded(&c, 0, 0);
    commands[1] = guarded(&c, 1, 1);
    commands[1].events = &c.events[0];
    commands[2] = guarded(&c, 2, 1);
    decode_raw(s, &c, commands, 3, answers);
    OK(answers[0].verdict == APPEND_CONFLICT && answers[1].verdict == APPEND_ACCEPTED &&
       answers[2].verdict == APPEND_ACCEPTED);
    scene_close(&c);
}

static void what_cannot_be_is_invalid(struct suite *s)
{
    struct scene c;
    struct topic none = {.name = "nothing", .service = TEST_SERVICE, .partitions = 1};
    struct topic larger;
    struct append_command commands[3];
    struct append_answer answers[3];
    struct ll_error err;

    scene_open(&c, s);
    larger = *c.log.topic;
    larger.partitions = 64;
    c.events[0].topic = &none;
    c.events[0].partition = 0;
    c.events[1].topic = &larger;
    c.events[1].partition = THINGS_PARTITIONS;
    for (size_t i = 0; i < 3; i++) commands[i] = command_of(&c.events[i], 1);
    decode_raw(s, &c, commands, 3, answers);
    OK(answers[0].verdict == APPEND_INVALID && answers[1].verdict == APPEND_INVALID);
    OK(answers[2].verdict == APPEND_ACCEPTED && answers[2].sequence == 1);
    commands[2].key.bytes[0]++; /* those before it do not move its place */
    decode_raw(s, &c, commands, 3, answers);
    OK(answers[2].verdict == APPEND_ACCEPTED && answers[2].sequence == 2);
    /* Another service's topic is not this referee's. */
    c.events[0].topic = topics_find(&c.log.topics, TEXT("others"));
    decode_raw(s, &c, commands, 1, answers);
    OK(answers[0].verdict == APPEND_INVALID);
    OK(referee_append(c.connection, "nobody", commands, 1, answers, &err) ==
       LL_EDATABASE);
    scene_close(&c);
}

/* ---- bulk ---- */

enum { BULK = 500 };

static void make_bulk(const struct scene *c, struct record *events)
{
    for (size_t i = 0; i < BULK; i++) {
        events[i] = thing(&c->log, (uint32_t)i % THINGS_PARTITIONS, "bulk");
        events[i].tags = c->tags;
        events[i].tag_count = i % 3;
    }
}

static void bulk_is_all_or_nothing_and_once(struct suite *s)
{
    struct record *events = ll_calloc(BULK, sizeof(*events));
    struct scene c;
    struct append_command command;
    struct log_reader *reader;
    struct ll_error err;
    size_t duplicates;
    uint64_t end;

    scene_open(&c, s);
    make_bulk(&c, events);
    reader = testlog_reader(&c.log);
    events[BULK - 1].topic = topics_find(&c.log.topics, TEXT("others"));
    events[BULK - 1].partition = 0;
    OK(referee_append_bulk(c.connection, TEST_SERVICE, events, BULK, &duplicates, &err) ==
       LL_EDATABASE);
    OK(log_reader_end(reader, 0, &end, &err) == LL_OK && end == 0);

    events[BULK - 1] = events[0]; /* twice in one call */
    OK(referee_append_bulk(c.connection, TEST_SERVICE, events, 100, &duplicates, &err) ==
           LL_OK &&
       duplicates == 0);
    OK(referee_append_bulk(c.connection, TEST_SERVICE, events, BULK, &duplicates, &err) ==
           LL_OK &&
       duplicates == 101);
    OK(referee_append_bulk(c.connection, TEST_SERVICE, events, BULK, &duplicates, &err) ==
           LL_OK &&
       duplicates == BULK);
    /* Its tags are guarded like any others. */
    command = guarded(&c, 0, 1);
    OK(append_one(c.connection, &command).verdict == APPEND_CONFLICT);
    log_reader_close(reader);
    scene_close(&c);
    free(events);
}

static void bulk_is_read_as_it_was(struct suite *s)
{
    struct record *events = ll_calloc(BULK, sizeof(*events));
    struct scene c;
    struct log_reader *reader;
    struct log_batch batch;
    struct ll_error err;
    size_t duplicates, read = 0;

    scene_open(&c, s);
    make_bulk(&c, events);
    OK(referee_append_bulk(c.connection, TEST_SERVICE, events, BULK, &duplicates, &err) ==
       LL_OK);
    reader = testlog_reader(&c.log);
    while (read < BULK) {
        if (!OK(log_reader_next(reader, 1000, 60000, &batch, &err) == LL_OK)) break;
        if (!OK(batch.count > 0)) break;
        for (size_t i = 0; i < batch.count; i++) {
            const struct record *r = &batch.records[i];
            const struct record *sent =
                &events[r->partition + THINGS_PARTITIONS * (r->sequence - 1)];

            OK(uuid_equal(&r->id, &sent->id) && uuid_equal(&r->command, &sent->id) &&
               text_equal(r->data, sent->data) && r->tag_count == sent->tag_count &&
               r->command_size == 1 && uuid_is_nil(&r->causation));
        }
        read += batch.count;
    }
    log_reader_close(reader);
    scene_close(&c);
    free(events);
}

void verdict_tests(struct suite *s)
{
    RUN(what_goes_in_comes_out);
    RUN(a_key_is_one_command);
    RUN(what_came_since_is_a_conflict);
    RUN(what_a_batch_is_in_the_way_of_waits);
    RUN(what_cannot_be_is_invalid);
    RUN(bulk_is_all_or_nothing_and_once);
    RUN(bulk_is_read_as_it_was);
}
