-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- The relay's side of the log: how far the events of landlog.event are on Kafka, where
-- they are there, and how events come back from it. Runs behind referee.sql.

-- ---- tables ----------------------------------------------------------------

-- One row a partition, made when a relay first takes it. A place is an event that ends
-- its command, and the offset of its record on Kafka.
create table if not exists landlog.relayed (
    partition int    primary key,
    sequence  bigint not null default 0,  -- the last event known to be on Kafka; 0: none
    id        uuid,                       -- of it
    place     bigint not null default 0,  -- its offset
    epoch     bigint not null default 0,  -- in force there
    claimed   bigint not null default 0,  -- the newest epoch that this database has taken
    gate      text,                       -- landlog.gate() and landlog.identity() when a
    identity  text                        -- relay last reconciled
);
alter table landlog.relayed
    add column if not exists claimant uuid,                     -- the relay that took it
    add column if not exists agreed bigint not null default 0,  -- the epoch of the fence up
                                                                -- to which was reconciled
    add column if not exists time bigint not null default 0;    -- of the event; 0: not known

-- Some places, a few thousand events apart: where a reader begins.
create table if not exists landlog.place (
    partition int    not null,
    sequence  bigint not null,
    id        uuid   not null,
    place     bigint not null,
    epoch     bigint not null,
    primary key (partition, sequence)
);

alter table landlog.place add column if not exists time bigint not null default 0;

-- How far `landlog log copy --to postgres` has come.
create table if not exists landlog.copied (
    partition int    primary key,
    sequence  bigint not null
);

-- This database in the fences of its relays.
create or replace function landlog.lineage() returns uuid
language sql volatile as $$
    select md5(landlog.identity())::uuid
$$;

-- ---- places ----------------------------------------------------------------

-- The nearest known place at or before each event asked for; a row of zeros where there
-- is none: the beginning.
drop function if exists landlog.places(text, int[], bigint[]); -- its columns may change
create function landlog.places(a_topic text, a_number int[], a_sequence bigint[])
returns table (number int, partition int, sequence bigint, id uuid, place bigint,
               epoch bigint, claimed bigint, claimant uuid, agreed bigint, was uuid,
               lineage uuid, "time" bigint)
language sql stable as $$
    select a.number, p.id, coalesce(f.sequence, 0), f.id, coalesce(f.place, 0),
           coalesce(f.epoch, 0), coalesce(r.claimed, 0), r.claimant,
           coalesce(r.agreed, 0), md5(r.identity)::uuid, l.lineage, coalesce(f.time, 0)
      from (select landlog.lineage() offset 0) l(lineage) cross join unnest(a_number, a_sequence) with ordinality a(number, sequence, n)
      join landlog.partition p on p.topic = a_topic and p.number = a.number
      left join landlog.relayed r on r.partition = p.id
      left join lateral
           (select * from
              ((select q.sequence, q.id, q.place, q.epoch, q.time from landlog.place q
                 where q.partition = p.id and q.sequence <= a.sequence
                 order by q.sequence desc limit 1)
               union all
               (select r.sequence, r.id, r.place, r.epoch, r.time
                 where r.sequence between 1 and a.sequence)) u
             order by u.sequence desc limit 1) f on true
     order by a.n
$$;

-- ---- the relay -------------------------------------------------------------

-- Take an epoch above all that were seen. Who has lost the lease has lost this backend.
create or replace function landlog.claim_epoch(a_partition int, seen bigint, a_relay uuid)
returns bigint
language sql volatile as $$
    insert into landlog.relayed as r (partition, claimed, claimant)
    values (a_partition, seen + 1, a_relay)
        on conflict (partition) do update
           set claimed = greatest(r.claimed, seen) + 1, claimant = a_relay
    returning claimed
$$;

-- Events up to these places are on Kafka. `is_kept`: keep the place for readers, too.
create or replace function landlog.mark_relayed(a_partition int[], a_sequence bigint[],
    a_place bigint[], a_epoch bigint[], is_kept boolean[])
