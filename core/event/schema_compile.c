/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema_compile.c - from a schema document to a tree of nodes, by the kinds of
 * keywords (schema.c has the table). */
#include "core/event/schema_node.h"

#include "core/event/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA = 32 << 20, MESSAGE = 400, DEPTH = 2 * JSON_DEPTH };

struct compiler {
    struct schema *schema;
    struct schema_node **nodes; /* all of them, SCHEMA_NODES rows */
    size_t count, depth;
    struct ll_error *err;
};

static ll_rc refuse(struct compiler *c, const struct schema_place *at, const char *fmt,
                    ...) LL_PRINTF(3, 4);

static ll_rc refuse(struct compiler *c, const struct schema_place *at, const char *fmt,
                    ...)
{
    struct builder place;
    char why[MESSAGE];
    va_list args;
    ll_rc rc;

    va_start(args, fmt);
    vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    builder_init(&place, MESSAGE);
    schema_place_print(at, &place);
    rc = ll_fail(c->err, LL_EINVAL, "schema at \"%.*s\": %s",
                 TEXT_ARGS(builder_view(&place)), why);
    builder_fini(&place);
    return rc;
}

static ll_rc compile(struct compiler *c, json_t *source, const struct schema_place *at,
                     const struct schema_node **out);

static unsigned type_bit(const char *name)
{
    static const char *const names[] = {"null",   "boolean", "object", "array",
                                        "number", "string",  "integer"};

    for (unsigned i = 0; name != NULL && i < LL_LENGTH(names); i++)
        if (strcmp(names[i], name) == 0) return 1U << i;
    return 0;
}

static ll_rc take_type(struct compiler *c, unsigned *out, json_t *value,
                       const struct schema_place *at)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;

    if (count == 0) return refuse(c, at, "must name a type");
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
        unsigned bit = type_bit(json_string_value(one));

        if (bit == 0 || *out & bit)
            return refuse(c, at, "must be types of JSON, each once");
        *out |= bit;
    }
    return LL_OK;
}

static ll_rc take_count(struct compiler *c, size_t *out, json_t *value,
                        const struct schema_place *at)
{
    double real = json_number_value(value);

    if (!json_is_number(value) || !codec_is_whole(real) || real < 0 || real > UINT32_MAX)
        return refuse(c, at, "must be a whole number from 0 to 4294967295");
    *out = (size_t)real;
    return LL_OK;
}

static ll_rc take_pattern(struct compiler *c, struct schema_node *n, json_t *value,
                          const struct schema_place *at)
{
    struct text source = {json_string_value(value), json_string_length(value)};
    struct ll_error why;

    if (!json_is_string(value)) return refuse(c, at, "must be a string");
    n->pattern_text = source.ptr;
    if (pattern_compile(source, &c->schema->arena, &n->pattern, &why) != LL_OK)
        return refuse(c, at, "%s", why.text);
    return LL_OK;
}

static ll_rc take_format(struct compiler *c, struct schema_node *n, json_t *value,
                         const struct schema_place *at)
{
    n->format_name = json_string_value(value);
    if (n->format_name == NULL) return refuse(c, at, "must be a string");
    n->format = schema_format_find(n->format_name);
    if (n->format == NULL) return refuse(c, at, "unknown format \"%s\"", n->format_name);
    return LL_OK;
}

static ll_rc take_names(struct compiler *c, struct schema_node *n, json_t *value,
                        const struct schema_place *at)
{
    n->required = value;
    n->required_count = json_array_size(value);
    if (!json_is_array(value)) return refuse(c, at, "must be a list of names");
    for (size_t i = 0; i < n->required_count; i++) {
        const char *name = json_string_value(json_array_get(value, i));

        if (name == NULL) return refuse(c, at, "must be a list of names");
        for (size_t k = 0; k < i; k++)
            if (strcmp(json_string_value(json_array_get(value, k)), name) == 0)
                return refuse(c, at, "\"%s\" is named twice", name);
    }
    return LL_OK;
}

static int by_name(const void *a, const void *b)
{
    return text_compare(((const struct schema_property *)a)->name,
                        ((const struct schema_property *)b)->name);
}

/* A map of schemas, sorted by name. */
static ll_rc take_map(struct compiler *c, struct schema_property **out, size_t *count,
                      json_t *map, const struct schema_place *at)
{
    size_t i = 0;
    const char *name;
    json_t *source;

    if (!json_is_object(map)) return refuse(c, at, "must be an object of schemas");
    if (json_object_size(map) > SCHEMA_NODES) return refuse(c, at, "too many schemas");
    *count = json_object_size(map);
    *out = arena_calloc(&c->schema->arena, *count + 1, sizeof(**out));
    json_object_foreach(map, name, source)
    {
        struct schema_place inner = {at, name, 0};
        ll_rc rc = compile(c, source, &inner, &(*out)[i].node);

        if (rc != LL_OK) return rc;
        (*out)[i++].name = text_of(name);
    }
    qsort(*out, *count, sizeof(**out), by_name);
    return LL_OK;
}

