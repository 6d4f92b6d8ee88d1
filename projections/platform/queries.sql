-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors

-- query counts()
with total as (
    select source, type, sum(count)::bigint as count, max(newest) as newest
      from told group by source, type
)
select 200 as status,
       json_build_object('data', coalesce((
           select json_agg(json_build_object('source', source, 'type', type,
                                             'count', count, 'newest', newest)
                           order by source, type)
             from total), '[]'::json))::text as body;

-- The scenes that lie at these pointers: {"10,-20": "<entity>"}.
-- query scenes(pointers json)
select 200 as status,
       coalesce((select json_object_agg(s.pointer, s.entity_id order by s.pointer)
                   from scene_at s
                  where s.pointer in (select json_array_elements_text(:pointers))),
                '{}'::json)::text as body;
