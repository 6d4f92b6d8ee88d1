-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- Every type of platform event is counted alike.

-- on platform.blockchain-bid-accepted
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.blockchain-collection-created
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.blockchain-item-published
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.blockchain-item-sold
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.blockchain-land-rental-ended
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.blockchain-land-rental-started
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.blockchain-royalties-earned
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.blockchain-tip-received
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.blockchain-transfer-received
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.client-logged-in
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.client-logged-in-cached
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.client-move-to-parcel
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.client-passport-opened
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.client-used-emote
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.client-vertical-height-reached
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.client-walked-distance
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.marketplace-bid-received
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.rewards-campaign-gas-price-higher-than-expected
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.rewards-campaign-out-of-funds
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.rewards-campaign-out-of-stock
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.rewards-reward-assigned
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.rewards-reward-delayed
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);

-- on platform.rewards-reward-in-progress
insert into told (partition, source, type, count, newest)
values (:event.partition, :source, :event.type, 1, :timestamp)
on conflict (partition, source, type) do update
   set count = told.count + 1, newest = greatest(told.newest, excluded.newest);
