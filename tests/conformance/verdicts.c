/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* verdicts.c - each verdict for its reason, one command after the other. */
#include "conformance.h"

static void what_goes_in_comes_out(struct suite *s)
{
    struct testlog log;
    const struct text tags[] = {TEXT("pair:a:b"), TEXT("odd \"\\{},' tag \xc3\xa9")};
    static const char data[] = "\x00\x81'\"\\\xff{},";
    struct record event, more[2];
    struct append_command command;
    struct append_answer answer;
    struct log_reader *reader;
    struct log_batch batch;
    struct ll_error err;
    PGconn *connection;

    testlog_open(&log, s);
    connection = testlog_connect(&log);
    event = thing(&log, 3, "");
    event.data = (struct text){data, sizeof(data) - 1};
    event.tags = tags;
    event.tag_count = 2;
    event.version = 7;
    event.subject = TEXT("it's a \\ \"subject\"");
    event.key = TEXT("NULL");
    event.causation = uuid_v7(1);
    event.correlation = uuid_v7(2);
    event.traceparent = TEXT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    more[0] = event;
    more[1] = thing(&log, 3, "second");
    command = command_of(more, 2);
    answer = append_one(connection, &command);
    OK(answer.verdict == APPEND_ACCEPTED && answer.partition == 3 &&
       answer.sequence == 2);
    OK(text_is(text_of(answer.topic), "things"));

    reader = testlog_reader(&log);
    OK(log_reader_next(reader, 10, 2000, &batch, &err) == LL_OK && batch.count == 2);
    if (batch.count == 2) {
        const struct record *r = &batch.records[0];

        OK(r->topic == log.topic && r->partition == 3 && r->sequence == 1);
        OK(r->time == answer.time && r->version == 7);
        OK(uuid_equal(&r->id, &event.id) && uuid_equal(&r->causation, &event.causation));
        OK(uuid_equal(&r->correlation, &event.correlation));
        OK(uuid_equal(&r->command, &command.key) && uuid_equal(&r->body, &command.body));
        OK(r->command_index == 0 && r->command_size == 2);
        OK(text_equal(r->type, event.type) && text_equal(r->source, event.source));
        OK(text_equal(r->subject, event.subject) && text_equal(r->key, event.key));
        OK(text_equal(r->traceparent, event.traceparent));
        OK(text_equal(r->data, event.data));
        OK(r->tag_count == 2 && text_equal(r->tags[0], tags[0]) &&
           text_equal(r->tags[1], tags[1]));
        r = &batch.records[1];
        OK(r->sequence == 2 && r->command_index == 1 && r->tag_count == 0);
        OK(uuid_is_nil(&r->causation) && r->traceparent.len == 0);
        OK(text_is(r->data, "second"));
    }
    log_reader_close(reader);
    PQfinish(connection);
    testlog_close(&log);
}

void verdict_tests(struct suite *s)
{
    RUN(what_goes_in_comes_out);
}
