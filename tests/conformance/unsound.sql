-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- Three ways to spoil landlog.append that look right, for the suite to find out: each is
-- the function itself with one thing changed, so that nothing else can explain what is
-- found. Run in a test's own database; then select unsound.make(shape).
create schema unsound;

-- What the partitions shape locks instead of the referee's row.
create table unsound.partition (id int primary key);
insert into unsound.partition select id from landlog.partition;

-- As landlog.lock_referee, but without the lock.
create function unsound.look_at_referee(
    a_service text, n_topic text[], out store text, out topics int[], out sizes int[])
language plpgsql as $$
begin
    select r.store into store from landlog.referee r where r.service = a_service;
    select array_agg(t.id order by n.n), array_agg(t.partitions order by n.n)
      into topics, sizes
      from unnest(n_topic) with ordinality n(name, n) join landlog.topic t on t.name = n.name;
end $$;

-- Replace text that must be there.
create function unsound.edit(inout source text, was text, becomes text)
language plpgsql as $$
begin
    if position(was in source) = 0 then
        raise exception 'append() has no "%" any more: adapt unsound.sql', was;
    end if;
    source := replace(source, was, becomes);
end $$;

create function unsound.make(shape text) returns void
language plpgsql as $$
declare
    source text := pg_get_functiondef('landlog.append'::regproc);
    take_lock text := 'landlog.lock_referee(a_service, n_topic)';
    no_lock   text := 'unsound.look_at_referee(a_service, n_topic)';
    decided   text := 'now_ms := floor(';
    for_each  text := 'for found in';
begin
    if shape = 'snapshot' then
        -- Keys and heads are read in a snapshot older than the wait for the lock, as in
        -- one statement that locks and reads. (The last sequences are read behind it, or
        -- the primary key of event would catch most of what goes wrong.)
        source := unsound.edit(source, take_lock, no_lock);
        source := unsound.edit(source, decided, $x$
            locked := landlog.lock_referee(a_service, n_topic);
            for i in 1 .. cardinality(ids) loop
                lasts[i] := (select max(e.sequence) from landlog.event e
                              where e.partition = ids[i]);
                times[i] := (select max(e.time) from landlog.event e
                              where e.partition = ids[i]);
            end loop;
            $x$ || decided);
    elsif shape = 'partitions' then
        -- The rows of the partitions that get events are locked: a tag that is first used
        -- in two of them at a time is protected by neither.
        source := unsound.edit(source, take_lock, no_lock);
        source := unsound.edit(source, for_each, $x$
            perform 1 from unsound.partition u where u.id = any(ids) order by u.id for update;
            $x$ || for_each);
    elsif shape = 'one head' then
        -- One head a tag: a later event in another partition hides the one not seen.
        delete from landlog.head;
        alter table landlog.head drop constraint head_pkey;
        alter table landlog.head add primary key (tag);
        source := unsound.edit(source, 'on conflict (tag, partition) do update set '
            'sequence = excluded.sequence', 'on conflict (tag) do update set '
            'sequence = excluded.sequence, partition = excluded.partition');
    else
        raise exception 'no shape "%"', shape;
    end if;
    execute source;
end $$;
