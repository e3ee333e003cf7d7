-- What reports are made of: an hour's traffic of everything that is alike, kept
-- up to date by the transactions that load call records; and the measures.
create schema report;

-- All that reports tell apart, but the hour. The id is a hash of the rest.
-- Attempts at carriers have rows of their own. '' and 0: there is none.
create table report.dimension (
	id bigint primary key,
	is_attempt boolean not null,
	tenant_id text not null,
	trunk_id text not null,
	-- of calls to a number
	did_id text not null,
	carrier_id text not null,
	gateway_id text not null,
	direction text not null,
	prefix text not null,
	destination text not null,
	country text not null,
	network text not null,
	number_type text not null,
	outcome text not null,
	sip_code integer not null,
	q850 integer not null,
	is_rung boolean not null,
	-- of the price and of the cost
	currency text not null,
	cost_currency text not null
);

-- One hour (UTC) of one dimension. Calls count in the hour that they began in.
create table report.hour (
	hour timestamptz not null,
	dimension_id bigint not null,
	calls integer not null,
	answered integer not null,
	-- answered and no longer than six seconds
	short integer not null,
	duration_ms bigint not null,
	pdd_n integer not null,
	pdd_ms bigint not null,
	-- of these, how many within 1, 2, 3, 5, 8 and 12 s
	pdd_1 integer not null,
	pdd_2 integer not null,
	pdd_3 integer not null,
	pdd_5 integer not null,
	pdd_8 integer not null,
	pdd_12 integer not null,
	mos_n integer not null,
	mos_milli bigint not null,
	first_at timestamptz,
	last_at timestamptz,
	-- of the charges: how many, what they bill, and the money
	sold integer not null,
	billed_ms bigint not null,
	revenue_micro bigint not null,
	tax_micro bigint not null,
	bought integer not null,
	bought_ms bigint not null,
	cost_micro bigint not null,
	primary key (hour, dimension_id)
) with (fillfactor = 80);

-- What taxes came to: base is the price without them.
create table report.tax_hour (
	hour timestamptz not null,
	tenant_id text not null,
	currency text not null,
	name text not null,
	ppm integer not null,
	charges integer not null,
	base_micro bigint not null,
	tax_micro bigint not null,
	primary key (hour, tenant_id, currency, name, ppm)
);

-- --- measures -------------------------------------------------------------

-- In percent of a whole, null when there is nothing.
create function report.percent(part numeric, whole numeric) returns numeric
	language sql immutable parallel safe as
$$ select round(100 * part / nullif(whole, 0), 2) $$;

-- Answer seizure ratio (ITU-T E.425): answered of all calls, in percent.
create function report.asr(answered numeric, calls numeric) returns numeric
	language sql immutable parallel safe as
$$ select report.percent(answered, calls) $$;

-- Network effectiveness ratio (ITU-T E.425): answered, busy, rang without an
-- answer, or refused by the terminal, of all calls, in percent. This is which
-- outcomes of calls that nobody answered are of the terminal and not of us: a
-- caller who gave up counts when it had rung.
create function report.is_delivered(outcome text, is_rung boolean)
	returns boolean language sql immutable parallel safe as
$$
	select outcome in ('busy', 'busy_everywhere', 'no_answer', 'declined',
		'unavailable') or (outcome = 'cancelled' and is_rung)
$$;
create function report.ner(delivered numeric, calls numeric) returns numeric
	language sql immutable parallel safe as
$$ select report.percent(delivered, calls) $$;

-- Average call duration: seconds of an answered call. ALOC, the average length
-- of conversation, is the same.
create function report.acd_s(duration_ms numeric, answered numeric)
	returns numeric language sql immutable parallel safe as
$$ select round(duration_ms / nullif(answered, 0) / 1000, 1) $$;

create function report.minutes(ms numeric) returns numeric
	language sql immutable parallel safe as
$$ select round(ms / 60000, 2) $$;

-- Post dial delay: from the call's begin until it rang, in seconds; mean, and
-- what 95 of 100 stay below, interpolated within the class that it falls into.
create function report.pdd_s(pdd_ms numeric, pdd_n numeric) returns numeric
	language sql immutable parallel safe as
