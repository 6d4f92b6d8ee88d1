/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection.c - three parsed files and the event types, joined: who binds what. */
#include "core/projection/handler.h"

#include "core/base/embedded.h"
#include "core/projection/outgoing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROJECTIONS_MAX = 64 };

static const char *const file_names[] = {
    [SQL_FILE_SCHEMA] = "schema.sql",
    [SQL_FILE_APPLY] = "apply.sql",
    [SQL_FILE_QUERIES] = "queries.sql",
};

/* ---- names ---- */

/* Folders by kind: read models, and reactors. */
static const char *const folders[] = {"projections/", "consumers/"};

/* "social" of "projections/social/apply.sql". */
static bool name_of(const char *path, const char *folder, char out[PROJECTION_NAME])
{
    static const char file[] = "/apply.sql";
    size_t n = strlen(path), skip = strlen(folder);

    if (strncmp(path, folder, skip) != 0) return false;
    path += skip;
    n -= skip;
    if (n < sizeof(file) || strcmp(path + n - (sizeof(file) - 1), file) != 0)
        return false;
    n -= sizeof(file) - 1;
    LL_CHECK(n < PROJECTION_NAME && memchr(path, '/', n) == NULL);
    memcpy(out, path, n);
    out[n] = '\0';
    return true;
}

/* The embedded folders never change: listed once. */
static struct {
    char name[PROJECTION_NAME];
    bool is_reactor;
} names[PROJECTIONS_MAX];

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b); /* what both begin with */
}

static void list_names(void)
{
    size_t n = 0;

    for (const struct embedded_file *f = embedded_files; f->path != NULL; f++)
        for (size_t kind = 0; kind < LL_LENGTH(folders); kind++) {
            LL_CHECK(n < PROJECTIONS_MAX);
            names[n].is_reactor = kind == 1;
            if (name_of(f->path, folders[kind], names[n].name)) n++;
        }
    qsort(names, n, sizeof(names[0]), compare_names);
    for (size_t i = 1; i < n; i++) /* a projection and a reactor of one name */
        LL_CHECK(strcmp(names[i - 1].name, names[i].name) != 0);
}

const char *projection_name_at(size_t i)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, list_names);
    return i < PROJECTIONS_MAX && names[i].name[0] != '\0' ? names[i].name : NULL;
}

bool projection_name_is_reactor(const char *name)
{
    for (size_t i = 0; projection_name_at(i) != NULL; i++)
        if (strcmp(names[i].name, name) == 0) return names[i].is_reactor;
    return false;
}

/* ---- parameters ---- */

static const struct {
    const char *name;
    enum handler_source source;
    Oid type;
} envelope[] = {
    {"event.time", SOURCE_TIME, TYPE_INT8},
    {"event.id", SOURCE_ID, TYPE_UUID},
    {"event.sequence", SOURCE_SEQUENCE, TYPE_INT8},
    {"event.subject", SOURCE_SUBJECT, TYPE_TEXT},
    {"event.key", SOURCE_KEY, TYPE_TEXT},
    {"event.topic", SOURCE_TOPIC, TYPE_TEXT},
    {"event.partition", SOURCE_PARTITION, TYPE_INT8},
    {"event.type", SOURCE_TYPE, TYPE_TEXT},
};

/* The JSON type of a member's schema; of ["string", "null"] the one that is not null. */
static const char *type_name(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    const char *only = json_string_value(type);

    for (size_t i = 0; i < json_array_size(type); i++) {
        const char *name = json_string_value(json_array_get(type, i));

        if (name == NULL || strcmp(name, "null") == 0) continue;
        if (only != NULL) return NULL;
        only = name;
    }
    return only;
}

/* Where a member's schema is only named: {"$ref": "#/definitions/address"}. */
static const json_t *resolve(const struct event_type *type, const json_t *member)
{
    static const char prefix[] = "#/definitions/";
    const char *ref = json_string_value(json_object_get(member, "$ref"));

    if (ref == NULL || strncmp(ref, prefix, sizeof(prefix) - 1) != 0) return member;
    return json_object_get(json_object_get(event_type_schema(type), "definitions"),
                           ref + sizeof(prefix) - 1);
}

