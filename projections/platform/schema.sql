-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What platforms told.

-- How much, by whom: a row a partition, so that none waits for another's counter.
create table told (
    partition int    not null,
    source    text   collate "C" not null,
    type      text   collate "C" not null,
    count     bigint not null,
    newest    bigint not null, -- ms: the greatest timestamp that the source gave
    primary key (partition, source, type)
);

-- Which scene lies where: what a move to a parcel is completed with when it comes in.
create table scene_at (
    pointer   text   collate "C" primary key, -- "10,-20"
    entity_at bigint not null,
    entity_id text   collate "C" not null
);
create index scene_at_entity on scene_at (entity_id);
