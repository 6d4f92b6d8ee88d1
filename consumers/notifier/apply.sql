-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- Which notifications an event makes. A notification's id is made of event key, type and
-- recipient (producers/notifications_types.c makes the same), and is what the fact is once
-- for ever: nobody is told the same thing twice.

-- on social.friendship-requested
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence,
                      input_id)
select id, 'notifications.notification-created',
       jsonb_build_object(
           'id', id, 'inbox', :target::text, 'eventKey', :actionId::text,
           'type', 'social_service_friendship_request', 'address', :target::text,
           'timestamp', :event.time,
           'metadata', jsonb_build_object(
               'requestId', :actionId::text,
               'sender', coalesce(sender.shape, unknown.shape || jsonb_build_object(
                                      'address', :actor::text)),
               'receiver', coalesce(receiver.shape, unknown.shape || jsonb_build_object(
                                        'address', :target::text)))
               || case when :message::text is null then '{}'
                       else jsonb_build_object('message', :message::text) end),
       :event.topic, :event.partition, :event.sequence, :event.id
  from (select encode(sha256(convert_to(
                   :actionId::text || '-social_service_friendship_request-'
                   || :target::text, 'UTF8')), 'hex') as hash) named
 cross join lateral (
       select left(overlay(overlay(hash placing '8' from 13) placing '8' from 17), 32)::uuid
                  as id) made
 cross join person unknown
  left join person sender on sender.address = :actor
  left join person receiver on receiver.address = :target
 where unknown.address = ''
on conflict (subject) do nothing;

-- on social.friendship-accepted
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence,
                      input_id)
select id, 'notifications.notification-created',
       jsonb_build_object(
           'id', id, 'inbox', :target::text, 'eventKey', :actionId::text,
           'type', 'social_service_friendship_accepted', 'address', :target::text,
           'timestamp', :event.time,
           'metadata', jsonb_build_object(
               'requestId', :actionId::text,
               'sender', coalesce(sender.shape, unknown.shape || jsonb_build_object(
                                      'address', :actor::text)),
               'receiver', coalesce(receiver.shape, unknown.shape || jsonb_build_object(
                                        'address', :target::text)))),
       :event.topic, :event.partition, :event.sequence, :event.id
  from (select encode(sha256(convert_to(
                   :actionId::text || '-social_service_friendship_accepted-'
                   || :target::text, 'UTF8')), 'hex') as hash) named
 cross join lateral (
       select left(overlay(overlay(hash placing '8' from 13) placing '8' from 17), 32)::uuid
                  as id) made
 cross join person unknown
  left join person sender on sender.address = :actor
  left join person receiver on receiver.address = :target
 where unknown.address = ''
on conflict (subject) do nothing;

-- on badges.badge-granted
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence,
                      input_id)
select id, 'notifications.notification-created',
       jsonb_build_object(
           'id', id, 'inbox', :address::text, 'eventKey', :key::text,
           'type', 'badge_granted', 'address', :address::text,
           'timestamp', :grantedAt,
           'metadata', jsonb_build_object(
               'id', :badgeId::text, 'title', 'New Badge Unlocked!',
               'description', concat_ws(' ', :badgeName::text, :badgeTierName::text),
               'image', :badgeImageUrl::text)),
       :event.topic, :event.partition, :event.sequence, :event.id
  from (select encode(sha256(convert_to(
                   :key::text || '-badge_granted-' || :address::text, 'UTF8')), 'hex')
                   as hash) named
 cross join lateral (
       select left(overlay(overlay(hash placing '8' from 13) placing '8' from 17), 32)::uuid
                  as id) made
on conflict (subject) do nothing;

-- What other systems tell: schema.sql's rules say what becomes of it. Metadata that does
-- not fit an event (long, or with numbers that no integer holds, which jsonb writes as such),
-- or names nobody, is passed over: it must not stop what comes behind. That somebody did not
-- want to hear is a fact too, of the same subject: built anew, the notifier may meet the
-- event before the opt-out.
-- on platform.blockchain-royalties-earned
-- on platform.blockchain-item-sold
-- on platform.blockchain-bid-accepted
-- on platform.marketplace-bid-received
-- on platform.blockchain-land-rental-started
-- on platform.blockchain-land-rental-ended
-- on platform.blockchain-transfer-received
-- on platform.blockchain-tip-received
-- on platform.rewards-reward-assigned
-- on platform.rewards-reward-in-progress
-- on platform.rewards-reward-delayed
-- on platform.rewards-campaign-out-of-funds
-- on platform.rewards-campaign-out-of-stock
-- on platform.rewards-campaign-gas-price-higher-than-expected
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
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence,
                      input_id)