/* What a member is declared as. A string is what its place wants: text, uuid, numeric. */
static Oid declared_type(const json_t *schema)
{
    const char *type = type_name(schema);

    if (type == NULL) return 0;
    if (strcmp(type, "integer") == 0) return TYPE_INT8;
    if (strcmp(type, "number") == 0) return TYPE_FLOAT8;
    if (strcmp(type, "boolean") == 0) return TYPE_BOOL;
    return 0;
}

static ll_rc find_member(struct handler *h, const char *name, size_t *out,
                         struct ll_error *err)
{
    for (*out = 0; *out < h->member_count; ++*out)
        if (text_is(h->members[*out], name)) return LL_OK;
    if (h->member_count == HANDLER_MEMBERS)
        return ll_fail(err, LL_EFULL, "more than %d members are bound", HANDLER_MEMBERS);
    h->members[h->member_count++] = text_of(name);
    return LL_OK;
}

/* `:blob.<member>`: a string, which names a blob. */
static ll_rc bind_blob(struct handler *h, const struct event_type *type,
                       const char *member, struct handler_parameter *out,
                       struct ll_error *err)
{
    const json_t *properties = json_object_get(event_type_schema(type), "properties");
    const json_t *schema = json_object_get(properties, member);
    const char *declared = schema ? type_name(resolve(type, schema)) : NULL;

    if (declared == NULL || strcmp(declared, "string") != 0)
        return ll_fail(err, LL_EINVAL,
                       "\"%s\" (version %u) has no member \"%s\" that is a string",
                       event_type_name(type), event_type_version(type), member);
    *out = (struct handler_parameter){.source = SOURCE_BLOB, .type = TYPE_TEXT};
    return find_member(h, member, &out->member, err);
}

static ll_rc bind_parameter(struct handler *h, const struct event_type *type,
                            const char *name, struct handler_parameter *out,
                            struct ll_error *err)
{
    const json_t *properties = json_object_get(event_type_schema(type), "properties");
    const json_t *member = json_object_get(properties, name);

    for (size_t i = 0; i < LL_LENGTH(envelope); i++) {
        if (strcmp(name, envelope[i].name) != 0) continue;
        *out = (struct handler_parameter){.source = envelope[i].source,
                                          .type = envelope[i].type};
        return LL_OK;
    }
    if (strncmp(name, "blob.", 5) == 0) return bind_blob(h, type, name + 5, out, err);
    if (member == NULL)
        return ll_fail(err, LL_EINVAL, "\"%s\" (version %u) has no member \"%s\"",
                       event_type_name(type), event_type_version(type), name);
    *out = (struct handler_parameter){.source = SOURCE_MEMBER,
                                      .type = declared_type(resolve(type, member))};
    return find_member(h, name, &out->member, err);
}

static ll_rc make_handler(struct projection *p, const struct sql_section *section,
                          const struct event_type *type, struct handler *h,
                          struct ll_error *err)
{
    h->type = text_of(section->name);
    h->statements = ll_calloc(section->statement_count, sizeof(*h->statements));
    h->statement_count = section->statement_count;
    for (size_t i = 0; i < section->statement_count; i++) {
        const struct sql_statement *s = &section->statements[i];

        h->statements[i].text = s;
        for (size_t k = 0; k < s->parameter_count; k++) {
            ll_rc rc = bind_parameter(h, type, s->parameters[k],
                                      &h->statements[i].parameters[k], err);

            p->needs_blobs |= h->statements[i].parameters[k].source == SOURCE_BLOB;
            if (rc == LL_OK) continue;
            ll_error_prefix(err, "%s:%u", p->paths[SQL_FILE_APPLY], s->line);
            return rc;
        }
    }
    return LL_OK;
}

/* ---- topics ---- */

static ll_rc add_topic(struct projection *p, const struct topic *topic,
                       struct ll_error *err)
{
    size_t i = 0;

