-- Rating again with packages: what the calls had of periods goes back to them,
-- and is taken again in the order of the calls, by the prices and the rules of
-- packages of now. Other calls keep what they have.
--
-- What was there for a call of all its account's is not written anywhere, and
-- neither is why it had less (other calls or nodes held it, or nobody could be
-- asked). So a period is walked through twice side by side: as the calls had
-- it, and as they have it now. What a call left of a period of which it wanted
-- more is withheld from it now, too: the same prices and rules are the same
-- units, whatever happened then.

-- packages_of() for whoever had these subscriptions when they were active.
create function core.packages_for(account_id text, direction text, called text,
	at timestamptz, had text[]) returns table (subscription_id text,
	name text, period integer, is_carried boolean, kind text,
	increment_ms integer, unit text, left_units bigint)
	language plpgsql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	return query
	select s.id, p.name::text, b.period, b.period < k.n, p.kind,
		p.increment_ms, core.package_unit(p), greatest(0, case
			when b.period = k.n then core.package_left(b)
			else least(core.package_left(b),
				b.carry_max - b.used_carried) end)
	from core.account a
		join core.tenant t on t.id = a.tenant_id
		join core.subscription s on s.tenant_id = t.id
			and (s.is_shared or s.account_id = a.id)
		join core.package p on p.id = s.package_id
		cross join lateral (select core.period_of(p.period,
			s.anchor_day, core.zone_or_utc(t.time_zone), $4)
			as n) k
		join core.package_balance b on b.subscription_id = s.id
			and b.period between k.n - p.carry_periods and k.n
	where a.id = $1 and (s.id = any ($5) or s.status = 'active'
			and p.status = 'active')
		and p.currency = a.currency
		and p.direction in ('both', $2)
		and $4 >= greatest(s.starts_at, p.valid_from)
		and $4 < coalesce(least(s.ends_at, p.valid_to), 'infinity')
		and (p.zone_ids = '{}' or core.zone_has(p.zone_ids, $3))
		and (p.excluded_zone_ids = '{}'
			or not core.zone_has(p.excluded_zone_ids, $3))
		and (p.number_list_id is null or exists (
			select from core.number_list_entry e
			where e.list_id = p.number_list_id
				and (e.number = $3 or e.is_prefix
					and starts_with($3, e.number))
				and coalesce(e.expires_at, 'infinity') > $4))
	order by p.kind, p.priority, b.usable_to, s.id, b.period
	limit 8;
