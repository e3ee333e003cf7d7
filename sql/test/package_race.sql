-- Two sessions at once: periods that begin while calls want units of them, a
-- take that waits while an operator releases, and who hears of what comes back.
select no_plan();
begin;
\ir fixture/world.sql
create function pg_temp.sub(n integer) returns text language sql as
	$$ select pg_temp.id('sub', n) $$;
create function pg_temp.key(n integer) returns text language sql as
$$
	select pg_temp.sub(n) || ':' || lpad(to_hex(core.period_of('month', 1,
		'UTC', now())), 4, '0')
$$;
insert into core.account (id, tenant_id, name, type, currency) values
	(pg_temp.id('acc', 3), pg_temp.id('ten', 1), 'A3', 'prepaid', 'EUR');
insert into core.package (id, name, currency, kind, period, seconds,
	increment_ms, fee_micro) values (pg_temp.id('pkg', 1), 'P', 'EUR',
	'minutes', 'month', 600, 60000, 1000000);
-- they are due and have no period yet
insert into core.subscription (id, package_id, tenant_id, account_id,
	starts_at) select pg_temp.sub(n), pg_temp.id('pkg', 1),
		pg_temp.id('ten', 1), pg_temp.id('acc', 1), now() + '1 h'
	from generate_series(1, 2) n;
update core.subscription set starts_at = now(), opens_at = now();
commit;
\ir fixture/two.sql
create function pg_temp.take(n integer, epoch integer) returns text
	language sql as
$$
	select format('select api_v1.lease_take(%L, %L, %s, 600000, 60000)',
		pg_temp.key(n), 'n' || epoch, epoch)
$$;
select what = 'claimed' from unnest(array[1, 2]) n, api_v1.node_claim('n' || n,
	n, 'h' || n, 60, 0);
select dblink_exec(n, 'set statement_timeout = 3000') = 'SET'
	from unnest(array['a', 'b']) n;

-- a call has the account when the job comes to its period
select dblink_exec('b', 'begin') = 'BEGIN';
select count(*) = 1 from dblink('b', format('select id from core.account '
	'where id = %L for update', pg_temp.id('acc', 1))) as t (id text);
select dblink_send_query('a', 'select core.package_open_due()') = 1;
select ok(pg_temp.waits('a'), 'the job waits for the account');
select results_eq(format($$ select g from dblink('b', %L) as t (g bigint) $$,
	pg_temp.take(1, 1)), $$ values (300000::bigint) $$,
	'the call does not wait for the job');
set lock_timeout = 2000;
select lives_ok(format($$ set role strowger_api; insert into
	core.subscription (id, package_id, tenant_id, account_id) values (%L,
	%L, %L, %L); reset role $$, pg_temp.sub(3),
	pg_temp.id('pkg', 1), pg_temp.id('ten', 1), pg_temp.id('acc', 3)),
	'nor does who makes one of another account');
reset lock_timeout;
select dblink_exec('b', 'commit') = 'COMMIT';
select results_eq($$ select * from dblink_get_result('a') as t (n bigint) $$,
	$$ values (2::bigint) $$, 'and the job ends');
select count(*) = 0 from dblink_get_result('a') as t (n bigint);
select is(count(*), 2::bigint, 'each period is opened once')
	from core.package_posting where kind = 'grant'
		and subscription_id in (pg_temp.sub(1), pg_temp.sub(2));
-- what one job has in hand the other passes over
update core.subscription set opens_at = now() where id = pg_temp.sub(2);
select dblink_exec('a', 'begin') = 'BEGIN';
select results_eq(format($$ select n from dblink(%L,
	'select core.package_open_due()') as t (n bigint) $$, d),
	format('values (%s::bigint)', n), d || ' opens ' || n)
	from (values ('a', 1), ('b', 0)) x (d, n);
select dblink_exec('a', 'commit') = 'COMMIT';

-- the node's session ends while it waits for the balance
select results_eq(format($$ select g from dblink('b', %L) as t (g bigint) $$,
	pg_temp.take(2, 1)), $$ values (300000::bigint) $$);
update core.node_session set expires_at = now() + interval '0.3 s'
	where node = 'n1';
select dblink_exec('a', 'begin') = 'BEGIN';
select dblink_exec('a', 'update core.package_balance set granted = granted')
	<> '';
select dblink_send_query('b', pg_temp.take(2, 1)) = 1;
select pg_sleep(0.5);
select dblink_exec('a', 'commit') = 'COMMIT';
select throws_ok($$ select * from dblink_get_result('b') as t (g bigint) $$,
	'55000', null, 'too late is too late');
select count(*) = 0 from dblink_get_result('b') as t (g bigint);

-- what b heard, when n have come: one notification may be later than the other
create function pg_temp.heard(n integer) returns setof text
	language plpgsql as
$$
declare
	heard text[] := '{}';