    if (topic->ephemeral)
        return ll_fail(err, LL_EINVAL,
                       "topic \"%s\" is ephemeral: no projection reads it", topic->name);
    while (i < p->topic_count && strcmp(p->topics[i]->name, topic->name) < 0) i++;
    if (i < p->topic_count && p->topics[i] == topic) return LL_OK;
    if (p->topic_count == PROJECTION_TOPICS)
        return ll_fail(err, LL_EFULL, "more than %d topics", PROJECTION_TOPICS);
    for (size_t k = p->topic_count; k > i; k--) p->topics[k] = p->topics[k - 1];
    p->topics[i] = topic;
    p->topic_count++;
    return LL_OK;
}

static ll_rc make_handlers(struct projection *p, struct ll_error *err)
{
    const struct sql_file *apply = p->files[SQL_FILE_APPLY];

    p->handlers = ll_calloc(apply->section_count + 1, sizeof(*p->handlers));
    for (size_t i = 0; i < apply->section_count; i++) {
        const struct sql_section *section = &apply->sections[i];
        const struct event_type *type =
            registry_find(p->registry, text_of(section->name), 0);
        ll_rc rc;

        if (type == NULL)
            return ll_fail(err, LL_EINVAL, "%s:%u: there is no event type \"%s\"",
                           apply->path, section->line, section->name);
        p->handler_count++;
        rc = make_handler(p, section, type, &p->handlers[i], err);
        if (rc != LL_OK) return rc;
        rc = add_topic(p, event_type_topic(type), err);
        if (rc != LL_OK) {
            ll_error_prefix(err, "%s:%u", apply->path, section->line);
            return rc;
        }
    }
    if (p->topic_count == 0)
        return ll_fail(err, LL_EINVAL, "%s: no section", apply->path);
    return LL_OK;
}

/* ---- queries ---- */

static void make_queries(struct projection *p)
{
    const struct sql_file *f = p->files[SQL_FILE_QUERIES];

    p->query_count = f->section_count;
    p->queries = ll_calloc(f->section_count + 1, sizeof(*p->queries));
    for (size_t i = 0; i < f->section_count; i++) {
        const struct sql_section *section = &f->sections[i];
        struct projection_query *q = &p->queries[i];

        *q = (struct projection_query){.name = section->name,
                                       .sql = section->statements[0].sql,
                                       .parameter_count = section->declared_count,
                                       .is_volatile = section->is_volatile};
        for (size_t k = 0; k < section->declared_count; k++)
            q->parameters[k] =
                (struct projection_parameter){section->declared[k], section->types[k]};
    }
}

/* ---- identity ---- */

static void add_file(const struct sql_file *f, struct builder *b)
{
    for (size_t i = 0; i < f->section_count; i++) {
        builder_printf(b, "section %s\n", f->sections[i].name);
        for (size_t k = 0; k < f->sections[i].statement_count; k++) {
            const struct sql_statement *s = &f->sections[i].statements[k];

            builder_printf(b, "%s;", s->sql);
            for (size_t n = 0; n < s->parameter_count; n++)
                builder_printf(b, " :%s", s->parameters[n]);
            builder_char(b, '\n');
        }
    }
}

/* registry_identity() covers every version and the way from one to the next. */
static void add_schemas(const struct projection *p, struct builder *b)
{
    for (size_t i = 0; i < p->handler_count; i++) {
        struct uuid id = registry_identity(p->registry, p->handlers[i].type);

        builder_hex(b, id.bytes, sizeof(id.bytes));
        builder_char(b, '\n');
    }
}

static struct uuid make_identity(const struct projection *p)
{
    struct builder b;
    struct uuid identity;

    builder_init(&b, 16 * 1024 * 1024);
    builder_printf(&b, "%s 1 %s\n", p->is_reactor ? "reactor" : "projection", p->name);
    add_file(p->files[SQL_FILE_SCHEMA], &b);
    add_file(p->files[SQL_FILE_APPLY], &b);
    add_schemas(p, &b);
    LL_CHECK(!b.full);
    identity = uuid_hash(builder_view(&b));
    builder_fini(&b);
    return identity;
}

/* ---- the whole ---- */

static ll_rc parse_files(struct projection *p, const struct projection_files *files,
                         struct ll_error *err)
{
    const struct text content[] = {files->schema, files->apply, files->queries};
    ll_rc rc = LL_OK;

