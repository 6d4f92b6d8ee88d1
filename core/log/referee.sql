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

-- One row a service: the lock, the store, the gate, and what every append must know of
-- the service's topics, read with the lock (a look-up in landlog.topic behind it cost as
-- much as all the heads of a command).
create table if not exists landlog.referee (
    service text   primary key,
    store   text   not null default 'postgres' check (store in ('postgres', 'kafka')),
    gate    text,                        -- landlog.gate() at the last reconcile; null: closed
    epoch   bigint not null default 0,   -- of the newest fence; only the kafka store has them
    topics  text[] not null default '{}',
    ids     int[]  not null default '{}',
    sizes   int[]  not null default '{}'
);

create table if not exists landlog.topic (
    name       text    primary key,
    id         int     not null unique,
    service    text    not null,
    partitions int     not null check (partitions between 1 and 256),
    ephemeral  boolean not null
);

-- A partition is one number in every larger table, from which topic and number follow.
create or replace view landlog.partition as
    select t.id * 256 + n as id, t.name as topic, n as number, t.service
      from landlog.topic t cross join lateral generate_series(0, t.partitions - 1) n
     where not t.ephemeral;

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
-- another timeline or database (whose number is in every file's path), or tables that a
-- dump made anew; and after each start of Postgres, so for another cluster as well. One
-- expression, so that it is inlined into append().
create or replace function landlog.gate() returns text
language sql volatile as $$
    select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
        || '/' || split_part(pg_relation_filepath('landlog.log'), '/', -2)
        || '/' || 'landlog.event'::regclass::oid
        || '@' || extract(epoch from pg_postmaster_start_time())
$$;

-- The same for the cluster instead of its start.
create or replace function landlog.identity() returns text
language sql volatile as $$
    select split_part(landlog.gate(), '@', 1) || '@'
        || (pg_control_system()).system_identifier
$$;

-- Open the gate of a service that nothing but a restart has closed; true when it is open
-- then. On the kafka store only the relay may, having read what the broker has.
create or replace function landlog.reopen(a_service text) returns boolean
language plpgsql volatile as $$
begin
    update landlog.referee r set gate = landlog.gate()
     where r.service = a_service and r.store = 'postgres' and r.gate <> landlog.gate()
       and exists (select from landlog.log l where l.identity = landlog.identity());
    return exists (select from landlog.referee r
                    where r.service = a_service and r.gate = landlog.gate());
end $$;

-- Whether commands of a service are decided here now. For the query role, which may not
-- look at what the gate is made of.
create or replace function landlog.is_open(a_service text) returns boolean
language sql volatile security definer set search_path = pg_catalog as $$
    select exists (select from landlog.referee r
                    where r.service = a_service and r.gate = landlog.gate())
$$;

-- Whether a snapshot of this database may be what an answer rests on: the gate is open in
-- it. On the postgres store nothing else can be the log after a mere restart, whose gate
-- the next append opens. For the query role.
create or replace function landlog.may_answer(a_service text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog as $$
begin -- (plpgsql keeps the plan, which took five times as long as the look)
    return exists (select from landlog.referee r
                    where r.service = a_service
                      and (r.gate = landlog.gate()
                           or r.store = 'postgres' and exists
                              (select from landlog.log l
                                where l.identity = landlog.identity())));
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

-- What each writer of the log does first: be durable, wait at most two seconds for the
-- lock, take it. Says which store has the log (null: the gate is closed), and of the
-- topics named (null: not this service's) their ids and partition counts.
create or replace function landlog.lock_referee(
    a_service text, n_topic text[], out store text, out topics int[], out sizes int[])
language plpgsql volatile as $$
declare
    ignored text;
    referee record;
    at      int;
begin
    -- In a snapshot older than the lock, heads would be missed.
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'the log is written in READ COMMITTED only';
    end if;
    -- Not as SET clauses of the function: those are undone before the commit.
    ignored := set_config('synchronous_commit', 'on', true);
    ignored := set_config('lock_timeout', '2000', true);
    select r.store, r.gate, r.topics, r.ids, r.sizes into referee
      from landlog.referee r where r.service = a_service for update;
    if not found then
        raise exception 'the referee has no service "%"', a_service;
    end if;
    if referee.gate = landlog.gate() then
        store := referee.store;
    end if;
    for i in 1 .. cardinality(n_topic) loop
        at := array_position(referee.topics, n_topic[i]);
        topics[i] := referee.ids[at];
        sizes[i] := referee.sizes[at];
    end loop;
end $$;

-- Event time is the server's clock once the lock is held, and follows it for ever: a clock
-- that is far ahead must not be believed. More than an hour past the newest event, it has
-- to agree with the caller's clock to ten minutes.
create or replace function landlog.check_clock(now_ms bigint, newest bigint, caller bigint)
returns void
language plpgsql immutable as $$
begin
    if now_ms > newest + 3600000 and abs(now_ms - caller) > 600000 then
        raise exception 'clocks disagree: Postgres says %, the caller %, the newest event %',
            now_ms, caller, newest;
    end if;
end $$;

-- Judge commands, in the order given. Arrays of one prefix belong together, and hold:
--   n_  topics; where and how many the places of its partitions are in a position
--   p_  the partitions that get events: topic (index into n_topic) and number
--   v_  positions, each as one sequence for each place; 0 where absent
--   c_  commands: idempotency key, hash of its body, its position (number; 0: none), its
--       partition (index into p_) and how many events it has
--   g_  guards: command, hash of the tag
--   r_  a command that has the key of an earlier one or guards a tag that one writes
--   e_  events in the order of their commands; e_end is where its data ends in a_data
--   t_  tags: event, hash of the tag
create or replace function landlog.append(
    a_service text, a_clock bigint, n_topic text[], n_place int[], n_places int[],
    p_topic int[], p_number int[], v_sequence bigint[], v_width int,
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
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    commands int := cardinality(c_key);
    locked   record;
    topics   int[];
    ids      int[];      -- of the partitions that get events; null: there is none such
    lasts    bigint[];   -- their last sequences so far, and the times of those
    times    bigint[];
    verdicts text[];     -- null: none yet, so accepted in the end
    c_first  bigint[];   -- sequence of the first event of an accepted command
    -- Of answers that refuse or repeat: partition id, and the answer's other columns.
    x_id     int[];
    x_last   bigint[];
    x_time   bigint[];
    x_guard  int[];
    newest   bigint := 0;
    now_ms   bigint;
    found    record;
    p        int;
begin
    locked := landlog.lock_referee(a_service, n_topic);
    store := locked.store;
    topics := locked.topics;
    if store is null then
        verdict := 'closed';
        select r.store into store from landlog.referee r where r.service = a_service;
        for i in 1 .. commands loop
            return next;
        end loop;
        return;
    end if;
    for i in 1 .. cardinality(p_topic) loop
        -- Each one, or the array would not begin at 1.
        ids[i] := case when p_number[i] < locked.sizes[p_topic[i]]
                       then topics[p_topic[i]] * 256 + p_number[i] end;
    end loop;

    -- From here on no other writer is at work: each statement's snapshot has all.
    for found in
        -- No counters: a row updated by each append would rot under a long snapshot.
        select 'last' as verdict, u.n::int as n, u.id as partition, e.sequence, e.time,
               0 as guard
          from unnest(ids) with ordinality u(id, n)
         cross join lateral (select e.sequence, e.time from landlog.event e
                              where e.partition = u.id
                              order by e.sequence desc limit 1) e
         union all
        select case when i.body = c.body then 'duplicate' else 'reused' end,
               c.n::int, i.partition, i.sequence, i.time, null
          from unnest(c_key, c_body) with ordinality c(key, body, n)
         cross join lateral (select * from landlog.idempotency i
                              where i.key = c.key offset 0) i
         union all
        select 'conflict', g.command, h.partition, h.sequence, null, g.n::int
          from unnest(g_command, g_tag) with ordinality g(command, tag, n)
         cross join lateral (select h.partition, h.sequence,
                                    array_position(topics, h.partition / 256) as topic
                               from landlog.head h where h.tag = g.tag offset 0) h
         where h.sequence > coalesce(
                   case when h.partition % 256 < n_places[h.topic]
                        then v_sequence[(c_position[g.command] - 1) * v_width
                                        + n_place[h.topic] + h.partition % 256] end, 0)
    loop
        if found.verdict = 'last' then
            lasts[found.n] := found.sequence;
            times[found.n] := found.time;
            newest := greatest(newest, found.time);
        elsif found.verdict <> 'conflict' or verdicts[found.n] is null then
            verdicts[found.n] := found.verdict;
            x_id[found.n] := found.partition;
            x_last[found.n] := found.sequence;
            x_time[found.n] := found.time;
            x_guard[found.n] := found.guard;
        end if;
    end loop;
    now_ms := floor(extract(epoch from clock_timestamp()) * 1000);
    if now_ms > newest + 3600000 then
        perform landlog.check_clock(now_ms, newest, a_clock);
    end if;

    for i in 1 .. commands loop
        if verdicts[i] is null and (ids[c_partition[i]] is null or c_size[i] < 1) then
            verdicts[i] := 'invalid';
        end if;
    end loop;

    for i in 1 .. cardinality(r_command) loop
        if verdicts[r_command[i]] is null and verdicts[r_earlier[i]] is null then
            verdicts[r_command[i]] := 'retry';
        end if;
    end loop;

    for i in 1 .. commands loop
        if verdicts[i] is null then
            p := c_partition[i];
            c_first[i] := coalesce(lasts[p], 0) + 1;
            lasts[p] := coalesce(lasts[p], 0) + c_size[i];
        end if;
    end loop;

    with events as (
        insert into landlog.event
              (sequence, time, partition, version, id, command, body, command_index,
               command_size, causation, correlation, type, source, subject, key,
               traceparent, tags, data)
        select c_first[e.command] + e.index,
               greatest(times[c_partition[e.command]], now_ms), ids[c_partition[e.command]],
               e.version, e.id, c_key[e.command], c_body[e.command], e.index,
               c_size[e.command], e.causation, e.correlation, e.type, e.source, e.subject,
               e.key, e.traceparent, e.tags::text[],
               substr(a_data, coalesce(e_end[e.n - 1], 0) + 1,
                      e_end[e.n] - coalesce(e_end[e.n - 1], 0))
          from unnest(e_command, e_index, e_id, e_type, e_version, e_source, e_subject,
                      e_key, e_tags, e_causation, e_correlation, e_traceparent)
               with ordinality
               e(command, index, id, type, version, source, subject, key, tags, causation,
                 correlation, traceparent, n)
         where c_first[e.command] is not null),
    keys as (
        insert into landlog.idempotency (key, body, sequence, time, partition)
        select c.key, c.body, c_first[c.n] + c.size - 1,
               greatest(times[c.partition], now_ms), ids[c.partition]
          from unnest(c_key, c_body, c_partition, c_size) with ordinality
               c(key, body, partition, size, n)
         where c_first[c.n] is not null)
    insert into landlog.head as h (tag, sequence, partition)
    select t.tag, max(c_first[e_command[t.event]] + e_index[t.event]),
           ids[c_partition[e_command[t.event]]]
      from unnest(t_event, t_tag) t(event, tag)
     where c_first[e_command[t.event]] is not null
     group by t.tag, ids[c_partition[e_command[t.event]]]
        on conflict (tag, partition) do update set sequence = excluded.sequence;

    for i in 1 .. commands loop
        if verdicts[i] is null then
            p := c_partition[i];
            verdict := 'accepted';
            topic := n_topic[p_topic[p]];
            number := p_number[p];
            sequence := c_first[i] + c_size[i] - 1;
            time := greatest(times[p], now_ms);
            guard := null;
        else
            verdict := verdicts[i];
            topic := (select t.name from landlog.topic t where t.id = x_id[i] / 256);
            number := x_id[i] % 256;
            sequence := x_last[i];
            time := x_time[i];
            guard := x_guard[i];
        end if;
        return next;
    end loop;
end $$;

-- Begin a bulk append: lock, and say of each partition its id, last sequence and the time
-- of what comes next ('partition', numbered as in p_), and which of the keys were used
-- ('known', numbered as in `keys`). The transaction's owner then numbers the others,
-- copies them into event, idempotency and head, and commits (referee_bulk.c).
create or replace function landlog.begin_bulk(
    a_service text, a_clock bigint, n_topic text[], p_topic int[], p_number int[],
    keys uuid[])
returns table (kind text, n int, id int, sequence bigint, "time" bigint)
language plpgsql volatile
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    locked record;
    ids    int[];
    newest bigint := 0;
    now_ms bigint;
begin
    locked := landlog.lock_referee(a_service, n_topic);
    if locked.store is null then
        raise exception 'the gate of service "%" is closed: this database is not the one '
            'last reconciled', a_service;
    end if;
    for i in 1 .. cardinality(p_topic) loop
        if p_number[i] < locked.sizes[p_topic[i]] then
            ids[i] := locked.topics[p_topic[i]] * 256 + p_number[i];
        else
            raise exception 'service "%" has no partition %/%', a_service,
                n_topic[p_topic[i]], p_number[i];
        end if;
    end loop;

    now_ms := floor(extract(epoch from clock_timestamp()) * 1000);
    kind := 'partition';
    for i in 1 .. cardinality(ids) loop
        n := i;
        id := ids[i];
        select e.sequence, e.time into sequence, time from landlog.event e
         where e.partition = ids[i] order by e.sequence desc limit 1;
        newest := greatest(newest, time);
        sequence := coalesce(sequence, 0);
        time := greatest(time, now_ms);
        return next;
    end loop;
    perform landlog.check_clock(now_ms, newest, a_clock);

    return query
    select 'known', k.n::int, null::int, null::bigint, null::bigint
      from unnest(keys) with ordinality k(key, n)
     cross join lateral (select from landlog.idempotency i where i.key = k.key offset 0) i;
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