end
$$;
create or replace function core.packages_of(account_id text, direction text,
	called text, at timestamptz) returns table (subscription_id text,
	name text, period integer, is_carried boolean, kind text,
	increment_ms integer, unit text, left_units bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$ select * from core.packages_for($1, $2, $3, $4, '{}') $$;
revoke all on function core.packages_for(text, text, text, timestamptz, text[])
	from public;

alter table rating.rerate add column packages jsonb not null default '[]';
alter table rating.rerate_call
	-- as in cdr.charge
	add column old_packages jsonb,
	add column new_packages jsonb;

-- Of a period, what the account's calls that were priced again had and have.
create table rating.rerate_package (
	rerate_id text not null references rating.rerate on delete cascade,
	account_id text not null,
	subscription_id text not null,
	period integer not null,
	is_carried boolean not null,
	old_units bigint not null default 0,
	new_units bigint not null default 0,
	primary key (rerate_id, account_id, subscription_id, period, is_carried)
);

-- --- a call ---------------------------------------------------------------

-- Who pays for it from which trunk, to where, and how long.
create type rating.call as (trunk_id text, direction text, calling text,
	called text, country text, answered_at timestamptz, duration_ms bigint);

-- Of a forward the step that its charge hangs on says where to; the rest is
-- the call's. Null without a record. What had not been held was not charged
-- (money that ended, a cap that cut): it is not charged now either.
create function rating.call_of(c cdr.charge) returns rating.call
	language plpgsql stable
	set search_path = pg_catalog, pg_temp as
$$
declare
	k rating.call;
	forwarder text;
	paid_ms bigint;
begin
	select r.trunk_id, 'out', ltrim(coalesce(r.calling, ''), '+'),
			ltrim(r.called, '+'), r.called_country, r.answered_at,
			case when r.answered_at is null then 0
				else r.duration_ms end, r.diverting_trunk_id
		into k.trunk_id, k.direction, k.calling, k.called, k.country,
			k.answered_at, k.duration_ms, forwarder
		from cdr.record r where r.started_at = c.started_at
			and r.call_id = c.call_id and r.attempt = 0;
	if not found then
		return null;
	end if;
	if c.attempt > 0 then
		k.direction := 'forward';
		select f.diverting_trunk_id, ltrim(f.called_sent, '+')
			into k.trunk_id, k.called
			from cdr.record f where f.started_at = c.started_at
				and f.call_id = c.call_id
				and f.attempt = c.attempt;
	end if;
	if k.called is null then
		return null;
	end if;
	if forwarder is not null then
		k.country := (select n.country from core.numbering n
			where n.prefix = any (array(select left(k.called, i)
				from generate_series(1, 15) i))
			order by length(n.prefix) desc limit 1);
	end if;
	paid_ms := c.billed_ms + coalesce(c.covered_ms, 0);
	if c.price is not null
		and paid_ms < rating.billed_ms(c.price, k.duration_ms) then
		k.duration_ms := least(k.duration_ms, paid_ms
			+ (c.price->>'free_ms')::bigint);
	end if;
	return k;
end
$$;

-- Its price as it would be now, or why there is none. As the switch makes it:
-- the rate and exchange of when it began, windows from when it was answered.
drop function rating.again(cdr.charge, text, cdr.record);
create function rating.again(c cdr.charge, p_deck text, k rating.call,
	out what text, out charge jsonb, out has_windows boolean)
	language plpgsql stable
	set search_path = pg_catalog, pg_temp as
$$
declare
	t core.trunk;
	d core.rate_deck;
	rate core.rate;
	price jsonb;
	deck text := coalesce(p_deck, c.deck_id);
begin
	select * into t from core.trunk x where x.id = k.trunk_id;
	what := case when k is null then 'no_record'
		when deck is null then 'no_deck'
		when p_deck is null and t.rate_policy <> 'fixed'
			and deck is distinct from t.onnet_deck_id then 'by_cost'
		end;
	if what is not null then
		return;
	end if;
	rate := rating.find(deck, k.calling, k.called, c.started_at);
	what := case when rate.prefix is null then 'no_rate'
		when rate.is_blocked then 'blocked' end;
	if what is not null then
		return;
	end if;
	price := rating.price(rate, c.account_id, k.country,
		coalesce(k.answered_at, c.started_at),
		coalesce(t.max_call_s, 14400) * 1000::bigint);
	select * into d from core.rate_deck x where x.id = rate.deck_id;
	if price is not null and d.currency <> c.currency then
		price := price || jsonb_build_object('exchange_nano', (
			select e.rate_nano from core.exchange_rate e
			where e.base = d.currency and e.quote = c.currency
				and e.effective_from <= c.started_at
			order by e.effective_from desc limit 1));
	end if;
	if price->>'exchange_nano' is null then
		what := 'no_exchange_rate';
		return;
	end if;
	has_windows := coalesce((select x.windows <> '[]'
		from core.rate_terms x
		where x.id = coalesce(rate.terms_id, d.terms_id)), false);
	charge := to_jsonb(c) || jsonb_build_object('price', price, 'deck_id',
		rate.deck_id, 'deck_version', d.rate_version, 'prefix',
		rate.prefix, 'destination', rate.destination,
		'rate_per_min_nano', rate.rate_per_min_nano,
		'connect_fee_micro', rate.connect_fee_micro, 'first_ms',
		rate.first_ms, 'next_ms', rate.next_ms, 'rounding_mode',
		d.rounding_mode, 'rounding_decimals', d.rounding_decimals);
end
$$;

-- --- periods --------------------------------------------------------------

-- What is left of periods at a call, in a walk through the calls: {"sub_.123":
-- {"old", "new", and of what outlives the period "old+", "new+"}}. At first all
-- that these calls had, and what nobody has: not what is leased, nor what
-- an account before this one is to have of it by the same re-rating.
create function rating.pools_open(pools jsonb, p_rerate text, p_account text,
	packages jsonb) returns jsonb language plpgsql stable
	set search_path = pg_catalog, pg_temp as
$$
begin
	return (
	select pools || coalesce(jsonb_object_agg(x.key, jsonb_build_object(
		'old', x.all_units, 'new', x.all_units,
		'old+', x.carried, 'new+', x.carried)), '{}')
	from (select p.key, greatest(0, core.package_free(b, false) - coalesce(
			o.more, 0)) + coalesce(m.units, 0) as all_units,
		-- greatest() passes over one that is null: all of it is carried
		case when b.carry_max is not null then greatest(0, b.carry_max
			- b.used_carried - b.leased_carried
			- coalesce(o.more_carried, 0))
			+ coalesce(m.carried, 0) end as carried
	from (select distinct v->>'subscription_id' as subscription_id,
			(v->>'period')::integer as period,
			concat_ws('.', v->>'subscription_id', v->>'period')
			as key from jsonb_array_elements(packages) v) p
	join core.package_balance b on b.subscription_id = p.subscription_id
		and b.period = p.period
	cross join lateral (select sum(x.old_units)::bigint as units,
			sum(x.old_units) filter (where x.is_carried)::bigint
			as carried
		from rating.rerate_package x where x.rerate_id = p_rerate
			and x.account_id = p_account and (x.subscription_id,
			x.period) = (b.subscription_id, b.period)) m
	cross join lateral (select sum(greatest(0, y.more))::bigint as more,
			sum(greatest(0, y.carried))::bigint as more_carried
		from (select sum(x.new_units - x.old_units) as more,
				sum(x.new_units - x.old_units)
				filter (where x.is_carried) as carried
			from rating.rerate_package x
			where x.rerate_id = p_rerate
				and x.account_id < p_account
				and (x.subscription_id, x.period)
				= (b.subscription_id, b.period)
			group by x.account_id) y) o
	where not pools ? p.key) x);
end
$$;

-- Less what a call had (as_of 'old') or has ('new').
create function rating.pools_take(pools jsonb, as_of text, packages jsonb)
	returns jsonb language plpgsql immutable
	set search_path = pg_catalog, pg_temp as
$$
declare
	v jsonb;
	key text;
	side text;
begin
	for v in select x.v from jsonb_array_elements(packages) x (v) loop
		key := concat_ws('.', v->>'subscription_id', v->>'period');
		foreach side in array array[as_of, as_of || '+'] loop
			continue when pools->key->>side is null or side
				<> as_of and not (v->>'is_carried')::boolean;
			pools := jsonb_set(pools, array[key, side], to_jsonb(
				(pools->key->>side)::bigint
				- (v->>'units')::bigint));
		end loop;
	end loop;
	return pools;
end
$$;

create function rating.pool_left(pools jsonb, as_of text, v jsonb)
	returns bigint language sql immutable
	set search_path = pg_catalog, pg_temp as
$$
	select least((p->>as_of)::bigint, case when (v->>'is_carried')::boolean
		then (p->>(as_of || '+'))::bigint end)
	from (select pools->concat_ws('.', v->>'subscription_id',
		v->>'period') as p) x
$$;

-- The packages that could pay when the call began, in their order: its
-- decision says so. Null: that is gone, or too long for all of it.
create function rating.packages_noted(c cdr.charge) returns text[]
	language plpgsql stable
	set search_path = pg_catalog, pg_temp as
$$
begin
	return (
	select case when not coalesce(d.decision->-1 ? 'dropped', false)
		then array(select v->>'id' from jsonb_array_elements(
				d.decision) with ordinality x (v, n)
			where v->>'step' = 'package' order by n) end
	from cdr.decision d
	where d.started_at = c.started_at and d.call_id = c.call_id);
end
$$;

-- What a call finds of the packages that it may use, "left" of each. It wanted
-- more of one than it had, though that was there: so much is withheld. Not of a
-- package that could not pay then: its rules have changed.
create function rating.offers_left(offers jsonb, pools jsonb, c cdr.charge,
	noted text[]) returns jsonb language plpgsql stable
	set search_path = pg_catalog, pg_temp as
$$
begin
	return (
	with had as (
		select v, (v->>'units')::bigint as units,
			(v->>'covered')::bigint as covered
		from jsonb_array_elements(coalesce(c.packages, '[]')) v),
	offer as (
		select o.v, o.n, coalesce(h.units, 0) as units,
			coalesce(h.covered, 0) as covered,
			array_position(noted, x.key) as was,
			noted is not null and x.key <> all (noted) as is_new
		from jsonb_array_elements(offers) with ordinality o (v, n)
		cross join lateral (select (o.v->>'subscription_id') || case
			when (o.v->>'is_carried')::boolean then '+'
			else ':' end || lpad(to_hex((o.v->>'period')::integer),
			4, '0') as key) x
		left join had h on h.v @> o.v),
	wanted as (
		select o.*, case when c.packages is null
				and rating.is_free(c.price) then 0
			when o.v->>'kind' = 'minutes'
			then c.billed_ms + coalesce(c.covered_ms, 0)
			else coalesce(c.covered_micro, 0) + case
				when (c.price->>'is_tax_included')::boolean
				then c.amount_micro
				else coalesce(c.net_micro, c.amount_micro) end
			end - coalesce((select sum(h.covered) from had h
				where h.v->>'kind' = o.v->>'kind'
				and not exists (select from offer p
					where h.v @> p.v)), 0)
			- sum(o.covered) over (partition by o.v->>'kind'
				order by o.was nulls last, o.n) as rest,
			rating.pool_left(pools, 'old', o.v) as was_left,
			rating.pool_left(pools, 'new', o.v) as now_left
		from offer o)
	select coalesce(jsonb_agg(w.v || jsonb_build_object('left', greatest(0,
		w.now_left - case when w.rest > 0
				and (w.units > 0 or not w.is_new)
				and w.was_left - w.units
					>= (w.v->>'increment_ms')::bigint
			then w.was_left - w.units else 0 end)) order by w.n),
		'[]')
	from wanted w);
end
$$;

-- --- rated again ----------------------------------------------------------

-- One call at its place in the walk. charge: priced by again(); comes back with
-- all that it is charged.
create function rating.rerate_one(inout pools jsonb, p_rerate text,
	c cdr.charge, k rating.call, inout charge jsonb, has_windows boolean,
	out what text)
	language plpgsql
	set search_path = pg_catalog, pg_temp as
$$
declare
	price jsonb := charge->'price';
	had jsonb := coalesce(c.packages, '[]');
	noted text[] := rating.packages_noted(c);
	offers jsonb := '[]';
	v record;
	parts record;
begin
	if not (price->>'is_reverse')::boolean
			and (has_windows or not rating.is_free(price)) then
		select coalesce(jsonb_agg(jsonb_build_object('subscription_id',
				o.subscription_id, 'period', o.period,
				'is_carried', o.is_carried, 'kind', o.kind,
				'increment_ms', o.increment_ms)), '[]')
			into offers
			from core.packages_for(c.account_id, k.direction,
				k.called, c.started_at, array(
				select left(x, 30) from unnest(noted) x
				union select x->>'subscription_id'
				from jsonb_array_elements(had) x)) o;
	end if;
	pools := rating.pools_open(pools, p_rerate, c.account_id,
		had || offers);
	v := rating.cover(price, k.duration_ms, rating.offers_left(offers,
		pools, c, noted));
	parts := rating.parts(price, k.duration_ms, v.covered_ms,
		v.covered_micro);
	pools := rating.pools_take(rating.pools_take(pools, 'old', had), 'new',
		v.used);
	what := case when parts.gross_micro = c.amount_micro
		and parts.net_micro = coalesce(c.net_micro, parts.net_micro)
		and parts.tax_micro = coalesce(c.tax_micro, parts.tax_micro)
		and v.used = had then 'same' else 'changed' end;
	charge := charge || jsonb_build_object('amount_micro',
		parts.gross_micro, 'net_micro', parts.net_micro, 'tax_micro',
		to_jsonb(parts.tax_micro), 'billed_ms', parts.billed_ms,
		'covered_ms', v.covered_ms, 'covered_micro', v.covered_micro,
		'packages', nullif(v.used, '[]'));
end
$$;

-- A call that came to nothing (a package paid all of it) has no posting that an
-- invoice could take: it is of the invoice of its time, and stays as it is.
create function rating.is_invoiced(p_account text, p_at timestamptz,
	p_call uuid, p_attempt integer) returns boolean
	language plpgsql stable
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from core.ledger_posting p
			join billing.invoice_posting x on x.posting_id = p.id
				and not x.is_released
			where p.call_id = p_call and p.attempt = p_attempt) then
		return true;
	elsif exists (select from core.ledger_posting p
			where p.call_id = p_call and p.attempt = p_attempt) then
		return false;
	end if;
	return exists (select from billing.invoice i
		join core.tenant t on t.id = i.tenant_id
		where i.account_id = p_account and i.kind = 'invoice'
			and i.status <> 'void' and p_at < (i.period_to
				+ 1)::timestamp at time zone t.time_zone);
