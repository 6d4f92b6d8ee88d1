/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* platform_types.c - see platform_types.h. A type is one row here and one schema. */
#include "producers/platform_types.h"

#include <string.h>

enum { ADDRESS = 42 };

/* clang-format off */
static const struct platform_type types[] = {
    {"client", "logged-in", "platform.client-logged-in", {"userAddress"}},
    {"client", "logged-in-cached", "platform.client-logged-in-cached", {"userAddress"}},
    {"client", "move-to-parcel", "platform.client-move-to-parcel", {"userAddress"}},
    {"client", "used-emote", "platform.client-used-emote", {"userAddress"}},
    {"client", "passport-opened", "platform.client-passport-opened", {"userAddress"}},
    {"client", "walked-distance", "platform.client-walked-distance", {"userAddress"}},
    {"client", "vertical-height-reached", "platform.client-vertical-height-reached", {"userAddress"}},
    {"blockchain", "item-sold", "platform.blockchain-item-sold", {"buyer", "seller"}},
    {"blockchain", "royalties-earned", "platform.blockchain-royalties-earned", {"address"}},
    {"blockchain", "item-published", "platform.blockchain-item-published", {"creator"}},
    {"blockchain", "collection-created", "platform.blockchain-collection-created", {"creator"}},
    {"blockchain", "bid-accepted", "platform.blockchain-bid-accepted", {"address"}},
    {"blockchain", "land-rental-started", "platform.blockchain-land-rental-started", {"address"}},
    {"blockchain", "land-rental-ended", "platform.blockchain-land-rental-ended", {"address"}},
    {"blockchain", "transfer-received", "platform.blockchain-transfer-received", {"receiverAddress"}},
    {"blockchain", "tip-received", "platform.blockchain-tip-received", {"receiverAddress"}},
    {"marketplace", "bid-received", "platform.marketplace-bid-received", {"address"}},
    {"rewards", "reward-in-progress", "platform.rewards-reward-in-progress", {"beneficiary"}},
    {"rewards", "reward-assigned", "platform.rewards-reward-assigned", {"beneficiary"}},
    {"rewards", "reward-delayed", "platform.rewards-reward-delayed", {"beneficiary"}},
    {"rewards", "campaign-out-of-funds", "platform.rewards-campaign-out-of-funds", {"owner"}},
    {"rewards", "campaign-gas-price-higher-than-expected", "platform.rewards-campaign-gas-price-higher-than-expected", {"owner"}},
    {"rewards", "campaign-out-of-stock", "platform.rewards-campaign-out-of-stock", {"owner"}},
};
/* clang-format on */

const struct platform_type *platform_type_at(size_t i)
{
    return i < LL_LENGTH(types) ? &types[i] : NULL;
}

const struct platform_type *platform_type_find(struct text type, struct text sub_type)
{
    for (size_t i = 0; i < LL_LENGTH(types); i++)
        if (text_is(type, types[i].type) && text_is(sub_type, types[i].sub_type))
            return &types[i];
    return NULL;
}

struct uuid platform_event_id(const struct platform_type *t, struct text source,
                              struct text key)
{
    struct builder name;
    struct uuid id;

    builder_init(&name, 64 * 1024); /* a longer key fails its schema */
    builder_printf(&name, "platform %.*s\n%s/%s\n", TEXT_ARGS(source), t->type,
                   t->sub_type);
    builder_text(&name, key);
    id = uuid_v5(&uuid_landlog, builder_view(&name));
    builder_fini(&name);
    return id;
}

static bool is_address(struct text t)
{
    unsigned char bytes[20];

    return t.len == ADDRESS && text_starts_with(t, "0x") &&
           hex_decode((struct text){t.ptr + 2, ADDRESS - 2}, bytes, sizeof(bytes));
}

/* The wallet that keeps it, lower case; false when there is none. */
static bool find_keeper(const struct platform_type *t, const json_t *metadata,
                        char out[ADDRESS], struct ll_error *err)
{
    for (size_t i = 0; i < LL_LENGTH(t->keeper) && t->keeper[i] != NULL; i++) {
        struct text address;

        if (!json_member_text(metadata, t->keeper[i], &address)) continue;
        if (!is_address(address)) {
            (void)ll_fail(err, LL_EINVAL, "metadata.%s is no address", t->keeper[i]);
            return false;
        }
        for (size_t k = 0; k < ADDRESS; k++) {
            char c = address.ptr[k];
            out[k] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        return true;
    }
    (void)ll_fail(err, LL_EINVAL, "metadata.%s is missing", t->keeper[0]);
    return false;
}

static bool is_base(struct text t, const char *letters)
{
    for (size_t i = 0; i < t.len; i++)
        if (strchr(letters, t.ptr[i]) == NULL || t.ptr[i] == '\0') return false;
    return true;
}

/* Does it look like the hash of an entity? Clients send other words where they have none.
 */
static bool is_hash(struct text t)
{
    if (t.len == 46 && text_starts_with(t, "Qm"))
        return is_base(t, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
    return t.len == 59 && text_starts_with(t, "ba") &&
           is_base(t, "abcdefghijklmnopqrstuvwxyz234567");
}

/* A move says which scene lies there, by the hash of its entity (schemas/platform). */
static json_t *scene_of(const json_t *metadata)
{
    struct text hash;

    if (json_member_text(json_object_get(metadata, "parcel"), "sceneHash", &hash) &&
        is_hash(hash))
        return json_stringn(hash.ptr, hash.len);
    return json_null();
}

json_t *platform_event_data(const struct platform_type *t, struct text source,
                            const json_t *sent, struct ll_error *err)
{
    json_t *metadata = json_object_get(sent, "metadata"), *data;
    char keeper[ADDRESS];

    if (!find_keeper(t, metadata, keeper, err)) return NULL;
    data = json_object();
    json_object_set_new(data, "source", json_stringn(source.ptr, source.len));
    json_object_set(data, "key", json_object_get(sent, "key"));
    json_object_set(data, "timestamp", json_object_get(sent, "timestamp"));
    json_object_set_new(data, "address", json_stringn(keeper, sizeof(keeper)));
    if (strcmp(t->event, "platform.client-move-to-parcel") == 0)
        json_object_set_new(data, "sceneId", scene_of(metadata));
    json_object_set(data, "metadata", metadata);
    return data;
}
