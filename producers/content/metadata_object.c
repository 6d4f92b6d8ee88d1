/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata_object.c - what schemas say of objects. */
#include "producers/content/metadata_walk.h"

#include <string.h>

static bool check_required(struct metadata_run *run, const struct metadata_rule *rule,
                           const json_t *object)
{
    bool ok = true;

    for (size_t i = 0; i < json_array_size(rule->argument); i++) {
        const char *name = json_string_value(json_array_get(rule->argument, i));

        if (json_object_get(object, name) != NULL) continue;
        metadata_add(run, rule->name, name,
                     arena_printf(run->arena, "must have required property '%s'", name));
        ok = false;
    }
    return ok;
}

/* Is the member told of by the schema's properties or patternProperties? */
static bool is_known(const struct metadata_node *node, const char *name)
{
    for (size_t i = 0; i < node->rule_count; i++) {
        const struct metadata_rule *rule = &node->rules[i];

        if (rule->keyword != KEY_PROPERTIES && rule->keyword != KEY_PATTERN_PROPERTIES)
            continue;
        for (size_t k = 0; k < rule->child_count; k++) {
            const struct metadata_child *child = &rule->children[k];

            if (child->pattern != NULL ? pattern_matches(child->pattern, text_of(name))
                                       : strcmp(child->name, name) == 0)
                return true;
        }
    }
    return false;
}

static bool check_others(struct metadata_run *run, const struct metadata_node *node,
                         const struct metadata_rule *rule, json_t *object)
{
    const char *name;
    json_t *value;
    bool ok = true;

    json_object_foreach(object, name, value)
    {
        if (run->full) break;
        if (is_known(node, name)) continue;
        if (rule->keyword == KEY_NO_OTHERS)
            ok = METADATA_SAY_TEXT(run, rule, "must NOT have additional properties");
        else
            ok = metadata_walk(run, rule->children[0].node, value, object) && ok;
    }
    return ok;
}

static bool check_dependency(struct metadata_run *run, const struct metadata_rule *rule,
                             const json_t *object, const char *name, const json_t *needs)
{
    struct builder list;
    bool ok = true;

    if (json_object_get(object, name) == NULL) return true;
    builder_init(&list, 1000);
    for (size_t i = 0; i < json_array_size(needs); i++) {
        const char *need = json_string_value(json_array_get(needs, i));

        builder_printf(&list, "%s%s", i > 0 ? ", " : "", need);
        ok = ok && json_object_get(object, need) != NULL;
    }
    for (size_t i = 0; !ok && i < json_array_size(needs); i++)
        if (json_object_get(object, json_string_value(json_array_get(needs, i))) == NULL)
            metadata_add(
                run, rule->name, NULL,
                arena_printf(run->arena, "must have %s %s when property %s is present",
                             json_array_size(needs) == 1 ? "property" : "properties",
                             list.ptr, name));
    builder_fini(&list);
    return ok;
}

static bool check_dependencies(struct metadata_run *run, const struct metadata_rule *rule,
                               const json_t *object)
{
    json_t *all = (json_t *)(uintptr_t)rule->argument, *needs;
    const char *name;
    bool ok = true;

    json_object_foreach(all, name, needs) ok =
        check_dependency(run, rule, object, name, needs) && ok;
    return ok;
}

/* What the object must satisfy as a whole if it has a member. */
static bool check_dependent(struct metadata_run *run, const struct metadata_rule *rule,
                            const json_t *object)
{
    bool ok = true;

    for (size_t i = 0; i < rule->child_count; i++)
        if (json_object_get(object, rule->children[i].name) != NULL)
            ok = metadata_walk(run, rule->children[i].node, object, NULL) && ok;
    return ok;
}

static bool check_properties(struct metadata_run *run, const struct metadata_rule *rule,
                             const json_t *object)
{
    bool ok = true;

    for (size_t i = 0; i < rule->child_count && !run->full; i++) {
        const json_t *value = json_object_get(object, rule->children[i].name);

        if (value != NULL)
            ok = metadata_walk(run, rule->children[i].node, value, object) && ok;
    }
    return ok;
}

static bool check_patterns(struct metadata_run *run, const struct metadata_rule *rule,
                           json_t *object)
{
    const char *name;
    json_t *value;
    bool ok = true;

    for (size_t i = 0; i < rule->child_count; i++) {
        json_object_foreach(object, name, value)
        {
            if (run->full) break;
            if (!pattern_matches(rule->children[i].pattern, text_of(name))) continue;
            ok = metadata_walk(run, rule->children[i].node, value, object) && ok;
        }
    }
    return ok;
}

static bool check_prohibited(struct metadata_run *run, const struct metadata_rule *rule,
                             const json_t *object)
{
    for (size_t i = 0; i < json_array_size(rule->argument); i++) {
        const char *name = json_string_value(json_array_get(rule->argument, i));

        if (json_object_get(object, name) == NULL) continue;
        metadata_add(run, "not", NULL, "must NOT be valid");
        return METADATA_SAY(run, rule, "must pass \"%s\" keyword validation", rule->name);
    }
    return true;
}

bool metadata_check_object(struct metadata_run *run, const struct metadata_node *node,
                           const struct metadata_rule *rule, json_t *object)
{
    json_int_t limit = json_integer_value(rule->argument);

    switch (rule->keyword) {
    case KEY_MIN_PROPERTIES:
        return (json_int_t)json_object_size(object) >= limit ||
               METADATA_SAY(run, rule, "must NOT have fewer than %lld properties",
                            (long long)limit);
    case KEY_REQUIRED: return check_required(run, rule, object);
    case KEY_NO_OTHERS:
    case KEY_OTHERS: return check_others(run, node, rule, object);
    case KEY_DEPENDENCIES: return check_dependencies(run, rule, object);
    case KEY_DEPENDENT: return check_dependent(run, rule, object);
    case KEY_PROPERTIES: return check_properties(run, rule, object);
    case KEY_PATTERN_PROPERTIES: return check_patterns(run, rule, object);
    default: return check_prohibited(run, rule, object);
    }
}
