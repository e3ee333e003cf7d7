-- A month of fifty tenants: October 2026 (UTC), in which Europe/Berlin leaves
-- summer time (25 October), every deck changes its rates twice, and calls end
-- in every way there is. Run by tests/lib/month, which says
--   :calls  how many calls, each of which has attempts and charges
--   :seed   another one is another month; the same one the same rows
--   :packages  most tenants have packages, and their calls use them
-- and the table outcome (code, sip_code, q850, n), as base/outcome.h has it.
-- More than 200,000 are 100,000 in many copies, a moment apart each.
-- Needs to be the owner of an empty database that is migrated.
set client_min_messages = warning;
set timezone = 'UTC';
set synchronous_commit = off;
set work_mem = '256MB';
set maintenance_work_mem = '512MB';
select :calls > 200000 as is_bulk,
	case when :calls > 200000 then 100000 else :calls end as base,
	case when :calls > 200000 then :calls / 100000 else 1 end as copies
\gset
begin;

create function pg_temp.id(prefix text, n bigint) returns text
	language sql immutable parallel safe as
$$ select prefix || '_' || lpad(n::text, 26, '0') $$;

-- In [0, 1): the same for a number and a use of it, under one seed.
select format($f$
create function pg_temp.draw(n bigint, use integer) returns double precision
	language sql immutable parallel safe as
$$ select (hashint8extended(n, %s + use) & 1073741823) / 1073741824.0 $$
$f$, :seed::bigint * 1000) \gexec

-- num / den micro-units to decimals, as rating.round_micro() has it; den > 0,
-- num >= 0
create function pg_temp.rounded(num numeric, den numeric, mode text,
	decimals integer) returns bigint language sql immutable parallel safe as
$$
	select (div(num + case mode when 'up' then den * step - 1
			when 'half_up' then div(den * step, 2) else 0 end,
		den * step) * step)::bigint
	from (select (array[1000000, 100000, 10000, 1000, 100, 10, 1]
		::numeric[])[decimals + 1] as step) x
$$;

-- --- who there is ---------------------------------------------------------

insert into core.tax_profile (id, name, is_included, lines) values
	(pg_temp.id('tax', 1), 'Germany', false,
		'[{"name": "USt DE", "percent": "19"}]'),
	(pg_temp.id('tax', 2), 'United Kingdom', true,
		'[{"name": "VAT GB", "percent": "20"}]');

create temp table world as
select n, pg_temp.id('ten', n) as tenant_id, pg_temp.id('acc', n) as account_id,
	case when n in (1, 2) then null when n between 3 and 7 then 1
		when n between 8 and 10 then 2 end as parent,
	case when n % 10 = 3 then 'USD' when n % 10 = 7 then 'GBP'
		else 'EUR' end as currency,
	case when n % 10 = 3 then null when n % 10 = 7 then 2
		when n % 10 = 9 then null else 1 end as tax,
	(array['Aldgate Logistics', 'Bergmann Energie', 'Castello Hotels',
		'Dunlin Media', 'Eberhardt Optik', 'Fjordline Travel',
		'Garnet Insurance', 'Halden Clinics', 'Iris Telecom',
		'Jura Foods'])[1 + (n - 1) % 10]
		|| case when n > 10 then ' ' || (n - 1) / 10 + 1 else '' end
		as name
from generate_series(1, 50) n;

insert into core.tenant (id, name, currency, parent_id, time_zone,
		tax_profile_id)
	select w.tenant_id, w.name, w.currency, pg_temp.id('ten', w.parent),
		case w.currency when 'USD' then 'America/New_York'
			when 'GBP' then 'Europe/London' else 'Europe/Berlin' end,
		pg_temp.id('tax', w.tax)
	from world w order by w.n;
insert into core.account (id, tenant_id, name, type, currency,
		credit_limit_micro)
	select w.account_id, w.tenant_id, 'Main',
		case when n % 3 = 0 then 'prepaid' else 'postpaid' end,
		w.currency, case when n % 3 = 0 then 0 else 1000000000000 end
	from world w;