    for (int kind = SQL_FILE_SCHEMA; kind <= SQL_FILE_QUERIES && rc == LL_OK; kind++) {
        rc = sql_file_parse((enum sql_file_kind)kind, p->paths[kind], content[kind],
                            p->files[SQL_FILE_SCHEMA], &p->files[kind], err);
        if (rc == LL_OK && kind == SQL_FILE_SCHEMA && p->is_reactor)
            sql_file_add_table(p->files[kind], OUTGOING_TABLE);
        if (rc == LL_OK) rc = outgoing_lint(p->files[kind], p->is_reactor, err);
    }
    return rc;
}

ll_rc projection_make(const char *name, const struct projection_files *files,
                      const struct registry *registry, struct projection **out,
                      struct ll_error *err)
{
    struct projection *p = ll_calloc(1, sizeof(*p));
    ll_rc rc;

    LL_CHECK(strlen(name) < PROJECTION_NAME);
    *out = NULL;
    p->registry = registry;
    p->is_reactor = files->is_reactor;
    snprintf(p->name, sizeof(p->name), "%s", name);
    for (size_t kind = 0; kind < LL_LENGTH(p->paths); kind++)
        snprintf(p->paths[kind], sizeof(p->paths[kind]), "%s%s/%s",
                 folders[p->is_reactor], name, file_names[kind]);
    rc = parse_files(p, files, err);
    if (rc == LL_OK) rc = make_handlers(p, err);
    if (rc != LL_OK) {
        projection_free(p);
        return rc;
    }
    make_queries(p);
    p->identity = make_identity(p);
    *out = p;
    return LL_OK;
}

ll_rc projection_load(const char *name, const struct registry *registry,
                      struct projection **out, struct ll_error *err)
{
    struct text content[3];
    const char *known, *folder = folders[projection_name_is_reactor(name)];
    size_t i = 0;

    *out = NULL;
    while ((known = projection_name_at(i)) != NULL && strcmp(known, name) != 0) i++;
    if (known == NULL)
        return ll_fail(err, LL_ENOTFOUND, "there is no projection \"%s\"", name);
    for (size_t kind = 0; kind < LL_LENGTH(content); kind++) {
        char path[PROJECTION_NAME + 32];

        snprintf(path, sizeof(path), "%s%s/%s", folder, name, file_names[kind]);
        if (!embedded_find(path, &content[kind]))
            return ll_fail(err, LL_ENOTFOUND, "projection \"%s\" has no %s", name,
                           file_names[kind]);
    }
    return projection_make(name,
                           &(struct projection_files){content[0], content[1], content[2],
                                                      projection_name_is_reactor(name)},
                           registry, out, err);
}

void projection_free(struct projection *p)
{
    if (p == NULL) return;
    for (size_t i = 0; i < p->handler_count; i++) free(p->handlers[i].statements);
    free(p->handlers);
    free(p->queries);
    for (size_t kind = 0; kind < LL_LENGTH(p->files); kind++)
        sql_file_free(p->files[kind]);
    free(p);
}

void projection_use_blobs(struct projection *p, struct blob_store *blobs)
{
    p->blobs = blobs;
}

/* ---- what others ask ---- */

const char *projection_name(const struct projection *p)
{
    return p->name;
}

bool projection_is_reactor(const struct projection *p)
{
    return p->is_reactor;
}

const struct registry *projection_registry(const struct projection *p)
{
    return p->registry;
}

struct uuid projection_identity(const struct projection *p)
{
    return p->identity;
}

const struct topic *projection_topic_at(const struct projection *p, size_t i)
{
    return i < p->topic_count ? p->topics[i] : NULL;
}

const struct projection_query *projection_query(const struct projection *p,
                                                const char *name)
{
    for (size_t i = 0; i < p->query_count; i++)
        if (strcmp(p->queries[i].name, name) == 0) return &p->queries[i];
    return NULL;
}

const struct projection_query *projection_query_at(const struct projection *p, size_t i)
{
    return i < p->query_count ? &p->queries[i] : NULL;
}

const struct handler *projection_handler(const struct projection *p, struct text type)
{
    for (size_t i = 0; i < p->handler_count; i++)
        if (text_equal(p->handlers[i].type, type)) return &p->handlers[i];
    return NULL;
}
