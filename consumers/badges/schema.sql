-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- The 24 badges as data, and how far each wallet has come (contract: badges, 4).
--
-- Nobody's row is written from two topics but by statements that commute, each to
-- columns of its own: progress, tier_held, item, emote_minute, movement and reset follow
-- the topic platform; deployed and wearable follow content; granted follows badges.
-- business is of the first two. What a badge looks like is in views: the one place that
-- both the rules and the API read.

-- ---- the catalogue -----------------------------------------------------------

-- Where the pictures are: the events say it too, so another one is another generation.
create view cdn as select 'https://assets-cdn.decentraland.org'::text as host;

-- `steps` is null where a badge has tiers.
create view badge as
select v.place, v.badge_id, v.name, v.category, v.steps, v.description
  from (values
    ( 1, 'dclcitizen', 'Decentraland Citizen', 'Explorer', 1, 'Set foot in Decentraland'),
    ( 2, 'epic_ensemble', 'Epic Ensemble', 'Collector', 1, 'Wear at least 3 epic wearables'),
    ( 3, 'regally_rare', 'Regally Rare', 'Collector', 1, 'Wear at least 3 rare wearables'),
    ( 4, 'legendary_look', 'Legendary Look', 'Collector', 1, 'Wear at least 3 legendary wearables'),
    ( 5, 'mythic_model', 'Mythic Model', 'Collector', 1, 'Wear at least 3 mythic wearables'),
    ( 6, 'unique_unicorn', 'Unique Unicorn', 'Collector', 1, 'Wear at least 3 unique wearables'),
    ( 7, 'open_for_business', 'Open for Business', 'Creator', 2, 'Open a store and submit a collection'),
    ( 8, 'exotic_elegance', 'Exotic Elegance', 'Collector', 1, 'Wear at least 3 exotic wearables'),
    ( 9, 'traveler', 'Traveler', 'Explorer', null, null),
    (10, 'profile_pro', 'Profile Pro', 'Socializer', 1, 'Write something about yourself in your profile'),
    (11, 'emotionista', 'Emotionista', 'Collector', null, null),
    (12, 'fashionista', 'Fashionista', 'Collector', null, null),
    (13, 'event_enthusiast', 'Event Enthusiast', 'Explorer', null, null),
    (14, 'moves_master', 'Moves Master', 'Explorer', null, null),
    (15, 'social_butterfly', 'Social Butterfly', 'Socializer', null, null),
    (16, 'vertical_voyager', 'Vertical Voyager', 'Explorer', 1, 'Reach a height of 500 m'),
    (17, 'walkabout_wanderer', 'Walkabout Wanderer', 'Explorer', null, null),
    (18, 'land_architect', 'LAND Architect', 'Builder', 1, 'Deploy a scene to Genesis City'),
    (19, 'emote_creator', 'Emote Creator', 'Creator', null, null),
    (20, 'wearable_designer', 'Wearable Designer', 'Creator', null, null),
    (21, 'music_festival_2024', 'Decentraland Music Festival 2024', 'Socializer', 1, 'Be at the Decentraland Music Festival 2024'),
    (22, 'fashion_week_2025', 'Metaverse Fashion Week 2025', 'Socializer', 1, 'Be at Metaverse Fashion Week 2025'),
    (23, 'builder_talent_trail_2025', 'Builder Talent Trail 2025', 'Socializer', 1, 'Walk the Builder Talent Trail 2025'),
    (24, 'music_talent_trail_2025', 'Music Talent Trail 2025', 'Socializer', 1, 'Walk the Music Talent Trail 2025')
  ) v (place, badge_id, name, category, steps, description);