end
$$;
revoke all on function rating.is_invoiced(text, timestamptz, uuid, integer)
	from public;

-- The account's calls that are asked for, with their prices, in a temporary
-- table. What they had of packages is what they share among them.
create function rating.rerate_gather(q rating.rerate, p_account text)
	returns void language plpgsql
	set client_min_messages = warning
	set search_path = pg_catalog, pg_temp
	set jit = off as
$$
begin
	create temp table if not exists rerate_work (c cdr.charge,
		k rating.call, what text, charge jsonb, has_windows boolean,
		revision integer) on commit drop;
	truncate pg_temp.rerate_work;
	insert into pg_temp.rerate_work
	select x.c, x.k, case when v.is_invoiced then 'invoiced' else a.what
		end, a.charge, a.has_windows, v.revision
	from (select o::text::cdr.charge as c, rating.call_of(
			o::text::cdr.charge) as k
		from cdr.charge_current o
		where o.account_id = p_account and o.side = 'sell'
			and o.started_at >= q.from_at
			and o.started_at < q.to_at offset 0) x
	cross join lateral (select coalesce((select max(s.revision)
			from cdr.charge_revision s
			where s.call_id = (x.c).call_id
			and s.attempt = (x.c).attempt and s.side = 'sell'), 0)
			as revision,
		rating.is_invoiced(p_account, (x.c).started_at, (x.c).call_id,
			(x.c).attempt) as is_invoiced) v
	cross join lateral rating.again(x.c, q.deck_id, x.k) a
	where (q.trunk_id is null or (x.k).trunk_id = q.trunk_id)
		and (q.called_prefix is null or starts_with((x.k).called,
			q.called_prefix));
	insert into rating.rerate_package (rerate_id, account_id,
		subscription_id, period, is_carried, old_units)
	select q.id, p_account, v->>'subscription_id',
		(v->>'period')::integer, (v->>'is_carried')::boolean,
		sum((v->>'units')::bigint)
	from pg_temp.rerate_work w,
		jsonb_array_elements((w.c).packages) v
	where w.what is null group by 3, 4, 5;
