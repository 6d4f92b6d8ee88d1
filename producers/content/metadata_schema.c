/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata_schema.c - the walk over a value, collecting what is wrong with it. */
#include "core/base/json_js.h"
#include "producers/content/entity.h"
#include "producers/content/metadata_walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PROBLEMS = 4000 }; /* then the walk stops: enough has been said */

void metadata_add(struct metadata_run *run, const char *keyword, const char *property,
                  const char *message)
{
    if (run->count >= MOST_PROBLEMS) {
        run->full = true;
        return;
    }
    if (run->count == run->capacity) {
        run->capacity = run->capacity == 0 ? 64 : run->capacity * 2;
        run->problems = ll_realloc(run->problems, run->capacity * sizeof(*run->problems));
    }
    run->problems[run->count++] =
        (struct metadata_problem){run->level, keyword, property, message};
}

static unsigned type_of(const json_t *value)
{
    if (value == NULL) return 0;
    switch (json_typeof(value)) {
    case JSON_OBJECT: return METADATA_OBJECT;
    case JSON_ARRAY: return METADATA_ARRAY;
    case JSON_STRING: return METADATA_STRING;
    case JSON_TRUE:
    case JSON_FALSE: return METADATA_BOOLEAN;
    case JSON_NULL: return METADATA_NULL;
    case JSON_INTEGER: return METADATA_NUMBER | METADATA_INTEGER;
    case JSON_REAL: break;
    }
    return METADATA_NUMBER |
           (floor(json_real_value(value)) == json_real_value(value) ? METADATA_INTEGER
                                                                    : 0U);
}

bool metadata_is_equal(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return !(json_number_value(a) < json_number_value(b)) &&
               !(json_number_value(a) > json_number_value(b));
    return json_equal(a, b) == 1;
}

/* A trial on its own: what is said of it is forgotten. */
static bool is_valid(struct metadata_run *run, const struct metadata_node *node,
                     const json_t *value)
{
    size_t before = run->count, base = run->base;
    bool ok;

    run->base = before;
    ok = metadata_walk(run, node, value, NULL);
    run->base = base;
    run->count = before;
    return ok;
}

static size_t characters(struct text t)
{
    size_t n = 0;

    for (size_t i = 0; i < t.len; i++) n += ((unsigned char)t.ptr[i] & 0xc0) != 0x80;
    return n;
}

static bool check_number(struct metadata_run *run, const struct metadata_rule *rule,
                         double number)
{
    double limit = json_number_value(rule->argument);

    if (rule->keyword == KEY_MAXIMUM)
        return number <= limit || METADATA_SAY(run, rule, "must be <= %g", limit);
    return number >= limit || METADATA_SAY(run, rule, "must be >= %g", limit);
}

static bool check_string(struct metadata_run *run, const struct metadata_rule *rule,
                         struct text t)
{
    json_int_t limit = json_integer_value(rule->argument);

    switch (rule->keyword) {
    case KEY_MAX_LENGTH:
        return (json_int_t)characters(t) <= limit ||
               METADATA_SAY(run, rule, "must NOT have more than %lld characters",
                            (long long)limit);
    case KEY_MIN_LENGTH:
        return (json_int_t)characters(t) >= limit ||
               METADATA_SAY(run, rule, "must NOT have fewer than %lld characters",
                            (long long)limit);
    default:
        return pattern_matches(rule->pattern, t) ||
               METADATA_SAY(run, rule, "must match pattern \"%s\"",
                            json_string_value(rule->argument));
    }
}

static bool check_enum(struct metadata_run *run, const struct metadata_rule *rule,
                       const json_t *value)
{
    for (size_t i = 0; i < json_array_size(rule->argument); i++)
        if (metadata_is_equal(json_array_get(rule->argument, i), value)) return true;
    return METADATA_SAY_TEXT(run, rule, "must be equal to one of the allowed values");
}

