-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What is asked of deployments (contract: catalyst, 3.2 to 3.5, and 7 for the sizes of
-- lists). Lists come as JSON arrays of texts. Bodies are put together from row_to_json(),
-- and not by json_agg(), so that they are as compact as JSON.stringify() writes them; an
-- entity's metadata is the text of its file. What is denied is in no list. An answer is
-- held whole in memory on its way: lists that would weigh more than 16 MiB are refused, and
-- pages of history end early, after 8 MiB.

-- What a deployment is decided on: was it deployed already, is a later one on its
-- pointers, and the active one of its first pointer.
-- query deployment_state(id text, type text, pointers json, timestamp bigint)
with answer as (
    select (select local_timestamp from entity where id = :id) as "deployed",
           (select next.entity_id
              from json_array_elements_text(:pointers) as shared
                   cross join lateral (select entity_id, entity_timestamp from entity_pointer
                                        where type = :type and pointer = shared
                                          and (entity_timestamp, entity_id) > (:timestamp, :id)
                                        order by entity_timestamp, entity_id
                                        limit 1) next
             order by next.entity_timestamp, next.entity_id
             limit 1) as "newer",
           active.metadata::text as "activeMetadata",
           active.local_timestamp as "activeSince"
      from (select 1) once
           left join active_pointer on pointer = :pointers ->> 0 and active_pointer.type = :type
           left join entity active on active.id = entity_id
)
select 200 as status, row_to_json(answer)::text as body from answer;

-- When an entity was deployed, for a client that sends it once more.
-- query deployed(id text)
select 200 as status, '{"creationTimestamp":' || local_timestamp || '}' as body
  from entity where id = :id;

-- Active entities by their ids or by pointers; both lists are there, one is empty.
-- query active_entities(ids json, pointers json, with_content boolean, with_pointers boolean, with_metadata boolean)
with wanted as (
    select value as id from json_array_elements_text(:ids)
    union
    select entity_id from active_pointer
     where pointer in (select value from json_array_elements_text(:pointers))
), listed as materialized (
    select e.id, weight
      from wanted join entity e using (id)
     where overwritten_by is null and not is_stale
       and not exists (select from denied where denied.id = e.id)
)
select case when (select sum(weight) from listed) > 16 * 1048576 then 413 else 200 end as status,
       case when (select sum(weight) from listed) > 16 * 1048576
            then '{"error":"These entities are too large for one answer. Ask for fewer at a time."}'
            else (select '[' || coalesce(string_agg(
                             left(row_to_json((select head from (select version, id, type, entity_timestamp as timestamp,
                                                                        case when :with_pointers then to_json(pointers) else '[]'::json end as pointers,
                                                                        case when :with_content then content else '[]'::json end as content) head))::text, -1)
                             || case when :with_metadata and metadata is not null then ',"metadata":' || metadata::text else '' end || '}',
                             ',' order by id), '') || ']'
                    from listed join entity using (id))
        end as body;

-- Active entities that have a pointer which starts with a collection's URN.
-- query active_of_collection(urn text, limit int, offset int)
with listed as materialized (
    select distinct entity_id as id from active_pointer
     where pointer >= :urn and pointer < :urn || chr(1114111)
       and not exists (select from denied where denied.id = entity_id)
), page as materialized (
    select id, weight from listed join entity using (id) order by id limit :limit offset :offset
)
select case when (select sum(weight) from page) > 16 * 1048576 then 413 else 200 end as status,
       case when (select sum(weight) from page) > 16 * 1048576
            then '{"error":"These entities are too large for one answer. Ask for fewer at a time."}'
            else '{"total":' || (select count(*) from listed) || ',"entities":['
                 || (select coalesce(string_agg(
                                left(row_to_json((select head from (select version, id, type, entity_timestamp as timestamp,
                                                                           pointers, content) head))::text, -1)
                                || case when metadata is not null then ',"metadata":' || metadata::text else '' end || '}',
                                ',' order by id), '')
                       from page join entity using (id))
                 || ']}'
        end as body;

