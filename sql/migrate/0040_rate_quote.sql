-- The price of a call worked out in the database: for quotes, and to rate
-- again by another deck. The same as switch/catalog/rate_terms.c makes of it.

-- Is a schedule open? Holidays are closed all day.
create function rating.is_open(ranges jsonb, holidays date[], zone text,
	at timestamptz) returns boolean
	language sql stable parallel safe as
$$
	select not (l.t::date = any (holidays)) and exists (
		select from jsonb_array_elements(ranges) r,
		lateral (select left(r->>'from', 2)::integer * 60
				+ right(r->>'from', 2)::integer as f,
			left(r->>'to', 2)::integer * 60
				+ right(r->>'to', 2)::integer as e) m
		where (r->'days' ? l.day and l.m >= m.f
				and (m.e <= m.f or l.m < m.e))
			or (r->'days' ? l.day_before and m.e <= m.f
				and l.m < m.e))
	from (select t, extract(hour from t) * 60 + extract(minute from t)
			as m,
		to_char(t, 'dy') as day,
		to_char(t - interval '1 day', 'dy') as day_before
		from (select at at time zone zone as t) x) l
$$;

-- The first window that is open; 0: none.
create function rating.window_at(windows jsonb, at timestamptz)
	returns bigint language sql stable parallel safe as
$$
	select coalesce(min(o), 0)
	from jsonb_array_elements(windows) with ordinality x (w, o)
	join core.schedule s on s.id = w->>'schedule_id'
	where rating.is_open(s.ranges, s.holidays, s.time_zone, at)
$$;

-- An amount, or a percentage of the price, in nano-units.
create function rating.value(v jsonb, base numeric) returns numeric
	language sql immutable parallel safe as
$$
	select coalesce((v->>'rate_per_min')::numeric * 1000000000,
		rating.round_div(base * (v->>'percent')::numeric * 10000,
			1000000, 'half_even'))
$$;

-- [[from_ms, increment_ms, rate_per_min_nano, is_window], ...] of a call whose
-- rated time begins at a moment; at most 24, the last one goes on.
create function rating.steps(r core.rate, tiers jsonb, windows jsonb,
	start timestamptz, max_ms bigint) returns jsonb
	language sql stable parallel safe as
$$
	with tier as (
		select (t->>'from_s')::numeric * 1000 as at, o,
			rating.value(t, r.rate_per_min_nano) as nano,
			coalesce((t->>'increment_ms')::numeric, r.next_ms)
				as increment
		from jsonb_array_elements(tiers) with ordinality x (t, o)),
	-- the rate's own first interval and what follows it
	own as (
		select 0::numeric as at, 0::bigint as o,
			r.rate_per_min_nano::numeric as nano,
			r.first_ms::numeric as increment
		union all
		select r.first_ms, 0, r.rate_per_min_nano, r.next_ms
		where r.first_ms <> r.next_ms
			and r.first_ms < coalesce((select min(at) from tier),
				'infinity')),
	grade as (select * from own union all select * from tier),
	minute as (
		select extract(epoch from m - start) * 1000 as at,
			rating.window_at(windows, m) as w
		from generate_series(date_trunc('minute', start)
				+ interval '1 minute',
			start + max_ms * interval '1 millisecond',
			interval '1 minute') m
		where jsonb_array_length(windows) > 0
			and m < start + max_ms * interval '1 millisecond'
		union all select 0, rating.window_at(windows, start)),
	pane as (
		select at, w from (select at, w, lag(w) over (order by at)
			as before from minute) x
		where before is distinct from w),
	point as (
		select at, bool_or(is_window) as is_window from (
			select at, false as is_window from grade
			union all select at, at > 0 from pane) x
		group by at order by at limit 24)
	select jsonb_agg(jsonb_build_array(trunc(p.at)::bigint, case when x.v
			? 'increment_ms' and x.v->>'increment_ms' is not null
			then (x.v->>'increment_ms')::bigint
			else g.increment::bigint end,
		coalesce(rating.value(x.v, g.nano), g.nano)::bigint,
		p.is_window) order by p.at)
	from point p
	cross join lateral (select * from grade where grade.at <= p.at
		order by grade.at desc, grade.o desc limit 1) g
	cross join lateral (select windows -> (pane.w - 1)::integer as v,
			pane.w from pane where pane.at <= p.at
		order by pane.at desc limit 1) y
	cross join lateral (select case when y.w > 0 then y.v
		else '{}'::jsonb end as v) x
$$;

-- The rate of the longest prefix, by the call's origin before the deck itself.
create function rating.find(deck_id text, calling text, called text,
	at timestamptz) returns core.rate
	language sql stable as
$$
	select c.* from (
		(select o.origin_deck_id as deck, 0 as turn
		from core.rate_deck_origin o
		join core.origin_set s on s.id = o.origin_set_id
		where o.deck_id = $1 and exists (
			select from unnest(s.prefixes) x
			where starts_with(calling, x))
		order by o.position limit 1)
		union all select $1, 1) d
	join core.rate c on c.deck_id = d.deck
		and c.prefix = any (array(select left(called, n)
			from generate_series(1, 15) n))
		and c.effective_from <= at
		and (c.effective_to > at or c.effective_to is null)
	order by d.turn, length(c.prefix) desc limit 1
