/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* registry.c - all event types, sorted by name and version. */
#include "core/event/registry.h"

#include "core/event/event_type.h"
#include "core/event/upcast.h"

#include <stdlib.h>
#include <string.h>

enum { TYPES = 1024, ARENA = 16 << 20 };

struct registry {
    struct topics topics;
    struct arena arena;
    size_t count;
    struct event_type types[TYPES];
};

/* ---- loading ---- */

/* "social.friendship-requested": words of lower-case letters, digits and hyphens. */
static bool is_type_name(struct text t)
{
    bool has_dot = false;
    char last = '.';

    for (size_t i = 0; i < t.len; last = t.ptr[i++]) {
        char c = t.ptr[i];
        bool is_letter = c >= 'a' && c <= 'z';
        bool is_inner = (c >= '0' && c <= '9') || c == '-' || c == '.';

        if (!is_letter && (!is_inner || last == '.')) return false;
        has_dot |= c == '.';
    }
    return has_dot && last != '.' && last != '-' && t.len <= 128;
}

/* From "schemas/<service>/<type>.v<N>.json"; the service through `service`. */
static ll_rc read_path(struct registry *r, struct event_type *t, const char *path,
                       struct text *service, struct ll_error *err)
{
    struct text rest = text_of(path), folder, digits;
    uint64_t version = 0;
    size_t n;

    text_cut(&rest, '/', &folder);
    text_cut(&rest, '/', service);
    n = rest.len;
    if (n > 5 && memcmp(rest.ptr + n - 5, ".json", 5) == 0) n -= 5;
    digits = (struct text){rest.ptr + n, 0};
    while (digits.len < n && digits.ptr[-1] >= '0' && digits.ptr[-1] <= '9')
        digits = (struct text){digits.ptr - 1, digits.len + 1};
    n -= digits.len;
    if (n == rest.len - digits.len || n < 2 || memcmp(rest.ptr + n - 2, ".v", 2) != 0 ||
        !text_to_u64(digits, 10000, &version) || version == 0 ||
        !is_type_name((struct text){rest.ptr, n - 2}))
        return ll_fail(err, LL_EINVAL,
                       "a schema file is named schemas/<service>/<type>.v<N>.json");
    t->name = arena_text(&r->arena, (struct text){rest.ptr, n - 2});
    t->version = (uint32_t)version;
    return LL_OK;
}

static struct uuid hash_of(const json_t *document)
{
    json_t *bare = schema_bare(document);
    struct builder b;
    struct uuid hash;

    json_object_del(bare, "x-description");
    builder_init(&b, (size_t)1 << 20);
    json_write(bare, &b);
    LL_CHECK(!b.full);
    hash = uuid_hash(builder_view(&b));
    builder_fini(&b);
    json_decref(bare);
    return hash;
}

static ll_rc read_file(struct registry *r, struct event_type *t,
                       const struct embedded_file *file, struct ll_error *err)
{
    struct text text = {file->start, (size_t)(file->end - file->start)}, service;
    ll_rc rc = read_path(r, t, file->path, &service, err);

    if (rc == LL_OK) rc = json_parse(text, JSON_DEPTH, &t->document, err);
    if (rc == LL_OK) rc = schema_compile(t->document, &t->schema, err);
    if (rc == LL_OK && !json_is_object(t->document))
        rc = ll_fail(err, LL_EINVAL, "must be an object");
    if (rc == LL_OK) rc = event_type_read(t, &r->topics, &r->arena, err);
    if (rc == LL_OK && !text_is(service, t->topic->service))
        rc =
            ll_fail(err, LL_EINVAL,
                    "x-topic: \"%s\" belongs to the service \"%s\", not to this folder's",
                    t->topic->name, t->topic->service);
    if (rc == LL_OK) t->hash = hash_of(t->document);
    return rc;
}

static ll_rc read_files(struct registry *r, const struct embedded_file *files,
                        struct ll_error *err)
{
    for (const struct embedded_file *f = files; f->path != NULL; f++) {
        ll_rc rc;

        if (!text_starts_with(text_of(f->path), "schemas/")) continue;
        if (strchr(f->path + strlen("schemas/"), '/') == NULL) continue;
        if (r->count == TYPES)
            return ll_fail(err, LL_EFULL, "more than %d schema files", TYPES);
        rc = read_file(r, &r->types[r->count++], f, err);
        if (rc != LL_OK) {
            ll_error_prefix(err, "%s", f->path);
            return rc;
        }
    }
    return LL_OK;
}

static int by_name_and_version(const void *a, const void *b)
{
    const struct event_type *x = a, *y = b;
    int order = text_compare(x->name, y->name);

    return order != 0 ? order : (x->version > y->version) - (x->version < y->version);
}

