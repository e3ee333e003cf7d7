-- What reports are made of: measures, and roll-ups that are what records and
-- charges come to, whatever brings or deletes them.
begin;
select no_plan();
\ir fixture/world.sql
delete from cdr.retention_rule;

-- measures
select is(report.asr(3, 4), 75.00, 'answered of all');
select is(report.asr(0, 0), null, 'of nothing there is no ratio');
select is(report.acd_s(90000, 2), 45.0);
select is(report.ner(5, 8), 62.50);
select ok(report.is_delivered('busy', false)
	and report.is_delivered('no_answer', true)
	and report.is_delivered('declined', false)
	and report.is_delivered('cancelled', true), 'E.425: of the terminal');
select ok(not report.is_delivered('cancelled', false)
	and not report.is_delivered('not_found', true)
	and not report.is_delivered('carrier_congested', true),
	'or not: given up before it rang, misdialled, refused on the way');
select is(report.margin_percent(200, 150), 25.00);
select is(report.pdd_p95_s(100, array[50, 90, 100, 100, 100, 100]), 2.50,
	'half of the way from 2 s to 3 s');
select is(report.pdd_p95_s(100, array[0, 0, 0, 0, 0, 50]), 12::numeric,
	'beyond the last class');
select is(report.pdd_p95_s(0, array[0, 0, 0, 0, 0, 0]), null);
-- R = 93.2 without losses; with 2 % 93.2 - 95 * 2 / (2 + 25.1) = 86.19
select is(report.mos_milli(100, 0, 100, 0, 'PCMA/8000'), 4409);
select is(report.mos_milli(98, 2, 100, 0, 'PCMU/8000'), 4235,
	'the worse direction');
select is(report.mos_milli(100, 0, null, null, 'G729/8000'), 4104);
select is(report.mos_milli(0, 0, null, null, 'PCMA/8000'), null, 'no media');
select is(report.hour_up('2030-01-01 10:00Z'), '2030-01-01 10:00Z');
select is(report.hour_up('2030-01-01 10:00:00.001Z'), '2030-01-01 11:00Z');

-- what a loader does for a call with n attempts
create function pg_temp.load(n integer, at timestamptz, outcome text,
	price bigint default null) returns void language plpgsql as
$$
declare
	id uuid := lpad(n::text, 32, '0')::uuid;
begin
	insert into cdr.record (started_at, call_id, attempt, tenant_id,
			account_id, trunk_id, carrier_id, gateway_id, direction,
			rate_prefix, rate_destination, called_country, outcome,
			sip_code, ringing_at, answered_at, duration_ms, pdd_ms,
			currency, cost_currency, a_packets, a_lost, codec)
		select at, id, k, pg_temp.id('ten', 1), pg_temp.id('acc', 1),
			pg_temp.id('trk', 1), pg_temp.id('car', 1),
			pg_temp.id('gwy', 1), 'outbound', case when k = 0
			then '49' end, case when k = 0 then 'Germany' end, 'DE',
			outcome, 200, at, case when price is not null then at end,
			case when price is not null then 30000 end, 1500,
			case when k = 0 then 'EUR' end,
			case when k = 0 and price is not null then 'EUR' end,
			case when k = 0 then 100 end, 0, 'PCMA'
		from generate_series(0, 1) k;
	if price is not null then
		insert into cdr.charge (started_at, call_id, attempt, side,
			account_id, carrier_id, amount_micro, net_micro,
			tax_micro, currency, billed_ms, price)
		values (at, id, 0, 'sell', pg_temp.id('acc', 1), null,
			price * 119 / 100, price, array[price * 19 / 100], 'EUR',
			60000, '{"taxes": [["VAT", 190000]]}'),
		(at, id, 1, 'buy', null, pg_temp.id('car', 1), price / 2,
			price / 2, '{}', 'EUR', 30000, '{"taxes": []}');
	end if;