-- A tier a row, and nothing to compute but names: a plan that may need one has one node
-- more, and there is such a plan in each rule.
create view tier as
select v.badge_id, v.level, v.steps::bigint as steps, v.description,
       (array['Starter', 'Bronze', 'Silver', 'Gold', 'Platinum', 'Diamond'])[v.level] as tier_name,
       replace(v.badge_id, '_', '-') || '-'
       || (array['starter', 'bronze', 'silver', 'gold', 'platinum', 'diamond'])[v.level] as tier_id
  from (values
    ('traveler', 1, 1, 'Stay in a scene for a minute'),
    ('traveler', 2, 50, 'Stay in 50 scenes for a minute'),
    ('traveler', 3, 250, 'Stay in 250 scenes for a minute'),
    ('traveler', 4, 1000, 'Stay in 1000 scenes for a minute'),
    ('traveler', 5, 2500, 'Stay in 2500 scenes for a minute'),
    ('traveler', 6, 10000, 'Stay in 10000 scenes for a minute'),
    ('emotionista', 1, 1, 'Buy an emote'),
    ('emotionista', 2, 10, 'Buy 10 emotes'),
    ('emotionista', 3, 25, 'Buy 25 emotes'),
    ('emotionista', 4, 50, 'Buy 50 emotes'),
    ('emotionista', 5, 150, 'Buy 150 emotes'),
    ('emotionista', 6, 300, 'Buy 300 emotes'),
    ('fashionista', 1, 1, 'Buy a wearable'),
    ('fashionista', 2, 25, 'Buy 25 wearables'),
    ('fashionista', 3, 75, 'Buy 75 wearables'),
    ('fashionista', 4, 250, 'Buy 250 wearables'),
    ('fashionista', 5, 500, 'Buy 500 wearables'),
    ('fashionista', 6, 1500, 'Buy 1500 wearables'),
    ('event_enthusiast', 1, 1, 'Attend an event'),
    ('event_enthusiast', 2, 50, 'Attend 50 events'),
    ('event_enthusiast', 3, 100, 'Attend 100 events'),
    ('event_enthusiast', 4, 500, 'Attend 500 events'),
    ('event_enthusiast', 5, 1000, 'Attend 1000 events'),
    ('event_enthusiast', 6, 2000, 'Attend 2000 events'),
    ('moves_master', 1, 100, 'Play emotes in 100 minutes'),
    ('moves_master', 2, 1000, 'Play emotes in 1000 minutes'),
    ('moves_master', 3, 5000, 'Play emotes in 5000 minutes'),
    ('moves_master', 4, 10000, 'Play emotes in 10000 minutes'),
    ('moves_master', 5, 100000, 'Play emotes in 100000 minutes'),
    ('moves_master', 6, 500000, 'Play emotes in 500000 minutes'),
    ('social_butterfly', 1, 1, 'Open a passport'),
    ('social_butterfly', 2, 50, 'Open the passports of 50 people'),
    ('social_butterfly', 3, 100, 'Open the passports of 100 people'),
    ('social_butterfly', 4, 250, 'Open the passports of 250 people'),
    ('social_butterfly', 5, 500, 'Open the passports of 500 people'),
    ('social_butterfly', 6, 1000, 'Open the passports of 1000 people'),
    ('walkabout_wanderer', 1, 10000, 'Walk 10000 steps'),
    ('walkabout_wanderer', 2, 40000, 'Walk 40000 steps'),
    ('walkabout_wanderer', 3, 150000, 'Walk 150000 steps'),
    ('walkabout_wanderer', 4, 600000, 'Walk 600000 steps'),
    ('walkabout_wanderer', 5, 2500000, 'Walk 2500000 steps'),
    ('walkabout_wanderer', 6, 10000000, 'Walk 10000000 steps'),
    ('emote_creator', 1, 1, 'Publish an emote'),
    ('emote_creator', 2, 5, 'Publish 5 emotes'),
    ('emote_creator', 3, 10, 'Publish 10 emotes'),
    ('emote_creator', 4, 20, 'Publish 20 emotes'),
    ('emote_creator', 5, 50, 'Publish 50 emotes'),
    ('emote_creator', 6, 100, 'Publish 100 emotes'),
    ('wearable_designer', 1, 1, 'Publish a wearable'),
    ('wearable_designer', 2, 5, 'Publish 5 wearables'),
    ('wearable_designer', 3, 25, 'Publish 25 wearables'),
    ('wearable_designer', 4, 50, 'Publish 50 wearables'),
    ('wearable_designer', 5, 175, 'Publish 175 wearables'),
    ('wearable_designer', 6, 350, 'Publish 350 wearables')
  ) v (badge_id, level, steps, description);