-- Ids of active entities that use a file, the first 100,000.
-- query active_of_file(hash text)
with listed as (
    select id from content_file join entity on id = entity_id
     where hash = :hash and overwritten_by is null and not is_stale
       and not exists (select from denied where denied.id = entity.id)
     order by id
     limit 100000
)
select 200 as status, '[' || string_agg(to_json(id)::text, ',' order by id) || ']' as body
  from listed having count(*) > 0;

-- Who deployed an entity, overwritten or not.
-- query audit(type text, id text)
with answer as (
    select version, local_timestamp as "localTimestamp", auth_chain as "authChain"
      from entity where id = :id and type = :type
)
select 200 as status, row_to_json(answer)::text as body from answer;

-- A page of history. `from_id` and `to_id` break ties at the border that `lastId` makes
-- exclusive: '' and '~' where there is none, which no id reaches. The page goes along one
-- index, chosen by two flags; a list of ids or pointers has a way of its own. One row more
-- than the page is read, to know whether there is one.
-- The next page's address is next_head, where the last row stands, next_middle, its id,
-- next_tail.
-- query deployments(types json, ids json, pointers json, active boolean, by_local boolean, ascending boolean, from_time bigint, from_id text, to_time bigint, to_id text, offset int, limit int, with_pointers boolean, with_content boolean, with_metadata boolean, with_audit boolean, filters text, last_id text, next_head text, next_middle text, next_tail text)
with listed as (
    (select id from entity
      where :by_local and :ascending and :ids is null and :pointers is null
        and (local_timestamp, id_order) > (:from_time, :from_id) and local_timestamp <= :to_time
        and (:types is null or type in (select value from json_array_elements_text(:types)))
        and (not :active or overwritten_by is null and not is_stale)
      order by local_timestamp, id_order, id limit :limit + 1 offset :offset)
    union all
    (select id from entity
      where :by_local and not :ascending and :ids is null and :pointers is null
        and (local_timestamp, id_order) < (:to_time, :to_id) and local_timestamp >= :from_time
        and (:types is null or type in (select value from json_array_elements_text(:types)))
        and (not :active or overwritten_by is null and not is_stale)
      order by local_timestamp desc, id_order desc, id desc limit :limit + 1 offset :offset)
    union all
    (select id from entity
      where not :by_local and :ascending and :ids is null and :pointers is null
        and (entity_timestamp, id_order) > (:from_time, :from_id) and entity_timestamp <= :to_time
        and (:types is null or type in (select value from json_array_elements_text(:types)))
        and (not :active or overwritten_by is null and not is_stale)
      order by entity_timestamp, id_order, id limit :limit + 1 offset :offset)
    union all
    (select id from entity
      where not :by_local and not :ascending and :ids is null and :pointers is null
        and (entity_timestamp, id_order) < (:to_time, :to_id) and entity_timestamp >= :from_time
        and (:types is null or type in (select value from json_array_elements_text(:types)))
        and (not :active or overwritten_by is null and not is_stale)
      order by entity_timestamp desc, id_order desc, id desc limit :limit + 1 offset :offset)
    union all
    (select id
       from (select e.*, case when :by_local then local_timestamp else entity_timestamp end as at
               from entity e
              where (:ids is not null or :pointers is not null)
                and id in (select value from json_array_elements_text(
                                                 case when :ids is null then '[]' else :ids end)
                           union all
                           select entity_id from entity_pointer
                            where :ids is null
                              and pointer in (select value from json_array_elements_text(
                                                  case when :pointers is null then '[]' else :pointers end)))
                and (:pointers is null
                     or pointers && array(select value from json_array_elements_text(:pointers) order by value))) chosen
      where case when :ascending then (at, id_order) > (:from_time, :from_id) and at <= :to_time
                 else (at, id_order) < (:to_time, :to_id) and at >= :from_time end
        and (:types is null or type in (select value from json_array_elements_text(:types)))
        and (not :active or overwritten_by is null and not is_stale)
      order by case when :ascending then at else -at end,
               case when :ascending then id_order end, case when not :ascending then id_order end desc, id
      limit :limit + 1 offset :offset)
), placed as (
    select id, weight, case when :by_local then local_timestamp else entity_timestamp end as at,
           row_number() over (order by case when :ascending then 1 else -1 end
                                       * case when :by_local then local_timestamp else entity_timestamp end,
                                       case when :ascending then id_order end,
                                       case when not :ascending then id_order end desc, id) as place
      from listed join entity using (id)
), numbered as (
    select id, at, place, sum(weight) over (order by place) as weight_so_far from placed
), page as materialized (
    select id, at, place from numbered
     where place <= :limit and (place = 1 or weight_so_far <= 8 * 1048576)
), ending as (
    select count(*) > (select count(*) from page) as more,
           (select at from page order by place desc limit 1) as at,
           (select id from page order by place desc limit 1) as id
      from numbered
)
select 200 as status,
       '{"deployments":[' || coalesce((
           select string_agg(
                      left(row_to_json((select head from (select version as "entityVersion", type as "entityType", id as "entityId",
                                                                 entity_timestamp as "entityTimestamp", deployer as "deployedBy") head))::text, -1)
                      || case when :with_pointers then ',"pointers":' || to_json(pointers)::text else '' end
                      || case when :with_content
                              then ',"content":[' || coalesce((
                                       select string_agg('{"key":' || (item -> 'file')::text || ',"hash":' || (item -> 'hash')::text || '}', ',' order by item_place)
                                         from json_array_elements(content) with ordinality as c(item, item_place)), '') || ']'
                              else '' end
                      || case when :with_metadata and metadata is not null then ',"metadata":' || metadata::text else '' end
                      || case when :with_audit
                              then ',"auditInfo":' || row_to_json((select audit from (select version, auth_chain as "authChain", local_timestamp as "localTimestamp") audit))::text
                              else '' end
                      || ',"localTimestamp":' || local_timestamp || '}',
                      ',' order by place)
             from page join entity using (id)
            where not exists (select from denied where denied.id = entity.id)), '')
       || '],"filters":' || :filters || ',"pagination":{"offset":' || :offset || ',"limit":' || :limit
       || ',"moreData":' || more::text
       || coalesce(',"lastId":' || to_json(:last_id)::text, '')
       || case when more then ',"next":' || to_json(:next_head || at || :next_middle || lower(id) || :next_tail)::text else '' end
       || '}}' as body
  from ending;

