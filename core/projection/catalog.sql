-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- What there is of projections in schema landlog. Run at every start, inside one
-- transaction under an advisory lock, so each statement must be fit to be run again.

create schema if not exists landlog;

-- One row for every generation there ever was: numbers are never used twice, since
-- leases and prepared statements go by the name of the schema.
create table if not exists landlog.generation (
    projection text        not null,
    number     int         not null,
    schema     text        not null unique,
    identity   uuid        not null,
    state      text        not null check (state in ('building', 'live', 'old', 'dropped')),
    builder    text        not null check (builder in ('project', 'replay')),
    halted     text,                 -- why its projectors stopped; null: they go on
    created    timestamptz not null,
    changed    timestamptz not null, -- its state
    primary key (projection, number)
);

-- A binary's queries are answered by the live generation of its identity.
create unique index if not exists generation_live on landlog.generation (projection, identity)
    where state = 'live';

-- Up to which event of a partition of the log all live generations have come; null where
-- none reads its topic.
create or replace function landlog.applied(a_partition int) returns bigint
language plpgsql stable as $$
declare
    g      record;
    its    bigint;
    lowest bigint;
begin
    for g in select schema from landlog.generation where state = 'live' loop
        execute format('select c.sequence from %I.checkpoint c'
                       '  join landlog.topic t on t.name = c.topic'
                       ' where t.id * 256 + c.partition = $1', g.schema)
           into its using a_partition;
        lowest := least(lowest, its);
    end loop;
    return lowest;
end $$;

-- Worker threads at work on a generation's topic: its partitions are shared evenly among
-- those whose backend is there and who were seen in the last seconds.
create table if not exists landlog.projector (
    owner         text        primary key,
    schema        text        not null,
    topic         text        not null,
    pid           int         not null,
    backend_start timestamptz not null,
    seen          timestamptz not null
);
