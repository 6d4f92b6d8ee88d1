/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema_validate.c - a value against a compiled schema.
 *
 * Recursion goes down values and, within one value, along $ref and the combinations;
 * schema_compile.c bounds the latter, JSON_DEPTH the former.
 */
#include "core/event/schema_node.h"

#include "core/event/codec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* DEPTH: of check() in itself, values and combinations together; a fiber's stack has room
 * for some times that. */
enum { MESSAGE = 300, DEPTH = 4 * JSON_DEPTH };

struct run {
    struct ll_error *err;
    size_t steps, depth;
    unsigned quiet; /* inside a combination: a refusal is not yet the answer */
    bool exhausted;
};

static bool check(struct run *run, const struct schema_node *n, const json_t *value,
                  const struct schema_place *at);

static bool fail(struct run *run, const struct schema_place *at, const char *keyword,
                 const char *fmt, ...) LL_PRINTF(4, 5);

static bool fail(struct run *run, const struct schema_place *at, const char *keyword,
                 const char *fmt, ...)
{
    struct builder place;
    char why[MESSAGE];
    va_list args;

    if (run->quiet > 0 || run->exhausted || run->err == NULL) return false;
    va_start(args, fmt);
    vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    builder_init(&place, MESSAGE);
    schema_place_print(at, &place);
    (void)ll_fail(run->err, LL_EINVAL, "\"%.*s\" fails %s: %s",
                  TEXT_ARGS(builder_view(&place)), keyword, why);
    builder_fini(&place);
    return false;
}

/* Count work; false when there was too much of it. */
static bool spend(struct run *run)
{
    if (++run->steps > SCHEMA_STEPS) run->exhausted = true;
    return !run->exhausted;
}

static struct text text_value(const json_t *string)
{
    return (struct text){json_string_value(string), json_string_length(string)};
}

static json_t *unlocked(const json_t *value)
{
    return (json_t *)value; /* for jansson's iterators; nothing is changed */
}

/* ---- numbers ---- */

/* An integer against a real without rounding the integer to one. */
static int compare_mixed(json_int_t a, double b)
{
    json_int_t whole;

    if (b >= 9223372036854775808.0) return -1;
    if (b < -9223372036854775808.0) return 1;
    whole = (json_int_t)floor(b);
    if (a != whole) return a < whole ? -1 : 1;
    return b > floor(b) ? -1 : 0;
}

static int compare_numbers(const json_t *a, const json_t *b)
{
    double x, y;

    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t i = json_integer_value(a), k = json_integer_value(b);

        return (i > k) - (i < k);
    }
    if (json_is_integer(a))
        return compare_mixed(json_integer_value(a), json_real_value(b));
    if (json_is_integer(b))
        return -compare_mixed(json_integer_value(b), json_real_value(a));
    x = json_real_value(a);
    y = json_real_value(b);
    return (x > y) - (x < y);
}

/* Reals carry a rounding error of their decimal form: one is a multiple when it is as
 * near to one as that. */
static bool is_multiple(const json_t *value, const json_t *factor)
{
    double a = json_number_value(value), b = json_number_value(factor);
    double times = rint(a / b);

    if (json_is_integer(value) && json_is_integer(factor))
        return json_integer_value(value) % json_integer_value(factor) == 0;
    if (!isfinite(times)) return false;
    return fabs(a - times * b) <= 4 * 2.220446049250313e-16 * fabs(a);
}

static bool check_number(struct run *run, const struct schema_node *n,
                         const json_t *value, const struct schema_place *at)
{
    if (n->minimum != NULL && compare_numbers(value, n->minimum) < 0)
        return fail(run, at, "minimum", "must be at least %.17g",
                    json_number_value(n->minimum));
    if (n->maximum != NULL && compare_numbers(value, n->maximum) > 0)
        return fail(run, at, "maximum", "must be at most %.17g",
                    json_number_value(n->maximum));
    if (n->above != NULL && compare_numbers(value, n->above) <= 0)
        return fail(run, at, "exclusiveMinimum", "must be above %.17g",
                    json_number_value(n->above));
    if (n->below != NULL && compare_numbers(value, n->below) >= 0)
        return fail(run, at, "exclusiveMaximum", "must be below %.17g",
                    json_number_value(n->below));
    if (n->multiple_of != NULL && !is_multiple(value, n->multiple_of))
        return fail(run, at, "multipleOf", "must be a multiple of %.17g",
                    json_number_value(n->multiple_of));
    return true;
}

/* ---- equality ---- */

static bool is_same(struct run *run, const json_t *a, const json_t *b);