-- The same for replication: who follows these by local time misses nothing.
-- query pointer_changes(types json, by_local boolean, ascending boolean, from_time bigint, from_id text, to_time bigint, to_id text, offset int, limit int, filters text, last_id text, next_head text, next_middle text, next_tail text)
with listed as (
    (select id from entity
      where :by_local and :ascending
        and (local_timestamp, id_order) > (:from_time, :from_id) and local_timestamp <= :to_time
        and (:types is null or type in (select value from json_array_elements_text(:types)))
      order by local_timestamp, id_order, id limit :limit + 1 offset :offset)
    union all
    (select id from entity
      where :by_local and not :ascending
        and (local_timestamp, id_order) < (:to_time, :to_id) and local_timestamp >= :from_time
        and (:types is null or type in (select value from json_array_elements_text(:types)))
      order by local_timestamp desc, id_order desc, id desc limit :limit + 1 offset :offset)
    union all
    (select id from entity
      where not :by_local and :ascending
        and (entity_timestamp, id_order) > (:from_time, :from_id) and entity_timestamp <= :to_time
        and (:types is null or type in (select value from json_array_elements_text(:types)))
      order by entity_timestamp, id_order, id limit :limit + 1 offset :offset)
    union all
    (select id from entity
      where not :by_local and not :ascending
        and (entity_timestamp, id_order) < (:to_time, :to_id) and entity_timestamp >= :from_time
        and (:types is null or type in (select value from json_array_elements_text(:types)))
      order by entity_timestamp desc, id_order desc, id desc limit :limit + 1 offset :offset)
), placed as (
    select id, weight, case when :by_local then local_timestamp else entity_timestamp end as at,
           row_number() over (order by case when :ascending then 1 else -1 end
                                       * case when :by_local then local_timestamp else entity_timestamp end,
                                       case when :ascending then id_order end,
                                       case when not :ascending then id_order end desc, id) as place
      from listed join entity using (id)
), numbered as (
    select id, at, place, sum(weight) over (order by place) as weight_so_far from placed
), page as materialized (
    select id, at, place from numbered
     where place <= :limit and (place = 1 or weight_so_far <= 8 * 1048576)
), ending as (
    select count(*) > (select count(*) from page) as more,
           (select at from page order by place desc limit 1) as at,
           (select id from page order by place desc limit 1) as id
      from numbered
)
select 200 as status,
       '{"deltas":[' || coalesce((
           select string_agg(
                      left(row_to_json((select head from (select sequence as "deploymentId", type as "entityType", id as "entityId",
                                                                 pointers, entity_timestamp as "entityTimestamp") head))::text, -1)
                      || case when metadata is not null then ',"metadata":' || metadata::text else '' end || ','
                      || substr(row_to_json((select tail from (select deployer as "deployerAddress", version, auth_chain as "authChain",
                                                                      local_timestamp as "localTimestamp") tail))::text, 2),
                      ',' order by place)
             from page join entity using (id)
            where not exists (select from denied where denied.id = entity.id)), '')
       || '],"filters":' || :filters || ',"pagination":{"offset":' || :offset || ',"limit":' || :limit
       || ',"moreData":' || more::text
       || coalesce(',"lastId":' || to_json(:last_id)::text, '')
       || case when more then ',"next":' || to_json(:next_head || at || :next_middle || lower(id) || :next_tail)::text else '' end
       || '}}' as body
  from ending;