static ll_rc take_list(struct compiler *c, struct schema_list *out, json_t *value,
                       const struct schema_place *at)
{
    out->count = json_array_size(value);
    if (out->count == 0) return refuse(c, at, "must be a list of schemas");
    if (out->count > SCHEMA_NODES) return refuse(c, at, "too many schemas");
    out->nodes = arena_calloc(&c->schema->arena, out->count, sizeof(void *));
    for (size_t i = 0; i < out->count; i++) {
        struct schema_place inner = {at, NULL, i};
        ll_rc rc = compile(c, json_array_get(value, i), &inner, &out->nodes[i]);

        if (rc != LL_OK) return rc;
    }
    return LL_OK;
}

static ll_rc take_dialect(struct compiler *c, const json_t *value,
                          const struct schema_place *at)
{
    const char *name = json_string_value(value);

    if (name == NULL || (strcmp(name, "http://json-schema.org/draft-07/schema#") != 0 &&
                         strcmp(name, "http://json-schema.org/draft-07/schema") != 0))
        return refuse(c, at, "must be draft-07's");
    return LL_OK;
}

/* Resolved when all nodes are there (resolve_references()). */
static ll_rc take_reference(struct compiler *c, const json_t *value,
                            const struct schema_place *at)
{
    if (!json_is_string(value) || json_string_value(value)[0] != '#')
        return refuse(c, at, "must lead into this document (\"#/definitions/...\")");
    return LL_OK;
}

static ll_rc take_value(struct compiler *c, const struct schema_keyword *k,
                        const json_t **out, json_t *value, const struct schema_place *at)
{
    bool is_number = k->kind == KEYWORD_NUMBER || k->kind == KEYWORD_FACTOR;

    if (is_number && !json_is_number(value)) return refuse(c, at, "must be a number");
    if (k->kind == KEYWORD_FACTOR && json_number_value(value) <= 0)
        return refuse(c, at, "must be above 0");
    if (k->kind == KEYWORD_ENUM && json_array_size(value) == 0)
        return refuse(c, at, "must be a list of values");
    *out = value;
    return LL_OK;
}

static ll_rc take_keyword(struct compiler *c, const struct schema_keyword *k,
                          struct schema_node *n, json_t *value,
                          const struct schema_place *at)
{
    void *field = (char *)n + k->offset;
    struct schema_property *ignored;
    size_t count;

    switch (k->kind) {
    case KEYWORD_NOTE: return LL_OK;
    case KEYWORD_WORDS:
        return json_is_string(value) ? LL_OK : refuse(c, at, "must be a string");
    case KEYWORD_DIALECT: return take_dialect(c, value, at);
    case KEYWORD_TYPE: return take_type(c, field, value, at);
    case KEYWORD_ENUM:
    case KEYWORD_VALUE:
    case KEYWORD_NUMBER:
    case KEYWORD_FACTOR: return take_value(c, k, field, value, at);
    case KEYWORD_COUNT: return take_count(c, field, value, at);
    case KEYWORD_FLAG:
        *(bool *)field = json_is_true(value);
        return json_is_boolean(value) ? LL_OK : refuse(c, at, "must be true or false");
    case KEYWORD_PATTERN: return take_pattern(c, n, value, at);
    case KEYWORD_FORMAT: return take_format(c, n, value, at);
    case KEYWORD_NAMES: return take_names(c, n, value, at);
    case KEYWORD_SCHEMA: return compile(c, value, at, field);
    case KEYWORD_LIST: return take_list(c, field, value, at);
    case KEYWORD_PROPERTIES:
        return take_map(c, &n->properties, &n->property_count, value, at);
    case KEYWORD_DEFINITIONS: return take_map(c, &ignored, &count, value, at);
    case KEYWORD_REFERENCE: return take_reference(c, value, at);
    }
    return LL_OK;
}

/* Beside $ref the draft ignores what we would rather hear of. */
static bool may_stand_beside_reference(const struct schema_keyword *k)
{
    return k->kind == KEYWORD_REFERENCE || k->kind == KEYWORD_DEFINITIONS ||
           k->kind == KEYWORD_WORDS || k->kind == KEYWORD_NOTE ||
           k->kind == KEYWORD_DIALECT;
}

static ll_rc take_members(struct compiler *c, struct schema_node *n, json_t *source,
                          const struct schema_place *at)
{
    bool is_reference = json_object_get(source, "$ref") != NULL;
    const char *name;
    json_t *value;

    json_object_foreach(source, name, value)
    {
        const struct schema_keyword *k = schema_keyword_find(name);
        struct schema_place inner = {at, name, 0};
        ll_rc rc;

        if (k == NULL && at == NULL && strncmp(name, "x-", 2) == 0) continue;
        if (k == NULL) return refuse(c, at, "unknown keyword \"%s\"", name);
        if (is_reference && !may_stand_beside_reference(k))
            return refuse(c, at, "\"%s\" beside $ref would be ignored", name);
        rc = take_keyword(c, k, n, value, &inner);
        if (rc != LL_OK) return rc;
    }
    for (size_t i = 0; i < n->property_count; i++)
        for (size_t k = 0; k < n->required_count; k++)
            if (text_is(n->properties[i].name,
                        json_string_value(json_array_get(n->required, k))))
                n->properties[i].is_required = true;
    return LL_OK;
}

