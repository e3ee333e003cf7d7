-- Who may lease: one start of one folder per name, as long as it is heard of.
-- And what becomes of money whose node is not heard of any more.
begin;
select no_plan();
\ir fixture/world.sql

create function pg_temp.acc(n integer) returns text language sql as
	$$ select pg_temp.id('acc', n) $$;
create function pg_temp.claim(node text, epoch bigint, home text,
	seen bigint default 0) returns setof text language sql as
$$
	select concat_ws(' ', what, case what when 'refused' then null
		else name end, micro)
	from api_v1.node_claim($1, $2, $3, 60, $4)
$$;
create function pg_temp.lapse(node text) returns void language sql as
$$ update core.node_session s set expires_at = now() where s.node = $1 $$;
create function pg_temp.exact() returns text language sql as
$$
	select is((select sum(a.leased_micro)::bigint from core.account a),
		(select coalesce(sum(l.granted_micro - l.settled_micro), 0)
			::bigint from core.lease l), 'leased is the sum of leases')
$$;
select core.post(pg_temp.acc(1), 'payment', 1000) is not null;

-- a claim
select throws_ok($$ select api_v1.lease_take(pg_temp.acc(1), 'n1', 10, 1, 1)
	$$, '55000', null, 'nothing without a claim');
select results_eq($$ select pg_temp.claim('n1', 10, 'a') $$, array['claimed 0']);
select results_eq($$ select pg_temp.claim('n1', 10, 'a') $$, array['claimed 0'],
	'a sign of life');
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 10, 600, 600), 600::bigint);

-- another node of that name
select results_eq($$ select pg_temp.claim('n1', 20, 'b') $$, array['refused'],
	'a node of that name is there');
select throws_ok($$ select api_v1.lease_take(pg_temp.acc(1), 'n1', 20, 1, 1)
	$$, '55000', null, 'so it gets nothing');
select results_eq($$ select pg_temp.claim('n1', 10, 'b') $$, array['refused'],
	'nor as the same start');
select results_eq($$ select pg_temp.claim('n2', 20, 'b') $$, array['claimed 0'],
	'with a name of its own it is welcome');

-- the same folder again: the first start is over at once
select results_eq($$ select pg_temp.claim('n1', 11, 'a') $$, array['claimed 0'],
	'a later start');
select results_eq($$ select pg_temp.claim('n1', 10, 'a') $$, array['refused'],
	'the earlier one is over');
select is(leased_micro, 600::bigint, 'its money is neither free nor spent')
	from core.account where id = pg_temp.acc(1);
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 11, 500, 500), 0::bigint);
select is(api_v1.lease_close_epochs('n1', 11), 600::bigint,
	'until its journal is loaded');
select pg_temp.exact();

-- gone for good: another folder takes the name, but not the money
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 11, 600, 600), 600::bigint);
select throws_ok($$ select core.lease_release(pg_temp.acc(1), 'n1', 11) $$,
	'23514', null, 'nobody releases what a node may be spending');
select pg_temp.lapse('n1');
select throws_ok($$ select api_v1.lease_take(pg_temp.acc(1), 'n1', 11, 1, 1)
	$$, '55000', null, 'nobody leases when the session is over');
select results_eq($$ select pg_temp.claim('n1', 30, 'c') $$, array['claimed 0'],
	'after the session another folder may have the name');
select is(api_v1.lease_close_epochs('n1', 30), 0::bigint,
	'but it has not loaded that journal');
select is(core.lease_release(pg_temp.acc(2), 'n1', 11), 0::bigint,
	'nothing of that account');
select is(core.lease_release(pg_temp.acc(1), 'n1', 11, 'burnt'), 600::bigint,
	'an operator knows that it never will be');
select is(core.lease_release(pg_temp.acc(1), 'n1', 11), 0::bigint, 'once');
select is(leased_micro, 0::bigint) from core.account
	where id = pg_temp.acc(1);
select pg_temp.exact();

