/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_subscription.c - see notifications_subscription.h. */
#include "producers/notifications_subscription.h"

#include "producers/notifications_types.h"

#include <string.h>

static const char *const members[] = {"ignore_all_email", "ignore_all_in_app",
                                      "message_type"};
static const char *const channels[] = {"email", "in_app"};

/* ---- checking ---- */

/* A list in a message: `before` once, then `, ` between the entries. */
static void add_entry(struct builder *why, const char *before)
{
    if (why->len == 0)
        builder_string(why, before);
    else
        builder_string(why, ", ");
}

/* Types that have no entry; only where there is something to look for them in. */
static void list_missing_types(const json_t *details, struct builder *why)
{
    const json_t *types = json_object_get(details, "message_type");

    for (size_t i = 0; json_is_object(types) && i < NOTIFICATION_TYPES; i++) {
        if (json_object_get(types, notification_types[i]) != NULL) continue;
        add_entry(why, "Invalid subscription. Missing configuration for the following "
                       "message types: ");
        builder_string(why, notification_types[i]);
    }
}

static void list_missing_members(const json_t *details, struct builder *why)
{
    for (size_t i = 0; json_is_object(details) && i < LL_LENGTH(members); i++) {
        if (json_object_get(details, members[i]) != NULL) continue;
        add_entry(why, "Invalid subscription. Missing required fields: ");
        builder_string(why, members[i]);
    }
}

/* "path words"; the words are those of the validator that the contract's service uses. */
static void add_trouble(struct builder *why, const char *path, const char *words)
{
    add_entry(why, "Invalid subscription. ");
    builder_printf(why, "%s %s", path, words);
}

static bool has_only(const json_t *object, const char *const *names, size_t n)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;

        while (i < n && strcmp(key, names[i]) != 0) i++;
        if (i == n) return false;
    }
    return true;
}

/* In the order in which the validator looks: what must be there, what must not, the rest.
 */
static void check_entry(const json_t *entry, const char *type, struct builder *why)
{
    char path[96], text[128];

    snprintf(path, sizeof(path), "message_type/%s", type);
    if (!json_is_object(entry)) {
        add_trouble(why, path, "must be object");
        return;
    }
    for (size_t i = 0; i < LL_LENGTH(channels); i++) {
        if (json_object_get(entry, channels[i]) != NULL) continue;
        snprintf(text, sizeof(text), "must have required property '%s'", channels[i]);
        add_trouble(why, path, text);
    }
    if (!has_only(entry, channels, LL_LENGTH(channels)))
        add_trouble(why, path, "must NOT have additional properties");
    for (size_t i = 0; i < LL_LENGTH(channels); i++) {
        const json_t *value = json_object_get(entry, channels[i]);

        if (value == NULL || json_is_boolean(value)) continue;
        snprintf(text, sizeof(text), "%s/%s", path, channels[i]);
        add_trouble(why, text, "must be boolean");
    }
}

static void list_trouble(const json_t *details, struct builder *why)
{
    const json_t *types = json_object_get(details, "message_type");

    if (!json_is_object(details)) {
        add_trouble(why, "", "must be object");
        return;
    }
    if (!has_only(details, members, LL_LENGTH(members)))
        add_trouble(why, "", "must NOT have additional properties");
    for (size_t i = 0; i < 2; i++)
        if (!json_is_boolean(json_object_get(details, members[i])))
            add_trouble(why, members[i], "must be boolean");
    if (!json_is_object(types)) {
        add_trouble(why, "message_type", "must be object");
        return;
    }
    if (!has_only(types, notification_types, NOTIFICATION_TYPES))
        add_trouble(why, "message_type", "must NOT have additional properties");
    for (size_t i = 0; i < NOTIFICATION_TYPES; i++)
        check_entry(json_object_get(types, notification_types[i]), notification_types[i],
                    why);
}

bool subscription_check(const json_t *details, struct builder *why)
{
    static void (*const kinds[])(const json_t *, struct builder *) = {
        list_missing_types, list_missing_members, list_trouble};

    for (size_t i = 0; i < LL_LENGTH(kinds) && why->len == 0; i++) kinds[i](details, why);
    return why->len == 0;
}

/* ---- printing ---- */

/* A boolean member, or what holds where it was never said. */
static const char *flag(const json_t *object, const char *name, bool otherwise)
{
    const json_t *value = json_object_get(object, name);

    if (json_is_boolean(value)) otherwise = json_is_true(value);
    return otherwise ? "true" : "false";
}

void subscription_print(const json_t *stored, struct builder *out)
{
    const json_t *types = json_object_get(stored, "message_type");

    builder_printf(out,
                   "{\"ignore_all_email\":%s,\"ignore_all_in_app\":%s,\"message_type\":{",
                   flag(stored, "ignore_all_email", false),
                   flag(stored, "ignore_all_in_app", false));
    for (size_t i = 0; i < NOTIFICATION_TYPES; i++) {
        const json_t *entry = json_object_get(types, notification_types[i]);

        builder_printf(out, "%s\"%s\":{\"email\":%s,\"in_app\":%s}", i ? "," : "",
                       notification_types[i], flag(entry, "email", true),
                       flag(entry, "in_app", true));
    }
    builder_string(out, "}}");
}
