/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* platform_types.c - see platform_types.h. A type is one row here and one schema. */
#include "producers/platform_types.h"

#include <stdio.h>
#include <string.h>

enum { ADDRESS = 42 };

static const char move_to_parcel[] = "platform.client-move-to-parcel";

/* clang-format off */
static const struct platform_type types[] = {
    {"client", "logged-in", "platform.client-logged-in", {"userAddress"}},
    {"client", "logged-in-cached", "platform.client-logged-in-cached", {"userAddress"}},
    {"client", "move-to-parcel", move_to_parcel, {"userAddress"}},
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
    {"streaming", "streaming-key-reset", "platform.streaming-streaming-key-reset", {"address"}},
    {"streaming", "streaming-key-revoke", "platform.streaming-streaming-key-revoke", {"address"}},
    {"streaming", "streaming-key-expired", "platform.streaming-streaming-key-expired", {"address"}},
    {"streaming", "streaming-time-exceeded", "platform.streaming-streaming-time-exceeded", {"address"}},
    {"streaming", "streaming-place-updated", "platform.streaming-streaming-place-updated", {"address"}},
    {"credits-service", "credits-goal-completed", "platform.credits-service-credits-goal-completed", {"address"}},
    {"credits-service", "on-demand-credits-granted", "platform.credits-service-on-demand-credits-granted", {"address"}},
    {"credits-service", "complete-goals-reminder", "platform.credits-service-complete-goals-reminder", {"address"}},
    {"credits-service", "claim-credits-reminder", "platform.credits-service-claim-credits-reminder", {"address"}},
    {"credits-service", "do-not-miss-out-reminder", "platform.credits-service-do-not-miss-out-reminder", {"address"}},
    {"credits-service", "usage-reminder", "platform.credits-service-usage-reminder", {"address"}},
    {"credits-service", "usage-24-hours-reminder", "platform.credits-service-usage-24-hours-reminder", {"address"}},
    {"referral", "referral-invited-users-accepted", "platform.referral-referral-invited-users-accepted", {"address"}},
    {"referral", "referral-new-tier-reached", "platform.referral-referral-new-tier-reached", {"address"}},
    {"community", "community-deleted", "platform.community-community-deleted", {"memberAddresses"}},
    {"community", "community-deleted-content-violation", "platform.community-community-deleted-content-violation", {"ownerAddress"}},
    {"community", "community-renamed", "platform.community-community-renamed", {"memberAddresses"}},
    {"community", "community-member-banned", "platform.community-community-member-banned", {"memberAddress"}},
    {"community", "community-member-removed", "platform.community-community-member-removed", {"memberAddress"}},
    {"community", "community-request-to-join-received", "platform.community-community-request-to-join-received", {"addressesToNotify"}},
    {"community", "community-request-to-join-accepted", "platform.community-community-request-to-join-accepted", {"memberAddress"}},
    {"community", "community-invite-received", "platform.community-community-invite-received", {"memberAddress"}},
    {"community", "community-ownership-transferred", "platform.community-community-ownership-transferred", {"newOwnerAddress"}},
    {"community", "community-post-added", "platform.community-community-post-added", {"addressesToNotify"}},
    {"community", "community-voice-chat-started", "platform.community-community-voice-chat-started", {"addressesToNotify"}},
    {"comms", "user-banned-from-scene", "platform.comms-user-banned-from-scene", {"userAddress"}},
    {"comms", "user-unbanned-from-scene", "platform.comms-user-unbanned-from-scene", {"userAddress"}},
    {"moderation", "user-ban-created", "platform.moderation-user-ban-created", {"bannedAddress"}},
    {"moderation", "user-ban-lifted", "platform.moderation-user-ban-lifted", {"bannedAddress"}},
    {"moderation", "user-warning-created", "platform.moderation-user-warning-created", {"warnedAddress"}},
    {"event", "event-created", "platform.event-event-created", {"attendee"}},
    {"event", "event-starts-soon", "platform.event-event-starts-soon", {"attendee"}},
    {"event", "event-started", "platform.event-event-started", {"attendee"}},
    {"event", "event-approved", "platform.event-event-approved", {"host"}},
    {"event", "event-rejected", "platform.event-event-rejected", {"host"}},
    {"event", "event-deleted", "platform.event-event-deleted", {"host"}},
    {"governance", "governance_proposal_enacted", "platform.governance-proposal-enacted", {"address"}},
    {"governance", "governance_coauthor_requested", "platform.governance-coauthor-requested", {"address"}},
    {"governance", "governance_pitch_passed", "platform.governance-pitch-passed", {"address"}},
    {"governance", "governance_tender_passed", "platform.governance-tender-passed", {"address"}},
    {"governance", "governance_authored_proposal_finished", "platform.governance-authored-proposal-finished", {"address"}},
    {"governance", "governance_voting_ended_voter", "platform.governance-voting-ended-voter", {"address"}},
    {"governance", "governance_new_comment_on_proposal", "platform.governance-new-comment-on-proposal", {"address"}},
    {"governance", "governance_new_comment_on_project_update", "platform.governance-new-comment-on-project-update", {"address"}},
    {"governance", "governance_whale_vote", "platform.governance-whale-vote", {"address"}},
    {"governance", "governance_voted_on_behalf", "platform.governance-voted-on-behalf", {"address"}},
    {"governance", "governance_cliff_ended", "platform.governance-cliff-ended", {"address"}},
    {"world", "worlds_permission_granted", "platform.world-worlds-permission-granted", {"address"}},
    {"world", "worlds_permission_revoked", "platform.world-worlds-permission-revoked", {"address"}},
    {"world", "worlds_access_restored", "platform.world-worlds-access-restored", {"attendee"}},
    {"world", "worlds_access_restricted", "platform.world-worlds-access-restricted", {"address"}},
    {"world", "worlds_missing_resources", "platform.world-worlds-missing-resources", {"address"}},
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
        const json_t *said = json_object_get(metadata, t->keeper[i]);
        struct text address;

        if (json_is_array(said)) said = json_array_get(said, 0);
        if (!json_is_string(said)) continue;
        address = (struct text){json_string_value(said), json_string_length(said)};
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

bool platform_event_pointer(const struct platform_type *t, const json_t *sent,
                            char room[PLATFORM_POINTER], struct text *out)
{
    const json_t *parcel = json_object_get(json_object_get(sent, "metadata"), "parcel");
    struct text said;
    size_t n = 0;

    if (strcmp(t->event, move_to_parcel) != 0 ||
        !json_member_text(parcel, "newParcel", &said))
        return false;
    for (size_t i = 0; i < said.len; i++) {
        if (strchr("() ", said.ptr[i]) != NULL) continue;
        if (n == PLATFORM_POINTER) return false;
        room[n++] = said.ptr[i];
    }
    *out = (struct text){room, n};
    return n > 0;
}

/* The id of the scene that lies where a move led, or null. */
static json_t *scene_of(const struct platform_type *t, const json_t *sent,
                        const json_t *scenes)
{
    char room[PLATFORM_POINTER], name[PLATFORM_POINTER + 1];
    struct text pointer;
    json_t *scene;

    if (!platform_event_pointer(t, sent, room, &pointer)) return json_null();
    snprintf(name, sizeof(name), "%.*s", TEXT_ARGS(pointer));
    scene = json_object_get(scenes, name);
    return scene != NULL ? json_incref(scene) : json_null();
}

json_t *platform_event_data(const struct platform_type *t, struct text source,
                            const json_t *sent, const json_t *scenes,
                            struct ll_error *err)
{
    json_t *metadata = json_object_get(sent, "metadata"), *data;
    char keeper[ADDRESS];

    if (!find_keeper(t, metadata, keeper, err)) return NULL;
    data = json_object();
    json_object_set_new(data, "source", json_stringn(source.ptr, source.len));
    json_object_set(data, "key", json_object_get(sent, "key"));
    json_object_set(data, "timestamp", json_object_get(sent, "timestamp"));
    json_object_set_new(data, "address", json_stringn(keeper, sizeof(keeper)));
    if (strcmp(t->event, move_to_parcel) == 0)
        json_object_set_new(data, "sceneId", scene_of(t, sent, scenes));
    json_object_set(data, "metadata", metadata);
    return data;
}
