/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_scene.c - what holds of scenes (contract: catalyst, 4.5). */
#include "producers/content/entity_step.h"

#include <string.h>

static bool check_world(const struct entity_case *c)
{
    if (!entity_is_since(c, ENTITY_ADR_173) ||
        json_object_get(c->entity->metadata, "worldConfiguration") == NULL)
        return true;
    return entity_refuse(
        c->errors, "The scene.json contains a worldConfiguration section, which is not "
                   "allowed for Genesis City scenes (see ADR-173: "
                   "http://adr.decentraland.org/adr/ADR-173). Please remove it and try "
                   "again.");
}

/* No scheme, no way to a root, nothing that ends an attribute of HTML. */
static bool is_plain_path(struct text file)
{
    for (size_t i = 0; i < file.len; i++)
        if (strchr("<>\":", file.ptr[i]) != NULL) return false;
    return file.len > 0 && file.ptr[0] != '/' && file.ptr[0] != '\\';
}

static bool check_thumbnail(const struct entity_case *c)
{
    const json_t *display = json_object_get(c->entity->metadata, "display");
    struct text file = entity_string(json_object_get(display, "navmapThumbnail"));

    if (!entity_is_since(c, ENTITY_ADR_236) || file.len == 0) return true;
    if (is_plain_path(file) && entity_find_file(c->entity, file) != NULL) return true;
    return entity_refuse(
        c->errors, "Scene thumbnail '%.*s' must be a file included in the deployment.",
        TEXT_ARGS(file));
}

bool entity_step_scene(const struct entity_case *c)
{
    return check_world(c) && check_thumbnail(c);
}