returns void
language sql volatile as $$
    -- In one order, or others who lock several would meet it crosswise.
    with locked as materialized
         (select r.partition from landlog.relayed r
           where r.partition = any (a_partition) order by r.partition for update),
    a as materialized
         (select a.*, e.id, e.time
            from unnest(a_partition, a_sequence, a_place, a_epoch, is_kept)
                 a(partition, sequence, place, epoch, is_kept)
            join locked l on l.partition = a.partition
           cross join lateral (select e.id, e.time from landlog.event e
                 where e.partition = a.partition and e.sequence = a.sequence offset 0) e),
    kept as (insert into landlog.place
             select a.partition, a.sequence, a.id, a.place, a.epoch, a.time
               from a where a.is_kept
                 on conflict (partition, sequence) do update
                    set id = excluded.id, place = excluded.place, epoch = excluded.epoch,
                        time = excluded.time)
    update landlog.relayed r
       set sequence = a.sequence, id = a.id, place = a.place, epoch = a.epoch, time = a.time
      from (select distinct on (a.partition) a.* from a
             order by a.partition, a.sequence desc) a
     where r.partition = a.partition
$$;

-- What Kafka lost: forget that these were there.
create or replace function landlog.forget_relayed(a_partition int, a_sequence bigint)
returns void
language sql volatile as $$
    delete from landlog.place q where q.partition = a_partition and q.sequence > a_sequence;
    update landlog.relayed r
       set (sequence, id, place, epoch, time) =
           (select coalesce(max(q.sequence), 0), (array_agg(q.id))[1],
                   coalesce(max(q.place), 0), coalesce(max(q.epoch), 0),
                   coalesce(max(q.time), 0)
              from (select * from landlog.place q where q.partition = a_partition
                     order by q.sequence desc limit 1) q)
     where r.partition = a_partition and r.sequence > a_sequence
$$;

-- Nothing is decided here until each partition was taken over again: another database has
-- the log.
create or replace function landlog.close_gate(a_service text) returns void
language plpgsql volatile as $$
begin
    perform 1 from landlog.referee r where r.service = a_service for update;
    perform 1 from landlog.relayed r join landlog.partition p on p.id = r.partition
      where p.service = a_service order by r.partition for update of r;
    update landlog.relayed r set gate = null from landlog.partition p
     where p.id = r.partition and p.service = a_service and r.gate is not null;
    update landlog.referee r set gate = null where r.service = a_service;
end $$;

-- An event of Kafka is about to be applied here, in this transaction. One that the referee
-- does not have shows that another database has become the log: no answer may be given
-- from here, so the gate closes with it, and the service's relays have lost their leases.
create or replace function landlog.hold_against_referee(
    a_topic text, a_number int, a_sequence bigint, a_id uuid, a_time bigint)
returns void
language plpgsql volatile as $$
declare
    the_service   text;
    the_partition int;
begin
    select t.service, t.id * 256 + a_number into the_service, the_partition
      from landlog.topic t join landlog.referee r on r.service = t.service
     where t.name = a_topic and r.store = 'kafka' and r.gate is not null;
    if not found
       or exists (select from landlog.event e where e.partition = the_partition
                     and e.sequence = a_sequence and e.id = a_id and e.time = a_time)
       or a_sequence < (select e.sequence from landlog.event e
                         where e.partition = the_partition order by e.sequence limit 1)
       or not landlog.is_open(the_service) then
        return;
    end if;
    perform landlog.close_gate(the_service);
    perform pg_terminate_backend(l.pid)
       from landlog.lease l join pg_stat_activity b using (pid, backend_start)
      where l.name like any (select 'relay/' || t.name || '/%' from landlog.topic t
                              where t.service = the_service);
    update landlog.lease l
       set epoch = l.epoch + 1, pid = null, backend_start = null, expires = '-infinity'
     where l.name like any (select 'relay/' || t.name || '/%' from landlog.topic t
                             where t.service = the_service);
end $$;

-- This partition's events on Kafka are all here, up to this database's fence of that
-- epoch. Opens the gate once that is so for all partitions of the service; true when it
-- was closed.
create or replace function landlog.reconciled(a_partition int, a_epoch bigint)
returns boolean
language plpgsql volatile as $$
declare
    the_service text;
    the_gate    text;
begin
    select p.service into the_service from landlog.partition p where p.id = a_partition;
    select r.gate into the_gate from landlog.referee r
     where r.service = the_service for update;
    update landlog.relayed r
       set gate = landlog.gate(), identity = landlog.identity(), agreed = a_epoch
     where r.partition = a_partition;
    if exists (select from landlog.partition p
                left join landlog.relayed r on r.partition = p.id
                where p.service = the_service and r.gate is distinct from landlog.gate()) then
        return false;
    end if;
    perform landlog.reconcile(the_service);
    update landlog.referee r
       set epoch = (select max(q.claimed) from landlog.relayed q
                      join landlog.partition p on p.id = q.partition
                     where p.service = the_service)
     where r.service = the_service;
    return the_gate is distinct from landlog.gate();