-- A deck to sell by in each currency, one to buy by of each carrier.
create temp table deck as
select d.* from (values
	(1, 'Sell EUR', 'EUR', 'half_up', 6, 60000, 1000, 1.0),
	(2, 'Sell USD', 'USD', 'up', 4, 30000, 6000, 1.1),
	(3, 'Sell GBP', 'GBP', 'half_up', 4, 1000, 1000, 0.9),
	(11, 'Buy Northwire', 'EUR', 'half_up', 6, 1000, 1000, 0.55),
	(12, 'Buy Meridian', 'EUR', 'half_up', 6, 1000, 1000, 0.62),
	(13, 'Buy Tasman', 'USD', 'up', 6, 60000, 1000, 0.66),
	(14, 'Buy Oriel', 'EUR', 'half_up', 6, 30000, 6000, 0.6),
	(15, 'Buy Calder', 'GBP', 'half_up', 6, 1000, 1000, 0.5),
	(16, 'Buy Sundial', 'EUR', 'half_up', 6, 60000, 60000, 0.7))
	as d (n, name, currency, mode, decimals, first_ms, next_ms, factor);
insert into core.rate_deck (id, name, currency, rounding_mode,
		rounding_decimals)
	select pg_temp.id('dck', n), name, currency, mode, decimals from deck;
insert into core.exchange_rate (id, base, quote, rate_nano, effective_from)
	select pg_temp.id('fxr', row_number() over ()), base, quote,
		round(rate * 1000000000), at
	from (values ('USD', 'EUR', 0.92), ('EUR', 'USD', 1.087),
		('GBP', 'EUR', 1.16), ('EUR', 'GBP', 0.862),
		('USD', 'GBP', 0.79), ('GBP', 'USD', 1.26))
			as x (base, quote, rate),
		lateral (values (timestamptz '2026-01-01Z', rate),
			('2026-10-12Z', rate * 1.02)) as t (at, rate_then)
		cross join lateral (select t.rate_then as rate) r (r);

create temp table destination as
select row_number() over () as n, d.* from (values
	('49', 'Germany', 'DE', 'Germany', 'geographic', 14.0, 18),
	('4930', 'Germany Berlin', 'DE', 'Germany', 'geographic', 12.0, 14),
	('4989', 'Germany Munich', 'DE', 'Germany', 'geographic', 12.0, 9),
	('49151', 'Germany Mobile', 'DE', 'Telekom', 'mobile', 65.0, 12),
	('49172', 'Germany Mobile', 'DE', 'Vodafone', 'mobile', 66.0, 7),
	('44', 'United Kingdom', 'GB', 'United Kingdom', 'geographic', 11.0, 8),
	('4420', 'United Kingdom London', 'GB', 'United Kingdom',
		'geographic', 9.0, 6),
	('447', 'United Kingdom Mobile', 'GB', 'United Kingdom', 'mobile',
		32.0, 5),
	('1', 'United States', 'US', 'United States', 'geographic', 9.0, 7),
	('1212', 'United States New York', 'US', 'United States', 'geographic',
		8.0, 3),
	('33', 'France', 'FR', 'France', 'geographic', 13.0, 5),
	('336', 'France Mobile', 'FR', 'France', 'mobile', 45.0, 3),
	('39', 'Italy', 'IT', 'Italy', 'geographic', 15.0, 3),
	('393', 'Italy Mobile', 'IT', 'Italy', 'mobile', 58.0, 2),
	('34', 'Spain', 'ES', 'Spain', 'geographic', 12.0, 3),
	('346', 'Spain Mobile', 'ES', 'Spain', 'mobile', 41.0, 2),
	('43', 'Austria', 'AT', 'Austria', 'geographic', 17.0, 3),
	('436', 'Austria Mobile', 'AT', 'Austria', 'mobile', 60.0, 2),
	('41', 'Switzerland', 'CH', 'Switzerland', 'geographic', 21.0, 2),
	('417', 'Switzerland Mobile', 'CH', 'Switzerland', 'mobile', 160.0, 1),
	('31', 'Netherlands', 'NL', 'Netherlands', 'geographic', 14.0, 2),
	('316', 'Netherlands Mobile', 'NL', 'Netherlands', 'mobile', 50.0, 1),
	('48', 'Poland', 'PL', 'Poland', 'geographic', 16.0, 2),
	('46', 'Sweden', 'SE', 'Sweden', 'geographic', 12.0, 1),
	('47', 'Norway', 'NO', 'Norway', 'geographic', 13.0, 1),
	('61', 'Australia', 'AU', 'Australia', 'geographic', 19.0, 1),
	('91', 'India', 'IN', 'India', 'mobile', 16.0, 1),
	('86', 'China', 'CN', 'China', 'geographic', 12.0, 1),
	('81', 'Japan', 'JP', 'Japan', 'geographic', 22.0, 1),
	('55', 'Brazil', 'BR', 'Brazil', 'geographic', 24.0, 1),
	('90', 'Turkey', 'TR', 'Turkey', 'geographic', 35.0, 1),
	('53', 'Cuba', 'CU', 'Cuba', 'geographic', 780.0, 1))
	as d (prefix, destination, country, network, type, milli, weight);