$$ select round(pdd_ms / nullif(pdd_n, 0) / 1000, 2) $$;
create function report.pdd_p95_s(n numeric, within numeric[]) returns numeric
	language sql immutable parallel safe as
$$
	select case when n > 0 then coalesce((select round(lower_s + (0.95 * n
			- below) / nullif(so_far - below, 0)
			* (upper_s - lower_s), 2)
		from (select upper_s, so_far,
			coalesce(lag(upper_s) over w, 0) as lower_s,
			coalesce(lag(so_far) over w, 0) as below
			from unnest(array[1, 2, 3, 5, 8, 12]::numeric[], within)
				as c (upper_s, so_far)
			window w as (order by upper_s)) c
		where so_far >= 0.95 * n order by upper_s limit 1), 12) end
$$;

-- Mean opinion score of a call by what was lost, with the E-model (ITU-T G.107)
-- where all else has its default: R = 93.2 - Ie,eff. Ie and Bpl are those of the
-- codec, of others those of G.711 with concealment of losses. Delay is not
-- measured and does not count. The worse direction, in thousandths; null: nothing
-- was received.
create function report.mos_milli(a_packets bigint, a_lost bigint,
	b_packets bigint, b_lost bigint, codec text)
	returns integer language plpgsql immutable parallel safe as
$$
declare
	ie double precision := 0;
	bpl double precision := 25.1;
	loss double precision;
	r double precision;
begin
	if coalesce(a_packets, 0) <= 0 and coalesce(b_packets, 0) <= 0 then
		return null;
	end if;
	loss := greatest(case when a_packets > 0 and a_lost > 0
			then 100.0::float8 * a_lost / (a_packets + a_lost) end,
		case when b_packets > 0 and b_lost > 0
			then 100.0::float8 * b_lost / (b_packets + b_lost) end, 0);
	if codec like 'G729%' then
		ie := 11;
		bpl := 19;
	elsif codec ilike 'iLBC%' then
		ie := 11;
		bpl := 32;
	elsif codec ilike 'GSM%' then
		ie := 20;
		bpl := 10;
	end if;
	r := 93.2 - (ie + (95 - ie) * loss / (loss + bpl));
	return round(1000 * greatest(1, 1 + 0.035 * r
		+ r * (r - 60) * (100 - r) * 0.000007));
end
$$;
create function report.mos(mos_milli numeric, mos_n numeric) returns numeric
	language sql immutable parallel safe as
$$ select round(mos_milli / nullif(mos_n, 0) / 1000, 2) $$;

-- What is left of revenue, both without taxes; and that in percent of it.
create function report.margin_percent(revenue numeric, cost numeric)
	returns numeric language sql immutable parallel safe as
$$ select report.percent(revenue - cost, revenue) $$;

-- Exchange rates with the time that each is in force; a currency is itself.
create view report.exchange as
	select base::text, quote::text, rate_nano, case when row_number() over w = 1
			then '-infinity' else effective_from end as from_at,
		coalesce(lead(effective_from) over w, 'infinity') as to_at
	from core.exchange_rate
	window w as (partition by base, quote order by effective_from)
	union all
	select c, c, 1000000000, '-infinity', 'infinity'
	from (select a.currency::text from core.account a
		union select a.currency from core.carrier a union select '')
		as x (c);

-- --- counting -------------------------------------------------------------

-- A record that retention has deleted before was counted when it first came.
create function report.was_deleted(p_class text, p_tenant_id text,
	p_started_at timestamptz) returns boolean
	language sql stable as
$$
	select exists (select from cdr.deletion d
		where d.class = p_class and d.last_started_at >= p_started_at
			and d.tenant_id is not distinct from (
				select r.tenant_id from cdr.retention_rule r
				where r.class = p_class
					and r.tenant_id = p_tenant_id))
$$;
create index deletion_last on cdr.deletion (last_started_at);

-- The statement that counts records of a source ("fresh", or cdr.record and a
-- condition): one text for the loader, for counting anew and for the parts of
-- hours that a report begins and ends with.
create function report.record_sql(source text) returns text
	language sql immutable as
