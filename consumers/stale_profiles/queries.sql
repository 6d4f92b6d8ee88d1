-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- Nobody asks this reactor but whoever looks after it.

-- query newest(pointer text)
with answer as (
    select entity_id as "entityId", entity_timestamp as "entityTimestamp"
      from newest where pointer = :pointer
)
select 200 as status, row_to_json(answer)::text as body from answer;
