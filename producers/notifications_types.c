/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_types.c - see notifications_types.h. */
#include "producers/notifications_types.h"

const char *const notification_types[NOTIFICATION_TYPES] = {
    "badge_granted",
    "bid_accepted",
    "bid_received",
    "events_started",
    "events_starts_soon",
    "event_created",
    "event_approved",
    "event_rejected",
    "event_deleted",
    "governance_announcement",
    "governance_authored_proposal_finished",
    "governance_coauthor_requested",
    "governance_cliff_ended",
    "governance_new_comment_on_project_update",
    "governance_new_comment_on_proposal",
    "governance_proposal_enacted",
    "governance_voting_ended_voter",
    "governance_pitch_passed",
    "governance_tender_passed",
    "governance_whale_vote",
    "governance_voted_on_behalf",
    "item_sold",
    "item_published",
    "rental_ended",
    "rental_started",
    "reward_assignment",
    "reward_campaign_out_of_funds",
    "reward_campaign_gas_price_higher_than_expected",
    "reward_campaign_out_of_stock",
    "reward_delayed",
    "reward_in_progress",
    "royalties_earned",
    "social_service_friendship_request",
    "social_service_friendship_accepted",
    "worlds_access_restored",
    "worlds_access_restricted",
    "worlds_missing_resources",
    "worlds_permission_granted",
    "worlds_permission_revoked",
    "credits_goal_completed",
    "credits_on_demand_granted",
    "streaming_key_reset",
    "streaming_key_revoke",
    "streaming_key_expired",
    "streaming_time_exceeded",
    "streaming_place_updated",
    "credits_reminder_complete_goals",
    "credits_reminder_claim_credits",
    "credits_reminder_usage",
    "credits_reminder_usage_24_hours",
    "credits_reminder_do_not_miss_out",
    "credits_new_season_reminder",
    "referral_invited_users_accepted",
    "referral_new_tier_reached",
    "community_deleted",
    "community_deleted_content_violation",
    "community_renamed",
    "community_member_banned",
    "community_member_removed",
    "community_request_to_join_received",
    "community_request_to_join_accepted",
    "community_invite_received",
    "community_ownership_transferred",
    "community_post_added",
    "community_voice_chat_started",
    "user_banned_from_scene",
    "user_unbanned_from_scene",
    "transfer_received",
    "tip_received",
    "banned",
    "ban_warning",
    "ban_lifted",
};

bool notification_type_is_known(struct text type)
{
    for (size_t i = 0; i < NOTIFICATION_TYPES; i++)
        if (text_is(type, notification_types[i])) return true;
    return false;
}

/* RFC 9562, 5.8: a version for ids of one's own making. SHA-256 is what Postgres has
 * without an extension; both sides must come to the same. */
static struct uuid uuid_of(struct text name)
{
    struct uuid id = uuid_hash(name);

    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x80);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x0f) | 0x80);
    return id;
}

/* A type has no hyphen and an address has none, so no two threes make one name. */
struct uuid notification_id(struct text event_key, struct text type, struct text address)
{
    struct builder name;
    struct uuid id;

    builder_init(&name, SIZE_MAX / 4);
    builder_printf(&name, "%.*s-%.*s-%.*s", TEXT_ARGS(event_key), TEXT_ARGS(type),
                   TEXT_ARGS(address));
    id = uuid_of(builder_view(&name));
    builder_fini(&name);
    return id;
}

struct uuid notification_revision(const json_t *metadata, int64_t timestamp)
{
    struct builder told;
    struct uuid id;

    builder_init(&told, SIZE_MAX / 4);
    builder_i64(&told, timestamp);
    builder_char(&told, ' ');
    json_write(metadata, &told);
    id = uuid_of(builder_view(&told));
    builder_fini(&told);
    return id;
}
