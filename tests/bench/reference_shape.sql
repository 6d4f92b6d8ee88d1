-- SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
-- The baseline of append_bench: one statement behind one lock, called with parameters of
-- the extended protocol, over the least that an event store with conditions must keep.
create schema reference;
create table reference.referee (one int primary key);
insert into reference.referee values (1);
create table reference.event (
    pid int, seq bigint, id uuid not null, cmd uuid not null, at timestamptz not null,
    type text, key text, tags uuid[], data bytea, primary key (pid, seq));
create table reference.head (
    tag uuid, pid int, seq bigint not null, primary key (tag, pid)) with (fillfactor = 70);
create table reference.idem (
    key uuid primary key, body uuid not null, at timestamptz not null, pid int[],
    seq bigint[]);

create function reference.append(
    c_key uuid[], c_body uuid[], c_vec int[], vec bigint[], np int,
    g_cmd int[], g_tag uuid[],
    e_cmd int[], e_pid int[], e_id uuid[], e_type text[], e_key text[], e_data bytea[],
    t_ev int[], t_tag uuid[])
returns table (cmd int, verdict text, xpid int, xseq bigint)
language plpgsql volatile
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise 'read committed only';
    end if;
    perform set_config('synchronous_commit', 'on', true);
    perform 1 from reference.referee where one = 1 for update;
    return query
    with c as materialized (
        select i, k, b, v from unnest(c_key, c_body, c_vec) with ordinality u(k, b, v, i)),
    g as materialized (select * from unnest(g_cmd, g_tag) u(ci, tag)),
    e as materialized (
        select * from unnest(e_cmd, e_pid, e_id, e_type, e_key, e_data) with ordinality
               u(ci, pid, id, type, key, data, n)),
    t as materialized (select * from unnest(t_ev, t_tag) u(n, tag)),
    dup as materialized (
        select c.i, d.body = c.b as same, d.pid[1] as p, d.seq[1] as s
          from c cross join lateral
               (select * from reference.idem x where x.key = c.k offset 0) d),
    con as materialized (
        select distinct on (g.ci) g.ci i, h.pid p, h.seq s
          from g join c on c.i = g.ci cross join lateral
               (select * from reference.head x where x.tag = g.tag offset 0) h
         where h.seq > vec[(c.v - 1) * np + h.pid + 1] order by g.ci),
    s as materialized (
        select c.i, c.k from c
         where not exists (select 1 from dup where dup.i = c.i)
           and not exists (select 1 from con where con.i = c.i)),
    w as materialized (
        select t.tag, min(e.ci) i from e join s on s.i = e.ci join t on t.n = e.n
         group by t.tag),
    retry as materialized (
        select distinct g.ci i from g join s on s.i = g.ci join w on w.tag = g.tag
         where w.i < g.ci
         union select s.i from s
               join (select k, min(i) m from s group by k having count(*) > 1) z
                 on z.k = s.k and s.i > z.m),
    a as materialized (
        select e.*, p.seq + row_number() over (partition by e.pid order by e.n) seq,
               greatest(p.at, clock_timestamp()) at
          from e join s on s.i = e.ci cross join lateral
               (select coalesce((select x.seq from reference.event x where x.pid = e.pid
                                  order by x.seq desc limit 1), 0) seq,
                       coalesce((select x.at from reference.event x where x.pid = e.pid
                                  order by x.seq desc limit 1), 'epoch') at offset 0) p
         where not exists (select 1 from retry where retry.i = e.ci)),
    i1 as (
        insert into reference.event
        select a.pid, a.seq, a.id, c.k, a.at, a.type, a.key, te.tags, a.data
          from a join c on c.i = a.ci
          left join (select n, array_agg(tag) tags from t group by n) te on te.n = a.n),
    i2 as (
        insert into reference.idem
        select c.k, c.b, max(a.at), array_agg(a.pid order by a.n),
               array_agg(a.seq order by a.n)
          from a join c on c.i = a.ci group by c.k, c.b),
    i3 as (
        insert into reference.head as h
        select t.tag, a.pid, max(a.seq) from a join t on t.n = a.n group by 1, 2
            on conflict (tag, pid) do update set seq = excluded.seq)
    select c.i::int,
           case when dup.i is not null
                then case when dup.same then 'duplicate' else 'reused' end
                when con.i is not null then 'conflict'
                when retry.i is not null then 'retry' else 'accepted' end,
           coalesce(dup.p, con.p, a1.pid), coalesce(dup.s, con.s, a1.seq)
      from c left join dup on dup.i = c.i left join con on con.i = c.i
      left join retry on retry.i = c.i
      left join (select distinct on (ci) ci, pid, seq from a order by ci, n) a1
        on a1.ci = c.i;
end $$;
