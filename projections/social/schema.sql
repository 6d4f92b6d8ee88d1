-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- Friendships and blocks, as the facts say them (contract: social, 4.1 and 5.1).
-- Every row belongs to one pair of addresses, and so to one key of the log.

-- One row a pair that ever asked, kept for ever; `low` < `high`, bytewise.
create table friendship (
    low            text    collate "C" not null,
    high           text    collate "C" not null,
    friendship_id  uuid    not null,
    requester      text    not null,  -- the first who ever asked
    created_at     bigint  not null,  -- ms, whole seconds: of the first request
    is_active      boolean not null,  -- true only after accept
    last_action    text    not null,  -- request, cancel, accept, reject, delete, block
    last_action_id uuid    not null,
    last_actor     text    not null,
    last_action_at bigint  not null,  -- ms
    message        text,              -- of the last request
    primary key (low, high)
);
create index friendship_high on friendship (high, low);

create table block (
    blocker    text   collate "C" not null,
    blocked    text   collate "C" not null,
    blocked_at bigint not null,       -- ms, of the first of repeated blocks
    primary key (blocker, blocked)
);
create index block_blocked on block (blocked, blocker);

-- What the limits count: of each pair, the actions of the minute before its last one.
create table recent_action (
    id       uuid    primary key,     -- of the event
    low      text    collate "C" not null,
    high     text    collate "C" not null,
    actor    text    collate "C" not null,
    is_block boolean not null,        -- block or unblock: a bucket of its own
    at       bigint  not null         -- ms
);
create index recent_action_pair on recent_action (low, high, at);
create index recent_action_actor on recent_action (actor, at);
