/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_fuzz.c - bodies of the notifications service. What the intake takes makes
 * events that pass their schemas; what it refuses has a reason in UTF-8. Details that are
 * whole print as they came. */
#include "core/event/registry.h"
#include "producers/notifications_subscription.h"
#include "producers/notifications_told.h"

enum { ARENA = 64 * 1024 * 1024, DETAILS = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct registry *events(void)
{
    static struct registry *registry;
    struct ll_error err;

    if (registry == NULL) LL_CHECK(registry_load(&registry, &err) == LL_OK);
    return registry;
}

static void is_an_event(const struct told *t, const json_t *before, struct arena *arena)
{
    struct ll_error err;
    struct record record;
    const char *type;
    json_t *event = told_event(t, before, &type);

    LL_CHECK(event != NULL);
    LL_CHECK(event_make(events(), text_of(type), event, arena, &record, &err) == LL_OK);
    json_decref(event);
}

static void try_intake(const json_t *body)
{
    static struct told told[TOLD_MOST];
    json_t *nothing = json_object();
    const char *why = NULL;
    struct arena arena;
    size_t n;

    arena_init(&arena, ARENA);
    if (told_read(body, &arena, told, &n, &why)) {
        LL_CHECK(n <= json_array_size(body));
        for (size_t i = 0; i < n; i++) {
            is_an_event(&told[i], NULL, &arena);
            is_an_event(&told[i], nothing, &arena);
        }
    } else {
        LL_CHECK(why != NULL && why[0] != '\0' && text_is_utf8(text_of(why)));
    }
    arena_fini(&arena);
    json_decref(nothing);
}

static void try_subscription(const json_t *body)
{
    struct builder why, printed;
    json_t *again;
    bool is_whole;

    builder_init(&why, DETAILS);
    builder_init(&printed, DETAILS);
    is_whole = subscription_check(body, &why);
    LL_CHECK(is_whole == (why.len == 0));
    subscription_print(body, &printed);
    LL_CHECK(json_parse(builder_view(&printed), JSON_DEPTH, &again, NULL) == LL_OK);
    LL_CHECK(!is_whole || json_equal(body, again));
    json_decref(again);
    builder_fini(&why);
    builder_fini(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    json_t *body;

    if (json_parse((struct text){(const char *)data, len}, JSON_DEPTH, &body, NULL) !=
        LL_OK)
        return 0;
    try_intake(body);
    try_subscription(body);
    json_decref(body);
    return 0;
}
