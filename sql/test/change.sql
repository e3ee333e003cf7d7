-- The change feed. Its triggers run at COMMIT, so these tests commit for real.
select no_plan();
begin;
\ir fixture/world.sql
commit;

create function pg_temp.since() returns bigint language sql as
	$$ select current_setting('test.since')::bigint $$;
create function pg_temp.mark() returns void language sql as
	$$ select set_config('test.since', version::text, false)
		from core.state $$;
create function pg_temp.moved() returns setof text language sql as
	$$ select kind || ' ' || ltrim(regexp_replace(id, '^[a-z]{3}_', ''),
		'0') from api_v1.changes(pg_temp.since(), 1000) order by 1 $$;

-- a stranger gets everything
select set_eq($$ select kind from api_v1.changes(0, 1000) $$,
	$$ values ('tenant'), ('account'), ('realm'), ('trunk'),
	('credential'), ('address'), ('carrier'), ('gateway'), ('did'),
	('route'), ('rate_deck'), ('numbering'), ('location'),
	('emergency_number') $$);
select results_eq($$ select count(*) from api_v1.changes(0, 1000) $$,
	$$ select (select count(*) from core.tenant)
	+ (select count(*) from core.account)
	+ (select count(*) from core.realm)
	+ (select count(*) from core.trunk)
	+ (select count(*) from core.trunk_credential)
	+ (select count(*) from core.source_address)
	+ (select count(*) from core.carrier)
	+ (select count(*) from core.gateway)
	+ (select count(*) from core.did)
	+ (select count(*) from core.route)
	+ (select count(*) from core.rate_deck)
	+ (select count(*) from core.location)
	+ (select count(*) from core.emergency_number)
	+ 1 -- the numbering plan
	$$, 'every object once');
select is_empty($$ select from api_v1.changes(0, 1000) where "row" is null $$,
	'with its row');
select is((select version from api_v1.feed()),
	(select version from core.state), 'the feed says where it stands');
select isnt((select feed from api_v1.feed()), null, 'and what it is');

-- paging
select is((select count(*) from api_v1.changes(0, 3)), 3::bigint, 'a page');
select set_eq($$ with recursive page as (
		select array_agg(c.version order by c.version) as v
			from api_v1.changes(0, 4) c
		union all
		select (select array_agg(c.version order by c.version)
			from api_v1.changes(v[cardinality(v)], 4) c)
		from page where cardinality(v) = 4)
	select unnest(v) from page $$,
	$$ select version from core.change $$, 'pages miss nothing');

-- each kind
select pg_temp.mark();
update core.tenant set name = 'x' where id = pg_temp.id('ten', 1);
update core.account set credit_limit_micro = 1 where id = pg_temp.id('acc', 1);
update core.realm set algorithms = '{MD5}' where name = 'two.example';
update core.trunk set name = 'x' where id = pg_temp.id('trk', 1);
update core.trunk_credential set username = 'x';
update core.source_address set port = 5060 where id = pg_temp.id('adr', 101);
update core.carrier set name = 'x' where id = pg_temp.id('car', 1);
update core.gateway set name = 'x' where id = pg_temp.id('gwy', 1);
update core.did set status = 'suspended';
update core.route set name = 'x';
update core.rate_deck set name = 'x' where id = pg_temp.id('dck', 1);
select results_eq('select pg_temp.moved()', $$ values ('account 1'),
	('address 101'), ('carrier 1'), ('credential 1'), ('did 1'),
	('gateway 1'), ('rate_deck 1'), ('realm two.example'), ('route 1'),
	('tenant 1'), ('trunk 1') $$, 'each edit moves its object');
select is((select count(distinct version)
	from api_v1.changes(pg_temp.since(), 1000)), 11::bigint,
	'under a version of its own');

-- what follows
select pg_temp.mark();
update core.gateway set address = '198.51.100.9'
	where id = pg_temp.id('gwy', 1);
select results_eq('select pg_temp.moved()',
	$$ values ('address 1'), ('gateway 1') $$,
	'a gateway moves with its address');
select pg_temp.mark();
update core.route_target set weight = 7
	where gateway_id = pg_temp.id('gwy', 2);
select results_eq('select pg_temp.moved()', $$ values ('route 1') $$,
	'a target is its route');
select is("row" -> 'targets', jsonb_build_array(
	jsonb_build_object('gateway_id', pg_temp.id('gwy', 1), 'priority', 1,
		'weight', 100),
	jsonb_build_object('gateway_id', pg_temp.id('gwy', 2), 'priority', 2,
		'weight', 7)), 'which carries them by priority')
	from api_v1.changes(pg_temp.since(), 10);