-- it comes back after all
select pg_temp.lapse('n1');
select results_eq($$ select pg_temp.claim('n1', 11, 'a') $$,
	array['claimed 1', 'released ' || pg_temp.acc(1) || ' 600'],
	'and hears what was taken');
select results_eq($$ select pg_temp.claim('n1', 11, 'a', 1) $$,
	array['claimed 1'], 'until it knows');

-- somebody is told, once, of money whose node has gone
select is(api_v1.lease_take(pg_temp.acc(1), 'n1', 11, 250, 250), 250::bigint);
update core.node_session set expires_at = now() - interval '11 s'
	where node = 'n1' and epoch = 11;
select pg_temp.claim('n2', 20, 'b') = 'claimed 0';
select pg_temp.claim('n2', 20, 'b') = 'claimed 0';
select results_eq($$ select object_id, data ->> 'node', data ->> 'amount'
	from core.event where kind = 'lease.expired' $$,
	$$ values (pg_temp.acc(1), 'n1', '0.000250') $$, 'an event');
select is(core.lease_release(pg_temp.acc(1), 'n1', 11), 250::bigint);

-- a lower limit of credit takes nothing back that is held, and asks for it
select pg_temp.claim('n2', 20, 'b') = 'claimed 0';
select is(api_v1.lease_take(pg_temp.acc(2), 'n2', 20, 40000000, 40000000),
	40000000::bigint);
select lives_ok($$ update core.account set credit_limit_micro = 10000000
	where id = pg_temp.acc(2) $$, 'a lower limit');
select is(overspent_micro, 30000000::bigint, 'what is leased beyond it')
	from core.account where id = pg_temp.acc(2);
select is(row_version, 2::bigint, 'is an edit') from core.account
	where id = pg_temp.acc(2);
select results_eq($$ select pg_temp.claim('n2', 20, 'b') $$,
	array['claimed 0', 'recalled ' || pg_temp.acc(2)], 'is recalled');
select is(api_v1.lease_keep(pg_temp.acc(2), 'n2', 20, 35000000),
	5000000::bigint, 'the node gives back what it can');
select is(api_v1.lease_take(pg_temp.acc(2), 'n2', 20, 1, 1), 0::bigint,
	'and gets no more');
select is(overspent_micro, 25000000::bigint) from core.account
	where id = pg_temp.acc(2);
select is(api_v1.lease_keep(pg_temp.acc(2), 'n2', 20, 0), 35000000::bigint);
select is(overspent_micro, 0::bigint, 'until it is within the limit')
	from core.account where id = pg_temp.acc(2);
select results_eq($$ select pg_temp.claim('n2', 20, 'b') $$,
	array['claimed 0']);
select pg_temp.exact();

-- an adjustment may take what is leased, but not more than there is
select is(api_v1.lease_take(pg_temp.acc(2), 'n2', 20, 8000000, 8000000),
	8000000::bigint);
select throws_ok($$ select core.post(pg_temp.acc(2), 'adjustment',
	-10000001) $$, '23514', null, 'not below the credit');
select lives_ok($$ select core.post(pg_temp.acc(2), 'adjustment', -5000000)
	$$, 'leased or not');
select is(overspent_micro, 3000000::bigint, 'and it is recalled')
	from core.account where id = pg_temp.acc(2);
select is(api_v1.lease_keep(pg_temp.acc(2), 'n2', 20, 0), 8000000::bigint);
select lives_ok($$ select core.post(pg_temp.acc(2), 'payment', 5000000) $$);

-- exhausted: said until money comes
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 1000, 1000),
	1000::bigint, 'all that account 1 has');
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 10, 10), 0::bigint);
select ok(exhausted_at is not null, 'exhausted') from core.account
	where id = pg_temp.acc(1);
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 10, 10), 0::bigint);
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 10, 10, true), 0::bigint,
	'cut: also those that are up');

-- allow: a sum beyond balance and credit, for calls that are up
update core.account set at_exhaustion = 'allow', overdraft_limit_micro = 25
	where id = pg_temp.acc(1);
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 10, 10), 0::bigint,
	'not for new ones');
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 90, 10, true),
	10::bigint, 'one interval');
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 90, 10, true),
	10::bigint, 'and one more');
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 90, 10, true),
	0::bigint, 'within the sum');
