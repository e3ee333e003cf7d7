-- What a rate may have beside its price per minute: terms, by reference, so
-- that a sheet of 300,000 rates needs one column for them. Decks by the origin
-- of the call, decks of calls that stay with us, exchange rates and taxes.

-- A price of a tier or window: an amount, or a percentage of the rate's.
create function core.is_rate_value(v jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select num_nonnulls(v->>'rate_per_min', v->>'percent') = 1
		and coalesce((v->>'rate_per_min')::numeric, 0)
			between 0 and 1000000
		and coalesce(scale(trim_scale((v->>'rate_per_min')::numeric)),
			0) <= 9
		and coalesce((v->>'percent')::numeric, 0) between 0 and 1000
		and coalesce(scale(trim_scale((v->>'percent')::numeric)), 0)
			<= 4
		and coalesce((v->>'increment_ms')::numeric, 1)
			between 1 and 86400000
$$;

-- Tiers [{"from_s", "rate_per_min" or "percent", "increment_ms"}], by from_s,
-- which is at least 1. Amounts are texts, as over REST.
create function core.is_tiers(tiers jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select jsonb_typeof(tiers) = 'array' and jsonb_array_length(tiers) <= 8
		and not exists (select from (
			select t, (t->>'from_s')::numeric as at,
				lag((t->>'from_s')::numeric) over (order by o)
					as before
			from jsonb_array_elements(tiers)
				with ordinality x (t, o)) y
		where not core.is_rate_value(t) or at is null
			or at not between 1 and 86400 or at <= before)
$$;

-- Windows [{"schedule_id", "rate_per_min" or "percent", "increment_ms"}]: of those that are open the first one counts.
create function core.is_windows(windows jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select jsonb_typeof(windows) = 'array'
		and jsonb_array_length(windows) <= 4
		and not exists (select from jsonb_array_elements(windows) w
			where not core.is_rate_value(w)
				or not core.is_id(w->>'schedule_id', 'sch'))
$$;

create table core.rate_terms (
	id text primary key check (core.is_id(id, 'trm')),
	name core.name,
	attempt_fee_micro bigint not null default 0
		check (attempt_fee_micro between 0 and 1000000000000),
	minimum_micro bigint not null default 0
		check (minimum_micro between 0 and 1000000000000),
	cap_micro bigint check (cap_micro between 0 and 1000000000000),
	cap_action text not null default 'free'
		check (cap_action in ('free', 'cut')),
	free_ms integer not null default 0 check (free_ms between 0 and 3600000),
	is_reverse boolean not null default false,
	tiers jsonb not null default '[]' check (core.is_tiers(tiers)),
	windows jsonb not null default '[]' check (core.is_windows(windows)),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

-- A schedule that a window needs stays.
create function core.rate_terms_schedules() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from jsonb_array_elements(new.windows) w
		where not exists (select from core.schedule s
			where s.id = w->>'schedule_id' for share)) then
		raise exception 'a window names a schedule that there is not'
			using errcode = 'foreign_key_violation',
			constraint = 'rate_terms_schedule';
	end if;
	return new;
end
$$;
create trigger rate_terms_schedules before insert or update of windows
	on core.rate_terms
	for each row execute function core.rate_terms_schedules();
create function core.schedule_needed() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from core.rate_terms t where t.windows
		@> jsonb_build_array(jsonb_build_object('schedule_id',
			old.id))) then
		raise exception 'windows of rate terms need schedule %', old.id
			using errcode = 'foreign_key_violation',
			constraint = 'rate_terms_schedule';
	end if;
	return old;
end
$$;
create trigger schedule_needed before delete on core.schedule
	for each row execute function core.schedule_needed();

-- The deck's terms are those of rates that have none.
alter table core.rate_deck
	add column terms_id text constraint rate_deck_terms_id_fkey
		references core.rate_terms,
	add column duration_rounding text not null default 'exact'
		check (duration_rounding in ('exact', 'up', 'down', 'half_up')),
	add column rounding_per text not null default 'call'
		check (rounding_per in ('call', 'interval'));
alter table core.rate add column terms_id text
	constraint rate_terms_id_fkey references core.rate_terms;
create index rate_terms_used on core.rate (terms_id)
	where terms_id is not null;
create index rate_deck_terms on core.rate_deck (terms_id);

-- Calling numbers that a price list tells apart, as those of the EEA.
create table core.origin_set (
	id text primary key check (core.is_id(id, 'ors')),
	name core.name,
	prefixes text[] not null check (cardinality(prefixes)
			between 1 and 64
		and array_position(prefixes, null) is null
		and array_to_string(prefixes, ',')
			~ '^[0-9]{1,15}(,[0-9]{1,15})*$'),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

-- Calls from these numbers are looked up in another deck first, the lowest
-- position before the others; what that one lacks is in the deck itself.
create table core.rate_deck_origin (
	deck_id text not null references core.rate_deck on delete cascade,
	position integer not null check (position between 0 and 65535),
	origin_set_id text not null references core.origin_set,
	origin_deck_id text not null references core.rate_deck,
	primary key (deck_id, position),
	constraint rate_deck_origin_other check (deck_id <> origin_deck_id)
);
create index rate_deck_origin_deck on core.rate_deck_origin (origin_deck_id);
create index rate_deck_origin_set on core.rate_deck_origin (origin_set_id);
create function core.rate_deck_origin_currency() returns trigger
	language plpgsql as
$$
begin
	if (select count(distinct d.currency) from core.rate_deck d
		where d.id in (new.deck_id, new.origin_deck_id)) > 1 then
		raise exception 'decks of one origin in two currencies'
			using errcode = 'check_violation',
			constraint = 'rate_deck_origin_currency';
	end if;
	return new;
end
$$;
create trigger rate_deck_origin_currency before insert or update
	on core.rate_deck_origin
	for each row execute function core.rate_deck_origin_currency();

-- Units of quote for one of base, from a moment on. There is no inverse: who
-- wants both directions says both.
create table core.exchange_rate (
	id text primary key check (core.is_id(id, 'fxr')),
	base core.currency,
	quote core.currency,
	rate_nano bigint not null
		check (rate_nano between 1 and 1000000000000000),
	effective_from timestamptz not null default now()
		check (isfinite(effective_from)),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint exchange_rate_pair check (base <> quote),
	constraint exchange_rate_once unique (base, quote, effective_from)
);

-- Taxes of a jurisdiction. lines [{"name", "percent", "countries"}]: a
-- line with countries is due for calls to those only.
create function core.is_tax_lines(lines jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select jsonb_typeof(lines) = 'array'
		and jsonb_array_length(lines) between 1 and 4
		and not exists (select from jsonb_array_elements(lines) l
			where coalesce(l->>'name', '') !~ '^[ -~]{1,15}$'
			or l->>'percent' is null
			or (l->>'percent')::numeric not between 0 and 100
			or scale(trim_scale((l->>'percent')::numeric)) > 4
			or jsonb_array_length(coalesce(nullif(l->'countries',
				'null'), '[]')) > 50)
$$;
create table core.tax_profile (
	id text primary key check (core.is_id(id, 'tax')),
	name core.name,
	is_included boolean not null default false,
	lines jsonb not null check (core.is_tax_lines(lines)),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
alter table core.tenant add column tax_profile_id text
	constraint tenant_tax_profile_id_fkey references core.tax_profile;
alter table core.account add column tax_profile_id text
	constraint account_tax_profile_id_fkey references core.tax_profile;
create index tenant_tax_profile on core.tenant (tax_profile_id);
create index account_tax_profile on core.account (tax_profile_id);

-- Calls that end at a trunk of ours are rated by onnet_deck_id when there is
-- one. rate_policy: the deck's price, the first carrier's cost and a margin,
-- or the lower or higher of both.
alter table core.trunk
	add column onnet_deck_id text constraint trunk_onnet_deck_id_fkey
		references core.rate_deck,
	add column rate_policy text not null default 'fixed'
		check (rate_policy in ('fixed', 'cost_plus', 'min', 'max')),
	add column markup_ppm integer not null default 0
		check (markup_ppm between 0 and 10000000),
	add column markup_per_min_nano bigint not null default 0
		check (markup_per_min_nano between 0 and 1000000000000000);
create index trunk_onnet_deck on core.trunk (onnet_deck_id);

-- A deck in another currency than who pays by it needs an exchange rate.
create function core.is_exchangeable(base text, quote text) returns boolean
	language sql stable as
$$
	select base is null or quote is null or base = quote
		or exists (select from core.exchange_rate r
			where r.base = $1 and r.quote = $2)
$$;
create or replace function core.trunk_currency() returns trigger
	language plpgsql as
$$
declare
	d core.rate_deck;
begin
	for d in select * from core.rate_deck
			where id in (new.rate_deck_id, new.onnet_deck_id) loop
		if not core.is_exchangeable(d.currency, (select a.currency
			from core.account a where a.id = new.account_id)) then
			raise exception 'rate deck % is not in the currency of '
				'account %', d.id, new.account_id
				using errcode = 'check_violation',
				constraint = case d.id when new.rate_deck_id
					then 'trunk_rate_deck_currency'
					else 'trunk_onnet_deck_currency' end;
		end if;
	end loop;
	return new;
end
$$;
drop trigger trunk_currency on core.trunk;
create trigger trunk_currency before insert or update
	of account_id, rate_deck_id, onnet_deck_id on core.trunk
	for each row execute function core.trunk_currency();
create or replace function core.carrier_currency() returns trigger
	language plpgsql as
$$
begin
	if not core.is_exchangeable((select d.currency from core.rate_deck d
			where d.id = new.rate_deck_id), new.currency) then
		raise exception
			'rate deck % is not in the currency of carrier %',
			new.rate_deck_id, new.id
			using errcode = 'check_violation',
			constraint = 'carrier_rate_deck_currency';
	end if;
	return new;
end
$$;

create trigger rate_terms_touch before update on core.rate_terms
	for each row execute function core.touch();
create trigger origin_set_touch before update on core.origin_set
	for each row execute function core.touch();
create trigger exchange_rate_touch before update on core.exchange_rate
	for each row execute function core.touch();
create trigger tax_profile_touch before update on core.tax_profile
	for each row execute function core.touch();

-- As the switch reads them: whole numbers.
create function core.with_units(list jsonb) returns jsonb
	language sql immutable parallel safe as
$$
	select coalesce(jsonb_agg(jsonb_strip_nulls(e || jsonb_build_object(
		'rate_per_min_nano',
		((e->>'rate_per_min')::numeric * 1000000000)::bigint,
		'percent_ppm', ((e->>'percent')::numeric * 10000)::bigint))
		order by o), '[]')
	from jsonb_array_elements(list) with ordinality x (e, o)
$$;
create function core.rate_terms_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('tiers',
		core.with_units(t.tiers), 'windows',
		core.with_units(t.windows))
	from core.rate_terms t where t.id = $1
$$;
create function core.origin_set_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.origin_set t where t.id = $1 $$;
create function core.exchange_rate_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('from_ms',
		floor(extract(epoch from t.effective_from) * 1000)::bigint)
	from core.exchange_rate t where t.id = $1
$$;
create function core.tax_profile_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('lines',
		core.with_units(t.lines))
	from core.tax_profile t where t.id = $1
$$;
create or replace function core.rate_deck_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('origins',
		(select coalesce(jsonb_agg(jsonb_build_object('origin_set_id',
				o.origin_set_id, 'rate_deck_id',
				o.origin_deck_id) order by o.position), '[]')
			from core.rate_deck_origin o where o.deck_id = t.id))
	from core.rate_deck t where t.id = $1
$$;
insert into core.change_kind (kind, reader)
	select k, ('core.' || k || '_object')::regproc
	from unnest(array['rate_terms', 'origin_set', 'exchange_rate',
		'tax_profile']) as k;

create constraint trigger rate_terms_change after insert or update or delete
	on core.rate_terms deferrable initially deferred
	for each row execute function core.change_row('rate_terms', 'id');
create constraint trigger origin_set_change after insert or update or delete
	on core.origin_set deferrable initially deferred
	for each row execute function core.change_row('origin_set', 'id');
create constraint trigger exchange_rate_change
	after insert or update or delete
	on core.exchange_rate deferrable initially deferred
	for each row execute function core.change_row('exchange_rate', 'id');
create constraint trigger tax_profile_change after insert or update or delete
	on core.tax_profile deferrable initially deferred
	for each row execute function core.change_row('tax_profile', 'id');
create constraint trigger rate_deck_origin_change
	after insert or update or delete
	on core.rate_deck_origin deferrable initially deferred
	for each row execute function core.change_row('rate_deck', 'deck_id');
create constraint trigger account_tax_edit after update
	on core.account deferrable initially deferred
	for each row when (old.tax_profile_id is distinct from
		new.tax_profile_id)
	execute function core.change_row('account', 'id');

-- Beside api_v1.deck_rates(), which older nodes read.
create function api_v1.deck_rates_terms(deck_id text)
	returns table (prefix text, destination text,
		rate_per_min_nano bigint, connect_fee_micro bigint,
		first_ms integer, next_ms integer, from_ms bigint,
		to_ms bigint, is_blocked boolean, terms_id text)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select r.prefix, r.destination, r.rate_per_min_nano,
		r.connect_fee_micro, r.first_ms, r.next_ms,
		floor(extract(epoch from r.effective_from) * 1000)::bigint,
		floor(extract(epoch from r.effective_to) * 1000)::bigint,
		r.is_blocked, r.terms_id
	from core.rate r where r.deck_id = $1
		order by r.prefix, r.effective_from
$$;

-- Rate sheets have one column more.
alter table core.rate_import_row add column terms_id text,
	add column old_terms_id text;
alter table core.rate_import_undo add column terms_id text;
create or replace function core.rate_import_compare(p_import text) returns void
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
			s.next_ms, s.effective_to, s.is_blocked, s.terms_id)
			is distinct from
			(o.destination, o.connect_fee_micro, o.first_ms,
			o.next_ms, o.effective_to, o.is_blocked, o.terms_id)
			then 'changed'
		else 'same' end,
		s.destination, s.rate_per_min_nano, s.connect_fee_micro,
		s.first_ms, s.next_ms, s.effective_from, s.effective_to,
		s.is_blocked, o.destination, o.rate_per_min_nano,
		o.connect_fee_micro, o.first_ms, o.next_ms, o.effective_from,
		o.is_blocked,
		case when o.rate_per_min_nano > 0 then round(10000.0
			* (s.rate_per_min_nano - o.rate_per_min_nano)
			/ o.rate_per_min_nano)::bigint end,
		s.terms_id, o.terms_id
	from rate_stage s left join core.rate o
		on o.deck_id = im.deck_id and o.prefix = s.prefix
		and o.effective_from <= s.effective_from
		and (o.effective_to is null
			or o.effective_to > s.effective_from);
	if im.mode = 'replace' then
		insert into core.rate_import_row (import_id, n, prefix, change,
			old_destination, old_rate_per_min_nano,
			old_connect_fee_micro, old_first_ms, old_next_ms,
			old_effective_from, old_is_blocked, old_terms_id)
		select p_import, (select count(*) from rate_stage)
				+ row_number() over (order by o.prefix),
			o.prefix, 'closed', o.destination,
			o.rate_per_min_nano, o.connect_fee_micro, o.first_ms,
			o.next_ms, o.effective_from, o.is_blocked, o.terms_id
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

create or replace function core.rate_import_apply(p_import text) returns bigint
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
		r.effective_to, r.is_blocked, r.terms_id
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
		effective_to, is_blocked, terms_id)
	select im.deck_id, w.prefix, w.destination, w.rate_per_min_nano,
		w.connect_fee_micro, w.first_ms, w.next_ms, w.effective_from,
		w.effective_to, w.is_blocked, w.terms_id
	from core.rate_import_row w where w.import_id = p_import
		and w.change not in ('same', 'closed')
	union all
	-- the part before the instant stays
	select im.deck_id, u.prefix, u.destination, u.rate_per_min_nano,
		u.connect_fee_micro, u.first_ms, u.next_ms, u.effective_from,
		coalesce(w.effective_from, im.effective_from), u.is_blocked,
		u.terms_id
	from core.rate_import_undo u join core.rate_import_row w
		on w.import_id = p_import and w.prefix = u.prefix
	where u.import_id = p_import and u.effective_from
		< coalesce(w.effective_from, im.effective_from)
	union all
	-- and what begins when a row with an end is over
	select im.deck_id, u.prefix, u.destination, u.rate_per_min_nano,
		u.connect_fee_micro, u.first_ms, u.next_ms, w.effective_to,
		u.effective_to, u.is_blocked, u.terms_id
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

create or replace function core.rate_import_rollback(p_import text) returns bigint
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
		effective_to, is_blocked, terms_id)
	select im.deck_id, u.prefix, u.destination, u.rate_per_min_nano,
		u.connect_fee_micro, u.first_ms, u.next_ms, u.effective_from,
		u.effective_to, u.is_blocked, u.terms_id
	from core.rate_import_undo u where u.import_id = p_import;
	get diagnostics moved = row_count;

	update core.rate_import i set status = 'rolled_back',
		rolled_back_at = now() where i.id = p_import;
	return moved;
end
$$;

revoke all on all functions in schema core from public;
revoke all on function api_v1.deck_rates_terms(text) from public;
grant execute on function api_v1.deck_rates_terms(text) to strowger_switch;
grant select, insert, update, delete on core.rate_terms, core.origin_set,
	core.rate_deck_origin, core.exchange_rate, core.tax_profile
	to strowger_api;
grant execute on function core.is_tiers(jsonb), core.is_windows(jsonb),
	core.is_rate_value(jsonb), core.is_tax_lines(jsonb),
	core.is_exchangeable(text, text) to strowger_api;
grant insert (tax_profile_id), update (tax_profile_id) on core.account
	to strowger_api;