create temp table destination_of as
	select row_number() over () - 1 as slot, n
	from destination, generate_series(1, weight);

-- Rates until the 15th, until the clock goes back on the 25th, and after; one
-- carrier's gets so dear that it is sold below cost.
create temp table rate as
select row_number() over () as n, d.n as deck, x.n as destination, x.prefix,
	x.destination as name, span.from_at, span.to_at, d.mode, d.decimals,
	d.first_ms, d.next_ms, d.currency,
	(round(x.milli * d.factor * span.factor * (case when d.n = 14
		and x.prefix = '49151' and span.k > 1 then 2.6 else 1 end)
		* (0.9 + 0.2 * pg_temp.draw(d.n * 100 + x.n, 1))::numeric, 2)
		* 1000000)::bigint as rate_nano,
	case when d.n = 2 then 5000 else 0 end as connect_micro
from deck d, destination x, (values
	(1, timestamptz '2026-01-01Z', timestamptz '2026-10-14 22:00Z', 1.0),
	(2, '2026-10-14 22:00Z', '2026-10-25 02:00Z', 0.93),
	(3, '2026-10-25 02:00Z', null, 1.04)) as span (k, from_at, to_at, factor);
insert into core.rate (deck_id, prefix, destination, rate_per_min_nano,
		connect_fee_micro, first_ms, next_ms, effective_from,
		effective_to)
	select pg_temp.id('dck', deck), prefix, name, rate_nano, connect_micro,
		first_ms, next_ms, from_at, to_at from rate;

insert into core.trunk (id, tenant_id, account_id, rate_deck_id, name, status,
		channels_total)
	select pg_temp.id('trk', 2 * w.n + k), w.tenant_id, w.account_id,
		pg_temp.id('dck', case w.currency when 'EUR' then 1
			when 'USD' then 2 else 3 end),
		case k when 0 then 'Office' else 'Contact centre' end,
		'active', 30 + 30 * k
	from world w, generate_series(0, 1) k;
insert into core.carrier (id, name, currency, rate_deck_id)
	select pg_temp.id('car', d.n - 10), substr(d.name, 5), d.currency,
		pg_temp.id('dck', d.n)
	from deck d where d.n > 10;
insert into core.gateway (id, carrier_id, name, address)
	select pg_temp.id('gwy', n), pg_temp.id('car', (n + 1) / 2),
		c.name || case n % 2 when 1 then ' A' else ' B' end,
		('198.51.100.' || n)::inet
	from generate_series(1, 12) n
		join core.carrier c on c.id = pg_temp.id('car', (n + 1) / 2);
insert into core.did (id, e164, tenant_id, trunk_id, carrier_id)
	select pg_temp.id('did', 3 * w.n + k), '+49305' || lpad((3 * w.n
		+ k)::text, 6, '0'), w.tenant_id, pg_temp.id('trk', 2 * w.n),
		pg_temp.id('car', 1 + (w.n + k) % 6)
	from world w, generate_series(0, 2) k;

-- The price of a rate for an account's taxes, as rating/price_json.c has it.
create function pg_temp.price(r rate, tax integer) returns jsonb
	language sql immutable as
$$
	select jsonb_build_object('steps', case when r.first_ms = r.next_ms
			then jsonb_build_array(jsonb_build_array(0, r.first_ms,
				r.rate_nano, false))
			else jsonb_build_array(jsonb_build_array(0, r.first_ms,
				r.rate_nano, false), jsonb_build_array(
				r.first_ms, r.next_ms, r.rate_nano, false))
			end,
		'is_tax_included', tax is not distinct from 2,
		'taxes', case tax
			when 1 then '[["USt DE", 190000]]'::jsonb
			when 2 then '[["VAT GB", 200000]]' else '[]' end,
		'connect_micro', r.connect_micro, 'attempt_micro', 0,
		'minimum_micro', 0, 'cap_micro', null, 'is_cap_cut', false,
		'is_reverse', false, 'free_ms', 0, 'exchange_nano', 1000000000,
		'mode', r.mode, 'decimals', r.decimals, 'duration', 'exact',
		'is_per_interval', false)
