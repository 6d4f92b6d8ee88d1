/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* bind.c - by the kind of the value, then by what Postgres wants in its place. */
#include "core/projection/bind.h"

#include "core/base/note.h"

#include <endian.h>
#include <string.h>

enum { NESTED_MAX = 8 * RECORD_DATA }; /* JSON of a nested value */

void bind_int8(int64_t n, char out[8])
{
    uint64_t wire = htobe64((uint64_t)n);

    memcpy(out, &wire, 8);
}

void bind_int4(int32_t n, char out[4])
{
    uint32_t wire = htobe32((uint32_t)n);

    memcpy(out, &wire, 4);
}

static void put_binary(struct bound *b, size_t i, const char *value, size_t len)
{
    b->values[i] = value;
    b->lengths[i] = (int)len;
    b->formats[i] = 1;
}

/* libpq takes a text parameter's length from its NUL; NULL is null. */
static void put_text(struct bound *b, size_t i, const char *value)
{
    b->values[i] = value;
    b->formats[i] = 0;
}

static void put_int8(struct bound *b, size_t i, int64_t n)
{
    bind_int8(n, b->room[i]);
    put_binary(b, i, b->room[i], 8);
}

static void put_float8(struct bound *b, size_t i, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, 8);
    bits = htobe64(bits);
    memcpy(b->room[i], &bits, 8);
    put_binary(b, i, b->room[i], 8);
}

static void put_uuid(struct bound *b, size_t i, const struct uuid *u)
{
    memcpy(b->room[i], u->bytes, 16);
    put_binary(b, i, b->room[i], 16);
}

static bool is_text(Oid type)
{
    return type == TYPE_TEXT || type == TYPE_VARCHAR;
}

static ll_rc put_string(struct bound *b, size_t i, Oid type, struct text value,
                        struct arena *arena, struct ll_error *err)
{
    struct uuid id;

    if (memchr(value.len > 0 ? value.ptr : "", '\0', value.len) != NULL)
        return ll_fail(err, LL_EINVAL, "a string with a NUL character");
    if (is_text(type))
        put_binary(b, i, value.len > 0 ? value.ptr : "", value.len);
    else if (type == TYPE_UUID && uuid_parse(value, &id))
        put_uuid(b, i, &id);
    else
        put_text(b, i, arena_text(arena, value).ptr);
    return LL_OK;
}

static ll_rc put_nested(struct bound *b, size_t i, struct text nested,
                        struct arena *arena, struct ll_error *err)
{
    struct builder json;
    ll_rc rc;

    builder_init(&json, NESTED_MAX);
    rc = codec_nested_json(nested, &json, err);
    if (rc == LL_OK && json.full) rc = ll_fail(err, LL_EFULL, "a value that is too long");
    if (rc == LL_OK) put_text(b, i, arena_text(arena, builder_view(&json)).ptr);
    builder_fini(&json);
    return rc;
}

static ll_rc put_member(struct bound *b, size_t i, Oid type, const struct codec_value *v,
                        struct arena *arena, struct ll_error *err)
{
    switch (v->kind) {
    case CODEC_ABSENT:
    case CODEC_NULL: put_text(b, i, NULL); return LL_OK;
    case CODEC_BOOL:
        if (type == TYPE_BOOL) {
            b->room[i][0] = v->boolean;
            put_binary(b, i, b->room[i], 1);
        } else {
            put_text(b, i, v->boolean ? "true" : "false");
        }
        return LL_OK;
    case CODEC_INTEGER:
        if (type == TYPE_INT8)
            put_int8(b, i, v->integer);
        else if (type == TYPE_FLOAT8)
            put_float8(b, i, (double)v->integer);
        else
            put_text(b, i, arena_printf(arena, "%lld", (long long)v->integer));
        return LL_OK;
    case CODEC_REAL:
        if (type == TYPE_FLOAT8)
            put_float8(b, i, v->real);
        else
            put_text(b, i, arena_printf(arena, "%.17g", v->real));
        return LL_OK;
    case CODEC_STRING: return put_string(b, i, type, v->text, arena, err);
    case CODEC_NESTED: return put_nested(b, i, v->text, arena, err);
    }
    return LL_OK;
}

/* The blob's text into the event's arena; *out NULL where there is none to be had. The
 * deny-list hides from readers: what is folded must not depend on it. */
static ll_rc read_blob(struct bind_event_memory *m, struct text name, const char **out,
                       struct ll_error *err)
{
    struct builder bytes;
    ll_rc rc;

    builder_init(&bytes, BIND_BLOB_SIZE + 1);
    rc = blob_read_even_denied(m->blobs, name, BIND_BLOB_SIZE, &bytes, err);
    if (rc == LL_OK && text_is_utf8(builder_view(&bytes)))
        *out = arena_text(m->arena, builder_view(&bytes)).ptr;
    else
        *out = NULL;
    builder_fini(&bytes);
    if (rc == LL_ENOTFOUND)
        note(NOTE_WARNING, "an event names a blob that is not there",
             NOTE_T("blob", name));
    return rc == LL_ENOTFOUND || rc == LL_EFULL ? LL_OK : rc;
}

/* Several statements of an event read the same blob. */
static ll_rc put_blob(struct bound *b, size_t i, const struct codec_value *v,
                      struct bind_event_memory *m, struct ll_error *err)
{
    const char *text = NULL;
    ll_rc rc = LL_OK;
    size_t k = 0;

    if (v->kind != CODEC_STRING) {
        put_text(b, i, NULL);
        return LL_OK;
    }
    while (k < m->read_count && !text_equal(m->read[k].name, v->text)) k++;
    if (k < m->read_count) {
        text = m->read[k].text;
    } else {
        rc = read_blob(m, v->text, &text, err);
        if (rc == LL_OK && m->read_count < BIND_BLOBS) {
            m->read[m->read_count].name = v->text;
            m->read[m->read_count++].text = text;
        }
    }
    put_text(b, i, text);
    return rc;
}

ll_rc bind_event(const struct handler_statement *s, const Oid *types,
                 const struct record *record, const struct codec_value *members,
                 struct bind_event_memory *memory, struct bound *out,
                 struct ll_error *err)
{
    struct arena *arena = memory->arena;
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < s->text->parameter_count && rc == LL_OK; i++) {
        const struct handler_parameter *p = &s->parameters[i];

        switch (p->source) {
        case SOURCE_TIME: put_int8(out, i, record->time); break;
        case SOURCE_SEQUENCE: put_int8(out, i, (int64_t)record->sequence); break;
        case SOURCE_ID: put_uuid(out, i, &record->id); break;
        case SOURCE_SUBJECT:
            rc = put_string(out, i, types[i], record->subject, arena, err);
            break;
        case SOURCE_KEY:
            rc = put_string(out, i, types[i], record->key, arena, err);
            break;
        case SOURCE_TOPIC:
            rc = put_string(out, i, types[i], text_of(record->topic->name), arena, err);
            break;
        case SOURCE_PARTITION: put_int8(out, i, (int64_t)record->partition); break;
        case SOURCE_TYPE:
            rc = put_string(out, i, types[i], record->type, arena, err);
            break;
        case SOURCE_BLOB:
            rc = put_blob(out, i, &members[p->member], memory, err);
            if (rc != LL_OK) ll_error_prefix(err, ":%s", s->text->parameters[i]);
            break;
        case SOURCE_MEMBER:
            rc = put_member(out, i, types[i], &members[p->member], arena, err);
            if (rc != LL_OK) ll_error_prefix(err, ":%s", s->text->parameters[i]);
            break;
        }
    }
    return rc;
}
