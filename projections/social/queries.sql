-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What is asked of friendships and blocks. A pair that is blocked either way is not
-- active, so lists of friends leave it out without looking at blocks.

-- What a command is decided on: the pair's state, and what its limits count since :since.
-- query state(actor text, target text, since bigint)
with pair as (
    select least(:actor collate "C", :target collate "C") as low,
           greatest(:actor collate "C", :target collate "C") as high
), answer as (
    select friendship.friendship_id as "friendshipId",
           friendship.last_action as "lastAction",
           friendship.last_actor as "lastActor",
           exists (select from block where blocker = :actor and blocked = :target)
               as "blockedByActor",
           exists (select from block where blocker = :target and blocked = :actor)
               as "blockedByTarget",
           (select count(*) from recent_action
             where actor = :actor and at > :since) as "actionsOfActor",
           (select count(*) from recent_action recent
             where recent.low = pair.low and recent.high = pair.high and not is_block
               and at > :since) as "friendshipActionsOfPair",
           (select count(*) from recent_action recent
             where recent.low = pair.low and recent.high = pair.high and is_block
               and actor = :actor and at > :since) as "blockActionsOfPair"
      from pair left join friendship using (low, high)
)
select 200 as status, row_to_json(answer)::text as body from answer;

-- The answer to a friendship command that was carried out.
-- query friendship_outcome(actor text, target text, message text)
with answer as (
    select friendship_id as id,
           to_char(timestamp 'epoch' + created_at * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdAt",
           (select shape from (select :target as address) shape) as friend,
           coalesce(:message, '') as message
      from friendship
     where low = least(:actor collate "C", :target collate "C")
       and high = greatest(:actor collate "C", :target collate "C")
)
select 200 as status,
       row_to_json((select whole from (select row_to_json(answer) as data) whole))::text as body
  from answer;

-- The answer to block and unblock.
-- query block_outcome(actor text, target text)
with answer as (
    select :target as address,
           (select to_char(timestamp 'epoch' + blocked_at * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
              from block where blocker = :actor and blocked = :target) as "blockedAt"
)
select 200 as status,
       row_to_json((select whole from (select row_to_json(answer) as data) whole))::text as body
  from answer;

-- `friendshipStatus` is the number of the protocol's enumeration (contract, 3.2).
-- query friendship_status(viewer text, other text)
with pair as (
    select least(:viewer collate "C", :other collate "C") as low,
           greatest(:viewer collate "C", :other collate "C") as high
), derived as (
    select case
               when exists (select from block where blocker = :viewer and blocked = :other)
                   then 'BLOCKED'
               when exists (select from block where blocker = :other and blocked = :viewer)
                   then 'BLOCKED_BY'
               when last_action = 'request' and last_actor = :viewer then 'REQUEST_SENT'
               when last_action = 'request' then 'REQUEST_RECEIVED'
               when last_action = 'cancel' then 'CANCELED'
               when last_action = 'accept' then 'ACCEPTED'
               when last_action = 'reject' then 'REJECTED'
               when last_action = 'delete' then 'DELETED'
               else 'NONE'
           end as status,
           message
      from pair left join friendship using (low, high)
), answer as (
    select :other as address,
           status,
           case status when 'REQUEST_SENT' then 0 when 'REQUEST_RECEIVED' then 1
                when 'CANCELED' then 2 when 'ACCEPTED' then 3 when 'REJECTED' then 4
                when 'DELETED' then 5 when 'BLOCKED' then 6 when 'NONE' then 7
                when 'BLOCKED_BY' then 8 end as "friendshipStatus",
           case when status in ('REQUEST_SENT', 'REQUEST_RECEIVED')
                then coalesce(message, '') else '' end as message
      from derived
)
select 200 as status,
       row_to_json((select whole from (select row_to_json(answer) as data) whole))::text as body
  from answer;

-- Newest friendship first.
-- query friends(address text, limit int, offset int)
with entry as materialized (
    select high as address, friendship_id, created_at from friendship
     where low = :address and is_active
    union all
    select low, friendship_id, created_at from friendship
     where high = :address and is_active
), page as (
    select row_number() over (order by created_at desc, address) as place, entry.*
      from entry
     order by place
     limit :limit offset :offset
), answer as (
    select coalesce((select json_agg(row_to_json(item) order by item_place)
                       from (select place as item_place,
                                    (select shape from (select address, friendship_id as "friendshipId",
                                                 to_char(timestamp 'epoch' + created_at * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdAt") shape) as item
                               from page) listed), '[]'::json) as results,
           (select count(*) from entry) as total,
           (:offset + :limit - 1) / :limit + 1 as page,
           ((select count(*) from entry) + :limit - 1) / :limit as pages,
           :limit as "limit"
)
select 200 as status,
       row_to_json((select whole from (select row_to_json(answer) as data) whole))::text as body
  from answer;

-- Friends of both, by address.
-- query mutual_friends(address text, other text, limit int, offset int)
with entry as materialized (
    select address from (
    select high as address, friendship_id, created_at from friendship
     where low = :address and is_active
    union all
    select low, friendship_id, created_at from friendship
     where high = :address and is_active
    ) mine
    intersect
    select address from (
    select high as address, friendship_id, created_at from friendship
     where low = :other and is_active
    union all
    select low, friendship_id, created_at from friendship
     where high = :other and is_active
    ) theirs
), page as (
    select row_number() over (order by address) as place, entry.*
      from entry
     order by place
     limit :limit offset :offset
), answer as (
    select coalesce((select json_agg(row_to_json(item) order by item_place)
                       from (select place as item_place,
                                    (select shape from (select address) shape) as item
                               from page) listed), '[]'::json) as results,
           (select count(*) from entry) as total,
           (:offset + :limit - 1) / :limit + 1 as page,
           ((select count(*) from entry) + :limit - 1) / :limit as pages,
           :limit as "limit"
)
select 200 as status,
       row_to_json((select whole from (select row_to_json(answer) as data) whole))::text as body
  from answer;

-- Requests that wait for an answer: `received` or `sent`, newest first.
-- query friendship_requests(address text, direction text, limit int, offset int)
with entry as materialized (
    select case when low = :address then high else low end as address,
           last_action_id, last_action_at, coalesce(message, '') as message
      from friendship
     where (low = :address or high = :address) and last_action = 'request'
       and (last_actor = :address) = (:direction = 'sent')
), page as (
    select row_number() over (order by last_action_at desc, address) as place, entry.*
      from entry
     order by place
     limit :limit offset :offset
), answer as (
    select coalesce((select json_agg(row_to_json(item) order by item_place)
                       from (select place as item_place,
                                    (select shape from (select last_action_id as id, address,
                                                 to_char(timestamp 'epoch' + last_action_at * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdAt",
                                                 message) shape) as item
                               from page) listed), '[]'::json) as results,
           (select count(*) from entry) as total,
           (:offset + :limit - 1) / :limit + 1 as page,
           ((select count(*) from entry) + :limit - 1) / :limit as pages,
           :limit as "limit"
)
select 200 as status,
       row_to_json((select whole from (select row_to_json(answer) as data) whole))::text as body
  from answer;

-- Whom :address has blocked, the last one first.
-- query blocks(address text, limit int, offset int)
with entry as materialized (
    select blocked as address, blocked_at from block where blocker = :address
), page as (
    select row_number() over (order by blocked_at desc, address) as place, entry.*
      from entry
     order by place
     limit :limit offset :offset
), answer as (
    select coalesce((select json_agg(row_to_json(item) order by item_place)
                       from (select place as item_place,
                                    (select shape from (select address, to_char(timestamp 'epoch' + blocked_at * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "blockedAt") shape) as item
                               from page) listed), '[]'::json) as results,
           (select count(*) from entry) as total,
           (:offset + :limit - 1) / :limit + 1 as page,
           ((select count(*) from entry) + :limit - 1) / :limit as pages,
           :limit as "limit"
)
select 200 as status,
       row_to_json((select whole from (select row_to_json(answer) as data) whole))::text as body
  from answer;

-- Both directions, whole.
-- query blocking_status(address text)
with answer as (
    select coalesce((select json_agg(blocked order by blocked)
                       from block where blocker = :address), '[]'::json) as "blockedUsers",
           coalesce((select json_agg(blocker order by blocker)
                       from block where blocked = :address), '[]'::json) as "blockedByUsers"
)
select 200 as status,
       row_to_json((select whole from (select row_to_json(answer) as data) whole))::text as body
  from answer;
