-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- The referee: what the log is in Postgres, and the only functions that write it.
--
-- referee_install() runs this text in one transaction, at a start where it differs from
-- the text that ran last. So each statement must be fit to be run again.
--
-- Who writes the log holds the lock on its service's row of landlog.referee until its
-- commit. That makes every order here: a statement that starts after the lock sees all
-- that was accepted before, and events become visible to readers in order of sequence.

create schema if not exists landlog;

-- ---- tables ----------------------------------------------------------------

-- One row: which log this is.
create table if not exists landlog.log (
    one         boolean primary key default true check (one),
    incarnation uuid    not null,  -- a new one after each restore; tokens carry it
    identity    text    not null,  -- landlog.identity() where that incarnation began
    script      text    not null   -- hash of the text of this file that ran last
);

-- One row a service: the lock, the store and the gate.
create table if not exists landlog.referee (
    service text   primary key,
    store   text   not null default 'postgres' check (store in ('postgres', 'kafka')),
    gate    text,                        -- landlog.gate() at the last reconcile; null: closed
    epoch   bigint not null default 0    -- of the newest fence; only the kafka store has them
);

create table if not exists landlog.topic (
    name       text    primary key,
    service    text    not null,
    partitions int     not null,
    ephemeral  boolean not null
);

-- Small numbers for (topic, partition number), in every larger table.
create table if not exists landlog.partition (
    id      int  primary key,
    topic   text not null,
    number  int  not null,
    service text not null,
    unique (topic, number)
);

-- The log. Readers ask for sequence >= n of a partition, and so does the relay. (Range
-- partitioning of this table by sequence can be added without a change to either.)
create table if not exists landlog.event (
    sequence      bigint   not null,
    time          bigint   not null,  -- ms; never runs backwards within a partition
    partition     int      not null,
    version       int      not null,
    id            uuid     not null,
    command       uuid     not null,  -- the idempotency key it came with
    body          uuid     not null,
    command_index smallint not null,
    command_size  smallint not null,
    causation     uuid,
    correlation   uuid,
    type          text     not null,
    source        text     not null,
    subject       text     not null,
    key           text     not null,
    traceparent   text,
    tags          text[],
    data          bytea    not null,
    primary key (partition, sequence)
);
alter table landlog.event alter column data set storage external;

-- The last event of each tag (hashed to 16 bytes) in each partition.
create table if not exists landlog.head (
    tag       uuid   not null,
    sequence  bigint not null,
    partition int    not null,
    primary key (tag, partition)
) with (fillfactor = 70);

-- Commands that were accepted, for 7 days of log time (landlog.purge).
create table if not exists landlog.idempotency (
    key       uuid   primary key,
    body      uuid   not null,
    sequence  bigint not null,  -- of its last event
    time      bigint not null,
    partition int    not null
);

-- How far landlog.purge() has come.
create table if not exists landlog.purged (
    partition int    primary key,
    sequence  bigint not null
);

create table if not exists landlog.lease (
    name          text        primary key,
    owner         text        not null,
    epoch         bigint      not null,
    pid           int,                   -- the backend on which the holder writes;
    backend_start timestamptz,           -- null: free
    expires       timestamptz not null
);

-- Who says that it is at work, for `landlog status`.
create table if not exists landlog.worker (
    name    text        primary key,
    kind    text        not null,
    host    text        not null,
    pid     int         not null,
    detail  text        not null,
    started timestamptz not null,
    seen    timestamptz not null
);

-- ---- which database this is ------------------------------------------------

-- Differs wherever the rows of this log were brought by a restore or a promotion:
-- another cluster, timeline or database, or tables that a dump made anew.
create or replace function landlog.identity() returns text
language sql volatile as $$
    select c.system_identifier
        || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
        || '/' || (select d.oid from pg_database d where d.datname = current_database())
        || '/' || 'landlog.event'::regclass::oid
    from pg_control_system() c
$$;

