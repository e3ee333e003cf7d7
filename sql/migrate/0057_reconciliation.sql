-- What a carrier says that it carried, beside what we have: a file of its call
-- records against our attempts at it.
create table report.reconciliation (
	id text primary key check (core.is_id(id, 'rec')),
	carrier_id text not null references core.carrier on delete cascade,
	from_at timestamptz not null,
	to_at timestamptz not null,
	file_name text check (octet_length(file_name) <= 255),
	-- how far begins may be apart once the clocks are; durations; amounts
	tolerance_ms integer not null default 3000
		check (tolerance_ms between 0 and 600000),
	duration_ms integer not null default 1000
		check (duration_ms between 0 and 600000),
	cost_micro bigint not null default 100 check (cost_micro >= 0),
	-- their time is that of the answer, not of the begin
	is_answer_time boolean not null default false,
	-- what came of it: theirs less ours, the median of what surely is one
	clock_offset_ms bigint,
	our_calls bigint,
	our_ms bigint,
	our_cost_micro bigint,
	their_calls bigint,
	their_ms bigint,
	their_cost_micro bigint,
	matched bigint,
	faults bigint,
	currency core.currency,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint reconciliation_span check (to_at > from_at
		and to_at - from_at <= interval '93 days')
);
create index reconciliation_carrier on report.reconciliation (carrier_id);
create trigger reconciliation_touch before update on report.reconciliation
	for each row execute function core.touch();

-- Each fault: a line of theirs, a call of ours, or both.
create table report.reconciliation_fault (
	reconciliation_id text not null references report.reconciliation
		on delete cascade,
	n integer not null,
	fault text not null check (fault in ('missing_here', 'missing_there',
		'unanswered', 'doubled', 'longer', 'shorter', 'dearer',
		'cheaper')),
	line bigint,
	called text,
	their_at timestamptz,
	their_ms bigint,
	their_cost_micro bigint,
	call_id uuid,
	attempt integer,
	our_at timestamptz,
	our_ms bigint,
	our_cost_micro bigint,
	primary key (reconciliation_id, n)
);

-- The last nine digits: what stays of a number whatever stands before it.
create function report.number_key(number text) returns text
	language sql immutable parallel safe as
$$ select right(regexp_replace(number, '[^0-9]', '', 'g'), 9) $$;

-- Compare the temporary table reconciliation_stage (line, at, called,
-- duration_ms, cost_micro) with our attempts. One line is one call: the pair
-- that is nearest in time and duration, for both of the two.
create function report.reconcile(p_id text) returns report.reconciliation
	language plpgsql
	set timezone = 'UTC'
	set jit = off as
$$
declare
	rec report.reconciliation;
	found_n bigint;
