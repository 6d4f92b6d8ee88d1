-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What each event does to the read model. Which entity is active is a function of the set
-- of deployments, whatever the order they came in: on each pointer the neighbours in the
-- order (entity_timestamp, id) are all that a new one can change. Statements behind the
-- first look for the row that this very event made, so that a second event about the same
-- entity changes nothing.

-- on content.deployment-accepted
insert into entity (id, id_order, type, version, entity_timestamp, pointers, content, metadata,
                    deployer, auth_chain, weight, local_timestamp, sequence, is_stale)
select :entityId, lower(:entityId), :entityType, coalesce(file.body ->> 'version', 'v3'),
       :entityTimestamp,
       array(select value from json_array_elements_text(:pointers) with ordinality as p(value, place)
              order by place),
       coalesce((select '[' || string_agg(item.shape::text, ',' order by item.place) || ']'
                   from (select place, row_to_json((select pair from (select value ->> 'file' as file,
                                                                             value ->> 'hash' as hash) pair)) as shape
                           from json_array_elements(
                                    case when json_typeof(file.body -> 'content') = 'array'
                                         then file.body -> 'content' else '[]' end)
                                with ordinality as c(value, place)) item)::json,
                '[]'::json),
       file.body -> 'metadata', :deployer, :authChain,
       512 + octet_length((:authChain::json)::text) + octet_length((:pointers::json)::text)
           + coalesce(octet_length(file.body::text), 0),
       :event.time, :event.sequence, false
  from (select :blob.entityId::json as body) file
on conflict (id) do nothing;
insert into entity_pointer (type, pointer, entity_timestamp, entity_id)
select distinct type, pointer, entity_timestamp, id
  from entity cross join unnest(pointers) as pointer
 where id = :entityId and sequence = :event.sequence;
insert into content_file (hash, entity_id)
select distinct item ->> 'hash', id
  from entity cross join json_array_elements(content) as item
 where id = :entityId and sequence = :event.sequence;
-- the earliest later one on any of its pointers
update entity
   set overwritten_by = later.entity_id, overwritten_at = later.entity_timestamp
  from (select next.entity_id, next.entity_timestamp
          from entity mine
               cross join unnest(mine.pointers) as shared
               cross join lateral (select entity_id, entity_timestamp from entity_pointer
                                    where type = mine.type and pointer = shared
                                      and (entity_timestamp, entity_id) > (mine.entity_timestamp, mine.id)
                                    order by entity_timestamp, entity_id
                                    limit 1) next
         where mine.id = :entityId and mine.sequence = :event.sequence
         order by next.entity_timestamp, next.entity_id
         limit 1) later
 where id = :entityId;
-- the one before it on each of its pointers: those before that are overwritten already
update entity
   set overwritten_by = :entityId, overwritten_at = :entityTimestamp
  from (select distinct before.entity_id
          from entity mine
               cross join unnest(mine.pointers) as shared
               cross join lateral (select entity_id from entity_pointer
                                    where type = mine.type and pointer = shared
                                      and (entity_timestamp, entity_id) < (mine.entity_timestamp, mine.id)
                                    order by entity_timestamp desc, entity_id desc
                                    limit 1) before
         where mine.id = :entityId and mine.sequence = :event.sequence) older
 where id = older.entity_id
   and (overwritten_by is null
        or (overwritten_at, overwritten_by) > (:entityTimestamp::bigint, :entityId));
-- (the limit keeps the planner, which sees empty tables, from reading all of one)
delete from active_pointer
 using entity
 where entity_id = id and id in (select before.entity_id
                                   from entity mine
                                        cross join unnest(mine.pointers) as shared
                                        cross join lateral (select entity_id from active_pointer
                                                             where pointer = shared and type = mine.type
                                                             order by type
                                                             limit 1) before
                                  where mine.id = :entityId and mine.sequence = :event.sequence)
   and overwritten_by is not null;
insert into active_pointer (pointer, type, entity_id)
select distinct pointer, type, id
  from entity cross join unnest(pointers) as pointer
 where id = :entityId and sequence = :event.sequence and overwritten_by is null;
delete from failed_deployment where entity_id = :entityId;

-- on content.deployment-failed
insert into failed_deployment (entity_id, type, failed_at, reason, description, auth_chain, snapshot_hash)
values (:entityId, :entityType, :event.time, :reason, :errorDescription, :authChain, :snapshotHash)
on conflict (entity_id) do update
   set failed_at = excluded.failed_at, reason = excluded.reason, description = excluded.description,
       auth_chain = excluded.auth_chain, snapshot_hash = excluded.snapshot_hash;

-- on content.failed-deployment-cleared
delete from failed_deployment where entity_id = :entityId;

-- on content.stale-profile-removed
update entity set is_stale = true where id = :entityId;
delete from active_pointer where entity_id = :entityId;

-- on content.denylist-updated
insert into denied (id, source, at)
select distinct id, :source, :event.time from json_array_elements_text(:added) as id
on conflict (id) do nothing;

-- on content.snapshot-generated
delete from snapshot
 where init_timestamp >= :initTimestamp and end_timestamp <= :endTimestamp;
insert into snapshot (init_timestamp, end_timestamp, hash, replaced, entities, generated_at, as_of)
values (:initTimestamp, :endTimestamp, :hash, :replacedSnapshotHashes, :numberOfEntities,
        :generationTimestamp, :asOf);
