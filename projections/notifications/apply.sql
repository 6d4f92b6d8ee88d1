-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What each event does to the inboxes. A notification keeps its id and its read state
-- whatever is told of it later.

-- on notifications.notification-created
insert into notification (id, address, event_key, type, metadata, happened_at)
values (:id, :address, :eventKey, :type, :metadata, :timestamp)
on conflict (id) do update
   set metadata = excluded.metadata, happened_at = excluded.happened_at;

-- on notifications.notification-updated
update notification set metadata = :metadata, happened_at = :timestamp where id = :id;

-- on notifications.notification-read
update notification set read_at = :event.time
 where id in (select json_array_elements_text(:ids::json)::uuid)
   and address = :address and read_at is null;
insert into broadcast_read (address, id, read_at)
select :address, id::uuid, :event.time from json_array_elements_text(:broadcastIds::json) id
on conflict (address, id) do nothing;
insert into read_request (event_id, updated)
values (:event.id, json_array_length(:ids::json) + json_array_length(:broadcastIds::json));

-- on notifications.subscription-changed
insert into subscription (address, details) values (:address, :details)
on conflict (address) do update set details = excluded.details;

-- on notifications.scope-opted-out
insert into opt_out (address, scope, scope_id) values (:address, :scope, :scopeId)
on conflict (address, scope, scope_id) do nothing;

-- on notifications.scope-opted-in
delete from opt_out where address = :address and scope = :scope and scope_id = :scopeId;
