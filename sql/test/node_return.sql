-- Two sessions at once: nodes that come back together, a lease that is asked
-- for while an operator releases it, and whose journal a node's position is of.
select no_plan();
begin;
\ir fixture/world.sql
select core.post(pg_temp.id('acc', 1), 'payment', 1000) is not null;
commit;
\ir fixture/two.sql

-- both are back from a time without a database, each holding money
select what = 'claimed' from api_v1.node_claim('n1', 1, 'h1', 60, 0);
select what = 'claimed' from api_v1.node_claim('n2', 1, 'h2', 60, 0);
select api_v1.lease_take(pg_temp.id('acc', 1), n, 1, 100, 100) = 100
	from unnest(array['n1', 'n2']) n;
update core.node_session set expires_at = now() - interval '1 minute';
select dblink_exec(n, 'set statement_timeout = 2000') = 'SET'
	from unnest(array['a', 'b']) n;
-- each has its own session in hand, and looks around
select dblink_exec(d, 'begin') = 'BEGIN' and dblink_exec(d, format('update '
	'core.node_session set expires_at = now() + interval ''1 minute'' '
	'where node = %L', n)) = 'UPDATE 1'
	from (values ('a', 'n1'), ('b', 'n2')) t (d, n);
select lives_ok(format($$ select * from dblink(%L,
	'select core.node_lost_tell()') as t (v text) $$, d),
	'neither waits for the other') from unnest(array['a', 'b']) d;
select dblink_exec('a', 'commit') = 'COMMIT'
	and dblink_exec('b', 'commit') = 'COMMIT';
select is_empty($$ select from core.event where kind = 'lease.expired' $$,
	'and neither is said to be gone');
-- one that does not come is told of, once
update core.node_session set expires_at = now() - interval '1 minute'
	where node = 'n2';
select core.node_lost_tell();
select core.node_lost_tell();
select results_eq($$ select data ->> 'node' from core.event
	where kind = 'lease.expired' $$, $$ values ('n2') $$, 'told once');

-- an operator releases what a node asks for at the same time
select dblink_exec('a', 'begin') = 'BEGIN';
select results_eq($$ select r from dblink('a', format('select '
	'core.lease_release(%L, ''n2'', 1)', pg_temp.id('acc', 1)))
	as t (r bigint) $$, $$ values (100::bigint) $$, 'released');
select dblink_send_query('b', format('select api_v1.lease_take(%L, ''n2'', '
	'1, 800, 200)', pg_temp.id('acc', 1))) = 1;
select dblink_exec('a', 'commit') = 'COMMIT';
select throws_ok($$ select * from dblink_get_result('b') as t (g bigint) $$,
	'55000', null, 'who is said to be gone takes nothing');
select count(*) = 0 from dblink_get_result('b') as t (g bigint);
-- it was there in time, and waits for the account beyond its session's end
select what = 'claimed' from api_v1.node_claim('n1', 1, 'h1', 60, 0);
update core.node_session set expires_at = now() + interval '0.3 s'
	where node = 'n1';
select dblink_exec('a', 'begin') = 'BEGIN';
select dblink_exec('a', 'update core.account set name = name') <> '';
select dblink_send_query('b', format('select api_v1.lease_take(%L, ''n1'', '
	'1, 800, 200)', pg_temp.id('acc', 1))) = 1;
select pg_sleep(0.5);
select dblink_exec('a', 'commit') = 'COMMIT';
select throws_ok($$ select * from dblink_get_result('b') as t (g bigint) $$,
	'55000', null, 'too late is too late');
select count(*) = 0 from dblink_get_result('b') as t (g bigint);
-- and the other way round: the take is first, the release gets all of it
select what = 'claimed' from api_v1.node_claim('n1', 1, 'h1', 60, 0);
select dblink_exec('a', 'begin') = 'BEGIN';
select results_eq($$ select g from dblink('a', format('select '
	'api_v1.lease_take(%L, ''n1'', 1, 300, 300)', pg_temp.id('acc', 1)))
	as t (g bigint) $$, $$ values (300::bigint) $$);
