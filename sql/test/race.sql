-- Two sessions at once: leases of one account, and the order of versions.
select no_plan();
begin;
\ir fixture/world.sql
select core.post(pg_temp.id('acc', 1), 'payment', 1000) is not null;
commit;
\ir fixture/two.sql

select what = 'claimed' from api_v1.node_claim('n1', 1, 'h1', 60, 0);
select what = 'claimed' from api_v1.node_claim('n2', 1, 'h2', 60, 0);

-- leases
select dblink_exec('a', 'begin') = 'BEGIN';
select results_eq($$ select g from dblink('a', format('select '
	'api_v1.lease_take(%L, ''n1'', 1, 800, 800)', pg_temp.id('acc', 1)))
	as t (g bigint) $$, $$ values (800::bigint) $$, 'one takes most');
select dblink_send_query('b', format('select api_v1.lease_take(%L, ''n2'', '
	'1, 800, 200)', pg_temp.id('acc', 1))) = 1;
select ok(pg_temp.waits('b'), 'the other waits');
select dblink_exec('a', 'commit') = 'COMMIT';
select results_eq($$ select g from dblink_get_result('b') as t (g bigint) $$,
	$$ values (200::bigint) $$, 'and gets what is left');
select count(*) = 0 from dblink_get_result('b') as t (g bigint);
select is(leased_micro, balance_micro, 'never more than there is')
	from core.account where id = pg_temp.id('acc', 1);

-- overlapping rates of two writers
select dblink_exec('a', 'begin') = 'BEGIN';
select dblink_exec('a', format('insert into core.rate (deck_id, prefix, '
	'rate_per_min_nano, effective_from) values (%L, ''49'', 1, '
	'''2026-01-01'')', pg_temp.id('dck', 1))) = 'INSERT 0 1';
select dblink_send_query('b', format('insert into core.rate (deck_id, prefix, '
	'rate_per_min_nano, effective_from) values (%L, ''49'', 1, '
	'''2026-02-01'')', pg_temp.id('dck', 1))) = 1;
select ok(pg_temp.waits('b'), 'writers of one deck wait');
select dblink_exec('a', 'commit') = 'COMMIT';
select throws_ok($$ select * from dblink_get_result('b') as t (s text) $$,
	'23P01', null, 'and see each other''s rates');
select count(*) = 0 from dblink_get_result('b') as t (g bigint);

-- versions: b changes first, a commits first
select set_config('test.since', version::text, false) <> '' from core.state;
select dblink_exec('b', 'begin') = 'BEGIN';
select dblink_exec('b', 'update core.realm set algorithms = ''{MD5}''
	where name = ''sip.example''') = 'UPDATE 1';
select dblink_exec('a', 'update core.realm set algorithms = ''{MD5}''
	where name = ''two.example''') = 'UPDATE 1';
select pass('who has not come to the end blocks nobody');
select dblink_exec('b', 'set constraints all immediate') = 'SET CONSTRAINTS';
select dblink_send_query('a', 'update core.realm set algorithms = ''{SHA-256}''
	where name = ''two.example''') = 1;
select ok(pg_temp.waits('a'), 'who comes to the end waits');
select results_eq($$ select id from api_v1.changes(
	current_setting('test.since')::bigint, 9) $$,
	$$ values ('two.example') $$, 'a reader sees no gap to be filled later');
select dblink_exec('b', 'commit') = 'COMMIT';
select count(*) >= 0 from dblink_get_result('a') as t (s text);
select count(*) >= 0 from dblink_get_result('a') as t (s text);
select results_eq($$ select id from api_v1.changes(
	current_setting('test.since')::bigint, 9) $$,
	$$ values ('sip.example'), ('two.example') $$, 'versions follow commits');

select dblink_disconnect('a') = 'OK' and dblink_disconnect('b') = 'OK';
\ir fixture/sweep.sql
select * from finish();