select results_eq($$ select overdraft_micro, overspent_micro, leased_micro
	from core.account where id = pg_temp.acc(1) $$,
	$$ values (20::bigint, 0::bigint, 1020::bigint) $$, 'counted apart');
select cdr.settle('n2', array[row(now(), gen_random_uuid(), 0, 'sell',
	pg_temp.acc(1), null, 1020, 'EUR', null, null, null, null, null, null,
	null, null, null, null, null, 20, null, null, null,
	null, null, null)::cdr.charge]) is not null;
select lives_ok($$ select core.post(pg_temp.acc(1), 'usage', -1020, null,
	gen_random_uuid(), 0) $$);
select results_eq($$ select balance_micro, overdraft_micro, overspent_micro
	from core.account where id = pg_temp.acc(1) $$,
	$$ values (-20::bigint, 20::bigint, 0::bigint) $$, 'spent');
select lives_ok($$ select core.post(pg_temp.acc(1), 'payment', 15) $$);
select results_eq($$ select balance_micro, overdraft_micro, overspent_micro,
	exhausted_at is null from core.account where id = pg_temp.acc(1) $$,
	$$ values (-5::bigint, 5::bigint, 0::bigint, false) $$,
	'paid in part');
select lives_ok($$ select core.post(pg_temp.acc(1), 'payment', 1000) $$);
select results_eq($$ select overdraft_micro, overspent_micro,
	exhausted_at is null from core.account where id = pg_temp.acc(1) $$,
	$$ values (0::bigint, 0::bigint, true) $$, 'paid');
select results_eq($$ select kind from core.event where object_id =
	pg_temp.acc(1) and kind in ('balance.exhausted', 'balance.covered')
	order by id $$, array['balance.exhausted', 'balance.covered'],
	'each told once');

-- finish: what is up goes on
update core.account set at_exhaustion = 'finish' where id = pg_temp.acc(1);
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 995, 995),
	995::bigint);
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 5, 5), 0::bigint,
	'no new call');
select is(api_v1.lease_take(pg_temp.acc(1), 'n2', 20, 5000, 5000, true),
	5000::bigint, 'whatever it takes');
select is(overdraft_micro, 5000::bigint) from core.account
	where id = pg_temp.acc(1);
select is(api_v1.lease_keep(pg_temp.acc(1), 'n2', 20, 1020 + 995),
	5000::bigint, 'it was not needed');
select is(overdraft_micro, 0::bigint) from core.account
	where id = pg_temp.acc(1);
select pg_temp.exact();

-- a journal that begins anew is read from its begin
insert into cdr.journal_position (node, segment, offset_bytes)
	values ('n7', 3, 99);
select results_eq($$ select pg_temp.claim('n7', 1, 'x') $$, array['claimed 0']);
select is(count(*), 1::bigint, 'the first claim of a folder keeps the place')
	from cdr.journal_position where node = 'n7';
select results_eq($$ select pg_temp.claim('n7', 2, 'x') $$, array['claimed 0']);
select is(count(*), 1::bigint, 'the same folder as well')
	from cdr.journal_position where node = 'n7';
select pg_temp.lapse('n7');
select results_eq($$ select pg_temp.claim('n7', 3, 'y') $$, array['claimed 0']);
select is(count(*), 0::bigint, 'another one begins at its begin')
	from cdr.journal_position where node = 'n7';

-- usage and what a reverse price pays, of calls that have happened, in one go
select isnt_empty($$ select * from core.post_all(array[
	row(pg_temp.acc(1), 'usage', -1000000, null, gen_random_uuid(), 0)
		::core.posting_item,
	row(pg_temp.acc(1), 'credit', 10, null, gen_random_uuid(), 0)
		::core.posting_item]) $$, 'neither is refused');
select ok(overspent_micro > 0, 'what it did not cover is told')
	from core.account where id = pg_temp.acc(1);

select * from finish();
rollback;
