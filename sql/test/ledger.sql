-- Balances are the sum of their postings, and leases never exceed them.
begin;
select no_plan();
\ir fixture/world.sql

create function pg_temp.claim(node text, epoch bigint, home text,
	ttl_s integer default 60) returns text language sql as
$$ select what from api_v1.node_claim($1, $2, $3, $4, 0) limit 1 $$;
select is(pg_temp.claim(n, 1, n || ' home'), 'claimed', n)
	from unnest(array['n1', 'n2']) n;

create function pg_temp.acc(n integer) returns text language sql as
	$$ select pg_temp.id('acc', n) $$;
create function pg_temp.invariants(step text) returns setof text
	language plpgsql as
$$
begin
	return next is_empty('select a.id from core.account a where '
		'a.balance_micro <> coalesce((select sum(amount_micro) from '
		'core.ledger_posting p where p.account_id = a.id), 0)',
		step || ': balance is the sum of postings');
	return next is_empty('select a.id from core.account a where '
		'a.leased_micro <> coalesce((select sum(granted_micro - '
		'settled_micro) from core.lease l where l.account_id = a.id), '
		'0)', step || ': leased is the sum of leases');
	return next is_empty('select a.id from core.account a where '
		'a.balance_micro <> coalesce((select balance_after_micro from '
		'core.ledger_posting p where p.account_id = a.id order by id '
		'desc limit 1), 0)', step || ': the last posting says so');
end
$$;

-- postings: negative first
select throws_ok(format('select core.post(%s)', bad), '23514', null, bad)
from unnest(array[
	$$pg_temp.acc(1), 'gift', 1$$, $$pg_temp.acc(1), 'payment', 0$$,
	$$pg_temp.acc(1), 'payment', -1$$, $$pg_temp.acc(1), 'refund', -1$$,
	$$pg_temp.acc(1), 'usage', 1, null, gen_random_uuid(), 0$$,
	$$pg_temp.acc(1), 'usage', -1$$,
	$$pg_temp.acc(1), 'payment', 1, null, gen_random_uuid()$$]) bad;
select throws_ok($$ select core.post(pg_temp.acc(9), 'payment', 1) $$, '23502',
	null, 'no such account');
select throws_ok($$ select core.post(pg_temp.acc(1), 'adjustment', -1) $$,
	'23514', null, 'an adjustment cannot overdraw');
select pg_temp.invariants('nothing posted');

select is((core.post(pg_temp.acc(1), 'payment', 10000000, 'cash'))
	.balance_after_micro, 10000000::bigint, 'a payment');
select is((core.post(pg_temp.acc(1), 'adjustment', -1000000))
	.balance_after_micro, 9000000::bigint, 'an adjustment');
select is((core.post(pg_temp.acc(2), 'adjustment', -50000000))
	.balance_after_micro, -50000000::bigint, 'credit can be used');
select throws_ok($$ select core.post(pg_temp.acc(2), 'adjustment', -1) $$,
	'23514', null, 'and no more');
select is(currency::text, 'EUR', 'in the currency of the account')
	from core.ledger_posting where account_id = pg_temp.acc(1) limit 1;
select pg_temp.invariants('posted');

-- usage: once per call and attempt, and never refused
select lives_ok($$ select core.post(pg_temp.acc(1), 'usage', -2000000, null,
	'01890a5d-ac96-774b-bcce-b302099a8057', 0) $$);
select throws_ok($$ select core.post(pg_temp.acc(1), 'usage', -2000000, null,
	'01890a5d-ac96-774b-bcce-b302099a8057', 0) $$, '23505', null,
	'a call is charged once');
select lives_ok($$ select core.post(pg_temp.acc(1), 'refund', 2000000, 'sorry',
	'01890a5d-ac96-774b-bcce-b302099a8057', 0) $$, 'and refunded');
select lives_ok($$ select core.post(pg_temp.acc(1), 'usage', -9500000, null,
	gen_random_uuid(), 0) $$, 'usage beyond everything');
select is(overspent_micro, 500000::bigint, 'is shown')
	from core.account where id = pg_temp.acc(1);
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 1, 1, 1), 0::bigint,
	'and nothing is granted');
select lives_ok($$ select core.post(pg_temp.acc(1), 'payment', 9500000) $$);
select is(overspent_micro, 0::bigint, 'until it is paid')
	from core.account where id = pg_temp.acc(1);
select pg_temp.invariants('overspent and paid');

