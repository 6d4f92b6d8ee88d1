-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What an event does to badges (contract: badges, 4.2 and 4.3). Most statements go the
-- same way: what counts is written, and what that returns decides which tier is held
-- now; the tier that was not held before is granted. An event that changes nothing (told
-- twice, or after the last tier) so grants nothing. One event grants the lowest tier that
-- is not held yet, and no more, but for traveler.

-- ---- a move: dclcitizen, traveler ------------------------------------------------------

-- on platform.client-move-to-parcel
with done as (
    insert into progress (address, badge_id, steps, completed_at, detail, updated_at)
    values (:address, 'dclcitizen', 1, :event.time,
            jsonb_build_object('visited', (:metadata)::json #>> '{parcel,newParcel}'), :event.time)
    on conflict (address, badge_id) do nothing
    returning address, badge_id
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select d.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', d.address || c.suffix, 'address', d.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from done d join badge_card c on c.badge_id = d.badge_id
on conflict (subject) do nothing;

-- traveler: where somebody stays. Only scenes with a title count, and they go by it. A
-- session is forgotten two hours after its last move.
delete from movement m
 where m.address = :address
   and not exists (select from movement n
                    where n.address = m.address and n.session_id = m.session_id
                      and n.at > :timestamp::bigint - 7200000);

insert into movement (address, session_id, place, title, at)
select :address, coalesce(said.metadata ->> 'sessionId', ''), :event.sequence, said.title, :timestamp
  from (select (:metadata)::json as metadata,
               (:blob.sceneId)::json #>> '{metadata,display,title}' as title) said
 where said.title <> '' and said.metadata #>> '{parcel,newParcel}' <> ''
   and coalesce(said.metadata #>> '{parcel,isEmptyParcel}', 'false') <> 'true'
   and (select count(*) from tier_held h where h.address = :address and h.badge_id = 'traveler') < 6;

-- A move to a scene that was not visited yet closes the account of those before it.
with here as (
    select m.address, m.session_id from movement m
     where m.address = :address and m.place = :event.sequence
       and not exists (select from item i
                        where i.address = m.address and i.badge_id = 'traveler' and i.item = m.title)
), stay as (
    select m.title, lead(m.at) over (order by m.place) - m.at as ms
      from movement m join here using (address, session_id)
), fresh as (
    insert into item (address, badge_id, item, at)
    select :address, 'traveler', s.title, :timestamp
      from stay s
     group by s.title having sum(s.ms) >= 60000
    on conflict (address, badge_id, item) do nothing
    returning address, badge_id
), counted as (
    insert into progress (address, badge_id, steps, updated_at)
    select address, badge_id, count(*), :event.time from fresh group by address, badge_id
    on conflict (address, badge_id) do update
       set steps = progress.steps + excluded.steps, updated_at = excluded.updated_at
    returning address, badge_id, steps
), risen as (
    insert into tier_held (address, badge_id, level, place, achieved_at)
    select w.address, w.badge_id, t.level, :event.sequence::bigint * 8 + t.level, :event.time
      from counted w join tier t on t.badge_id = w.badge_id and t.steps <= w.steps
     where not exists (select from tier_held h
                        where h.address = w.address and h.badge_id = w.badge_id and h.level = t.level)
    returning address, badge_id, level
), grouped as (
    select r.address, r.badge_id, max(r.level) as level,
           jsonb_agg(t.tier_id order by t.level) as tier_ids
      from risen r join tier t on t.badge_id = r.badge_id and t.level = r.level
     group by r.address, r.badge_id
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select g.address || '-traveler-' || (g.tier_ids ->> 0), 'badges.badge-granted',
       c.said || jsonb_build_object('key', g.address || '-traveler-' || (g.tier_ids ->> 0), 'address', g.address,
                                    'tierIds', g.tier_ids, 'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from grouped g
  join tier_card c on c.badge_id = g.badge_id and c.level = g.level
on conflict (subject) do nothing;

-- ---- height: vertical_voyager ---------------------------------------------

-- on platform.client-vertical-height-reached
with done as (
    insert into progress (address, badge_id, steps, completed_at, detail, updated_at)
    select :address, 'vertical_voyager', 1, :event.time,
           jsonb_build_object('height_reached', (said.metadata ->> 'height')::numeric), :event.time
      from (select (:metadata)::json as metadata) said
     where (said.metadata ->> 'height')::numeric >= 500
    on conflict (address, badge_id) do nothing
    returning address, badge_id
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select d.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', d.address || c.suffix, 'address', d.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from done d join badge_card c on c.badge_id = d.badge_id
on conflict (subject) do nothing;

-- ---- steps: walkabout_wanderer ----------------------------------------------

-- on platform.client-walked-distance
with counted as (
    insert into progress (address, badge_id, steps, updated_at)
    select :address, 'walkabout_wanderer', ((:metadata)::json ->> 'stepCount')::bigint, :event.time
     where (select count(*) from tier_held h
             where h.address = :address and h.badge_id = 'walkabout_wanderer') < 6
    on conflict (address, badge_id) do update
       set steps = progress.steps + excluded.steps, updated_at = excluded.updated_at
    returning address, badge_id, steps
), risen as (
    insert into tier_held (address, badge_id, level, place, achieved_at)
    select w.address, w.badge_id, min(t.level), :event.sequence::bigint * 8, :event.time
      from counted w join tier t on t.badge_id = w.badge_id and t.steps <= w.steps
     where not exists (select from tier_held h
                        where h.address = w.address and h.badge_id = w.badge_id and h.level = t.level)
     group by w.address, w.badge_id
    returning address, badge_id, level
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select r.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', r.address || c.suffix, 'address', r.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from risen r join tier_card c on c.badge_id = r.badge_id and c.level = r.level
on conflict (subject) do nothing;

-- ---- minutes with an emote: moves_master --------------------------------------

-- on platform.client-used-emote
with counted as (
    insert into progress (address, badge_id, steps, mark, updated_at)
    select :address, 'moves_master', 1, said.minute, :event.time
      from (select :timestamp::bigint / 60000 * 60000 as minute) said
     where (select count(*) from tier_held h
             where h.address = :address and h.badge_id = 'moves_master') < 6
       and said.minute > 0
    on conflict (address, badge_id) do update
       set steps = progress.steps + 1, mark = excluded.mark, updated_at = excluded.updated_at
     where excluded.mark > progress.mark
    returning address, badge_id, steps, mark
), kept as (
    insert into emote_minute (address, slot, minute)
    select address, steps % 1440, mark from counted
    on conflict (address, slot) do update set minute = excluded.minute
), risen as (
    insert into tier_held (address, badge_id, level, place, achieved_at)
    select w.address, w.badge_id, min(t.level), :event.sequence::bigint * 8, :event.time
      from counted w join tier t on t.badge_id = w.badge_id and t.steps <= w.steps
     where not exists (select from tier_held h
                        where h.address = w.address and h.badge_id = w.badge_id and h.level = t.level)
     group by w.address, w.badge_id
    returning address, badge_id, level
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select r.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', r.address || c.suffix, 'address', r.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from risen r join tier_card c on c.badge_id = r.badge_id and c.level = r.level
on conflict (subject) do nothing;

-- ---- what counts once each: passports, purchases, publications -----------------
-- The three differ only in what the item is and which badge it counts for.

-- on platform.client-passport-opened
with told as (
    select :address::text as address, 'social_butterfly' as badge_id,
           lower((:metadata)::json #>> '{passport,receiver}') as item
), fresh as (
    insert into item (address, badge_id, item, at)
    select t.address, t.badge_id, t.item, :timestamp::bigint
      from told t
     where t.item <> t.address
       and (select count(*) from tier_held h
             where h.address = t.address and h.badge_id = t.badge_id) < 6
    on conflict (address, badge_id, item) do nothing
    returning address, badge_id
), counted as (
    insert into progress (address, badge_id, steps, updated_at)
    select address, badge_id, 1, :event.time from fresh
    on conflict (address, badge_id) do update
       set steps = progress.steps + 1, updated_at = excluded.updated_at
    returning address, badge_id, steps
), risen as (
    insert into tier_held (address, badge_id, level, place, achieved_at)
    select w.address, w.badge_id, min(t.level), :event.sequence::bigint * 8, :event.time
      from counted w join tier t on t.badge_id = w.badge_id and t.steps <= w.steps
     where not exists (select from tier_held h
                        where h.address = w.address and h.badge_id = w.badge_id and h.level = t.level)
     group by w.address, w.badge_id
    returning address, badge_id, level
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select r.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', r.address || c.suffix, 'address', r.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from risen r join tier_card c on c.badge_id = r.badge_id and c.level = r.level
on conflict (subject) do nothing;

-- A sale that does not name its buyer is kept by its seller, and counts for nobody.
-- on platform.blockchain-item-sold
with told as (
    select :address::text as address,
           case said.metadata ->> 'category' when 'emote' then 'emotionista'
                                             when 'wearable' then 'fashionista' end as badge_id,
           :key::text as item
      from (select (:metadata)::json as metadata) said
     where said.metadata ->> 'buyer' is not null
), fresh as (
    insert into item (address, badge_id, item, at)
    select t.address, t.badge_id, t.item, :timestamp::bigint
      from told t
     where t.badge_id is not null
       and (select count(*) from tier_held h
             where h.address = t.address and h.badge_id = t.badge_id) < 6
    on conflict (address, badge_id, item) do nothing
    returning address, badge_id
), counted as (
    insert into progress (address, badge_id, steps, updated_at)
    select address, badge_id, 1, :event.time from fresh
    on conflict (address, badge_id) do update
       set steps = progress.steps + 1, updated_at = excluded.updated_at
    returning address, badge_id, steps
), risen as (
    insert into tier_held (address, badge_id, level, place, achieved_at)
    select w.address, w.badge_id, min(t.level), :event.sequence::bigint * 8, :event.time
      from counted w join tier t on t.badge_id = w.badge_id and t.steps <= w.steps
     where not exists (select from tier_held h
                        where h.address = w.address and h.badge_id = w.badge_id and h.level = t.level)
     group by w.address, w.badge_id
    returning address, badge_id, level
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select r.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', r.address || c.suffix, 'address', r.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from risen r join tier_card c on c.badge_id = r.badge_id and c.level = r.level
on conflict (subject) do nothing;

-- on platform.blockchain-item-published
with told as (
    select :address::text as address,
           case said.metadata ->> 'category' when 'emote' then 'emote_creator'
                                             when 'wearable' then 'wearable_designer' end as badge_id,
           said.metadata ->> 'itemId' as item
      from (select (:metadata)::json as metadata) said
), fresh as (
    insert into item (address, badge_id, item, at)
    select t.address, t.badge_id, t.item, :timestamp::bigint
      from told t
     where t.badge_id is not null
       and (select count(*) from tier_held h
             where h.address = t.address and h.badge_id = t.badge_id) < 6
    on conflict (address, badge_id, item) do nothing
    returning address, badge_id
), counted as (
    insert into progress (address, badge_id, steps, updated_at)
    select address, badge_id, 1, :event.time from fresh
    on conflict (address, badge_id) do update
       set steps = progress.steps + 1, updated_at = excluded.updated_at
    returning address, badge_id, steps
), risen as (
    insert into tier_held (address, badge_id, level, place, achieved_at)
    select w.address, w.badge_id, min(t.level), :event.sequence::bigint * 8, :event.time
      from counted w join tier t on t.badge_id = w.badge_id and t.steps <= w.steps
     where not exists (select from tier_held h
                        where h.address = w.address and h.badge_id = w.badge_id and h.level = t.level)
     group by w.address, w.badge_id
    returning address, badge_id, level
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select r.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', r.address || c.suffix, 'address', r.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from risen r join tier_card c on c.badge_id = r.badge_id and c.level = r.level
on conflict (subject) do nothing;

-- ---- open_for_business: the second of two things, whichever that is ---------------
-- Both write the one row of business, each its own columns: who comes second waits for
-- the first's lock, and sees what it wrote.

-- on platform.blockchain-collection-created
with made as (
    insert into business (address, collection_at) values (:address, :event.time)
    on conflict (address) do update
       set collection_at = least(business.collection_at, excluded.collection_at)
    returning *
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select m.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', m.address || c.suffix, 'address', m.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from made m join badge_card c on c.badge_id = 'open_for_business'
 where m.collection_at = :event.time and m.told_collection_at is null
   and m.told_completed_at is null and coalesce(m.store_at, m.told_store_at) is not null
on conflict (subject) do nothing;

-- on content.deployment-accepted
with made as (
    insert into business (address, store_at)
    select :deployerAddress, :event.time where :entityType = 'store'
    on conflict (address) do update set store_at = least(business.store_at, excluded.store_at)
    returning *
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select m.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', m.address || c.suffix, 'address', m.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from made m join badge_card c on c.badge_id = 'open_for_business'
 where m.store_at = :event.time and m.told_store_at is null
   and m.told_completed_at is null and coalesce(m.collection_at, m.told_collection_at) is not null
on conflict (subject) do nothing;

-- A scene: land_architect.
with done as (
    insert into deployed (address, badge_id, completed_at, detail)
    select :deployerAddress, 'land_architect', :event.time, '{}' where :entityType = 'scene'
    on conflict (address, badge_id) do nothing
    returning address, badge_id
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select d.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', d.address || c.suffix, 'address', d.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from done d join badge_card c on c.badge_id = d.badge_id
 where not exists (select from progress p
                    where p.address = d.address and p.badge_id = d.badge_id and p.completed_at is not null)
on conflict (subject) do nothing;

-- A profile that says something: profile_pro. Not what it says: profiles can be erased.
with profile as (
    select (:pointers)::json ->> 0 as address,
           (:blob.entityId)::json #>> '{metadata,avatars,0,description}' as description
     where :entityType = 'profile'
), done as (
    insert into deployed (address, badge_id, completed_at, detail)
    select p.address, 'profile_pro', :event.time, '{"description_added": true}'
      from profile p
     where p.description <> '' and p.address ~ '^0x[0-9a-f]{40}$'
    on conflict (address, badge_id) do nothing
    returning address, badge_id
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select d.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', d.address || c.suffix, 'address', d.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from done d join badge_card c on c.badge_id = d.badge_id
 where not exists (select from progress p
                    where p.address = d.address and p.badge_id = d.badge_id and p.completed_at is not null)
on conflict (subject) do nothing;

-- The newest entity of a wearable says its rarity.
insert into wearable (pointer, entity_at, entity_id, rarity, item_id)
select p.pointer, :entityTimestamp, :entityId, e.entity #>> '{metadata,rarity}', e.entity #>> '{metadata,id}'
  from (select (:blob.entityId)::json as entity where :entityType = 'wearable') e
 cross join json_array_elements_text((:pointers)::json) p (pointer)
on conflict (pointer) do update
   set entity_at = excluded.entity_at, entity_id = excluded.entity_id,
       rarity = excluded.rarity, item_id = excluded.item_id
 where (excluded.entity_at, excluded.entity_id) > (wearable.entity_at, wearable.entity_id);

-- What the avatar wears: six ensembles. A wearable is named by its item, without the
-- number of the token; behind the first that is no urn nothing is looked at.
with profile as (
    select (:pointers)::json ->> 0 as address,
           (:blob.entityId)::json #> '{metadata,avatars,0,avatar,wearables}' as wearables
     where :entityType = 'profile'
), listed as (
    select p.address, lower(w.urn) as urn, w.nth, lower(w.urn) ~ '^urn:decentraland:[^:]+:[^:]+:[^:]+' as is_urn
      from profile p
     cross join json_array_elements_text(
               case when json_typeof(p.wearables) = 'array' then p.wearables else '[]' end)
           with ordinality w (urn, nth)
     where p.address ~ '^0x[0-9a-f]{40}$'
), worn as (
    select distinct l.address,
           coalesce(substring(l.urn from '^urn:decentraland:[^:]+:collections-v[12]:[^:]+:[^:]+'), l.urn) as pointer
      from listed l
     where not exists (select from listed b where not b.is_urn and b.nth <= l.nth)
), matched as (
    select w.address, e.badge_id, jsonb_agg(coalesce(i.item_id, i.pointer) order by i.pointer) as items
      from worn w join wearable i on i.pointer = w.pointer join ensemble e on e.rarity = i.rarity
     group by w.address, e.badge_id having count(*) >= 3
), done as (
    insert into deployed (address, badge_id, completed_at, detail)
    select address, badge_id, :event.time, jsonb_build_object('completed_with', items) from matched
    on conflict (address, badge_id) do nothing
    returning address, badge_id
)
insert into outgoing (subject, type, data, input_topic, input_partition, input_sequence, input_id)
select d.address || c.suffix, 'badges.badge-granted',
       c.said || jsonb_build_object('key', d.address || c.suffix, 'address', d.address,
                                    'grantedAt', :event.time::bigint),
       :event.topic, :event.partition, :event.sequence, :event.id
  from done d join badge_card c on c.badge_id = d.badge_id
 where not exists (select from progress p
                    where p.address = d.address and p.badge_id = d.badge_id and p.completed_at is not null)
on conflict (subject) do nothing;

-- ---- back-fills: what an administrator tells of before; they grant nothing -----------
-- Which of these does something is decided by the badge. Items first, then what follows
-- from all of them: the N-th item reaches the tier of N steps, at its own time.

-- on platform.badge-progress-backfilled
insert into progress (address, badge_id, steps, completed_at, detail, updated_at)
select :address, :badgeId, 1,
       case when e.badge_id is not null then (told.said ->> 'completedAt')::bigint
            else least(coalesce(told.said ->> 'completedAt', told.said ->> 'firstSceneDeployedAt')::bigint,
                       :event.time::bigint) end,
       jsonb_strip_nulls(jsonb_build_object('completed_with', told.said -> 'completedWith',
                                            'description_added', told.said -> 'hasDescription')),
       :event.time
  from (select (:progress)::jsonb as said) told
  join badge b on b.badge_id = :badgeId and b.steps = 1
  left join ensemble e on e.badge_id = b.badge_id
on conflict (address, badge_id) do update
   set completed_at = case when progress.badge_id in (select badge_id from ensemble)
                           then excluded.completed_at
                           else least(progress.completed_at, excluded.completed_at) end,
       detail = progress.detail || excluded.detail, updated_at = excluded.updated_at;

insert into business (address, told_store_at, told_collection_at, told_completed_at)
select :address, (told.said ->> 'storeCreatedAt')::bigint,
       (told.said ->> 'collectionCreatedAt')::bigint,
       least((told.said ->> 'completedAt')::bigint,
             case when told.said ->> 'completedAt' is not null then :event.time::bigint end)
  from (select (:progress)::jsonb as said) told
 where :badgeId = 'open_for_business'
on conflict (address) do update
   set told_store_at = least(business.told_store_at, excluded.told_store_at),
       told_collection_at = least(business.told_collection_at, excluded.told_collection_at),
       told_completed_at = least(business.told_completed_at, excluded.told_completed_at);

-- moves_master and social_butterfly are replaced.
delete from tier_held
 where address = :address and badge_id = :badgeId and badge_id in ('moves_master', 'social_butterfly');
delete from emote_minute where address = :address and :badgeId = 'moves_master';
delete from item where address = :address and badge_id = :badgeId and badge_id = 'social_butterfly';

insert into item (address, badge_id, item, at)
select :address, :badgeId, one.item, min(one.at)
  from (select coalesce(sale.said ->> 'transactionHash', sale.said ->> 'itemId',
                        sale.said ->> 'eventId', lower(sale.said ->> 'profile_address')) as item,
               coalesce(sale.said ->> 'saleAt', sale.said ->> 'createdAt',
                        sale.said ->> 'firstVisitAt', sale.said ->> 'visited_at')::bigint as at
          from (select (:progress)::jsonb as said) told
         cross join jsonb_array_elements(coalesce(
                   told.said -> 'emotesBought', told.said -> 'wearablesBought',
                   told.said -> 'emotesPublished', told.said -> 'wearablesPublished',
                   told.said -> 'eventsAttended', told.said -> 'profiles_visited', '[]')) sale (said)) one
 where :badgeId in ('emotionista', 'fashionista', 'emote_creator', 'wearable_designer',
                    'event_enthusiast', 'social_butterfly')
 group by one.item
on conflict (address, badge_id, item) do nothing;

insert into progress (address, badge_id, steps, updated_at)
select i.address, i.badge_id, count(*), :event.time
  from item i
 where i.address = :address and i.badge_id = :badgeId and i.badge_id <> 'traveler'
 group by i.address, i.badge_id
on conflict (address, badge_id) do update
   set steps = excluded.steps, updated_at = excluded.updated_at;

insert into progress (address, badge_id, steps, mark, completed_at, updated_at)
select :address, :badgeId, (told.said ->> 'usedEmotesCount')::bigint,
       (told.said ->> 'lastEmoteTriggeredAt')::bigint,
       case when jsonb_array_length(told.said -> 'achievedTiers') = 6 then :event.time::bigint end,
       :event.time
  from (select (:progress)::jsonb as said) told
 where :badgeId = 'moves_master'
on conflict (address, badge_id) do update
   set steps = excluded.steps, mark = excluded.mark, completed_at = excluded.completed_at,
       updated_at = excluded.updated_at;

insert into tier_held (address, badge_id, level, place, achieved_at)
select :address, :badgeId, t.level, :event.sequence::bigint * 8 + min(tiers.nth),
       min((tiers.said ->> 'completedAt')::bigint)
  from (select (:progress)::jsonb as said) told
 cross join jsonb_array_elements(coalesce(told.said -> 'achievedTiers', '[]'))
       with ordinality tiers (said, nth)
  join tier t on t.badge_id = :badgeId and t.steps = (tiers.said ->> 'steps')::bigint
 where :badgeId = 'moves_master'
 group by t.level;

insert into tier_held (address, badge_id, level, place, achieved_at)
select i.address, i.badge_id, t.level, :event.sequence::bigint * 8 + t.level, i.at
  from (select address, badge_id, at, row_number() over (order by at, item) as nth
          from item
         where address = :address and badge_id = :badgeId
           and badge_id not in ('traveler', 'event_enthusiast')) i
  join tier t on t.badge_id = i.badge_id and t.steps = i.nth
on conflict (address, badge_id, level) do update
   set achieved_at = least(tier_held.achieved_at, excluded.achieved_at);

-- Events: the tier's time is that of the N-th that was told now, else the one it had.
insert into tier_held (address, badge_id, level, place, achieved_at)
select p.address, p.badge_id, t.level, :event.sequence::bigint * 8 + t.level,
       coalesce(((:progress)::jsonb -> 'eventsAttended' -> (t.steps::int - 1) ->> 'firstVisitAt')::bigint,
                h.achieved_at, :event.time::bigint)
  from progress p
  join tier t on t.badge_id = p.badge_id and t.steps <= p.steps
  left join tier_held h on h.address = p.address and h.badge_id = p.badge_id and h.level = t.level
 where p.address = :address and p.badge_id = :badgeId and p.badge_id = 'event_enthusiast'
on conflict (address, badge_id, level) do update set achieved_at = excluded.achieved_at;

-- on platform.badge-progress-reset
delete from progress where address = :address and badge_id = :badgeId;
delete from tier_held where address = :address and badge_id = :badgeId;
delete from item where address = :address and badge_id = :badgeId;
delete from emote_minute where address = :address and :badgeId = 'moves_master';
delete from movement where address = :address and :badgeId = 'traveler';
update business set collection_at = null, told_store_at = null, told_collection_at = null, told_completed_at = null
 where address = :address and :badgeId = 'open_for_business';
insert into reset (address, badge_id, at) values (:address, :badgeId, :event.time)
on conflict (address, badge_id) do update set at = excluded.at;

-- ---- what was granted ---------------------------------------------------------

-- on badges.badge-granted
insert into granted (address, badge_id, level, granted_at)
select :address, b.badge_id, coalesce(t.level, 0), :grantedAt
  from badge b
  left join tier t on t.badge_id = b.badge_id and (:tierIds)::jsonb ? t.tier_id
 where b.badge_id = :badgeId and (b.steps is not null or t.level is not null)
on conflict (address, badge_id, level) do nothing;