$$;

-- The price of a rate for an account, answered at a moment: what a charge
-- carries. Null without an exchange rate.
create function rating.price(r core.rate, account_id text, country text,
	at timestamptz, max_ms bigint) returns jsonb
	language plpgsql stable as
$$
declare
	d core.rate_deck;
	t core.rate_terms;
	x core.tax_profile;
	nano bigint := 1000000000;
	money text;
begin
	select * into d from core.rate_deck where id = r.deck_id;
	select * into t from core.rate_terms
		where id = coalesce(r.terms_id, d.terms_id);
	select a.currency into money from core.account a
		where a.id = account_id;
	select p.* into x from core.account a
		join core.tenant n on n.id = a.tenant_id
		join core.tax_profile p
			on p.id = coalesce(a.tax_profile_id, n.tax_profile_id)
		where a.id = account_id;
	if money <> d.currency then
		select e.rate_nano into nano from core.exchange_rate e
			where e.base = d.currency and e.quote = money
				and e.effective_from <= at
			order by e.effective_from desc limit 1;
		if nano is null then
			return null;
		end if;
	end if;
	return jsonb_build_object(
		'steps', rating.steps(r, coalesce(t.tiers, '[]'),
			coalesce(t.windows, '[]'), at
				+ coalesce(t.free_ms, 0)
					* interval '1 millisecond', max_ms),
		'connect_micro', r.connect_fee_micro,
		'attempt_micro', coalesce(t.attempt_fee_micro, 0),
		'minimum_micro', coalesce(t.minimum_micro, 0),
		'cap_micro', t.cap_micro,
		'is_cap_cut', coalesce(t.cap_action = 'cut', false),
		'is_reverse', coalesce(t.is_reverse, false),
		'free_ms', coalesce(t.free_ms, 0),
		'exchange_nano', nano,
		'is_tax_included', coalesce(x.is_included, false),
		'taxes', coalesce((select jsonb_agg(jsonb_build_array(
				l->>'name', ((l->>'percent')::numeric
					* 10000)::bigint) order by o)
			from jsonb_array_elements(x.lines)
				with ordinality y (l, o)
			where jsonb_array_length(coalesce(nullif(
				l->'countries', 'null'), '[]')) = 0
				or l->'countries' ? country), '[]'),
		'mode', d.rounding_mode, 'decimals', d.rounding_decimals,
		'duration', d.duration_rounding,
		'is_per_interval', d.rounding_per = 'interval');
end
$$;

-- Micro-units as people and REST write them.
create function rating.amount(micro bigint) returns text
	language sql immutable parallel safe as
$$ select (micro::numeric / 1000000)::numeric(24, 6)::text $$;

-- What a call from a trunk would cost, and how. refused: why there is no
-- price: no_deck, no_rate, blocked, no_exchange_rate, by_cost (the price is
-- made of a carrier's: a route test says it).
create function rating.quote(trunk_id text, calling text, called text,
	at timestamptz, duration_ms bigint) returns jsonb
	language plpgsql stable as
$$
declare
	t core.trunk;
	r core.rate;
	p jsonb;
	c record;
	deck text;
begin
	select * into strict t from core.trunk k where k.id = trunk_id;
	deck := t.rate_deck_id;
	if t.onnet_deck_id is not null and exists (select from core.did n
			where n.e164 = '+' || called or (n.e164_last is not null
				and length(n.e164) = length(called) + 1
				and '+' || called between n.e164
					and n.e164_last)) then
		deck := t.onnet_deck_id;
	elsif t.rate_policy <> 'fixed' then
		return '{"refused": "by_cost"}';
	end if;
	if deck is null then
		return '{"refused": "no_deck"}';
	end if;
	r := rating.find(deck, calling, called, at);
	if r.prefix is null then
		return '{"refused": "no_rate"}';
	elsif r.is_blocked then
		return '{"refused": "blocked"}';
	end if;
	p := rating.price(r, t.account_id, (select n.country
		from core.numbering n where n.prefix = any (array(
			select left(called, i) from generate_series(1, 15) i))
		order by length(n.prefix) desc limit 1), at,
		t.max_call_s * 1000::bigint);
	if p is null then
		return '{"refused": "no_exchange_rate"}';
	end if;
	c := rating.parts(p, duration_ms);
	return jsonb_build_object('rate_deck_id', r.deck_id,
		'prefix', r.prefix, 'destination', r.destination,
		'currency', (select a.currency from core.account a
			where a.id = t.account_id),
		'billed_ms', c.billed_ms,
		'amount', rating.amount(c.gross_micro),
		'net', rating.amount(c.net_micro),
		'taxes', coalesce((select jsonb_agg(jsonb_build_object(
				'name', x.t->>0,
				'amount', rating.amount(c.tax_micro[x.o]))
				order by x.o)
			from jsonb_array_elements(p->'taxes')
				with ordinality x (t, o)), '[]'),
		'price', p);
end
$$;

revoke all on all functions in schema rating from public;
grant execute on all functions in schema rating to strowger_api;
