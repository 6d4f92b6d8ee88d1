/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lambdas_profile.c - see lambdas_profile.h. */
#include "producers/lambdas_profile.h"

#include <string.h>
#include <time.h>

static struct text string_of(const json_t *value)
{
    return (struct text){json_string_value(value), json_string_length(value)};
}

static bool contains(struct text t, const char *part)
{
    return t.len > 0 && memmem(t.ptr, t.len, part, strlen(part)) != NULL;
}

static bool holds(const json_t *array, struct text wanted)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
    {
        if (text_equal(string_of(item), wanted)) return true;
    }
    return false;
}

static json_t *wearables_of(const struct lambdas_profile *p, const json_t *deployed)
{
    json_t *out = json_array(), *item;
    size_t i;

    json_array_foreach(deployed, i, item)
    {
        struct text urn = string_of(item);

        if (!json_is_string(item) || holds(out, urn) ||
            (p->is_default && !contains(urn, "base-avatars")))
            continue;
        json_array_append(out, item);
    }
    return out;
}

static json_t *emotes_of(const struct lambdas_profile *p, const json_t *deployed)
{
    json_t *out = json_array();
    const json_t *item;
    size_t i;

    json_array_foreach(deployed, i, item)
    {
        json_t *slot = json_object_get(item, "slot"), *urn = json_object_get(item, "urn");
        struct text name = string_of(urn);

        if (!json_is_string(urn) ||
            (p->is_default && contains(name, ":") && !contains(name, "base-emotes")))
            continue;
        json_array_append_new(out, json_pack("{s:O?, s:O}", "slot", slot, "urn", urn));
    }
    return out;
}

/* Where pictures of an entity's avatar are. */
struct pictures {
    const char *face256, *body;
};

static void set_snapshots(const struct pictures *pictures, json_t *avatar)
{
    json_t *snapshots = json_object_get(avatar, "snapshots");

    if (!json_is_object(snapshots)) {
        snapshots = json_object();
        json_object_set_new(avatar, "snapshots", snapshots);
    }
    json_object_set_new(snapshots, "face256", json_string(pictures->face256));
    json_object_set_new(snapshots, "body", json_string(pictures->body));
}

/* ---- links ---- */

/* http or https, a host, and no space: what a browser's URL parser takes of these. */
static bool is_url(struct text t)
{
    size_t skip = text_starts_with(t, "https://")  ? 8
                  : text_starts_with(t, "http://") ? 7
                                                   : 0;

    if (skip == 0 || t.len == skip || t.ptr[skip] == '/' || t.ptr[skip] == '?' ||
        t.ptr[skip] == '#')
        return false;
    for (size_t i = skip; i < t.len; i++)
        if ((unsigned char)t.ptr[i] <= ' ' || strchr("<>\"{}|\\^`", t.ptr[i]) != NULL)
            return false;
    return true;
}

/* Percent-decoded once; false where that is broken or no text. */
static bool decode(struct text t, struct arena *arena, struct text *out)
{
    char *to = arena_alloc(arena, t.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];

        if (c == '%') {
            if (t.len - i < 3 || !hex_decode((struct text){t.ptr + i + 1, 2}, &c, 1))
                return false;
            i += 2;
        }
        to[n++] = c;
    }
    to[n] = '\0';
    *out = (struct text){to, n};
    return text_is_utf8(*out);
}

static json_t *links_of(const json_t *deployed, struct arena *arena)
{
    json_t *out = json_array(), *item;
    size_t i;

    json_array_foreach(deployed, i, item)
    {
        struct text url, decoded;

        if (!json_member_text(item, "url", &url)) continue;
        if (is_url(url)) {
            json_array_append(out, item);
        } else if (decode(url, arena, &decoded) && is_url(decoded)) {
            json_t *copy = json_copy(item);

            json_object_set_new(copy, "url", json_stringn(decoded.ptr, decoded.len));
            json_array_append_new(out, copy);
        }
    }
    return out;
}

void lambdas_profile_shape(const struct lambdas_profile *p, json_t *metadata,
                           struct arena *arena)
{
    const struct pictures pictures = {
        arena_printf(arena, "%s/entities/%.*s/face.png", p->cdn, TEXT_ARGS(p->entity_id)),
        arena_printf(arena, "%s/entities/%.*s/body.png", p->cdn,
                     TEXT_ARGS(p->entity_id))};
    json_t *shown;
    size_t i;

    json_array_foreach(json_object_get(metadata, "avatars"), i, shown)
    {
        json_t *avatar = json_object_get(shown, "avatar");
        json_t *links = json_object_get(shown, "links");

        if (json_is_array(links))
            json_object_set_new(shown, "links", links_of(links, arena));
        if (!json_is_object(avatar)) continue;
        json_object_set_new(avatar, "wearables",
                            wearables_of(p, json_object_get(avatar, "wearables")));
        json_object_set_new(avatar, "emotes",
                            emotes_of(p, json_object_get(avatar, "emotes")));
        set_snapshots(&pictures, avatar);
    }
}

bool lambdas_http_date(struct text t, int64_t *out)
{
    char text[64];
    struct tm at = {0};
    const char *end;

    if (t.len >= sizeof(text)) return false;
    memcpy(text, t.len ? t.ptr : "", t.len);
    text[t.len] = '\0';
    end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &at);
    if (end == NULL || *end != '\0') return false;
    *out = timegm(&at);
    return true;
}