$$
	select $q$
	select date_trunc('hour', r.started_at, 'UTC') as hour,
		r.attempt > 0 as is_attempt,
		coalesce(r.tenant_id, '') as tenant_id,
		coalesce(r.trunk_id, '') as trunk_id,
		coalesce(r.did_id, '') as did_id,
		coalesce(r.carrier_id, '') as carrier_id,
		coalesce(r.gateway_id, '') as gateway_id,
		coalesce(r.direction, '') as direction,
		coalesce(r.rate_prefix, '') as prefix,
		coalesce(r.rate_destination, '') as destination,
		coalesce(r.called_country, '') as country,
		coalesce(r.called_network, '') as network,
		coalesce(r.called_type, '') as number_type,
		coalesce(r.outcome, '') as outcome,
		coalesce(r.sip_code, 0) as sip_code,
		coalesce(r.q850, 0) as q850,
		r.ringing_at is not null as is_rung,
		coalesce(r.currency, '') as currency,
		coalesce(r.cost_currency, '') as cost_currency,
		count(*)::integer as calls,
		count(r.answered_at)::integer as answered,
		count(*) filter (where r.answered_at is not null
			and r.duration_ms <= 6000)::integer as short,
		coalesce(sum(r.duration_ms), 0)::bigint as duration_ms,
		count(r.pdd_ms)::integer as pdd_n,
		coalesce(sum(r.pdd_ms), 0)::bigint as pdd_ms,
		count(*) filter (where r.pdd_ms <= 1000)::integer as pdd_1,
		count(*) filter (where r.pdd_ms <= 2000)::integer as pdd_2,
		count(*) filter (where r.pdd_ms <= 3000)::integer as pdd_3,
		count(*) filter (where r.pdd_ms <= 5000)::integer as pdd_5,
		count(*) filter (where r.pdd_ms <= 8000)::integer as pdd_8,
		count(*) filter (where r.pdd_ms <= 12000)::integer as pdd_12,
		count(*) filter (where r.a_packets > 0 or r.b_packets > 0)
			::integer as mos_n,
		coalesce(sum(report.mos_milli(r.a_packets, r.a_lost,
			r.b_packets, r.b_lost, r.codec)) filter (where
			r.a_packets > 0 or r.b_packets > 0), 0)::bigint
			as mos_milli,
		min(r.started_at) as first_at, max(r.started_at) as last_at,
		0 as sold, 0::bigint as billed_ms, 0::bigint as revenue_micro,
		0::bigint as tax_micro, 0 as bought, 0::bigint as bought_ms,
		0::bigint as cost_micro
	from $q$ || source || $q$ r
	group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
		19
	$q$
$$;

-- The same of charges: what a call was sold and bought for counts where the call
-- counts. Who paid for a forward of another tenant's call pays in its own name;
-- an attempt that cost counts at its carrier.
create function report.charge_sql(source text) returns text
	language sql immutable as
