/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* upcast.c - see upcast.h. */
#include "core/event/upcast.h"

#include <string.h>

static ll_rc check_form(const json_t *upcast, struct ll_error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)upcast, name, value)
    {
        bool is_list = strcmp(name, "remove") == 0;

        if (!is_list && strcmp(name, "rename") != 0 && strcmp(name, "default") != 0)
            return ll_fail(err, LL_EINVAL, "x-upcast: unknown member \"%s\"", name);
        if (is_list ? !json_is_array(value) : !json_is_object(value))
            return ll_fail(err, LL_EINVAL, "x-upcast: \"%s\" must be %s", name,
                           is_list ? "a list of names" : "an object");
    }
    return LL_OK;
}

static bool is_listed(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));

        if (one != NULL && strcmp(one, name) == 0) return true;
    }
    return false;
}

/* What a member of the older version is called in the newer; NULL when it is removed. */
static const char *name_after(const json_t *upcast, const char *name)
{
    const char *renamed =
        json_string_value(json_object_get(json_object_get(upcast, "rename"), name));

    if (renamed != NULL) name = renamed;
    return is_listed(json_object_get(upcast, "remove"), name) ? NULL : name;
}

static ll_rc check_old_members(const json_t *upcast, const json_t *older_document,
                               const struct schema *newer, struct ll_error *err)
{
    json_t *properties = json_object_get(older_document, "properties"), *value;
    json_t *renames = json_object_get(upcast, "rename");
    const char *name;

    json_object_foreach(renames, name, value)
    {
        if (!json_is_string(value) || json_object_get(properties, name) == NULL)
            return ll_fail(err, LL_EINVAL,
                           "x-upcast: \"rename\" of \"%s\": no such member before, or no "
                           "name",
                           name);
    }
    json_object_foreach(properties, name, value)
    {
        const char *after = name_after(upcast, name);

        if (after != NULL && !schema_is_open(newer) &&
            !schema_member(newer, after).is_known)
            return ll_fail(err, LL_EINVAL,
                           "x-upcast: member \"%s\" of the version before is not known, "
                           "renamed or removed",
                           name);
    }
    return LL_OK;
}

/* True when every event of the older version has `name` after the upcast. */
static bool is_always_there(const json_t *upcast, const struct schema *older,
                            const char *name)
{
    const char *before;

    if (json_object_get(json_object_get(upcast, "default"), name) != NULL) return true;
    for (size_t i = 0; (before = schema_required_at(older, i)) != NULL; i++) {
        const char *after = name_after(upcast, before);

        if (after != NULL && strcmp(after, name) == 0) return true;
    }
    return false;
}

ll_rc upcast_check(const json_t *upcast, const struct schema *older,
                   const json_t *older_document, const struct schema *newer,
                   struct ll_error *err)
{
    const char *name;
    ll_rc rc;

    if (!json_is_object(upcast))
        return ll_fail(err, LL_EINVAL,
                       "x-upcast: must say how the version before is read");
    rc = check_form(upcast, err);
    if (rc == LL_OK) rc = check_old_members(upcast, older_document, newer, err);
    for (size_t i = 0; rc == LL_OK && (name = schema_required_at(newer, i)) != NULL; i++)
        if (!is_always_there(upcast, older, name))
            rc = ll_fail(err, LL_EINVAL,
                         "x-upcast: \"%s\" is required, and the version before need not "
                         "have it: give a default",
                         name);
    return rc;
}

static ll_rc rename_member(json_t *data, const char *from, const char *to,
                           struct ll_error *err)
{
    json_t *value = json_object_get(data, from);

    if (value == NULL) return LL_OK;
    if (json_object_get(data, to) != NULL)
        return ll_fail(err, LL_EINVAL, "upcast: both \"%s\" and \"%s\" are there", from,
                       to);
    LL_CHECK(json_object_set(data, to, value) == 0);
    json_object_del(data, from);
    return LL_OK;
}

ll_rc upcast_apply(const json_t *upcast, json_t *data, struct ll_error *err)
{
    json_t *remove = json_object_get(upcast, "remove"), *value;
    const char *name;

    json_object_foreach(json_object_get(upcast, "rename"), name, value)
    {
        ll_rc rc = rename_member(data, name, json_string_value(value), err);
        if (rc != LL_OK) return rc;
    }
    for (size_t i = 0; i < json_array_size(remove); i++)
        json_object_del(data, json_string_value(json_array_get(remove, i)));
    json_object_foreach(json_object_get(upcast, "default"), name, value)
    {
        if (json_object_get(data, name) == NULL)
            LL_CHECK(json_object_set_new(data, name, json_deep_copy(value)) == 0);
    }
    return LL_OK;
}