$$;
create temp table price as
	select r.n as rate, t.tax, pg_temp.price(r, t.tax) as price
	from rate r, (values (0), (1), (2)) as t (tax);

-- --- what happened --------------------------------------------------------

-- In order of time. The hour of the day is drawn so that nights are quiet: of
-- a day's calls a twentieth before seven, four fifths until six.
create temp table drawn as
select n, started_at, md5(:seed::text || '.' || n)::uuid as call_id,
	-- a few tenants are large
	1 + floor(50 * power(pg_temp.draw(n, 2), 1.8))::integer as tenant,
	case when pg_temp.draw(n, 3) < 0.62 then 0 else 1 end as trunk_k,
	case when pg_temp.draw(n, 4) < 0.80 then 'outbound'
		when pg_temp.draw(n, 4) < 0.94 then 'inbound'
		else 'onnet' end as direction,
	floor(pg_temp.draw(n, 5) * (select count(*) from destination_of))
		::bigint as slot,
	case when n % 25 = 7 then null
		when pg_temp.draw(n, 6) < 0.60 then 'ok'
		when pg_temp.draw(n, 6) < 0.70 then 'busy'
		when pg_temp.draw(n, 6) < 0.81 then 'no_answer'
		when pg_temp.draw(n, 6) < 0.90 then 'cancelled'
		when pg_temp.draw(n, 6) < 0.93 then 'declined'
		when pg_temp.draw(n, 6) < 0.96 then 'not_found'
		else 'carrier_congested' end as outcome,
	pg_temp.draw(n, 7) as dice,
	greatest(1, floor(-ln(1 - pg_temp.draw(n, 8)) * case
		when pg_temp.draw(n, 9) < 0.08 then 4000 else 165000 end))
		::bigint as duration_ms,
	(700 + floor(-ln(1 - pg_temp.draw(n, 10)) * 1600))::bigint as pdd_ms
from (select n, (date '2026-10-01' + floor(at)::integer)::timestamp
			at time zone 'UTC' + interval '1 day' * case
			when part < 0.05 then part / 0.05 * 7 / 24
			when part < 0.85 then (7 + (part - 0.05) / 0.8 * 11) / 24
			else (18 + (part - 0.85) / 0.15 * 6) / 24 end
			as started_at
	from generate_series(1, :base) n,
		lateral (select (n - 1) * 31.0 / :base as at) a,
		lateral (select a.at - floor(a.at) as part) p) t;

create temp table call as
select d.n, date_trunc('milliseconds', d.started_at) as started_at, d.call_id,
	w.tenant_id, w.account_id, w.currency, coalesce(w.tax, 0) as tax,
	pg_temp.id('trk', 2 * w.n + d.trunk_k) as trunk_id, d.direction,
	o.code as outcome, o.sip_code, o.q850, x.n as destination, x.prefix,
	x.destination as destination_name, x.country, x.network, x.type,
	o.is_answered, d.pdd_ms, least(d.duration_ms, 14400000) as duration_ms,
	-- within a minute of one call in forty nobody heard all
	case when d.dice < 0.025 then 0.04 else 0.001 end as loss,
	-- how many carriers were asked
	case when d.direction <> 'outbound' or o.is_ours then 0
		when d.dice > 0.9 then 2 else 1 end as attempts,
	1 + (x.n * 7 + case when d.dice > 0.6 then 3 else 0 end) % 12 as gateway,
	1 + (x.n * 7 + 5) % 12 as first_gateway,
	'+4930' || lpad((hashint8(d.n) & 16383)::text, 7, '0') as calling,
	case d.direction when 'outbound' then '+' || x.prefix || lpad((hashint8(
		d.n + 17) & 8388607)::text, 8, '0') else '+49305' || lpad((3
		* w.n + d.n % 3)::text, 6, '0') end as called,
	case when d.direction = 'inbound' then pg_temp.id('did', 3 * w.n
		+ d.n % 3) end as did_id
