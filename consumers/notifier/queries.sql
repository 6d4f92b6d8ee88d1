-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- The inboxes are projections/notifications; here is only what a person may want to know of
-- the notifier itself.

-- How somebody is called in a notification that is made now.
-- query person(address text)
select 200 as status,
       (select row_to_json((select whole from (
            select address, entity_id as "entityId", name,
                   has_claimed_name as "hasClaimedName") whole))::text
          from profile where address = :address) as body;