end $$;

-- Events that were accepted and are not known to be on Kafka: what the front-ends hold
-- against the setting `kafka.lag-limit`.
create or replace function landlog.relay_lag(a_service text) returns bigint
language sql stable as $$
    select coalesce(sum(coalesce(e.sequence, 0) - coalesce(r.sequence, 0)), 0)::bigint
      from landlog.partition p
      left join landlog.relayed r on r.partition = p.id
      left join lateral (select e.sequence from landlog.event e where e.partition = p.id
                          order by e.sequence desc limit 1) e on true
     where p.service = a_service
$$;

-- Drop rows that are on Kafka and older than `keep_ms` of the partition's log time, whose
-- keys were forgotten already, and which every projection has applied (a record that was
-- acknowledged may be void; one that was applied is not); never the last one, which says
-- what comes next. Nothing is dropped while the log is being copied back. Returns how many
-- went.
create or replace function landlog.drop_relayed(a_partition int, keep_ms bigint, most int)
returns bigint
language plpgsql volatile
set enable_seqscan = off
as $$
declare
    last_row record;
    applied  bigint;
    upto     bigint;
    n        bigint;
begin
    if to_regprocedure('landlog.applied(int)') is not null then -- are there projections?
        execute 'select landlog.applied($1)' into applied using a_partition;
    end if;
    perform 1 from landlog.relayed r where r.partition = a_partition for update;
    if exists (select from landlog.copied c where c.partition = a_partition) then
        return 0;
    end if;
    select e.sequence, e.time into last_row from landlog.event e
     where e.partition = a_partition order by e.sequence desc limit 1;
    select max(e.sequence) into upto
      from (select e.sequence, e.time from landlog.event e
             where e.partition = a_partition order by e.sequence limit most) e
     where e.time < last_row.time - keep_ms
       and e.sequence < last_row.sequence
       and e.sequence <= coalesce(applied, e.sequence)
       and e.sequence <= (select r.sequence from landlog.relayed r
                           where r.partition = a_partition)
       and e.sequence <= (select d.sequence from landlog.purged d
                           where d.partition = a_partition);
    delete from landlog.event e where e.partition = a_partition and e.sequence <= upto;
    get diagnostics n = row_count;
    return n;
end $$;

-- ---- events that come back from Kafka ---------------------------------------

