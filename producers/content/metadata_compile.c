/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata_compile.c - a schema's members as rules, in the order in which they speak. */
#include "producers/content/metadata_node.h"

#include "core/base/embedded.h"

#include <stdlib.h>
#include <string.h>

enum {
    ARENA = 4 * 1024 * 1024,
    DEPTH = 32, /* of subschemas: a $ref that goes round is refused by it */
    NUMBERS = METADATA_NUMBER | METADATA_INTEGER
};

struct run {
    struct metadata_schema *schema;
    struct ll_error *err;
    unsigned depth;
};

/* What a keyword's argument is. */
enum argument {
    A_VALUE,
    A_PATTERN,
    A_SCHEMA,
    A_SCHEMAS,   /* an array of them */
    A_PROPERTIES /* an object of them */
};

static const struct {
    const char *name;
    enum metadata_keyword keyword;
    unsigned types;
    enum argument argument;
} keywords[] = {
    {"maximum", KEY_MAXIMUM, NUMBERS, A_VALUE},
    {"minimum", KEY_MINIMUM, NUMBERS, A_VALUE},
    {"maxLength", KEY_MAX_LENGTH, METADATA_STRING, A_VALUE},
    {"minLength", KEY_MIN_LENGTH, METADATA_STRING, A_VALUE},
    {"pattern", KEY_PATTERN, METADATA_STRING, A_PATTERN},
    {"const", KEY_CONST, 0, A_VALUE},
    {"enum", KEY_ENUM, 0, A_VALUE},
    {"oneOf", KEY_ONE_OF, 0, A_SCHEMAS},
    {"if", KEY_IF, 0, A_SCHEMA},
    {"_isThirdParty", KEY_THIRD_PARTY, 0, A_SCHEMA},
    {"maxItems", KEY_MAX_ITEMS, METADATA_ARRAY, A_VALUE},
    {"minItems", KEY_MIN_ITEMS, METADATA_ARRAY, A_VALUE},
    {"items", KEY_ITEMS, METADATA_ARRAY, A_SCHEMA},
    {"contains", KEY_CONTAINS, METADATA_ARRAY, A_SCHEMA},
    {"containsMember", KEY_CONTAINS_MEMBER, METADATA_ARRAY, A_VALUE},
    {"uniqueItems", KEY_UNIQUE_ITEMS, METADATA_ARRAY, A_VALUE},
    {"uniqueItemProperties", KEY_UNIQUE_PROPERTIES, METADATA_ARRAY, A_VALUE},
    {"minProperties", KEY_MIN_PROPERTIES, METADATA_OBJECT, A_VALUE},
    {"required", KEY_REQUIRED, METADATA_OBJECT, A_VALUE},
    {"additionalProperties", KEY_OTHERS, METADATA_OBJECT, A_SCHEMA},
    {"dependencies", KEY_DEPENDENCIES, METADATA_OBJECT, A_VALUE},
    {"dependentSchemas", KEY_DEPENDENT, METADATA_OBJECT, A_PROPERTIES},
    {"properties", KEY_PROPERTIES, METADATA_OBJECT, A_PROPERTIES},
    {"patternProperties", KEY_PATTERN_PROPERTIES, METADATA_OBJECT, A_PROPERTIES},
    {"prohibited", KEY_PROHIBITED, METADATA_OBJECT, A_VALUE},
};

static const struct {
    const char *name;
    unsigned bit;
} type_names[] = {
    {"null", METADATA_NULL},       {"boolean", METADATA_BOOLEAN},
    {"string", METADATA_STRING},   {"array", METADATA_ARRAY},
    {"object", METADATA_OBJECT},   {"number", METADATA_NUMBER},
    {"integer", METADATA_INTEGER},
};

static const char *const silent[] = {"type",    "nullable",     "then",
                                     "else",    "errorMessage", "definitions",
                                     "$schema", "title",        "description"};

static const struct metadata_node *compile(struct run *run, json_t *schema);

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0) return true;
    return false;
}

static unsigned type_bit(const json_t *name)
{
    for (size_t i = 0; i < LL_LENGTH(type_names); i++)
        if (json_is_string(name) &&
            strcmp(type_names[i].name, json_string_value(name)) == 0)
            return type_names[i].bit;
    return 0;
}