end
$$;

-- Compare one account's calls in their order; nothing is posted.
-- @return how many
create or replace function rating.rerate_check(p_rerate text, p_account text)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp
	set jit = off as
$$
declare
	q rating.rerate;
	w record;
	one record;
	pools jsonb := '{}';
	n bigint := 0;
begin
	select * into strict q from rating.rerate x where x.id = p_rerate
		for update;
	if q.applied_at is not null then
		perform billing.refuse('rerate_applied', 'it was applied');
	end if;
	delete from rating.rerate_call k where k.rerate_id = p_rerate
		and k.account_id = p_account;
	delete from rating.rerate_package k where k.rerate_id = p_rerate
		and k.account_id = p_account;
	perform rating.rerate_gather(q, p_account);
	for w in select * from pg_temp.rerate_work x order by (x.c).started_at,
			(x.c).call_id, (x.c).attempt loop
		n := n + 1;
		if w.what is null then
			one := rating.rerate_one(pools, p_rerate, w.c, w.k,
				w.charge, w.has_windows);
			pools := one.pools;
		else
			select w.what, to_jsonb(w.c) as charge into one;
		end if;
		insert into rating.rerate_call (rerate_id, account_id,
			started_at, call_id, attempt, what, revision, currency,
			old_micro, new_micro, old_packages, new_packages,
			new_charge)
		values (p_rerate, p_account, (w.c).started_at, (w.c).call_id,
			(w.c).attempt, one.what, w.revision, (w.c).currency,
			(w.c).amount_micro,
			(one.charge->>'amount_micro')::bigint, (w.c).packages,
			nullif(one.charge->'packages', 'null'),
			case when one.what = 'changed' then one.charge end);
	end loop;
	insert into rating.rerate_package as o (rerate_id, account_id,
		subscription_id, period, is_carried, new_units)
	select p_rerate, p_account, v->>'subscription_id',
		(v->>'period')::integer, (v->>'is_carried')::boolean,
		sum((v->>'units')::bigint)
	from rating.rerate_call k, jsonb_array_elements(k.new_packages) v
	where k.rerate_id = p_rerate and k.account_id = p_account
		and k.what in ('same', 'changed')
	group by 3, 4, 5
	on conflict on constraint rerate_package_pkey
		do update set new_units = excluded.new_units;
	return n;
