-- Call records: their columns, their months, and loading them any number of
-- times with the same result.
begin;
select no_plan();
\ir fixture/world.sql

-- columns are CDR_FIELDS, by name and order
select is(string_agg(column_name, ',' order by ordinal_position),
	:'cdr_fields', 'cdr.record is CDR_FIELDS')
	from information_schema.columns
	where table_schema = 'cdr' and table_name = 'record';
select is(string_agg(column_name, ',' order by column_name = 'decision',
		column_name = 'charges', ordinal_position),
		:'cdr_fields' || ',charges,decision',
		'cdr.staging is the same with charges and decision')
	from information_schema.columns
	where table_schema = 'cdr' and table_name = 'staging';
select is_empty($$ select column_name, r.data_type, s.data_type
	from information_schema.columns r join information_schema.columns s
		using (column_name)
	where (r.table_schema, r.table_name) = ('cdr', 'record')
		and (s.table_schema, s.table_name) = ('cdr', 'staging')
		and r.data_type <> s.data_type $$, 'of the same types');
select col_is_pk('cdr', 'record', array['started_at', 'call_id', 'attempt'],
	'key of a record');
select col_is_pk('cdr', 'charge', array['started_at', 'call_id', 'attempt',
	'side'], 'key of a charge');

-- partitions
select has_table('cdr'::name, ('record' || to_char(now() at time zone 'utc',
	'"_"YYYY"_"MM'))::name);
select cdr.ensure_partitions('2031-12-15Z', '2032-01-01Z');
select has_table('cdr'::name, t::name) from unnest(array['record_2031_12',
	'record_2032_01', 'charge_2031_12', 'charge_2032_01',
	'decision_2031_12', 'decision_2032_01']) t;
select hasnt_table('cdr'::name, 'record_2032_02'::name);
select lives_ok($$ select cdr.ensure_partitions('2031-12-15Z',
	'2032-01-01Z') $$, 'twice is once');
insert into cdr.record (started_at, call_id, attempt) values
	('2031-12-31 23:59:59.999Z', gen_random_uuid(), 0),
	('2032-01-01 00:00:00Z', gen_random_uuid(), 0),
	('2040-05-05Z', gen_random_uuid(), 0),
	('2040-06-05Z', gen_random_uuid(), 0);
select results_eq($$ select tableoid::regclass::text from cdr.record
	order by started_at $$, $$ values ('cdr.record_2031_12'),
	('cdr.record_2032_01'), ('cdr.record_default'),
	('cdr.record_default') $$, 'no date is refused');
select lives_ok($$ select cdr.ensure_partitions('2040-05-01Z',
	'2040-05-02Z') $$, 'a month that has begun in the default partition');
select results_eq($$ select tableoid::regclass::text from cdr.record
	order by started_at $$, $$ values ('cdr.record_2031_12'),
	('cdr.record_2032_01'), ('cdr.record_2040_05'),
	('cdr.record_default') $$, 'takes its rows');

-- append-only
select throws_ok('update cdr.record set trail = ''x''', '23001');
select throws_ok('delete from cdr.record', '23001');

-- loading
select core.post(pg_temp.id('acc', 1), 'payment', 10000000) is not null;
select what = 'claimed' from api_v1.node_claim('n1', 7, 'h1', 60, 0);
select what = 'claimed' from api_v1.node_claim('n2', 1, 'h2', 60, 0);
select api_v1.lease_take(pg_temp.id('acc', 1), 'n1', 7, 4000000, 4000000)
	= 4000000;
create function pg_temp.stage(n integer, amount bigint, epoch bigint)
	returns void language sql as
$$
	insert into cdr.staging (started_at, call_id, attempt, outcome, node,
		decision, charges) values
	('2026-11-22 10:00:00.123Z', lpad(n::text, 32, '0')::uuid, 0, 'ok',
		'n1', '[{"step": "end"}]',
		jsonb_build_array(jsonb_build_object('side', 'sell',
		'account_id', pg_temp.id('acc', 1), 'amount_micro', amount,
		'currency', 'EUR', 'deck_id', pg_temp.id('dck', 1),
		'deck_version', 3, 'prefix', '49', 'destination', 'Germany',
		'rate_per_min_nano', 12000000, 'connect_fee_micro', 0,
		'first_ms', 60000, 'next_ms', 60000, 'rounding_mode', 'up',
		'rounding_decimals', 4, 'billed_ms', 60000, 'lease_epoch',
		epoch))),
	('2026-11-22 10:00:00.123Z', lpad(n::text, 32, '0')::uuid, 1, 'ok',
		'n1', null, jsonb_build_array(jsonb_build_object('side', 'buy',
		'carrier_id', pg_temp.id('car', 1), 'amount_micro', 500,
		'currency', 'EUR')))