$$
	select $q$
	select date_trunc('hour', c.started_at, 'UTC') as hour,
		false as is_attempt,
		coalesce(a.tenant_id, r.tenant_id, '') as tenant_id,
		case when a.tenant_id is distinct from r.tenant_id
				and a.tenant_id is not null then ''
			else coalesce(r.trunk_id, '') end as trunk_id,
		coalesce(r.did_id, '') as did_id,
		coalesce(t.carrier_id, r.carrier_id, c.carrier_id, '')
			as carrier_id,
		coalesce(t.gateway_id, r.gateway_id, '') as gateway_id,
		coalesce(r.direction, '') as direction,
		coalesce(r.rate_prefix, c.prefix, '') as prefix,
		coalesce(r.rate_destination, c.destination, '') as destination,
		coalesce(r.called_country, '') as country,
		coalesce(r.called_network, '') as network,
		coalesce(r.called_type, '') as number_type,
		coalesce(r.outcome, '') as outcome,
		coalesce(r.sip_code, 0) as sip_code,
		coalesce(r.q850, 0) as q850,
		r.ringing_at is not null as is_rung,
		case c.side when 'sell' then c.currency
			else coalesce(r.currency, '') end as currency,
		case c.side when 'buy' then c.currency
			else coalesce(r.cost_currency, '') end as cost_currency,
		0 as calls, 0 as answered, 0 as short, 0::bigint as duration_ms,
		0 as pdd_n, 0::bigint as pdd_ms, 0 as pdd_1, 0 as pdd_2,
		0 as pdd_3, 0 as pdd_5, 0 as pdd_8, 0 as pdd_12, 0 as mos_n,
		0::bigint as mos_milli, null::timestamptz as first_at,
		null::timestamptz as last_at,
		count(*) filter (where c.side = 'sell')::integer as sold,
		coalesce(sum(c.billed_ms) filter (where c.side = 'sell'), 0)
			::bigint as billed_ms,
		coalesce(sum(coalesce(c.net_micro, c.amount_micro))
			filter (where c.side = 'sell'), 0)::bigint
			as revenue_micro,
		coalesce(sum(c.amount_micro - coalesce(c.net_micro,
			c.amount_micro)) filter (where c.side = 'sell'), 0)
			::bigint as tax_micro,
		count(*) filter (where c.side = 'buy')::integer as bought,
		coalesce(sum(c.billed_ms) filter (where c.side = 'buy'), 0)
			::bigint as bought_ms,
		coalesce(sum(coalesce(c.net_micro, c.amount_micro))
			filter (where c.side = 'buy'), 0)::bigint as cost_micro
	from $q$ || source || $q$ c
	left join cdr.record r on r.started_at = c.started_at
		and r.call_id = c.call_id and r.attempt = c.attempt * 0
	left join cdr.record t on t.started_at = c.started_at
		and t.call_id = c.call_id and t.attempt = c.attempt
		and c.attempt > 0 and c.side = 'buy'
	left join core.account a on a.id = c.account_id
	group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
		19
	$q$
$$;

-- The statement that adds what such a statement counts. Rows are taken in
-- order, so that two loaders wait for each other and never in a ring.
create function report.add_sql(counts text) returns text
	language sql immutable as
$$
	select $q$
	with f as materialized (select hashtextextended(concat_ws('|',
			is_attempt, tenant_id, trunk_id, did_id, carrier_id,
			gateway_id, direction, prefix, destination, country, network,
			number_type, outcome, sip_code, q850, is_rung, currency,
			cost_currency), 0) as dimension_id, x.*
		from ($q$ || counts || $q$) x),
	d as (insert into report.dimension
		select distinct dimension_id, is_attempt, tenant_id, trunk_id,
			did_id, carrier_id, gateway_id, direction, prefix, destination,
			country, network, number_type, outcome, sip_code, q850,
			is_rung, currency, cost_currency
		from f where not exists (select from report.dimension k
			where k.id = f.dimension_id)
		order by dimension_id
		on conflict (id) do nothing)
	insert into report.hour as h
	select hour, dimension_id, calls, answered, short, duration_ms, pdd_n,
		pdd_ms, pdd_1, pdd_2, pdd_3, pdd_5, pdd_8, pdd_12, mos_n,
		mos_milli, first_at, last_at, sold, billed_ms, revenue_micro,
		tax_micro, bought, bought_ms, cost_micro
	from f order by hour, dimension_id
	on conflict (hour, dimension_id) do update set
		calls = h.calls + excluded.calls,
		answered = h.answered + excluded.answered,
		short = h.short + excluded.short,
		duration_ms = h.duration_ms + excluded.duration_ms,
		pdd_n = h.pdd_n + excluded.pdd_n,
		pdd_ms = h.pdd_ms + excluded.pdd_ms,
		pdd_1 = h.pdd_1 + excluded.pdd_1,
		pdd_2 = h.pdd_2 + excluded.pdd_2,
		pdd_3 = h.pdd_3 + excluded.pdd_3,
		pdd_5 = h.pdd_5 + excluded.pdd_5,
		pdd_8 = h.pdd_8 + excluded.pdd_8,
		pdd_12 = h.pdd_12 + excluded.pdd_12,
		mos_n = h.mos_n + excluded.mos_n,
		mos_milli = h.mos_milli + excluded.mos_milli,
		first_at = least(h.first_at, excluded.first_at),
		last_at = greatest(h.last_at, excluded.last_at),
		sold = h.sold + excluded.sold,
		billed_ms = h.billed_ms + excluded.billed_ms,
		revenue_micro = h.revenue_micro + excluded.revenue_micro,
		tax_micro = h.tax_micro + excluded.tax_micro,
		bought = h.bought + excluded.bought,
		bought_ms = h.bought_ms + excluded.bought_ms,
		cost_micro = h.cost_micro + excluded.cost_micro
	$q$
