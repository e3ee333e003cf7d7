-- Money that is moved by hand: each reference once, transfers whole or not.
begin;
select no_plan();
\ir fixture/world.sql
insert into core.account (id, tenant_id, name, type, currency) values
	(pg_temp.id('acc', 3), pg_temp.id('ten', 1), 'A3', 'prepaid', 'EUR'),
	(pg_temp.id('acc', 4), pg_temp.id('ten', 1), 'A4', 'prepaid', 'CHF');
create function pg_temp.acc(n integer) returns text language sql as
	$$ select pg_temp.id('acc', n) $$;
create function pg_temp.money() returns table (balance bigint) language sql as
$$
	select balance_micro from core.account
		where id in (pg_temp.acc(1), pg_temp.acc(3)) order by id
$$;

-- references
select is(is_new, true, 'a payment') from core.post_once(pg_temp.acc(1),
	'payment', 1000, 'bank', 'r1');
select is(is_new, false, 'the same again') from core.post_once(pg_temp.acc(1),
	'payment', 1000, 'bank', 'r1');
select throws_ok($$ select core.post_once(pg_temp.acc(1), 'payment', 1001,
	null, 'r1') $$, '23505', null, 'not with another amount');
select throws_ok($$ select core.post_once(pg_temp.acc(1), 'adjustment', 1000,
	null, 'r1') $$, '23505', null, 'nor of another kind');
select is(is_new, true, 'another account has its own') from core.post_once(
	pg_temp.acc(3), 'payment', 7, null, 'r1');
select is(count(*), 2::bigint, 'without one: as often as it is asked for')
	from generate_series(1, 2) n, core.post_once(pg_temp.acc(1),
		'payment', 10 + 0 * n, null, null) where is_new;
select results_eq($$ select * from pg_temp.money() $$,
	$$ values (1020::bigint), (7::bigint) $$);

-- transfers
select throws_ok(format('select core.transfer(pg_temp.acc(1), %s)', bad),
	'23514', null, bad)
from unnest(array[
	$$pg_temp.acc(1), 5, null, null$$, $$pg_temp.acc(2), 5, null, null$$,
	$$pg_temp.acc(4), 5, null, null$$, $$pg_temp.acc(9), 5, null, null$$,
	$$pg_temp.acc(3), 0, null, null$$, $$pg_temp.acc(3), -5, null, null$$,
	$$pg_temp.acc(3), 1021, null, null$$]) bad;
select what = 'claimed' from api_v1.node_claim('n1', 1, 'h', 60, 0);
select api_v1.lease_take(pg_temp.acc(1), 'n1', 1, 100, 100) = 100;
select throws_ok($$ select core.transfer(pg_temp.acc(1), pg_temp.acc(3), 921,
	null, null) $$, '23514', null, 'what calls hold stays');
select is(is_new, true, 'a transfer') from core.transfer(pg_temp.acc(1),
	pg_temp.acc(3), 920, 'rest', 't1');
select is(is_new, false, 'once') from core.transfer(pg_temp.acc(1),
	pg_temp.acc(3), 920, 'rest', 't1');
select throws_ok($$ select core.transfer(pg_temp.acc(1), pg_temp.acc(3), 1,
	null, 't1') $$, '23505', null, 'that reference is used');
select results_eq($$ select * from pg_temp.money() $$,
	$$ values (100::bigint), (927::bigint) $$, 'nothing is lost');
select results_eq($$ select p.account_id, p.amount_micro,
	p.balance_after_micro, s.other_account_id from core.ledger_posting p
	join core.posting_source s on s.posting_id = p.id
	where kind = 'transfer' order by p.id $$,
	$$ values (pg_temp.acc(1), -920::bigint, 100::bigint, pg_temp.acc(3)),
		(pg_temp.acc(3), 920::bigint, 927::bigint, pg_temp.acc(1)) $$);
select is(balance_micro, (select sum(p.amount_micro)::bigint
	from core.ledger_posting p where p.account_id = a.id), a.name)
	from core.account a where balance_micro <> 0;

-- what is pending of a node
select is(core.lease_release_node(pg_temp.acc(1), 'n1', null), 0::bigint,
	'its session lasts');
update core.node_session set expires_at = now();
select is(core.lease_release_node(pg_temp.acc(1), 'n1', 'gone'), 100::bigint);
select is(core.lease_release_node(pg_temp.acc(1), 'n1', 'gone'), 0::bigint);

-- thresholds: reached once, cleared by a margin
update core.account set low_balance_micro = 500, critical_balance_micro = 200,
	high_balance_micro = 2000, balance_margin_micro = 50
	where id = pg_temp.acc(3);
create function pg_temp.told() returns setof text language sql as
$$
	select kind from core.event where object_id = pg_temp.acc(3)
		and kind like 'balance.%' order by id
$$;
select is_empty($$ select pg_temp.told() $$, 'nothing is reached');
select core.post(pg_temp.acc(3), 'adjustment', -428) is not null; -- 499
select results_eq($$ select pg_temp.told() $$, array['balance.low']);
select core.post(pg_temp.acc(3), 'payment', 10) is not null;
select core.post(pg_temp.acc(3), 'adjustment', -10) is not null;
select core.post(pg_temp.acc(3), 'payment', 50) is not null; -- 549
select results_eq($$ select pg_temp.told() $$, array['balance.low'],
	'around it nothing is told');
select core.post(pg_temp.acc(3), 'payment', 1) is not null;
select core.post(pg_temp.acc(3), 'adjustment', -351) is not null; -- 199
select results_eq($$ select balance_alarms from core.account
	where id = pg_temp.acc(3) $$, $$ values ('{low,critical}'::text[]) $$);
select core.post(pg_temp.acc(3), 'payment', 1802) is not null; -- 2001
select core.post(pg_temp.acc(3), 'adjustment', -51) is not null; -- 1950
select results_eq($$ select kind from (select kind, row_number() over () as n
	from pg_temp.told() kind) t order by kind $$,
	array['balance.critical', 'balance.critical_cleared', 'balance.high',
	'balance.high_cleared', 'balance.low', 'balance.low', 'balance.ok',
	'balance.ok'], 'each once');
update core.account set low_balance_micro = 5000 where id = pg_temp.acc(3);
select results_eq($$ select balance_alarms, row_version from core.account
	where id = pg_temp.acc(3) $$, $$ values ('{low}'::text[], 3::bigint) $$,
	'a threshold that moves is an edit');

select * from finish();
rollback;
