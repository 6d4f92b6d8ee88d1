-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- How much was told, by whom: a row a partition, so that none waits for another's counter.
create table told (
    partition int    not null,
    source    text   collate "C" not null,
    type      text   collate "C" not null,
    count     bigint not null,
    newest    bigint not null, -- ms: the greatest timestamp that the source gave
    primary key (partition, source, type)
);