static bool is_same_object(struct run *run, const json_t *a, const json_t *b)
{
    const char *name;
    size_t len;
    json_t *value;

    if (json_object_size(a) != json_object_size(b)) return false;
    json_object_keylen_foreach(unlocked(a), name, len, value)
    {
        const json_t *other = json_object_getn(b, name, len);

        if (other == NULL || !is_same(run, value, other)) return false;
    }
    return true;
}

static bool is_same_array(struct run *run, const json_t *a, const json_t *b)
{
    if (json_array_size(a) != json_array_size(b)) return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!is_same(run, json_array_get(a, i), json_array_get(b, i))) return false;
    return true;
}

static bool is_same(struct run *run, const json_t *a, const json_t *b)
{
    if (!spend(run)) return false;
    if (json_is_number(a) && json_is_number(b)) return compare_numbers(a, b) == 0;
    if (json_typeof(a) != json_typeof(b)) return false;
    if (json_is_string(a)) return text_equal(text_value(a), text_value(b));
    if (json_is_array(a)) return is_same_array(run, a, b);
    if (json_is_object(a)) return is_same_object(run, a, b);
    return true;
}

static bool is_one_of(struct run *run, const json_t *list, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (is_same(run, json_array_get(list, i), value)) return true;
    return false;
}

/* ---- strings, arrays, objects ---- */

static size_t characters(struct text t)
{
    size_t n = 0;

    for (size_t i = 0; i < t.len; i++) n += ((unsigned char)t.ptr[i] & 0xc0) != 0x80;
    return n;
}

static bool check_range(struct run *run, const struct schema_place *at,
                        const struct schema_range *range, size_t n, const char *least,
                        const char *most)
{
    if (n < range->least)
        return fail(run, at, least, "%zu are too few, %zu are the least", n,
                    range->least);
    if (n > range->most)
        return fail(run, at, most, "%zu are too many, %zu are the most", n, range->most);
    return true;
}

static bool check_string(struct run *run, const struct schema_node *n, struct text t,
                         const struct schema_place *at)
{
    bool is_limited = n->length.least > 0 || n->length.most < SIZE_MAX;

    if (is_limited &&
        !check_range(run, at, &n->length, characters(t), "minLength", "maxLength"))
        return false;
    if (n->pattern != NULL && !pattern_matches(n->pattern, t))
        return fail(run, at, "pattern", "must match %s", n->pattern_text);
    if (n->format != NULL && !n->format(t))
        return fail(run, at, "format", "must be a %s", n->format_name);
    return true;
}

static bool check_unique(struct run *run, const json_t *array,
                         const struct schema_place *at)
{
    for (size_t i = 1; i < json_array_size(array); i++)
        for (size_t k = 0; k < i; k++) {
            if (is_same(run, json_array_get(array, i), json_array_get(array, k)))
                return fail(run, at, "uniqueItems", "items %zu and %zu are equal", k, i);
            if (run->exhausted) return false;
        }
    return true;
}

static bool check_array(struct run *run, const struct schema_node *n, const json_t *array,
                        const struct schema_place *at)
{
    size_t count = json_array_size(array);

    if (!check_range(run, at, &n->item_count, count, "minItems", "maxItems"))
        return false;
    for (size_t i = 0; n->items != NULL && i < count; i++) {
        struct schema_place inner = {at, NULL, i};

        if (!check(run, n->items, json_array_get(array, i), &inner)) return false;
    }
    return !n->unique_items || check_unique(run, array, at);
}

static bool check_name(struct run *run, const struct schema_node *names, const char *name,
                       size_t len, const struct schema_place *at)
{
    json_t *string = json_stringn(name, len);
    bool ok = string != NULL && check(run, names, string, at);

    json_decref(string);
    return ok;
}

static bool find_missing(struct run *run, const struct schema_node *n,
                         const json_t *object, const struct schema_place *at)
{
    for (size_t i = 0; i < n->required_count; i++) {
        const char *name = json_string_value(json_array_get(n->required, i));

        if (json_object_get(object, name) == NULL)
            return fail(run, at, "required", "\"%s\" is missing", name);
    }
    return true;
}

static bool check_member(struct run *run, const struct schema_node *n,
                         const struct schema_property *p, const char *name, size_t len,
                         const json_t *value, const struct schema_place *up)
{
    struct schema_place at = {up, name, 0};

    if (n->names != NULL && !check_name(run, n->names, name, len, &at)) return false;
    if (p != NULL) return check(run, p->node, value, &at);
    if (n->additional == NULL) return true;
    if (n->additional->refuses_all)
        return fail(run, up, "additionalProperties", "\"%s\" is not known", name);
    return check(run, n->additional, value, &at);
}