static ll_rc compile(struct compiler *c, json_t *source, const struct schema_place *at,
                     const struct schema_node **out)
{
    struct schema_node *n = arena_calloc(&c->schema->arena, 1, sizeof(*n));
    ll_rc rc;

    if (c->count == SCHEMA_NODES) return refuse(c, at, "too many schemas");
    c->nodes[c->count++] = n;
    *out = n;
    n->source = source;
    n->length.most = n->item_count.most = n->member_count.most = SIZE_MAX;
    n->refuses_all = json_is_false(source);
    if (json_is_boolean(source)) return LL_OK;
    if (json_is_array(source))
        return refuse(c, at, "a list of schemas is not supported: give one for all");
    if (!json_is_object(source)) return refuse(c, at, "must be a schema");
    if (++c->depth > DEPTH) return refuse(c, at, "nested too deep");
    rc = take_members(c, n, source, at);
    c->depth--;
    return rc;
}

/* ---- references ---- */

/* The value that a pointer's next part leads to in `from`; NULL when there is none. */
static const json_t *follow(const json_t *from, struct text part)
{
    const json_t *to = NULL;
    struct builder key;
    uint64_t index;

    if (json_is_array(from))
        return text_to_u64(part, UINT32_MAX, &index) ? json_array_get(from, index) : NULL;
    builder_init(&key, part.len + 1);
    for (size_t i = 0; i < part.len; i++) {
        bool is_escape = part.ptr[i] == '~' && i + 1 < part.len;

        if (is_escape) i++;
        if (is_escape)
            builder_string(&key, part.ptr[i] == '1' ? "/" : "~");
        else
            builder_char(&key, part.ptr[i]);
    }
    to = json_object_get(from, key.len ? key.ptr : "");
    builder_fini(&key);
    return to;
}

/* The compiled node that "#..." leads to, or NULL. */
static const struct schema_node *node_at(const struct compiler *c, struct text pointer)
{
    const json_t *at = c->schema->document;
    struct text part;

    text_cut(&pointer, '#', &part);
    if (pointer.len > 0 && pointer.ptr[0] != '/') return NULL;
    text_cut(&pointer, '/', &part);
    while (pointer.len > 0 && at != NULL) {
        text_cut(&pointer, '/', &part);
        at = follow(at, part);
    }
    for (size_t i = 0; at != NULL && i < c->count; i++)
        if (c->nodes[i]->source == at) return c->nodes[i];
    return NULL;
}

static ll_rc resolve_references(struct compiler *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct text pointer;

        if (!json_member_text(c->nodes[i]->source, "$ref", &pointer)) continue;
        c->nodes[i]->reference = node_at(c, pointer);
        if (c->nodes[i]->reference == NULL)
            return ll_fail(c->err, LL_EINVAL, "schema: $ref \"%.*s\" leads to no schema",
                           TEXT_ARGS(pointer));
    }
    return LL_OK;
}

/* The longest chain of schemas that all say of one value. Each round lengthens what is
 * known by one, so a cycle shows as a chain that goes on. */
static ll_rc bound_chains(struct compiler *c)
{
    for (unsigned round = 0; round <= SCHEMA_IN_PLACE; round++) {
        bool grew = false;

        for (size_t i = 0; i < c->count; i++) {
            unsigned longest = schema_node_chain(c->nodes[i]);

            grew |= longest > c->nodes[i]->in_place;
            c->nodes[i]->in_place = longest;
        }
        if (!grew) return LL_OK;
    }
    return ll_fail(
        c->err, LL_EINVAL,
        "schema: $ref, allOf, anyOf, oneOf and not lead in a circle, or through "
        "more than %d schemas",
        SCHEMA_IN_PLACE);
}

ll_rc schema_compile(json_t *document, struct schema **out, struct ll_error *err)
{
    struct schema *s = ll_calloc(1, sizeof(*s));
    struct compiler c = {.schema = s, .err = err};
    ll_rc rc;

    s->document = json_incref(document);
    arena_init(&s->arena, ARENA);
    c.nodes = ll_calloc(SCHEMA_NODES, sizeof(void *));
    rc = compile(&c, document, NULL, &s->root);
    if (rc == LL_OK) rc = resolve_references(&c);
    if (rc == LL_OK) rc = bound_chains(&c);
    free(c.nodes);
    *out = rc == LL_OK ? s : NULL;
    if (rc != LL_OK) schema_free(s);
    return rc;
}
