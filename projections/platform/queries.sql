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
