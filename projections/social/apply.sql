-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What each event does to the read model. `:pair` is "low:high".

-- on social.friendship-requested
insert into friendship (low, high, friendship_id, requester, created_at, is_active,
                        last_action, last_action_id, last_actor, last_action_at, message)
values (split_part(:pair, ':', 1), split_part(:pair, ':', 2), :friendshipId, :actor,
        :event.time / 1000 * 1000, false,
        'request', :actionId, :actor, :event.time, :message)
on conflict (low, high) do update
   set is_active = false, last_action = 'request', last_action_id = excluded.last_action_id,
       last_actor = excluded.last_actor, last_action_at = excluded.last_action_at,
       message = excluded.message;
delete from recent_action
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2)
   and at < :event.time - 60000;
insert into recent_action (id, low, high, actor, is_block, at)
values (:event.id, split_part(:pair, ':', 1), split_part(:pair, ':', 2), :actor, false, :event.time);

-- on social.friendship-accepted
update friendship
   set is_active = true, last_action = 'accept', last_action_id = :actionId,
       last_actor = :actor, last_action_at = :event.time
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2);
delete from recent_action
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2)
   and at < :event.time - 60000;
insert into recent_action (id, low, high, actor, is_block, at)
values (:event.id, split_part(:pair, ':', 1), split_part(:pair, ':', 2), :actor, false, :event.time);

-- on social.friendship-rejected
update friendship
   set is_active = false, last_action = 'reject', last_action_id = :actionId,
       last_actor = :actor, last_action_at = :event.time
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2);
delete from recent_action
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2)
   and at < :event.time - 60000;
insert into recent_action (id, low, high, actor, is_block, at)
values (:event.id, split_part(:pair, ':', 1), split_part(:pair, ':', 2), :actor, false, :event.time);

-- on social.friendship-cancelled
update friendship
   set is_active = false, last_action = 'cancel', last_action_id = :actionId,
       last_actor = :actor, last_action_at = :event.time
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2);
delete from recent_action
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2)
   and at < :event.time - 60000;
insert into recent_action (id, low, high, actor, is_block, at)
values (:event.id, split_part(:pair, ':', 1), split_part(:pair, ':', 2), :actor, false, :event.time);

-- on social.friendship-deleted
update friendship
   set is_active = false, last_action = 'delete', last_action_id = :actionId,
       last_actor = :actor, last_action_at = :event.time
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2);
delete from recent_action
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2)
   and at < :event.time - 60000;
insert into recent_action (id, low, high, actor, is_block, at)
values (:event.id, split_part(:pair, ':', 1), split_part(:pair, ':', 2), :actor, false, :event.time);

-- on social.user-blocked
insert into block (blocker, blocked, blocked_at)
values (:blocker, :blocked, :event.time)
on conflict (blocker, blocked) do nothing;
update friendship
   set is_active = false, last_action = 'block', last_action_id = :event.id,
       last_actor = :blocker, last_action_at = :event.time
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2);
delete from recent_action
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2)
   and at < :event.time - 60000;
insert into recent_action (id, low, high, actor, is_block, at)
values (:event.id, split_part(:pair, ':', 1), split_part(:pair, ':', 2), :blocker, true, :event.time);

-- on social.user-unblocked
delete from block where blocker = :blocker and blocked = :blocked;
update friendship
   set is_active = false, last_action = 'delete', last_action_id = :event.id,
       last_actor = :blocker, last_action_at = :event.time
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2);
delete from recent_action
 where low = split_part(:pair, ':', 1) and high = split_part(:pair, ':', 2)
   and at < :event.time - 60000;
insert into recent_action (id, low, high, actor, is_block, at)
values (:event.id, split_part(:pair, ':', 1), split_part(:pair, ':', 2), :blocker, true, :event.time);