select pg_temp.mark();
update core.emergency_target set weight = 8;
update core.location set flr = '4';
select results_eq('select pg_temp.moved()', $$ values ('emergency_number 1'),
	('location 1') $$, 'so are those of emergency numbers');
select is("row" -> 'targets', jsonb_build_array(
	jsonb_build_object('gateway_id', pg_temp.id('gwy', 1), 'priority', 1,
		'weight', 8)), 'which carry them too')
	from api_v1.changes(pg_temp.since(), 10)
	where kind = 'emergency_number';

-- rates: one change per deck and transaction
select pg_temp.mark();
begin;
insert into core.rate (deck_id, prefix, rate_per_min_nano)
	select pg_temp.id('dck', 1), (10000 + n)::text, n
	from generate_series(1, 2000) n;
insert into core.rate (deck_id, prefix, rate_per_min_nano)
	values (pg_temp.id('dck', 1), '7', 1);
delete from core.rate where prefix = '10001';
update core.rate set is_blocked = true where prefix = '10002';
commit;
select results_eq('select pg_temp.moved()', $$ values ('rate_deck 1') $$,
	'2000 rates are one change');
select results_eq($$ select version - pg_temp.since() from core.state $$,
	$$ values (1::bigint) $$, 'of one version');
select is(count(*), 2000::bigint, 'and are all there')
	from api_v1.deck_rates(pg_temp.id('dck', 1));
select results_eq($$ select prefix, destination, rate_per_min_nano,
	connect_fee_micro, first_ms, next_ms, to_ms, is_blocked
	from api_v1.deck_rates(pg_temp.id('dck', 1)) where prefix = '10002' $$,
	$$ values ('10002', '', 2::bigint, 0::bigint, 1000, 1000,
		null::bigint, true) $$);
insert into core.rate (deck_id, prefix, rate_per_min_nano, effective_from,
	effective_to) values (pg_temp.id('dck', 2), '1', 1,
	'1970-01-01 00:00:01.234Z', '2026-01-01Z');
select results_eq($$ select from_ms, to_ms
	from api_v1.deck_rates(pg_temp.id('dck', 2)) $$,
	$$ values (1234::bigint, 1767225600000::bigint) $$, 'times in ms');

-- money moves all day without a change, also where it is limited
update core.account set daily_limit_micro = 5, monthly_limit_micro = 5
	where id = pg_temp.id('acc', 1);
select pg_temp.mark();
select core.post(pg_temp.id('acc', 1), 'payment', 1000000) is not null;
select what = 'claimed' from api_v1.node_claim('n1', 1, 'h', 60, 0);
select api_v1.lease_take(pg_temp.id('acc', 1), 'n1', 1, 100, 100) = 100;
update core.account set low_balance_micro = 5 where id = pg_temp.id('acc', 1);
select is_empty('select pg_temp.moved()', 'money is no change');

-- nothing from what was rolled back
begin;
update core.tenant set name = 'y';
rollback;
select is_empty('select pg_temp.moved()', 'a rollback is no change');

-- a writer can know its version before it commits
begin;
update core.tenant set name = 'z' where id = pg_temp.id('ten', 2);
select is_empty('select pg_temp.moved()', 'nothing before the end');
set constraints all immediate;
select cmp_ok(version, '>', pg_temp.since(), 'then its version')
	from core.state;
commit;

-- deletes
select pg_temp.mark();
delete from core.did;
delete from core.route;
delete from core.trunk where id = pg_temp.id('trk', 1);
select results_eq('select pg_temp.moved()', $$ values ('address 101'),
	('credential 1'), ('did 1'), ('route 1'), ('trunk 1') $$,
	'a delete moves all that went');
select is_empty($$ select from api_v1.changes(pg_temp.since(), 100)
	where "row" is not null $$, 'and has no row');

-- no secrets but the HA1s, no times
select is_empty($$ select k from core.change c,
	jsonb_object_keys(api_v1.object(c.kind, c.id)) k
	where k ~ '(secret|balance|leased|overspent|_at$|row_version)' $$);
select ok(api_v1.object('credential', 'nobody') is null, 'nobody');
select ok(api_v1.object('planet', 'mars') is null, 'nothing');

-- NOTIFY is a hint: heard at once, polled for otherwise
select dblink_connect('ear', 'host=' || split_part(current_setting(
	'unix_socket_directories'), ',', 1) || ' user=' || current_user
	|| ' dbname=' || current_database()) = 'OK';
select dblink_exec('ear', 'listen strowger_change') = 'LISTEN';
update core.tenant set name = 'heard' where id = pg_temp.id('ten', 2);
select dblink_exec('ear', 'reset all') = 'RESET';
select is((select count(*) from dblink_get_notify('ear')), 1::bigint, 'heard');
select dblink_disconnect('ear') = 'OK';

\ir fixture/sweep.sql
select * from finish();
