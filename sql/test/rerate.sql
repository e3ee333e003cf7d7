-- Rated again: the same tariff is a difference of zero, another one the
-- difference, once; what is invoiced stays.
begin;
select no_plan();
\ir fixture/world.sql
create function pg_temp.acc(n integer) returns text language sql immutable as
	$$ select pg_temp.id('acc', n) $$;
insert into core.rate (deck_id, prefix, destination, rate_per_min_nano,
	first_ms, next_ms, effective_from) values
	(pg_temp.id('dck', 1), '49', 'Germany', 30000000, 60000, 1000,
		'2026-01-01');
select cdr.ensure_partitions('2026-03-01', '2026-04-01');
create function pg_temp.call(n integer, called text) returns void
	language plpgsql as
$$
declare
	k uuid := ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid;
	at timestamptz := '2026-03-15Z'::timestamptz + n * interval '1 hour';
	c cdr.charge;
	r record;
begin
	insert into cdr.record (started_at, call_id, attempt, account_id,
			trunk_id, calling, called, answered_at, duration_ms)
		values (at, k, 0, pg_temp.acc(1), pg_temp.id('trk', 1),
			'+4930111222', called, at, 60000 + n * 1000);
	select x.* into r from rating.price(rating.find(pg_temp.id('dck', 1),
		'4930111222', '49', at), pg_temp.acc(1), null, at, 14400000)
		as p, rating.parts(p, 60000 + n * 1000) x;
	insert into cdr.charge (started_at, call_id, attempt, side, account_id,
			amount_micro, currency, deck_id, prefix, destination,
			rate_per_min_nano, net_micro, tax_micro, billed_ms,
			price)
		select at, k, 0, 'sell', pg_temp.acc(1), r.gross_micro, 'EUR',
			pg_temp.id('dck', 1), '49', 'Germany', 30000000,
			r.net_micro, r.tax_micro, r.billed_ms, p
		from rating.price(rating.find(pg_temp.id('dck', 1),
			'4930111222', '49', at), pg_temp.acc(1), null, at,
			14400000) p;
	perform core.post(pg_temp.acc(1), 'usage', -r.gross_micro, null, k, 0);
end
$$;
select pg_temp.call(n, '+49401000') from generate_series(0, 9) n;
select pg_temp.call(10, '+331000');
create temp table before as select * from cdr.charge;

create function pg_temp.again() returns text language plpgsql as
$$
declare
	made text := rating.rerate_new('2026-03-01', '2026-04-01', null,
		pg_temp.acc(1), null, null, null, null);
begin
	perform rating.rerate_check(made, a)
		from rating.rerate_accounts(made) a;
	perform rating.rerate_compared(made);
	return made;
end
$$;
create temp table run as select pg_temp.again() as id, 1 as n;
select results_eq($$ select what, calls, delta_micro from rating.rerate_total
	where rerate_id = (select id from run where n = 1) order by 1 $$,
	$$ values ('no_rate', 1::bigint, 0::bigint), ('same', 10, 0) $$,
	'the same tariff');
select is(totals, '[{"what": "no_rate", "currency": "EUR", "calls": 1,
	"old": "0.035000", "new": "0.035000", "delta": "0.000000"}]'::jsonb || (totals->1),
	'totals as they are told') from rating.rerate
	where id = (select id from run where n = 1);
select is(array_agg(k.call_id order by k.n), array_agg(k.call_id order by
	k.started_at), 'numbered in the order of calls')
	from rating.rerate_call k
	where k.rerate_id = (select id from run where n = 1);
select is(rating.rerate_apply((select id from run where n = 1),
	pg_temp.acc(1)), 0::bigint);
select is_empty($$ select from core.ledger_posting
	where kind like 'rerate%' $$, 'posts nothing');

-- twice the price
update core.rate set rate_per_min_nano = 60000000;
insert into run select pg_temp.again(), 2;
select is((select delta_micro from rating.rerate_total where rerate_id
	= (select id from run where n = 2) and what = 'changed'), (select
	sum(amount_micro)::bigint from before where call_id
	<> '00000000-0000-7000-8000-000000000010'), 'as much more again');
select is(rating.rerate_apply((select id from run where n = 2),
	pg_temp.acc(1)), 10::bigint);
select is(rating.rerate_apply((select id from run where n = 2),
	pg_temp.acc(1)), 0::bigint, 'once');
select is(a.balance_micro, -(select sum(c.amount_micro)::bigint
	from cdr.charge_current c), 'the ledger is the prices of now')
	from core.account a where a.id = pg_temp.acc(1);
select is(a.balance_micro, (select sum(p.amount_micro)::bigint
	from core.ledger_posting p where p.account_id = a.id))
	from core.account a where a.id = pg_temp.acc(1);
select results_eq('select * from cdr.charge order by call_id',
	'select * from before order by call_id', 'charges stay as they were');
select results_eq($$ select distinct on (kind) kind, amount_micro, attempt
	from core.ledger_posting where kind like 'rerate%' order by kind, id $$,
	$$ values ('rerate_charge', -60000::bigint, 0),
	('rerate_refund', 30000, 0) $$, 'in the order of calls');
insert into run select pg_temp.again(), 3;
select is((select count(*) from rating.rerate_call where rerate_id
	= (select id from run where n = 3) and what = 'changed'), 0::bigint,
	'again: zero');

-- what was compared and has moved since
update core.rate set rate_per_min_nano = 90000000;
insert into run select pg_temp.again(), 4;
insert into run select pg_temp.again(), 5;
select is(rating.rerate_apply((select id from run where n = 5),
	pg_temp.acc(1)), 10::bigint);
select throws_ok($$ select rating.rerate_apply((select id from run
	where n = 4), pg_temp.acc(1)) $$, '23514', null, 'compare again');

-- invoiced: refused, a credit note gives back
insert into billing.seller (id, name, city, country) values
	(pg_temp.id('sel', 1), 'S', 'Berlin', 'DE');
insert into billing.profile (id, account_id, seller_id, name, city, country)
	values (pg_temp.id('bpr', 1), pg_temp.acc(1), pg_temp.id('sel', 1),
		'B', 'Hamburg', 'DE');
select is(what, 'issued') from billing.run(pg_temp.acc(1), '2026-03-01', true,
	'2026-04-02Z');
select is_empty('select * from billing.check_ledger()');
update core.rate set rate_per_min_nano = 30000000;
insert into run select pg_temp.again(), 6;
select results_eq($$ select what, calls, delta_micro from rating.rerate_total
	where rerate_id = (select id from run where n = 6) $$,
	$$ values ('invoiced', 11::bigint, 0::bigint) $$);

-- not the half of it
insert into run select rating.rerate_new('2026-03-01', '2026-04-01', null,
	pg_temp.acc(1), null, null, null, null), 7;
select throws_like($$ select rating.rerate_apply((select id from run
	where n = 7), pg_temp.acc(1)) $$, '%not all compared');
select throws_like($$ select rating.rerate_check((select id from run
	where n = 2), pg_temp.acc(1)) $$, '%was applied',
	'what was posted is not compared anew');
select throws_like($$ select rating.rerate_new('2026-03-01', '2026-04-01',
	null, pg_temp.id('acc', 99), null, null, null, null) $$,
	'%no such account');
select * from finish();
rollback;
