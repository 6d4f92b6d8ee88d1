-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- A profile that nobody has deployed again for a year (of 365 days, from the time in its
-- file) is not found any more; default profiles stay (contract: catalyst, 4.10). Each
-- profile sets a timer, and a newer one on its pointer cancels it.

-- on content.deployment-accepted
delete from outgoing
 where :entityType = 'profile'
   and subject in (select entity_id from newest
                    where pointer = :pointers::json ->> 0
                      and (entity_timestamp, entity_id) < (:entityTimestamp::bigint, :entityId));
insert into newest (pointer, entity_id, entity_timestamp)
select :pointers::json ->> 0, :entityId, :entityTimestamp
 where :entityType = 'profile' and :pointers::json ->> 0 !~ '^default[0-9]+$'
on conflict (pointer) do update
   set entity_id = excluded.entity_id, entity_timestamp = excluded.entity_timestamp
 where (newest.entity_timestamp, newest.entity_id) < (excluded.entity_timestamp, excluded.entity_id);
insert into outgoing (subject, type, data, due, input_topic, input_partition, input_sequence, input_id)
select entity_id, 'content.stale-profile-removed',
       jsonb_build_object('pointer', pointer, 'entityId', entity_id),
       entity_timestamp + 365 * 86400000::bigint,
       :event.topic, :event.partition, :event.sequence, :event.id
  from newest
 where pointer = :pointers::json ->> 0 and entity_id = :entityId and :entityType = 'profile'
on conflict (subject) do nothing;