static bool check_one_of(struct metadata_run *run, const struct metadata_rule *rule,
                         const json_t *value)
{
    size_t before = run->count, passed = 0;

    for (size_t i = 0; i < rule->child_count && passed < 2; i++)
        passed += metadata_walk(run, rule->children[i].node, value, NULL);
    if (passed != 1)
        return METADATA_SAY_TEXT(run, rule, "must match exactly one schema in oneOf");
    run->count = before;
    return true;
}

static bool check_if(struct metadata_run *run, const struct metadata_rule *rule,
                     const json_t *value)
{
    const struct metadata_child *branch =
        &rule->children[is_valid(run, rule->children[0].node, value) ? 1 : 2];

    return metadata_walk(run, branch->node, value, NULL) ||
           METADATA_SAY(run, rule, "must match \"%s\" schema", branch->name);
}

static bool check_any(struct metadata_run *run, const struct metadata_rule *rule,
                      const json_t *value)
{
    switch (rule->keyword) {
    case KEY_CONST:
        return metadata_is_equal(rule->argument, value) ||
               METADATA_SAY_TEXT(run, rule, "must be equal to constant");
    case KEY_ENUM: return check_enum(run, rule, value);
    case KEY_ONE_OF: return check_one_of(run, rule, value);
    case KEY_IF: return check_if(run, rule, value);
    case KEY_CHECK:
        if (rule->check(value)) return true;
        break;
    default:
        if (is_valid(run, rule->children[0].node, value)) return true;
        break;
    }
    return METADATA_SAY(run, rule, "must pass \"%s\" keyword validation", rule->name);
}

static bool check_rule(struct metadata_run *run, const struct metadata_node *node,
                       const struct metadata_rule *rule, const json_t *value,
                       const json_t *around)
{
    if (rule->types == 0) return check_any(run, rule, value);
    if (rule->types == METADATA_OBJECT)
        return metadata_check_object(run, node, rule, (json_t *)(uintptr_t)value);
    if (rule->types == METADATA_ARRAY)
        return metadata_check_array(run, rule, value, around);
    if (rule->types == METADATA_STRING)
        return check_string(
            run, rule,
            (struct text){json_string_value(value), json_string_length(value)});
    return check_number(run, rule, json_number_value(value));
}

/* "must be null,array" */
static void say_type(struct metadata_run *run, const struct metadata_node *node)
{
    const json_t *type = json_object_get(node->source, "type");
    struct builder names;

    builder_init(&names, 200);
    builder_string(&names, "must be ");
    if (json_is_string(type)) builder_string(&names, json_string_value(type));
    for (size_t i = 0; i < json_array_size(type); i++)
        builder_printf(&names, "%s%s", i > 0 ? "," : "",
                       json_string_value(json_array_get(type, i)));
    metadata_add(run, "type", NULL, arena_string(run->arena, names.ptr));
    builder_fini(&names);
}

/* Drop what a keyword said at this level since `start` (about a property, if that is
 * given), or all that any keyword said from this level on, if `keyword` is NULL. True
 * when there was something. */
static bool take_back(struct metadata_run *run, size_t start, const char *keyword,
                      const char *property)
{
    size_t kept = start, count = run->count;

    for (size_t i = start; i < count; i++) {
        const struct metadata_problem *p = &run->problems[i];
        bool drop = p->keyword != NULL;

        if (keyword != NULL)
            drop = drop && p->level == run->level && strcmp(p->keyword, keyword) == 0;
        if (property != NULL)
            drop = drop && p->property != NULL && strcmp(p->property, property) == 0;
        if (!drop) run->problems[kept++] = *p;
    }
    run->count = kept;
    return kept < count;
}

