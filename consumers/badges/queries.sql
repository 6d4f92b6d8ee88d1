-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What is asked of badges (contract: badges, 3). A time of a badge is text and that of a
-- tier a number, as the clients have always been told.

-- ---- the catalogue ---------------------------------------------------------------

-- query badges()
select 200 as status,
       '{"data":[' || string_agg(shape, ',' order by place) || ']}' as body
  from badge_shape;

-- `bare`: without the wrapping, for a producer; no answer where there is no such badge.
-- query badge(id text, bare boolean)
with found as (
    select shape from badge_shape where badge_id = :id
)
select case when exists (select from found) then 200 else 404 end as status,
       case when :bare then (select shape from found)
            else coalesce((select '{"data":{"badge":' || shape || '}}' from found),
                          '{"error":"Badge not found"}') end as body;

-- query tiers(id text)
select case when exists (select from badge where badge_id = :id) then 200 else 404 end as status,
       case when exists (select from badge where badge_id = :id)
            then '{"data":{"tiers":[' || coalesce(string_agg(shape, ',' order by level), '') || ']}}'
            else '{"error":"Badge not found"}' end as body
  from tier_shape where badge_id = :id;

-- ---- somebody's badges -------------------------------------------------------------

-- Achieved is what is completed or has a tier; the tier stored last is the current one.
-- query user_badges(address text, with_others boolean)
with stored as (
    select distinct on (badge_id) badge_id, level, achieved_at
      from achieved where address = :address
     order by badge_id, place desc, level desc
), standing as (
    select b.place, b.badge_id, b.name, b.category, b.steps is null as is_tiered,
           d.text as description,
           case b.badge_id
                when 'open_for_business' then coalesce(
                    (select case when part.told_completed_at is not null then 2
                                 else (part.store_at is not null)::int + (part.collection_at is not null)::int end
                       from business_part part where part.address = :address), 0)::bigint
                else coalesce(p.steps, case when c.completed_at is not null then b.steps end, 0)
           end as steps_done,
           coalesce(b.steps::bigint, (select max(t.steps) from tier t where t.badge_id = b.badge_id)) as total,
           coalesce(b.steps::bigint, (select min(t.steps) from tier t where t.badge_id = b.badge_id)) as first,
           case when b.steps is not null then c.completed_at
                when (select count(*) from achieved h where h.address = :address and h.badge_id = b.badge_id) = 6
                then coalesce(c.completed_at,
                              (select max(h.achieved_at) from achieved h
                                where h.address = :address and h.badge_id = b.badge_id)) end as completed_at,
           s.level, s.achieved_at
      from badge b
      join description d on d.badge_id = b.badge_id
      left join stored s on s.badge_id = b.badge_id
      left join progress p on p.address = :address and p.badge_id = b.badge_id
      left join completed c on c.address = :address and c.badge_id = b.badge_id
), got as (
    select st.place,
           (select row_to_json(x)::text from (
               select st.badge_id as id, st.name, st.description, st.category, st.is_tiered as "isTier",
                      st.completed_at::text as "completedAt", a.assets,
                      case when st.is_tiered then
                          (select row_to_json(y) from (
                              select (select ('[' || string_agg((select row_to_json(z)::text from (
                                                 select t.tier_id as "tierId", h.achieved_at as "completedAt") z),
                                             ',' order by h.place, h.level) || ']')::json
                                        from achieved h join tier t on t.badge_id = h.badge_id and t.level = h.level
                                       where h.address = :address and h.badge_id = st.badge_id) as "achievedTiers",
                                     st.steps_done as "stepsDone",
                                     case when st.completed_at is null then
                                         (select t.steps from tier t
                                           where t.badge_id = st.badge_id and t.level = st.level + 1) end
                                         as "nextStepsTarget",
                                     st.total as "totalStepsTarget",
                                     st.achieved_at as "lastCompletedTierAt",
                                     (select t.tier_name from tier t
                                       where t.badge_id = st.badge_id and t.level = st.level) as "lastCompletedTierName",
                                     a.image as "lastCompletedTierImage") y)
                      else
                          (select row_to_json(y) from (
                              select st.steps_done as "stepsDone", null::bigint as "nextStepsTarget",
                                     st.total as "totalStepsTarget", null::bigint as "lastCompletedTierAt",
                                     null::text as "lastCompletedTierName",
                                     null::text as "lastCompletedTierImage") y)
                      end as progress) x) as shape
      from standing st
      join asset a on a.badge_id = st.badge_id and a.level = case when st.is_tiered then st.level else 0 end
     where st.completed_at is not null or st.level is not null
), missed as (
    select st.place,
           (select row_to_json(x)::text from (
               select st.badge_id as id, st.name, st.description, st.category, st.is_tiered as "isTier",
                      null::text as "completedAt", a.assets,
                      (select row_to_json(y) from (
                          select st.steps_done as "stepsDone", st.first as "nextStepsTarget",
                                 st.total as "totalStepsTarget") y) as progress) x) as shape
      from standing st
      join asset a on a.badge_id = st.badge_id and a.level = case when st.is_tiered then 1 else 0 end
     where :with_others and st.completed_at is null and st.level is null
)
select 200 as status,
       '{"data":{"achieved":['
       || coalesce((select string_agg(shape, ',' order by place) from got), '') || '],"notAchieved":['
       || coalesce((select string_agg(shape, ',' order by place) from missed), '') || ']}}' as body;

