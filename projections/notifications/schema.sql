-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- Inboxes, what was read in them, and what their owners chose (contract: notifications,
-- 3 and 4.2). Every row belongs to one inbox, and so to one key of the log.

create table notification (
    id          uuid   primary key,
    address     text   collate "C",  -- lower case; null: for everybody
    event_key   text   not null,
    type        text   not null,
    metadata    json   not null,     -- as it was told, to the letter
    happened_at bigint not null,     -- ms; the contract's `timestamp`
    read_at     bigint               -- ms; null: unread, and always so for everybody's
);
create index notification_inbox on notification (address, happened_at desc, id);
create index notification_broadcast on notification (happened_at desc, id)
    where address is null;

-- What is for everybody is read by each alone. It may come before its notification: that
-- one is of another key.
create table broadcast_read (
    address text   collate "C" not null,
    id      uuid   not null,
    read_at bigint not null,         -- ms
    primary key (address, id)
);

-- What a request marked as read, so that the same request hears the same number again.
create table read_request (
    event_id uuid   primary key,
    updated  bigint not null
);

create table subscription (
    address text collate "C" primary key,
    details json not null            -- as it was sent
);

create table opt_out (
    address  text collate "C" not null,
    scope    text collate "C" not null,
    scope_id text collate "C" not null,
    primary key (address, scope, scope_id)
);