-- Three worn wearables of a rarity complete a badge.
create view ensemble as
select v.rarity, v.badge_id
  from (values ('epic', 'epic_ensemble'), ('rare', 'regally_rare'), ('legendary', 'legendary_look'),
               ('mythic', 'mythic_model'), ('unique', 'unique_unicorn'), ('exotic', 'exotic_elegance')) v (rarity, badge_id);

create view picture as
select b.badge_id, 0 as level, c.host || '/' || b.badge_id || '/' as folder
  from badge b cross join cdn c where b.steps is not null
union all
select t.badge_id, t.level, c.host || '/' || t.badge_id || '/' || lower(t.tier_name) || '/'
  from tier t cross join cdn c;

create view asset as
select p.badge_id, p.level, p.folder || '2d/normal.png' as image,
       (select row_to_json(assets) from (
            select (select row_to_json(flat) from (select p.folder || '2d/normal.png' as normal) flat) as "2d",
                   (select row_to_json(deep) from (select p.folder || '3d/normal.png' as normal,
                                                          p.folder || '3d/hrm.png' as hrm,
                                                          p.folder || '3d/basecolor.png' as basecolor) deep) as "3d"
        ) assets) as assets
  from picture p;

-- As the API shows them.
create view tier_shape as
select t.badge_id, t.level,
       (select row_to_json(x)::text from (
           select t.tier_id as "tierId", t.tier_name as "tierName", t.description,
                  (select row_to_json(y) from (select t.steps) y) as criteria, a.assets) x) as shape
  from tier t join asset a on a.badge_id = t.badge_id and a.level = t.level;

-- A badge with tiers is described by them.
create view description as
select b.badge_id,
       coalesce(b.description,
                (select string_agg(t.tier_name || ': ' || t.description, ';' order by t.level)
                   from tier t where t.badge_id = b.badge_id)) as text
  from badge b;

create view badge_shape as
select b.place, b.badge_id,
       case when b.steps is not null then
           (select row_to_json(x)::text from (
               select b.badge_id as id, b.name, b.category, d.text as description,
                      (select row_to_json(y) from (select b.steps) y) as criteria, a.assets) x)
       else
           (select row_to_json(x)::text from (
               select b.badge_id as id, b.name, b.category, d.text as description,
                      (select ('[' || string_agg(s.shape, ',' order by s.level) || ']')::json
                         from tier_shape s where s.badge_id = b.badge_id) as tiers) x)
       end as shape
  from badge b
  join description d on d.badge_id = b.badge_id
  left join asset a on a.badge_id = b.badge_id and a.level = 0;

-- What a grant says, but for whose it is and when; `suffix` is its subject's end, behind
-- the address. Of badges without tiers, and of tiers.
create view badge_card as
select b.badge_id, '-' || b.badge_id as suffix,
       jsonb_build_object('badgeId', b.badge_id, 'badgeName', b.name,
                          'badgeImageUrl', c.host || '/' || b.badge_id || '/2d/normal.png') as said
  from badge b cross join cdn c where b.steps is not null;

create view tier_card as
select t.badge_id, t.level, t.tier_id, '-' || t.badge_id || '-' || t.tier_id as suffix,
       jsonb_build_object('badgeId', t.badge_id, 'badgeName', b.name,
                          'badgeImageUrl', c.host || '/' || t.badge_id || '/' || lower(t.tier_name) || '/2d/normal.png',
                          'badgeTierId', t.tier_id, 'badgeTierName', t.tier_name,
                          'tierIds', jsonb_build_array(t.tier_id)) as said
  from tier t join badge b on b.badge_id = t.badge_id cross join cdn c;

-- ---- what follows the topic platform: a person's events, and back-fills -----

create table progress (
    address      text   collate "C" not null,
    badge_id     text   collate "C" not null,
    steps        bigint not null,
    mark         bigint not null default 0,  -- moves_master: the last minute that counted
    detail       jsonb  not null default '{}',
    completed_at bigint,                     -- of a badge without tiers; else of a back-fill
    updated_at   bigint not null,
    primary key (address, badge_id)
);

-- `place` orders the tiers of a badge as they were stored.
create table tier_held (
    address     text   collate "C" not null,
    badge_id    text   collate "C" not null,
    level       int    not null,
    place       bigint not null,
    achieved_at bigint not null,
    primary key (address, badge_id, level)
);

