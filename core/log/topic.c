/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* topic.c - the declared topics, and where a key goes.
 *
 * The file is {"<name>": {"service", "partitions", "keyed-by", "ephemeral"?}, ...}.
 */
#include "core/log/topic.h"

#include "core/base/json.h"

#include <stdlib.h>
#include <string.h>

/* Lower-case letters and hyphens, as position_parse() reads a topic's name. */
static bool is_name(struct text t, size_t room)
{
    if (t.len == 0 || t.len >= room) return false;
    for (size_t i = 0; i < t.len; i++)
        if ((t.ptr[i] < 'a' || t.ptr[i] > 'z') && t.ptr[i] != '-') return false;
    return true;
}

static void copy(char *to, struct text t)
{
    memcpy(to, t.ptr, t.len);
    to[t.len] = '\0';
}

static ll_rc refuse(const struct topic *t, const char *member, const char *rule,
                    struct ll_error *err)
{
    return ll_fail(err, LL_EINVAL, "topic \"%s\": member \"%s\" must be %s", t->name,
                   member, rule);
}

static ll_rc take_partitions(struct topic *t, const json_t *value, struct ll_error *err)
{
    json_int_t n = json_integer_value(value);

    if (!json_is_integer(value) || n < 1 || n > TOPIC_PARTITIONS_MAX)
        return refuse(t, "partitions", "a number from 1 to 256", err);
    t->partitions = (uint32_t)n;
    return LL_OK;
}

static ll_rc take_text(struct topic *t, const char *member, const json_t *value,
                       struct ll_error *err)
{
    struct text text = {json_string_value(value), json_string_length(value)};

    if (strcmp(member, "service") == 0) {
        if (!json_is_string(value) || !is_name(text, sizeof(t->service)))
            return refuse(t, member, "a name of lower-case letters and hyphens", err);
        copy(t->service, text);
        return LL_OK;
    }
    if (!json_is_string(value) || text.len == 0 || text.len >= sizeof(t->keyed_by))
        return refuse(t, member, "a text of 1 to 63 bytes", err);
    copy(t->keyed_by, text);
    return LL_OK;
}

static ll_rc take_member(struct topic *t, const char *member, const json_t *value,
                         struct ll_error *err)
{
    if (strcmp(member, "partitions") == 0) return take_partitions(t, value, err);
    if (strcmp(member, "service") == 0 || strcmp(member, "keyed-by") == 0)
        return take_text(t, member, value, err);
    if (strcmp(member, "ephemeral") == 0) {
        if (!json_is_boolean(value)) return refuse(t, member, "true or false", err);
        t->ephemeral = json_is_true(value);
        return LL_OK;
    }
    return ll_fail(err, LL_EINVAL, "topic \"%s\": unknown member \"%s\"", t->name,
                   member);
}

static ll_rc take_topic(struct topic *t, const char *name, json_t *members,
                        struct ll_error *err)
{
    const char *member;
    json_t *value;

    *t = (struct topic){0};
    if (!is_name(text_of(name), sizeof(t->name)))
        return ll_fail(err, LL_EINVAL,
                       "topic \"%s\": a name is 1 to %d lower-case letters and hyphens",
                       name, POSITION_TOPIC - 1);
    copy(t->name, text_of(name));
    if (!json_is_object(members))
        return ll_fail(err, LL_EINVAL, "topic \"%s\": must be an object", name);
    json_object_foreach(members, member, value)
    {
        ll_rc rc = take_member(t, member, value, err);
        if (rc != LL_OK) return rc;
    }
    if (t->partitions == 0) return refuse(t, "partitions", "given", err);
    if (t->service[0] == '\0') return refuse(t, "service", "given", err);
    if (t->keyed_by[0] == '\0') return refuse(t, "keyed-by", "given", err);
    return LL_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct topic *)a)->name, ((const struct topic *)b)->name);
}

static ll_rc take_all(struct topics *t, json_t *document, struct ll_error *err)
{
    const char *name;
    json_t *members;

    if (!json_is_object(document))
        return ll_fail(err, LL_EINVAL, "topics: must be an object of topics");
    if (json_object_size(document) > TOPICS_MAX)
        return ll_fail(err, LL_EINVAL, "topics: more than %d", TOPICS_MAX);
    json_object_foreach(document, name, members)
    {
        ll_rc rc = take_topic(&t->topics[t->count], name, members, err);
        if (rc != LL_OK) return rc;
        t->count++;
    }
    qsort(t->topics, t->count, sizeof(t->topics[0]), by_name);
    return LL_OK;
}

ll_rc topics_parse(struct topics *t, struct text json, struct ll_error *err)
{
    json_t *document;
    ll_rc rc;

    *t = (struct topics){0};
    rc = json_parse(json, 4, &document, err);
    if (rc == LL_OK) rc = take_all(t, document, err);
    if (rc != LL_OK) t->count = 0;
    json_decref(document);
    return rc;
}

const struct topic *topics_find(const struct topics *t, struct text name)
{
    for (size_t i = 0; i < t->count; i++)
        if (text_is(name, t->topics[i].name)) return &t->topics[i];
    return NULL;
}

/* MurmurHash2 with Kafka's seed (org.apache.kafka.common.utils.Utils.murmur2). */
static uint32_t murmur2(struct text key)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *s = (const unsigned char *)key.ptr;
    uint32_t h = 0x9747b28cU ^ (uint32_t)key.len;
    size_t left = key.len;

    for (; left >= 4; left -= 4, s += 4) {
        uint32_t k =
            s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;

        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    if (left > 2) h ^= (uint32_t)s[2] << 16;
    if (left > 1) h ^= (uint32_t)s[1] << 8;
    if (left > 0) h = (h ^ s[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

uint32_t topic_partition(const struct topic *t, struct text key)
{
    return (murmur2(key) & 0x7fffffffU) % t->partitions;
}