$$;
create function pg_temp.money() returns table (b bigint, l bigint, o bigint,
	granted bigint, settled bigint) language sql as
$$
	select balance_micro, leased_micro, overspent_micro, granted_micro,
		settled_micro
	from core.account a left join core.lease l on l.account_id = a.id
	where a.id = pg_temp.id('acc', 1)
$$;

select pg_temp.stage(1, 1000000, 7);
select results_eq($$ select * from api_v1.load_cdrs('n1', 1, 100) $$,
	$$ values (2::bigint, 2::bigint, 1::bigint) $$, 'a call and its attempt');
select results_eq('select call_id, decision from cdr.decision', $$ values
	(lpad('1', 32, '0')::uuid, '[{"step": "end"}]'::jsonb) $$,
	'and its decision');
select throws_ok('update cdr.decision set decision = ''[]''', '23001');
select throws_ok('delete from cdr.decision', '23001');
select is_empty('select from cdr.staging', 'staging is empty');
select results_eq('select * from pg_temp.money()', $$ values (9000000::bigint,
	3000000::bigint, 0::bigint, 4000000::bigint, 1000000::bigint) $$,
	'posted and settled together');
select results_eq($$ select * from api_v1.journal_position('n1') $$,
	$$ values (1::bigint, 100::bigint, 0::bigint) $$);
select results_eq($$ select attempt, side, account_id, carrier_id,
	amount_micro, first_ms, lease_epoch from cdr.charge order by attempt $$,
	$$ values (0, 'sell', pg_temp.id('acc', 1), null, 1000000::bigint,
		60000, 7::bigint),
	(1, 'buy', null, pg_temp.id('car', 1), 500::bigint, null, null) $$);
select throws_ok('update cdr.charge set amount_micro = 0', '23001');
select throws_ok('delete from cdr.charge', '23001');

-- the same again, alone and among others
select pg_temp.stage(1, 1000000, 7);
select results_eq($$ select * from api_v1.load_cdrs('n1', 1, 100) $$,
	$$ values (0::bigint, 0::bigint, 0::bigint) $$, 'again is nothing');
select pg_temp.stage(1, 1000000, 7);
select pg_temp.stage(2, 250000, 7);
select pg_temp.stage(2, 250000, 7);
select results_eq($$ select * from api_v1.load_cdrs('n1', 1, 200) $$,
	$$ values (2::bigint, 2::bigint, 1::bigint) $$, 'only what is new');
select results_eq('select count(*) from cdr.decision', $$ values (2::bigint) $$,
	'decisions too');
select results_eq('select * from pg_temp.money()', $$ values (8750000::bigint,
	2750000::bigint, 0::bigint, 4000000::bigint, 1250000::bigint) $$);

-- free calls are not posted
select pg_temp.stage(3, 0, 7);
select results_eq($$ select * from api_v1.load_cdrs('n1', 1, 300) $$,
	$$ values (2::bigint, 2::bigint, 0::bigint) $$);

-- beyond the lease, of a lease that is gone, beyond the balance
select pg_temp.stage(4, 3000000, 7);
select api_v1.load_cdrs('n1', 1, 400) is not null;
select results_eq('select * from pg_temp.money()', $$ values (5750000::bigint,
	0::bigint, 0::bigint, 4000000::bigint, 4000000::bigint) $$,
	'beyond its lease a call is paid from the balance');
select api_v1.lease_close_epochs('n1', 8) = 0;
select api_v1.lease_take(pg_temp.id('acc', 1), 'n2', 1, 5000000, 5000000)
	= 5000000;
select pg_temp.stage(5, 6000000, 7);
select lives_ok($$ select api_v1.load_cdrs('n1', 1, 500) $$,
	'usage is never refused');
select results_eq('select * from pg_temp.money()', $$ values (-250000::bigint,
	5000000::bigint, 5250000::bigint, 5000000::bigint, 0::bigint) $$,
	'but shown');
select api_v1.lease_return(pg_temp.id('acc', 1), 'n2', 1, 5000000) = 5000000;
select results_eq('select b, l, o from pg_temp.money()', $$ values
	(-250000::bigint, 0::bigint, 250000::bigint) $$,
	'what comes back covers it');

-- an account that is no more
insert into cdr.staging (started_at, call_id, attempt, charges) values
	('2026-11-22Z', gen_random_uuid(), 0, jsonb_build_array(
	jsonb_build_object('side', 'sell', 'account_id', 'acc_gone',
	'amount_micro', 1, 'currency', 'EUR', 'lease_epoch', 1)));
