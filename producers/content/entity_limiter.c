/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_limiter.c - a ring of pointers a type, oldest first: all of a type live equally
 * long, so what has expired is always at the front. */
#include "producers/content/entity_limiter.h"

#include "core/base/json_js.h"
#include "core/base/uuid.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_POINTERS = 100000, LONGEST = 24 * 60 * 60, SAME_PROFILE = 5 * 60 };

struct remembered {
    struct uuid pointer; /* its hash: pointers are long, and a stranger chooses them */
    int64_t until;
};

struct ring {
    size_t first, count, size;
    struct remembered *items;
};

struct entity_limiter {
    struct entity_limits limits;
    struct ring rings[ENTITY_TYPES];
};

/* Seconds, and pointers. */
static const struct {
    uint64_t ttl, most;
} fallbacks[ENTITY_TYPES] = {
    [ENTITY_PROFILE] = {3, 500},    [ENTITY_SCENE] = {20, 1000},
    [ENTITY_WEARABLE] = {20, 1000}, [ENTITY_EMOTE] = {20, 1000},
    [ENTITY_STORE] = {3, 300},      [ENTITY_OUTFITS] = {3, 2000},
};

ll_rc entity_limits_read(const struct settings *settings, struct entity_limits *out,
                         struct ll_error *err)
{
    ll_rc rc = LL_OK;

    out->same_profile = (int64_t)SAME_PROFILE * 1000;
    for (size_t i = 0; rc == LL_OK && i < ENTITY_TYPES; i++) {
        const char *type = entity_type_name((enum entity_type)i);
        uint64_t ttl = 0, most = 0;
        char name[64];

        snprintf(name, sizeof(name), "content.rate-limit-ttl-%s", type);
        rc = settings_service_number(settings, name, 0, LONGEST, fallbacks[i].ttl, &ttl,
                                     err);
        snprintf(name, sizeof(name), "content.rate-limit-max-%s", type);
        if (rc == LL_OK)
            rc = settings_service_number(settings, name, 1, MOST_POINTERS,
                                         fallbacks[i].most, &most, err);
        out->ttl[i] = (int64_t)ttl * 1000;
        out->most[i] = (size_t)most;
    }
    return rc;
}

struct entity_limiter *entity_limiter_new(const struct entity_limits *limits)
{
    struct entity_limiter *l = ll_calloc(1, sizeof(*l));

    l->limits = *limits;
    for (size_t i = 0; i < ENTITY_TYPES; i++) {
        l->rings[i].size = limits->most[i];
        l->rings[i].items = ll_calloc(limits->most[i] + 1, sizeof(struct remembered));
    }
    return l;
}

void entity_limiter_free(struct entity_limiter *l)
{
    if (l == NULL) return;
    for (size_t i = 0; i < ENTITY_TYPES; i++) free(l->rings[i].items);
    free(l);
}

static struct remembered *at(const struct ring *r, size_t i)
{
    return &r->items[(r->first + i) % r->size];
}

static void forget_expired(struct ring *r, int64_t now)
{
    while (r->count > 0 && at(r, 0)->until <= now) {
        r->first = (r->first + 1) % r->size;
        r->count--;
    }
}

static bool is_remembered(const struct ring *r, const struct uuid *pointer)
{
    for (size_t i = 0; i < r->count; i++)
        if (uuid_equal(&at(r, i)->pointer, pointer)) return true;
    return false;
}

bool entity_limiter_allows(struct entity_limiter *l, const struct entity *e, int64_t now)
{
    struct ring *r = &l->rings[e->type];

    if (l->limits.ttl[e->type] == 0) return true;
    forget_expired(r, now);
    if (r->count >= r->size) return false;
    for (size_t i = 0; r->count > 0 && i < e->pointer_count; i++) {
        struct uuid pointer = uuid_hash(e->pointers[i]);

        if (is_remembered(r, &pointer)) return false;
    }
    return true;
}

void entity_limiter_note(struct entity_limiter *l, const struct entity *e, int64_t now)
{
    struct ring *r = &l->rings[e->type];

    if (l->limits.ttl[e->type] == 0) return;
    forget_expired(r, now);
    /* Pointers that find no room are not refused next time: a limit on memory. */
    for (size_t i = 0; i < e->pointer_count && r->count < r->size; i++) {
        r->count++;
        *at(r, r->count - 1) =
            (struct remembered){uuid_hash(e->pointers[i]), now + l->limits.ttl[e->type]};
    }
}

static bool write_again(struct text json, struct builder *out)
{
    builder_init(out, 16 * ENTITY_FILE_SIZE);
    return json_js_write(json, out, NULL) == LL_OK;
}

bool entity_limiter_is_same_profile(const struct entity_limits *limits,
                                    const struct entity *e, struct text active_metadata,
                                    int64_t since, int64_t now)
{
    struct builder sent, active;
    bool same;

    if (e->type != ENTITY_PROFILE || now - since >= limits->same_profile) return false;
    same = write_again(e->metadata_text, &sent);
    same = write_again(active_metadata, &active) && same &&
           text_equal(builder_view(&sent), builder_view(&active));
    builder_fini(&sent);
    builder_fini(&active);
    return same;
}