begin
	select * into strict rec from report.reconciliation r where r.id = p_id
		for update;
	delete from report.reconciliation_fault f
		where f.reconciliation_id = p_id;

	create temp table reconciliation_ours on commit drop as
	select row_number() over () as n, r.call_id, r.attempt,
		case when rec.is_answer_time
			then coalesce(r.answered_at, r.started_at)
			else coalesce(r.answered_at - r.setup_ms
				* interval '1 ms', r.started_at) end as at,
		report.number_key(coalesce(r.called_sent, r.called)) as key,
		coalesce(r.called_sent, r.called) as called,
		r.answered_at is not null as is_answered,
		coalesce(r.duration_ms, 0) as ms,
		coalesce(c.billed_ms, 0) as billed_ms,
		coalesce(c.net_micro, c.amount_micro, 0) as cost
	from cdr.record r
	left join cdr.charge c on c.started_at = r.started_at
		and c.call_id = r.call_id and c.attempt = r.attempt
		and c.side = 'buy'
	where r.attempt > 0 and r.carrier_id = rec.carrier_id
		and r.started_at >= rec.from_at - interval '1 day'
		and r.started_at < rec.to_at + interval '1 hour';
	create index on reconciliation_ours (key, at);
	create temp table reconciliation_theirs on commit drop as
		select s.line, s.at, report.number_key(s.called) as key,
			s.called, s.duration_ms as ms, s.cost_micro as cost
		from reconciliation_stage s;
	analyze reconciliation_ours;
	analyze reconciliation_theirs;

	-- clocks: the median of lines that have one call only within ten minutes
	-- whose duration agrees
	select percentile_disc(0.5) within group (order by d.apart)
		into rec.clock_offset_ms
	from (select t.line, min(round(extract(epoch from t.at - o.at) * 1000)
			::bigint) as apart
		from reconciliation_theirs t join reconciliation_ours o
			on o.key = t.key and o.is_answered
			and o.at between t.at - interval '10 minutes'
				and t.at + interval '10 minutes'
			and t.ms between o.ms - rec.duration_ms
				and greatest(o.ms, o.billed_ms) + rec.duration_ms
		group by t.line having count(*) = 1) d;
	rec.clock_offset_ms := coalesce(rec.clock_offset_ms, 0);
	update reconciliation_theirs t
		set at = t.at - rec.clock_offset_ms * interval '1 ms';

	create temp table reconciliation_pair on commit drop as
	select t.line, o.n, o.is_answered,
		abs(extract(epoch from t.at - o.at)) * 1000
			+ abs(t.ms - o.ms) / 1000.0 as apart
	from reconciliation_theirs t join reconciliation_ours o
		on o.key = t.key and o.at between
			t.at - rec.tolerance_ms * interval '1 ms'
			and t.at + rec.tolerance_ms * interval '1 ms';
	create temp table reconciliation_match (line bigint primary key,
		n bigint unique) on commit drop;
	loop
		insert into reconciliation_match
		select p.line, p.n from (
			select x.line, x.n,
				row_number() over (partition by x.line
					order by x.apart, x.n) as of_line,
				row_number() over (partition by x.n
					order by x.apart, x.line) as of_call
			from reconciliation_pair x
			where x.is_answered and not exists (
				select from reconciliation_match m
				where m.line = x.line or m.n = x.n)) p
		where p.of_line = 1 and p.of_call = 1;
		get diagnostics found_n = row_count;
		exit when found_n = 0;
	end loop;

	insert into report.reconciliation_fault
	select p_id, row_number() over (order by coalesce(f.their_at, f.our_at),
			f.line, f.call_id), f.*
	from (select case
			when t.ms > greatest(o.ms, o.billed_ms)
				+ rec.duration_ms then 'longer'
			when t.ms < o.ms - rec.duration_ms then 'shorter'
			when t.cost > o.cost + rec.cost_micro then 'dearer'
			when t.cost < o.cost - rec.cost_micro then 'cheaper'
			end as fault, t.line, t.called, t.at as their_at, t.ms,
			t.cost, o.call_id, o.attempt, o.at as our_at,
			o.ms as our_ms, o.cost as our_cost
		from reconciliation_match m
		join reconciliation_theirs t on t.line = m.line
		join reconciliation_ours o on o.n = m.n
		union all
		-- a line too much of a call that has its line, of one that nobody
		-- answered, or of none
		select case when p.n is null then 'missing_here'
			when o.is_answered then 'doubled' else 'unanswered' end,
			t.line, t.called, t.at, t.ms, t.cost, o.call_id,
			o.attempt, o.at, o.ms, o.cost
		from reconciliation_theirs t
		left join lateral (select x.n from reconciliation_pair x
			where x.line = t.line
			order by x.is_answered desc, x.apart limit 1) p on true
		left join reconciliation_ours o on o.n = p.n
		where not exists (select from reconciliation_match m
			where m.line = t.line)
		union all
		select 'missing_there', null, o.called, null, null, null,
			o.call_id, o.attempt, o.at, o.ms, o.cost
		from reconciliation_ours o
		where o.is_answered and o.at >= rec.from_at
			and o.at < rec.to_at and not exists (
				select from reconciliation_match m
				where m.n = o.n)) f
	where f.fault is not null;

	update report.reconciliation r set
		clock_offset_ms = rec.clock_offset_ms,
		our_calls = o.calls, our_ms = o.ms, our_cost_micro = o.cost,
		their_calls = t.calls, their_ms = t.ms, their_cost_micro = t.cost,
		matched = (select count(*) from reconciliation_match),
		faults = (select count(*) from report.reconciliation_fault f
			where f.reconciliation_id = p_id)
	from (select count(*) as calls, coalesce(sum(ms), 0)::bigint as ms,
			coalesce(sum(cost), 0)::bigint as cost
		from reconciliation_ours where is_answered and at >= rec.from_at
			and at < rec.to_at) o,
		(select count(*) as calls, coalesce(sum(ms), 0)::bigint as ms,
			coalesce(sum(cost), 0)::bigint as cost
		from reconciliation_theirs) t
	where r.id = p_id returning r.* into rec;
	return rec;
end
$$;

revoke all on function report.number_key(text), report.reconcile(text)
	from public;
grant execute on function report.number_key(text), report.reconcile(text)
	to strowger_api;
grant select, insert, update, delete on report.reconciliation,
	report.reconciliation_fault to strowger_api;
