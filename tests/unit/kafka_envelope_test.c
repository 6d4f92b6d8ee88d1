/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
#include "core/log/kafka_envelope.h"
#include "t.h"

#include <stdlib.h>
#include <string.h>

static const struct text two_tags[] = {TEXT("pair:0xa:0xb"), TEXT("100 % odd\n")};

static struct record example(void)
{
    return (struct record){
        .sequence = 42,
        .time = 1767607200123,
        .id = uuid_v5(&uuid_landlog, TEXT("event")),
        .type = TEXT("social.friendship-requested"),
        .version = 1,
        .source = TEXT("/social"),
        .subject = TEXT("0xa:0xb"),
        .key = TEXT("0xa:0xb"),
        .tags = two_tags,
        .tag_count = 2,
        .correlation = uuid_v5(&uuid_landlog, TEXT("correlation")),
        .command = uuid_v5(&uuid_landlog, TEXT("command")),
        .body = uuid_hash(TEXT("body")),
        .command_index = 1,
        .command_size = 3,
        .data = TEXT("\x81\xa1\x61\x01"),
    };
}

static struct kafka_record record_of(const struct kafka_writer *w, const struct record *r)
{
    return (struct kafka_record){w->header, w->count, r->key, r->data, r->time};
}

static struct text header(const struct kafka_writer *w, const char *name)
{
    for (size_t i = 0; i < w->count; i++)
        if (text_is(w->header[i].name, name)) return w->header[i].value;
    return TEXT("(none)");
}

static bool same(const struct record *a, const struct record *b)
{
    if (a->tag_count != b->tag_count) return false;
    for (size_t i = 0; i < a->tag_count; i++)
        if (!text_equal(a->tags[i], b->tags[i])) return false;
    return a->sequence == b->sequence && a->time == b->time && a->version == b->version &&
           uuid_equal(&a->id, &b->id) && uuid_equal(&a->causation, &b->causation) &&
           uuid_equal(&a->correlation, &b->correlation) &&
           uuid_equal(&a->command, &b->command) && uuid_equal(&a->body, &b->body) &&
           text_equal(a->type, b->type) && text_equal(a->source, b->source) &&
           text_equal(a->subject, b->subject) && text_equal(a->key, b->key) &&
           text_equal(a->traceparent, b->traceparent) && text_equal(a->data, b->data) &&
           a->command_index == b->command_index && a->command_size == b->command_size;
}

static bool round_trips(struct kafka_writer *w, const struct record *r)
{
    struct kafka_envelope e;
    struct kafka_record k;
    bool ok;

    kafka_write_event(w, r, 7);
    k = record_of(w, r);
    if (kafka_envelope_parse(&k, &e, NULL) != LL_OK) return false;
    ok = e.kind == KAFKA_EVENT && e.epoch == 7 && same(&e.record, r);
    kafka_envelope_fini(&e);
    return ok;
}

static void an_event_comes_back(void)
{
    struct record r = example();
    struct kafka_writer w;

    kafka_writer_init(&w);
    OK(round_trips(&w, &r));
    r.tag_count = 0;
    r.subject = TEXT("");
    r.correlation = (struct uuid){0};
    r.causation = r.id;
    r.traceparent = TEXT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    r.key = TEXT("");
    r.data = TEXT("");
    OK(round_trips(&w, &r));
    r.tags = &(struct text){0};
    r.tag_count = 1;
    r.sequence = INT64_MAX;
    r.time = -1;
    OK(round_trips(&w, &r));
    kafka_writer_fini(&w);
}

static void headers_are_those_of_cloudevents(void)
{
    struct record r = example();
    struct kafka_writer w;

    kafka_writer_init(&w);
    kafka_write_event(&w, &r, 7);
    OK(text_is(header(&w, "ce_specversion"), "1.0"));
    OK(text_is(header(&w, "ce_type"), "social.friendship-requested"));
    OK(text_is(header(&w, "ce_sequence"), "42"));
    OK(text_is(header(&w, "ce_time"), "2026-01-05T10:00:00.123Z"));
    OK(text_is(header(&w, "content-type"), "application/msgpack"));
    OK(text_is(header(&w, "ce_tags"), "pair:0xa:0xb 100%20%25%20odd%0A"));
    OK(text_is(header(&w, "ce_landlogepoch"), "7"));
    OK(text_is(header(&w, "ce_causation"), "(none)"));
    kafka_writer_fini(&w);
}

static void a_fence_comes_back(void)
{
    struct uuid relay = uuid_v5(&uuid_landlog, TEXT("relay"));
    struct uuid lineage = uuid_v5(&uuid_landlog, TEXT("lineage"));
    struct kafka_envelope e;
    struct kafka_record k = {.timestamp = 5};
    struct kafka_writer w;

    kafka_writer_init(&w);
    kafka_write_fence(&w, &relay, &lineage, 5, 9);
    k.headers = w.header;
    k.count = w.count;
    OK(kafka_envelope_parse(&k, &e, NULL) == LL_OK && e.kind == KAFKA_FENCE);
    OK(e.epoch == 9 && uuid_equal(&e.relay, &relay) && uuid_equal(&e.lineage, &lineage));
    k.value = TEXT("x");
    OK(kafka_envelope_parse(&k, &e, NULL) == LL_EBROKEN);
    kafka_writer_fini(&w);
}

