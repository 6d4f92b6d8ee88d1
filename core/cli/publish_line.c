/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* publish_line.c - see publish_line.h. */
#include "core/cli/publish_line.h"

#include "core/base/clock.h"

#include <string.h>

enum { ENVELOPE_DEPTH = JSON_DEPTH + 1 };

/* What an envelope may say; the rest of these is what tail prints. */
static const char *const known[] = {"data",        "id",          "source", "causation",
                                    "correlation", "traceparent", "type",   "topic",
                                    "partition",   "sequence",    "time",   "version",
                                    "subject",     "key",         "tags"};

static ll_rc check_names(const struct publish_rule *rule, json_t *envelope,
                         struct ll_error *err)
{
    struct text type;
    const char *name;
    json_t *value;

    if (!json_is_object(envelope))
        return ll_fail(err, LL_EINVAL, "an envelope must be an object");
    json_object_foreach(envelope, name, value)
    {
        bool is_known = false;

        for (size_t i = 0; i < LL_LENGTH(known) && !is_known; i++)
            is_known = strcmp(known[i], name) == 0;
        if (!is_known)
            return ll_fail(err, LL_EINVAL, "unknown member \"%s\" in the envelope", name);
    }
    if (json_object_get(envelope, "data") == NULL)
        return ll_fail(err, LL_EINVAL, "the envelope has no \"data\"");
    if (json_object_get(envelope, "type") != NULL &&
        (!json_member_text(envelope, "type", &type) || !text_equal(type, rule->type)))
        return ll_fail(err, LL_EINVAL, "the envelope's \"type\" is not \"%.*s\"",
                       TEXT_ARGS(rule->type));
    return LL_OK;
}

/* A text of the envelope that may be absent. */
static ll_rc take_text(const json_t *envelope, const char *name, size_t most,
                       struct arena *arena, struct text *out, struct ll_error *err)
{
    struct text t;

    if (json_object_get(envelope, name) == NULL) return LL_OK;
    if (!json_member_text(envelope, name, &t) || t.len == 0 || t.len > most)
        return ll_fail(err, LL_EINVAL,
                       "the envelope's \"%s\" must be a text of 1 to %zu bytes", name,
                       most);
    *out = arena_text(arena, t);
    return LL_OK;
}

static ll_rc take_uuid(const json_t *envelope, const char *name, struct uuid *out,
                       struct ll_error *err)
{
    struct text t;

    if (json_object_get(envelope, name) == NULL) return LL_OK;
    if (!json_member_text(envelope, name, &t) || !uuid_parse(t, out))
        return ll_fail(err, LL_EINVAL, "the envelope's \"%s\" must be a UUID", name);
    return LL_OK;
}

static struct uuid id_from(struct text source, struct text type, struct text id)
{
    struct builder b;
    struct uuid out;

    builder_init(&b, 8 * RECORD_TEXT);
    builder_json_string(&b, source);
    builder_json_string(&b, type);
    builder_json_string(&b, id);
    LL_CHECK(!b.full);
    out = uuid_v5(&uuid_landlog, builder_view(&b));
    builder_fini(&b);
    return out;
}

static ll_rc take_envelope_id(const json_t *envelope, struct record *out,
                              struct ll_error *err)
{
    struct text id;

    if (json_object_get(envelope, "id") == NULL) {
        out->id = uuid_v7(clock_now_ms());
        return LL_OK;
    }
    if (!json_member_text(envelope, "id", &id) || id.len == 0 || id.len > RECORD_TEXT)
        return ll_fail(err, LL_EINVAL,
                       "the envelope's \"id\" must be a text of 1 to %d bytes",
                       RECORD_TEXT);
    if (!uuid_parse(id, &out->id) || uuid_is_nil(&out->id))
        out->id = id_from(out->source, TEXT(""), id);
    return LL_OK;
}

static ll_rc take_member_id(const struct publish_rule *rule, const json_t *data,
                            struct record *out, struct ll_error *err)
{
    struct text id;

    if (!json_member_text(data, rule->id_member, &id) || id.len == 0 ||
        id.len > RECORD_TEXT)
        return ll_fail(err, LL_EINVAL,
                       "member \"%s\", the id, must be a text of 1 to %d bytes",
                       rule->id_member, RECORD_TEXT);
    out->id = id_from(out->source, rule->type, id);
    return LL_OK;
}

/* All but what the schema gives. `envelope` may be NULL. */
static ll_rc fill(const struct publish_rule *rule, const json_t *envelope,
                  const json_t *data, struct arena *arena, struct record *out,
                  struct ll_error *err)
{
    ll_rc rc = take_text(envelope, "source", RECORD_TEXT, arena, &out->source, err);

    if (rc == LL_OK)
        rc = take_text(envelope, "traceparent", 64, arena, &out->traceparent, err);
    if (rc == LL_OK) rc = take_uuid(envelope, "causation", &out->causation, err);
    if (rc == LL_OK) rc = take_uuid(envelope, "correlation", &out->correlation, err);
    if (rc == LL_OK)
        rc = rule->id_member != NULL ? take_member_id(rule, data, out, err)
                                     : take_envelope_id(envelope, out, err);
    if (rc == LL_OK) rc = event_make(rule->registry, rule->type, data, arena, out, err);
    if (rc == LL_OK && rule->key.len > 0 && !text_equal(rule->key, out->key))
        rc = ll_fail(err, LL_EINVAL, "the event's key is \"%.*s\"", TEXT_ARGS(out->key));
    if (rc != LL_OK) return rc;
    out->command = out->id;
    out->body = uuid_hash(out->data);
    return LL_OK;
}

ll_rc publish_line(const struct publish_rule *rule, struct text line, struct arena *arena,
                   struct record *out, struct ll_error *err)
{
    json_t *whole, *data;
    ll_rc rc =
        json_parse(line, rule->has_envelope ? ENVELOPE_DEPTH : JSON_DEPTH, &whole, err);

    *out = (struct record){.source = rule->source, .command_size = 1};
    if (rc != LL_OK) return rc;
    data = whole;
    if (rule->has_envelope) {
        rc = check_names(rule, whole, err);
        data = json_object_get(whole, "data");
    }
    if (rc == LL_OK)
        rc = fill(rule, rule->has_envelope ? whole : NULL, data, arena, out, err);
    json_decref(whole);
    return rc;
}