from drawn d
join world w on w.n = d.tenant
join destination_of s on s.slot = d.slot
join destination x on x.n = s.n
join outcome o on case when d.outcome is not null then o.code = d.outcome
	else o.n = (d.n / 25) % (select count(*) from outcome) end;
drop table drawn;

-- What outbound calls that asked a carrier were sold and bought for; of those
-- that nobody answered the rate is known and the price nothing.
create temp table charged as
select c.n, c.started_at, c.call_id, side.name as side, c.account_id,
	case when side.name = 'buy' then pg_temp.id('car', (c.gateway + 1) / 2)
		end as carrier_id,
	case side.name when 'buy' then c.attempts else 0 end as attempt,
	r.currency, r.deck, r.prefix, r.name as destination, r.rate_nano,
	r.connect_micro, r.first_ms, r.next_ms, r.mode, r.decimals,
	case when c.is_answered then b.billed_ms else 0 end as billed_ms,
	case when c.is_answered then t.net else 0 end as net,
	case when c.is_answered then t.gross else 0 end as gross, p.price,
	c.duration_ms, c.tax, c.is_answered, 0::bigint as covered_ms,
	0::bigint as covered_micro, null::jsonb as packages, c.prefix as called
from call c
cross join (values ('sell'), ('buy')) as side (name)
join rate r on r.deck = case side.name
		when 'buy' then 10 + (c.gateway + 1) / 2
		else case c.currency when 'EUR' then 1 when 'USD' then 2
			else 3 end end
	and r.destination = c.destination and r.from_at <= c.started_at
	and (r.to_at is null or r.to_at > c.started_at)
join price p on p.rate = r.n
	and p.tax = case side.name when 'buy' then 0 else c.tax end
cross join lateral (select r.first_ms + (greatest(0, c.duration_ms - r.first_ms)
	+ r.next_ms - 1) / r.next_ms * r.next_ms as billed_ms) b
cross join lateral (select pg_temp.rounded(r.rate_nano::numeric * b.billed_ms
	+ 60000000::numeric * r.connect_micro, 60000000, r.mode, r.decimals)
	as amount) a
cross join lateral (select case when p.tax <> 2 then a.amount
		else a.amount - least(a.amount, pg_temp.rounded(a.amount
			* 200000::numeric, 1200000, r.mode, r.decimals)) end
			as net,
	case when p.tax <> 1 then a.amount else a.amount
		+ pg_temp.rounded(a.amount * 190000::numeric, 1000000, r.mode,
			r.decimals) end as gross) t
where c.attempts > 0;

\if :packages
\ir month_packages.sql
\endif

create temp table recorded (like cdr.record);
insert into recorded (started_at, call_id, attempt, node, version, direction,
	tenant_id, account_id, trunk_id, did_id, carrier_id, gateway_id,
	is_emergency, is_onnet, calling_received, calling, calling_sent,
	called_received, called, called_sent, ringing_at, answered_at, ended_at,
	pdd_ms, setup_ms, duration_ms, outcome, initiator, sip_code, q850,
	codec, a_packets, a_bytes, a_lost, a_jitter_us, b_packets, b_bytes,
	b_lost, b_jitter_us, price_micro, cost_micro, currency, cost_currency,
	billed_ms, rate_prefix, rate_destination, rate_per_min_nano,
	connect_fee_micro, first_ms, next_ms, called_country, called_network,
	called_type, b_sip_code, b_q850)