end
$$;

-- --- posted ---------------------------------------------------------------

-- Units of the calls that changed: given back, then taken, in their order.
-- Refused when a period has not as much any more: nodes hold it, other calls
-- used it.
create function rating.rerate_units(p_rerate text, p_account text)
	returns void language plpgsql
	set search_path = pg_catalog, pg_temp as
$$
declare
	b core.package_balance;
	d record;
begin
	for d in select x.subscription_id, x.period,
			coalesce(sum(x.new_units - x.old_units)
				filter (where not x.is_carried), 0)::bigint as own,
			coalesce(sum(x.new_units - x.old_units)
				filter (where x.is_carried), 0)::bigint as carried
		from rating.rerate_package x where x.rerate_id = p_rerate
			and x.account_id = p_account
			and x.new_units <> x.old_units
		group by 1, 2 order by 1, 2 loop
		select * into b from core.package_balance x
			where x.subscription_id = d.subscription_id
				and x.period = d.period for update;
		if d.own + d.carried > greatest(0, core.package_free(b, false))
			or b.carry_max is not null and d.carried > greatest(0,
				b.carry_max - b.used_carried
				- b.leased_carried) then
			perform billing.refuse('rerate_stale', format('%s has '
				'less left of a period than when its calls '
				'were compared: compare again',
				d.subscription_id));
		end if;
		update core.package_balance x set used = x.used + d.own,
			used_carried = x.used_carried + d.carried
			where x.subscription_id = d.subscription_id
				and x.period = d.period;
	end loop;
	insert into core.package_posting (subscription_id, period, kind, units,
		is_carried, started_at, call_id, attempt, note)
	select v->>'subscription_id', (v->>'period')::integer, t.kind,
		t.sign * (v->>'units')::bigint, (v->>'is_carried')::boolean,
		k.started_at, k.call_id, k.attempt, 'rated again'
	from rating.rerate_call k
	cross join lateral (values (1, 'refund', 1, k.old_packages),
		(2, 'usage', -1, k.new_packages)) t (turn, kind, sign, packages)
	cross join lateral jsonb_array_elements(t.packages) v
	where k.rerate_id = p_rerate and k.account_id = p_account
		and k.what = 'changed'
		and k.old_packages is distinct from k.new_packages
		and exists (select from core.package_balance o
			where o.subscription_id = v->>'subscription_id'
				and o.period = (v->>'period')::integer)
	order by t.turn, k.n;
