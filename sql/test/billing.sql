-- Charges that recur or come once: posted once each, by days, with taxes.
begin;
select no_plan();
\ir fixture/world.sql
create function pg_temp.acc(n integer) returns text language sql immutable as
	$$ select pg_temp.id('acc', n) $$;
insert into core.tax_profile (id, name, is_included, lines) values
	(pg_temp.id('tax', 1), 'On top', false,
		'[{"name": "VAT", "percent": "19"}]'),
	(pg_temp.id('tax', 2), 'Within', true,
		'[{"name": "VAT", "percent": "20"}, {"name": "Fund",
		"percent": "5", "countries": ["US"]}]');
update core.tenant set tax_profile_id = pg_temp.id('tax', 1),
	time_zone = 'Europe/Berlin', country = 'DE'
	where id = pg_temp.id('ten', 1);
create function pg_temp.charge(n integer, amount bigint, starts date,
	ends date, paid text, every text default 'month', q integer default 1)
	returns void language sql as
$$
	insert into billing.charge (id, account_id, kind, name, amount_micro,
		quantity, every, paid, starts_on, ends_on)
	values (pg_temp.id('chg', n), pg_temp.acc(1), 'service', 'C' || n,
		amount, q, every, paid, starts, ends)
$$;
create function pg_temp.posted() returns table (c text, amount bigint,
	net bigint, gross bigint, f date, l date, bill date) language sql as
$$
	select b.description, b.amount_micro, b.net_micro, -p.amount_micro,
		b.from_on, b.to_on, b.bill_on
	from billing.posting b join core.ledger_posting p on p.id = b.posting_id
	where b.account_id = pg_temp.acc(1) order by b.posting_id
$$;

-- refusals
select throws_ok($$ select pg_temp.charge(9, -1, '2026-11-01', null,
	'advance') $$, '23514');
select throws_ok($$ select pg_temp.charge(9, 1, '2026-11-03', '2026-11-01',
	'advance') $$, '23514');
select throws_ok($$ select pg_temp.charge(9, 1, '2026-11-03', '2026-11-09',
	'advance', 'once') $$, '23514');
select throws_ok($$ insert into billing.charge (id, account_id, kind, did_id,
	name, amount_micro, starts_on) values (pg_temp.id('chg', 9),
	pg_temp.acc(2), 'number', pg_temp.id('did', 1), 'N', 1,
	'2026-11-01') $$, '23514', null, 'a number of another tenant');

-- by days
select pg_temp.charge(1, 30000000, '2026-11-10', null, 'advance');
select pg_temp.charge(2, 10000000, '2026-11-01', '2026-11-15', 'arrears',
	'month', 3);
select pg_temp.charge(3, 50000000, '2026-11-20', null, 'advance', 'once');
select is(billing.charges_post(pg_temp.acc(1), '2026-11-09'), 0::bigint,
	'nothing has begun, nothing has ended');
select is(billing.charges_post(pg_temp.acc(1), '2026-11-10'), 1::bigint);
select is(billing.charges_post(pg_temp.acc(1), '2026-12-01'), 3::bigint);
select is(billing.charges_post(pg_temp.acc(1), '2026-12-01'), 0::bigint,
	'once');
select results_eq($$ select * from pg_temp.posted() $$, $$ values
	('C1', 21000000::bigint, 21000000::bigint, 24990000::bigint,
		'2026-11-10'::date, '2026-11-30'::date, '2026-11-10'::date),
	('C2', 15000000, 15000000, 17850000, '2026-11-01', '2026-11-15',
		'2026-11-15'),
	('C3', 50000000, 50000000, 59500000, '2026-11-20', '2026-11-20',
		'2026-11-20'),
	('C1', 30000000, 30000000, 35700000, '2026-12-01', '2026-12-31',
		'2026-11-30') $$, 'days, taxes, and on which month''s invoice');
select is(balance_micro, -138040000::bigint, 'a prepaid account owes it, too')
	from core.account where id = pg_temp.acc(1);

-- ended within a month that was paid for: its rest goes back
update billing.charge set ends_on = '2026-12-10'
	where id = pg_temp.id('chg', 1);
select is(billing.charges_post(pg_temp.acc(1), '2026-12-05'), 1::bigint);
select is(billing.charges_post(pg_temp.acc(1), '2027-03-01'), 0::bigint);
select is((select array[amount, gross] from pg_temp.posted() offset 4),
	array[-20322581, -24183871]::bigint[], '21 of 31 days');

-- taxes within the amount, and by country
update core.account set tax_profile_id = pg_temp.id('tax', 2)
	where id = pg_temp.acc(1);
select is(billing.charges_post(pg_temp.acc(1), '2027-03-01'), 0::bigint,
	'other taxes change nothing that was posted');
update billing.charge set ends_on = '2026-12-05'
	where id = pg_temp.id('chg', 1);
select is(billing.charges_post(pg_temp.acc(1), '2027-03-01'), 1::bigint);
select is((select array[amount, net, gross] from pg_temp.posted() offset 5),
	array[-4838709, -4838709, -5758064]::bigint[],
	'what goes back has the taxes that were paid');
select results_eq($$ select net_micro, taxes, gross_micro
	from billing.taxed(pg_temp.acc(1), 12000000) $$, $$ values
	(10000000::bigint, '[["VAT", 200000, 2000000]]'::jsonb,
	12000000::bigint) $$);
update core.tenant set country = 'US' where id = pg_temp.id('ten', 1);
select results_eq($$ select net_micro, taxes, gross_micro
	from billing.taxed(pg_temp.acc(1), 12500000) $$, $$ values
	(10000000::bigint, '[["VAT", 200000, 2000000], ["Fund", 50000,
	500000]]'::jsonb, 12500000::bigint) $$);
select is(billing.charge_post(pg_temp.acc(1), 'package', 'P', 0, null, null,
	'2026-11-01'), null, 'nothing is no posting');

-- reasons stay
select throws_ok($$ delete from billing.charge where id = pg_temp.id('chg',
	1) $$, '23503', null, 'what was posted needs its charge');
select throws_ok($$ delete from billing.posting $$, '23001');
select throws_ok($$ update billing.posting set net_micro = 0 $$, '23001');
select is(balance_micro, (select sum(p.amount_micro)::bigint
	from core.ledger_posting p where p.account_id = a.id), 'ledger')
	from core.account a where a.id = pg_temp.acc(1);

select * from finish();
rollback;
