/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* platform_fuzz.c - what is told to the intake, and to back-fills of badges. An event
 * that passes its schema is kept by a wallet, lower case, and reads back as it was; a
 * back-fill whose shape is right has errors that can be said. */
#include "core/event/registry.h"
#include "producers/badges_backfill.h"
#include "producers/platform_types.h"

enum { ARENA = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct registry *events(void)
{
    static struct registry *registry;
    struct ll_error err;

    if (registry == NULL) LL_CHECK(registry_load(&registry, &err) == LL_OK);
    return registry;
}

static void is_kept(const json_t *event, const struct record *record)
{
    struct text address;
    struct ll_error err;
    json_t *again;

    LL_CHECK(json_member_text(event, "address", &address) && address.len == 42);
    for (size_t i = 0; i < address.len; i++)
        LL_CHECK(address.ptr[i] < 'A' || address.ptr[i] > 'Z');
    LL_CHECK(text_equal(record->key, address));
    LL_CHECK(event_data(events(), record, &again, &err) == LL_OK);
    json_decref(again);
}

static void try_event(const json_t *sent)
{
    struct text type, sub_type, pointer;
    const struct platform_type *t;
    char room[PLATFORM_POINTER];
    struct record record;
    struct ll_error err;
    struct arena arena;
    json_t *event;

    if (!json_member_text(sent, "type", &type) ||
        !json_member_text(sent, "subType", &sub_type))
        return;
    t = platform_type_find(type, sub_type);
    if (t == NULL) return;
    if (platform_event_pointer(t, sent, room, &pointer))
        LL_CHECK(pointer.len > 0 && pointer.len <= PLATFORM_POINTER);
    event = platform_event_data(t, TEXT("fuzz"), sent, sent, &err);
    if (event == NULL) {
        LL_CHECK(err.text[0] != '\0');
        return;
    }
    arena_init(&arena, ARENA);
    if (event_make(events(), text_of(t->event), event, &arena, &record, &err) == LL_OK)
        is_kept(event, &record);
    arena_fini(&arena);
    json_decref(event);
}

/* {"badgeId", "badge", "progress"}: the badge is ours in life, and well-formed; here it
 * is a fixed one. */
static void try_backfill(const json_t *said)
{
    static const char shown[] = "{\"criteria\":{\"steps\":2},\"tiers\":["
                                "{\"tierId\":\"b-starter\",\"criteria\":{\"steps\":1}},"
                                "{\"tierId\":\"b-bronze\",\"criteria\":{\"steps\":2}},"
                                "{\"tierId\":\"b-silver\",\"criteria\":{\"steps\":3}}]}";
    const json_t *progress = json_object_get(said, "progress");
    const struct backfill_rule *rule;
    struct ll_error err;
    struct text id;
    json_t *badge, *errors;

    if (!json_member_text(said, "badgeId", &id) || progress == NULL) return;
    rule = backfill_rule_find(id);
    if (rule == NULL) return;
    LL_CHECK(json_parse(text_of(shown), JSON_DEPTH, &badge, &err) == LL_OK);
    if (backfill_check_shape(rule, badge, progress, &err) == LL_OK) {
        errors = backfill_errors(rule, badge, progress);
        for (size_t i = 0; i < json_array_size(errors); i++)
            LL_CHECK(json_string_length(json_array_get(errors, i)) > 0);
        json_decref(errors);
    }
    json_decref(badge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ll_error err;
    json_t *body;

    if (json_parse((struct text){(const char *)data, len}, JSON_DEPTH, &body, &err) !=
        LL_OK)
        return 0;
    try_event(body);
    try_backfill(body);
    json_decref(body);
    return 0;
}