static bool check_object(struct run *run, const struct schema_node *n,
                         const json_t *object, const struct schema_place *at)
{
    size_t len, required = 0;
    const char *name;
    json_t *value;

    if (!check_range(run, at, &n->member_count, json_object_size(object), "minProperties",
                     "maxProperties"))
        return false;
    json_object_keylen_foreach(unlocked(object), name, len, value)
    {
        const struct schema_property *p =
            schema_node_property(n, (struct text){name, len});

        if (!check_member(run, n, p, name, len, value, at)) return false;
        required += p != NULL && p->is_required;
    }
    return required == n->required_count || find_missing(run, n, object, at);
}

/* ---- combinations ---- */

static size_t count_matches(struct run *run, const struct schema_list *list,
                            const json_t *value, const struct schema_place *at,
                            size_t enough)
{
    size_t matches = 0;

    run->quiet++;
    for (size_t i = 0; i < list->count && matches < enough; i++)
        matches += check(run, list->nodes[i], value, at);
    run->quiet--;
    return matches;
}

static bool check_combinations(struct run *run, const struct schema_node *n,
                               const json_t *value, const struct schema_place *at)
{
    size_t matches;
    bool refused;

    for (size_t i = 0; i < n->all_of.count; i++)
        if (!check(run, n->all_of.nodes[i], value, at)) return false;
    if (n->any_of.count > 0 && count_matches(run, &n->any_of, value, at, 1) == 0)
        return fail(run, at, "anyOf", "matches none of %zu", n->any_of.count);
    if (n->one_of.count > 0) {
        matches = count_matches(run, &n->one_of, value, at, 2);
        if (matches != 1)
            return fail(run, at, "oneOf", "matches %s of %zu",
                        matches == 0 ? "none" : "more than one", n->one_of.count);
    }
    if (n->not_this == NULL) return true;
    run->quiet++;
    refused = !check(run, n->not_this, value, at);
    run->quiet--;
    return refused || fail(run, at, "not", "matches what it must not");
}

static unsigned types_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return TYPE_OBJECT;
    case JSON_ARRAY: return TYPE_ARRAY;
    case JSON_STRING: return TYPE_STRING;
    case JSON_INTEGER: return TYPE_INTEGER | TYPE_NUMBER;
    case JSON_REAL:
        return floor(json_real_value(value)) == json_real_value(value)
                   ? TYPE_INTEGER | TYPE_NUMBER
                   : TYPE_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE: return TYPE_BOOLEAN;
    case JSON_NULL: break;
    }
    return TYPE_NULL;
}

static bool fail_type(struct run *run, unsigned types, const struct schema_place *at)
{
    static const char *const names[] = {"null",   "boolean", "object", "array",
                                        "number", "string",  "integer"};
    char wanted[80];
    size_t n = 0;

    for (unsigned i = 0; i < LL_LENGTH(names); i++)
        if (types >> i & 1)
            n += (size_t)snprintf(wanted + n, sizeof(wanted) - n, "%s%s", n ? " or " : "",
                                  names[i]);
    return fail(run, at, "type", "must be %s", wanted);
}

static bool check_kind(struct run *run, const struct schema_node *n, const json_t *value,
                       const struct schema_place *at)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return check_object(run, n, value, at);
    case JSON_ARRAY: return check_array(run, n, value, at);
    case JSON_STRING: return check_string(run, n, text_value(value), at);
    case JSON_INTEGER:
    case JSON_REAL: return check_number(run, n, value, at);
    default: return true;
    }
}

static bool check(struct run *run, const struct schema_node *n, const json_t *value,
                  const struct schema_place *at)
{
    bool ok;

    if (!spend(run)) return false;
    if (n->reference != NULL) return check(run, n->reference, value, at);
    if (n->refuses_all) return fail(run, at, "false", "nothing is accepted here");
    if (n->types != 0 && (n->types & types_of(value)) == 0)
        return fail_type(run, n->types, at);
    if (n->value != NULL && !is_same(run, n->value, value))
        return fail(run, at, "const", "must be the one value");
    if (n->one_of_values != NULL && !is_one_of(run, n->one_of_values, value))
        return fail(run, at, "enum", "must be one of the values");
    if (++run->depth > DEPTH) {
        run->exhausted = true;
        return false;
    }
    ok = check_kind(run, n, value, at) && check_combinations(run, n, value, at);
    run->depth--;
    return ok;
}

ll_rc schema_validate(const struct schema *s, const json_t *value, struct ll_error *err)
{
    struct run run = {.err = err};
    bool ok = check(&run, s->root, value, NULL);

    if (run.exhausted)
        return ll_fail(err, LL_EFULL, "the value takes too many steps to validate");
    return ok ? LL_OK : LL_EINVAL;
}
