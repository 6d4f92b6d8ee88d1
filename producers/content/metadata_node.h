/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata_node.h - what metadata_compile.c makes and metadata_schema.c walks. */
#ifndef LL_METADATA_NODE_H
#define LL_METADATA_NODE_H

#include "core/event/pattern.h"
#include "producers/content/metadata_schema.h"

/* Bits of a set of types; a whole number has both of the last. */
enum {
    METADATA_NULL = 1,
    METADATA_BOOLEAN = 2,
    METADATA_STRING = 4,
    METADATA_ARRAY = 8,
    METADATA_OBJECT = 16,
    METADATA_NUMBER = 32,
    METADATA_INTEGER = 64
};

/* In the order in which they are tried: numbers, strings, any value, arrays, objects. */
enum metadata_keyword {
    KEY_MAXIMUM,
    KEY_MINIMUM,
    KEY_MAX_LENGTH,
    KEY_MIN_LENGTH,
    KEY_PATTERN,
    KEY_CONST,
    KEY_ENUM,
    KEY_ONE_OF,
    KEY_IF,
    KEY_CHECK,       /* a function of metadata_keyword.c */
    KEY_THIRD_PARTY, /* another schema must be right, without words of its own */
    KEY_MAX_ITEMS,
    KEY_MIN_ITEMS,
    KEY_ITEMS,
    KEY_CONTAINS,
    KEY_CONTAINS_MEMBER,
    KEY_UNIQUE_ITEMS,
    KEY_UNIQUE_PROPERTIES,
    KEY_MIN_PROPERTIES,
    KEY_REQUIRED,
    KEY_NO_OTHERS, /* additionalProperties: false */
    KEY_OTHERS,    /* additionalProperties: a schema */
    KEY_DEPENDENCIES,
    KEY_DEPENDENT, /* dependencies on a schema */
    KEY_PROPERTIES,
    KEY_PATTERN_PROPERTIES,
    KEY_PROHIBITED
};

struct metadata_node;

struct metadata_child {
    const char *name;              /* of a property; or a pattern's text */
    const struct pattern *pattern; /* of patternProperties */
    const struct metadata_node *node;
};

struct metadata_rule {
    enum metadata_keyword keyword;
    unsigned types; /* of the values it says something about; 0: of all */
    const char *name;
    const json_t *argument;
    const struct pattern *pattern;
    bool (*check)(const json_t *value);
    size_t child_count;
    struct metadata_child *children; /* if, then, else; the schemas of oneOf ... */
};

struct metadata_node {
    const json_t *source;
    unsigned types;          /* 0: any; null is in it where it is nullable */
    bool is_type_said_first; /* else in the place of its rules */
    size_t rule_count;
    struct metadata_rule *rules; /* in the order of enum metadata_keyword */
    const json_t *error_message; /* a string, or an object by keyword; or NULL */
};

struct metadata_schema {
    json_t *document;
    struct arena arena;
    const struct metadata_node *root;
};

/* The check of that name; NULL when there is none. */
bool (*metadata_keyword_find(const char *name))(const json_t *value);

#endif
