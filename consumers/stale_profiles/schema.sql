-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- The newest profile of each pointer: the one whose year is counted.
create table newest (
    pointer          text   collate "C" primary key,
    entity_id        text   collate "C" not null,
    entity_timestamp bigint not null            -- ms
);