update core.node_session set expires_at = now() - interval '1 s'
	where node = 'n1';
select dblink_send_query('b', format('select core.lease_release(%L, ''n1'', '
	'1)', pg_temp.id('acc', 1))) = 1;
select ok(pg_temp.waits('b'), 'a release waits for a take');
select dblink_exec('a', 'commit') = 'COMMIT';
select results_eq($$ select r from dblink_get_result('b') as t (r bigint) $$,
	$$ values (400::bigint) $$, 'and releases what it took, too');
select count(*) = 0 from dblink_get_result('b') as t (g bigint);
select is(leased_micro, 0::bigint, 'nothing is left')
	from core.account where id = pg_temp.id('acc', 1);
select is_empty($$ select from core.lease where granted_micro
	<> settled_micro $$);

-- a start on another folder waits for who loads, and the position is its own
select what = 'claimed' from api_v1.node_claim('n3', 1, 'old', 60, 0);
update core.node_session set expires_at = now() - interval '1 s'
	where node = 'n3';
select dblink_exec('a', 'begin') = 'BEGIN';
select dblink_exec('a', 'do $d$ begin perform api_v1.load_begin('
	'''n3'', 1); perform api_v1.load_calls(''n3'', 7, 10, 1, 0, ''{}'', '
	'''{}''); end $d$') = 'DO';
select dblink_send_query('b', 'select what from api_v1.node_claim(''n3'', 2, '
	'''new'', 60, 0)') = 1;
select ok(pg_temp.waits('b'), 'a start on another folder waits for the load');
select dblink_exec('a', 'commit') = 'COMMIT';
select results_eq($$ select w from dblink_get_result('b') as t (w text) $$,
	$$ values ('claimed') $$);
select count(*) = 0 from dblink_get_result('b') as t (g text);
select is_empty($$ select from api_v1.journal_position('n3')
	where segment is not null $$, 'its journal is loaded from its begin');
select throws_ok($$ select api_v1.load_begin('n3', 1) $$, '55000', null,
	'who has lost the name loads nothing');
select lives_ok($$ select api_v1.load_begin('n3', 2) $$);
select api_v1.load_calls('n3', 1, 20, 1, 0, '{}', '{}') is not null;
select lives_ok($$ select api_v1.load_begin('n3', 2) $$, 'and the other goes on');
-- the second is gone, and the first comes back: the position is not its own
update core.node_session set expires_at = now() - interval '1 s'
	where node = 'n3' and epoch = 2;
select results_eq($$ select what from api_v1.node_claim('n3', 1, 'old', 60,
	0) $$, $$ values ('claimed') $$);
select is_empty($$ select from api_v1.journal_position('n3')
	where segment is not null $$, 'nor that of the other its own');
select lives_ok($$ select api_v1.load_begin('n3', 1) $$);
select throws_ok($$ select api_v1.load_begin('n3', 2) $$, '55000');
-- who only was late keeps what it has
update core.node_session set claimed_at = claimed_at - interval '1 hour'
	where node = 'n3';
select api_v1.load_calls('n3', 7, 20, 1, 0, '{}', '{}') is not null;
update core.node_session set expires_at = now() - interval '1 s'
	where node = 'n3' and epoch = 1;
select results_eq($$ select what from api_v1.node_claim('n3', 1, 'old', 60,
	0) $$, $$ values ('claimed') $$);
select is(segment, 7::bigint, 'late, and nobody came between')
	from api_v1.journal_position('n3');

-- the same place in the journal of another folder is another record
select api_v1.load_dead_letter('n3', 1, 30, 1, f, '22003', 'why')
	from unnest(array['\x01', '\x02', '\x02']::bytea[]) f;
select is(count(*), 2::bigint, 'each refused record, once')
	from cdr.dead_letter where node = 'n3';

select dblink_disconnect('a') = 'OK' and dblink_disconnect('b') = 'OK';
delete from core.event where kind in ('lease.expired', 'cdr.refused');
delete from cdr.journal_position;
delete from cdr.dead_letter where node = 'n3';
\ir fixture/sweep.sql
select * from finish();