$$;

create function report.tax_sql(source text) returns text
	language sql immutable as
$$
	select $q$
	insert into report.tax_hour as h
	select date_trunc('hour', c.started_at, 'UTC') as hour,
		coalesce(a.tenant_id, '') as tenant_id, c.currency, t.tax ->> 0,
		(t.tax ->> 1)::integer, count(*)::integer, sum(c.net_micro)
			::bigint, sum(c.tax_micro[t.n])::bigint
	from $q$ || source || $q$ c
	left join core.account a on a.id = c.account_id
	cross join jsonb_array_elements(c.price -> 'taxes')
		with ordinality as t (tax, n)
	where c.side = 'sell' and cardinality(c.tax_micro) > 0
	group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
	on conflict (hour, tenant_id, currency, name, ppm) do update set
		charges = h.charges + excluded.charges,
		base_micro = h.base_micro + excluded.base_micro,
		tax_micro = h.tax_micro + excluded.tax_micro
	$q$
$$;

-- "fresh" are the rows that this statement of a loader has inserted: whatever
-- brings records, counting them is of its transaction.
--
-- They are few beside what is there, so each is looked up by its key. Left to
-- itself the planner, whose statistics are of an earlier hour, reads the whole
-- month for each batch; a constant attempt lets it read the whole index of those.
create function report.count_records() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
	set jit = off
	set enable_hashjoin = off
	set enable_mergejoin = off
	set enable_seqscan = off as
