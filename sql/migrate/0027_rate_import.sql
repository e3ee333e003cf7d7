-- A rate sheet as a transaction: staged line by line, compared with the deck,
-- applied at an instant, and taken back by one call as long as nobody else has
-- changed the deck since.
create table core.rate_import (
	id text primary key check (core.is_id(id, 'imp')),
	deck_id text not null references core.rate_deck on delete cascade,
	-- merge: what the sheet does not name stays; replace: it ends
	mode text not null default 'merge' check (mode in ('merge', 'replace')),
	effective_from timestamptz not null
		check (isfinite(effective_from)),
	status text not null default 'checking' check (status in ('checking',
		'faulty', 'ready', 'applied', 'rolled_back')),
	lines bigint not null default 0,
	added bigint not null default 0,
	dearer bigint not null default 0,
	cheaper bigint not null default 0,
	changed bigint not null default 0,
	same bigint not null default 0,
	closed bigint not null default 0,
	impact jsonb,
	-- rate_version of the deck that was compared, and after the apply
	checked_version bigint,
	applied_version bigint,
	applied_at timestamptz,
	rolled_back_at timestamptz,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
create index rate_import_deck on core.rate_import (deck_id, created_at);
create trigger rate_import_touch before update on core.rate_import
	for each row execute function core.touch();

-- What the sheet says of a prefix, beside what the deck had at effective_from.
-- closed: the deck's, which the sheet does not name (replace only).
create table core.rate_import_row (
	import_id text not null references core.rate_import on delete cascade,
	n bigint not null,
	line bigint,
	prefix text not null,
	change text not null check (change in ('new', 'dearer', 'cheaper',
		'changed', 'same', 'closed')),
	destination text,
	rate_per_min_nano bigint,
	connect_fee_micro bigint,
	first_ms integer,
	next_ms integer,
	effective_from timestamptz,
	effective_to timestamptz,
	is_blocked boolean,
	old_destination text,
	old_rate_per_min_nano bigint,
	old_connect_fee_micro bigint,
	old_first_ms integer,
	old_next_ms integer,
	old_effective_from timestamptz,
	old_is_blocked boolean,
	-- (new - old) / old, in 1/100 of a percent; null without an old rate
	difference_bp bigint,
	primary key (import_id, n)
);
create index rate_import_row_prefix on core.rate_import_row
	(import_id, prefix);

-- The deck's rows as they were before an apply touched them.
create table core.rate_import_undo (
	import_id text not null references core.rate_import on delete cascade,
	prefix text not null,
	destination text not null,
	rate_per_min_nano bigint not null,
	connect_fee_micro bigint not null,
	first_ms integer not null,
	next_ms integer not null,
	effective_from timestamptz not null,
	effective_to timestamptz,
	is_blocked boolean not null,
	primary key (import_id, prefix, effective_from)
);

-- What calls of the last days would have cost by the sheet: billed time by
-- called number at the new rate of its longest prefix. An estimate: intervals
-- are taken as billed, at most 100 000 of the newest charges are looked at.
create function core.rate_import_impact(p_import text, p_days integer)
	returns jsonb language sql stable as
$$
	with im as (select * from core.rate_import i where i.id = p_import),
	sample as (select r.called, c.prefix, c.billed_ms, c.amount_micro,
			c.rate_per_min_nano, c.connect_fee_micro
		from cdr.charge c join im on im.deck_id = c.deck_id
		join cdr.record r using (started_at, call_id, attempt)
		where c.started_at > now() - make_interval(days => p_days)
			and c.billed_ms > 0
		order by c.started_at desc limit 100000),
	priced as (select s.*, n.change, n.rate_per_min_nano as new_rate,
			n.connect_fee_micro as new_fee, n.is_blocked
		from sample s left join lateral (select w.*
			from generate_series(15, 1, -1) as len
			join core.rate_import_row w on w.import_id = p_import
				and w.prefix = substr(ltrim(s.called, '+'), 1,
					len)
				and length(w.prefix) = len
			where len >= length(coalesce(s.prefix, ''))
			order by len desc limit 1) n on true),
	moved as (select p.*, case
			when p.change = 'closed' or p.is_blocked then 0
			when p.change is null then p.amount_micro
			else p.amount_micro + round((p.new_rate
				- p.rate_per_min_nano)::numeric * p.billed_ms
				/ 60000000) + p.new_fee - p.connect_fee_micro
			end as after_micro
		from priced p)
	select jsonb_build_object('days', p_days, 'calls', count(*),
		'billed_s', coalesce(sum(billed_ms) / 1000, 0)::bigint,
		'before_micro', coalesce(sum(amount_micro), 0)::bigint,
		'after_micro', coalesce(sum(after_micro), 0)::bigint,
		'lost_calls', count(*) filter (where change = 'closed'
			or is_blocked),
		'is_sample', count(*) = 100000,
		'trunks', (select count(*) from core.trunk t join im
			on im.deck_id = t.rate_deck_id),
		'carriers', (select count(*) from core.carrier t join im
			on im.deck_id = t.rate_deck_id))
	from moved
$$;

-- From the temporary table rate_stage into rows with their difference, the
-- counts and the impact into the import.
create function core.rate_import_compare(p_import text) returns void
	language plpgsql as
$$
declare
	im core.rate_import;
begin
	select * into strict im from core.rate_import i where i.id = p_import
		for update;
	insert into core.rate_import_row
	select p_import, row_number() over (order by s.line), s.line, s.prefix,
		case when o.prefix is null then 'new'
		when s.rate_per_min_nano > o.rate_per_min_nano then 'dearer'
		when s.rate_per_min_nano < o.rate_per_min_nano then 'cheaper'
		when (s.destination, s.connect_fee_micro, s.first_ms,
			s.next_ms, s.effective_to, s.is_blocked)
			is distinct from
			(o.destination, o.connect_fee_micro, o.first_ms,
			o.next_ms, o.effective_to, o.is_blocked) then 'changed'
		else 'same' end,
		s.destination, s.rate_per_min_nano, s.connect_fee_micro,
		s.first_ms, s.next_ms, s.effective_from, s.effective_to,
		s.is_blocked, o.destination, o.rate_per_min_nano,
		o.connect_fee_micro, o.first_ms, o.next_ms, o.effective_from,
		o.is_blocked,
		case when o.rate_per_min_nano > 0 then round(10000.0
			* (s.rate_per_min_nano - o.rate_per_min_nano)
			/ o.rate_per_min_nano)::bigint end
	from rate_stage s left join core.rate o
		on o.deck_id = im.deck_id and o.prefix = s.prefix
		and o.effective_from <= s.effective_from
		and (o.effective_to is null
			or o.effective_to > s.effective_from);
	if im.mode = 'replace' then
		insert into core.rate_import_row (import_id, n, prefix, change,
			old_destination, old_rate_per_min_nano,
			old_connect_fee_micro, old_first_ms, old_next_ms,
			old_effective_from, old_is_blocked)
		select p_import, (select count(*) from rate_stage)
				+ row_number() over (order by o.prefix),
			o.prefix, 'closed', o.destination,
			o.rate_per_min_nano, o.connect_fee_micro, o.first_ms,
			o.next_ms, o.effective_from, o.is_blocked
		from core.rate o where o.deck_id = im.deck_id
			and o.effective_from <= im.effective_from
			and (o.effective_to is null
				or o.effective_to > im.effective_from)
			and not exists (select from rate_stage s
				where s.prefix = o.prefix);
	end if;
	update core.rate_import i set status = 'ready',
		lines = (select count(*) from rate_stage),
		added = c.added, dearer = c.dearer, cheaper = c.cheaper,
		changed = c.changed, same = c.same, closed = c.closed,
		checked_version = (select d.rate_version
			from core.rate_deck d where d.id = im.deck_id),
		impact = core.rate_import_impact(p_import, 30)
	from (select count(*) filter (where change = 'new') as added,
		count(*) filter (where change = 'dearer') as dearer,
		count(*) filter (where change = 'cheaper') as cheaper,
		count(*) filter (where change = 'changed') as changed,
		count(*) filter (where change = 'same') as same,
		count(*) filter (where change = 'closed') as closed
		from core.rate_import_row w where w.import_id = p_import) c
	where i.id = p_import;
end
$$;

-- Refusals of the next two are check_violation with these constraints:
-- rate_import_state (not ready, or not applied), rate_import_moved (the deck
-- has changed since).
create function core.rate_import_need(p_import text, p_status text,
	p_version bigint, p_deck text) returns void
	language plpgsql as
$$
declare
	now_status text;
	now_version bigint;
begin
	select i.status into now_status from core.rate_import i
		where i.id = p_import;
	if now_status <> p_status then
		raise exception 'the import is %, not %', now_status, p_status
			using errcode = 'check_violation',
			constraint = 'rate_import_state';
	end if;
	select d.rate_version into now_version from core.rate_deck d
		where d.id = p_deck for update;
	if now_version <> p_version then
		raise exception 'the deck has changed since'
			using errcode = 'check_violation',
			constraint = 'rate_import_moved';
	end if;
end
$$;

create function core.rate_import_apply(p_import text) returns bigint
	language plpgsql as
$$
declare
	im core.rate_import;
	moved bigint;
begin
	select * into strict im from core.rate_import i where i.id = p_import
		for update;
	if im.status = 'applied' then
		return 0; -- by a job whose process died after it
	end if;
	perform core.rate_import_need(p_import, 'ready', im.checked_version,
		im.deck_id);

	-- what lies at or beyond the instant of its row, whole or in part
	insert into core.rate_import_undo
	select p_import, r.prefix, r.destination, r.rate_per_min_nano,
		r.connect_fee_micro, r.first_ms, r.next_ms, r.effective_from,
		r.effective_to, r.is_blocked
	from core.rate r join core.rate_import_row w
		on w.import_id = p_import and w.prefix = r.prefix
	where r.deck_id = im.deck_id and w.change <> 'same'
		and (r.effective_to is null or r.effective_to
			> coalesce(w.effective_from, im.effective_from))
		and (w.effective_to is null
			or r.effective_from < w.effective_to)
	on conflict do nothing;

	delete from core.rate r using core.rate_import_undo u
	where u.import_id = p_import and r.deck_id = im.deck_id
		and r.prefix = u.prefix
		and r.effective_from = u.effective_from;

	insert into core.rate (deck_id, prefix, destination, rate_per_min_nano,
		connect_fee_micro, first_ms, next_ms, effective_from,
		effective_to, is_blocked)
	select im.deck_id, w.prefix, w.destination, w.rate_per_min_nano,
		w.connect_fee_micro, w.first_ms, w.next_ms, w.effective_from,
		w.effective_to, w.is_blocked
	from core.rate_import_row w where w.import_id = p_import
		and w.change not in ('same', 'closed')
	union all
	-- the part before the instant stays
	select im.deck_id, u.prefix, u.destination, u.rate_per_min_nano,
		u.connect_fee_micro, u.first_ms, u.next_ms, u.effective_from,
		coalesce(w.effective_from, im.effective_from), u.is_blocked
	from core.rate_import_undo u join core.rate_import_row w
		on w.import_id = p_import and w.prefix = u.prefix
	where u.import_id = p_import and u.effective_from
		< coalesce(w.effective_from, im.effective_from)
	union all
	-- and what begins when a row with an end is over
	select im.deck_id, u.prefix, u.destination, u.rate_per_min_nano,
		u.connect_fee_micro, u.first_ms, u.next_ms, w.effective_to,
		u.effective_to, u.is_blocked
	from core.rate_import_undo u join core.rate_import_row w
		on w.import_id = p_import and w.prefix = u.prefix
	where u.import_id = p_import and w.effective_to is not null
		and (u.effective_to is null
			or u.effective_to > w.effective_to);
	get diagnostics moved = row_count;

	update core.rate_import i set status = 'applied', applied_at = now(),
		applied_version = (select d.rate_version
			from core.rate_deck d where d.id = im.deck_id)
	where i.id = p_import;
	return moved;
end
$$;

create function core.rate_import_rollback(p_import text) returns bigint
	language plpgsql as
$$
declare
	im core.rate_import;
	moved bigint;
begin
	select * into strict im from core.rate_import i where i.id = p_import
		for update;
	if im.status = 'rolled_back' then
		return 0;
	end if;
	perform core.rate_import_need(p_import, 'applied', im.applied_version,
		im.deck_id);

	-- all that the apply wrote: the rows of the sheet, and what was left
	-- of the old ones before and behind them
	delete from core.rate r using core.rate_import_row w
	where w.import_id = p_import and w.change <> 'same'
		and r.deck_id = im.deck_id and r.prefix = w.prefix
		and (r.effective_from = w.effective_from
			or exists (select from core.rate_import_undo u
				where u.import_id = p_import
				and u.prefix = r.prefix
				and (u.effective_from = r.effective_from
				or r.effective_from = w.effective_to
				and (u.effective_to is null or u.effective_to
					> w.effective_to))));
	insert into core.rate (deck_id, prefix, destination, rate_per_min_nano,
		connect_fee_micro, first_ms, next_ms, effective_from,
		effective_to, is_blocked)
	select im.deck_id, u.prefix, u.destination, u.rate_per_min_nano,
		u.connect_fee_micro, u.first_ms, u.next_ms, u.effective_from,
		u.effective_to, u.is_blocked
	from core.rate_import_undo u where u.import_id = p_import;
	get diagnostics moved = row_count;

	update core.rate_import i set status = 'rolled_back',
		rolled_back_at = now() where i.id = p_import;
	return moved;
end
$$;

revoke all on function core.rate_import_impact(text, integer),
	core.rate_import_compare(text),
	core.rate_import_need(text, text, bigint, text),
	core.rate_import_apply(text), core.rate_import_rollback(text)
	from public;
grant execute on function core.rate_import_impact(text, integer),
	core.rate_import_compare(text),
	core.rate_import_need(text, text, bigint, text),
	core.rate_import_apply(text), core.rate_import_rollback(text)
	to strowger_api;
grant select, insert, update, delete on core.rate_import,
	core.rate_import_row, core.rate_import_undo to strowger_api;
