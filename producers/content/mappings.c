/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* mappings.c - every mapping is a few ranges of token ids; sorted, neighbours tell. */
#include "producers/content/mappings.h"

#include <stdlib.h>
#include <string.h>

struct range {
    struct text contract;
    struct text from, to;  /* empty `from`: any token */
    const json_t *mapping; /* that it is of: one may say a token twice */
};

struct ranges {
    size_t count, capacity;
    struct range *items;
};

static struct text without_zeros(struct text t)
{
    while (t.len > 1 && t.ptr[0] == '0') t = (struct text){t.ptr + 1, t.len - 1};
    return t;
}

int decimal_compare(struct text a, struct text b)
{
    a = without_zeros(a);
    b = without_zeros(b);
    if (a.len != b.len) return a.len < b.len ? -1 : 1;
    return text_compare(a, b);
}

static int compare_ignoring_case(struct text a, struct text b)
{
    int order = a.len == 0 || b.len == 0
                    ? 0
                    : strncasecmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_start(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    int order = compare_ignoring_case(x->contract, y->contract);

    if (order == 0) order = (x->from.len > 0) - (y->from.len > 0);
    return order != 0 ? order : decimal_compare(x->from, y->from);
}

static void add(struct ranges *ranges, struct text contract, struct text from,
                struct text to, const json_t *mapping)
{
    if (ranges->count == ranges->capacity) {
        ranges->capacity = ranges->capacity == 0 ? 16 : ranges->capacity * 2;
        ranges->items =
            ll_realloc(ranges->items, ranges->capacity * sizeof(*ranges->items));
    }
    ranges->items[ranges->count++] = (struct range){contract, from, to, mapping};
}

static void add_multiple(struct ranges *ranges, struct text contract,
                         const json_t *mapping)
{
    const json_t *ids = json_object_get(mapping, "ids");

    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);
        struct text t = {json_string_value(id), json_string_length(id)};

        if (json_is_string(id) && t.len > 0) add(ranges, contract, t, t, mapping);
    }
}

/* What has not the shape of a mapping speaks of no token. */
static void add_mapping(struct ranges *ranges, struct text contract,
                        const json_t *mapping)
{
    struct text type, from, to;
    bool is_range;

    if (!json_member_text(mapping, "type", &type)) return;
    is_range = text_is(type, "range");
    if (text_is(type, "multiple"))
        add_multiple(ranges, contract, mapping);
    else if (text_is(type, "any"))
        add(ranges, contract, TEXT(""), TEXT(""), mapping);
    else if (json_member_text(mapping, is_range ? "from" : "id", &from) &&
             json_member_text(mapping, is_range ? "to" : "id", &to) && from.len > 0 &&
             to.len > 0)
        add(ranges, contract, from, to, mapping);
}

static bool add_network(struct ranges *ranges, json_t *contracts)
{
    const char *contract;
    json_t *list;

    json_object_foreach(contracts, contract, list)
    {
        if (!json_is_array(list) && !json_is_string(list)) return false;
        for (size_t i = 0; i < json_array_size(list); i++)
            add_mapping(ranges, text_of(contract), json_array_get(list, i));
    }
    return !json_is_null(contracts);
}

/* Sorted by contract and start: as long as none has overlapped, the one before reaches
 * farthest of all before. */
static bool are_disjoint(struct ranges *ranges)
{
    struct range *r = ranges->items;

    if (ranges->count < 2) return true;
    qsort(r, ranges->count, sizeof(*r), by_start);
    for (size_t i = 1; i < ranges->count; i++) {
        if (compare_ignoring_case(r[i - 1].contract, r[i].contract) != 0) continue;
        if (r[i - 1].mapping == r[i].mapping) continue;
        if (r[i - 1].from.len == 0 || decimal_compare(r[i].from, r[i - 1].to) <= 0)
            return false;
    }
    return true;
}

static bool network_is_disjoint(json_t *contracts)
{
    struct ranges ranges = {0};
    bool ok = add_network(&ranges, contracts) && are_disjoint(&ranges);

    free(ranges.items);
    return ok;
}

bool mappings_are_disjoint(const json_t *mappings)
{
    const char *network;
    json_t *contracts;

    json_object_foreach((json_t *)(uintptr_t)mappings, network,
                        contracts) if (!network_is_disjoint(contracts)) return false;
    return true;
}
