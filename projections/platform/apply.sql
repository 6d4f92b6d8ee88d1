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