static unsigned types_of(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    unsigned types = type_bit(type);

    for (size_t i = 0; i < json_array_size(type); i++)
        types |= type_bit(json_array_get(type, i));
    if (json_is_true(json_object_get(schema, "nullable"))) types |= METADATA_NULL;
    return types;
}

/* A definition with the members beside its $ref; a new reference. */
static json_t *resolve(struct run *run, json_t *schema)
{
    struct text path, prefix = TEXT("#/definitions/");
    json_t *definition, *merged;

    if (!json_member_text(schema, "$ref", &path)) return json_incref(schema);
    definition =
        text_starts_with(path, prefix.ptr)
            ? json_object_get(json_object_get(run->schema->document, "definitions"),
                              path.ptr + prefix.len)
            : NULL;
    if (definition == NULL) {
        ll_fail(run->err, LL_EINVAL, "no definition \"%.*s\"", TEXT_ARGS(path));
        return NULL;
    }
    merged = json_copy(definition);
    LL_CHECK(merged != NULL && json_object_update(merged, schema) == 0);
    LL_CHECK(json_object_del(merged, "$ref") == 0);
    return merged;
}

static const struct pattern *compile_pattern(struct run *run, const char *text)
{
    const struct pattern *pattern = NULL;

    if (pattern_compile(text_of(text), &run->schema->arena, &pattern, run->err) != LL_OK)
        return NULL;
    return pattern;
}

static bool add_child(struct run *run, struct metadata_rule *rule, const char *name,
                      json_t *schema)
{
    struct metadata_child *child = &rule->children[rule->child_count++];

    child->name = name;
    child->node = compile(run, schema);
    return child->node != NULL;
}

static bool compile_list(struct run *run, struct metadata_rule *rule)
{
    size_t n = json_array_size(rule->argument);

    rule->children = arena_calloc(&run->schema->arena, n + 1, sizeof(*rule->children));
    for (size_t i = 0; i < n; i++)
        if (!add_child(run, rule, NULL, json_array_get(rule->argument, i))) return false;
    return true;
}

static bool compile_properties(struct run *run, struct metadata_rule *rule,
                               json_t *properties)
{
    const char *name;
    json_t *schema;

    rule->children = arena_calloc(&run->schema->arena, json_object_size(properties) + 1,
                                  sizeof(*rule->children));
    json_object_foreach(properties, name, schema)
    {
        struct metadata_child *child = &rule->children[rule->child_count];

        if (!add_child(run, rule, name, schema)) return false;
        if (rule->keyword != KEY_PATTERN_PROPERTIES) continue;
        child->pattern = compile_pattern(run, name);
        if (child->pattern == NULL) return false;
    }
    return true;
}

/* One schema; `if` has two more beside it, of which either may be missing. */
static bool compile_schemas(struct run *run, const json_t *around,
                            struct metadata_rule *rule, json_t *schema)
{
    json_t *then = json_object_get(around, "then"),
           *otherwise = json_object_get(around, "else");

    rule->children = arena_calloc(&run->schema->arena, 3, sizeof(*rule->children));
    if (!add_child(run, rule, NULL, schema)) return false;
    if (rule->keyword != KEY_IF) return true;
    if (then == NULL || otherwise == NULL) {
        ll_fail(run->err, LL_EINVAL, "`if` without `then` and `else`");
        return false;
    }
    return add_child(run, rule, "then", then) && add_child(run, rule, "else", otherwise);
}

static bool compile_rule(struct run *run, const json_t *around, size_t which,
                         json_t *argument, struct metadata_rule *rule)
{
    *rule = (struct metadata_rule){.keyword = keywords[which].keyword,
                                   .types = keywords[which].types,
                                   .name = keywords[which].name,
                                   .argument = argument};
    if (rule->keyword == KEY_OTHERS && json_is_false(argument)) {
        rule->keyword = KEY_NO_OTHERS;
        return true;
    }
    switch (keywords[which].argument) {
    case A_VALUE: return true;
    case A_PATTERN:
        rule->pattern = compile_pattern(run, json_string_value(argument));
        return rule->pattern != NULL;
    case A_SCHEMA: return compile_schemas(run, around, rule, argument);
    case A_SCHEMAS: return compile_list(run, rule);
    case A_PROPERTIES: return compile_properties(run, rule, argument);
    }
    LL_BUG("an argument of an unknown kind");
}