-- Differs after a restart of Postgres too.
create or replace function landlog.gate() returns text
language sql volatile as $$
    select landlog.identity()
        || '@' || (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint
$$;

-- Open the gate of a service that nothing but a restart has closed; true when it is open
-- then. On the kafka store only the relay may, having read what the broker has.
create or replace function landlog.reopen(a_service text) returns boolean
language plpgsql volatile as $$
begin
    update landlog.referee r set gate = landlog.gate()
     where r.service = a_service and r.store = 'postgres'
       and split_part(r.gate, '@', 1) = landlog.identity()
       and r.gate <> landlog.gate();
    return exists (select from landlog.referee r
                    where r.service = a_service and r.gate = landlog.gate());
end $$;

-- Accept this database as the log, whatever it was before. Where it is not the one in
-- which the incarnation began, another incarnation begins: tokens of the old one may
-- speak of events that are not here.
create or replace function landlog.reconcile(a_service text) returns void
language plpgsql volatile as $$
begin
    perform 1 from landlog.referee r where r.service = a_service for update;
    update landlog.log l set incarnation = gen_random_uuid(), identity = landlog.identity()
     where l.identity <> landlog.identity();
    update landlog.referee r set gate = landlog.gate()
     where r.service = a_service and r.gate is distinct from landlog.gate();
end $$;

-- ---- append ----------------------------------------------------------------

-- What each writer of the log does first: be durable, wait at most this long for the
-- lock, take it. Returns the store; null when the gate is closed.
create or replace function landlog.lock_referee(a_service text) returns text
language plpgsql volatile as $$
declare
    row_store text;
    row_gate  text;
begin
    -- In a snapshot older than the lock, heads would be missed.
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'the log is written in READ COMMITTED only';
    end if;
    -- Not as SET clauses of the function: those are undone before the commit.
    perform set_config('synchronous_commit', 'on', true);
    perform set_config('lock_timeout', '2000', true);
    select r.store, r.gate into row_store, row_gate
      from landlog.referee r where r.service = a_service for update;
    if not found then
        raise exception 'the referee has no service "%"', a_service;
    end if;
    return case when row_gate = landlog.gate() then row_store end;
end $$;

-- The server's clock, once the lock is held. Event time follows it for ever, so a clock
-- that is far ahead must not be believed: where it is more than an hour past the newest
-- event it has to agree with the caller's clock to ten minutes.
create or replace function landlog.event_time(newest bigint, caller bigint) returns bigint
language plpgsql volatile as $$
declare
    now_ms bigint := floor(extract(epoch from clock_timestamp()) * 1000);
begin
    if now_ms > newest + 3600000 and abs(now_ms - caller) > 600000 then
        raise exception 'clocks disagree: Postgres says %, the caller %, the newest event %',
            now_ms, caller, newest;
    end if;
    return now_ms;
end $$;

-- Judge commands, in the order given. Arrays of one prefix belong together, and hold:
--   p_  the partitions that this call names; everywhere else they are indexes into it.
--       Those with events come first, `p_events` of them.
--   v_  positions: cardinality(p_topic) sequences each, 0 where absent
--   c_  commands: idempotency key, hash of its body, its position (index; 0: none), the
--       partition and number of its events
--   g_  guards: command, hash of the tag
--   r_  a command that has the key of an earlier one or guards a tag that one writes
--   e_  events in the order of their commands; e_end is where its data ends in a_data
--   t_  tags: event, hash of the tag
create or replace function landlog.append(
    a_service text, a_clock bigint, p_topic text[], p_number int[], p_events int,
    v_sequence bigint[],
    c_key uuid[], c_body uuid[], c_position int[], c_partition int[], c_size int[],
    g_command int[], g_tag uuid[],
    r_command int[], r_earlier int[],
    e_command int[], e_index int[], e_id uuid[], e_type text[], e_version int[],
    e_source text[], e_subject text[], e_key text[], e_tags text[], e_causation uuid[],
    e_correlation uuid[], e_traceparent text[], e_end int[], a_data bytea,
    t_event int[], t_tag uuid[])
returns table (verdict text, topic text, number int, sequence bigint, "time" bigint,
               guard int, store text)
language plpgsql volatile rows 100
-- A plan that was cached while the tables were empty would scan them for ever.
set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off
as $$
#variable_conflict use_column
declare
    commands int := cardinality(c_key);
    width    int := cardinality(p_topic);
    v        text[] := array_fill(null::text, array[commands]);  -- verdicts
    x_id     int[] := array_fill(null::int, array[commands]);    -- what answers say
    x_last   bigint[] := array_fill(null::bigint, array[commands]);
    x_time   bigint[] := array_fill(null::bigint, array[commands]);
    x_guard  int[] := array_fill(null::int, array[commands]);
    c_first  bigint[] := array_fill(null::bigint, array[commands]);
    ids      int[];
    lasts    bigint[];
    times    bigint[];
    now_ms   bigint;
    the_store text;
    found    record;
    p        int;
begin
    select array_agg(p.id order by u.n) into ids
      from unnest(p_topic, p_number) with ordinality u(topic, number, n)
      left join lateral (select p.id from landlog.partition p
                          where p.topic = u.topic and p.number = u.number
                            and p.service = a_service offset 0) p on true;

    the_store := landlog.lock_referee(a_service);
    if the_store is null then
        return query select 'closed', null::text, null::int, null::bigint, null::bigint,
                            null::int, r.store
                       from landlog.referee r, generate_series(1, commands)
                      where r.service = a_service;
        return;
    end if;

    -- From here on no other writer is at work: each statement's snapshot has all.
    for found in
        select c.n, i.body = c.body as same, i.partition, i.sequence, i.time
          from unnest(c_key, c_body) with ordinality c(key, body, n)
         cross join lateral (select * from landlog.idempotency i
                              where i.key = c.key offset 0) i
    loop
        v[found.n] := case when found.same then 'duplicate' else 'reused' end;
        x_id[found.n] := found.partition;
        x_last[found.n] := found.sequence;
        x_time[found.n] := found.time;
    end loop;

    for i in 1 .. commands loop
        if v[i] is null and (ids[c_partition[i]] is null or c_size[i] < 1) then
            v[i] := 'invalid';
        end if;
    end loop;

    for found in
        select g.command, g.n, h.partition, h.sequence
          from unnest(g_command, g_tag) with ordinality g(command, tag, n)
         cross join lateral
               (select h.partition, h.sequence from landlog.head h
                 where h.tag = g.tag
                   and h.sequence > coalesce(v_sequence[
                           (c_position[g.command] - 1) * width
                           + array_position(ids, h.partition)], 0) offset 0) h
    loop
        if v[found.command] is null then
            v[found.command] := 'conflict';
            x_id[found.command] := found.partition;
            x_last[found.command] := found.sequence;
            x_guard[found.command] := found.n;
        end if;
    end loop;

    for i in 1 .. cardinality(r_command) loop
        if v[r_command[i]] is null and v[r_earlier[i]] is null then
            v[r_command[i]] := 'retry';
        end if;
    end loop;

    -- No counters: a row updated by each append would rot under a long snapshot.
    select array_agg(coalesce(e.sequence, 0) order by u.n),
           array_agg(coalesce(e.time, 0) order by u.n) into lasts, times
      from unnest(ids[:p_events]) with ordinality u(id, n)
      left join lateral (select e.sequence, e.time from landlog.event e
                          where e.partition = u.id
                          order by e.sequence desc limit 1) e on true;
    now_ms := landlog.event_time((select max(t) from unnest(times) t), a_clock);

    for i in 1 .. commands loop
        if v[i] is null then
            p := c_partition[i];
            c_first[i] := lasts[p] + 1;
            lasts[p] := lasts[p] + c_size[i];
            x_id[i] := ids[p];
            x_last[i] := lasts[p];
            x_time[i] := greatest(times[p], now_ms);
        end if;
    end loop;

    insert into landlog.event
          (sequence, time, partition, version, id, command, body, command_index,
           command_size, causation, correlation, type, source, subject, key, traceparent,
           tags, data)
    select c_first[e.command] + e.index, x_time[e.command], x_id[e.command], e.version,
           e.id, c_key[e.command], c_body[e.command], e.index, c_size[e.command],
           e.causation, e.correlation, e.type, e.source, e.subject, e.key, e.traceparent,
           e.tags::text[],
           substr(a_data, coalesce(e_end[e.n - 1], 0) + 1,
                  e_end[e.n] - coalesce(e_end[e.n - 1], 0))
      from unnest(e_command, e_index, e_id, e_type, e_version, e_source, e_subject, e_key,
                  e_tags, e_causation, e_correlation, e_traceparent) with ordinality
           e(command, index, id, type, version, source, subject, key, tags, causation,
             correlation, traceparent, n)
     where c_first[e.command] is not null;

    insert into landlog.idempotency (key, body, sequence, time, partition)
    select c.key, c.body, x_last[c.n], x_time[c.n], x_id[c.n]
      from unnest(c_key, c_body) with ordinality c(key, body, n)
     where c_first[c.n] is not null;

    insert into landlog.head as h (tag, sequence, partition)
    select t.tag, max(c_first[e_command[t.event]] + e_index[t.event]),
           x_id[e_command[t.event]]
      from unnest(t_event, t_tag) t(event, tag)
     where c_first[e_command[t.event]] is not null
     group by t.tag, x_id[e_command[t.event]]
        on conflict (tag, partition) do update set sequence = excluded.sequence;

    return query
    select coalesce(v[n], 'accepted'), q.topic, q.number, x_last[n], x_time[n], x_guard[n],
           the_store
      from generate_series(1, commands) n
      left join lateral (select q.topic, q.number from landlog.partition q
                          where q.id = x_id[n] offset 0) q on true
     order by n;
end $$;

-- Events from outside, each keyed by its own id, without guards; all or nothing. p_, e_,
-- a_data and t_ as above; e_partition is an index into p_. Returns how many were there.
create or replace function landlog.append_bulk(
    a_service text, a_clock bigint, p_topic text[], p_number int[],
    e_partition int[], e_body uuid[], e_id uuid[], e_type text[], e_version int[],
    e_source text[], e_subject text[], e_key text[], e_tags text[], e_causation uuid[],
    e_correlation uuid[], e_traceparent text[], e_end int[], a_data bytea,
    t_event int[], t_tag uuid[])
returns int
language plpgsql volatile
set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off
as $$
#variable_conflict use_column
declare
    events     int := cardinality(e_id);
    e_sequence bigint[];  -- null: it was there already
    known      int[];
    ids        int[];
    lasts      bigint[];
    times      bigint[];
begin
    select array_agg(p.id order by u.n) into ids
      from unnest(p_topic, p_number) with ordinality u(topic, number, n)
      left join lateral (select p.id from landlog.partition p
                          where p.topic = u.topic and p.number = u.number
                            and p.service = a_service offset 0) p on true;
    if array_position(ids, null) is not null then
        raise exception 'service "%" has no partition %/%', a_service,
            p_topic[array_position(ids, null)], p_number[array_position(ids, null)];
    end if;
    if landlog.lock_referee(a_service) is null then
        raise exception 'the gate of service "%" is closed: this database is not the one '
            'last reconciled', a_service;
    end if;

    select coalesce(array_agg(e.n::int), '{}') into known
      from unnest(e_id) with ordinality e(id, n)
     cross join lateral (select 1 from landlog.idempotency i
                          where i.key = e.id offset 0) i;
    if cardinality(known) = events then
        return events;
    end if;

    select array_agg(coalesce(e.sequence, 0) order by u.n),
           array_agg(greatest(e.time, landlog.event_time(coalesce(e.time, 0), a_clock))
                     order by u.n) into lasts, times
      from unnest(ids) with ordinality u(id, n)
      left join lateral (select e.sequence, e.time from landlog.event e
                          where e.partition = u.id
                          order by e.sequence desc limit 1) e on true;

    select array_agg(s.sequence order by s.n) into e_sequence
      from (select e.n, case when k.n is null then lasts[e.partition] + row_number() over
                        (partition by e.partition, k.n is null order by e.n) end as sequence
              from unnest(e_partition) with ordinality e(partition, n)
              left join unnest(known) k(n) on k.n = e.n) s;

    insert into landlog.event
          (sequence, time, partition, version, id, command, body, command_index,
           command_size, causation, correlation, type, source, subject, key, traceparent,
           tags, data)
    select e_sequence[e.n], times[e.partition], ids[e.partition], e.version,
           e.id, e.id, e.body, 0, 1,
           e.causation, e.correlation, e.type, e.source, e.subject, e.key, e.traceparent,
           e.tags::text[],
           substr(a_data, coalesce(e_end[e.n - 1], 0) + 1,
                  e_end[e.n] - coalesce(e_end[e.n - 1], 0))
      from unnest(e_partition, e_id, e_body, e_type, e_version, e_source, e_subject,
                  e_key, e_tags, e_causation, e_correlation, e_traceparent)
           with ordinality
           e(partition, id, body, type, version, source, subject, key, tags, causation,
             correlation, traceparent, n)
     where e_sequence[e.n] is not null;

    insert into landlog.idempotency (key, body, sequence, time, partition)
    select e.id, e.body, e_sequence[e.n], times[e.partition], ids[e.partition]
      from unnest(e_partition, e_id, e_body) with ordinality e(partition, id, body, n)
     where e_sequence[e.n] is not null
     order by e.id;

    insert into landlog.head as h (tag, sequence, partition)
    select t.tag, max(e_sequence[t.event]), ids[e_partition[t.event]]
      from unnest(t_event, t_tag) t(event, tag)
     where e_sequence[t.event] is not null
     group by t.tag, ids[e_partition[t.event]]
     order by t.tag
        on conflict (tag, partition) do update set sequence = excluded.sequence;

    return cardinality(known);
end $$;

-- Forget keys older than `keep_ms` of log time, of at most `most` events a partition.
-- Returns how many were forgotten. (Event rows name their key, so no index by time is
-- kept up by every append.)
create or replace function landlog.purge(a_service text, keep_ms bigint, most int)
returns bigint
language plpgsql volatile
set enable_seqscan = off
as $$
declare
    horizon bigint;
    part    record;
    upto    bigint;
    n       bigint;
    total   bigint := 0;
begin
    select max(e.time) - keep_ms into horizon
      from landlog.partition p
     cross join lateral (select e.time from landlog.event e where e.partition = p.id
                          order by e.sequence desc limit 1) e
     where p.service = a_service;

    for part in
        select p.id, coalesce(d.sequence, 0) as mark
          from landlog.partition p left join landlog.purged d on d.partition = p.id
         where p.service = a_service
    loop
        select max(e.sequence) into upto
          from (select e.sequence, e.time from landlog.event e
                 where e.partition = part.id and e.sequence > part.mark
                 order by e.sequence limit most) e
         where e.time < horizon;
        continue when upto is null;

        delete from landlog.idempotency i using landlog.event e
         where e.partition = part.id and e.sequence > part.mark and e.sequence <= upto
           and i.key = e.command and i.time < horizon;
        get diagnostics n = row_count;
        total := total + n;
        insert into landlog.purged as d (partition, sequence) values (part.id, upto)
            on conflict (partition) do update set sequence = excluded.sequence;
    end loop;
    return total;
end $$;

-- ---- leases and workers ----------------------------------------------------

-- Take a lease for a writer's backend: the new epoch, or null while another holds it. It
-- is free when it was released, has expired, is its owner's own, or when the backend that
-- it names is gone. That backend is terminated before the epoch is raised, under the
-- row's lock, so its process cannot come back with another one in between.
create or replace function landlog.take_lease(a_name text, a_owner text, a_pid int, ms int)
returns bigint
language plpgsql volatile as $$
declare
    held     landlog.lease;
    is_alive boolean;
    start    timestamptz;
begin
    select b.backend_start into start from pg_stat_get_activity(a_pid) b;
    if start is null then
        raise exception 'lease "%": no backend % to write on', a_name, a_pid;
    end if;
    insert into landlog.lease values (a_name, a_owner, 0, null, null, '-infinity')
        on conflict do nothing;
    select * into held from landlog.lease l where l.name = a_name for update;
    is_alive := exists (select from pg_stat_get_activity(held.pid) b
                         where b.backend_start = held.backend_start);
    if is_alive and held.owner <> a_owner and held.expires > clock_timestamp() then
        return null;
    end if;
    if is_alive and (held.pid, held.backend_start) <> (a_pid, start)
       and not pg_terminate_backend(held.pid, 5000) then
        raise exception 'backend % of lease "%" does not end', held.pid, a_name;
    end if;
    update landlog.lease l
       set owner = a_owner, epoch = l.epoch + 1, pid = a_pid, backend_start = start,
           expires = clock_timestamp() + ms * interval '1 ms'
     where l.name = a_name;
    return held.epoch + 1;
end $$;

-- End the backends that hold a referee's lock while they wait for their client. One that
-- waits for a standby (SyncRep) has written its commit and is let be. Returns how many.
create or replace function landlog.unblock() returns int
language sql volatile as $$
    select count(*)::int from (
        select pg_terminate_backend(l.pid)
          from pg_locks l join pg_stat_activity b on b.pid = l.pid
         where l.relation = 'landlog.referee'::regclass and l.mode = 'RowShareLock'
           and l.granted and l.pid <> pg_backend_pid()
           and l.database = (select d.oid from pg_database d
                              where d.datname = current_database())
           and b.wait_event_type = 'Client'
           and b.state_change < clock_timestamp() - interval '500 ms') ended
$$;