end
$$;

-- Money first, then packages: whoever has an account may lock balances.
create or replace function rating.rerate_apply(p_rerate text, p_account text)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	stale bigint;
	n bigint;
	delta bigint;
begin
	if not exists (select from rating.rerate q where q.id
			= p_rerate and q.compared_at is not null) then
		perform billing.refuse('rerate_not_compared',
			'its calls are not all compared');
	end if;
	perform billing.lock(p_account);
	if exists (select from rating.rerate_account a
		where a.rerate_id = p_rerate and a.account_id = p_account) then
		return 0;
	end if;
	select count(*), coalesce(sum(k.new_micro - k.old_micro), 0), count(*)
			filter (where k.revision <> coalesce((
			select max(s.revision) from cdr.charge_revision s
			where s.call_id = k.call_id and s.attempt = k.attempt
				and s.side = 'sell'), 0)
			or rating.is_invoiced(p_account, k.started_at,
				k.call_id, k.attempt))
		into n, delta, stale
		from rating.rerate_call k where k.rerate_id = p_rerate
			and k.account_id = p_account and k.what = 'changed';
	if stale > 0 then
		perform billing.refuse('rerate_stale', format('%s calls were '
			'invoiced or rated again meanwhile: compare again',
			stale));
	end if;
	insert into cdr.charge_revision select (jsonb_populate_record(
		null::cdr.charge_revision, k.new_charge || jsonb_build_object(
			'revision', k.revision + 1, 'rerate_id', p_rerate))).*
		from rating.rerate_call k where k.rerate_id = p_rerate
			and k.account_id = p_account and k.what = 'changed';
	perform core.post_all(array(
		select row(p_account, v.kind, v.micro, 'rated again',
			k.call_id, k.attempt)::core.posting_item
		from rating.rerate_call k
		cross join lateral (values (1, 'rerate_refund', k.old_micro),
			(2, 'rerate_charge', -k.new_micro)) v (turn, kind, micro)
		where k.rerate_id = p_rerate and k.account_id = p_account
			and k.what = 'changed' and v.micro <> 0
		order by v.turn, k.started_at, k.call_id, k.attempt));
	perform rating.rerate_units(p_rerate, p_account);
	insert into rating.rerate_account (rerate_id, account_id, calls,
			delta_micro)
		values (p_rerate, p_account, n, delta);
	update rating.rerate q set applied_at = now() where q.id = p_rerate;
	return n;