$$
begin
	if not exists (select from fresh) then
		return null;
	elsif exists (select from cdr.deletion d where d.last_started_at
			>= (select min(f.started_at) from fresh f)) then
		execute report.add_sql(report.record_sql('(select * from fresh f '
			'where not report.was_deleted(case when f.attempt > 0 '
			'then ''attempt'' when f.answered_at is null then '
			'''unanswered'' else ''answered'' end, f.tenant_id, '
			'f.started_at))'));
	else
		execute report.add_sql(report.record_sql('fresh'));
	end if;
	return null;
end
$$;
create trigger record_counted after insert on cdr.record
	referencing new table as fresh
	for each statement execute function report.count_records();

create function report.count_charges() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
	set jit = off
	set enable_hashjoin = off
	set enable_mergejoin = off
	set enable_seqscan = off as
$$
declare
	source text := 'fresh';
begin
	if not exists (select from fresh) then
		return null;
	elsif exists (select from cdr.deletion d where d.last_started_at
			>= (select min(f.started_at) from fresh f)) then
		source := '(select * from fresh f where not '
			'report.was_deleted(''charge'', null, f.started_at))';
	end if;
	execute report.add_sql(report.charge_sql(source));
	if exists (select from fresh f where cardinality(f.tax_micro) > 0) then
		execute report.tax_sql(source);
	end if;
	return null;
end
$$;
create trigger charge_counted after insert on cdr.charge
	referencing new table as fresh
	for each statement execute function report.count_charges();

-- Count hours anew from what records and charges there are. Loaders wait.
create function report.rebuild(p_from timestamptz default '-infinity',
	p_to timestamptz default 'infinity') returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	span text := format('where started_at >= %L and started_at < %L)',
		p_from, p_to);
begin
	if (p_from, p_to) <> (date_trunc('hour', p_from, 'UTC'),
			date_trunc('hour', p_to, 'UTC')) then
		raise exception 'hours are counted whole'
			using errcode = 'invalid_parameter_value';
	end if;
	lock table report.hour in share row exclusive mode;
	delete from report.hour where hour >= p_from and hour < p_to;
	delete from report.tax_hour where hour >= p_from and hour < p_to;
	execute report.add_sql(report.record_sql('(select * from cdr.record '
		|| span));
	execute report.add_sql(report.charge_sql('(select * from cdr.charge '
		|| span));
	execute report.tax_sql('(select * from cdr.charge ' || span);
end
$$;

-- Hours whose roll-up is not what the records and charges come to; empty is
-- well. (What retention has deleted is still in the roll-up.)
create function report.differences(p_from timestamptz, p_to timestamptz)
	returns table (hour timestamptz, dimension_id bigint)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	span text := format('where started_at >= %L and started_at < %L)',
		p_from, p_to);
begin
	create temp table counted (like report.hour including indexes)
		on commit drop;
	execute replace(report.add_sql(report.record_sql(
		'(select * from cdr.record ' || span)),
		'insert into report.hour', 'insert into pg_temp.counted');
	execute replace(report.add_sql(report.charge_sql(
		'(select * from cdr.charge ' || span)),
		'insert into report.hour', 'insert into pg_temp.counted');
	return query select d.hour, d.dimension_id from (
		(select * from report.hour h where h.hour >= p_from
			and h.hour < p_to
			except select * from pg_temp.counted)
		union
		(select * from pg_temp.counted
			except select * from report.hour h
				where h.hour >= p_from and h.hour < p_to)) d;
	drop table pg_temp.counted;
end
$$;

-- --- reading --------------------------------------------------------------

-- What happened in a span of time: whole hours from the roll-up, the parts of
-- hours at both its ends from the records themselves.
do $do$
declare
	edge text := 'where started_at >= $1 and started_at < $2 and '
		'(started_at < report.hour_up($1) or '
		'started_at >= greatest(report.hour_up($1), '
		'date_trunc(''hour'', $2, ''UTC''))))';
begin
	create function report.hour_up(at timestamptz) returns timestamptz
		language sql immutable parallel safe as
	$$
		select date_trunc('hour', at + interval '1 hour'
			- interval '1 microsecond', 'UTC')
	$$;
	execute $q$
	create function report.facts(p_from timestamptz, p_to timestamptz)
		returns table (hour timestamptz, is_attempt boolean,
			tenant_id text, trunk_id text, did_id text,
			carrier_id text, gateway_id text, direction text, prefix text,
			destination text, country text, network text,
			number_type text, outcome text, sip_code integer,
			q850 integer, is_rung boolean, currency text,
			cost_currency text, calls integer, answered integer,
			short integer, duration_ms bigint, pdd_n integer,
			pdd_ms bigint, pdd_1 integer, pdd_2 integer,
			pdd_3 integer, pdd_5 integer, pdd_8 integer,
			pdd_12 integer, mos_n integer, mos_milli bigint,
			first_at timestamptz, last_at timestamptz, sold integer,
			billed_ms bigint, revenue_micro bigint,
			tax_micro bigint, bought integer, bought_ms bigint,
			cost_micro bigint)
		language sql stable parallel safe as $f$
	select h.hour, d.is_attempt, d.tenant_id, d.trunk_id, d.did_id,
		d.carrier_id, d.gateway_id, d.direction, d.prefix, d.destination, d.country,
		d.network, d.number_type, d.outcome, d.sip_code, d.q850,
		d.is_rung, d.currency, d.cost_currency, h.calls, h.answered,
		h.short, h.duration_ms, h.pdd_n, h.pdd_ms, h.pdd_1, h.pdd_2,
		h.pdd_3, h.pdd_5, h.pdd_8, h.pdd_12, h.mos_n, h.mos_milli,
		h.first_at, h.last_at, h.sold, h.billed_ms, h.revenue_micro,
		h.tax_micro, h.bought, h.bought_ms, h.cost_micro
	from report.hour h join report.dimension d on d.id = h.dimension_id
	where h.hour >= report.hour_up($1)
		and h.hour < date_trunc('hour', $2, 'UTC')
	union all ($q$ || report.record_sql('(select * from cdr.record '
		|| edge) || $q$)
	union all ($q$ || report.charge_sql('(select * from cdr.charge '
		|| edge) || $q$)
	$f$
	$q$;
end
$do$;

-- Calls (and with p_attempts attempts at carriers) of a span, of a tenant and
-- those below it, of a trunk, carrier, direction, currency; '' is all.
-- delivered: what NER counts. cost_sold is the cost in the currency of the price
-- by the exchange rate of the hour, null when there is none.
create function report.traffic(p_attempts boolean, p_from timestamptz,
	p_to timestamptz, p_tenant text, p_trunk text, p_carrier text,
	p_direction text, p_currency text)
	returns table (hour timestamptz, tenant_id text, trunk_id text,
		did_id text, carrier_id text, gateway_id text, direction text, prefix text,
		destination text, country text, network text, number_type text,
		outcome text, sip_code integer, q850 integer, currency text,
		cost_currency text, calls bigint, answered bigint,
		delivered bigint, short bigint, duration_ms bigint,
		pdd_n bigint, pdd_ms bigint, pdd_1 integer, pdd_2 integer,
		pdd_3 integer, pdd_5 integer, pdd_8 integer, pdd_12 integer,
		mos_n bigint, mos_milli bigint, first_at timestamptz,
		last_at timestamptz, sold bigint, billed_ms bigint,
		revenue_micro bigint, tax_micro bigint, bought bigint,
		bought_ms bigint, cost_micro bigint, cost_sold numeric)
	language sql stable parallel safe as
$$
	select f.hour, f.tenant_id, f.trunk_id, f.did_id, f.carrier_id, f.gateway_id,
		f.direction, f.prefix, f.destination, f.country, f.network,
		f.number_type, f.outcome, f.sip_code, f.q850, f.currency,
		f.cost_currency, f.calls::bigint, f.answered::bigint,
		(f.answered + case when report.is_delivered(f.outcome, f.is_rung)
			then f.calls - f.answered else 0 end)::bigint,
		f.short::bigint, f.duration_ms, f.pdd_n::bigint, f.pdd_ms,
		f.pdd_1, f.pdd_2, f.pdd_3, f.pdd_5, f.pdd_8, f.pdd_12,
		f.mos_n::bigint, f.mos_milli, f.first_at, f.last_at,
		f.sold::bigint, f.billed_ms, f.revenue_micro, f.tax_micro,
		f.bought::bigint, f.bought_ms, f.cost_micro,
		case when f.cost_micro = 0 then 0
			when f.cost_currency = f.currency then f.cost_micro
			else f.cost_micro * x.rate_nano / 1000000000.0 end
	from report.facts(p_from, p_to) f
	left join report.exchange x on x.base = f.cost_currency
		and x.quote = f.currency and f.cost_currency <> f.currency
		and f.hour >= x.from_at and f.hour < x.to_at
	where f.is_attempt = p_attempts
		and (p_tenant = '' or f.tenant_id in (select s.tenant_id
			from core.tenant_tree s where s.ancestor_id = p_tenant))
		and (p_trunk = '' or f.trunk_id = p_trunk)
		and (p_carrier = '' or f.carrier_id = p_carrier)
		and (p_direction = '' or f.direction = p_direction)
		and (p_currency = '' or f.currency = p_currency)
$$;

-- Who called most is asked over all calls of a month: the index has it all.
drop index cdr.record_calling;
create index record_calling on cdr.record (calling, started_at)
	include (tenant_id, duration_ms, price_micro, currency)
	where attempt = 0 and calling is not null;

revoke all on all functions in schema report from public;
grant usage on schema report to strowger_api;
grant select on all tables in schema report to strowger_api;
grant execute on all functions in schema report to strowger_api;
revoke execute on function report.count_records(), report.count_charges(),
	report.rebuild(timestamptz, timestamptz) from strowger_api;

-- What was loaded before this migration.
select report.rebuild();