end
$$;
create function pg_temp.sums() returns text language sql as
$$
	select format('%s %s %s %s %s %s', sum(calls), sum(answered),
		sum(delivered), sum(revenue_micro), sum(tax_micro),
		sum(cost_micro))
	from report.traffic(false, '2030-01-01Z', '2030-04-01Z', '', '', '',
		'', '', '')
$$;
select cdr.ensure_partitions('2030-01-01Z', '2030-04-01Z');
select pg_temp.load(1, '2030-01-10 10:00Z', 'ok', 1000);
select pg_temp.load(2, '2030-01-10 10:59:59.999Z', 'ok', 2000);
select pg_temp.load(3, '2030-01-10 11:00Z', 'busy');
select pg_temp.load(4, '2030-03-10 11:00Z', 'not_found');
select is(pg_temp.sums(), '4 2 3 3000 570 1500', 'calls and their money');
select results_eq($$ select hour, calls, answered, revenue_micro, cost_micro,
	sold, bought from report.hour h join report.dimension d
	on d.id = h.dimension_id where not is_attempt order by hour limit 1 $$,
	$$ values ('2030-01-10 10:00Z'::timestamptz, 2, 2, 3000::bigint,
	1500::bigint, 2, 2) $$, 'alike calls of an hour are one row');
select is((select sum(calls) from report.traffic(true, '2030-01-01Z',
	'2030-04-01Z', '', '', '', '', '', '')), 4::numeric, 'attempts are apart');
select results_eq($$ select name, ppm, base_micro, tax_micro
	from report.tax_hour $$,
	$$ values ('VAT', 190000, 3000::bigint, 570::bigint) $$);
select is_empty($$ select * from report.differences('2030-01-01Z',
	'2030-04-01Z') $$, 'the roll-up is what the records come to');

-- rated again: the new price counts instead of the old one
select pg_temp.load(6, '2030-01-10 10:20Z', 'ok', 4000);
create function pg_temp.revise(revision integer, net bigint) returns void
	language sql as
$$
	insert into cdr.charge_revision (started_at, call_id, attempt, side,
		account_id, amount_micro, net_micro, tax_micro, currency,
		billed_ms, price, revision, rerate_id)
	values ('2030-01-10 10:20Z', lpad('6', 32, '0')::uuid, 0, 'sell',
		pg_temp.id('acc', 1), net * 119 / 100, net,
		array[net * 19 / 100], 'EUR', 60000,
		'{"taxes": [["VAT", 190000]]}', revision, 'x')
$$;
select is(pg_temp.sums(), '5 3 4 7000 1330 3500', 'before it');
select pg_temp.revise(1, 1000);
select is(pg_temp.sums(), '5 3 4 4000 760 3500');
select pg_temp.revise(2, 3000);
select is(pg_temp.sums(), '5 3 4 6000 1140 3500', 'the newest counts');
select results_eq($$ select sum(charges), sum(base_micro), sum(tax_micro)
	from report.tax_hour $$,
	$$ values (3::bigint, 6000::numeric, 1140::numeric) $$, 'in taxes, too');
select is((select sum(sold) from report.traffic(false, '2030-01-01Z',
	'2030-04-01Z', '', '', '', '', '', '')), 3::numeric, 'as one sale');
select is_empty($$ select * from report.differences('2030-01-01Z',
	'2030-04-01Z') $$, 'counted anew, the same');
select is((select sum(revenue_micro) from report.traffic(false,
	'2030-01-10 10:10Z', '2030-01-10 10:30Z', '', '', '', '', '', '')),
	3000::numeric, 'and within an hour');
select pg_temp.revise(3, 0);

-- parts of hours are from the records
select is((select sum(calls) from report.traffic(false,
	'2030-01-10 10:00:00.001Z', '2030-01-10 11:00:00.001Z', '', '', '', '',
	'', '')), 3::numeric, 'within two hours');
select is((select sum(revenue_micro) from report.traffic(false,
	'2030-01-10 10:30Z', '2030-01-10 10:59:59.999Z', '', '', '', '', '',
	'')),
	null, 'within one');
select is((select sum(revenue_micro) from report.traffic(false,
	'2030-01-10 10:30Z', '2030-01-10 11:00Z', '', '', '', '', '', '')),
	2000::numeric, 'until its end');

