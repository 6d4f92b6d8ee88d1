/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_flight_test.c - one deployment at a time on a pointer of a type. */
#include "producers/content_flight.h"
#include "t.h"

static struct arena arena;
static struct content_state state;

static bool begin(struct content_flight *f, enum entity_type type, const char *a,
                  const char *b)
{
    struct text pointers[] = {text_of(a), text_of(b)};
    struct entity e = {.type = type, .pointer_count = 2, .pointers = pointers};

    return content_flight_begin(f, &e, &state, &arena);
}

static void whoever_shares_a_pointer_waits(void)
{
    struct content_flight one, two, three, four;

    OK(begin(&one, ENTITY_SCENE, "0,1", "0,0"));
    OK(!begin(&two, ENTITY_SCENE, "0,2", "0,1"));
    OK(begin(&three, ENTITY_PROFILE, "0,2", "0,1"));
    OK(begin(&two, ENTITY_SCENE, "0,3", "0,2"));
    content_flight_end(&one, &state);
    OK(!begin(&four, ENTITY_SCENE, "0,0", "0,3"));
    content_flight_end(&two, &state);
    OK(begin(&four, ENTITY_SCENE, "0,0", "0,3"));
    content_flight_end(&four, &state);
    content_flight_end(&three, &state);
    OK(state.flights == NULL);
}

int main(void)
{
    arena_init(&arena, 1024 * 1024);
    RUN(whoever_shares_a_pointer_waits);
    arena_fini(&arena);
    return t_done();
}