/* A text may end with ${1/NAME}: the member NAME of the object around, as JSON. */
static const char *fill_in(struct metadata_run *run, const char *text,
                           const json_t *around)
{
    const char *place = strstr(text, "${1/");
    struct builder filled;
    char *member, *value;

    if (place == NULL) return text;
    member = arena_printf(run->arena, "%.*s", (int)strcspn(place + 4, "}"), place + 4);
    value = json_dumps(json_object_get(around, member), JSON_COMPACT | JSON_ENCODE_ANY);
    builder_init(&filled, ENTITY_FILE_SIZE);
    builder_add(&filled, text, (size_t)(place - text));
    if (value != NULL && json_js_write(text_of(value), &filled, NULL) == LL_OK)
        text = arena_printf(run->arena, "%.*s", ENTITY_ERROR_TEXT, filled.ptr);
    builder_fini(&filled);
    free(value);
    return text;
}

static void join(struct builder *joined, const char *text)
{
    builder_printf(joined, "%s%s", joined->len > 0 ? ";" : "", text);
}

static void replace_by_property(struct metadata_run *run, size_t start,
                                const char *keyword, json_t *texts)
{
    const char *property;
    json_t *text;

    json_object_foreach(texts, property,
                        text) if (take_back(run, start, keyword, property))
        metadata_add(run, NULL, NULL, json_string_value(text));
}

/* Texts for keywords come as one; the validator says an empty one where nothing was
 * replaced, and so do we. */
static void replace_by_keyword(struct metadata_run *run, size_t start, json_t *texts,
                               const json_t *around)
{
    const char *keyword;
    struct builder joined;
    json_t *text;

    builder_init(&joined, ENTITY_ERROR_TEXT);
    json_object_foreach(texts, keyword, text) if (take_back(run, start, keyword, NULL))
        join(&joined, fill_in(run, json_string_value(text), around));
    metadata_add(run, NULL, NULL,
                 joined.len > 0 ? arena_string(run->arena, joined.ptr) : "");
    builder_fini(&joined);
}

/* errorMessage: its words instead of those since `start`. The validator asks for them
 * wherever anything at all is wrong so far. */
static void replace_words(struct metadata_run *run, const struct metadata_node *node,
                          size_t start, const json_t *around)
{
    json_t *texts = (json_t *)(uintptr_t)node->error_message;
    json_t *required = json_object_get(texts, "required");

    if (run->count == run->base) return;
    if (json_is_object(required))
        replace_by_property(run, start, "required", required);
    else if (json_is_object(texts))
        replace_by_keyword(run, start, texts, around);
    else if (take_back(run, start, NULL, NULL))
        metadata_add(run, NULL, NULL, json_string_value(texts));
}

static void check_rules(struct metadata_run *run, const struct metadata_node *node,
                        const json_t *value, const json_t *around)
{
    unsigned type = type_of(value);
    bool is_said = node->types == 0 || (node->types & type) != 0;

    if (!is_said && node->is_type_said_first) {
        say_type(run, node);
        is_said = true;
    }
    for (size_t i = 0; i < node->rule_count && !run->full; i++) {
        const struct metadata_rule *rule = &node->rules[i];

        if (rule->types == 0 || (rule->types & type) != 0) {
            check_rule(run, node, rule, value, around);
        } else if (!is_said && (rule->types & node->types) != 0) {
            say_type(run, node);
            is_said = true;
        }
    }
}

bool metadata_walk(struct metadata_run *run, const struct metadata_node *node,
                   const json_t *value, const json_t *around)
{
    size_t start = run->count;

    if (run->full) return false;
    run->level++;
    check_rules(run, node, value, around);
    if (node->error_message != NULL) replace_words(run, node, start, around);
    run->level--;
    return run->count == start && !run->full;
}

bool metadata_schema_check(const struct metadata_schema *s, const json_t *value,
                           struct entity_errors *errors)
{
    struct metadata_run run = {.arena = errors->arena};
    bool ok = metadata_walk(&run, s->root, value, NULL);

    for (size_t i = 0; !ok && i < run.count; i++)
        entity_refuse(errors, "%s", run.problems[i].message);
    free(run.problems);
    return ok;
}