end
$$;

-- What calls had of packages goes back above, and nowhere else: it would go back
-- twice.
drop function core.package_refund(cdr.charge, text);

-- --- told -----------------------------------------------------------------

-- As a charge's packages stand in REST.
create function rating.packages_told(packages jsonb) returns jsonb
	language sql immutable parallel safe
	set search_path = pg_catalog, pg_temp as
$$
	select coalesce(jsonb_agg(jsonb_build_object(
		'subscription_id', p->'subscription_id', 'period', p->'period',
		'kind', p->'kind', 'used', core.package_amount(p->>'kind',
			(p->>'units')::bigint),
		'covered', core.package_amount(p->>'kind',
			(p->>'covered')::bigint)) order by n), '[]')
	from jsonb_array_elements(packages) with ordinality x (p, n)
$$;
-- And in a cell: what was used of which period.
create function rating.packages_cell(packages jsonb) returns text
	language sql immutable parallel safe
	set search_path = pg_catalog, pg_temp as
$$
	select string_agg(format('%s.%s %s', p->>'subscription_id',
		p->>'period', core.package_amount(p->>'kind',
			(p->>'units')::bigint)), '; ' order by n)
	from jsonb_array_elements(packages) with ordinality x (p, n)
$$;

create or replace view rating.rerate_difference as
	select k.rerate_id, k.n, k.account_id, k.started_at, k.call_id,
		k.attempt, k.what, k.currency,
		rating.amount(k.old_micro) as old,
		rating.amount(k.new_micro) as new,
		rating.amount(k.new_micro - k.old_micro) as delta,
		rating.packages_cell(k.old_packages) as old_packages,
		rating.packages_cell(k.new_packages) as new_packages
	from rating.rerate_call k;

