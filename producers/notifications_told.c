/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_told.c - see notifications_told.h. The messages are those of the
 * validator that the contract's service uses. */
#include "producers/notifications_told.h"

#include "producers/notifications_types.h"

#include <string.h>

enum { EVENT_KEY = 1024, ECHO = 64, ADDRESS = 42 };

static const json_int_t timestamp_least = 1672531200000; /* 2023-01-01, exclusive */

/* An entry of the list under inspection. */
struct look {
    struct arena *arena;
    size_t place;
    const char **why;
};

static bool refuse(const struct look *l, const char *member, const char *words)
{
    *l->why = arena_printf(l->arena, "\"[%zu]%s%s\" %s", l->place, member[0] ? "." : "",
                           member, words);
    return false;
}

static bool read_type(const struct look *l, const json_t *entry, struct text *out)
{
    const json_t *value = json_object_get(entry, "type");

    if (value == NULL) return refuse(l, "type", "is required");
    if (!json_member_text(entry, "type", out))
        return refuse(l, "type", "must be a string");
    if (notification_type_is_known(*out)) return true;
    *l->why = arena_printf(l->arena, "Invalid notification type: %.*s",
                           (int)(out->len < ECHO ? out->len : (size_t)ECHO), out->ptr);
    if (!text_is_utf8(text_of(*l->why))) /* cut within a character */
        *l->why = "Invalid notification type";
    return false;
}

/* Absent: for everybody. */
static bool read_address(const struct look *l, const json_t *entry, struct text *out)
{
    unsigned char bytes[20];
    char *lower;

    *out = TEXT("");
    if (json_object_get(entry, "address") == NULL) return true;
    if (!json_member_text(entry, "address", out))
        return refuse(l, "address", "must be a string");
    if (out->len != ADDRESS || !text_starts_with(*out, "0x") ||
        !hex_decode((struct text){out->ptr + 2, ADDRESS - 2}, bytes, sizeof(bytes)))
        return refuse(l, "address",
                      "fails to match the required pattern: /^0x[a-fA-F0-9]{40}$/");
    lower = arena_alloc(l->arena, ADDRESS);
    for (size_t i = 0; i < ADDRESS; i++)
        lower[i] =
            (char)(out->ptr[i] >= 'A' && out->ptr[i] <= 'F' ? out->ptr[i] - 'A' + 'a'
                                                            : out->ptr[i]);
    *out = (struct text){lower, ADDRESS};
    return true;
}

static bool read_event_key(const struct look *l, const json_t *entry, struct text *out)
{
    if (json_object_get(entry, "eventKey") == NULL)
        return refuse(l, "eventKey", "is required");
    if (!json_member_text(entry, "eventKey", out))
        return refuse(l, "eventKey", "must be a string");
    if (out->len == 0) return refuse(l, "eventKey", "is not allowed to be empty");
    if (out->len <= EVENT_KEY) return true;
    return refuse(l, "eventKey",
                  "length must be less than or equal to 1024 characters long");
}

/* An answer holds up to a hundred of them, in memory. */
static bool is_small(const json_t *metadata)
{
    struct builder text;
    bool is_full;

    builder_init(&text, TOLD_METADATA);
    json_write(metadata, &text);
    is_full = text.full;
    builder_fini(&text);
    return !is_full;
}

static bool read_metadata(const struct look *l, const json_t *entry, const json_t **out)
{
    *out = json_object_get(entry, "metadata");
    if (*out == NULL) return refuse(l, "metadata", "is required");
    if (!json_is_object(*out)) return refuse(l, "metadata", "must be of type object");
    return is_small(*out) || refuse(l, "metadata", "is longer than 64 KiB");
}

