/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* event_print.c - see event_print.h. */
#include "core/cli/event_print.h"

#include "core/base/clock.h"
#include "core/event/codec.h"

#include <string.h>

static const char known[] = "tpoksSTdeviug%";

ll_rc event_format_check(const char *format, struct ll_error *err)
{
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '%' && *at != '\\') continue;
        at++;
        if (*at == '\0' || strchr(at[-1] == '%' ? known : "nt\\", *at) == NULL)
            return ll_fail(err, LL_EINVAL, "format: \"%c%.1s\" is not known", at[-1], at);
    }
    return LL_OK;
}

/* Data as JSON; false, with nothing added, when it does not decode. */
static bool add_data(const struct record *r, struct builder *out)
{
    json_t *data;

    if (codec_decode(r->data, &data, NULL) != LL_OK) return false;
    json_write(data, out);
    json_decref(data);
    return true;
}

static void add_uuid(const struct uuid *id, struct builder *out)
{
    char text[UUID_TEXT];

    uuid_print(id, text);
    builder_string(out, text);
}

static void add_date(int64_t ms, struct builder *out)
{
    char text[CLOCK_TEXT];

    clock_print(ms, text);
    builder_string(out, text);
}

static void member(const char *name, struct text value, struct builder *out)
{
    builder_printf(out, ",\"%s\":", name);
    builder_json_string(out, value);
}

static void optional_uuid(const char *name, const struct uuid *id, struct builder *out)
{
    if (uuid_is_nil(id)) return;
    builder_printf(out, ",\"%s\":\"", name);
    add_uuid(id, out);
    builder_char(out, '"');
}

static void add_tags(const struct record *r, struct builder *out)
{
    builder_string(out, ",\"tags\":[");
    for (size_t i = 0; i < r->tag_count; i++) {
        if (i > 0) builder_char(out, ',');
        builder_json_string(out, r->tags[i]);
    }
    builder_char(out, ']');
}

void event_print_json(const struct record *r, struct builder *out)
{
    builder_printf(
        out, "{\"topic\":\"%s\",\"partition\":%lu,\"sequence\":%llu,\"time\":\"",
        r->topic->name, (unsigned long)r->partition, (unsigned long long)r->sequence);
    add_date(r->time, out);
    builder_string(out, "\",\"id\":\"");
    add_uuid(&r->id, out);
    builder_char(out, '"');
    member("type", r->type, out);
    builder_printf(out, ",\"version\":%lu", (unsigned long)r->version);
    member("source", r->source, out);
    member("subject", r->subject, out);
    member("key", r->key, out);
    add_tags(r, out);
    optional_uuid("causation", &r->causation, out);
    optional_uuid("correlation", &r->correlation, out);
    if (r->traceparent.len > 0) member("traceparent", r->traceparent, out);
    builder_string(out, ",\"data\":");
    if (!add_data(r, out)) {
        builder_string(out, "null,\"undecodable\":\"");
        builder_hex(out, r->data.ptr, r->data.len);
        builder_char(out, '"');
    }
    builder_string(out, "}\n");
}

static void add_part(char part, const struct record *r, struct builder *out)
{
    switch (part) {
    case 't': builder_string(out, r->topic->name); break;
    case 'p': builder_u64(out, r->partition); break;
    case 'o': builder_u64(out, r->sequence); break;
    case 'k': builder_text(out, r->key); break;
    case 's':
        if (!add_data(r, out)) builder_string(out, "(undecodable)");
        break;
    case 'S': builder_u64(out, r->data.len); break;
    case 'T': builder_i64(out, r->time); break;
    case 'd': add_date(r->time, out); break;
    case 'e': builder_text(out, r->type); break;
    case 'v': builder_u64(out, r->version); break;
    case 'i': add_uuid(&r->id, out); break;
    case 'u': builder_text(out, r->subject); break;
    case 'g':
        for (size_t i = 0; i < r->tag_count; i++) {
            if (i > 0) builder_char(out, ',');
            builder_text(out, r->tags[i]);
        }
        break;
    default: builder_char(out, part); break;
    }
}

void event_print_format(const char *format, const struct record *r, struct builder *out)
{
    for (const char *at = format; *at != '\0'; at++) {
        if (*at == '%')
            add_part(*++at, r, out);
        else if (*at == '\\')
            builder_char(out, *++at == 'n' ? '\n' : *at == 't' ? '\t' : '\\');
        else
            builder_char(out, *at);
    }
}