-- Newest first.
-- query failed_deployments(limit int, offset int)
with page as (
    select * from failed_deployment order by failed_at desc, entity_id limit :limit offset :offset
)
select 200 as status,
       '[' || coalesce(string_agg(
           left(row_to_json((select shape from (select type as "entityType", entity_id as "entityId", failed_at as "failureTimestamp",
                                                       reason, auth_chain as "authChain", description as "errorDescription") shape))::text, -1)
           || coalesce(',"snapshotHash":' || to_json(snapshot_hash)::text, '') || '}',
           ',' order by failed_at desc, entity_id), '') || ']' as body
  from page;

-- Nothing before the first snapshot is made.
-- query snapshots()
with listed as (
    select row_to_json((select shape from (select hash,
                                                  (select span from (select init_timestamp as "initTimestamp", end_timestamp as "endTimestamp") span) as "timeRange",
                                                  replaced as "replacedSnapshotHashes", entities as "numberOfEntities",
                                                  generated_at as "generationTimestamp") shape))::text as shape,
           init_timestamp, end_timestamp
      from snapshot
)
select 200 as status, '[' || string_agg(shape, ',' order by init_timestamp, end_timestamp) || ']' as body
  from listed having count(*) > 0;

-- The hash of the picture that an item's metadata names; null: it names none.
-- query item_picture(pointer text, member text)
with found as (
    select id, content, metadata from active_pointer join entity on id = entity_id
     where pointer = :pointer
       and not exists (select from denied where denied.id = entity.id)
     order by (active_pointer.type not in ('wearable', 'emote'))::int, active_pointer.type
     limit 1
), answer as (
    select (select item ->> 'hash' from json_array_elements(content) with ordinality as c(item, place)
             where item ->> 'file' = metadata ->> :member
             order by place limit 1) as hash
      from found
)
select 200 as status, row_to_json(answer)::text as body from answer;

