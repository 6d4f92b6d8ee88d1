-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What is asked of inboxes.

-- The newest first: the caller's own and everybody's, each once however many have read
-- it, `read` for the caller alone. Each side is cut before the two are put together.
-- query inbox(address text, since bigint, only_unread boolean, limit int)
with own as (
    select id, type, address, metadata, happened_at, read_at is not null as is_read
      from notification
     where address = :address and happened_at >= :since
       and (not :only_unread or read_at is null)
     order by happened_at desc, id
     limit :limit
), broadcast as (
    select notification.id, type, notification.address, metadata, happened_at,
           seen.id is not null as is_read
      from notification
      left join broadcast_read seen
             on seen.id = notification.id and seen.address = :address
     where notification.address is null and happened_at >= :since
       and (not :only_unread or seen.id is null)
     order by happened_at desc, notification.id
     limit :limit
), page as (
    select * from (select * from own union all select * from broadcast) entry
     order by happened_at desc, id
     limit :limit
)
select 200 as status,
       row_to_json((select whole from (
           select coalesce((select json_agg(row_to_json(item)
                                           order by page.happened_at desc, page.id)
                              from page cross join lateral
                                   (select page.id, type, address, metadata,
                                           happened_at::text as "timestamp",
                                           is_read as read) item), '[]'::json)
                      as notifications) whole))::text as body;

-- Which of :ids the caller has not read: what PUT /notifications/read is decided on.
-- query unread(address text, ids uuid[])
select 200 as status,
       row_to_json((select whole from (
           select coalesce((select json_agg(id order by id) from notification
                             where id = any(:ids) and address = :address
                               and read_at is null), '[]'::json) as ids,
                  coalesce((select json_agg(id order by id) from notification
                             where id = any(:ids) and address is null
                               and not exists (select from broadcast_read seen
                                                where seen.address = :address
                                                  and seen.id = notification.id)),
                           '[]'::json) as "broadcastIds") whole))::text as body;

-- How many the request of this event marked; none where it found nothing unread.
-- query read_outcome(event uuid)
select 200 as status,
       row_to_json((select whole from (
           select coalesce((select updated from read_request where event_id = :event), 0)
                      as updated) whole))::text as body;

-- What was told of :ids, by id: what POST /notifications is decided on.
-- query told(ids uuid[])
select 200 as status,
       coalesce((select json_object_agg(id, row_to_json((select whole from (
                            select metadata, happened_at as "timestamp") whole)) order by id)
                   from notification where id = any(:ids)), '{}'::json)::text as body;

-- `details` is null where nothing was ever chosen.
-- query subscription(address text)
select 200 as status,
       row_to_json((select whole from (
           select (select details from subscription where address = :address) as details)
           whole))::text as body;

-- query opt_out(address text, scope text, scope_id text)
select 200 as status,
       row_to_json((select whole from (
           select :scope as scope, :scope_id as "scopeId",
                  exists (select from opt_out where address = :address
                             and scope = :scope and scope_id = :scope_id) as "optedOut")
           whole))::text as body;
