/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_profile.c - what holds of profiles (contract: catalyst, 4.5).
 *
 * The rules of periods before ADR-290, when profiles carried pictures, are for
 * replication; that a picture is a PNG of 256 by 256 is not looked at.
 */
#include "core/auth/ethereum.h"
#include "producers/content/entity_step.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { OLD_NAME = 20, LAST_SLOT = 9 };

static size_t avatar_count(const struct entity_case *c)
{
    return json_array_size(json_object_get(c->entity->metadata, "avatars"));
}

/* The i-th avatar's appearance. */
static const json_t *avatar_at(const struct entity_case *c, size_t i)
{
    const json_t *avatars = json_object_get(c->entity->metadata, "avatars");

    return json_object_get(json_array_get(avatars, i), "avatar");
}

static const json_t *list_of(const struct entity_case *c, size_t avatar, const char *name)
{
    return json_object_get(avatar_at(c, avatar), name);
}

/* Is there a value that JavaScript takes for true? */
static bool is_something(const json_t *value)
{
    if (json_is_string(value)) return json_string_length(value) > 0;
    if (json_is_real(value)) return json_real_value(value) != 0;
    return value != NULL && !json_is_null(value) && !json_is_false(value);
}

/* From before items had URNs: "dance". */
static bool is_old_name(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char letter = (char)(t.ptr[i] | 0x20);

        if (letter < 'a' || letter > 'z') return false;
    }
    return t.len > 0 && t.len <= OLD_NAME;
}

static bool check_no_snapshots(const struct entity_case *c)
{
    if (!entity_is_since(c, ENTITY_ADR_290_REJECTED)) return true;
    for (size_t i = 0; i < avatar_count(c); i++)
        if (is_something(list_of(c, i, "snapshots")))
            return entity_refuse(c->errors, "Avatars must not have snapshots.");
    return true;
}

/* In the year when pictures were optional, profiles that have some are judged as before.
 */
static bool has_pictures_since(const struct entity_case *c, enum entity_date since)
{
    if (!entity_is_since(c, since) || entity_is_since(c, ENTITY_ADR_290_REJECTED))
        return false;
    return !entity_is_since(c, ENTITY_ADR_290_OPTIONAL) || c->entity->content_count > 0 ||
           c->deployment->upload_count > 1 || is_something(list_of(c, 0, "snapshots"));
}

static bool check_face(const struct entity_case *c)
{
    uint64_t size;

    if (!has_pictures_since(c, ENTITY_ADR_45)) return true;
    for (size_t i = 0; i < avatar_count(c); i++) {
        const json_t *snapshots = list_of(c, i, "snapshots");
        struct text hash = entity_string(json_object_get(snapshots, "face256"));

        if (hash.len == 0)
            return entity_refuse(c->errors, "Couldn't find hash for face256 thumbnail "
                                            "file with name: 'face256'");
        if (c->deployment->is_stored(c->deployment->is_stored_context, hash, &size))
            return true;
        if (entity_find_upload(c, hash) == NULL)
            return entity_refuse(c->errors,
                                 "Couldn't find thumbnail file with hash: %.*s",
                                 TEXT_ARGS(hash));
    }
    return true;
}

static bool check_pictures(const struct entity_case *c)
{
    if (!has_pictures_since(c, ENTITY_ADR_45)) return true;
    for (size_t i = 0; i < avatar_count(c); i++) {
        const json_t *snapshots = list_of(c, i, "snapshots");

        if (!is_something(json_object_get(snapshots, "face256")) ||
            !is_something(json_object_get(snapshots, "body")))
            return entity_refuse(c->errors, "Couldn't find hash for face or body "
                                            "thumbnails on profile metadata");
    }
    return true;
}