select id, case when is_unwanted then 'notifications.notification-suppressed'
                else 'notifications.notification-created' end,
       jsonb_build_object('id', id, 'inbox', address, 'eventKey', :key::text,
                          'type', rule.type, 'address', address)
       || case when is_unwanted then jsonb_build_object('reason', 'opt-out')
               else jsonb_build_object('timestamp', :timestamp, 'metadata', stored) end
       || case when is_scoped and scope_id <> '' and length(scope_id) <= 1024
               then jsonb_build_object('optOutScope', jsonb_build_object(
                        'scope', 'community', 'scopeId', scope_id))
               else '{}' end,
       :event.topic, :event.partition, :event.sequence, :event.id
  from rule
 cross join lateral (
       select rule.constants::jsonb
              || coalesce(jsonb_object_agg(split_part(member, '=', 1), value
                                           order by member), '{}')
              || case when rule.type = 'tip_received'
                       and (:metadata::jsonb ->> 'amount')
                           ~ '^[0-9]{1,60}([.][0-9]{1,60})?$'
                      then jsonb_build_object('manaAmount', trunc(
                               (:metadata::jsonb ->> 'amount')::numeric * 1e18)::text)
                      else '{}' end as stored
         from string_to_table(rule.members, ' ') member
        cross join lateral (
              select :metadata::jsonb -> split_part('=' || member, '=', -1) as value) taken
        where value is not null) kept
 cross join lateral (
       select distinct lower(named) as address
         from jsonb_array_elements_text(
                  case jsonb_typeof(:metadata::jsonb -> rule.recipient)
                  when 'array' then :metadata::jsonb -> rule.recipient
                  when 'string' then jsonb_build_array(:metadata::jsonb -> rule.recipient)
                  else '[]' end) named
        where lower(named) ~ '^0x[0-9a-f]{40}$') recipients
 cross join lateral (
       select coalesce(:metadata::jsonb ->> 'communityId', stored ->> 'communityId')
                  as scope_id) scoped
 cross join lateral (
       select is_scoped and exists (
                  select from opt_out where opt_out.address = recipients.address
                     and scope = 'community' and opt_out.scope_id = scoped.scope_id)
                  as is_unwanted) asked
 cross join lateral (
       select encode(sha256(convert_to(
                  :key::text || '-' || rule.type || '-' || address, 'UTF8')), 'hex')
                  as hash) named
 cross join lateral (
       select left(overlay(overlay(hash placing '8' from 13) placing '8' from 17), 32)::uuid
                  as id) made
 where rule.event = :event.type and octet_length(stored::text) < 65536
   and not jsonb_path_exists(stored, '$.** ? (@.type() == "number" &&
                                     (@ > 9223372036854775807 || @ < -9223372036854775808))')
on conflict (subject) do nothing;

-- on notifications.scope-opted-out
insert into opt_out (address, scope, scope_id) values (:address, :scope, :scopeId)
on conflict (address, scope, scope_id) do nothing;

-- on notifications.scope-opted-in
delete from opt_out where address = :address and scope = :scope and scope_id = :scopeId;

-- How people are called. Escapes that Postgres cannot turn into text leave a profile
-- without a name: whoever takes deployments refuses them, but what is on the log all the
-- same must not stop what comes behind.
-- on content.deployment-accepted
insert into profile (address, entity_timestamp, entity_id, name, has_claimed_name)
select address, :entityTimestamp, :entityId,
       left(coalesce(nullif(avatar ->> 'name', ''), avatar ->> 'unclaimedName', ''), 256),
       coalesce(avatar ->> 'hasClaimedName' = 'true', false)
  from (select :pointers::json ->> 0 as address) pointer
 cross join lateral (
       select case when :blob.entityId ~ '\\u(0000|[dD][89a-fA-F])' then null
                   else :blob.entityId::json end -> 'metadata' -> 'avatars' -> 0 as avatar)
       file
 where :entityType = 'profile' and address ~ '^0x[0-9a-f]{40}$'
on conflict (address) do update
   set entity_timestamp = excluded.entity_timestamp, entity_id = excluded.entity_id,
       name = excluded.name, has_claimed_name = excluded.has_claimed_name
 where (profile.entity_timestamp, profile.entity_id)
       < (excluded.entity_timestamp, excluded.entity_id);
