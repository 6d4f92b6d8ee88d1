-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- Every type of platform event is counted alike.

-- on platform.blockchain-bid-accepted
-- on platform.blockchain-collection-created
-- on platform.blockchain-item-published
-- on platform.blockchain-item-sold
-- on platform.blockchain-land-rental-ended
-- on platform.blockchain-land-rental-started
-- on platform.blockchain-royalties-earned
-- on platform.blockchain-tip-received
-- on platform.blockchain-transfer-received
-- on platform.client-logged-in
-- on platform.client-logged-in-cached
-- on platform.client-move-to-parcel
-- on platform.client-passport-opened
-- on platform.client-used-emote
-- on platform.client-vertical-height-reached
-- on platform.client-walked-distance
-- on platform.marketplace-bid-received
-- on platform.rewards-campaign-gas-price-higher-than-expected
-- on platform.rewards-campaign-out-of-funds
-- on platform.rewards-campaign-out-of-stock
-- on platform.rewards-reward-assigned
-- on platform.rewards-reward-delayed
-- on platform.rewards-reward-in-progress
-- on platform.streaming-streaming-key-reset
-- on platform.streaming-streaming-key-revoke
-- on platform.streaming-streaming-key-expired
-- on platform.streaming-streaming-time-exceeded
-- on platform.streaming-streaming-place-updated
-- on platform.credits-service-credits-goal-completed
-- on platform.credits-service-on-demand-credits-granted
-- on platform.credits-service-complete-goals-reminder
-- on platform.credits-service-claim-credits-reminder
-- on platform.credits-service-do-not-miss-out-reminder
-- on platform.credits-service-usage-reminder
-- on platform.credits-service-usage-24-hours-reminder
-- on platform.referral-referral-invited-users-accepted
-- on platform.referral-referral-new-tier-reached
-- on platform.community-community-deleted
-- on platform.community-community-deleted-content-violation
-- on platform.community-community-renamed
-- on platform.community-community-member-banned
-- on platform.community-community-member-removed
-- on platform.community-community-request-to-join-received
-- on platform.community-community-request-to-join-accepted
-- on platform.community-community-invite-received
-- on platform.community-community-ownership-transferred
-- on platform.community-community-post-added
-- on platform.community-community-voice-chat-started
-- on platform.comms-user-banned-from-scene
-- on platform.comms-user-unbanned-from-scene
-- on platform.moderation-user-ban-created
-- on platform.moderation-user-ban-lifted
-- on platform.moderation-user-warning-created
-- on platform.event-event-created
-- on platform.event-event-starts-soon
-- on platform.event-event-started
-- on platform.event-event-approved
-- on platform.event-event-rejected
-- on platform.event-event-deleted
-- on platform.governance-proposal-enacted
-- on platform.governance-coauthor-requested
-- on platform.governance-pitch-passed
-- on platform.governance-tender-passed
-- on platform.governance-authored-proposal-finished
-- on platform.governance-voting-ended-voter
-- on platform.governance-new-comment-on-proposal
-- on platform.governance-new-comment-on-project-update
-- on platform.governance-whale-vote
-- on platform.governance-voted-on-behalf
-- on platform.governance-cliff-ended
-- on platform.world-worlds-permission-granted
-- on platform.world-worlds-permission-revoked
-- on platform.world-worlds-access-restored
-- on platform.world-worlds-access-restricted
-- on platform.world-worlds-missing-resources
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- A newer scene takes the place of all that it overlaps, wholly; an older one that comes
-- late takes none where a newer lies.
-- on content.deployment-accepted
delete from scene_at gone
 where :entityType = 'scene'
   and gone.entity_id in (select s.entity_id
                            from json_array_elements_text((:pointers)::json) p (pointer)
                            join scene_at s on s.pointer = p.pointer
                           where (s.entity_at, s.entity_id) < (:entityTimestamp, :entityId));
insert into scene_at (pointer, entity_at, entity_id)
select p.pointer, :entityTimestamp, :entityId
  from json_array_elements_text((:pointers)::json) p (pointer)
 where :entityType = 'scene'
   and not exists (select from json_array_elements_text((:pointers)::json) o (pointer)
                     join scene_at s on s.pointer = o.pointer)
on conflict (pointer) do nothing;
