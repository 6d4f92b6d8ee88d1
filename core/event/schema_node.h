/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema_node.h - what schema_compile.c makes and schema_validate.c walks. */
#ifndef LL_SCHEMA_NODE_H
#define LL_SCHEMA_NODE_H

#include "core/event/pattern.h"
#include "core/event/schema.h"

/* Bits of schema_node.types; a whole number is TYPE_INTEGER | TYPE_NUMBER. */
enum {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_OBJECT = 4,
    TYPE_ARRAY = 8,
    TYPE_NUMBER = 16,
    TYPE_STRING = 32,
    TYPE_INTEGER = 64
};

struct schema_node;

struct schema_list {
    size_t count;
    const struct schema_node **nodes;
};

struct schema_property {
    struct text name;
    bool is_required;
    const struct schema_node *node;
};

/* How many of something; `most` SIZE_MAX where nothing limits it. */
struct schema_range {
    size_t least, most;
};

struct schema_node {
    const json_t *source; /* the subschema; what else is here points into it */
    unsigned in_place;    /* the longest chain of schemas about the same value */
    bool refuses_all;     /* the schema `false` */
    unsigned types;       /* 0: any */
    const struct schema_node *reference;
    const json_t *one_of_values, *value; /* enum, const */

    const json_t *minimum, *maximum, *above, *below, *multiple_of;

    struct schema_range length;
    const struct pattern *pattern;
    const char *pattern_text;
    bool (*format)(struct text t);
    const char *format_name;

    const struct schema_node *items;
    struct schema_range item_count;
    bool unique_items;

    size_t property_count;
    struct schema_property *properties; /* sorted by name */
    const json_t *required;
    size_t required_count;
    const struct schema_node *additional, *names;
    struct schema_range member_count;

    struct schema_list all_of, any_of, one_of;
    const struct schema_node *not_this;
};

struct schema {
    json_t *document;
    struct arena arena;
    const struct schema_node *root;
};

/* What kind of value a keyword has, and where in the node it goes. */
struct schema_keyword {
    const char *name;
    enum schema_kind {
        KEYWORD_WORDS,   /* an annotation: a string */
        KEYWORD_NOTE,    /* an annotation: anything */
        KEYWORD_DIALECT, /* $schema */
        KEYWORD_TYPE,
        KEYWORD_ENUM,
        KEYWORD_VALUE,  /* const json_t *: anything */
        KEYWORD_NUMBER, /* const json_t * */
        KEYWORD_FACTOR, /* const json_t *: a number above 0 */
        KEYWORD_COUNT,  /* size_t */
        KEYWORD_FLAG,   /* bool */
        KEYWORD_PATTERN,
        KEYWORD_FORMAT,
        KEYWORD_NAMES,      /* const json_t *: a list of strings */
        KEYWORD_SCHEMA,     /* const struct schema_node * */
        KEYWORD_LIST,       /* struct schema_list */
        KEYWORD_PROPERTIES, /* a map of schemas */
        KEYWORD_DEFINITIONS,
        KEYWORD_REFERENCE
    } kind;
    size_t offset;
};

/* NULL when it is not known. */
const struct schema_keyword *schema_keyword_find(const char *name);

/* NULL when there is no such property. */
const struct schema_property *schema_node_property(const struct schema_node *node,
                                                   struct text name);
/* One more than the longest in_place of the schemas that say of the same value; 0 when
 * there is none. */
unsigned schema_node_chain(const struct schema_node *node);
/* The check of a format's name; NULL when it is not known. */
bool (*schema_format_find(const char *name))(struct text t);

/* Where a value is in its document, or a subschema in its own: a chain of frames on the
 * stack, from the inside out. */
struct schema_place {
    const struct schema_place *up; /* NULL: the root */
    const char *key;               /* NULL: an index */
    size_t index;
};
/* Write it as a JSON pointer (RFC 6901). */
void schema_place_print(const struct schema_place *place, struct builder *out);

#endif
