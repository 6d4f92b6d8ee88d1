/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* event_type.c - the `x-` members of a schema file, read and applied. */
#include "core/event/event_type.h"

#include "core/event/upcast.h"

#include <string.h>

static ll_rc check_names(const struct event_type *t, struct ll_error *err)
{
    static const char *const known[] = {"x-topic", "x-key",    "x-subject",    "x-tags",
                                        "x-pair",  "x-upcast", "x-description"};
    const char *name;
    json_t *value;

    json_object_foreach(t->document, name, value)
    {
        bool is_known = strncmp(name, "x-", 2) != 0;

        for (size_t i = 0; i < LL_LENGTH(known) && !is_known; i++)
            is_known = strcmp(name, known[i]) == 0;
        if (!is_known) return ll_fail(err, LL_EINVAL, "unknown member \"%s\"", name);
    }
    return LL_OK;
}

static ll_rc read_template(const struct event_type *t, const json_t *source,
                           const char *member, struct arena *arena,
                           const struct template **out, struct ll_error *err)
{
    ll_rc rc;

    if (!json_is_string(source))
        return ll_fail(err, LL_EINVAL, "%s: must be a template", member);
    rc = template_compile(json_string_value(source), t->schema, arena, out, err);
    if (rc != LL_OK) ll_error_prefix(err, "%s", member);
    return rc;
}

static ll_rc read_tags(struct event_type *t, struct arena *arena, struct ll_error *err)
{
    const json_t *tags = json_object_get(t->document, "x-tags");
    ll_rc rc = LL_OK;

    t->tag_count = json_array_size(tags);
    if (!json_is_array(tags) || t->tag_count > RECORD_TAGS)
        return ll_fail(err, LL_EINVAL, "x-tags: must be a list of at most %d templates",
                       RECORD_TAGS);
    for (size_t i = 0; i < t->tag_count && rc == LL_OK; i++)
        rc = read_template(t, json_array_get(tags, i), "x-tags", arena, &t->tags[i], err);
    return rc;
}

static bool is_text_member(const struct event_type *t, const char *name)
{
    struct schema_member m = {0};

    if (name != NULL) m = schema_member(t->schema, name);
    return m.is_required && m.is_text;
}

static ll_rc read_pair(struct event_type *t, struct ll_error *err)
{
    const json_t *pair = json_object_get(t->document, "x-pair");
    const json_t *of = json_object_get(pair, "of");

    if (pair == NULL) return LL_OK;
    t->pair = json_string_value(json_object_get(pair, "member"));
    for (size_t i = 0; i < 2; i++)
        t->pair_of[i] = json_string_value(json_array_get(of, i));
    if (json_object_size(pair) != 2 || json_array_size(of) != 2 ||
        !is_text_member(t, t->pair) || !is_text_member(t, t->pair_of[0]) ||
        !is_text_member(t, t->pair_of[1]))
        return ll_fail(err, LL_EINVAL,
                       "x-pair: must name a member, and two it is made of, all required "
                       "strings");
    return LL_OK;
}

ll_rc event_type_read(struct event_type *t, const struct topics *topics,
                      struct arena *arena, struct ll_error *err)
{
    struct text topic = {0};
    ll_rc rc = check_names(t, err);

    if (rc != LL_OK) return rc;
    if (!json_member_text(t->document, "x-topic", &topic) ||
        (t->topic = topics_find(topics, topic)) == NULL)
        return ll_fail(err, LL_EINVAL, "x-topic: \"%.*s\" is not in schemas/topics.json",
                       TEXT_ARGS(topic));
    if (!json_is_string(json_object_get(t->document, "x-description")))
        return ll_fail(err, LL_EINVAL, "x-description: must say who emits it");
    t->upcast = json_object_get(t->document, "x-upcast");
    if (t->version == 1 && t->upcast != NULL)
        return ll_fail(err, LL_EINVAL, "x-upcast: there is no version before");
    rc = read_template(t, json_object_get(t->document, "x-key"), "x-key", arena, &t->key,
                       err);
    if (rc == LL_OK)
        rc = read_template(t, json_object_get(t->document, "x-subject"), "x-subject",
                           arena, &t->subject, err);
    if (rc == LL_OK) rc = read_tags(t, arena, err);
    if (rc == LL_OK) rc = read_pair(t, err);
    return rc;
}

static ll_rc check_pair(const struct event_type *t, const json_t *data,
                        struct ll_error *err)
{
    struct text pair, one, two, low, high;

    if (t->pair == NULL) return LL_OK;
    LL_CHECK(json_member_text(data, t->pair, &pair) &&
             json_member_text(data, t->pair_of[0], &one) &&
             json_member_text(data, t->pair_of[1], &two));
    low = text_compare(one, two) < 0 ? one : two;
    high = text_compare(one, two) < 0 ? two : one;
    if (text_equal(low, high))
        return ll_fail(err, LL_EINVAL, "\"/%s\" fails x-pair: equals \"/%s\"",
                       t->pair_of[1], t->pair_of[0]);
    if (pair.len != low.len + 1 + high.len || memcmp(pair.ptr, low.ptr, low.len) != 0 ||
        pair.ptr[low.len] != ':' ||
        memcmp(pair.ptr + low.len + 1, high.ptr, high.len) != 0)
        return ll_fail(err, LL_EINVAL, "\"/%s\" fails x-pair: must be \"%.*s:%.*s\"",
                       t->pair, TEXT_ARGS(low), TEXT_ARGS(high));
    return LL_OK;
}

ll_rc event_type_render(const struct event_type *t, const json_t *data,
                        struct arena *arena, struct record *out, struct ll_error *err)
{
    struct text *tags = arena_calloc(arena, t->tag_count + 1, sizeof(*tags));
    ll_rc rc = schema_validate(t->schema, data, err);

    if (rc == LL_OK) rc = check_pair(t, data, err);
    if (rc == LL_OK) rc = template_render(t->key, data, arena, &out->key, err);
    if (rc == LL_OK) rc = template_render(t->subject, data, arena, &out->subject, err);
    for (size_t i = 0; i < t->tag_count && rc == LL_OK; i++)
        rc = template_render(t->tags[i], data, arena, &tags[i], err);
    if (rc != LL_OK) return rc;
    out->type = t->name;
    out->version = t->version;
    out->topic = t->topic;
    out->partition = topic_partition(t->topic, out->key);
    out->tags = tags;
    out->tag_count = t->tag_count;
    return LL_OK;
}

ll_rc event_type_upcast(const struct event_type *t, json_t *data, struct ll_error *err)
{
    for (; t->next != NULL; t = t->next) {
        ll_rc rc = upcast_apply(t->next->upcast, data, err);
        if (rc != LL_OK) return rc;
    }
    return schema_validate(t->schema, data, err);
}
