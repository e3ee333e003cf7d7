-- Packages of the tenants of month.sql, and what its calls use of them, in their
-- order and with arithmetic of its own: fifty minutes a month to Germany and
-- Britain by whole minutes, or two minutes a day of which one may wait a day;
-- and of every second tenant two units of its currency a month for what is left.
insert into core.zone (id, name, prefixes) values
	(pg_temp.id('zon', 1), 'Near', '{49,44}');
create temp table package as
select p.*, c.k, c.currency, p.n * 10 + c.k as id
from (values (1, 'Fifty minutes', 'minutes', 'month', 60000, 3000000),
	(2, 'Two minutes a day', 'minutes', 'day', 1000, 120000),
	(3, 'Credit', 'money', 'month', 1, 2000000))
		as p (n, name, kind, period, step, granted),
	(values (0, 'EUR'), (1, 'USD'), (2, 'GBP')) as c (k, currency);
insert into core.package (id, name, currency, kind, period, seconds,
		money_micro, increment_ms, zone_ids, carry_periods,
		carry_seconds)
	select pg_temp.id('pkg', id), name, currency, kind, period,
		case kind when 'minutes' then granted / 1000 end,
		case kind when 'money' then granted end, step,
		case n when 1 then array[pg_temp.id('zon', 1)] else '{}' end,
		case n when 2 then 1 else 0 end,
		case n when 2 then 60 end
	from package;
create temp table owned as
select w.n * 10 + p.n as id, w.n as tenant, w.account_id, p.n, p.kind, p.period,
	p.step, p.granted, p.id as package, case w.currency
		when 'USD' then 'America/New_York'
		when 'GBP' then 'Europe/London' else 'Europe/Berlin' end as zone
from world w join package p on p.currency = w.currency
where case p.n when 3 then w.n % 2 = 0 else w.n % 3 = p.n end;
insert into core.subscription (id, package_id, tenant_id, account_id,
		starts_at)
	select pg_temp.id('sub', id), pg_temp.id('pkg', package),
		pg_temp.id('ten', tenant), account_id, '2026-09-01Z' from owned;

-- Periods of the month, wherever they begin
create temp table used as
select o.*, b.number, b.starts, b.starts_next, 0::bigint as units,
	0::bigint as carried
from owned o cross join lateral (select extract(year from l) * 12
		+ extract(month from l) - 1 as number, l at time zone o.zone
		as starts, (l + interval '1 month') at time zone o.zone
		as starts_next
	from generate_series(timestamp '2026-09-01', '2026-11-01',
		interval '1 month') l where o.period = 'month'
	union all select l::date - date '1970-01-01', l at time zone o.zone,
		(l + interval '1 day') at time zone o.zone
	from generate_series(timestamp '2026-09-30', '2026-11-01',
		interval '1 day') l where o.period = 'day') b;
insert into core.package_balance (subscription_id, period, starts_at, ends_at,
		usable_to, carry_max)
	select pg_temp.id('sub', id), number, starts, starts_next,
		case n when 2 then lead(starts_next, 1, starts_next
			+ interval '1 day') over (partition by id
			order by number) else starts_next end,
		case n when 2 then 60000 end
	from used on conflict do nothing;
select core.package_book(pg_temp.id('sub', id), number::integer, 'grant',
	granted) from used where starts < '2026-11-01 12:00Z';

do $$
declare
	c record;
	u record;
	room bigint;
	paid bigint;
	had jsonb;
	minutes bigint;
	money bigint;
	amount bigint;
begin
	for c in select x.*, x.ctid as at_row from charged x
			where x.side = 'sell' and x.is_answered
			order by x.started_at, x.call_id loop
		had := '[]';
		minutes := 0;
		money := 0;
		amount := null;
		-- yesterday's rest before today's, money last
		for u in select x.*, x.starts_next <= c.started_at as is_later
				from used x where x.account_id = c.account_id
				and x.starts <= c.started_at
				and (x.starts_next > c.started_at or x.n = 2
					and exists (select from used t
					where t.id = x.id
					and t.number = x.number + 1
					and t.starts_next > c.started_at))
				and (x.n <> 1 or c.called like '49%'
					or c.called like '44%')
				order by x.n, x.number loop
			room := u.granted - u.units;
			if u.is_later then
				room := least(room, 60000 - u.carried);
			end if;
			if u.kind = 'money' then
				amount := coalesce(amount, pg_temp.rounded(
					c.rate_nano::numeric * (c.billed_ms
						- minutes) + 60000000::numeric
						* c.connect_micro, 60000000,
					c.mode, c.decimals));
				paid := least(room, amount);
				money := money + paid;
				room := paid;
			else
				paid := least(c.billed_ms - minutes, room
					- room % u.step);
				minutes := minutes + paid;
				room := (paid + u.step - 1) / u.step * u.step;
			end if;
			continue when room = 0;
			had := had || jsonb_build_object('subscription_id',
				pg_temp.id('sub', u.id), 'period', u.number,
				'is_carried', u.is_later, 'kind', u.kind,
				'increment_ms', u.step, 'units', room,
				'covered', paid);
			update used x set units = x.units + room, carried
				= x.carried + case when u.is_later then room
				else 0 end
				where x.id = u.id and x.number = u.number;
		end loop;
		continue when had = '[]';
		amount := coalesce(amount, pg_temp.rounded(c.rate_nano::numeric
			* (c.billed_ms - minutes) + 60000000::numeric
			* c.connect_micro, 60000000, c.mode, c.decimals)) - money;
		update charged x set billed_ms = c.billed_ms - minutes,
			covered_ms = minutes, covered_micro = money,
			packages = had,
			net = case when c.tax <> 2 then amount else amount
				- least(amount, pg_temp.rounded(amount
					* 200000::numeric, 1200000, c.mode,
					c.decimals)) end,
			gross = case when c.tax <> 1 then amount else amount
				+ pg_temp.rounded(amount * 190000::numeric,
					1000000, c.mode, c.decimals) end
			where x.ctid = c.at_row;
	end loop;
end
$$;