select results_eq($$ select * from api_v1.load_cdrs('n1', 2, 0) $$,
	$$ values (1::bigint, 1::bigint, 0::bigint) $$,
	'keeps its record and charge');
select results_eq($$ select * from api_v1.journal_position('n1') $$,
	$$ values (2::bigint, 0::bigint, 0::bigint) $$);
select is_empty($$ select * from api_v1.journal_position('n9')
	where segment is not null $$);
-- rows that came by COPY: paid by their keys, position and gap with them
insert into cdr.record (started_at, call_id, attempt, node) values
	('2026-11-22 11:00:00Z', lpad('c1', 32, '0')::uuid, 0, 'n3'),
	('2026-11-22 11:00:00Z', lpad('c1', 32, '0')::uuid, 1, 'n3');
insert into cdr.charge (started_at, call_id, attempt, side, account_id,
	amount_micro, currency) values
	('2026-11-22 11:00:00Z', lpad('c1', 32, '0')::uuid, 0, 'sell',
		pg_temp.id('acc', 1), 1000, 'EUR'),
	('2026-11-22 11:00:00Z', lpad('c1', 32, '0')::uuid, 1, 'sell',
		pg_temp.id('acc', 1), 500, 'EUR'),
	('2026-11-22 11:00:00Z', lpad('c1', 32, '0')::uuid, 1, 'buy', null,
		400, 'EUR');
select results_eq($$ select * from api_v1.load_calls('n3', 4, 100, 17, 0,
	array['2026-11-22 11:00:00Z']::timestamptz[],
	array[lpad('c1', 32, '0')]::uuid[]) $$,
	$$ values (2::bigint, 2::bigint) $$, 'both payers pay');
select throws_ok($$ select * from api_v1.load_calls('n3', 4, 100, 17, 0,
	array['2026-11-22 11:00:00Z']::timestamptz[],
	array[lpad('c1', 32, '0')]::uuid[]) $$, '23505', null,
	'nobody pays twice');
select throws_ok($$ insert into cdr.record (started_at, call_id, attempt)
	values ('2026-11-22 11:00:00Z', lpad('c1', 32, '0')::uuid, 0) $$,
	'23505', null, 'and no record is there twice');
select results_eq($$ select * from api_v1.journal_position('n3') $$,
	$$ values (4::bigint, 100::bigint, 17::bigint) $$);
select results_eq($$ select * from api_v1.load_calls('n3', 4, 200, 30, 5,
	'{}', '{}') $$, $$ values (0::bigint, 0::bigint) $$);
select results_eq($$ select number, missing from cdr.journal_position
	where node = 'n3' $$, $$ values (30::bigint, 5::bigint) $$,
	'what is missing adds up');
select results_eq($$ select data ->> 'node', (data ->> 'missing')::int
	from core.event where kind = 'cdr.gap' $$, $$ values ('n3', 5) $$,
	'and is told');
select results_eq($$ select * from api_v1.load_calls('n3', null, 0, 0, 0,
	'{}', '{}') $$, $$ values (0::bigint, 0::bigint) $$);
select results_eq($$ select * from api_v1.journal_position('n3') $$,
	$$ values (4::bigint, 200::bigint, 30::bigint) $$,
	'a replay moves no position');

-- dead letters
select api_v1.load_dead_letter('n3', 4, 300, 31, '\x0102', '22003', 'why')
	is not null;
select api_v1.load_dead_letter('n3', 4, 300, 31, '\x0102', '22003', 'why')
	is not null;
select results_eq($$ select node, number, encode(frame, 'hex'), sqlstate, tries
	from cdr.dead_letter $$,
	$$ values ('n3', 31::bigint, '0102', '22003', 0) $$, 'kept once');
select results_eq($$ select count(*) from core.event
	where kind = 'cdr.refused' $$, $$ values (1::bigint) $$, 'told once');
select results_eq($$ select cdr.dead_letter_discard(id, 'never') from
	cdr.dead_letter $$, $$ values (true) $$, 'an operator gives it up');
select results_eq($$ select cdr.dead_letter_discard(id, 'again') from
	cdr.dead_letter $$, $$ values (false) $$, 'once');
select results_eq($$ select status, discard_note from cdr.dead_letter $$,
	$$ values ('discarded', 'never') $$);

select is_empty($$ select from core.account a where a.balance_micro <>
	(select coalesce(sum(amount_micro), 0) from core.ledger_posting p
	where p.account_id = a.id) $$, 'balance is the sum of postings');
select is((select -sum(amount_micro) from core.ledger_posting
	where kind = 'usage'), (select sum(amount_micro) from cdr.charge
	where side = 'sell' and account_id <> 'acc_gone'),
	'usage is the sum of charges');

select * from finish();
rollback;
