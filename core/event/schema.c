/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema.c - the table of keywords, and what is asked of a schema besides validation. */
#include "core/event/schema_node.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct schema_node, field)

/* Sorted by name. */
static const struct schema_keyword keywords[] = {
    {"$comment", KEYWORD_WORDS, 0},
    {"$id", KEYWORD_WORDS, 0},
    {"$ref", KEYWORD_REFERENCE, AT(reference)},
    {"$schema", KEYWORD_DIALECT, 0},
    {"additionalProperties", KEYWORD_SCHEMA, AT(additional)},
    {"allOf", KEYWORD_LIST, AT(all_of)},
    {"anyOf", KEYWORD_LIST, AT(any_of)},
    {"const", KEYWORD_VALUE, AT(value)},
    {"default", KEYWORD_NOTE, 0},
    {"definitions", KEYWORD_DEFINITIONS, 0},
    {"description", KEYWORD_WORDS, 0},
    {"enum", KEYWORD_ENUM, AT(one_of_values)},
    {"examples", KEYWORD_NOTE, 0},
    {"exclusiveMaximum", KEYWORD_NUMBER, AT(below)},
    {"exclusiveMinimum", KEYWORD_NUMBER, AT(above)},
    {"format", KEYWORD_FORMAT, 0},
    {"items", KEYWORD_SCHEMA, AT(items)},
    {"maxItems", KEYWORD_COUNT, AT(item_count.most)},
    {"maxLength", KEYWORD_COUNT, AT(length.most)},
    {"maxProperties", KEYWORD_COUNT, AT(member_count.most)},
    {"maximum", KEYWORD_NUMBER, AT(maximum)},
    {"minItems", KEYWORD_COUNT, AT(item_count.least)},
    {"minLength", KEYWORD_COUNT, AT(length.least)},
    {"minProperties", KEYWORD_COUNT, AT(member_count.least)},
    {"minimum", KEYWORD_NUMBER, AT(minimum)},
    {"multipleOf", KEYWORD_FACTOR, AT(multiple_of)},
    {"not", KEYWORD_SCHEMA, AT(not_this)},
    {"oneOf", KEYWORD_LIST, AT(one_of)},
    {"pattern", KEYWORD_PATTERN, 0},
    {"properties", KEYWORD_PROPERTIES, AT(properties)},
    {"propertyNames", KEYWORD_SCHEMA, AT(names)},
    {"required", KEYWORD_NAMES, AT(required)},
    {"title", KEYWORD_WORDS, 0},
    {"type", KEYWORD_TYPE, AT(types)},
    {"uniqueItems", KEYWORD_FLAG, AT(unique_items)},
};

static int by_name(const void *name, const void *row)
{
    return strcmp(name, ((const struct schema_keyword *)row)->name);
}

const struct schema_keyword *schema_keyword_find(const char *name)
{
    return bsearch(name, keywords, LL_LENGTH(keywords), sizeof(keywords[0]), by_name);
}

static int by_text(const void *name, const void *row)
{
    return text_compare(*(const struct text *)name,
                        ((const struct schema_property *)row)->name);
}

const struct schema_property *schema_node_property(const struct schema_node *node,
                                                   struct text name)
{
    if (node->property_count == 0) return NULL;
    return bsearch(&name, node->properties, node->property_count,
                   sizeof(*node->properties), by_text);
}

static unsigned longest_of(const struct schema_list *list)
{
    unsigned longest = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->nodes[i]->in_place + 1 > longest)
            longest = list->nodes[i]->in_place + 1;
    return longest;
}

unsigned schema_node_chain(const struct schema_node *node)
{
    unsigned all[] = {
        node->reference == NULL ? 0 : node->reference->in_place + 1,
        node->not_this == NULL ? 0 : node->not_this->in_place + 1,
        longest_of(&node->all_of),
        longest_of(&node->any_of),
        longest_of(&node->one_of),
    };
    unsigned longest = 0;

    for (size_t i = 0; i < LL_LENGTH(all); i++)
        if (all[i] > longest) longest = all[i];
    return longest;
}

struct schema_member schema_member(const struct schema *s, const char *name)
{
    const struct schema_property *p = schema_node_property(s->root, text_of(name));
    const struct schema_node *n = p == NULL ? NULL : p->node;

    if (n == NULL) return (struct schema_member){0};
    while (n->reference != NULL) n = n->reference;
    return (struct schema_member){
        .is_known = true,
        .is_required = p->is_required,
        .is_text = n->types == TYPE_STRING,
        .is_integer = n->types == TYPE_INTEGER,
        .is_bounded = n->pattern != NULL || n->format != NULL ||
                      n->one_of_values != NULL || n->value != NULL,
    };
}

bool schema_is_open(const struct schema *s)
{
    return s->root->additional == NULL || !s->root->additional->refuses_all;
}

const char *schema_required_at(const struct schema *s, size_t i)
{
    return json_string_value(json_array_get(s->root->required, i));
}

void schema_free(struct schema *s)
{
    if (s == NULL) return;
    json_decref(s->document);
    arena_fini(&s->arena);
    free(s);
}

/* ---- without the words ---- */

static json_t *bare(const json_t *schema, bool is_root);

static json_t *bare_each(const json_t *list)
{
    json_t *copy = json_array();

    for (size_t i = 0; i < json_array_size(list); i++)
        json_array_append_new(copy, bare(json_array_get(list, i), false));
    return copy;
}

static json_t *bare_map(json_t *map)
{
    json_t *copy = json_object(), *value;
    const char *name;

    json_object_foreach(map, name, value)
        json_object_set_new(copy, name, bare(value, false));
    return copy;
}

/* The value of a keyword that says something, or NULL for an annotation. */
static json_t *bare_value(const struct schema_keyword *k, json_t *value)
{
    switch (k->kind) {
    case KEYWORD_WORDS:
    case KEYWORD_NOTE:
    case KEYWORD_DIALECT: return NULL;
    case KEYWORD_SCHEMA: return bare(value, false);
    case KEYWORD_LIST: return bare_each(value);
    case KEYWORD_PROPERTIES:
    case KEYWORD_DEFINITIONS: return bare_map(value);
    default: return json_deep_copy(value);
    }
}

static json_t *bare(const json_t *schema, bool is_root)
{
    json_t *source = (json_t *)schema, *copy, *value;
    const char *name;

    if (!json_is_object(schema)) return json_deep_copy(schema);
    copy = json_object();
    json_object_foreach(source, name, value)
    {
        const struct schema_keyword *k = schema_keyword_find(name);
        json_t *kept = NULL;

        if (k != NULL)
            kept = bare_value(k, value);
        else if (is_root)
            kept = json_deep_copy(value);
        if (kept != NULL) json_object_set_new(copy, name, kept);
    }
    return copy;
}

json_t *schema_bare(const json_t *document)
{
    return bare(document, true);
}
