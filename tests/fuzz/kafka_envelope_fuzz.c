/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_envelope_fuzz.c - whatever is accepted as an event is written again as it came:
 * one set of headers for one event.
 *
 * Input: timestamp (8 bytes), length of key, length of value, then headers, each a
 * length of its name and of its value (one byte each) and their bytes.
 */
#include "core/log/kafka_envelope.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct input {
    const uint8_t *at;
    size_t left;
};

static struct text take(struct input *in, size_t n)
{
    struct text t = {(const char *)in->at, n < in->left ? n : in->left};

    in->at += t.len;
    in->left -= t.len;
    return t;
}

static size_t take_length(struct input *in)
{
    struct text t = take(in, 1);

    return t.len == 1 ? (uint8_t)t.ptr[0] : 0;
}

static bool holds(const struct kafka_writer *w, struct kafka_header h)
{
    for (size_t i = 0; i < w->count; i++)
        if (text_equal(w->header[i].name, h.name))
            return text_equal(w->header[i].value, h.value);
    return true; /* an unknown header */
}

static void check(const struct kafka_record *k, const struct kafka_envelope *e)
{
    struct kafka_writer w;
    size_t found = 0;

    kafka_writer_init(&w);
    if (e->kind == KAFKA_EVENT)
        kafka_write_event(&w, &e->record, e->epoch);
    else
        kafka_write_fence(&w, &e->relay, &e->lineage, k->timestamp, e->epoch);
    for (size_t i = 0; i < k->count; i++) LL_CHECK(holds(&w, k->headers[i]));
    for (size_t i = 0; i < w.count; i++)
        for (size_t j = 0; j < k->count; j++)
            found += text_equal(w.header[i].name, k->headers[j].name);
    LL_CHECK(found == w.count);
    kafka_writer_fini(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct kafka_header headers[KAFKA_HEADERS];
    struct kafka_record k = {.headers = headers};
    struct kafka_envelope e;
    struct input in = {data, len};
    struct text time = take(&in, 8);
    size_t key = take_length(&in), value = take_length(&in);

    memcpy(&k.timestamp, time.ptr, time.len);
    k.key = take(&in, key);
    k.value = take(&in, value);
    while (in.left > 0 && k.count < KAFKA_HEADERS) {
        size_t n = take_length(&in), v = take_length(&in);

        headers[k.count].name = take(&in, n);
        headers[k.count++].value = take(&in, v);
    }
    if (kafka_envelope_parse(&k, &e, NULL) != LL_OK) return 0;
    if (e.kind != KAFKA_FOREIGN) check(&k, &e);
    kafka_envelope_fini(&e);
    return 0;
}