static bool read_timestamp(const struct look *l, const json_t *entry, int64_t *out)
{
    const json_t *value = json_object_get(entry, "timestamp");

    if (value == NULL) return refuse(l, "timestamp", "is required");
    if (json_is_real(value)) return refuse(l, "timestamp", "must be an integer");
    if (!json_is_integer(value)) return refuse(l, "timestamp", "must be a number");
    *out = json_integer_value(value);
    return *out > timestamp_least ||
           refuse(l, "timestamp", "must be greater than 1672531200000");
}

static bool has_no_other(const struct look *l, const json_t *entry)
{
    static const char *const names[] = {"type", "address", "eventKey", "metadata",
                                        "timestamp"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)entry, key, value)
    {
        size_t i = 0;

        while (i < LL_LENGTH(names) && strcmp(key, names[i]) != 0) i++;
        if (i < LL_LENGTH(names)) continue;
        return strlen(key) <= ECHO ? refuse(l, key, "is not allowed")
                                   : refuse(l, "", "has a member that is not allowed");
    }
    return true;
}

static bool read_entry(const struct look *l, const json_t *entry, struct told *out)
{
    if (!json_is_object(entry)) return refuse(l, "", "must be of type object");
    if (!read_type(l, entry, &out->type) || !read_address(l, entry, &out->address) ||
        !read_event_key(l, entry, &out->event_key) ||
        !read_metadata(l, entry, &out->metadata) ||
        !read_timestamp(l, entry, &out->timestamp) || !has_no_other(l, entry))
        return false;
    out->id = notification_id(out->event_key, out->type, out->address);
    out->revision = notification_revision(out->metadata, out->timestamp);
    return true;
}

/* Of two with one id the later counts, as if they had come one after the other. */
static void keep(struct told *list, size_t *n, const struct told *t)
{
    size_t i = 0;

    while (i < *n && !uuid_equal(&list[i].id, &t->id)) i++;
    list[i] = *t;
    if (i == *n) ++*n;
}

bool told_read(const json_t *body, struct arena *arena, struct told out[TOLD_MOST],
               size_t *n, const char **why)
{
    *n = 0;
    if (!json_is_array(body)) {
        *why = "\"value\" must be an array";
        return false;
    }
    if (json_array_size(body) > TOLD_MOST) {
        *why = "\"value\" must contain less than or equal to 100 items";
        return false;
    }
    for (size_t i = 0; i < json_array_size(body); i++) {
        struct look l = {arena, i, why};
        struct told t;

        if (!read_entry(&l, json_array_get(body, i), &t)) return false;
        keep(out, n, &t);
    }
    return true;
}

static bool is_told(const struct told *t, const json_t *before)
{
    return json_equal(json_object_get(before, "metadata"), t->metadata) &&
           json_integer_value(json_object_get(before, "timestamp")) == t->timestamp;
}

static json_t *json_id(const struct uuid *id)
{
    char text[UUID_TEXT];

    uuid_print(id, text);
    return json_string(text);
}

json_t *told_event(const struct told *t, const json_t *before, const char **type)
{
    json_t *data;

    if (before != NULL && is_told(t, before)) return NULL;
    data = json_object();
    json_object_set_new(data, "id", json_id(&t->id));
    json_object_set_new(data, "inbox",
                        t->address.len ? json_stringn(t->address.ptr, t->address.len)
                                       : json_id(&t->id));
    json_object_set(data, "metadata", (json_t *)(uintptr_t)t->metadata);
    json_object_set_new(data, "timestamp", json_integer(t->timestamp));
    *type = "notifications.notification-updated";
    if (before != NULL) {
        json_object_set_new(data, "revision", json_id(&t->revision));
        return data;
    }
    *type = "notifications.notification-created";
    json_object_set_new(data, "eventKey",
                        json_stringn(t->event_key.ptr, t->event_key.len));
    json_object_set_new(data, "type", json_stringn(t->type.ptr, t->type.len));
    json_object_set_new(data, "address",
                        t->address.len ? json_stringn(t->address.ptr, t->address.len)
                                       : json_null());
    return data;
}