-- What counts once: a sale, a published item, a passport, a scene's title, an event.
create table item (
    address  text   collate "C" not null,
    badge_id text   collate "C" not null,
    item     text   collate "C" not null,
    at       bigint not null,
    primary key (address, badge_id, item)
);

-- The last 1440 minutes with an emote: a ring.
create table emote_minute (
    address text   collate "C" not null,
    slot    bigint not null,
    minute  bigint not null,
    primary key (address, slot)
);

-- Where somebody went in a session; gone two hours after its last move.
create table movement (
    address    text   collate "C" not null,
    session_id text   collate "C" not null,
    place      bigint not null,              -- sequence of the event
    title      text   collate "C" not null,
    at         bigint not null,
    primary key (address, session_id, place)
);

-- What was there until then counts no more (a test world's DELETE).
create table reset (
    address  text   collate "C" not null,
    badge_id text   collate "C" not null,
    at       bigint not null,
    primary key (address, badge_id)
);

-- ---- what follows the topic content ---------------------------------------

create table deployed (
    address      text   collate "C" not null,
    badge_id     text   collate "C" not null,
    completed_at bigint not null,
    detail       jsonb  not null,
    primary key (address, badge_id)
);

-- The newest entity of each wearable.
create table wearable (
    pointer   text   collate "C" primary key,
    entity_at bigint not null,
    entity_id text   collate "C" not null,
    rarity    text,
    item_id   text
);

-- ---- what follows both: a store is deployed, a collection is created --------

create table business (
    address           text   collate "C" primary key,
    store_at          bigint,                -- content
    collection_at     bigint,                -- platform, and so are the rest
    told_store_at     bigint,                -- by a back-fill
    told_collection_at bigint,
    told_completed_at bigint
);

-- ---- what follows the topic badges: grants are for ever ----------------------

create table granted (
    address    text   collate "C" not null,
    badge_id   text   collate "C" not null,
    level      int    not null,              -- 0: the badge has no tiers
    granted_at bigint not null,
    primary key (address, badge_id, level)
);

-- ---- all of it together ------------------------------------------------------

-- The parts of open_for_business: when each was done.
create view business_part as
select b.address,
       least(case when b.store_at > coalesce(r.at, -1) then b.store_at end, b.told_store_at) as store_at,
       least(b.collection_at, b.told_collection_at) as collection_at,
       b.told_completed_at
  from business b
  left join reset r on r.address = b.address and r.badge_id = 'open_for_business';

-- Every reason to say that a badge without tiers is completed.
create view completion as
select address, badge_id, completed_at, true as is_told
  from progress where completed_at is not null
union all
select d.address, d.badge_id, d.completed_at, false
  from deployed d left join reset r on r.address = d.address and r.badge_id = d.badge_id
 where d.completed_at > coalesce(r.at, -1)
union all
select address, 'open_for_business', coalesce(told_completed_at, greatest(store_at, collection_at)), false
  from business_part where told_completed_at is not null or (store_at is not null and collection_at is not null)
union all
select g.address, g.badge_id, g.granted_at, false
  from granted g left join reset r on r.address = g.address and r.badge_id = g.badge_id
 where g.level = 0 and g.granted_at > coalesce(r.at, -1);

-- A back-fill of an ensemble overwrites when it was completed; elsewhere the first stands.
create view completed as
select c.address, c.badge_id,
       coalesce(min(c.completed_at) filter (where c.is_told and e.badge_id is not null),
                min(c.completed_at)) as completed_at
  from completion c left join ensemble e on e.badge_id = c.badge_id
 group by c.address, c.badge_id;

-- Tiers as stored, then those granted that the rules of today would not give.
create view achieved as
select address, badge_id, level, place, achieved_at from tier_held
union all
select g.address, g.badge_id, g.level, g.level - 100, g.granted_at
  from granted g left join reset r on r.address = g.address and r.badge_id = g.badge_id
 where g.level > 0 and g.granted_at > coalesce(r.at, -1)
   and not exists (select from tier_held t
                    where t.address = g.address and t.badge_id = g.badge_id and t.level = g.level);