-- Profiles for lambdas, which looks at their avatars: a JSON object on a line each.
-- query profiles(ids json)
with listed as materialized (
    select id, pointer, weight
      from active_pointer join entity on id = entity_id
     where pointer in (select value from json_array_elements_text(:ids))
       and active_pointer.type = 'profile' and metadata is not null
       and not exists (select from denied where denied.id = entity.id)
)
select case when (select sum(weight) from listed) > 8 * 1048576 then 413 else 200 end as status,
       case when (select sum(weight) from listed) > 8 * 1048576 then ''
            else (select coalesce(string_agg(translate('{"id":' || to_json(id)::text || ',"pointer":' || to_json(pointer)::text
                                                       || ',"timestamp":' || entity_timestamp || ',"metadata":' || metadata::text || '}',
                                                       chr(10), ' '), chr(10) order by id), '')
                    from listed join entity using (id))
        end as body;

-- ---- for jobs (consumers/content_*.c) ----

-- What is known of a range: snapshots within it, and what is active there.
-- query snapshot_state(init bigint, ending bigint)
with answer as (
    select coalesce((select json_agg(row_to_json((select shape from (select hash, init_timestamp as init, end_timestamp as "end",
                                                                            entities, generated_at as "generatedAt",
                                                                            as_of as "asOf") shape))
                                     order by init_timestamp, end_timestamp)
                       from snapshot
                      where init_timestamp >= :init and end_timestamp <= :ending), '[]'::json) as saved,
           count(*) as active, coalesce(max(sequence), 0) as newest
      from entity
     where entity_timestamp between :init and :ending and overwritten_by is null and not is_stale
)
select 200 as status, row_to_json(answer)::text as body from answer;

-- The active entities of a range behind (at, behind), as lines of a snapshot; above them
-- the key of the last one.
-- query snapshot_page(init bigint, ending bigint, at bigint, behind text)
with page as (
    select id, type, pointers, auth_chain, entity_timestamp from entity
     where (entity_timestamp, id_order) > (:at, lower(:behind)) and entity_timestamp between :init and :ending
       and overwritten_by is null and not is_stale
     order by entity_timestamp, id_order, id
     limit 500
)
select 200 as status,
       (select entity_timestamp || ' ' || id from page order by entity_timestamp desc, lower(id) desc, id desc limit 1) || chr(10)
       || string_agg(row_to_json((select line from (select id as "entityId", type as "entityType", pointers, auth_chain as "authChain",
                                                           entity_timestamp as "entityTimestamp") line))::text || chr(10),
                     '' order by entity_timestamp, lower(id), id) as body
  from page having count(*) > 0;

-- Was anything ever deployed?
-- query has_deployments()
select 200 as status, (exists (select from entity))::text as body;

-- Those of these files that something refers to, sorted.
-- query referenced(hashes json, only_active boolean)
with asked as (
    select value as hash from json_array_elements_text(:hashes)
), kept as (
    select hash from asked
     where exists (select from entity where id = hash)
        or exists (select from snapshot where snapshot.hash = asked.hash)
        or exists (select from content_file join entity on id = entity_id
                    where content_file.hash = asked.hash
                      and (not :only_active or overwritten_by is null and not is_stale))
)
select 200 as status, coalesce((select json_agg(hash order by hash collate "C", hash) from kept), '[]'::json)::text as body;

-- Those of these ids that are not denied yet.
-- query undenied_of(ids json)
with fresh as (
    select distinct value as id from json_array_elements_text(:ids)
     where value not in (select id from denied)
)
select 200 as status, coalesce((select json_agg(id order by id) from fresh), '[]'::json)::text as body;