-- Units of the calls that were priced, by package.
create view rating.rerate_package_total as
	select x.rerate_id, p.id as package_id, p.name,
		core.package_unit(p) as unit,
		core.package_amount(p.kind, sum(x.old_units)::bigint) as old,
		core.package_amount(p.kind, sum(x.new_units)::bigint) as new,
		core.package_amount(p.kind, sum(x.new_units - x.old_units)
			::bigint) as delta
	from rating.rerate_package x
		join core.subscription s on s.id = x.subscription_id
		join core.package p on p.id = s.package_id
	group by x.rerate_id, p.id;

create or replace function rating.rerate_compared(p_rerate text) returns jsonb
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	update rating.rerate q set compared_at = now(),
		totals = rating.rerate_totals(q.id),
		packages = (select coalesce(jsonb_agg(to_jsonb(t) - 'rerate_id'
				order by t.package_id), '[]')
			from rating.rerate_package_total t
			where t.rerate_id = q.id)
		where q.id = p_rerate returning q.totals
$$;

-- What must always be: a period that is not its postings, and a call that has
-- not taken what its charge of now says.
create function billing.check_packages()
	returns table (subscription_id text, period integer, call_id uuid,
		attempt integer, fault text)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select b.subscription_id, b.period, null::uuid, null::integer,
		'a period is not its postings'
	from core.package_balance b
	cross join lateral (select coalesce(sum(p.units), 0) as units,
		coalesce(-sum(p.units) filter (where p.call_id is not null
			and not p.is_carried), 0) as used,
		coalesce(-sum(p.units) filter (where p.call_id is not null
			and p.is_carried), 0) as used_carried
		from core.package_posting p
		where p.subscription_id = b.subscription_id
			and p.period = b.period) p
	where (core.package_left(b), b.used, b.used_carried)
		<> (p.units, p.used, p.used_carried)
	union all
	select subscription_id, period, call_id, attempt,
		'postings of a call are not its charge'
	from (select p.subscription_id, p.period, p.is_carried, p.started_at,
			p.call_id, p.attempt, -sum(p.units) as units
		from core.package_posting p where p.call_id is not null
		group by 1, 2, 3, 4, 5, 6) p
	full join (select v->>'subscription_id' as subscription_id,
			(v->>'period')::integer as period,
			(v->>'is_carried')::boolean as is_carried, c.started_at,
			c.call_id, c.attempt, (v->>'units')::bigint as units
		from cdr.charge_current c
		cross join lateral jsonb_array_elements(c.packages) v
		join core.package_balance b
			on b.subscription_id = v->>'subscription_id'
			and b.period = (v->>'period')::integer
		where c.side = 'sell') x
		using (subscription_id, period, is_carried, started_at,
			call_id, attempt)
	where coalesce(p.units, 0) <> coalesce(x.units, 0)
		-- retention takes charges, never postings
		and (x.units is not null or exists (
			select from cdr.charge c where c.started_at
				= p.started_at and c.call_id = p.call_id
				and c.attempt = p.attempt and c.side = 'sell'))
$$;

revoke all on function rating.call_of(cdr.charge),
	rating.again(cdr.charge, text, rating.call),
	rating.pools_open(jsonb, text, text, jsonb),
	rating.pools_take(jsonb, text, jsonb),
	rating.pool_left(jsonb, text, jsonb),
	rating.packages_noted(cdr.charge),
	rating.offers_left(jsonb, jsonb, cdr.charge, text[]),
	rating.rerate_one(jsonb, text, cdr.charge, rating.call, jsonb, boolean),
	rating.rerate_gather(rating.rerate, text),
	rating.rerate_units(text, text), rating.packages_told(jsonb),
	rating.packages_cell(jsonb), billing.check_packages() from public;
grant execute on function rating.packages_told(jsonb),
	rating.packages_cell(jsonb), billing.check_packages() to strowger_api;
grant select on rating.rerate_package, rating.rerate_package_total
	to strowger_api;