-- Take the rows of the temporary table landlog_import (shaped like landlog.event, one
-- partition's, without a gap) as accepted: events, heads and keys that this database
-- lacks. Those it has must be the same, their times too: an id comes from a key, which
-- two databases may each have accepted. Events older than `horizon` leave no row (the
-- last one does) and no key. The place is that of the last row. Returns how many were
-- lacking.
create or replace function landlog.import_events(a_partition int, horizon bigint,
    a_place bigint, a_epoch bigint, is_kept boolean)
returns bigint
language plpgsql volatile
set enable_seqscan = off
as $$
declare
    the_service text;
    last_known  bigint;
    first_new   bigint;
    last_new    record;
    other       bigint;
    n           bigint := 0;
begin
    select p.service into the_service from landlog.partition p where p.id = a_partition;
    perform set_config('synchronous_commit', 'on', true);
    perform 1 from landlog.referee r where r.service = the_service for update;
    select coalesce(max(e.sequence), 0) into last_known from landlog.event e
     where e.partition = a_partition;
    select min(i.sequence) into other
      from landlog_import i
     cross join lateral (select e.id, e.time from landlog.event e
                          where e.partition = a_partition
                            and e.sequence = i.sequence offset 0) e
     where (e.id, e.time) <> (i.id, i.time);
    if other is not null then
        raise exception 'event % on Kafka is not the one that Postgres has', other;
    end if;
    select i.sequence, i.id, i.time into last_new from landlog_import i
     order by i.sequence desc limit 1;
    select min(i.sequence) into first_new from landlog_import i
     where i.sequence > last_known;

    if first_new is not null then
        if first_new <> last_known + 1 then
            raise exception 'Postgres has events up to %, Kafka goes on with %', last_known,
                first_new;
        end if;
        -- An open gate would mean that appends went on without these.
        update landlog.referee r set gate = null
         where r.service = the_service and r.gate is not null;

        insert into landlog.head as h (tag, sequence, partition)
        select encode(substr(sha256(convert_to(t.tag, 'UTF8')), 1, 16), 'hex')::uuid,
               max(i.sequence), a_partition
          from landlog_import i cross join unnest(i.tags) t(tag)
         where i.sequence > last_known
         group by 1
            on conflict (tag, partition) do update
               set sequence = greatest(h.sequence, excluded.sequence);
        insert into landlog.idempotency (key, body, sequence, time, partition)
        select i.command, i.body, i.sequence, i.time, a_partition
          from landlog_import i
         where i.sequence > last_known and i.time >= horizon
           and i.command_index = i.command_size - 1
            on conflict (key) do nothing;
        insert into landlog.event
        select * from landlog_import i
         where i.sequence > last_known
           and (i.time >= horizon or i.sequence = last_new.sequence);
        select count(*) into n from landlog_import i where i.sequence > last_known;
        -- What was the last row until now may be one that is too old to be kept.
        delete from landlog.event e
         where e.partition = a_partition and e.sequence = last_known and e.time < horizon
           and e.sequence <= (select r.sequence from landlog.relayed r
                               where r.partition = a_partition);
        insert into landlog.purged as d (partition, sequence)
        select a_partition, max(i.sequence) from landlog_import i where i.time < horizon
        having max(i.sequence) is not null
            on conflict (partition) do update
               set sequence = greatest(d.sequence, excluded.sequence);
    end if;

    insert into landlog.relayed (partition) values (a_partition) on conflict do nothing;
    update landlog.relayed r
       set sequence = last_new.sequence, id = last_new.id, place = a_place,
           epoch = a_epoch, time = last_new.time
     where r.partition = a_partition and r.sequence < last_new.sequence;
    if is_kept then
        insert into landlog.place values
            (a_partition, last_new.sequence, last_new.id, a_place, a_epoch, last_new.time)
            on conflict (partition, sequence) do update
               set id = excluded.id, place = excluded.place, epoch = excluded.epoch,
                   time = excluded.time;
    end if;
    return n;
end $$;

-- ---- another store -----------------------------------------------------------

-- Have the rows of landlog_import as rows again, for the postgres store.
create or replace function landlog.copy_back(a_partition int) returns bigint
language plpgsql volatile as $$
declare
    n bigint;
begin
    insert into landlog.event select * from landlog_import on conflict do nothing;
    get diagnostics n = row_count;
    update landlog.copied c set sequence = (select max(i.sequence) from landlog_import i)
     where c.partition = a_partition;
    return n;
end $$;

-- Begin to copy back: rows are not dropped any more. Returns, for each partition that has
-- dropped some, the first that is to be fetched from Kafka and the first that is here.
create or replace function landlog.begin_copy_back(a_service text)
returns table (topic text, partitions int, number int, id int, from_sequence bigint,
               upto bigint)
language plpgsql volatile as $$
begin
    -- Waits for a drop that is at work (landlog.drop_relayed holds this lock, too).
    perform 1 from landlog.relayed r join landlog.partition p on p.id = r.partition
      where p.service = a_service order by r.partition for update of r;
    insert into landlog.copied
    select p.id, 0 from landlog.partition p where p.service = a_service
        on conflict do nothing;
    return query
    select p.topic, t.partitions, p.number, p.id, c.sequence + 1, e.sequence - 1
      from landlog.partition p
      join landlog.topic t on t.name = p.topic
      join landlog.copied c on c.partition = p.id
     cross join lateral (select e.sequence from landlog.event e
                          where e.partition = p.id and e.sequence > c.sequence
                          order by e.sequence limit 1) e
     where p.service = a_service and e.sequence > c.sequence + 1
     order by p.topic, p.number;
end $$;

-- Give the log to another store; false when it is not all there yet. Appends wait for
-- the moment that this takes, and are answered with the new name from then on.
create or replace function landlog.switch_store(a_service text, a_store text)
returns boolean
language plpgsql volatile as $$
declare
    row_gate text;
begin
    perform set_config('synchronous_commit', 'on', true);
    select r.gate into row_gate from landlog.referee r
     where r.service = a_service for update;
    if row_gate is distinct from landlog.gate() then
        return false;
    end if;
    if a_store = 'kafka' and landlog.relay_lag(a_service) > 0 then
        return false;
    end if;
    if a_store = 'postgres' and exists
       (select from landlog.partition p
         cross join lateral (select e.sequence from landlog.event e
                              where e.partition = p.id order by e.sequence limit 1) e
         where p.service = a_service and e.sequence > 1) then
        return false;
    end if;
    update landlog.referee r set store = a_store where r.service = a_service;
    delete from landlog.copied c using landlog.partition p
     where p.id = c.partition and p.service = a_service;
    return true;
end $$;