static bool check_item(const struct entity_case *c, struct text item, const char *capital,
                       const char *small)
{
    struct urn urn;

    if (is_old_name(item)) return true;
    if (!urn_parse(item, &urn))
        return entity_refuse(
            c->errors,
            "Each profile %s pointer should be a urn, for example "
            "(urn:decentraland:{protocol}:collections-v2:{contract(0x[a-fA-F0-9]+)}:"
            "{name}). Invalid pointer: (%.*s)",
            small, TEXT_ARGS(item));
    if (entity_is_since(c, ENTITY_ADR_244) &&
        (urn.kind == URN_V1_ASSET || urn.kind == URN_V2_ASSET))
        return entity_refuse(c->errors,
                             "%s pointer %.*s should be an item, not an asset. The URN "
                             "must include the tokenId.",
                             capital, TEXT_ARGS(item));
    return true;
}

static bool check_wearables(const struct entity_case *c)
{
    if (!entity_is_since(c, ENTITY_ADR_75)) return true;
    for (size_t i = 0; i < avatar_count(c); i++) {
        const json_t *list = list_of(c, i, "wearables");

        for (size_t k = 0; k < json_array_size(list); k++)
            if (!check_item(c, entity_string(json_array_get(list, k)), "Wearable",
                            "wearable"))
                return false;
    }
    return true;
}

static double slot_of(const json_t *emote)
{
    return json_number_value(json_object_get(emote, "slot"));
}

static bool check_emote(const struct entity_case *c, const json_t *emote)
{
    struct text urn = entity_string(json_object_get(emote, "urn"));
    double slot = slot_of(emote);

    if (is_old_name(urn)) return true;
    if (!check_item(c, urn, "Emote", "emote")) return false;
    if (slot >= 0 && slot <= LAST_SLOT) return true;
    return entity_refuse(
        c->errors,
        "The slot %.*s of the emote %.*s must be a number between 0 and 9 (inclusive).",
        TEXT_ARGS(entity_number(slot, c->errors->arena)), TEXT_ARGS(urn));
}

static bool check_emotes(const struct entity_case *c)
{
    bool found = false;

    if (!entity_is_since(c, ENTITY_ADR_74)) return true;
    for (size_t i = 0; i < avatar_count(c); i++) {
        const json_t *list = list_of(c, i, "emotes");

        for (size_t k = 0; k < json_array_size(list); k++)
            if (!check_emote(c, json_array_get(list, k))) return false;
        found = found || is_something(list);
    }
    if (found) return true;
    return entity_refuse(c->errors, "Profile must have emotes after ADR 74.");
}

struct slot {
    double number;
    size_t index;
};

static int by_slot(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;

    if (x->number < y->number) return -1;
    if (x->number > y->number) return 1;
    return (x->index > y->index) - (x->index < y->index);
}

static size_t emote_count(const struct entity_case *c)
{
    size_t n = 0;

    for (size_t i = 0; i < avatar_count(c); i++)
        n += json_array_size(list_of(c, i, "emotes"));
    return n;
}

/* Of the slots that were taken before, the one that is met first. */
static bool check_slots(const struct entity_case *c)
{
    struct slot *slots =
        arena_calloc(c->errors->arena, emote_count(c) + 1, sizeof(struct slot));
    const struct slot *repeated = NULL;
    size_t n = 0;

    for (size_t i = 0; i < avatar_count(c); i++) {
        const json_t *list = list_of(c, i, "emotes");

        for (size_t k = 0; k < json_array_size(list); k++, n++)
            slots[n] = (struct slot){slot_of(json_array_get(list, k)), n};
    }
    qsort(slots, n, sizeof(*slots), by_slot);
    for (size_t i = 1; i < n; i++)
        if (!(slots[i - 1].number < slots[i].number) &&
            (repeated == NULL || slots[i].index < repeated->index))
            repeated = &slots[i];
    if (repeated == NULL) return true;
    return entity_refuse(c->errors, "Emote slot %.*s should not be repeated.",
                         TEXT_ARGS(entity_number(repeated->number, c->errors->arena)));
}

