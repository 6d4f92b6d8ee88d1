/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* event.c - making records from data, and data from records. */
#include "core/event/codec.h"
#include "core/event/event_type.h"

static ll_rc encode(const json_t *data, struct arena *arena, struct text *out,
                    struct ll_error *err)
{
    struct builder b;
    ll_rc rc;

    builder_init(&b, RECORD_DATA);
    rc = codec_encode(data, &b, err);
    if (rc == LL_OK) *out = arena_text(arena, builder_view(&b));
    builder_fini(&b);
    return rc;
}

ll_rc event_make(const struct registry *r, struct text type, const json_t *data,
                 struct arena *arena, struct record *out, struct ll_error *err)
{
    const struct event_type *t = registry_find(r, type, 0);
    ll_rc rc;

    if (t == NULL)
        return ll_fail(err, LL_ENOTFOUND, "there is no event type \"%.*s\"",
                       TEXT_ARGS(type));
    rc = event_type_render(t, data, arena, out, err);
    return rc == LL_OK ? encode(data, arena, &out->data, err) : rc;
}

/* What is on the log and cannot be read is never skipped: it halts its reader. */
static ll_rc halt(const struct record *record, const char *why, struct ll_error *err)
{
    char id[UUID_TEXT];

    uuid_print(&record->id, id);
    return ll_fail(
        err, LL_EBROKEN,
        "event %s (\"%.*s\" version %lu) is newer than this binary, or damaged: "
        "%s",
        id, TEXT_ARGS(record->type), (unsigned long)record->version, why);
}

static const struct event_type *type_of(const struct registry *r,
                                        const struct record *record)
{
    return record->version == 0 ? NULL : registry_find(r, record->type, record->version);
}

/* As JSON of the newest version, validated. */
static ll_rc read_data(const struct event_type *t, const struct record *record,
                       json_t **out, struct ll_error *err)
{
    struct ll_error why;
    ll_rc rc = codec_decode(record->data, out, &why);

    if (rc == LL_OK) rc = event_type_upcast(t, *out, &why);
    if (rc == LL_OK) return LL_OK;
    json_decref(*out);
    *out = NULL;
    return halt(record, why.text, err);
}

ll_rc event_data(const struct registry *r, const struct record *record, json_t **out,
                 struct ll_error *err)
{
    const struct event_type *t = type_of(r, record);

    *out = NULL;
    if (t == NULL) return halt(record, "no such type and version", err);
    return read_data(t, record, out, err);
}

ll_rc event_newest(const struct registry *r, const struct record *record,
                   struct arena *arena, struct text *out, struct ll_error *err)
{
    const struct event_type *t = type_of(r, record);
    struct ll_error why;
    json_t *data;
    ll_rc rc;

    *out = record->data;
    if (t == NULL) return halt(record, "no such type and version", err);
    if (t->next == NULL) {
        if (codec_check(record->data, &why) == LL_OK) return LL_OK;
        return halt(record, why.text, err);
    }
    rc = read_data(t, record, &data, err);
    if (rc != LL_OK) return rc;
    if (encode(data, arena, out, &why) != LL_OK) rc = halt(record, why.text, err);
    json_decref(data);
    return rc;
}
