/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata_array.c - what schemas say of arrays. */
#include "producers/content/metadata_walk.h"

#include <stdlib.h>

static bool check_items(struct metadata_run *run, const struct metadata_rule *rule,
                        const json_t *array)
{
    bool ok = true;

    for (size_t i = 0; i < json_array_size(array) && !run->full; i++)
        ok = metadata_walk(run, rule->children[0].node, json_array_get(array, i), NULL) &&
             ok;
    return ok;
}

/* The items that are not right have their say, until one is. */
static bool check_contains(struct metadata_run *run, const struct metadata_rule *rule,
                           const json_t *array)
{
    size_t before = run->count;

    for (size_t i = 0; i < json_array_size(array) && !run->full; i++) {
        if (!metadata_walk(run, rule->children[0].node, json_array_get(array, i), NULL))
            continue;
        run->count = before;
        return true;
    }
    return METADATA_SAY_TEXT(run, rule, "must contain at least 1 valid item(s)");
}

static bool check_contains_member(struct metadata_run *run,
                                  const struct metadata_rule *rule, const json_t *array,
                                  const json_t *around)
{
    const json_t *wanted = json_object_get(around, json_string_value(rule->argument));
    size_t before = run->count;

    for (size_t i = 0; i < json_array_size(array) && !run->full; i++) {
        if (wanted == NULL || metadata_is_equal(wanted, json_array_get(array, i))) {
            run->count = before;
            return true;
        }
        metadata_add(run, "const", NULL, "must be equal to constant");
    }
    return METADATA_SAY_TEXT(run, rule, "must contain at least 1 valid item(s)");
}

struct placed {
    struct text text;
    size_t index;
};

static int by_text(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = text_compare(x->text, y->text);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* Which strings repeat: the pair that a search from the end meets first. */
static bool find_repeated(struct placed *strings, size_t n, size_t *first, size_t *second)
{
    bool found = false;

    qsort(strings, n, sizeof(*strings), by_text);
    for (size_t i = 1; i < n; i++) {
        if (!text_equal(strings[i - 1].text, strings[i].text)) continue;
        if (found && strings[i - 1].index < *first) continue;
        *first = strings[i - 1].index;
        *second = strings[i].index;
        found = true;
    }
    return found;
}

/* The strings of an array, or of a member of its objects. The caller frees them. */
static struct placed *collect_strings(const json_t *array, const char *member, size_t *n)
{
    struct placed *strings = ll_calloc(json_array_size(array) + 1, sizeof(*strings));

    *n = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);

        if (member != NULL) item = json_object_get(item, member);
        if (json_is_string(item))
            strings[(*n)++] = (struct placed){
                (struct text){json_string_value(item), json_string_length(item)}, i};
    }
    return strings;
}

static bool check_unique(struct metadata_run *run, const struct metadata_rule *rule,
                         const json_t *array)
{
    bool is_by_member = rule->keyword == KEY_UNIQUE_PROPERTIES;
    const char *member =
        is_by_member ? json_string_value(json_array_get(rule->argument, 0)) : NULL;
    size_t n, first = 0, second = 0;
    struct placed *strings = collect_strings(array, member, &n);
    bool repeats = find_repeated(strings, n, &first, &second);

    free(strings);
    if (!repeats) return true;
    if (is_by_member)
        return METADATA_SAY(run, rule, "must pass \"%s\" keyword validation", rule->name);
    return METADATA_SAY(
        run, rule, "must NOT have duplicate items (items ## %zu and %zu are identical)",
        second, first);
}

bool metadata_check_array(struct metadata_run *run, const struct metadata_rule *rule,
                          const json_t *array, const json_t *around)
{
    json_int_t limit = json_integer_value(rule->argument);
    json_int_t n = (json_int_t)json_array_size(array);

    switch (rule->keyword) {
    case KEY_MAX_ITEMS:
        return n <= limit || METADATA_SAY(run, rule, "must NOT have more than %lld items",
                                          (long long)limit);
    case KEY_MIN_ITEMS:
        return n >= limit ||
               METADATA_SAY(run, rule, "must NOT have fewer than %lld items",
                            (long long)limit);
    case KEY_ITEMS: return check_items(run, rule, array);
    case KEY_CONTAINS: return check_contains(run, rule, array);
    case KEY_CONTAINS_MEMBER: return check_contains_member(run, rule, array, around);
    default: return check_unique(run, rule, array);
    }
}