static bool compile_member(struct run *run, const json_t *around, const char *name,
                           json_t *argument, struct metadata_node *node)
{
    struct metadata_rule *rule = &node->rules[node->rule_count];

    if (is_one_of(name, silent, LL_LENGTH(silent))) return true;
    for (size_t i = 0; i < LL_LENGTH(keywords); i++) {
        if (strcmp(keywords[i].name, name) != 0) continue;
        /* `true` says nothing: any other member may be there. */
        if (keywords[i].keyword == KEY_OTHERS && json_is_true(argument)) return true;
        node->rule_count++;
        return compile_rule(run, around, i, argument, rule);
    }
    *rule = (struct metadata_rule){
        .keyword = KEY_CHECK, .name = name, .check = metadata_keyword_find(name)};
    if (rule->check != NULL) {
        node->rule_count++;
        return true;
    }
    ll_fail(run->err, LL_EINVAL, "unknown keyword `%s`", name);
    return false;
}

static int by_keyword(const void *a, const void *b)
{
    const struct metadata_rule *x = a, *y = b;

    return ((int)x->keyword > (int)y->keyword) - ((int)x->keyword < (int)y->keyword);
}

/* One type that has rules of its own is complained of in their place, any other type
 * first of all. */
static bool says_type_first(const struct metadata_node *node)
{
    for (size_t i = 0; i < node->rule_count; i++)
        if (node->rules[i].types != 0 && (node->rules[i].types & node->types) != 0 &&
            (node->types & (node->types - 1)) == 0 && node->types != METADATA_INTEGER)
            return false;
    return true;
}

static bool compile_members(struct run *run, json_t *schema, struct metadata_node *node)
{
    const char *name;
    json_t *argument;

    node->source = schema;
    node->types = types_of(schema);
    node->error_message = json_object_get(schema, "errorMessage");
    node->rules = arena_calloc(&run->schema->arena, json_object_size(schema) + 1,
                               sizeof(*node->rules));
    json_object_foreach(
        schema, name,
        argument) if (!compile_member(run, schema, name, argument, node)) return false;
    qsort(node->rules, node->rule_count, sizeof(*node->rules), by_keyword);
    node->is_type_said_first = says_type_first(node);
    return true;
}

static const struct metadata_node *compile(struct run *run, json_t *schema)
{
    struct metadata_node *node =
        arena_calloc(&run->schema->arena, 1, sizeof(struct metadata_node));
    json_t *resolved = NULL;
    bool ok = false;

    if (++run->depth > DEPTH || !json_is_object(schema))
        ll_fail(run->err, LL_EINVAL, "a schema too deep, or no object");
    else
        resolved = resolve(run, schema);
    if (resolved != NULL) {
        ok = compile_members(run, resolved, node);
        /* What was merged is kept alive by the document. */
        LL_CHECK(json_array_append_new(json_object_get(run->schema->document, "$merged"),
                                       resolved) == 0);
    }
    run->depth--;
    return ok ? node : NULL;
}

ll_rc metadata_schema_load(const char *path, struct metadata_schema **out,
                           struct ll_error *err)
{
    struct metadata_schema *s = ll_calloc(1, sizeof(*s));
    struct run run = {.schema = s, .err = err};
    struct text file;
    ll_rc rc;

    *out = s;
    arena_init(&s->arena, ARENA);
    if (!embedded_find(path, &file)) LL_BUG("a schema that the binary does not carry");
    rc = json_parse(file, JSON_DEPTH, &s->document, err);
    if (rc == LL_OK) {
        json_t *root = s->document;

        s->document = json_pack("{s:O?, s:[]}", "definitions",
                                json_object_get(root, "definitions"), "$merged");
        LL_CHECK(s->document != NULL);
        s->root = compile(&run, root);
        if (s->root == NULL) rc = LL_EINVAL;
        json_decref(root);
    }
    if (rc == LL_OK) return LL_OK;
    ll_error_prefix(err, "%s", path);
    metadata_schema_free(s);
    *out = NULL;
    return LL_EINVAL;
}

void metadata_schema_free(struct metadata_schema *s)
{
    if (s == NULL) return;
    arena_fini(&s->arena);
    json_decref(s->document);
    free(s);
}