-- The five newest: each completed badge and each tier. What a badge has at one moment is
-- one entry, the highest tier's; a badge that was completed at another moment than its
-- last tier shows its first tier's picture.
-- query preview(address text)
with entry as (
    select badge_id, level, achieved_at as at from achieved where address = :address
    union all
    select c.badge_id, 0, c.completed_at
      from completed c where c.address = :address
    union all
    select badge_id, 0, max(achieved_at)
      from achieved h where address = :address
       and not exists (select from completed c where c.address = h.address and c.badge_id = h.badge_id)
     group by badge_id having count(*) = 6
), single as (
    select badge_id, at, max(level) as level from entry group by badge_id, at
), newest as (
    select s.badge_id, s.level, s.at,
           row_number() over (order by s.at desc, b.place) as nth
      from single s join badge b on b.badge_id = s.badge_id
)
select 200 as status,
       '{"data":{"latestAchievedBadges":['
       || coalesce(string_agg(
              case when n.level > 0 then
                  (select row_to_json(x)::text from (
                      select b.badge_id as id, b.name, t.tier_name as "tierName", a.image) x)
              else
                  (select row_to_json(x)::text from (select b.badge_id as id, b.name, a.image) x)
              end, ',' order by n.nth), '') || ']}}' as body
  from newest n
  join badge b on b.badge_id = n.badge_id
  left join tier t on t.badge_id = n.badge_id and t.level = n.level
  join asset a on a.badge_id = n.badge_id
       and a.level = case when n.level > 0 then n.level when b.steps is null then 1 else 0 end
 where n.nth <= 5;

-- ---- administration ---------------------------------------------------------------

-- One badge's progress as a row; `progress` has its lists under their old names.
-- query progress_row(address text, id text)
with lists as (
    select case :id
        when 'emotionista' then jsonb_build_object('transactions_emotes_purchase', sales.list)
        when 'fashionista' then jsonb_build_object('transactions_wearable_purchase', sales.list)
        when 'emote_creator' then jsonb_build_object('published_emotes', published.list)
        when 'wearable_designer' then jsonb_build_object('published_wearables', published.list)
        when 'social_butterfly' then jsonb_build_object('profiles_visited', profiles.list)
        when 'traveler' then jsonb_build_object('scenes_titles_visited', names.list)
        when 'event_enthusiast' then jsonb_build_object('events_ids_visited', names.list)
        when 'moves_master' then jsonb_build_object(
            'last_used_emote_timestamp',
            (select mark from progress where address = :address and badge_id = :id),
            'last_day_used_emotes_timestamps',
            (select coalesce(jsonb_agg(m.minute order by m.minute, m.slot), '[]')
               from emote_minute m where m.address = :address))
        when 'open_for_business' then coalesce(
            (select jsonb_build_object('steps', (b.store_at is not null)::int + (b.collection_at is not null)::int,
                                       'store_completed', b.store_at is not null,
                                       'collection_submitted', b.collection_at is not null)
               from business_part b where b.address = :address), '{}')
        else '{}'::jsonb end as more
      from (select coalesce(jsonb_agg(jsonb_build_object('transactionHash', item, 'saleAt', at) order by at, item),
                            '[]') as list from item where address = :address and badge_id = :id) sales
     cross join (select coalesce(jsonb_agg(jsonb_build_object('itemId', item, 'createdAt', at) order by at, item),
                                 '[]') as list from item where address = :address and badge_id = :id) published
     cross join (select coalesce(jsonb_agg(jsonb_build_object('profile_address', item, 'visited_at', at)
                                           order by at, item), '[]') as list
                   from item where address = :address and badge_id = :id) profiles
     cross join (select coalesce(jsonb_agg(item order by at, item), '[]') as list
                   from item where address = :address and badge_id = :id) names
), source as (
    select 1 as nth, p.steps, p.detail, p.updated_at from progress p where p.address = :address and p.badge_id = :id
    union all
    select 2, 1, d.detail, d.completed_at
      from deployed d left join reset r on r.address = d.address and r.badge_id = d.badge_id
     where d.address = :address and d.badge_id = :id and d.completed_at > coalesce(r.at, -1)
    union all
    select 3, 2, '{}', greatest(b.store_at, b.collection_at, b.told_completed_at)
      from business_part b
     where b.address = :address and :id = 'open_for_business'
       and coalesce(b.store_at, b.collection_at, b.told_completed_at) is not null
), row_of as (
    select max(s.steps) as steps, max(s.updated_at) as updated_at,
           (select jsonb_object_agg(e.key, e.value order by e.key, o.nth)
              from source o cross join jsonb_each(o.detail) e) as detail
      from source s having count(*) > 0
), tiers as (
    select count(*) as held, max(h.achieved_at) as newest,
           jsonb_agg(jsonb_build_object('tier_id', t.tier_id, 'completed_at', h.achieved_at)
                     order by h.place, h.level) as list
      from achieved h join tier t on t.badge_id = h.badge_id and t.level = h.level
     where h.address = :address and h.badge_id = :id
), answer as (
    select :id as badge_id, :address as user_address,
           jsonb_build_object('steps', o.steps) || coalesce(o.detail, '{}') || l.more as progress,
           case when b.steps is null then coalesce(t.list, '[]') end as achieved_tiers,
           coalesce((select c.completed_at from completed c where c.address = :address and c.badge_id = :id),
                    case when t.held = 6 then t.newest end)::text as completed_at,
           o.updated_at::text as updated_at
      from badge b cross join row_of o cross join lists l cross join tiers t
     where b.badge_id = :id
)
select case when exists (select from answer) then 200 else 404 end as status,
       coalesce((select row_to_json(x)::text from (select row_to_json(answer) as data from answer) x),
                case when exists (select from badge where badge_id = :id)
                     then '{"error":"Not Found","message":"User progress not found for this badge"}'
                     else '{"error":"Not Found","message":"Badge does not exists"}' end) as body;