select c.started_at, c.call_id, k, 'sw1', '0.1.0', c.direction, c.tenant_id,
	c.account_id, c.trunk_id, c.did_id,
	case when k > 0 or c.attempts > 0 then pg_temp.id('car',
		(g.gateway + 1) / 2) end,
	case when k > 0 or c.attempts > 0 then pg_temp.id('gwy', g.gateway) end,
	false, c.direction = 'onnet', c.calling, c.calling,
	case when c.attempts > 0 then c.calling end, substr(c.called, 2),
	c.called, case when c.attempts > 0 then c.called end,
	case when m.is_rung then c.started_at + interval '1 ms' * m.pdd_ms end,
	case when m.is_answered then c.started_at + interval '1 ms'
		* (m.pdd_ms + 4000) end,
	c.started_at + interval '1 ms' * (case when not m.is_last then 900
		when m.is_rung then m.pdd_ms + 4000 else 40 end
		+ case when m.is_answered then c.duration_ms else 0 end),
	case when m.is_rung then m.pdd_ms end,
	case when m.is_answered then m.pdd_ms + 4000 end,
	case when m.is_answered then c.duration_ms end,
	case when m.is_last then c.outcome else 'carrier_congested' end,
	case when c.outcome = 'cancelled' then 'calling' else 'called' end,
	case when m.is_last then c.sip_code else 503 end,
	case when m.is_last then c.q850 else 42 end,
	case when k = 0 and m.is_answered then 'PCMA/8000' end,
	p.packets, p.packets * 172, floor(p.packets * c.loss), 2500,
	p.packets, p.packets * 172, floor(p.packets * c.loss / 2), 1800,
	s.gross, b.gross, s.currency, b.currency, s.billed_ms, s.prefix,
	s.destination, s.rate_nano, s.connect_micro, s.first_ms, s.next_ms,
	c.country, c.network, c.type,
	case when k = 0 and c.attempts > 0 then c.sip_code end,
	case when k = 0 and c.attempts > 0 then c.q850 end
from call c
cross join generate_series(0, c.attempts) k
cross join lateral (select k in (0, c.attempts) as is_last,
	(c.is_answered or c.outcome in ('busy', 'no_answer', 'declined',
		'cancelled')) and k in (0, c.attempts) as is_rung,
	c.is_answered and k in (0, c.attempts) as is_answered,
	c.pdd_ms + case when k = 0 and c.attempts = 2 then 900 else 0 end
		as pdd_ms) m
cross join lateral (select case when m.is_last then c.gateway
	else c.first_gateway end as gateway) g
cross join lateral (select case when k = 0 and m.is_answered
	then c.duration_ms / 20 end as packets) p
left join charged s on s.n = c.n and s.side = 'sell' and k = 0
left join charged b on b.n = c.n and b.side = 'buy' and k = 0
	and b.is_answered
order by c.n, k;

create temp table charge_of (like cdr.charge);
insert into charge_of (started_at, call_id, attempt, side, account_id,
	carrier_id, amount_micro, currency, deck_id, deck_version, prefix,
	destination, rate_per_min_nano, connect_fee_micro, first_ms, next_ms,
	rounding_mode, rounding_decimals, billed_ms, net_micro, tax_micro,
	covered_ms, covered_micro, packages, price)
select c.started_at, c.call_id, c.attempt, c.side,
	case c.side when 'sell' then c.account_id end, c.carrier_id, c.gross,
	c.currency, pg_temp.id('dck', c.deck), 1, c.prefix, c.destination,
	c.rate_nano, c.connect_micro, c.first_ms, c.next_ms, c.mode,
	c.decimals, c.billed_ms, c.net, case when c.side = 'sell'
		and c.tax > 0 then array[c.gross - c.net] else '{}' end,
	c.covered_ms, nullif(c.covered_micro, 0), c.packages, c.price
from charged c where c.is_answered order by c.n;

-- The k-th copy of a call has an id of its own, and times a moment later.
create function pg_temp.copy_id(id uuid, k integer) returns uuid
	language sql immutable parallel safe as
$$ select case when k = 0 then id else md5(id::text || k)::uuid end $$;
create function pg_temp.copy_list(of regclass) returns text
	language sql stable as
$$
	select string_agg(case when attname = 'call_id'
			then 'pg_temp.copy_id(call_id, k) as call_id'
		when atttypid = 'timestamptz'::regtype
			then attname || ' + k * interval ''1 ms'' as ' || attname
		else attname end, ', ' order by attnum)
	from pg_attribute where attrelid = $1 and attnum > 0
		and not attisdropped
$$;

-- By the way of the loader when they are few; a month of millions becomes a
-- partition whole.
select cdr.ensure_partitions('2026-10-01Z', '2026-10-02Z');
\if :is_bulk
create function pg_temp.attach(parent text, rows text, copies integer)
	returns void language plpgsql as
$$
declare
	month text := parent || '_2026_10';
	needed text;