static void without_our_epoch_it_is_foreign(void)
{
    const struct kafka_header other[] = {{TEXT("ce_id"), TEXT("1")},
                                         {TEXT("ce_sequence"), TEXT("5")}};
    const struct kafka_record records[] = {{.key = TEXT("\xff")},
                                           {.headers = other, .count = 2}};
    struct kafka_envelope e;

    for (size_t i = 0; i < LL_LENGTH(records); i++) {
        OK(kafka_envelope_parse(&records[i], &e, NULL) == LL_OK);
        OK(e.kind == KAFKA_FOREIGN);
    }
}

/* Each header of an example spoilt in turn: nothing is guessed. */
static void a_damaged_header_is_named(void)
{
    static const struct kafka_header bad[] = {
        {TEXT("ce_specversion"), TEXT("0.3")},
        {TEXT("ce_id"), TEXT("6BA7B810-9DAD-11D1-80B4-00C04FD430C8")},
        {TEXT("ce_type"), TEXT("\xff")},
        {TEXT("ce_source"), TEXT("a\0b")},
        {TEXT("ce_subject"), TEXT("")},
        {TEXT("ce_time"), TEXT("2026-01-05T10:00:00.124Z")},
        {TEXT("ce_sequence"), TEXT("0")},
        {TEXT("ce_sequence"), TEXT("042")},
        {TEXT("ce_sequence"), TEXT("9223372036854775808")},
        {TEXT("content-type"), TEXT("application/json")},
        {TEXT("ce_landlogepoch"), TEXT("0")},
        {TEXT("ce_landlogepoch"), TEXT("x")},
        {TEXT("ce_schemaversion"), TEXT("-1")},
        {TEXT("ce_tags"), TEXT("a%2")},
        {TEXT("ce_tags"), TEXT("a%41")},
        {TEXT("ce_tags"), TEXT("a%2f")},
        {TEXT("ce_tags"), TEXT("a\tb")},
        {TEXT("ce_tags"), TEXT("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17")},
        {TEXT("ce_correlation"), TEXT("00000000-0000-0000-0000-000000000000")},
        {TEXT("ce_commandkey"), TEXT("")},
        {TEXT("ce_bodyhash"), TEXT("g")},
        {TEXT("ce_commandindex"), TEXT("3")},
        {TEXT("ce_commandsize"), TEXT("65")},
    };
    struct record r = example();
    struct kafka_writer w;

    kafka_writer_init(&w);
    for (size_t i = 0; i < LL_LENGTH(bad); i++) {
        struct ll_error err = {0};
        struct kafka_envelope e;
        struct kafka_record k;
        bool is_spoilt = false;

        kafka_write_event(&w, &r, 7);
        for (size_t h = 0; h < w.count; h++) {
            if (!text_equal(w.header[h].name, bad[i].name)) continue;
            w.header[h].value = bad[i].value;
            is_spoilt = true;
        }
        k = record_of(&w, &r);
        OK(is_spoilt && kafka_envelope_parse(&k, &e, &err) == LL_EBROKEN);
        OK(strstr(err.text, bad[i].name.ptr) != NULL);
    }
    kafka_writer_fini(&w);
}

static void headers_are_there_once(void)
{
    struct record r = example();
    struct kafka_writer w;

    kafka_writer_init(&w);
    kafka_write_event(&w, &r, 7);
    for (size_t i = 0; i < w.count; i++) {
        struct kafka_header h[KAFKA_OURS + 1];
        struct kafka_envelope e;
        struct kafka_record k = record_of(&w, &r);
        bool is_epoch = text_is(w.header[i].name, "ce_landlogepoch");
        bool may_go = text_is(w.header[i].name, "ce_subject") ||
                      text_is(w.header[i].name, "ce_tags") ||
                      text_is(w.header[i].name, "ce_correlation");

        k.headers = h;
        memcpy(h, w.header, w.count * sizeof(*h));
        h[w.count] = w.header[i];
        k.count = w.count + 1;
        OK(kafka_envelope_parse(&k, &e, NULL) == LL_EBROKEN);

        h[i] = (struct kafka_header){TEXT("traceid"), TEXT("an unknown one is ignored")};
        k.count = w.count;
        if (is_epoch || may_go) {
            OK(kafka_envelope_parse(&k, &e, NULL) == LL_OK);
            OK(e.kind == (is_epoch ? KAFKA_FOREIGN : KAFKA_EVENT));
            kafka_envelope_fini(&e);
        } else {
            OK(kafka_envelope_parse(&k, &e, NULL) == LL_EBROKEN);
        }
    }
    kafka_writer_fini(&w);
}

int main(void)
{
    RUN(an_event_comes_back);
    RUN(headers_are_those_of_cloudevents);
    RUN(a_fence_comes_back);
    RUN(without_our_epoch_it_is_foreign);
    RUN(a_damaged_header_is_named);
    RUN(headers_are_there_once);
    return t_done();
}
