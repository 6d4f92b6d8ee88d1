/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* registry_lock.c - schemas/compatibility.json: published versions are frozen.
 *
 * {"<type>": {"<version>": "<hash of what decides>", ...}, ...}. Events of a version are
 * on the log for ever, so what a version says may not change; a new one is added.
 */
#include "core/event/event_type.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void registry_lock(const struct registry *r, struct builder *out)
{
    const struct event_type *t, *before = NULL;

    builder_string(out, "{");
    for (size_t i = 0; (t = registry_at(r, i)) != NULL; i++, before = t) {
        char hash[UUID_TEXT];

        uuid_print(&t->hash, hash);
        if (before != NULL && before->next == t)
            builder_string(out, ", ");
        else
            builder_printf(out, "%s\n    \"%s\": {", before ? "}," : "",
                           event_type_name(t));
        builder_printf(out, "\"%" PRIu32 "\": \"%s\"", t->version, hash);
    }
    builder_string(out, before ? "}\n}\n" : "}\n");
}

static ll_rc check_type(const struct event_type *t, const json_t *locked,
                        struct ll_error *err)
{
    const json_t *type = json_object_get(locked, event_type_name(t));
    char version[16], hash[UUID_TEXT];
    struct text expected;

    snprintf(version, sizeof(version), "%" PRIu32, t->version);
    if (!json_member_text(type, version, &expected))
        return ll_fail(err, LL_EBROKEN,
                       "%s version %s is not in schemas/compatibility.json: when it is "
                       "ready to be published, write it there (landlog schemas lock)",
                       event_type_name(t), version);
    uuid_print(&t->hash, hash);
    if (!text_is(expected, hash))
        return ll_fail(err, LL_EBROKEN,
                       "%s version %s has changed since it was published: events of it "
                       "are on the log; restore it and add version %lu",
                       event_type_name(t), version, (unsigned long)t->version + 1);
    return LL_OK;
}

/* Events of it may be on the log: their reader must stay. */
static ll_rc check_nothing_is_gone(const struct registry *r, json_t *locked,
                                   struct ll_error *err)
{
    const char *type, *version;
    json_t *versions, *hash;

    json_object_foreach(locked, type, versions)
    {
        json_object_foreach(versions, version, hash)
        {
            uint64_t n;

            if (!text_to_u64(text_of(version), UINT32_MAX, &n) ||
                registry_find(r, text_of(type), (uint32_t)n) == NULL || n == 0)
                return ll_fail(err, LL_EBROKEN,
                               "%s version %s was published, and its schema is gone",
                               type, version);
        }
    }
    return LL_OK;
}

ll_rc registry_check(const struct registry *r, struct text lock, struct ll_error *err)
{
    const struct event_type *t;
    json_t *locked;
    ll_rc rc = json_parse(lock, 3, &locked, err);

    if (rc != LL_OK) {
        ll_error_prefix(err, "schemas/compatibility.json");
        return rc;
    }
    for (size_t i = 0; rc == LL_OK && (t = registry_at(r, i)) != NULL; i++)
        rc = check_type(t, locked, err);
    if (rc == LL_OK) rc = check_nothing_is_gone(r, locked, err);
    json_decref(locked);
    return rc;
}
