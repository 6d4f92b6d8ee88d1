/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_outfits.c - what holds of outfits (contract: catalyst, 4.5). */
#include "core/auth/ethereum.h"
#include "core/auth/unicode_lower.h"
#include "producers/content/entity_step.h"

#include <stdlib.h>

enum { LAST_SLOT = 9, LAST_PLAIN_SLOT = 4 };

static bool refuse_form(const struct entity_case *c)
{
    return entity_refuse(c->errors,
                         "The pointer is not valid. It should be in the format: "
                         "<address>:outfits");
}

static bool check_pointer(const struct entity_case *c)
{
    struct text pointer = c->entity->pointers[0], rest = pointer, address;
    struct ethereum_address parsed;

    if (c->entity->pointer_count != 1)
        return entity_refuse(
            c->errors,
            "Only one pointer is allowed when you create an Outfits. Received: %.*s",
            TEXT_ARGS(entity_pointer_list(c->entity, c->errors->arena)));
    if (!text_cut(&rest, ':', &address) || !text_is(rest, "outfits"))
        return refuse_form(c);
    if (!ethereum_address_parse(address, &parsed))
        return entity_refuse(
            c->errors,
            "The address of the given pointer is not a valid ethereum address.");
    if (text_equal_ignoring_case(address, c->deployment->deployer)) return true;
    return entity_refuse(
        c->errors,
        "You can only alter your own outfits. The address of the pointer and the signer "
        "address are different (pointer:%.*s signer: %.*s).",
        TEXT_ARGS(pointer),
        TEXT_ARGS(ascii_lower(c->deployment->deployer, c->errors->arena)));
}

static const json_t *outfits_of(const struct entity_case *c)
{
    return json_object_get(c->entity->metadata, "outfits");
}

static double slot_at(const struct entity_case *c, size_t i)
{
    return json_number_value(json_object_get(json_array_get(outfits_of(c), i), "slot"));
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static bool check_slots(const struct entity_case *c)
{
    size_t n = json_array_size(outfits_of(c));
    double *slots = arena_calloc(c->errors->arena, n + 1, sizeof(*slots));
    bool has_extra = false;

    for (size_t i = 0; i < n; i++) slots[i] = slot_at(c, i);
    qsort(slots, n, sizeof(*slots), by_number);
    for (size_t i = 1; i < n; i++)
        if (!(slots[i - 1] < slots[i]))
            return entity_refuse(c->errors, "Outfits slots are repeated");
    if (n > 0 && (slots[0] < 0 || slots[n - 1] > LAST_SLOT))
        return entity_refuse(c->errors,
                             "Outfits slots are invalid, they must be between 0 "
                             "and 9 inclusive");
    has_extra = n > 0 && slots[n - 1] > LAST_PLAIN_SLOT;
    if (!has_extra ||
        json_array_size(json_object_get(c->entity->metadata, "namesForExtraSlots")) > 0)
        return true;
    return entity_refuse(c->errors,
                         "A name must be provided if extra slots are used, but "
                         "none were provided.");
}

/* The URNs that are wrong in one way, each once. */
struct wrong {
    struct text *items;
    size_t count;
};

static void add_wrong(struct wrong *w, struct text urn)
{
    for (size_t i = 0; i < w->count && i < ENTITY_ERRORS; i++)
        if (text_equal(w->items[i], urn)) return;
    w->items[w->count++] = urn;
}

static size_t wearable_count(const struct entity_case *c)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(outfits_of(c)); i++) {
        const json_t *outfit =
            json_object_get(json_array_get(outfits_of(c), i), "outfit");

        n += json_array_size(json_object_get(outfit, "wearables"));
    }
    return n;
}

static void sort_out(const struct entity_case *c, struct wrong *invalid,
                     struct wrong *assets)
{
    for (size_t i = 0; i < json_array_size(outfits_of(c)); i++) {
        const json_t *outfit =
            json_object_get(json_array_get(outfits_of(c), i), "outfit");
        const json_t *list = json_object_get(outfit, "wearables");

        for (size_t k = 0; k < json_array_size(list); k++) {
            struct text t = entity_string(json_array_get(list, k));
            struct urn urn;

            if (!urn_parse(t, &urn))
                add_wrong(invalid, t);
            else if (urn.kind == URN_V1_ASSET || urn.kind == URN_V2_ASSET)
                add_wrong(assets, t);
        }
    }
}

static bool check_wearables(const struct entity_case *c)
{
    struct arena *arena = c->errors->arena;
    size_t most = wearable_count(c) + 1;
    struct wrong invalid = {.items = arena_calloc(arena, most, sizeof(struct text))};
    struct wrong assets = {.items = arena_calloc(arena, most, sizeof(struct text))};

    if (!entity_is_since(c, ENTITY_ADR_244)) return true;
    sort_out(c, &invalid, &assets);
    if (invalid.count > 0)
        return entity_refuse(
            c->errors, "Invalid wearable pointer: (%.*s)",
            TEXT_ARGS(entity_join(invalid.items, invalid.count, ", ", arena)));
    if (assets.count > 0)
        return entity_refuse(
            c->errors,
            "Wearable pointers %.*s should be items, not assets. The URNs must include "
            "the tokenId.",
            TEXT_ARGS(entity_join(assets.items, assets.count, ", ", arena)));
    return true;
}

bool entity_step_outfits(const struct entity_case *c)
{
    return check_pointer(c) && check_slots(c) && check_wearables(c);
}