begin
	for i in 1 .. 300 loop
		heard := heard || array(select extra from dblink_get_notify('b'));
		exit when cardinality(heard) >= n;
		perform pg_sleep(0.01);
	end loop;
	return query select unnest(heard);
end
$$;

-- one node has the rest, the other finds nothing, and hears when it comes back
select what = 'claimed' from api_v1.node_claim('n1', 1, 'h1', 60, 0);
select dblink_exec('b', 'listen strowger_lease') = 'LISTEN';
select api_v1.lease_take(pg_temp.key(2), 'n1', 1, 600000, 600000) = 300000;
select api_v1.lease_take(pg_temp.key(2), 'n2', 2, 60000, 60000) = 0;
select results_eq($$ select pg_temp.heard(1) $$, array['-' || pg_temp.key(2)], 'what the one has is asked for');
select api_v1.lease_keep(pg_temp.key(2), 'n1', 1, 540001) = 59999;
select is_empty($$ select extra from dblink_get_notify('b') $$,
	'less than an increment is nothing');
select api_v1.lease_keep(pg_temp.key(2), 'n1', 1, 480000) = 60001;
select bag_eq($$ select pg_temp.heard(2) $$, array['+' || pg_temp.key(2), '+' || translate(pg_temp.key(2), ':', '+')],
	'the other hears of it');
select api_v1.lease_keep(pg_temp.key(2), 'n1', 1, 420000) = 60000;
select is_empty($$ select extra from dblink_get_notify('b') $$, 'once');
select is(api_v1.lease_take(pg_temp.key(2), 'n2', 2, 60000, 60000),
	60000::bigint, 'and has it');

-- a re-rating wants units that a call takes while they are posted, and a call
-- wants what a re-rating takes
insert into rating.rerate (id, from_at, to_at, compared_at)
	select pg_temp.id('rrt', n), '-infinity', 'infinity', now()
	from generate_series(1, 2) n;
insert into rating.rerate_package (rerate_id, account_id, subscription_id,
	period, is_carried, new_units)
	select pg_temp.id('rrt', n), b.account, b.subscription_id, b.period,
		false, 200000
	from (select x.*, pg_temp.id('acc', 1) as account
		from core.package_balance x
		where x.subscription_id = pg_temp.sub(1)) b,
		generate_series(1, 2) n;
create function pg_temp.apply(n integer) returns text language sql as
$$
	select format('select rating.rerate_apply(%L, %L)',
		pg_temp.id('rrt', n), pg_temp.id('acc', 1))
$$;
select dblink_exec('a', 'begin') = 'BEGIN';
select results_eq(format($$ select g from dblink('a', %L) as t (g bigint) $$,
	replace(pg_temp.take(1, 1), '60000)', '300000)')),
	$$ values (300000::bigint) $$, 'a call takes the rest');
select dblink_send_query('b', pg_temp.apply(1)) = 1;
select ok(pg_temp.waits('b'), 'the re-rating waits for the period');
select dblink_exec('a', 'commit') = 'COMMIT';
select throws_like($$ select * from dblink_get_result('b') as t (n bigint) $$,
	'%has less left of a period%', 'and is refused');
select count(*) = 0 from dblink_get_result('b') as t (n bigint);
select is(api_v1.lease_keep(pg_temp.key(1), 'n1', 1, 300000), 300000::bigint);
select dblink_exec('a', 'begin') = 'BEGIN';
select results_eq(format($$ select n from dblink('a', %L) as t (n bigint) $$,
	pg_temp.apply(2)), $$ values (0::bigint) $$);
select dblink_send_query('b', pg_temp.take(1, 1)) = 1;
select ok(pg_temp.waits('b'), 'a call waits for the re-rating');
select dblink_exec('a', 'commit') = 'COMMIT';
select results_eq($$ select * from dblink_get_result('b') as t (g bigint) $$,
	$$ values (60000::bigint) $$, 'and has what that left');
select count(*) = 0 from dblink_get_result('b') as t (g bigint);
select results_eq(format('select used, leased, over from core.package_balance '
	'where subscription_id = %L', pg_temp.sub(1)),
	$$ values (200000::bigint, 360000::bigint, 0::bigint) $$,
	'no more than there is');

select dblink_disconnect('a') = 'OK' and dblink_disconnect('b') = 'OK';
begin;
alter table rating.rerate_account disable trigger user;
delete from rating.rerate_account;
alter table rating.rerate_account enable trigger user;
delete from rating.rerate;
delete from core.package_lease;
alter table core.package_posting disable trigger user;
delete from core.package_posting;
alter table core.package_posting enable trigger user;
delete from core.package_balance;
delete from core.subscription;
delete from core.package;
alter table billing.posting disable trigger user;
delete from billing.posting;
alter table billing.posting enable trigger user;
commit;
\ir fixture/sweep.sql
select * from finish();
