-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- Deployed entities, as the facts and the entity files say them (contract: catalyst, 4.7).
-- Everything hangs together by pointers, so the topic has one partition.

-- One row an entity that was ever deployed, kept for ever.
create table entity (
    id                text collate "C" primary key,
    id_order          text collate "C" not null,  -- lower case: what history pages sort by
    type              text    not null,
    version           text    not null,
    entity_timestamp  bigint  not null,           -- ms, as its file says
    pointers          text[]  not null,           -- lower case, in the file's order
    content           json    not null,           -- [{"file":...,"hash":...}], compact
    metadata          json,                       -- the file's own text; null: none, or erased
    deployer          text    not null,           -- as it was sent
    auth_chain        json    not null,
    weight            bigint  not null,           -- bytes it may add to an answer
    local_timestamp   bigint  not null,           -- ms, when it came onto the log
    sequence          bigint  not null unique,    -- its place there
    -- The earliest later one of its type that shares a pointer; null: none, it is active.
    overwritten_by    text collate "C",
    overwritten_at    bigint,                     -- that one's entity_timestamp
    is_stale          boolean not null            -- a profile that nobody renewed for a year
);
create unique index entity_local on entity (local_timestamp, id_order, id);
create unique index entity_timed on entity (entity_timestamp, id_order, id);

-- Each pointer of each of them: the total order of what was ever on a pointer.
create table entity_pointer (
    type             text   collate "C" not null,
    pointer          text   collate "C" not null,
    entity_timestamp bigint not null,
    entity_id        text   collate "C" not null,
    primary key (type, pointer, entity_timestamp, entity_id)
);
create index entity_pointer_any on entity_pointer (pointer, entity_id);

-- Where a pointer leads now: one entity of a type, and only active ones.
create table active_pointer (
    pointer   text collate "C" not null,
    type      text collate "C" not null,
    entity_id text collate "C" not null,
    primary key (pointer, type)
);
create index active_pointer_entity on active_pointer (entity_id);

-- Which entities use a file.
create table content_file (
    hash      text collate "C" not null,
    entity_id text collate "C" not null,
    primary key (hash, entity_id)
);
create index content_file_entity on content_file (entity_id);

-- What is not to be shown: ids of entities or hashes of files.
create table denied (
    id     text   collate "C" primary key,
    source text   not null,
    at     bigint not null            -- ms
);

-- Deployments of peers that were refused here and wait to be tried again.
create table failed_deployment (
    entity_id     text   collate "C" primary key,
    type          text   not null,
    failed_at     bigint not null,    -- ms
    reason        text   not null,
    description   text   not null,
    auth_chain    json   not null,
    snapshot_hash text
);

-- The newest snapshot of each stretch of time that has one.
create table snapshot (
    init_timestamp bigint not null,   -- ms, both included
    end_timestamp  bigint not null,
    hash           text   collate "C" not null,
    replaced       json   not null,
    entities       bigint not null,
    generated_at   bigint not null,   -- ms
    as_of          bigint not null,   -- sequence of the last deployment it could know
    primary key (init_timestamp, end_timestamp)
);