-- filters
select is((select sum(calls) from report.traffic(false, '2030-01-01Z',
	'2030-04-01Z', pg_temp.id('ten', 2), '', '', '', '', '')), null,
	'another tenant');
select is((select sum(calls) from report.traffic(false, '2030-01-01Z',
	'2030-04-01Z', pg_temp.id('ten', 1), pg_temp.id('trk', 1),
	pg_temp.id('car', 1), 'outbound', 'EUR', '')), 5::numeric);

-- what comes twice, or not at all
select throws_ok($$ select pg_temp.load(2, '2030-01-10 10:59:59.999Z', 'ok',
	2000) $$, '23505', null, 'a record comes again and is refused');
insert into cdr.record (started_at, call_id, attempt, tenant_id)
	select '2030-01-10 10:00Z', lpad('1', 32, '0')::uuid, 0,
		pg_temp.id('ten', 1)
	on conflict do nothing;
select is(pg_temp.sums(), '5 3 4 3000 570 3500', 'and counts once');
select report.rebuild('2030-01-10 10:00Z', '2030-01-10 12:00Z');
select is(pg_temp.sums(), '5 3 4 3000 570 3500', 'counted anew, the same');
select throws_ok($$ select report.rebuild('2030-01-10 10:30Z') $$, '22023');

-- a cost in another currency, by the rate of its hour
insert into core.exchange_rate (id, base, quote, rate_nano, effective_from)
	values (pg_temp.id('fxr', 1), 'USD', 'EUR', 500000000, '2030-01-01Z'),
	(pg_temp.id('fxr', 2), 'USD', 'EUR', 250000000, '2030-03-01Z');
insert into cdr.charge (started_at, call_id, attempt, side, carrier_id,
	amount_micro, currency) values ('2030-03-10 11:00Z', lpad('4', 32,
	'0')::uuid, 1, 'buy', pg_temp.id('car', 2), 1000, 'USD');
select results_eq($$ select cost_micro, cost_sold, calls from report.traffic(
	false, '2030-03-01Z', '2030-04-01Z', '', '', '', '', '', '')
	where cost_currency = 'USD' $$,
	$$ values (1000::bigint, 250::numeric, 0::bigint) $$);

-- retention takes records, not what they were counted as; a journal that is
-- replayed brings them again, and they do not count twice
insert into cdr.retention_rule (id, class, keep_days) values
	('crr_' || repeat('1', 26), 'unanswered', 10),
	('crr_' || repeat('2', 26), 'attempt', 10);
create function pg_temp.retain() returns bigint language plpgsql as
$$
declare
	n bigint; total bigint := 0;
begin
	loop
		n := cdr.retain('2030-02-01Z', 2);
		exit when n = 0;
		total := total + n;
	end loop;
	return total;
end
$$;
select is(pg_temp.retain(), 5::bigint, 'a call and four attempts go');
select is(pg_temp.sums(), '5 3 4 3000 570 4500', 'the counts stay');
select pg_temp.load(3, '2030-01-10 11:00Z', 'busy');
select is(pg_temp.sums(), '5 3 4 3000 570 4500', 'it was counted before');
select pg_temp.load(5, '2030-01-30 11:00Z', 'busy');
select is(pg_temp.sums(), '6 3 5 3000 570 4500', 'what is new is new');

-- where a number of somebody else has sent a call on, a tenant does not see
create function pg_temp.load_forward(n integer, trunk text) returns void
	language sql as
