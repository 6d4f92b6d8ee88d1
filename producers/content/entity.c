/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity.c - see entity.h. */
#include "producers/content/entity.h"

#include "core/auth/unicode_lower.h"
#include "core/base/json_js.h"

#include <math.h>
#include <stdlib.h>

static const char *const names[ENTITY_TYPES] = {
    [ENTITY_SCENE] = "scene",       [ENTITY_PROFILE] = "profile",
    [ENTITY_WEARABLE] = "wearable", [ENTITY_EMOTE] = "emote",
    [ENTITY_STORE] = "store",       [ENTITY_OUTFITS] = "outfits",
};

/* As far as JavaScript's dates go. */
static const double latest = 8.64e15;

const char *entity_type_name(enum entity_type type)
{
    LL_CHECK(type < ENTITY_TYPES);
    return names[type];
}

bool entity_type_find(struct text name, enum entity_type *out)
{
    for (size_t i = 0; i < ENTITY_TYPES; i++) {
        if (!text_is(name, names[i])) continue;
        *out = (enum entity_type)i;
        return true;
    }
    return false;
}

static struct text without_plural(struct text t)
{
    if (t.len > 0 && (t.ptr[t.len - 1] == 's' || t.ptr[t.len - 1] == 'S')) t.len--;
    return t;
}

bool entity_type_find_loosely(struct text name, enum entity_type *out)
{
    name = without_plural(name);
    for (size_t i = 0; i < ENTITY_TYPES; i++) {
        /* "outfits" is a plural itself, and loses its `s` with all others. */
        if (!text_equal_ignoring_case(name, without_plural(text_of(names[i])))) continue;
        *out = (enum entity_type)i;
        return true;
    }
    return false;
}

static ll_rc unreadable(struct ll_error *err)
{
    return ll_fail(err, LL_EINVAL, "There was a problem parsing the entity");
}

static struct text string_of(const json_t *value)
{
    return (struct text){json_string_value(value), json_string_length(value)};
}

static ll_rc read_timestamp(struct entity *e, struct ll_error *err)
{
    const json_t *value = json_object_get(e->document, "timestamp");
    double ms = json_real_value(value);

    if (!json_is_real(value) || ms == 0 || fabs(ms) > latest || ms != floor(ms))
        return unreadable(err);
    e->timestamp = (int64_t)ms;
    return LL_OK;
}

static ll_rc read_version(struct entity *e, struct ll_error *err)
{
    const json_t *value = json_object_get(e->document, "version");

    if (value != NULL && !json_is_string(value)) return unreadable(err);
    e->version = value == NULL ? TEXT("v3") : string_of(value);
    return LL_OK;
}

static struct text lower_copy(struct text t, struct arena *arena)
{
    struct builder lower;
    struct text copy;

    builder_init(&lower, 4 * ENTITY_POINTER_TEXT);
    unicode_lower(t, &lower);
    copy = arena_text(arena, builder_view(&lower));
    builder_fini(&lower);
    return copy;
}

static ll_rc read_pointers(struct entity *e, struct arena *arena, struct ll_error *err)
{
    const json_t *list = json_object_get(e->document, "pointers");

    if (!json_is_array(list)) return unreadable(err);
    e->pointer_count = json_array_size(list);
    if (e->pointer_count > ENTITY_POINTERS)
        return ll_fail(err, LL_EFULL,
                       "The entity has too many pointers. The maximum allowed is %d.",
                       ENTITY_POINTERS);
    e->pointers = arena_calloc(arena, e->pointer_count + 1, sizeof(*e->pointers));
    for (size_t i = 0; i < e->pointer_count; i++) {
        const json_t *value = json_array_get(list, i);

        if (!json_is_string(value)) return unreadable(err);
        if (json_string_length(value) > ENTITY_POINTER_TEXT)
            return ll_fail(err, LL_EFULL,
                           "A pointer is too long. The maximum allowed is %d bytes.",
                           ENTITY_POINTER_TEXT);
        e->pointers[i] = lower_copy(string_of(value), arena);
    }
    return LL_OK;
}