static ll_rc check_versions(struct registry *r, size_t i, struct ll_error *err)
{
    struct event_type *t = &r->types[i];
    struct event_type *before = i > 0 ? t - 1 : NULL;

    if (before != NULL && !text_equal(before->name, t->name)) before = NULL;
    if (t->version != (before == NULL ? 1 : before->version + 1))
        return ll_fail(err, LL_EINVAL, "versions must count from 1 without a gap");
    if (before == NULL) return LL_OK;
    before->next = t;
    return upcast_check(t->upcast, before->schema, before->document, t->schema, err);
}

static ll_rc check_example(const struct event_type *t, const json_t *example,
                           struct ll_error *err)
{
    struct record record;
    struct arena arena;
    json_t *copy = json_deep_copy(example);
    ll_rc rc;

    arena_init(&arena, (size_t)1 << 20);
    rc = event_type_render(t, copy, &arena, &record, err);
    if (rc == LL_OK) rc = event_type_upcast(t, copy, err);
    arena_fini(&arena);
    json_decref(copy);
    return rc;
}

static ll_rc check_examples(const struct event_type *t, struct ll_error *err)
{
    const json_t *examples = json_object_get(t->document, "examples");

    if (json_array_size(examples) == 0)
        return ll_fail(err, LL_EINVAL, "needs an example");
    for (size_t i = 0; i < json_array_size(examples); i++) {
        ll_rc rc = check_example(t, json_array_get(examples, i), err);

        if (rc != LL_OK) {
            ll_error_prefix(err, "example %zu", i);
            return rc;
        }
    }
    return LL_OK;
}

static ll_rc check_types(struct registry *r, struct ll_error *err)
{
    size_t i = 0;
    ll_rc rc = LL_OK;

    for (i = 0; i < r->count && rc == LL_OK; i++) rc = check_versions(r, i, err);
    if (rc == LL_OK)
        for (i = 0; i < r->count && rc == LL_OK; i++)
            rc = check_examples(&r->types[i], err);
    if (rc != LL_OK)
        ll_error_prefix(err, "%s version %lu", event_type_name(&r->types[i - 1]),
                        (unsigned long)r->types[i - 1].version);
    return rc;
}

static ll_rc read_topics(struct registry *r, const struct embedded_file *files,
                         struct ll_error *err)
{
    for (const struct embedded_file *f = files; f->path != NULL; f++) {
        ll_rc rc;

        if (strcmp(f->path, "schemas/topics.json") != 0) continue;
        rc = topics_parse(&r->topics,
                          (struct text){f->start, (size_t)(f->end - f->start)}, err);
        if (rc != LL_OK) ll_error_prefix(err, "%s", f->path);
        return rc;
    }
    return ll_fail(err, LL_ENOTFOUND, "there is no schemas/topics.json");
}

ll_rc registry_load_files(const struct embedded_file *files, struct registry **out,
                          struct ll_error *err)
{
    struct registry *r = ll_calloc(1, sizeof(*r));
    ll_rc rc;

    arena_init(&r->arena, ARENA);
    rc = read_topics(r, files, err);
    if (rc == LL_OK) rc = read_files(r, files, err);
    qsort(r->types, r->count, sizeof(r->types[0]), by_name_and_version);
    if (rc == LL_OK) rc = check_types(r, err);
    *out = rc == LL_OK ? r : NULL;
    if (rc != LL_OK) registry_free(r);
    return rc;
}

ll_rc registry_load(struct registry **out, struct ll_error *err)
{
    return registry_load_files(embedded_files, out, err);
}

void registry_free(struct registry *r)
{
    if (r == NULL) return;
    for (size_t i = 0; i < r->count; i++) {
        schema_free(r->types[i].schema);
        json_decref(r->types[i].document);
    }
    arena_fini(&r->arena);
    free(r);
}

/* ---- looking up ---- */

const struct topics *registry_topics(const struct registry *r)
{
    return &r->topics;
}

const struct event_type *registry_find(const struct registry *r, struct text type,
                                       uint32_t version)
{
    size_t low = 0, high = r->count;

    while (low < high) { /* the first of that name */
        size_t middle = low + (high - low) / 2;

        if (text_compare(r->types[middle].name, type) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->count && text_equal(r->types[low].name, type); low++) {
        const struct event_type *t = &r->types[low];

        if (version == 0 ? t->next == NULL : t->version == version) return t;
    }
    return NULL;
}

const struct event_type *registry_at(const struct registry *r, size_t i)
{
    return i < r->count ? &r->types[i] : NULL;
}

const char *event_type_name(const struct event_type *t)
{
    return t->name.ptr;
}

uint32_t event_type_version(const struct event_type *t)
{
    return t->version;
}

const struct topic *event_type_topic(const struct event_type *t)
{
    return t->topic;
}

const json_t *event_type_schema(const struct event_type *t)
{
    return t->document;
}

struct uuid registry_identity(const struct registry *r, struct text type)
{
    struct uuid identity = {0};

    for (const struct event_type *t = registry_find(r, type, 1); t != NULL; t = t->next) {
        struct uuid both[2] = {identity, t->hash};

        identity = uuid_hash((struct text){(const char *)both, sizeof(both)});
    }
    return identity;
}