begin
	execute format('alter table cdr.%I detach partition cdr.%I', parent,
		month);
	execute format('drop table cdr.%I', month);
	-- in the order of time, as a loader writes them
	execute format('create table cdr.%I as select %s from (select r.*, '
		'generate_series(0, %s) as k from (select * from %I '
		'order by started_at) r) c', month, pg_temp.copy_list(rows),
		copies - 1, rows);
	select string_agg('alter ' || attname || ' set not null', ', ')
		into needed from pg_attribute
		where attrelid = ('cdr.' || parent)::regclass and attnotnull
			and attnum > 0;
	execute format('alter table cdr.%I %s%s', month, needed,
		case parent when 'charge' then ', add constraint '
			'charge_side_check check (side in (''sell'', ''buy''))'
		else '' end);
	execute format('alter table cdr.%I attach partition cdr.%I for values '
		'from (''2026-10-01Z'') to (''2026-11-01Z'')', parent, month);
end
$$;
select pg_temp.attach('record', 'recorded', :copies),
	pg_temp.attach('charge', 'charge_of', :copies);
\else
insert into cdr.record table recorded;
insert into cdr.charge table charge_of;
\endif
\if :packages
select core.package_settle('sw1', array(select c from cdr.charge c
	where c.packages is not null order by c.started_at, c.call_id));
\endif

-- --- what it did to the accounts ------------------------------------------

-- A payment before the month and one in it, of prepaid accounts larger ones;
-- what the calls came to is posted a minute after each ended.
create temp table posting as
select row_number() over (order by at, n, call_id, k) as id, account_id, kind,
	amount, at + k * interval '1 ms' as at, currency,
	pg_temp.copy_id(call_id, k) as call_id, note
from generate_series(0, :copies - 1) k, (select 0 as n, w.account_id, 'payment' as kind,
		case when w.n % 3 = 0 then greatest(0, coalesce(u.sum, 0))
			+ 50000000 else 20000000 * w.n end as amount,
		timestamptz '2026-09-28 09:00Z' + w.n * interval '1 minute'
			as at, w.currency, null::uuid as call_id,
		'Bank transfer' as note
	from world w left join (select account_id, sum(gross)::bigint as sum
		from charged where side = 'sell' group by 1) u using (account_id)
	union all
	select 1, w.account_id, 'payment', 10000000, timestamptz
		'2026-10-16 10:00Z' + w.n * interval '1 minute', w.currency,
		null, 'Bank transfer'
	from world w where w.n % 2 = 0
	union all
	select 2, w.account_id, 'adjustment', -2500000, '2026-10-20 12:00Z',
		w.currency, null, 'Paper copies'
	from world w where w.n % 17 = 0
	union all
	select 3, w.account_id, 'refund', 1500000, '2026-10-21 12:00Z',
		w.currency, null, 'Goodwill'
	from world w where w.n % 19 = 0
	union all
	select 4, c.account_id, 'usage', -c.gross, c.started_at + interval '1 ms'
		* c.duration_ms + interval '1 minute', c.currency, c.call_id,
		null
	from charged c where c.side = 'sell' and c.gross > 0) p;
\if :is_bulk
set local session_replication_role = replica;
\endif
insert into core.ledger_posting (account_id, kind, amount_micro,
		balance_after_micro, currency, call_id, attempt, note,
		created_at)
	select account_id, kind, amount, sum(amount) over (
		partition by account_id order by id)::bigint, currency, call_id,
		case when call_id is not null then 0 end, note, at
	from posting order by id;
set local session_replication_role = default;
update core.account a set balance_micro = s.sum,
		overspent_micro = greatest(0, -s.sum - a.credit_limit_micro)
	from (select account_id, sum(amount)::bigint as sum from posting
		group by 1) s
	where a.id = s.account_id;

-- What the rules of fraud said
insert into core.event (id, kind, at, node, tenant_id, object_id, data)
	select md5(:seed::text || ' event ' || k)::uuid,
		(array['fraud.warned', 'fraud.limited', 'fraud.locked',
			'spend.warned'])[1 + k % 4],
		timestamptz '2026-10-02 03:00Z' + k * interval '37 hours',
		'sw1', w.tenant_id, case when k % 4 < 3
			then pg_temp.id('trk', 2 * w.n) else w.account_id end,
		case when k % 4 < 3 then jsonb_build_object('metric',
			'different_numbers', 'count', 40 + k, 'called',
			'+53' || 71000000 + k) else '{}' end
	from generate_series(1, 18) k join world w on w.n = 1 + k * 7 % 50;
commit;
