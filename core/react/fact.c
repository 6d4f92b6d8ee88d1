/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* fact.c - see fact.h. */
#include "core/react/fact.h"

#include "core/base/json.h"
#include "core/projection/outgoing.h"

struct uuid fact_id(const char *reactor, struct text subject)
{
    struct builder b;
    struct uuid id;

    builder_init(&b, 16 * RECORD_TEXT);
    builder_string(&b, "reactor ");
    builder_json_string(&b, text_of(reactor));
    builder_json_string(&b, subject);
    LL_CHECK(!b.full);
    id = uuid_v5(&uuid_landlog, builder_view(&b));
    builder_fini(&b);
    return id;
}

/* The schema's tags, and the one that is this fact's alone. */
static ll_rc add_tag(const char *reactor, struct text subject, struct arena *arena,
                     struct fact *f, struct ll_error *err)
{
    struct record *r = &f->record;
    struct text *tags;
    struct builder b;

    if (r->tag_count >= RECORD_TAGS)
        return ll_fail(err, LL_EINVAL, "its schema has more than %d tags",
                       RECORD_TAGS - 1);
    builder_init(&b, RECORD_TEXT);
    LL_CHECK(outgoing_tag(reactor, subject, &b) && !b.full);
    f->guard = arena_text(arena, builder_view(&b));
    builder_fini(&b);
    tags = arena_calloc(arena, r->tag_count + 1, sizeof(*tags));
    for (size_t i = 0; i < r->tag_count; i++) tags[i] = r->tags[i];
    tags[r->tag_count++] = f->guard;
    r->tags = tags;
    return LL_OK;
}

static ll_rc make_record(const struct registry *registry, const char *reactor,
                         const struct fact_row *row, struct arena *arena, struct fact *f,
                         struct ll_error *err)
{
    json_t *data;
    ll_rc rc = json_parse(row->data, JSON_DEPTH, &data, err);

    if (rc != LL_OK) return rc;
    rc = event_make(registry, row->type, data, arena, &f->record, err);
    json_decref(data);
    return rc == LL_OK ? add_tag(reactor, row->subject, arena, f, err) : rc;
}

ll_rc fact_make(const struct registry *registry, const char *reactor,
                const struct fact_row *row, struct arena *arena, struct fact *out,
                struct ll_error *err)
{
    struct uuid id = fact_id(reactor, row->subject);

    *out = (struct fact){
        .record = {.id = id, .command = id, .causation = row->cause, .command_size = 1}};
    if (make_record(registry, reactor, row, arena, out, err) != LL_OK) {
        ll_error_prefix(err, "outgoing fact \"%.*s\" of type \"%.*s\"",
                        TEXT_ARGS(row->subject), TEXT_ARGS(row->type));
        return LL_EBROKEN;
    }
    out->record.source = text_of(arena_printf(arena, "/reactor/%s", reactor));
    out->record.body = uuid_hash(out->record.data);
    out->command = (struct append_command){.key = id,
                                           .body = out->record.body,
                                           .guards = &out->guard,
                                           .guard_count = 1,
                                           .events = &out->record,
                                           .event_count = 1};
    return LL_OK;
}