static int by_bytes(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static bool check_repeated_wearables(const struct entity_case *c)
{
    if (!entity_is_since(c, ENTITY_ADR_232)) return true;
    for (size_t i = 0; i < avatar_count(c); i++) {
        const json_t *list = list_of(c, i, "wearables");
        size_t n = json_array_size(list);
        struct text *sorted = arena_calloc(c->errors->arena, n + 1, sizeof(*sorted));

        for (size_t k = 0; k < n; k++) sorted[k] = entity_string(json_array_get(list, k));
        qsort(sorted, n, sizeof(*sorted), by_bytes);
        for (size_t k = 1; k < n; k++)
            if (text_equal(sorted[k - 1], sorted[k]))
                return entity_refuse(c->errors, "Wearables should not be repeated.");
    }
    return true;
}

/* "face256.png" is the picture "face256". */
static struct text without_extension(struct text file)
{
    size_t dot = file.len;

    while (dot > 0 && file.ptr[dot - 1] != '.' && file.ptr[dot - 1] != '/') dot--;
    if (dot > 0 && dot < file.len && file.ptr[dot - 1] == '.') file.len = dot - 1;
    return file;
}

static bool is_snapshot(const struct entity_case *c, const struct entity_content *content)
{
    char *name =
        arena_string(c->errors->arena,
                     arena_text(c->errors->arena, without_extension(content->file)).ptr);

    for (size_t i = 0; i < avatar_count(c); i++)
        if (text_equal(entity_string(json_object_get(list_of(c, i, "snapshots"), name)),
                       content->hash))
            return true;
    return false;
}

static bool check_files_are_snapshots(const struct entity_case *c)
{
    const struct entity *e = c->entity;
    bool ok = true;

    if (!has_pictures_since(c, ENTITY_ADR_45)) return true;
    for (size_t i = 0; i < e->content_count; i++) {
        if (avatar_count(c) == 0)
            ok = entity_refuse(c->errors, "Entity is missing metadata or avatars");
        else if (!is_snapshot(c, &e->content[i]))
            ok = entity_refuse(
                c->errors,
                "This file is not expected: '%.*s' or its hash is invalid: "
                "'%.*s'. Please, include only valid snapshot files.",
                TEXT_ARGS(e->content[i].file), TEXT_ARGS(e->content[i].hash));
    }
    return ok;
}

static bool check_has_file(const struct entity_case *c, const char *name)
{
    for (size_t i = 0; i < c->entity->content_count; i++)
        if (text_equal_ignoring_case(c->entity->content[i].file, text_of(name)))
            return true;
    return entity_refuse(c->errors, "Profile entity is missing file '%s'", name);
}

static bool check_files_are_there(const struct entity_case *c)
{
    bool ok;

    if (!has_pictures_since(c, ENTITY_ADR_158)) return true;
    ok = check_has_file(c, "body.png");
    return check_has_file(c, "face256.png") && ok;
}

static struct text file_list(const struct entity_case *c)
{
    size_t n = c->entity->content_count;
    struct text *files = arena_calloc(c->errors->arena, n + 1, sizeof(*files));

    for (size_t i = 0; i < n; i++) files[i] = c->entity->content[i].file;
    return entity_join(files, n, ", ", c->errors->arena);
}

static struct text upload_list(const struct entity_case *c)
{
    size_t n = c->deployment->upload_count;
    struct text *hashes = arena_calloc(c->errors->arena, n + 1, sizeof(*hashes));

    for (size_t i = 0; i < n; i++) hashes[i] = c->deployment->uploads[i].hash;
    return entity_join(hashes, n, ", ", c->errors->arena);
}

static bool check_no_files(const struct entity_case *c)
{
    bool ok = true;

    if (!entity_is_since(c, ENTITY_ADR_290_REJECTED)) return true;
    if (c->entity->content_count > 0)
        ok = entity_refuse(c->errors, "Entity has content files when it should not: %.*s",
                           TEXT_ARGS(file_list(c)));
    if (c->deployment->upload_count > 1)
        ok =
            entity_refuse(c->errors, "Entity has uploaded files when it should not: %.*s",
                          TEXT_ARGS(upload_list(c)));
    return ok;
}

bool entity_step_profile(const struct entity_case *c)
{
    return check_no_snapshots(c) && check_face(c) && check_pictures(c) &&
           check_wearables(c) && check_emotes(c) && check_slots(c) &&
           check_repeated_wearables(c) && check_files_are_snapshots(c) &&
           check_files_are_there(c) && check_no_files(c);
}