$$
	insert into cdr.record (started_at, call_id, attempt, tenant_id,
		account_id, trunk_id, did_id, carrier_id, gateway_id, direction,
		rate_prefix, rate_destination, called_country, called_network,
		called_type, outcome, answered_at, duration_ms, currency,
		diverting_trunk_id)
	select '2030-02-10 10:00Z', lpad(n::text, 32, '0')::uuid, k,
		pg_temp.id('ten', 1), pg_temp.id('acc', 1), pg_temp.id('trk', 1),
		pg_temp.id('did', 1), pg_temp.id('car', 1), pg_temp.id('gwy', 1),
		'onnet', '49', 'Germany', 'GB', 'Vodafone', 'mobile', 'ok',
		'2030-02-10 10:00Z', 30000, 'EUR', trunk
	from generate_series(0, 2) k;
	insert into cdr.charge (started_at, call_id, attempt, side, account_id,
		amount_micro, currency, prefix, destination)
	select '2030-02-10 10:00Z', lpad(n::text, 32, '0')::uuid, k, 'sell',
		pg_temp.id('acc', a), 10 * a, c, p, d
	from (values (0, 1, 'EUR', '49', 'Germany'),
		(2, 2, 'USD', '44', 'Britain')) v (k, a, c, p, d)
$$;
create function pg_temp.seen(tenant text, viewer text,
	until timestamptz default '2030-02-10 11:00Z') returns text language sql as
$$
	select string_agg(concat_ws(' ', destination, is_there, calls, revenue),
		', ' order by destination, is_there, calls, revenue)
	from (select destination, concat_ws('/', nullif(did_id, ''),
			nullif(carrier_id, ''), nullif(gateway_id, ''),
			nullif(country, ''), nullif(network, ''),
			nullif(number_type, '')) as is_there,
			sum(calls) as calls, sum(revenue_micro) as revenue
		from report.traffic(false, '2030-02-10 10:00Z', until, tenant, '',
			'', '', '', viewer) group by 1, 2) x
$$;
create function pg_temp.there() returns text language sql immutable as
$$
	select concat_ws('/', pg_temp.id('did', 1), pg_temp.id('car', 1),
		pg_temp.id('gwy', 1), 'GB', 'Vodafone', 'mobile')
$$;
select pg_temp.load_forward(7, pg_temp.id('trk', 2));
select is(pg_temp.seen(pg_temp.id('ten', 1), pg_temp.id('ten', 1)),
	'Germany  1 10', 'who called sees that it did, and what it paid');
select is(pg_temp.seen(pg_temp.id('ten', 1), pg_temp.id('ten', 1),
	'2030-02-10 10:30Z'), 'Germany  1 10', 'also within an hour');
select is(pg_temp.seen(pg_temp.id('ten', 2), pg_temp.id('ten', 2)),
	'Britain ' || pg_temp.there() || ' 0 20',
	'who sent it on sees where to, by its own rate');
select is(pg_temp.seen(pg_temp.id('ten', 1), ''),
	'Germany ' || pg_temp.there() || ' 1 10', 'the platform sees all');
select is((select count(*) from report.traffic(true, '2030-02-10 10:00Z',
	'2030-02-10 11:00Z', pg_temp.id('ten', 1), '', '', '', '',
	pg_temp.id('ten', 1)) where country <> '' or carrier_id <> ''), 0::bigint,
	'nor of attempts');
select pg_temp.load_forward(8, pg_temp.id('trk', 1));
select is(pg_temp.seen(pg_temp.id('ten', 1), pg_temp.id('ten', 1)),
	'Germany  1 10, Germany ' || pg_temp.there() || ' 1 10',
	'what its own trunk sent on it sees');
select pg_temp.load_forward(9, pg_temp.id('trk', 99));
select is(pg_temp.seen(pg_temp.id('ten', 1), pg_temp.id('ten', 1)),
	'Germany  2 20, Germany ' || pg_temp.there() || ' 1 10',
	'a trunk that is not known any more is somebody else''s');
select is_empty($$ select * from report.differences('2030-02-10Z',
	'2030-02-11Z') $$);
update core.tenant set parent_id = pg_temp.id('ten', 1)
	where id = pg_temp.id('ten', 2);
select is(pg_temp.seen(pg_temp.id('ten', 1), pg_temp.id('ten', 1)),
	'Britain  0 20, Britain ' || pg_temp.there() || ' 0 40, Germany  1 10, '
	'Germany ' || pg_temp.there() || ' 2 20',
	'a tenant below it is no stranger');

select * from finish();
rollback;