-- append-only
select throws_ok('update core.ledger_posting set note = null', '23001');
select throws_ok('delete from core.ledger_posting', '23001');
select throws_ok('truncate core.ledger_posting', '23001');
select throws_ok($$ update core.ledger_posting set account_id =
	pg_temp.acc(2) $$, '23001');

-- many in one step
select results_eq($$ select account_id, balance_after_micro
	from core.post_all(array[
		(pg_temp.acc(1), 'usage', -1, null, gen_random_uuid(), 0),
		(pg_temp.acc(1), 'usage', -2, null, gen_random_uuid(), 0),
		(pg_temp.acc(1), 'usage', -3, null, gen_random_uuid(), 0)
		]::core.posting_item[]) order by id $$,
	$$ values (pg_temp.acc(1), 8999999::bigint),
		(pg_temp.acc(1), 8999997::bigint),
		(pg_temp.acc(1), 8999994::bigint) $$);
select pg_temp.invariants('many');

-- leases: account 1 has 8 999 994 micro
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 1, 5000000, 1),
	4499997::bigint, 'not all of it: others may need some');
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 1, 500003, 500003),
	500003::bigint, 'but what a call needs');
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 1, 5000000, 4000000),
	0::bigint, 'less than the least is nothing');
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 1, 5000000, 3999994),
	3999994::bigint, 'what is left');
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 1, 1, 0), 0::bigint,
	'nothing is left');
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 1, -5, -5), 0::bigint,
	'nothing is not a negative lease');
select is(api_v1.lease_take(pg_temp.acc(9), 'n1', 1, 1, 1), 0::bigint,
	'no such account');
select pg_temp.invariants('leased');

select is(api_v1.lease_return(pg_temp.acc(1), 'n2', 1, 999994), 999994::bigint,
	'return');
select is(api_v1.lease_return(pg_temp.acc(1), 'n2', 1, 99999999),
	3000000::bigint, 'never more than there is');
select is(api_v1.lease_return(pg_temp.acc(1), 'n2', 1, -1), 0::bigint,
	'nor less than nothing');
select is(api_v1.lease_return(pg_temp.acc(1), 'n3', 1, 1), 0::bigint,
	'nor of a stranger');

-- a node that does not know what came of its last ask says what it has
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 1, 700000, 1),
	700000::bigint);
select is(api_v1.lease_keep(pg_temp.acc(1), 'n2', 1, 300000), 400000::bigint,
	'what the node does not have is free again');
select is(api_v1.lease_keep(pg_temp.acc(1), 'n2', 1, 300000), 0::bigint,
	'once');
select is(api_v1.lease_keep(pg_temp.acc(1), 'n2', 1, 900000), 0::bigint,
	'and nobody gets more by it');
select is(api_v1.lease_keep(pg_temp.acc(1), 'n3', 1, 0), 0::bigint,
	'nor has a stranger anything');
select is(api_v1.lease_keep(pg_temp.acc(1), 'n2', 1, 0), 300000::bigint);
select pg_temp.invariants('returned');

-- epochs: a new start of n1 leases beside what the old one left
select is(pg_temp.claim('n1', 2, 'n1 home'), 'claimed', 'a start');
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 2, 1000000, 1),
	1000000::bigint);
select throws_ok($$ select api_v1.lease_take(pg_temp.acc(1), 'n1', 1, 1,
	1) $$, '55000', null, 'a start that is over gets nothing');
select is(pg_temp.claim('n1', 1, 'n1 home'), 'refused', 'nor comes back');
select is(api_v1.lease_close_epochs('n1', 2), 5000000::bigint,
	'what the old start left is free');
select is(api_v1.lease_close_epochs('n1', 2), 0::bigint, 'once');
select is(leased_micro, 1000000::bigint) from core.account
	where id = pg_temp.acc(1);
select pg_temp.invariants('closed');

-- who may not spend
update core.account set status = 'suspended' where id = pg_temp.acc(1);
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 2, 1, 1), 0::bigint,
	'suspended account');
update core.account set status = 'active' where id = pg_temp.acc(1);
update core.tenant set status = 'closed' where id = pg_temp.id('ten', 1);
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 2, 1, 1), 0::bigint,
	'closed tenant');

select throws_ok($$ update core.account set currency = 'CHF'
	where id = pg_temp.acc(1) $$, '23514');
select throws_ok($$ update core.lease set settled_micro = granted_micro + 1 $$,
	'23514');

select * from finish();
rollback;