static int by_file(const void *a, const void *b)
{
    const struct entity_content *x = *(const struct entity_content *const *)a;
    const struct entity_content *y = *(const struct entity_content *const *)b;
    int order = text_compare(x->file, y->file);

    return order != 0 ? order : (x > y) - (x < y);
}

static ll_rc read_content(struct entity *e, struct arena *arena, struct ll_error *err)
{
    const json_t *list = json_object_get(e->document, "content");

    if (list != NULL && !json_is_array(list)) return unreadable(err);
    e->content_count = json_array_size(list);
    if (e->content_count > ENTITY_CONTENT)
        return ll_fail(
            err, LL_EFULL,
            "The entity has too many content files. The maximum allowed is %d.",
            ENTITY_CONTENT);
    e->content = arena_calloc(arena, e->content_count + 1, sizeof(*e->content));
    e->by_file = arena_calloc(arena, e->content_count + 1, sizeof(const void *));
    for (size_t i = 0; i < e->content_count; i++) {
        const json_t *item = json_array_get(list, i);

        if (!json_member_text(item, "file", &e->content[i].file) ||
            !json_member_text(item, "hash", &e->content[i].hash) ||
            e->content[i].file.len == 0 || e->content[i].hash.len == 0)
            return unreadable(err);
        e->by_file[i] = &e->content[i];
    }
    qsort(e->by_file, e->content_count, sizeof(const void *), by_file);
    return LL_OK;
}

/* JSON.parse has the last word on what JSON is. */
static ll_rc read_metadata(struct entity *e, struct text file, struct ll_error *err)
{
    e->metadata = json_object_get(e->document, "metadata");
    if (e->metadata == NULL || json_js_member(file, "metadata", &e->metadata_text))
        return LL_OK;
    return unreadable(err);
}

static ll_rc read_members(struct text file, struct arena *arena, struct entity *e,
                          struct ll_error *err)
{
    struct text type;
    ll_rc rc;

    if (json_js_parse(file, &e->document, NULL) != LL_OK ||
        !json_is_object(e->document) || !json_member_text(e->document, "type", &type) ||
        !entity_type_find(type, &e->type))
        return unreadable(err);
    rc = read_timestamp(e, err);
    if (rc == LL_OK) rc = read_version(e, err);
    if (rc == LL_OK) rc = read_pointers(e, arena, err);
    if (rc == LL_OK) rc = read_content(e, arena, err);
    if (rc == LL_OK) rc = read_metadata(e, file, err);
    return rc;
}

ll_rc entity_parse(struct text file, struct text id, struct arena *arena,
                   struct entity *out, struct ll_error *err)
{
    ll_rc rc;

    *out = (struct entity){.id = id, .file_size = file.len};
    if (file.len > ENTITY_FILE_SIZE)
        return ll_fail(
            err, LL_EFULL,
            "The entity file is too big. The maximum allowed size is %d bytes.",
            ENTITY_FILE_SIZE);
    rc = read_members(file, arena, out, err);
    if (rc != LL_OK) entity_fini(out);
    return rc;
}

void entity_fini(struct entity *e)
{
    json_decref(e->document);
    *e = (struct entity){0};
}

struct text entity_pointer_list(const struct entity *e, struct arena *arena)
{
    enum { ENOUGH = 4096 };
    struct builder list;
    struct text copy;

    builder_init(&list, ENOUGH + 4 * ENTITY_POINTER_TEXT);
    for (size_t i = 0; i < e->pointer_count && list.len < ENOUGH; i++) {
        if (i > 0) builder_char(&list, ',');
        builder_text(&list, e->pointers[i]);
    }
    copy = arena_text(arena, builder_view(&list));
    builder_fini(&list);
    return copy;
}

const struct entity_content *entity_find_file(const struct entity *e, struct text file)
{
    size_t low = 0, high = e->content_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (text_compare(e->by_file[middle]->file, file) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == e->content_count || !text_equal(e->by_file[low]->file, file)) return NULL;
    return e->by_file[low];
}
